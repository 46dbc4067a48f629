/**
 * A member's Discord grant: sealing its tokens and refreshing them, and what both kinds of grant share. A refresh token
 * is single use: one process at a time may refresh, and the new pair is stored before it is used. Its end is in
 * `end_discord_grant.ts`. It knows nothing of claims.
 */
import type { Deps } from "../deps.ts";
import type { DiscordTokens } from "../discord/discord.ts";
import { asJanusError, discordUnavailable, tokenUnreadable } from "../errors.ts";
import { describeError } from "../log.ts";
import { CLOCK_TOLERANCE_SECONDS } from "../time.ts";

/** What work on a grant needs. */
export type GrantDeps = Pick<Deps, "queries" | "discord" | "tokenSealer" | "now" | "sleep" | "log">;

/** How long a claim lasts: longer than the upstream calls made under it, with their repeats, by whatever clock. */
export const LEASE_SECONDS = 90 + CLOCK_TOLERANCE_SECONDS;
const STORE_ATTEMPTS = 5;
const STORE_RETRY_MS = 1_000;

/** A column that holds sealed tokens; part of what a ciphertext is bound to. */
export type TokenColumn = `${"discord_token" | "organisation_token"}.${"access_token" | "refresh_token"}`;

/** Seals a token for one row and column: moved elsewhere, it does not open. */
export function sealToken(
  deps: Pick<Deps, "tokenSealer">,
  token: string,
  column: TokenColumn,
  row: string,
): string {
  return deps.tokenSealer.seal(token, `${column}:${row}`);
}

/** Both tokens of a Discord grant, sealed for their row. */
export function sealDiscordTokens(
  deps: Pick<Deps, "tokenSealer">,
  discordUserId: string,
  tokens: DiscordTokens,
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
  const leasedUntil = secondsAfter(now, LEASE_SECONDS);
  const claimed = await deps.queries.claimRefresh({ discordUserId, leasedUntil, now });
  if (claimed === undefined) throw discordUnavailable("another process refreshes this grant");
  if (claimed.expiresAt > now) {
    await deps.queries.setLeaseEnded({ discordUserId, refreshTokenSealed: claimed.refreshTokenSealed });
    return openToken(deps, "access_token", claimed.accessTokenSealed, discordUserId);
  }
  return (await refresh(deps, discordUserId, claimed.refreshTokenSealed, null)).accessToken;
}

/** What the lease will do by itself when its time is up, sooner: a failure is logged, and changes nothing. */
export async function tryTo(deps: GrantDeps, step: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    deps.log.warn("lease not freed", { step, ...describeError(error) });
  }
}

/** Spends the refresh token, stores the new pair, and only then hands it out. */
export async function refresh(
  deps: GrantDeps,
  discordUserId: string,
  spentRefreshTokenSealed: string,
  leasedUntil: Date | null,
) {
  const spent = openToken(deps, "refresh_token", spentRefreshTokenSealed, discordUserId);
  let tokens: DiscordTokens;
  try {
    tokens = await deps.discord.refreshTokens(spent);
  } catch (error) {
    const values = { discordUserId, refreshTokenSealed: spentRefreshTokenSealed };
    await tryTo(deps, "refresh", () => deps.queries.setLeaseEnded(values));
    throw error;
  }
  const sealed = sealDiscordTokens(deps, discordUserId, tokens);
  const { scope, expiresAt } = tokens;
  await storeStubbornly(deps, () =>
    deps.queries.setRefreshed({
      ...{ discordUserId, spentRefreshTokenSealed, ...sealed, scope, expiresAt, leasedUntil },
      now: deps.now(),
    }),
  );
  return { ...tokens, ...sealed };
}

/** Stores a new pair. The old one is spent and this process alone holds it: a database that blinks must not lose it. */
export async function storeStubbornly(
  deps: Pick<Deps, "sleep">,
  store: () => Promise<unknown>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await store();
      return;
    } catch (error) {
      if (attempt === STORE_ATTEMPTS || asJanusError(error).code !== "database_unavailable") throw error;
      await deps.sleep(STORE_RETRY_MS * attempt);
    }
  }
}

/** A row of `organisation_token`, as a ciphertext is bound to it. */
export const organisationRow = ({ issuer, subject }: { readonly issuer: string; readonly subject: string }) =>
  JSON.stringify([issuer, subject]);

/** A provider's token; undefined where no key of TOKEN_KEYS opens it. */
export function openOrganisationToken(
  { tokenSealer }: Pick<Deps, "tokenSealer">,
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

/** A time that many seconds after another; before it, if negative. */
export const secondsAfter = (time: Date, seconds: number): Date => new Date(time.getTime() + seconds * 1_000);
