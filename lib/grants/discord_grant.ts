/**
 * A member's Discord grant while it lives: an access token that works, and the refresh that brings one. This room owns
 * the tokens of links, and the tokens that no link keeps:
 *
 *     refresh                                     this file, refresh_due.ts, refresh_lease.ts, unstored.ts
 *     a refresh that failed, a token refused      refresh_failure.ts, refresh_wait.ts, token_call.ts
 *     the end of a grant                          end_discord_grant.ts, provider_grant.ts, end_retry.ts
 *     tokens of sign-ins that failed              stray_tokens.ts
 *     role connections of superseded grants       role_connection_left.ts
 *     tokens as they are stored                   sealing.ts
 *
 * `discord/` and `oidc/` send the requests. `session/` owns the tokens of sessions. `sync/` decides what is pushed with a
 * token, and `server/upkeep.ts` when a round runs. This room does not read claims.
 */
import type { WorkDeps } from "../deps.ts";
import { asJanusError, discordRefused, discordUnavailable, grantEnded } from "../errors.ts";
import { laterOf } from "../time.ts";
import { endRetryAt } from "./end_retry.ts";
import type { DiscordEndCause, RefreshHistory } from "./refresh_failure.ts";
import { readRefreshFailure } from "./refresh_failure.ts";
import type { RefreshedPair } from "./refresh_lease.ts";
import { isFromEarlier, leaseFrom, spendRefreshToken } from "./refresh_lease.ts";
import { isAwaited, refreshWaitEnd, requireRefreshTime } from "./refresh_wait.ts";
import { openDiscordToken, sealDiscordTokens } from "./sealing.ts";

/** What work on a grant needs. */
export type GrantDeps = Pick<
  WorkDeps,
  "queries" | "discord" | "tokenSealer" | "now" | "sleep" | "log" | "unstored"
>;

/** A grant as a statement gives it. */
export type HeldGrant = {
  readonly discordUserId: string;
  readonly accessTokenSealed: string;
  readonly discordExpiresAt: Date;
};

/** An access token, with what is stored of it. */
export type HeldToken = { readonly accessToken: string; readonly accessTokenSealed: string };

/** An access token that has not expired, refreshed if need be. Throws as `freshToken` does. */
export const freshAccessToken = async (deps: GrantDeps, grant: HeldGrant): Promise<string> =>
  (await freshToken(deps, grant)).accessToken;

/**
 * The same, with what is stored of it. Throws token_unreadable; grant_ended, without a call where Discord has ended the
 * grant before; discord_unavailable, also while another process refreshes.
 */
export async function freshToken(deps: GrantDeps, grant: HeldGrant): Promise<HeldToken> {
  const { discordUserId } = grant;
  const now = deps.now();
  if (grant.discordExpiresAt > now) return openHeld(deps, discordUserId, grant.accessTokenSealed);
  const claimed = await claimRefresh(deps, discordUserId, now);
  if (claimed.expiresAt > now) return keepClaimed(deps, claimed);
  return refreshClaimed(deps, claimed);
}

/**
 * Claims the refresh of a grant. Nobody spends a refresh token without a claim. Throws grant_ended. Throws
 * discord_unavailable if another process holds the claim, or if it is too early to send the token again; in the second case
 * token_unreadable if no key opens it.
 */
export async function claimRefresh(deps: GrantDeps, discordUserId: string, now: Date) {
  deps.discord.requireTimeToRefresh();
  const lease = { ...leaseFrom(now), isAwaited: isAwaited(deps.discord) };
  const claimed = await deps.queries.claimRefresh({ discordUserId, ...lease });
  if (claimed === undefined) throw discordUnavailable("another process refreshes this grant");
  const isUnanswered = isFromEarlier(claimed.refreshUnansweredSince, now);
  // Of a grant that an answer was lost of, the access token lives on.
  const isOver = claimed.endCause !== null && !(claimed.endCause === "unanswered" && claimed.expiresAt > now);
  if (isOver) throw grantEnded(ENDED_BEFORE);
  // What no key opens is no outage of Discord.
  if (claimed.putOffUntil !== null)
    openDiscordToken(deps, "refresh_token", claimed.refreshTokenSealed, discordUserId);
  requireRefreshTime(deps.discord, claimed.putOffUntil, now);
  return { ...claimed, isUnanswered };
}

const ENDED_BEFORE = "token_refresh: not sent: Discord has ended the grant before";

/** A claim that `claimRefresh` made. */
export type Claim = Awaited<ReturnType<typeof claimRefresh>>;

/** Frees a claim that turned out not to be needed. Another process has refreshed: the token works. */
export async function keepClaimed(deps: GrantDeps, claim: Claim): Promise<HeldToken> {
  const { discordUserId, refreshTokenSealed, accessTokenSealed, isUnanswered } = claim;
  await deps.queries.setLeaseEnded({ discordUserId, refreshTokenSealed, isUnspent: !isUnanswered });
  return openHeld(deps, discordUserId, accessTokenSealed);
}

/** Refreshes under a claim. Throws grant_ended, and what `refresh` throws. */
export async function refreshClaimed(deps: GrantDeps, claim: Claim): Promise<HeldToken> {
  if (claim.endCause !== null) throw grantEnded(ENDED_BEFORE);
  const refreshed = await refresh(deps, claim, null);
  if (refreshed.outcome !== "refreshed")
    throw grantEnded("token_refresh: the refresh token is no longer valid");
  return refreshed;
}

const openHeld = (deps: GrantDeps, discordUserId: string, accessTokenSealed: string): HeldToken => ({
  accessToken: openDiscordToken(deps, "access_token", accessTokenSealed, discordUserId),
  accessTokenSealed,
});

/** A refresh that was claimed, so that nobody else sends it. */
export type ClaimedRefresh = RefreshHistory & {
  readonly discordUserId: string;
  readonly refreshTokenSealed: string;
  /** How often refreshing before the tokens expire has failed. */
  readonly refreshFailures?: number;
};

/**
 * The result of a refresh. The grant has ended if Discord says so. But if an earlier refresh got no answer, that one may
 * have spent the token. Then the grant may live on with tokens that Janus never saw, and the result is unknown.
 */
type RefreshOutcome =
  | (RefreshedPair & { readonly outcome: "refreshed" })
  | { readonly outcome: "ended" | "unknown" };

/**
 * Refreshes the tokens under a lease that was claimed, and leaves the lease as `leasedUntil` says. Throws where Discord
 * gives no answer.
 */
export async function refresh(
  deps: GrantDeps,
  claimed: ClaimedRefresh,
  leasedUntil: Date | null,
): Promise<RefreshOutcome> {
  const { discordUserId, refreshTokenSealed } = claimed;
  try {
    const pair = await spendRefreshToken(deps, {
      step: "refresh",
      open: () => openDiscordToken(deps, "refresh_token", refreshTokenSealed, discordUserId),
      seal: (tokens) => sealDiscordTokens(deps, discordUserId, tokens),
      store: (stored, now) =>
        deps.queries.setRefreshed({
          discordUserId,
          spentRefreshTokenSealed: refreshTokenSealed,
          accessTokenSealed: stored.accessTokenSealed,
          refreshTokenSealed: stored.refreshTokenSealed,
          scope: stored.scope,
          expiresAt: stored.expiresAt,
          leasedUntil,
          now,
        }),
      free: (failure) => setFailed(deps, claimed, failure),
    });
    return { ...pair, outcome: "refreshed" };
  } catch (error) {
    const { endCause, isRefused } = readRefreshFailure(claimed, error);
    if (endCause !== null) return { outcome: outcomeOf(endCause) };
    if (isRefused) throw discordRefused(asJanusError(error).message);
    throw error;
  }
}

/** What the end of a grant is to those who need it. */
export const outcomeOf = (endCause: DiscordEndCause): "ended" | "unknown" =>
  endCause === "unanswered" ? "unknown" : "ended";

async function setFailed(
  { queries, now }: GrantDeps,
  claimed: ClaimedRefresh,
  error: unknown,
): Promise<void> {
  const { discordUserId, refreshTokenSealed, refreshFailures = 0 } = claimed;
  const failure = readRefreshFailure(claimed, error);
  const at = now();
  await queries.setRefreshFailed({
    discordUserId,
    refreshTokenSealed,
    ...failure,
    retryAt: laterOf(endRetryAt(at, refreshFailures, error), refreshWaitEnd(at, error)),
    now: at,
  });
}
