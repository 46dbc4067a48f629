/**
 * What Discord says of a signed-in member, and the session's tokens that it is asked with. However many ask at once, in
 * however many processes, a session's tokens are refreshed once: a refresh token is single use.
 *
 * Discord may refuse an access token before its time. Only a refresh shows whether the authorization has ended. So the
 * session ends if Discord refuses the refresh or the new token as well, and never because of an outage.
 */
import type { Deps } from "../deps.ts";
import type { DiscordUser } from "../discord/client.ts";
import type { JanusError } from "../errors.ts";
import {
  asJanusError,
  discordClientRejected,
  discordRefused,
  discordUnavailable,
  unauthenticated,
} from "../errors.ts";
import type { Share } from "../flow/sharing.ts";
import { createSharing } from "../flow/sharing.ts";
import { leaseFrom, spendRefreshToken } from "../grants/refresh_lease.ts";
import { secondsAfter } from "../time.ts";
import { endByDiscord } from "./ending.ts";
import type { Session } from "./guard.ts";
import { findSession } from "./guard.ts";
import { openSessionToken, sealSessionToken } from "./secrets.ts";

type Needs = Pick<
  Deps,
  "queries" | "discord" | "unstored" | "now" | "sleep" | "log" | "requestId" | "budget"
>;

/** A token this close to its end is refreshed before it is used. */
const REFRESH_BEFORE_SECONDS = 300;
/** If Discord refuses a token this soon after it gave it out, another refresh does not help. */
const NEW_FOR_SECONDS = 60;
const WAIT_MS = 100;
/** Together longer than a refresh, with its deadline and the tries to store what it brings. */
const WAITS = 200;

type Token = { readonly accessToken: string; readonly accessTokenSealed: string };
type Asked = { readonly user: DiscordUser } | { readonly refusal: JanusError };

/**
 * Who Discord says the member is, asked now, with a token that is refreshed if it must be. Throws discord_unavailable;
 * unauthenticated where Discord has ended the authorization, and with it the session; discord_refused where it speaks
 * of somebody else.
 */
export async function findMember(deps: Needs, session: Session): Promise<DiscordUser> {
  const token = await freshToken(deps, session);
  const asked = await askWith(deps, session, token);
  if ("user" in asked) return asked.user;
  const next = await replaceRefused(deps, session, token, asked.refusal);
  const again = await askWith(deps, session, next);
  if ("user" in again) return again.user;
  await endRefused(deps, session, next, again.refusal);
  throw discordUnavailable("the session's tokens change faster than they are used");
}

/** The session's access token, good for a while. */
async function freshToken(deps: Needs, session: Session): Promise<Token> {
  const isFresh = session.tokenExpiresAt > secondsAfter(deps.now(), REFRESH_BEFORE_SECONDS);
  if (isFresh || session.refreshTokenSealed === null) return session;
  return refreshOnce(deps, session, "near its end");
}

async function askWith(deps: Needs, session: Session, { accessToken }: Token): Promise<Asked> {
  try {
    const user = await deps.discord.findSignedInUser(accessToken);
    if (user.discordUserId !== session.discordUserId) throw discordRefused("@me is of another user");
    return { user };
  } catch (error) {
    const refusal = asJanusError(error);
    if (refusal.code !== "grant_ended") throw error;
    return { refusal };
  }
}

/** Another token for one that Discord refused. Throws unauthenticated if it cannot get one. */
async function replaceRefused(
  deps: Needs,
  session: Session,
  token: Token,
  refusal: JanusError,
): Promise<Token> {
  const newSince = secondsAfter(deps.now(), -NEW_FOR_SECONDS);
  const isNew =
    token.accessTokenSealed !== session.accessTokenSealed ||
    (session.refreshedAt !== null && session.refreshedAt > newSince);
  if (!isNew && session.refreshTokenSealed !== null) return refreshOnce(deps, session, "refused");
  await endRefused(deps, session, token, refusal);
  // The refused token is no longer the session's: another process has refreshed since.
  return findSession(deps, [session.secrets]);
}

/** Ends the session and throws unauthenticated, unless the session has another token by now. */
async function endRefused(
  deps: Needs,
  { secrets }: Session,
  { accessTokenSealed }: Token,
  refusal: JanusError,
): Promise<void> {
  if (await endByDiscord(deps, secrets, accessTokenSealed))
    throw unauthenticated("Discord has ended the authorization", refusal);
}

/** Why a session's tokens are refreshed. A token near its end can still be used; a refused one cannot. */
type Reason = "near its end" | "refused";

/** Refreshes that are under way in this process, by the database that stores what they bring. */
const sharings = new WeakMap<Needs["queries"], Share<Token>>();

/** One refresh at Discord for all who ask at once: in this process by waiting for it, across processes by the lease. */
function refreshOnce(deps: Needs, held: Session, reason: Reason): Promise<Token> {
  const share = sharings.get(deps.queries) ?? createSharing<Token>();
  sharings.set(deps.queries, share);
  // A refresh for the other reason may return the token that is held.
  return share(`${reason} ${held.accessTokenSealed}`, () => refreshByLease(deps, held, reason));
}

async function refreshByLease(deps: Needs, held: Session, reason: Reason): Promise<Token> {
  const { accessTokenSealed, secrets } = held;
  const { sessionIdHash } = secrets;
  for (let wait = 0; wait < WAITS; wait++) {
    const now = deps.now();
    const lease = { sessionIdHash, accessTokenSealed, ...leaseFrom(now) };
    if ((await deps.queries.claimSessionRefresh(lease)) !== undefined)
      return refreshClaimed(deps, held, reason);
    const row = await findSession(deps, [secrets]);
    if (row.accessTokenSealed !== accessTokenSealed) return row;
    // Another process refreshes; the present token is good until it expires.
    if (reason !== "refused" && row.tokenExpiresAt > now) return row;
    if (deps.budget.leftMs() <= WAIT_MS) break;
    await deps.sleep(WAIT_MS);
  }
  throw discordUnavailable("another process refreshes this session");
}

async function refreshClaimed(deps: Needs, held: Session, reason: Reason): Promise<Token> {
  const { accessTokenSealed, refreshTokenSealed, secrets } = held;
  const refreshToken = openSessionToken(secrets, "refresh_token", refreshTokenSealed ?? undefined);
  if (refreshToken === undefined) throw unauthenticated("the refresh token does not open");
  try {
    return await spend(deps, held, refreshToken);
  } catch (error) {
    const { code, message } = asJanusError(error);
    if (code === "grant_ended") {
      await endByDiscord(deps, secrets, accessTokenSealed);
      throw unauthenticated("Discord has ended the authorization", error);
    }
    // Not expired yet: an outage at Discord's token endpoint is no reason to refuse it.
    if (reason !== "refused" && held.tokenExpiresAt > deps.now()) return held;
    throw code === "refresh_refused" ? discordClientRejected(message) : error;
  }
}

/** Spends the refresh token under the lease. */
function spend(
  deps: Needs,
  { secrets, accessTokenSealed: spentAccessTokenSealed }: Session,
  refreshToken: string,
): Promise<Token> {
  const { sessionIdHash } = secrets;
  return spendRefreshToken(deps, {
    step: "session_refresh",
    open: () => refreshToken,
    seal: (tokens) => ({
      accessTokenSealed: sealSessionToken(secrets, "access_token", tokens.accessToken),
      refreshTokenSealed: sealSessionToken(secrets, "refresh_token", tokens.refreshToken),
    }),
    store: ({ accessTokenSealed, refreshTokenSealed, expiresAt }, now) =>
      deps.queries.setSessionRefreshed({
        sessionIdHash,
        spentAccessTokenSealed,
        accessTokenSealed,
        refreshTokenSealed,
        tokenExpiresAt: expiresAt,
        now,
      }),
    free: async (failure) => {
      // Then the session ends, and its lease with it.
      if (asJanusError(failure).code === "grant_ended") return;
      await deps.queries.setSessionLeaseEnded({ sessionIdHash, accessTokenSealed: spentAccessTokenSealed });
    },
  });
}
