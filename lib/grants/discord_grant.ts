/**
 * A member's Discord grant while it lives: an access token that works, and the refresh that brings one. This room owns
 * the tokens of links, and the tokens that no link keeps:
 *
 *     refresh                                     this file, refresh_due.ts, refresh_lease.ts, unstored.ts
 *     the end of a grant                          end_discord_grant.ts, provider_grant.ts, end_retry.ts
 *     tokens of sign-ins that failed              stray_tokens.ts
 *     role connections of superseded grants       role_connection_left.ts
 *     tokens as they are stored                   sealing.ts
 *
 * `discord/` and `oidc/` send the requests. `session/` owns the tokens of sessions. `sync/` decides what is pushed with a
 * token, and `server/upkeep.ts` when a round runs. This room does not read claims.
 */
import type { WorkDeps } from "../deps.ts";
import { asJanusError, discordUnavailable, grantEnded } from "../errors.ts";
import { secondsAfter } from "../time.ts";
import { endRetryAt } from "./end_retry.ts";
import type { RefreshedPair } from "./refresh_lease.ts";
import { isFromEarlier, leaseFrom, spendRefreshToken } from "./refresh_lease.ts";
import { openDiscordToken, sealDiscordTokens } from "./sealing.ts";

/** What work on a grant needs. */
export type GrantDeps = Pick<
  WorkDeps,
  "queries" | "discord" | "tokenSealer" | "now" | "sleep" | "log" | "unstored"
>;

/** Only a new sign-in helps a grant that has ended, so Janus seldom asks again. */
const DAY_SECONDS = 86_400;

/** A grant as a statement gives it. */
export type HeldGrant = {
  readonly discordUserId: string;
  readonly accessTokenSealed: string;
  readonly discordExpiresAt: Date;
};

/**
 * An access token that has not expired, refreshed if need be. Throws token_unreadable; grant_ended;
 * discord_unavailable, also while another process refreshes.
 */
export async function freshAccessToken(deps: GrantDeps, grant: HeldGrant): Promise<string> {
  const { discordUserId } = grant;
  const now = deps.now();
  if (grant.discordExpiresAt > now)
    return openDiscordToken(deps, "access_token", grant.accessTokenSealed, discordUserId);
  deps.discord.requireTimeToRefresh();
  const claimed = await deps.queries.claimRefresh({ discordUserId, ...leaseFrom(now) });
  if (claimed === undefined) throw discordUnavailable("another process refreshes this grant");
  const { refreshTokenSealed } = claimed;
  const isUnanswered = isFromEarlier(claimed.refreshUnansweredSince, now);
  if (claimed.expiresAt > now) {
    await deps.queries.setLeaseEnded({ discordUserId, refreshTokenSealed, isUnspent: !isUnanswered });
    return openDiscordToken(deps, "access_token", claimed.accessTokenSealed, discordUserId);
  }
  const refreshed = await refresh(deps, { discordUserId, refreshTokenSealed, isUnanswered }, null);
  if (refreshed.outcome !== "refreshed")
    throw grantEnded("token_refresh: the refresh token is no longer valid");
  return refreshed.accessToken;
}

/** A refresh that was claimed, so that nobody else sends it. */
export type ClaimedRefresh = {
  readonly discordUserId: string;
  readonly refreshTokenSealed: string;
  /** Whether an earlier refresh with this refresh token got no answer: it may have spent the token. */
  readonly isUnanswered: boolean;
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
    if (asJanusError(error).code !== "grant_ended") throw error;
    return { outcome: claimed.isUnanswered ? "unknown" : "ended" };
  }
}

/** Errors that show that Discord has not spent the token. */
const UNSPENT: readonly string[] = ["discord_client_rejected", "grant_ended", "token_unreadable"];
/** Errors that do not pass with time. */
const LASTING: readonly string[] = ["grant_ended", "token_unreadable"];

async function setFailed(
  { queries, now }: GrantDeps,
  claimed: ClaimedRefresh,
  error: unknown,
): Promise<void> {
  const { discordUserId, refreshTokenSealed, isUnanswered, refreshFailures = 0 } = claimed;
  const { code, isUntaken } = asJanusError(error);
  const isUnspent = !isUnanswered && (isUntaken || UNSPENT.includes(code));
  const retryAt = LASTING.includes(code)
    ? secondsAfter(now(), DAY_SECONDS)
    : endRetryAt(now(), refreshFailures, error);
  await queries.setRefreshFailed({ discordUserId, refreshTokenSealed, isUnspent, retryAt });
}
