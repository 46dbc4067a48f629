/**
 * Login sessions: signing in at Discord alone, the guard before the API and the member's page, refreshing a session's
 * tokens once however many ask, and ending sessions. Called by the handlers. It makes and changes no link.
 *
 *   GET /login                    startLogin     state and code verifier from the flow's cookie; to Discord
 *   GET /login?code&state         finishLogin    code for tokens, whose they are, session stored; to /account
 */
import type { Deps } from "../deps.ts";
import type { DiscordUser } from "../discord/discord.ts";
import { asJanusError, discordUnavailable, grantEnding, unauthenticated } from "../errors.ts";
import type { FlowChange, FlowRecords } from "../flow.ts";
import { acceptCallback, makeRoom, startFlow } from "../flow.ts";
import { LEASE_SECONDS, secondsAfter, storeStubbornly } from "../grant/grant.ts";
import type { Cancelled, Departure, FlowRequest } from "../link.ts";
import { authorizationError } from "../oauth/authorization.ts";
import type { BegunSession, SessionSecrets } from "./session_tokens.ts";
import {
  createSessionSecrets,
  hashSessionId,
  newSession,
  openSessionToken,
  SESSION_IDLE_SECONDS,
  sealSessionToken,
} from "./session_tokens.ts";

/** The member is signed in. */
export type SignedIn = {
  readonly outcome: "signed in";
  readonly session: BegunSession;
  readonly flow: FlowChange;
};

type SessionRow = NonNullable<Awaited<ReturnType<Deps["queries"]["findSession"]>>>;

/** A session that was proved: its row with the member's link, and its access token. */
export type Session = Omit<SessionRow, "accessTokenSealed" | "refreshTokenSealed"> & {
  readonly secrets: SessionSecrets;
  readonly accessToken: string;
};

/** A token this close to its end is refreshed before it is used. */
const REFRESH_BEFORE_SECONDS = 300;
/** How often a session's use is written down: not at every request. */
const USED_EVERY_SECONDS = 300;
const WAIT_MS = 100;
/** Together longer than a refresh with its deadline. */
const WAITS = 100;

/** Sends the member to Discord. Nothing is sent and the database is not spoken to. */
export function startLogin(deps: Deps, records: FlowRecords): Departure {
  const { state, derive, record } = startFlow(deps, "login");
  return {
    outcome: "departure",
    location: deps.discord.loginUrl(state, derive("code_verifier")),
    flow: { set: record, forget: makeRoom(deps, records) },
  };
}

/** Back from Discord. Errors of the callback, of the token exchange and of `@me`; grant_ending. */
export async function finishLogin(deps: Deps, request: FlowRequest): Promise<SignedIn | Cancelled> {
  const { flow, response } = acceptCallback(deps, ["login"], request.query, request.records);
  const forget = [flow.record.name];
  const { result } = response;
  if ("error" in result) {
    if (result.error === "access_denied") return { outcome: "cancelled", at: "discord", flow: { forget } };
    throw authorizationError(deps.discord.upstream, result.error);
  }
  const tokens = await deps.discord.exchangeLoginCode(result.code, flow.derive("code_verifier"));
  const user = await deps.discord.findSignedInUser(tokens.accessToken);
  const secrets = createSessionSecrets();
  const { requestId } = request;
  const now = deps.now();
  const { sessionExpiresAt, ...session } = newSession(secrets, request.browser, now);
  const stored = await deps.queries.insertSession({
    ...session,
    ...user,
    accessTokenSealed: sealSessionToken(secrets, "access_token", tokens.accessToken),
    refreshTokenSealed: sealSessionToken(secrets, "refresh_token", tokens.refreshToken),
    tokenExpiresAt: tokens.expiresAt,
    expiresAt: sessionExpiresAt,
    requestId,
    now,
  });
  if (stored === undefined) throw grantEnding();
  deps.log.info("flow step", {
    requestId,
    step: "login",
    outcome: "signed in",
    discordUserId: user.discordUserId,
  });
  return { outcome: "signed in", session: { secrets, expiresAt: sessionExpiresAt }, flow: { forget } };
}

/**
 * The guard: the session that two cookies prove, with an access token that is good for a while. Throws unauthenticated,
 * in the same time whether id or key is wrong; discord_unavailable where the token has expired and cannot be refreshed.
 */
export async function openSession(
  deps: Deps,
  secrets: SessionSecrets | undefined,
  requestId: string,
): Promise<Session> {
  if (secrets === undefined) throw unauthenticated("no session cookies");
  const { row, accessToken } = await findSession(deps, secrets);
  const now = deps.now();
  if (row.lastUsedAt <= secondsAfter(now, -USED_EVERY_SECONDS))
    await deps.queries.setSessionUsed({ sessionIdHash: hashSessionId(secrets.sessionId), now });
  const { accessTokenSealed: _, refreshTokenSealed, ...rest } = row;
  const isFresh = row.tokenExpiresAt > secondsAfter(now, REFRESH_BEFORE_SECONDS);
  if (isFresh || refreshTokenSealed === null) return { ...rest, secrets, accessToken };
  return { ...rest, secrets, accessToken: await refreshOnce(deps, secrets, row, requestId) };
}

/** Who Discord says the member is, asked now. Where it has ended the authorization, so is the session: unauthenticated. */
export async function findMember(deps: Deps, session: Session, requestId: string): Promise<DiscordUser> {
  try {
    return await deps.discord.findSignedInUser(session.accessToken);
  } catch (error) {
    if (asJanusError(error).code !== "grant_ended") throw error;
    return await endByDiscord(deps, session.secrets, requestId);
  }
}

/** Ends a session, if there is one; the grant at Discord stays, since ending it would end the member's link. */
export async function logOut(
  deps: Deps,
  secrets: SessionSecrets | undefined,
  requestId: string,
): Promise<void> {
  if (secrets === undefined) return;
  const sessionIdHash = hashSessionId(secrets.sessionId);
  await deps.queries.deleteSession({ sessionIdHash, action: "signed_out", requestId, now: deps.now() });
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

/** Removes sessions that have ended by age or for want of use. */
export function deleteExpiredSessions(deps: Deps): Promise<void> {
  const now = deps.now();
  return deps.queries.deleteExpiredSessions({ idleSince: secondsAfter(now, -SESSION_IDLE_SECONDS), now });
}

async function findSession(deps: Deps, secrets: SessionSecrets) {
  const now = deps.now();
  const row = await deps.queries.findSession({
    sessionIdHash: hashSessionId(secrets.sessionId),
    idleSince: secondsAfter(now, -SESSION_IDLE_SECONDS),
    now,
  });
  const accessToken = openSessionToken(secrets, "access_token", row?.accessTokenSealed);
  if (row === undefined || accessToken === undefined)
    throw unauthenticated("no such session, or another key");
  return { row, accessToken };
}

async function endByDiscord(deps: Deps, secrets: SessionSecrets, requestId: string): Promise<never> {
  const sessionIdHash = hashSessionId(secrets.sessionId);
  await deps.queries.deleteSession({ sessionIdHash, action: "session_ended", requestId, now: deps.now() });
  throw unauthenticated("Discord has ended the authorization");
}

/** One refresh at Discord for all who ask at once: in this process by waiting for it, across processes by the lease. */
function refreshOnce(
  deps: Deps,
  secrets: SessionSecrets,
  held: SessionRow,
  requestId: string,
): Promise<string> {
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
): Promise<string> {
  const { accessTokenSealed } = held;
  const sessionIdHash = hashSessionId(secrets.sessionId);
  for (let wait = 0; wait < WAITS; wait++) {
    const now = deps.now();
    const leasedUntil = secondsAfter(now, LEASE_SECONDS);
    const lease = { sessionIdHash, accessTokenSealed, leasedUntil, now };
    if ((await deps.queries.claimSessionRefresh(lease)) !== undefined)
      return refreshClaimed(deps, secrets, held, requestId);
    const { row, accessToken } = await findSession(deps, secrets);
    if (row.accessTokenSealed !== accessTokenSealed) return accessToken;
    // Another refreshes; what is there is good until it has expired.
    if (row.tokenExpiresAt > now) return accessToken;
    await deps.sleep(WAIT_MS);
  }
  throw discordUnavailable("another process refreshes this session");
}

async function refreshClaimed(
  deps: Deps,
  secrets: SessionSecrets,
  held: SessionRow,
  requestId: string,
): Promise<string> {
  const sessionIdHash = hashSessionId(secrets.sessionId);
  const { accessTokenSealed, refreshTokenSealed } = held;
  const refreshToken = openSessionToken(secrets, "refresh_token", refreshTokenSealed ?? undefined);
  if (refreshToken === undefined) throw unauthenticated("the refresh token does not open");
  try {
    const tokens = await deps.discord.refreshTokens(refreshToken);
    await storeStubbornly(deps, () =>
      deps.queries.setSessionRefreshed({
        sessionIdHash,
        spentAccessTokenSealed: accessTokenSealed,
        accessTokenSealed: sealSessionToken(secrets, "access_token", tokens.accessToken),
        refreshTokenSealed: sealSessionToken(secrets, "refresh_token", tokens.refreshToken),
        tokenExpiresAt: tokens.expiresAt,
      }),
    );
    return tokens.accessToken;
  } catch (error) {
    if (asJanusError(error).code === "grant_ended") return await endByDiscord(deps, secrets, requestId);
    // The lease ends by itself, should this fail too.
    await deps.queries.setSessionLeaseEnded({ sessionIdHash, accessTokenSealed }).catch(() => undefined);
    const accessToken = openSessionToken(secrets, "access_token", accessTokenSealed);
    // Not expired yet: an outage at Discord's token endpoint is no reason to refuse it.
    if (accessToken !== undefined && held.tokenExpiresAt > deps.now()) return accessToken;
    throw error;
  }
}
