/**
 * How a session ends: by its member, by Discord, or by age. The grant at Discord stays, since ending it would end the
 * member's link.
 */
import type { Deps } from "../deps.ts";
import { secondsAfter } from "../time.ts";
import type { Session } from "./guard.ts";
import { proveSessions } from "./guard.ts";
import type { SessionSecrets } from "./secrets.ts";
import { SESSION_IDLE_SECONDS } from "./secrets.ts";

type Needs = Pick<Deps, "queries" | "now" | "requestId">;

/** Ends every session that the browser proves, since any that stayed would sign it in again. */
export async function logOut(deps: Needs, candidates: readonly SessionSecrets[]): Promise<void> {
  for await (const { secrets } of proveSessions(deps, candidates)) {
    const { sessionIdHash } = secrets;
    const values = { sessionIdHash, action: "signed_out", accessTokenSealed: null } as const;
    await deps.queries.deleteSession({ ...values, requestId: deps.requestId, now: deps.now() });
  }
}

/** Ends the member's other sessions: the one of a handle, or all. Returns how many. */
export async function removeOtherSessions(
  deps: Needs,
  session: Session,
  sessionHandle: string | null,
): Promise<number> {
  const { discordUserId, sessionHandle: keptSessionHandle } = session;
  const { requestId } = deps;
  const values = { discordUserId, keptSessionHandle, sessionHandle, requestId, now: deps.now() };
  return (await deps.queries.deleteOtherSessions(values)).length;
}

/** Ends a session whose token Discord refused, if it is still the session's; says whether it has ended. */
export async function endByDiscord(
  deps: Needs,
  { sessionIdHash }: SessionSecrets,
  accessTokenSealed: string,
): Promise<boolean> {
  const { requestId } = deps;
  const values = { sessionIdHash, action: "session_ended", accessTokenSealed, requestId } as const;
  return (await deps.queries.deleteSession({ ...values, now: deps.now() })) !== undefined;
}

/** Removes up to `limit` sessions that have ended by age or without use. Returns how many. */
export async function deleteExpiredSessions(
  deps: Pick<Needs, "queries" | "now">,
  limit: number,
): Promise<number> {
  const now = deps.now();
  const idleSince = secondsAfter(now, -SESSION_IDLE_SECONDS);
  return (await deps.queries.deleteExpiredSessions({ idleSince, limit, now }))?.deleted ?? 0;
}
