/**
 * Finds links and grants that need attention. It only lists them: upkeep, the operator or the member puts them right.
 */
import type { Queries } from "../database/queries.ts";

/** One kind of fault: how many there are, and a few examples by Discord user id, subject or id of a stray token. */
export type Finding = { readonly kind: string; readonly count: number; readonly examples: readonly string[] };

/** The result of an audit. */
export type Audit = { readonly links: number; readonly findings: readonly Finding[] };

/** While all is well, nothing that is due waits as long. */
const OVERDUE_AFTER_MS = 3_600_000;
/** As often as an end fails before its member may sign in past it. */
const FAILED_OFTEN = 5;
const EXAMPLE_COUNT = 5;

/** Looks through all links and grants. */
export async function auditLinks({
  queries,
  now,
}: {
  readonly queries: Queries;
  readonly now: () => Date;
}): Promise<Audit> {
  const overdueBefore = new Date(now().getTime() - OVERDUE_AFTER_MS);
  const limits = { overdueBefore, failedOften: FAILED_OFTEN, exampleCount: EXAMPLE_COUNT };
  const [links, findings] = await Promise.all([queries.countLinks({}), queries.listFindings(limits)]);
  return { links: links?.count ?? 0, findings };
}

/** Forgets that a role was left to a member; false where none is known. */
export async function forgetRoleLeft(
  { queries }: { readonly queries: Queries },
  discordUserId: string,
): Promise<boolean> {
  return (await queries.deleteRoleConnectionLeft({ discordUserId })) !== undefined;
}
