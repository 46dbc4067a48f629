/**
 * Login sessions: the guard before the API and the member's page, refreshing a session's tokens once however many ask,
 * and ending sessions. It begins none: `login.ts` does, and the end of the link flow.
 */
import type { Deps } from "../deps.ts";
import { forRequest } from "../deps.ts";
import type { DiscordUser } from "../discord/discord.ts";
import { asJanusError, discordRefused, discordUnavailable, unauthenticated } from "../errors.ts";
import { LEASE_SECONDS, secondsAfter, storeStubbornly } from "../grant/grant.ts";
import type { SessionSecrets } from "./session_tokens.ts";
import { openSessionToken, SESSION_IDLE_SECONDS, sealSessionToken } from "./session_tokens.ts";

type SessionRow = NonNullable<Awaited<ReturnType<Deps["queries"]["findSession"]>>>;

/** A session that was proved: its row with the member's link, and the access token that it holds. */
export type Session = SessionRow & { readonly secrets: SessionSecrets; readonly accessToken: string };

/** A token this close to its end is refreshed before it is used. */
const REFRESH_BEFORE_SECONDS = 300;
/** How often a session's use is written down: not at every request. */
const USED_EVERY_SECONDS = 300;
const WAIT_MS = 100;
/** Together longer than a refresh, with its deadline and the tries to store what it brings. */
const WAITS = 200;

/**
 * The guard: the session that two cookies prove, the first one if there are several. Nothing is asked of Discord, so
 * that a member can undo their link while it is down. Throws unauthenticated, in the same time whether id or key is
 * wrong.
 */
export async function openSession(deps: Deps, candidates: readonly SessionSecrets[]): Promise<Session> {
  if (candidates.length === 0) throw unauthenticated("no session cookies");
  const session = await findSession(deps, candidates);
  const now = deps.now();
  const usedBefore = secondsAfter(now, -USED_EVERY_SECONDS);
  if (session.lastUsedAt <= usedBefore)
    await deps.queries.setSessionUsed({
      sessionIdHash: session.secrets.sessionIdHash,
      usedBefore,
      now,
    });
  return session;
}

/**
 * Who Discord says the member is, asked now, with a token that is refreshed if it must be. Throws discord_unavailable;
 * unauthenticated where Discord has ended the authorization, and with it the session; discord_refused where it speaks
 * of somebody else.
 */
export async function findMember(deps: Deps, session: Session, requestId: string): Promise<DiscordUser> {
  const bound = forRequest(deps, requestId);
  const asked = await askWith(bound, session, requestId);
  if (asked !== undefined) return asked;
  // The token was refused, and is no longer the session's: another process has refreshed since.
  const again = await askWith(bound, await findSession(deps, [session.secrets]), requestId);
  if (again === undefined) throw discordUnavailable("the session's tokens change faster than they are used");
  return again;
}

/** The member; undefined if the token was refused and the session holds another by now. */
async function askWith(deps: Deps, session: Session, requestId: string): Promise<DiscordUser | undefined> {
  const { accessToken, accessTokenSealed } = await freshToken(deps, session, requestId);
  try {
    const user = await deps.discord.findSignedInUser(accessToken);
    if (user.discordUserId !== session.discordUserId) throw discordRefused("@me is of another user");
    return user;
  } catch (error) {
    if (asJanusError(error).code !== "grant_ended") throw error;
    if (await endByDiscord(deps, session.secrets, accessTokenSealed, requestId))
      throw unauthenticated("Discord has ended the authorization", error);
    return undefined;
  }
}

type FreshToken = { readonly accessToken: string; readonly accessTokenSealed: string };

/** The session's access token, good for a while. */
async function freshToken(deps: Deps, session: Session, requestId: string): Promise<FreshToken> {
  const { secrets, accessToken, accessTokenSealed, refreshTokenSealed, tokenExpiresAt } = session;
  const isFresh = tokenExpiresAt > secondsAfter(deps.now(), REFRESH_BEFORE_SECONDS);
  if (!isFresh && refreshTokenSealed !== null) return refreshOnce(deps, secrets, session, requestId);
  return { accessToken, accessTokenSealed };
}

/**
 * Ends every session that the browser proves: one that stayed would sign it in again. If there is none, nothing is to
 * end. The grant at Discord stays, since ending it would end the member's link.
 */
export async function logOut(
  deps: Deps,
  candidates: readonly SessionSecrets[],
  requestId: string,
): Promise<void> {
  for await (const { secrets } of proveSessions(deps, candidates)) {
    const { sessionIdHash } = secrets;
    const values = { sessionIdHash, action: "signed_out", accessTokenSealed: null } as const;
    await deps.queries.deleteSession({ ...values, requestId, now: deps.now() });
  }
}

/** The member's sessions that have not ended. */
export function listSessions(deps: Deps, { discordUserId }: Pick<Session, "discordUserId">) {
  const now = deps.now();
  return deps.queries.listSessions({
    discordUserId,
    idleSince: secondsAfter(now, -SESSION_IDLE_SECONDS),
    now,
  });
}

/** Ends the member's other sessions: the one of a handle, or all. Returns how many. */
export async function endOtherSessions(
  deps: Deps,
  session: Session,
  sessionHandle: string | null,
  requestId: string,
): Promise<number> {
  const { discordUserId, sessionHandle: keptSessionHandle } = session;
  const values = { discordUserId, keptSessionHandle, sessionHandle, requestId, now: deps.now() };
  return (await deps.queries.deleteOtherSessions(values)).length;
}

/** Removes sessions that have ended by age or for want of use, so many at most. Returns how many. */
export async function deleteExpiredSessions(deps: Deps, limit: number): Promise<number> {
  const now = deps.now();
  const idleSince = secondsAfter(now, -SESSION_IDLE_SECONDS);
  return (await deps.queries.deleteExpiredSessions({ idleSince, limit, now }))?.deleted ?? 0;
}

async function findSession(deps: Deps, candidates: readonly SessionSecrets[]): Promise<Session> {
  for await (const session of proveSessions(deps, candidates)) return session;
  throw unauthenticated("no such session, or another key");
}

/** The sessions that these secrets prove: one statement for each id, and the next only if the caller wants more. */
async function* proveSessions(deps: Deps, candidates: readonly SessionSecrets[]): AsyncGenerator<Session> {
  const byId = Map.groupBy(candidates, ({ sessionIdHash }) => sessionIdHash);
  for (const [sessionIdHash, pairs] of byId) {
    const now = deps.now();
    const idleSince = secondsAfter(now, -SESSION_IDLE_SECONDS);
    const row = await deps.queries.findSession({ sessionIdHash, idleSince, now });
    for (const secrets of pairs) {
      // Without a row too: an unknown id must take as long as a wrong key.
      const accessToken = openSessionToken(secrets, "access_token", row?.accessTokenSealed);
      if (row === undefined || accessToken === undefined) continue;
      yield { ...row, secrets, accessToken };
      break;
    }
  }
}

/** Ends a session whose token Discord refused, if it is still the session's; says whether it has ended. */
async function endByDiscord(
  deps: Deps,
  secrets: SessionSecrets,
  accessTokenSealed: string,
  requestId: string,
): Promise<boolean> {
  const { sessionIdHash } = secrets;
  const values = { sessionIdHash, action: "session_ended", accessTokenSealed, requestId } as const;
  return (await deps.queries.deleteSession({ ...values, now: deps.now() })) !== undefined;
}

/** One refresh at Discord for all who ask at once: in this process by waiting for it, across processes by the lease. */
function refreshOnce(
  deps: Deps,
  secrets: SessionSecrets,
  held: SessionRow,
  requestId: string,
): Promise<FreshToken> {
  const { sessionRefreshes } = deps;
  const known = sessionRefreshes.get(held.accessTokenSealed);
  if (known !== undefined) return known;
  const refreshing = refreshByLease(deps, secrets, held, requestId).finally(() =>
    sessionRefreshes.delete(held.accessTokenSealed),
  );
  sessionRefreshes.set(held.accessTokenSealed, refreshing);
  return refreshing;
}

async function refreshByLease(
  deps: Deps,
  secrets: SessionSecrets,
  held: SessionRow,
  requestId: string,
): Promise<FreshToken> {
  const { accessTokenSealed } = held;
  const { sessionIdHash } = secrets;
  for (let wait = 0; wait < WAITS; wait++) {
    const now = deps.now();
    const leasedUntil = secondsAfter(now, LEASE_SECONDS);
    const lease = { sessionIdHash, accessTokenSealed, leasedUntil, now };
    if ((await deps.queries.claimSessionRefresh(lease)) !== undefined)
      return refreshClaimed(deps, secrets, held, requestId);
    const row = await findSession(deps, [secrets]);
    // Refreshed by now; or another does it, and what is there is good until it has expired.
    if (row.accessTokenSealed !== accessTokenSealed || row.tokenExpiresAt > now) return row;
    if (deps.budget !== undefined && deps.budget.leftMs() <= WAIT_MS) break;
    await deps.sleep(WAIT_MS);
  }
  throw discordUnavailable("another process refreshes this session");
}

async function refreshClaimed(
  deps: Deps,
  secrets: SessionSecrets,
  held: SessionRow,
  requestId: string,
): Promise<FreshToken> {
  const { sessionIdHash } = secrets;
  const { accessTokenSealed, refreshTokenSealed } = held;
  const refreshToken = openSessionToken(secrets, "refresh_token", refreshTokenSealed ?? undefined);
  if (refreshToken === undefined) throw unauthenticated("the refresh token does not open");
  try {
    const tokens = await deps.discord.refreshTokens(refreshToken);
    const sealed = {
      accessTokenSealed: sealSessionToken(secrets, "access_token", tokens.accessToken),
      refreshTokenSealed: sealSessionToken(secrets, "refresh_token", tokens.refreshToken),
    };
    await storeStubbornly(deps, "session refresh", () =>
      deps.queries.setSessionRefreshed({
        ...{ sessionIdHash, spentAccessTokenSealed: accessTokenSealed, ...sealed },
        tokenExpiresAt: tokens.expiresAt,
      }),
    );
    return { accessToken: tokens.accessToken, accessTokenSealed: sealed.accessTokenSealed };
  } catch (error) {
    if (asJanusError(error).code === "grant_ended") {
      await endByDiscord(deps, secrets, accessTokenSealed, requestId);
      throw unauthenticated("Discord has ended the authorization", error);
    }
    // The lease ends by itself, should this fail too.
    await deps.queries.setSessionLeaseEnded({ sessionIdHash, accessTokenSealed }).catch(() => undefined);
    const accessToken = openSessionToken(secrets, "access_token", accessTokenSealed);
    // Not expired yet: an outage at Discord's token endpoint is no reason to refuse it.
    if (accessToken !== undefined && held.tokenExpiresAt > deps.now())
      return { accessToken, accessTokenSealed };
    throw error;
  }
}
