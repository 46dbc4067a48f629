/**
 * A member's Discord grant: sealing its tokens and refreshing them, and what both kinds of grant share. A refresh token
 * is single use: one process at a time may refresh, and the new pair is stored before it is used. Its end is in
 * `end_discord_grant.ts`. It knows nothing of claims.
 */

import type { WorkDeps } from "../deps.ts";
import type { DiscordTokens } from "../discord/client.ts";
import { asJanusError, discordUnavailable, grantEnded, tokenUnreadable } from "../errors.ts";
import type { SignIn } from "../oidc/client.ts";
import type { LogStep } from "../telemetry/events.ts";
import { describeError } from "../telemetry/log.ts";
import { CLOCK_TOLERANCE_SECONDS, secondsAfter } from "../time.ts";
import { endRetryAt } from "./end_retry.ts";

/** What work on a grant needs. */
export type GrantDeps = Pick<
  WorkDeps,
  "queries" | "discord" | "tokenSealer" | "now" | "sleep" | "log" | "unstored"
>;

/** How long a claim lasts: longer than the calls made under it, with their repeats, plus the tolerance of clocks. */
export const LEASE_SECONDS = 90 + CLOCK_TOLERANCE_SECONDS;
/** Only a new sign-in helps a grant that has ended, so Janus seldom asks again. */
const DAY_SECONDS = 86_400;
const STORE_ATTEMPTS = 5;
const STORE_RETRY_MS = 1_000;

/** A column that holds sealed tokens; part of what a ciphertext is bound to. */
export type TokenColumn =
  `${"discord_token" | "organisation_token" | "stray_token"}.${"access_token" | "refresh_token"}`;

/** Seals a token for one row and column: moved elsewhere, it does not open. */
export function sealToken(
  deps: Pick<WorkDeps, "tokenSealer">,
  token: string,
  column: TokenColumn,
  row: string,
): string {
  return deps.tokenSealer.seal(token, `${column}:${row}`);
}

/** Both tokens of a Discord grant, sealed for their row. */
export function sealDiscordTokens(
  deps: Pick<WorkDeps, "tokenSealer">,
  discordUserId: string,
  tokens: Pick<DiscordTokens, "accessToken" | "refreshToken">,
) {
  return {
    accessTokenSealed: sealToken(deps, tokens.accessToken, "discord_token.access_token", discordUserId),
    refreshTokenSealed: sealToken(deps, tokens.refreshToken, "discord_token.refresh_token", discordUserId),
  };
}

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
    return openToken(deps, "access_token", grant.accessTokenSealed, discordUserId);
  deps.discord.requireTimeToRefresh();
  const leasedUntil = secondsAfter(now, LEASE_SECONDS);
  const row = await deps.queries.claimRefresh({ discordUserId, leasedUntil, now });
  if (row === undefined) throw discordUnavailable("another process refreshes this grant");
  const claimed = { ...row, ...claimedAt(row.refreshUnansweredSince, now) };
  if (claimed.expiresAt > now) {
    const { refreshTokenSealed, isUnanswered } = claimed;
    await deps.queries.setLeaseEnded({ discordUserId, refreshTokenSealed, isUnspent: !isUnanswered });
    return openToken(deps, "access_token", claimed.accessTokenSealed, discordUserId);
  }
  const refreshed = await refresh(deps, claimed, null);
  if (refreshed.outcome !== "refreshed") throw grantEnded("token_refresh: the token is no good");
  return refreshed.accessToken;
}

/** Does early what the end of the lease would do by itself. A failure is logged, and changes nothing. */
export async function tryTo(
  deps: Pick<WorkDeps, "log">,
  step: LogStep,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    deps.log.warn("lease_not_freed", { step, ...describeError(error) });
  }
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

/** Reads a claim's mark. One that is older than the claim comes from an earlier refresh that got no answer. */
export const claimedAt = (refreshUnansweredSince: Date | null, now: Date) => ({
  isUnanswered: refreshUnansweredSince !== null && refreshUnansweredSince.getTime() !== now.getTime(),
});

/**
 * The result of a refresh. The grant has ended if Discord says so. But if an earlier refresh got no answer, that one may
 * have spent the token. Then the grant may live on with tokens that Janus never saw, and the result is unknown.
 */
export type RefreshOutcome =
  | (DiscordTokens & { readonly outcome: "refreshed"; readonly accessTokenSealed: string })
  | { readonly outcome: "ended" | "unknown" };

/** Spends the refresh token, stores the new pair, and only then hands it out. Throws where Discord gives no answer. */
export async function refresh(
  deps: GrantDeps,
  claimed: ClaimedRefresh,
  leasedUntil: Date | null,
): Promise<RefreshOutcome> {
  const { discordUserId, refreshTokenSealed, isUnanswered } = claimed;
  let tokens: DiscordTokens;
  try {
    const spent = openToken(deps, "refresh_token", refreshTokenSealed, discordUserId);
    tokens = await deps.discord.refreshTokens(spent);
  } catch (error) {
    await setFailed(deps, claimed, error);
    if (asJanusError(error).code !== "grant_ended") throw error;
    return { outcome: isUnanswered ? "unknown" : "ended" };
  }
  const sealed = sealDiscordTokens(deps, discordUserId, tokens);
  const { scope, expiresAt } = tokens;
  const now = deps.now();
  await storeWithRetry(deps, "refresh", () =>
    deps.queries.setRefreshed({
      discordUserId,
      ...sealed,
      scope,
      expiresAt,
      leasedUntil,
      now,
      spentRefreshTokenSealed: refreshTokenSealed,
    }),
  );
  return { ...tokens, ...sealed, outcome: "refreshed" };
}

/** Errors that show that Discord has not spent the token. */
const UNSPENT: readonly string[] = ["discord_client_rejected", "grant_ended", "token_unreadable"];
/** Errors that do not pass with time. */
const LASTING: readonly string[] = ["grant_ended", "token_unreadable"];

async function setFailed(deps: GrantDeps, claimed: ClaimedRefresh, error: unknown): Promise<void> {
  const { discordUserId, refreshTokenSealed, isUnanswered, refreshFailures = 0 } = claimed;
  const { code, isUntaken } = asJanusError(error);
  const isUnspent = !isUnanswered && (isUntaken || UNSPENT.includes(code));
  const now = deps.now();
  const retryAt = LASTING.includes(code)
    ? secondsAfter(now, DAY_SECONDS)
    : endRetryAt(now, refreshFailures, error);
  await tryTo(deps, "refresh", () =>
    deps.queries.setRefreshFailed({ discordUserId, refreshTokenSealed, isUnspent, retryAt }),
  );
}

/**
 * Stores a new pair, which only this process has, since the old one is spent. It tries again for a few seconds. If the
 * database is down for longer, `unstored` keeps the pair until it is back.
 */
export async function storeWithRetry(
  deps: Pick<WorkDeps, "sleep" | "unstored">,
  step: LogStep,
  store: () => Promise<unknown>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await store();
      return;
    } catch (error) {
      if (asJanusError(error).code !== "database_unavailable") throw error;
      if (attempt === STORE_ATTEMPTS) {
        deps.unstored.store(step, store);
        throw error;
      }
      await deps.sleep(STORE_RETRY_MS * attempt);
    }
  }
}

/** A row of `organisation_token`, as a ciphertext is bound to it. */
const organisationRow = ({ issuer, subject }: { readonly issuer: string; readonly subject: string }) =>
  JSON.stringify([issuer, subject]);

/** Both tokens of a provider's grant, sealed for their row. */
export function sealOrganisationTokens(
  deps: Pick<WorkDeps, "tokenSealer">,
  account: Pick<SignIn, "issuer" | "subject" | "accessToken" | "refreshToken">,
) {
  const { accessToken, refreshToken } = account;
  const row = organisationRow(account);
  return {
    accessTokenSealed: sealToken(deps, accessToken, "organisation_token.access_token", row),
    refreshTokenSealed:
      refreshToken === undefined
        ? null
        : sealToken(deps, refreshToken, "organisation_token.refresh_token", row),
  };
}

/** A provider's token; undefined where no key of TOKEN_KEYS opens it. */
export function openOrganisationToken(
  { tokenSealer }: Pick<WorkDeps, "tokenSealer">,
  column: "access_token" | "refresh_token",
  account: { readonly issuer: string; readonly subject: string },
  sealed: string,
): string | undefined {
  return tokenSealer.open(sealed, `organisation_token.${column}:${organisationRow(account)}`);
}

/** A Discord token. Throws token_unreadable where no key of TOKEN_KEYS opens it. */
export function openToken(
  { tokenSealer }: GrantDeps,
  column: "access_token" | "refresh_token",
  sealed: string,
  discordUserId: string,
): string {
  const token = tokenSealer.open(sealed, `discord_token.${column}:${discordUserId}`);
  if (token === undefined)
    throw tokenUnreadable(`discord_token.${column} does not open with any key of TOKEN_KEYS`);
  return token;
}
