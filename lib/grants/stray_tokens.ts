/**
 * Stray tokens: Janus obtained them, then the sign-in failed, so no account holds them. Janus keeps them, and revokes them
 * as soon as that takes nothing from a member.
 *
 * At Discord one revocation ends every token of the member's authorization, those of a link too. So Janus first asks whose
 * the tokens are. If that member has no other grant, they become an abandoned grant. How grants end is in
 * `end_discord_grant.ts` and `provider_grant.ts`. docs/decisions/0022
 */

import { randomToken } from "../crypto.ts";
import type { WorkDeps } from "../deps.ts";
import type { DiscordTokens, DiscordUser } from "../discord/client.ts";
import { asJanusError, databaseUnavailable } from "../errors.ts";
import type { UnusedTokens } from "../oidc/client.ts";
import type { LogOutcome } from "../telemetry/events.ts";
import { describeError } from "../telemetry/log.ts";
import { endRetryAt } from "./end_retry.ts";
import { isFromEarlier, leaseFrom, tryTo } from "./refresh_lease.ts";
import type { Round } from "./round.ts";
import { ROUND_LIMIT, roundOf } from "./round.ts";
import { openOrganisationToken, sealDiscordTokens, sealOrganisationTokens, sealToken } from "./sealing.ts";

/** What keeping tokens needs. */
export type KeepDeps = Pick<WorkDeps, "queries" | "tokenSealer" | "unstored" | "now">;

/** What revoking them, or giving them to their account, needs as well. */
type SettleDeps = KeepDeps & Pick<WorkDeps, "config" | "discord" | "oidc" | "log">;

const ID_BYTES = 16;

/**
 * Keeps the Discord tokens of a flow or a sign-in that failed. The caller need not wait for the database. The promise says
 * whether it has stored them.
 */
export function keepDiscordTokens(
  deps: KeepDeps,
  tokens: DiscordTokens,
  user?: Pick<DiscordUser, "discordUserId">,
): Promise<boolean> {
  const { accessToken, refreshToken, scope, expiresAt } = tokens;
  const discordUserId = user?.discordUserId ?? null;
  return keepStray(deps, { accessToken, refreshToken }, { discordUserId, issuer: null, scope, expiresAt });
}

/** The same for the provider's tokens. If their subject is known, they are kept with that account. */
export function keepProviderTokens(deps: KeepDeps, tokens: UnusedTokens): void {
  const { issuer, subject, accessToken, refreshToken, expiresAt = null } = tokens;
  if (subject === undefined) {
    void keepStray(
      deps,
      { accessToken, refreshToken },
      { discordUserId: null, issuer, scope: null, expiresAt },
    );
    return;
  }
  const sealed = sealOrganisationTokens(deps, { issuer, subject, accessToken, refreshToken });
  keepUnlinkedTokens(deps, { issuer, subject, ...sealed, expiresAt });
}

/** The same for sealed tokens of a statement that failed. It may have stored them after all, which does no harm. */
export function keepUnlinkedTokens(
  { queries, unstored, now }: KeepDeps,
  tokens: Omit<Parameters<KeepDeps["queries"]["insertUnlinkedTokens"]>[0], "now">,
): void {
  const { issuer, subject, accessTokenSealed, refreshTokenSealed, expiresAt } = tokens;
  const values = { issuer, subject, accessTokenSealed, refreshTokenSealed, expiresAt, now: now() };
  void unstored.store("provider_tokens", () => queries.insertUnlinkedTokens(values));
}

type Owner = {
  readonly discordUserId: string | null;
  readonly issuer: string | null;
  readonly scope: string | null;
  readonly expiresAt: Date | null;
};

function keepStray(
  deps: KeepDeps,
  { accessToken, refreshToken }: Pick<UnusedTokens, "accessToken" | "refreshToken">,
  owner: Owner,
): Promise<boolean> {
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
  return deps.unstored.store("stray_tokens", () => deps.queries.insertStray(values));
}

type Stray = Awaited<ReturnType<SettleDeps["queries"]["claimStrayDue"]>>[number];

/** One round: claims stray tokens, and revokes each or gives it to the account that it belongs to. */
export async function settleDueStrays(deps: SettleDeps): Promise<Round> {
  const due = await deps.queries.claimStrayDue({ limit: ROUND_LIMIT, ...leaseFrom(deps.now()) });
  const settled = await Promise.all(due.map((stray) => trySettle(deps, stray)));
  return roundOf(due.length, settled.filter(Boolean).length);
}

/** Whether nothing kept it from being looked at, so that the next one makes sense. */
async function trySettle(deps: SettleDeps, stray: Stray): Promise<boolean> {
  try {
    if (stray.issuer === null) await giveToOwner(deps, stray);
    else await revokeAtProvider(deps, stray.issuer, stray);
    return true;
  } catch (error) {
    // Carrying on is right: this one is tried again later, and the next has nothing to do with it.
    deps.log.warn("stray_tokens_not_settled", { outcome: "put_off", ...describeError(error) });
    await reschedule(deps, stray, error);
    return false;
  }
}

async function reschedule(
  deps: SettleDeps,
  { strayTokenId, failures }: Stray,
  error: unknown,
): Promise<void> {
  const dueAt = endRetryAt(deps.now(), failures, error);
  await tryTo(deps, "put_off", () => deps.queries.setStrayDue({ strayTokenId, dueAt }));
}

async function forget(
  deps: SettleDeps,
  { strayTokenId }: Stray,
  isRevoked: boolean,
  outcome: LogOutcome,
): Promise<void> {
  await deps.queries.deleteStray({ strayTokenId, isRevoked, now: deps.now() });
  deps.log[outcome === "given_up" ? "error" : "info"]("stray_tokens_settled", { outcome });
}

/** For Discord's tokens: Discord says whose they are. */
async function giveToOwner(deps: SettleDeps, stray: Stray): Promise<void> {
  const tokens = openBoth(deps, stray);
  if (tokens === undefined) return forget(deps, stray, false, "given_up");
  const { accessToken, refreshToken } = tokens;
  const owner = await findOwner(deps, accessToken);
  if (owner === "nobody") return forget(deps, stray, false, await refreshStray(deps, stray, refreshToken));
  // The member has taken `identify` out of the authorization request, so Discord does not say who they are. Revoking
  // would end their link, if they have one. They can end this grant in Discord's settings.
  if (owner === "unnamed") return forget(deps, stray, false, "of_unknown_member");
  const { discordUserId, username, globalName } = owner;
  const given = await deps.queries.setStrayOwned({
    strayTokenId: stray.strayTokenId,
    discordUserId,
    username,
    globalName,
    ...sealDiscordTokens(deps, discordUserId, { accessToken, refreshToken }),
    now: deps.now(),
  });
  // An earlier grant of this member must end first.
  if (given === undefined) return reschedule(deps, stray, undefined);
  deps.log.info("stray_tokens_settled", { outcome: "given_to_their_account", discordUserId });
}

/**
 * Discord refuses the access token: it has expired, or it alone was ended. The new pair becomes a stray of its own, for
 * the next round. If an earlier refresh got no answer, nothing is known of the grant.
 */
async function refreshStray(
  deps: SettleDeps,
  { strayTokenId }: Stray,
  refreshToken: string,
): Promise<"refreshed" | "ended_before" | "given_up"> {
  const now = deps.now();
  const sent = await deps.queries.setStrayRefreshSent({ strayTokenId, now });
  const isUnanswered = isFromEarlier(sent?.refreshUnansweredSince ?? null, now);
  try {
    const isStored = await keepDiscordTokens(deps, await deps.discord.refreshTokens(refreshToken));
    // Until then the row of the spent pair says that there may be a grant.
    if (!isStored) throw databaseUnavailable("the new pair is not stored yet");
    return "refreshed";
  } catch (error) {
    if (asJanusError(error).code !== "grant_ended") throw error;
    return isUnanswered ? "given_up" : "ended_before";
  }
}

/** Whose tokens these are: "nobody" if Discord refuses them, "unnamed" if the grant lacks the scope to ask. */
async function findOwner(deps: SettleDeps, accessToken: string): Promise<DiscordUser | "nobody" | "unnamed"> {
  try {
    return await deps.discord.findSignedInUser(accessToken);
  } catch (error) {
    const { code } = asJanusError(error);
    if (code === "grant_ended") return "nobody";
    if (code === "scope_missing") return "unnamed";
    throw error;
  }
}

function openBoth(deps: SettleDeps, stray: Stray) {
  const accessToken = openStray(deps, "access_token", stray);
  const refreshToken = openStray(deps, "refresh_token", stray);
  return accessToken === undefined || refreshToken === undefined ? undefined : { accessToken, refreshToken };
}

async function revokeAtProvider(deps: SettleDeps, issuer: string, stray: Stray): Promise<void> {
  // OIDC_ISSUER was changed: the token is of another provider, which Janus no longer talks to.
  if (issuer !== deps.config.oidc.issuer) return forget(deps, stray, false, "of_another_issuer");
  const kind = stray.refreshTokenSealed === null ? "access_token" : "refresh_token";
  const token = openStray(deps, kind, stray);
  if (token === undefined) return forget(deps, stray, false, "given_up");
  const revocation = await deps.oidc.revokeToken(kind, token);
  return forget(
    deps,
    stray,
    revocation === "revoked",
    revocation === "unsupported" ? "no_revocation" : revocation,
  );
}

/** Undefined if no key opens it. A token with a subject is sealed for that account, as the account's own are. */
function openStray(
  deps: SettleDeps,
  kind: "access_token" | "refresh_token",
  { strayTokenId, issuer, subject, accessTokenSealed, refreshTokenSealed }: Stray,
): string | undefined {
  const sealed = (kind === "access_token" ? accessTokenSealed : refreshTokenSealed) ?? "";
  return issuer === null || subject === null
    ? deps.tokenSealer.open(sealed, `stray_token.${kind}:${strayTokenId}`)
    : openOrganisationToken(deps, kind, { issuer, subject }, sealed);
}
