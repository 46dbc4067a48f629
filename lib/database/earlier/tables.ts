/**
 * The tables of the earlier service, github.com/Dsek-LTH/janus, which it has in SQLite or in PostgreSQL. They are only read.
 * `sqlite.ts` and `postgres.ts` open them. What becomes of the rows is up to `operator/import/`.
 */
import * as v from "valibot";
import { importRefused } from "../../errors.ts";

/** A link as the earlier service has it. What a half-finished sign-in has left out is null. */
export type EarlierLink = {
  readonly discordUserId: string;
  /** The member's `preferred_username` at the provider. */
  readonly username: string;
  readonly discordUsername: string | null;
  readonly name: string | null;
  readonly accessToken: string | null;
  readonly refreshToken: string | null;
  /** In seconds since 1970. */
  readonly expiresAt: number | null;
};

/** Gives every link, in a fixed order, and then how many Discord accounts have none. Throws import_refused. */
export type ReadEarlier = (onLink: (link: EarlierLink) => void) => Promise<{ readonly unfinished: number }>;

/** What is read of the tables. */
const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  connected_accounts: ["user_id", "stil_id"],
  discord_tokens: ["user_id", "access_token", "refresh_token", "expires_at"],
  authorized_discord_users: ["user_id", "username"],
  authorized_dsek_users: ["stil_id", "name"],
};

const columnRow = v.object({ owner: v.string(), name: v.string() });

/** Throws import_refused if a table or a column is missing. */
export function requireTables(rows: readonly unknown[], where: string): void {
  const found = new Set(v.parse(v.array(columnRow), rows).map(({ owner, name }) => `${owner}.${name}`));
  const wanted = Object.entries(COLUMNS).flatMap(([table, columns]) =>
    columns.map((column) => `${table}.${column}`),
  );
  const missing = wanted.filter((column) => !found.has(column));
  if (missing.length === 0) return;
  throw importRefused(
    `${where} does not have the tables of the earlier service. Missing: ${missing.join(", ")}. For other tables, export a ` +
      "CSV: see docs/import.md.",
  );
}

/** Each is one word: the driver of PostgreSQL writes names of several in its own way. */
const LINK_COLUMNS = `
  connected_accounts.user_id as discord,
  connected_accounts.stil_id as stil,
  authorized_discord_users.username,
  authorized_dsek_users.name,
  discord_tokens.access_token as access,
  discord_tokens.refresh_token as refresh,
  discord_tokens.expires_at as expires
from connected_accounts
left join authorized_discord_users on connected_accounts.user_id = authorized_discord_users.user_id
left join authorized_dsek_users on connected_accounts.stil_id = authorized_dsek_users.stil_id
left join discord_tokens on connected_accounts.user_id = discord_tokens.user_id`;

/** All links. */
export const LIST_LINKS = `select ${LINK_COLUMNS} order by connected_accounts.stil_id`;

/** A page of links after a username. */
export const LIST_PAGE = `select ${LINK_COLUMNS}
where connected_accounts.stil_id > $1 order by connected_accounts.stil_id limit $2`;

/** How many Discord accounts have no link: their members did not come back from the provider. */
export const COUNT_UNFINISHED = `select count(*) as unfinished
from authorized_discord_users
where not exists (
  select 1 from connected_accounts where connected_accounts.user_id = authorized_discord_users.user_id
)`;

/** The columns of a database in SQLite. */
export const LIST_SQLITE_COLUMNS = `select sqlite_master.name as owner, info.name as name
from sqlite_master, pragma_table_info(sqlite_master.name) as info
where sqlite_master.type = 'table'`;

/** The columns of a database in PostgreSQL. */
export const LIST_POSTGRES_COLUMNS = `select table_name::text as owner, column_name::text as name
from information_schema.columns
where table_schema = any(current_schemas(false))`;

const textual = v.pipe(
  v.union([v.string(), v.bigint(), v.number()]),
  v.transform((value) => String(value)),
);
const numeric = v.pipe(
  v.union([v.string(), v.bigint(), v.number()]),
  v.transform((value) => Number(value)),
);
const linkRow = v.object({
  discord: textual,
  stil: textual,
  username: v.nullable(textual),
  name: v.nullable(textual),
  access: v.nullable(textual),
  refresh: v.nullable(textual),
  expires: v.nullable(numeric),
});
const unfinishedRow = v.object({ unfinished: numeric });

/** A row of either database. Throws import_refused if a value has a type that none of the tables has. */
export function readLink(row: unknown, where: string): EarlierLink {
  const parsed = v.safeParse(linkRow, row);
  // The message would show the value.
  if (!parsed.success) throw importRefused(`${where} has a row whose values are not texts and numbers.`);
  const { output } = parsed;
  return {
    discordUserId: output.discord,
    username: output.stil,
    discordUsername: output.username,
    name: output.name,
    accessToken: output.access,
    refreshToken: output.refresh,
    expiresAt: output.expires,
  };
}

/** The count that COUNT_UNFINISHED gives. */
export const readUnfinished = (row: unknown): number => v.parse(unfinishedRow, row).unfinished;
