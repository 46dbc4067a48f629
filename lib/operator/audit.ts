/**
 * This room owns what an operator does by command, apart from the terminal (`cli/`). The audit finds links and grants that
 * need attention and only lists them. Upkeep, the operator or the member puts them right.
 */
import type { Queries } from "../database/queries.ts";

/** One kind of fault, how often it occurs, and a few examples: Discord user ids, subjects, or ids of stray tokens. */
export type Finding = { readonly kind: string; readonly count: number; readonly examples: readonly string[] };

/** The result of an audit. */
export type Audit = { readonly links: number; readonly findings: readonly Finding[] };

/** Work that is due never waits this long while all is well. */
const OVERDUE_AFTER_MS = 3_600_000;
/** After this many failures to end a grant its member may sign in nevertheless. */
const FAILED_OFTEN = 5;
const EXAMPLE_COUNT = 5;

/** Looks through all links and grants, and changes none. */
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

/** Forgets that a member may still have a role. False if no such finding exists. */
export async function forgetRoleLeft(
  { queries }: { readonly queries: Queries },
  discordUserId: string,
): Promise<boolean> {
  return (await queries.deleteRoleConnectionLeft({ discordUserId })) !== undefined;
}
