/**
 * From where links are imported, and a row of it. A source is read once, from its beginning to its end, and is never changed.
 * `csv.ts` and `earlier_tables.ts` read; `collect.ts` judges the rows; `store.ts` makes links of them.
 */

/** A row as it stands in the source. Nobody has looked at its values yet. */
export type SourceRow = {
  /** Its line in a file; its place in a table. */
  readonly line: number;
  readonly discordUserId: string;
  /** One of the two: what never changes of the account at the provider, or the username that it had. */
  readonly subject: string | null;
  readonly username: string | null;
  readonly discordUsername: string | null;
  /** The member's name at the organisation. */
  readonly name: string | null;
  readonly accessToken: string | null;
  readonly refreshToken: string | null;
  readonly expiresAt: Date | null;
};

/** What a source tells while it is read. */
export type Reader = {
  readonly onRow: (row: SourceRow) => void;
  /** A line that has another number of fields than the first one. */
  readonly onMisshapen: (line: number) => void;
};

/** A source. `read` throws import_refused if it cannot be read, or if it is not what it should be. */
export type ImportSource = {
  readonly kind: "csv" | "sqlite" | "postgres";
  /** What messages call it. */
  readonly name: string;
  /** What `SourceRow.line` counts. */
  readonly counts: "line" | "row";
  /** Gives every row. `unfinished` are Discord accounts that the source has without a link. */
  readonly read: (reader: Reader) => Promise<{ readonly unfinished: number }>;
};
