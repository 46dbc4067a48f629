/** Reads a member's rows by name, and sets times in them, so that assertions hold no SQL. */
import type { Table, TestDatabase } from "./database.ts";

type At = { readonly database: Pick<TestDatabase, "rows"> };
type Row = Readonly<Record<string, unknown>>;

/** Every row of a table. */
export const rowsOf = ({ database }: At, table: Table): Promise<readonly Row[]> =>
  database.rows(`select * from ${table}`);

/** A member's rows in a table. */
export const rowsOfMember = (
  { database }: At,
  table: Table,
  discordUserId: string,
): Promise<readonly Row[]> =>
  database.rows(`select * from ${table} where discord_user_id = '${discordUserId}'`);

export async function linkOf(janus: At, discordUserId: string): Promise<Row | undefined> {
  return (await rowsOfMember(janus, "link", discordUserId))[0];
}

/** The tokens that Discord gave for a link, or for one that may be made. */
export async function discordTokenOf(janus: At, discordUserId: string): Promise<Row | undefined> {
  return (await rowsOfMember(janus, "discord_token", discordUserId))[0];
}

/** A member's sessions, the oldest first. */
export const sessionsOf = ({ database }: At, discordUserId: string): Promise<readonly Row[]> =>
  database.rows(`select * from session where discord_user_id = '${discordUserId}' order by created_at`);

/** The links of an account at the provider: one, or none. */
export const linksOfSubject = ({ database }: At, subject: string): Promise<readonly Row[]> =>
  database.rows(`select * from link where subject = '${subject}'`);

/** The tokens that the provider gave for one of its accounts. */
export async function organisationTokenOf({ database }: At, subject: string): Promise<Row | undefined> {
  return (await database.rows(`select * from organisation_token where subject = '${subject}'`))[0];
}

/** The actions that the trail has of a member, the oldest first. */
export async function trailOf({ database }: At, discordUserId: string): Promise<readonly unknown[]> {
  const rows = await database.rows(
    `select action from audit_event where discord_user_id = '${discordUserId}' order by audit_event_id`,
  );
  return rows.map(({ action }) => action);
}

/** Sets columns of a member's link, or of the tokens that its provider gave, as SQL has them: `end_cause = 'unanswered'`. */
export async function setOfLink(
  { database }: At,
  table: "link" | "organisation_token",
  columns: string,
  discordUserId: string,
): Promise<void> {
  const own = `select issuer, subject from link where discord_user_id = '${discordUserId}'`;
  await database.rows(`update ${table} set ${columns} where (issuer, subject) in (${own})`);
}

/** Sets a time to so many seconds from now, in a member's rows or in all. */
export async function setTime(
  { database }: At,
  table: Table,
  column: string,
  seconds: number,
  discordUserId?: string,
): Promise<void> {
  const whose = discordUserId === undefined ? "" : `where discord_user_id = '${discordUserId}'`;
  await database.rows(`update ${table} set ${column} = now() + interval '${seconds} seconds' ${whose}`);
}
