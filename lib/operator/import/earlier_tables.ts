/** The links of the earlier service, from its tables in SQLite or PostgreSQL. It knew members by their usernames. */
import { readPostgres } from "../../database/earlier/postgres.ts";
import { readSqlite } from "../../database/earlier/sqlite.ts";
import type { EarlierLink, ReadEarlier } from "../../database/earlier/tables.ts";
import { printable } from "../../text/printable.ts";
import type { ImportSource, SourceRow } from "./source.ts";

const MOST_ECHOED = 200;
/** As Discord's tokens live for a week, a time beyond this year is a mistake. */
const MOST_SECONDS = 4_102_444_800;

/** A file of SQLite as a source. */
export const createSqliteSource = (path: string): ImportSource =>
  sourceOf("sqlite", printable(path, MOST_ECHOED), readSqlite(path));

/** A database in PostgreSQL as a source. */
export const createPostgresSource = (url: string): ImportSource =>
  sourceOf("postgres", "The database of IMPORT_DATABASE_URL", readPostgres(url));

const sourceOf = (kind: ImportSource["kind"], name: string, read: ReadEarlier): ImportSource => ({
  kind,
  name,
  counts: "row",
  read: ({ onRow }) => {
    let line = 0;
    return read((link) => {
      line += 1;
      onRow(rowOf(link, line));
    });
  },
});

const rowOf = (link: EarlierLink, line: number): SourceRow => ({
  line,
  discordUserId: link.discordUserId,
  subject: null,
  username: link.username,
  discordUsername: link.discordUsername,
  name: link.name,
  accessToken: link.accessToken || null,
  refreshToken: link.refreshToken || null,
  expiresAt: timeOf(link.expiresAt),
});

/** Null for a time that cannot be: then the token counts as expired, and is refreshed. */
const timeOf = (seconds: number | null): Date | null =>
  seconds !== null && seconds > 0 && seconds < MOST_SECONDS ? new Date(Math.floor(seconds) * 1_000) : null;
