/**
 * The guard before the API and the member's page: which session a browser's cookies prove. It does not ask Discord, so a
 * member can undo their link while Discord is down.
 */
import type { WorkDeps } from "../deps.ts";
import { unauthenticated } from "../errors.ts";
import { secondsAfter } from "../time.ts";
import type { SessionSecrets } from "./secrets.ts";
import { openSessionToken, SESSION_IDLE_SECONDS } from "./secrets.ts";

type Needs = Pick<WorkDeps, "queries" | "now">;

type SessionRow = NonNullable<Awaited<ReturnType<WorkDeps["queries"]["findSession"]>>>;

/** A session that was proved: its row with the member's link, and the access token that it holds. */
export type Session = SessionRow & { readonly secrets: SessionSecrets; readonly accessToken: string };

/** What of a session's row is wanted. Claims may be large, and only the rules read them. */
export type Wanted = { readonly withClaims: boolean };

/** A session's use is recorded this often, not at every request. */
const USED_EVERY_SECONDS = 300;

/**
 * The session that two cookies prove, the first one if there are several. Nothing is asked of Discord, so that a member
 * can undo their link while it is down. Throws unauthenticated, which takes as long for a wrong id as for a wrong key.
 */
export async function openSession(
  deps: Needs,
  candidates: readonly SessionSecrets[],
  wanted?: Wanted,
): Promise<Session> {
  if (candidates.length === 0) throw unauthenticated("no session cookies");
  const session = await findSession(deps, candidates, wanted);
  const now = deps.now();
  const usedBefore = secondsAfter(now, -USED_EVERY_SECONDS);
  const { sessionIdHash, sessionKeyHash } = session.secrets;
  if (session.lastUsedAt <= usedBefore)
    await deps.queries.setSessionUsed({ sessionIdHash, sessionKeyHash, usedBefore, now });
  return session;
}

/** The first session that these secrets prove. Throws unauthenticated. */
export async function findSession(
  deps: Needs,
  candidates: readonly SessionSecrets[],
  wanted?: Wanted,
): Promise<Session> {
  for await (const session of proveSessions(deps, candidates, wanted)) return session;
  throw unauthenticated("no such session, or another key");
}

/** The sessions that these secrets prove: one statement for each id, sent only if the caller asks for the next session. */
export async function* proveSessions(
  deps: Needs,
  candidates: readonly SessionSecrets[],
  { withClaims }: Wanted = { withClaims: false },
): AsyncGenerator<Session> {
  const byId = Map.groupBy(candidates, ({ sessionIdHash }) => sessionIdHash);
  for (const [sessionIdHash, pairs] of byId) {
    const now = deps.now();
    const idleSince = secondsAfter(now, -SESSION_IDLE_SECONDS);
    const sessionKeyHashes = pairs.map(({ sessionKeyHash }) => sessionKeyHash).join();
    const row = await deps.queries.findSession({
      sessionIdHash,
      sessionKeyHashes,
      withClaims,
      idleSince,
      now,
    });
    for (const secrets of pairs) {
      // Even without a row: a session of an earlier release is found by its id alone, and an unknown id must take as long.
      const accessToken = openSessionToken(secrets, "access_token", row?.accessTokenSealed);
      if (row === undefined || accessToken === undefined) continue;
      yield { ...row, secrets, accessToken };
      break;
    }
  }
}

/** The member's sessions that have not ended. */
export function listSessions(deps: Needs, { discordUserId }: Pick<Session, "discordUserId">) {
  const now = deps.now();
  const idleSince = secondsAfter(now, -SESSION_IDLE_SECONDS);
  return deps.queries.listSessions({ discordUserId, idleSince, now });
}
