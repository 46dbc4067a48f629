/**
 * Tokens that Janus obtained and that no account of its holds, since the sign-in failed after it. What is obtained is
 * stored or revoked: they are kept, and revoked as soon as that takes nothing from a member.
 *
 * At Discord one revocation ends every token of the member's authorization, those of a link too. So tokens are revoked
 * there as an abandoned grant, once it is known whose they are and that the member has no other. How grants end is in
 * `end_discord_grant.ts` and `provider_grant.ts`. docs/decisions/0022
 */
import { randomToken } from "../crypto.ts";
import type { Deps } from "../deps.ts";
import type { DiscordTokens, DiscordUser } from "../discord/discord.ts";
import { asJanusError, discordUnavailable } from "../errors.ts";
import { describeError } from "../log.ts";
import type { UnusedTokens } from "../oidc/oidc.ts";
import type { Round } from "../upkeep/round.ts";
import { roundOf } from "../upkeep/round.ts";
import { endRetryAt } from "./end_retry.ts";
import {
  LEASE_SECONDS,
  openOrganisationToken,
  organisationRow,
  sealDiscordTokens,
  sealToken,
  secondsAfter,
} from "./grant.ts";

const BATCH = 20;
const ID_BYTES = 16;

/** Keeps Discord tokens of a flow or a sign-in that failed. It begins at once, and returns before the database has them. */
export function keepDiscordTokens(
  deps: Deps,
  tokens: DiscordTokens,
  user?: Pick<DiscordUser, "discordUserId">,
): void {
  const { accessToken, refreshToken, scope, expiresAt } = tokens;
  const discordUserId = user?.discordUserId ?? null;
  keepStray(deps, { accessToken, refreshToken }, { discordUserId, issuer: null, scope, expiresAt });
}

/** The same for the provider's tokens. Where it is known whose they are, they are kept with that account. */
export function keepProviderTokens(deps: Deps, tokens: UnusedTokens): void {
  const { issuer, subject, accessToken, refreshToken, expiresAt = null } = tokens;
  if (subject === undefined) {
    keepStray(deps, { accessToken, refreshToken }, { discordUserId: null, issuer, scope: null, expiresAt });
    return;
  }
  const sealed = sealOrganisationTokens(deps, { issuer, subject, accessToken, refreshToken });
  keepUnlinkedTokens(deps, { issuer, subject, ...sealed, expiresAt });
}

/** The same for tokens that are sealed, as a statement was given them that failed; it may have stored them after all. */
export function keepUnlinkedTokens(
  { queries, unstored, now }: Deps,
  tokens: Omit<Parameters<Deps["queries"]["insertUnlinkedTokens"]>[0], "now">,
): void {
  const { issuer, subject, accessTokenSealed, refreshTokenSealed, expiresAt } = tokens;
  const values = { issuer, subject, accessTokenSealed, refreshTokenSealed, expiresAt, now: now() };
  unstored.store("provider tokens", () => queries.insertUnlinkedTokens(values));
}

/** Both tokens of a provider's grant, sealed for their row. */
export function sealOrganisationTokens(
  deps: Pick<Deps, "tokenSealer">,
  account: Omit<UnusedTokens, "subject" | "expiresAt"> & { readonly subject: string },
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

type Owner = {
  readonly discordUserId: string | null;
  readonly issuer: string | null;
  readonly scope: string | null;
  readonly expiresAt: Date | null;
};

function keepStray(
  deps: Deps,
  { accessToken, refreshToken }: Pick<UnusedTokens, "accessToken" | "refreshToken">,
  owner: Owner,
): void {
  const strayTokenId = randomToken(ID_BYTES);
  const values = {
    ...owner,
    strayTokenId,
    accessTokenSealed: sealToken(deps, accessToken, "stray_token.access_token", strayTokenId),
    refreshTokenSealed:
      refreshToken === undefined
        ? null
        : sealToken(deps, refreshToken, "stray_token.refresh_token", strayTokenId),
    now: deps.now(),
  };
  deps.unstored.store("stray tokens", () => deps.queries.insertStray(values));
}

type Stray = Awaited<ReturnType<Deps["queries"]["claimStrayDue"]>>[number];

/** One round: claims stray tokens, and revokes each or gives it to the account whose it is. */
export async function settleDueStrays(deps: Deps): Promise<Round> {
  const now = deps.now();
  const leasedUntil = secondsAfter(now, LEASE_SECONDS);
  const due = await deps.queries.claimStrayDue({ limit: BATCH, leasedUntil, now });
  const settled = await Promise.all(due.map((stray) => settleOrPutOff(deps, stray)));
  return roundOf(BATCH, due.length, settled.filter(Boolean).length);
}

async function settleOrPutOff(deps: Deps, stray: Stray): Promise<boolean> {
  const { strayTokenId, failures } = stray;
  try {
    if (stray.issuer === null) await giveToOwner(deps, stray);
    else await revokeAtProvider(deps, stray.issuer, stray);
    return true;
  } catch (error) {
    // Carrying on is right: this one is tried again later, and the next has nothing to do with it.
    deps.log.warn("stray tokens not settled", { outcome: "put off", ...describeError(error) });
    const dueAt = endRetryAt(deps.now(), failures, error);
    // Should this fail, the lease ends by itself.
    await deps.queries.setStrayDue({ strayTokenId, dueAt }).catch(() => undefined);
    return false;
  }
}

async function forget(
  deps: Deps,
  { strayTokenId }: Stray,
  isRevoked: boolean,
  outcome: string,
): Promise<void> {
  await deps.queries.deleteStray({ strayTokenId, isRevoked, now: deps.now() });
  deps.log[outcome === "given up" ? "error" : "info"]("stray tokens settled", { outcome });
}

/** Discord's: whose they are, it says itself. */
async function giveToOwner(deps: Deps, stray: Stray): Promise<void> {
  const tokens = openStray(deps, stray);
  if (tokens === undefined) return forget(deps, stray, false, "given up");
  const { accessToken, refreshToken } = tokens;
  const owner = await findOwner(deps, accessToken);
  if (owner === "nobody") {
    if (!isExpired(deps, stray)) return forget(deps, stray, false, "ended before");
    return forget(deps, stray, false, await refreshStray(deps, refreshToken));
  }
  if (owner === "unnamed") {
    // Of a sign-in that the member has changed on its way: nothing else was asked of them, so nothing else ends.
    await deps.discord.revokeGrant(accessToken);
    return forget(deps, stray, false, "revoked");
  }
  const { discordUserId, username, globalName } = owner;
  const given = await deps.queries.setStrayOwned({
    ...{ strayTokenId: stray.strayTokenId, discordUserId, username, globalName },
    ...sealDiscordTokens(deps, discordUserId, { accessToken, refreshToken }),
    now: deps.now(),
  });
  if (given === undefined) throw discordUnavailable("an earlier grant of this member must end first");
  deps.log.info("stray tokens settled", { outcome: "given to their account", discordUserId });
}

/** Discord's new pair is a stray of its own, to be settled at the next round. */
async function refreshStray(deps: Deps, refreshToken: string): Promise<string> {
  try {
    keepDiscordTokens(deps, await deps.discord.refreshTokens(refreshToken));
    return "refreshed";
  } catch (error) {
    if (asJanusError(error).code !== "grant_ended") throw error;
    return "ended before";
  }
}

const isExpired = ({ now }: Deps, { expiresAt }: Stray): boolean => expiresAt !== null && expiresAt <= now();

/** Whose tokens these are; nobody's once they are dead, and not told to a grant that lacks the scope for it. */
async function findOwner(deps: Deps, accessToken: string): Promise<DiscordUser | "nobody" | "unnamed"> {
  try {
    return await deps.discord.findSignedInUser(accessToken);
  } catch (error) {
    const { code } = asJanusError(error);
    if (code === "grant_ended") return "nobody";
    if (code === "scope_missing") return "unnamed";
    throw error;
  }
}

function openStray({ tokenSealer }: Deps, { strayTokenId, accessTokenSealed, refreshTokenSealed }: Stray) {
  const accessToken = tokenSealer.open(accessTokenSealed ?? "", `stray_token.access_token:${strayTokenId}`);
  const refreshToken = tokenSealer.open(
    refreshTokenSealed ?? "",
    `stray_token.refresh_token:${strayTokenId}`,
  );
  return accessToken === undefined || refreshToken === undefined ? undefined : { accessToken, refreshToken };
}

async function revokeAtProvider(deps: Deps, issuer: string, stray: Stray): Promise<void> {
  // Of another provider, since OIDC_ISSUER was changed: there is nobody to tell.
  if (issuer !== deps.config.oidc.issuer) return forget(deps, stray, false, "of another issuer");
  const kind = stray.refreshTokenSealed === null ? "access_token" : "refresh_token";
  const token = openProviderToken(deps, issuer, kind, stray);
  if (token === undefined) return forget(deps, stray, false, "given up");
  const revocation = await deps.oidc.revokeToken(kind, token);
  return forget(
    deps,
    stray,
    revocation === "revoked",
    revocation === "unsupported" ? "no revocation" : revocation,
  );
}

/** One that was crowded out of an account's list is sealed for that account. */
function openProviderToken(
  deps: Deps,
  issuer: string,
  kind: "access_token" | "refresh_token",
  { strayTokenId, subject, accessTokenSealed, refreshTokenSealed }: Stray,
): string | undefined {
  const sealed = (kind === "access_token" ? accessTokenSealed : refreshTokenSealed) ?? "";
  return subject === null
    ? deps.tokenSealer.open(sealed, `stray_token.${kind}:${strayTokenId}`)
    : openOrganisationToken(deps, kind, { issuer, subject }, sealed);
}
