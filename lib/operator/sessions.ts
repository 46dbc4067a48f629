/** Login sessions as an operator sees and ends them: whose, in which browser, and since when. Never what opens one. */
import type { Queries } from "../database/queries.ts";
import { SESSION_IDLE_SECONDS } from "../session/secrets.ts";
import { secondsAfter } from "../time.ts";

/** A session that has not ended. */
export type ListedSession = Awaited<ReturnType<Queries["listAllSessions"]>>[number];

/** One list. `next` is the handle after which the next one begins; null if no session is left. */
export type SessionList = { readonly sessions: readonly ListedSession[]; readonly next: string | null };

/** Which sessions are meant. What is undefined leaves every session. */
export type SessionScope = {
  readonly discordUserId?: string | undefined;
  /** Last used before this. */
  readonly usedBefore?: Date | undefined;
};

type Needs = { readonly queries: Queries; readonly now: () => Date };

/** Sessions that one statement ends. */
const BATCH_SESSIONS = 500;

/** Lists sessions, in an order that says nothing. */
export async function listAllSessions(
  { queries, now }: Needs,
  { discordUserId }: Pick<SessionScope, "discordUserId">,
  { limit, after = "" }: { readonly limit: number; readonly after?: string | undefined },
): Promise<SessionList> {
  const at = now();
  const sessions = await queries.listAllSessions({
    member: discordUserId ?? null,
    after,
    limit: limit + 1,
    idleSince: secondsAfter(at, -SESSION_IDLE_SECONDS),
    now: at,
  });
  const listed = sessions.slice(0, limit);
  return { sessions: listed, next: sessions.length > limit ? (listed.at(-1)?.sessionHandle ?? null) : null };
}

/** How many sessions a purge would end, also such as have ended by age and are not deleted yet. */
export async function countSessions({ queries }: Pick<Needs, "queries">, scope: SessionScope) {
  return (await queries.countMatchingSessions(valuesOf(scope)))?.sessions ?? 0;
}

/** Ends sessions, in batches, until none is left or it is told to stop. Returns how many. The members stay linked. */
export async function purgeSessions(
  { queries, now }: Needs,
  scope: SessionScope & { readonly operator: string },
  { stop, onProgress }: { readonly stop: AbortSignal; readonly onProgress: (ended: number) => Promise<void> },
): Promise<number> {
  const { operator } = scope;
  let ended = 0;
  while (!stop.aborted) {
    const values = { ...valuesOf(scope), limit: BATCH_SESSIONS, operator, now: now() };
    const deleted = (await queries.deleteMatchingSessions(values))?.deleted ?? 0;
    ended += deleted;
    await onProgress(ended);
    // Members sign in meanwhile, whose new sessions are not meant.
    if (deleted < BATCH_SESSIONS) break;
  }
  return ended;
}

const valuesOf = ({ discordUserId, usedBefore }: SessionScope) => ({
  discordUserId: discordUserId ?? null,
  usedBefore: usedBefore ?? null,
});
