/**
 * A member's Discord grant: sealing its tokens, refreshing them, ending it. Called by `account.ts`, `link.ts`,
 * `sync.ts`, `upkeep.ts` and, for what both kinds of grant share, `provider_grant.ts`. A refresh token is single use: one process at a time may refresh, and the new pair is stored before
 * it is used. It knows nothing of claims.
 */
import type { Deps } from "../deps.ts";
import type { DiscordTokens } from "../discord/discord.ts";
import { asJanusError, discordUnavailable, tokenUnreadable } from "../errors.ts";
import { describeError } from "../log.ts";

type GrantDeps = Pick<Deps, "queries" | "discord" | "tokenSealer" | "now" | "sleep" | "log">;

/** How long a claim lasts: longer than the upstream calls made under it, with their repeats. */
export const LEASE_SECONDS = 90;
/** A member whose grant is to end cannot sign in until it has: not long after Discord is back. */
export const END_RETRY_SECONDS = 120;
const ABANDONED_AFTER_SECONDS = 3_600;
const BATCH = 20;
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

/** One round: claims the grants that are to end, and ends each at Discord, then here. Returns how many ended. */
export async function endDueGrants(deps: GrantDeps): Promise<number> {
  const now = deps.now();
  const due = await deps.queries.claimEndDue({
    limit: BATCH,
    abandonedBefore: secondsAfter(now, -ABANDONED_AFTER_SECONDS),
    leasedUntil: secondsAfter(now, LEASE_SECONDS),
    now,
  });
  const ended = await Promise.all(due.map((grant) => endGrantOrPutOff(deps, grant)));
  return ended.filter(Boolean).length;
}

type EndingGrant = {
  readonly discordUserId: string;
  readonly accessTokenSealed: string;
  readonly refreshTokenSealed: string;
  readonly expiresAt: Date;
};

/** Ends one grant that was claimed: at Discord, then here; true if it has ended, else it is due again later. */
export async function endGrantOrPutOff(deps: GrantDeps, grant: EndingGrant): Promise<boolean> {
  const { discordUserId } = grant;
  try {
    await endGrant(deps, grant);
    deps.log.info("grant ended", { discordUserId, outcome: "ended" });
    return true;
  } catch (error) {
    // Carrying on is right: this one is tried again later, and the next has nothing to do with it.
    deps.log.warn("grant not ended", { discordUserId, outcome: "put off", ...describeError(error) });
    const endDueAt = secondsAfter(deps.now(), END_RETRY_SECONDS);
    await tryTo(deps, "put off", () => deps.queries.setEndDue({ discordUserId, endDueAt }));
    return false;
  }
}

/** What the lease will do by itself when its time is up, sooner: a failure is logged, and changes nothing. */
async function tryTo(deps: GrantDeps, step: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    deps.log.warn("lease not freed", { step, ...describeError(error) });
  }
}

type UsableTokens = {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly accessTokenSealed: string;
};

/** Clears the role connection, then revokes, then removes our rows: in this order nothing is lost halfway. */
async function endGrant(deps: GrantDeps, grant: EndingGrant): Promise<void> {
  const { discordUserId, accessTokenSealed } = grant;
  const ended = await endAtDiscord(deps, grant);
  const held = ended?.accessTokenSealed ?? accessTokenSealed;
  await deps.queries.deleteDiscordToken({ discordUserId, accessTokenSealed: held, now: deps.now() });
}

/** The tokens that ended it; undefined if it had ended before, which only a refresh can say, or they do not open. */
async function endAtDiscord(deps: GrantDeps, grant: EndingGrant): Promise<UsableTokens | undefined> {
  const held = openTokens(deps, grant);
  if (held === undefined) return undefined;
  const isExpired = grant.expiresAt <= deps.now();
  let tokens = isExpired ? await refreshUnlessEnded(deps, grant) : held;
  if (tokens === undefined) return undefined;
  try {
    await clearRoleConnection(deps, grant, tokens);
  } catch (error) {
    // A 401 may speak of this token alone. After a refresh it says nothing, and another refresh would not help.
    if (isExpired || asJanusError(error).code !== "grant_ended") throw error;
    tokens = await refreshUnlessEnded(deps, grant);
    if (tokens === undefined) return undefined;
    await clearRoleConnection(deps, grant, tokens);
  }
  const isRevoked = await deps.discord.revokeGrant(tokens.refreshToken);
  if (!isRevoked) deps.log.error("grant not revoked", { discordUserId: grant.discordUserId });
  return tokens;
}

/** A no for good is no reason to keep the grant, and the member from signing in: it is revoked all the same. */
async function clearRoleConnection(
  deps: GrantDeps,
  { discordUserId }: EndingGrant,
  { accessToken }: UsableTokens,
): Promise<void> {
  try {
    await deps.discord.deleteRoleConnection(accessToken);
  } catch (error) {
    if (asJanusError(error).code !== "discord_refused") throw error;
    deps.log.error("role connection not cleared", { discordUserId, ...describeError(error) });
  }
}

/** Tokens that no key opens can end nothing, and would keep the member from signing in again: they are given up. */
function openTokens(deps: GrantDeps, grant: EndingGrant): UsableTokens | undefined {
  const { discordUserId, accessTokenSealed, refreshTokenSealed } = grant;
  try {
    const accessToken = openToken(deps, "access_token", accessTokenSealed, discordUserId);
    const refreshToken = openToken(deps, "refresh_token", refreshTokenSealed, discordUserId);
    return { accessToken, refreshToken, accessTokenSealed };
  } catch (error) {
    deps.log.error("grant given up", { discordUserId, ...describeError(error) });
    return undefined;
  }
}

async function refreshUnlessEnded(deps: GrantDeps, grant: EndingGrant): Promise<UsableTokens | undefined> {
  const leasedUntil = secondsAfter(deps.now(), LEASE_SECONDS);
  try {
    return await refresh(deps, grant.discordUserId, grant.refreshTokenSealed, leasedUntil);
  } catch (error) {
    if (asJanusError(error).code !== "grant_ended") throw error;
    return undefined;
  }
}

/** Spends the refresh token, stores the new pair, and only then hands it out. */
async function refresh(
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

function openToken(
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
