/**
 * The end of a member's grant at Discord: Janus clears the role connection, revokes the grant, and removes its rows. A
 * final refusal does not stop it; any other failure puts it off. How tokens are refreshed is in `discord_grant.ts`.
 */
import type { JanusError } from "../errors.ts";
import { asJanusError, discordUnavailable, grantEnded, tokenUnreadable } from "../errors.ts";
import { describeError } from "../telemetry/log.ts";
import type { GrantDeps } from "./discord_grant.ts";
import { outcomeOf, refresh } from "./discord_grant.ts";
import { endRetryAt } from "./end_retry.ts";
import { isFromEarlier, leaseFrom, tryTo } from "./refresh_lease.ts";
import { isAwaited, requireRefreshTime } from "./refresh_wait.ts";
import type { Round } from "./round.ts";
import { ROUND_LIMIT, roundOf } from "./round.ts";
import { openDiscordToken } from "./sealing.ts";

/** One round: claims the grants that are to end, and ends each at Discord, then here. */
export async function endDueGrants(deps: GrantDeps): Promise<Round> {
  const ends = await claimAndEnd(deps, null);
  const limited = ends.filter((end) => end === "limited").length;
  const done = ends.filter(isDone).length;
  return roundOf(ends.length, done, ROUND_LIMIT, limited);
}

/** Ends the grant of one member if its end is due; undefined if it is not, or if another process ends it. */
export async function endDueGrantOf(deps: GrantDeps, discordUserId: string): Promise<GrantEnd | undefined> {
  return (await claimAndEnd(deps, discordUserId))[0];
}

async function claimAndEnd(deps: GrantDeps, onlyDiscordUserId: string | null): Promise<readonly GrantEnd[]> {
  const due = await deps.queries.claimEndDue({
    limit: ROUND_LIMIT,
    ...leaseFrom(deps.now()),
    onlyDiscordUserId,
  });
  return Promise.all(due.map((grant) => tryEndGrant(deps, grant)));
}

type EndingGrant = {
  readonly discordUserId: string;
  readonly accessTokenSealed: string;
  readonly refreshTokenSealed: string;
  readonly expiresAt: Date;
  /** Granted scopes, with blanks between them. */
  readonly scope: string;
  /** How often its end has failed. */
  readonly endFailures: number;
};

/**
 * What became of a grant that was to end. `role_may_stay`: it has ended, and the member may keep the role. `limited`: it was
 * put off, because of a rate limit of this member's alone.
 */
export type GrantEnd = "ended" | "role_may_stay" | "put_off" | "limited";

/** Whether the grant has ended. */
export const isDone = (end: GrantEnd): boolean => end !== "put_off" && end !== "limited";

/** Ends one grant that was claimed: at Discord, then here; or it is due again later. */
export async function tryEndGrant(deps: GrantDeps, grant: EndingGrant): Promise<GrantEnd> {
  const { discordUserId } = grant;
  try {
    const isRoleConnectionLeft = await endGrant(deps, grant);
    deps.log.info("grant_ended", { discordUserId, outcome: "ended" });
    return isRoleConnectionLeft ? "role_may_stay" : "ended";
  } catch (error) {
    // Carrying on is right: this one is tried again later, and the next has nothing to do with it.
    deps.log.warn("grant_not_ended", { discordUserId, outcome: "put_off", ...describeError(error) });
    const endDueAt = endRetryAt(deps.now(), grant.endFailures, error);
    await tryTo(deps, "put_off", () => deps.queries.setEndDue({ discordUserId, endDueAt }));
    return asJanusError(error).limit === "member" ? "limited" : "put_off";
  }
}

/** Tells the operator whose role they have to take away. */
export function tellNotCleared({ log }: Pick<GrantDeps, "log">, discordUserId: string, error: unknown): void {
  const { reason = "", ...described } = describeError(error);
  const advice = `${reason}: the role may stay, take it from the member by hand`;
  log.error("role_connection_not_cleared", { discordUserId, ...described, reason: advice });
}

type UsableTokens = {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly accessTokenSealed: string;
};

/** The result of an end at Discord. `tokens` are the last ones it used; undefined if they were dead or did not open. */
type EndAtDiscord = {
  readonly tokens: UsableTokens | undefined;
  readonly isRoleConnectionLeft: boolean;
  readonly isGrantLeft: boolean;
};

/**
 * Clears the role connection, then revokes, then removes our rows: in this order nothing is lost halfway. Returns whether
 * the role connection is left because Janus could not clear it.
 */
async function endGrant(deps: GrantDeps, grant: EndingGrant): Promise<boolean> {
  const { discordUserId, accessTokenSealed } = grant;
  const { tokens, isRoleConnectionLeft, isGrantLeft } = await endAtDiscord(deps, grant);
  await deps.queries.deleteDiscordToken({
    discordUserId,
    accessTokenSealed: tokens?.accessTokenSealed ?? accessTokenSealed,
    now: deps.now(),
    isRoleConnectionLeft,
    isGrantLeft,
  });
  return isRoleConnectionLeft;
}

const ENDED: EndAtDiscord = { tokens: undefined, isRoleConnectionLeft: false, isGrantLeft: false };

async function endAtDiscord(deps: GrantDeps, grant: EndingGrant): Promise<EndAtDiscord> {
  // The member has ended it, and no token is left.
  if (grant.accessTokenSealed === "") return ENDED;
  const held = openTokens(deps, grant);
  if (held === undefined)
    return giveUp(deps, grant, tokenUnreadable("no key of TOKEN_KEYS opens its tokens"));
  const isExpired = grant.expiresAt <= deps.now();
  let tokens = isExpired ? await refreshToEnd(deps, grant) : held;
  if (typeof tokens === "string") return endWithout(deps, grant, tokens);
  let refusal = await clearRoleConnection(deps, grant, tokens);
  if (refusal?.code === "grant_ended" && !isExpired) {
    // A 401 may speak of this access token alone.
    tokens = await refreshToEnd(deps, grant);
    if (typeof tokens === "string") return endWithout(deps, grant, tokens);
    refusal = await clearRoleConnection(deps, grant, tokens);
  }
  const { discordUserId } = grant;
  const isRevoked = await deps.discord.revokeGrant(
    refusal?.code === "grant_ended" ? tokens.refreshToken : tokens.accessToken,
  );
  if (refusal !== undefined) tellNotCleared(deps, discordUserId, refusal);
  if (!isRevoked) deps.log.error("grant_not_revoked", { discordUserId });
  return { tokens, isRoleConnectionLeft: refusal !== undefined, isGrantLeft: !isRevoked };
}

/** The tokens are dead. If the grant may live on, only a later link flow of the member can end it. */
function endWithout(deps: GrantDeps, grant: EndingGrant, outcome: "ended" | "unknown"): EndAtDiscord {
  if (outcome === "ended") return ENDED;
  return giveUp(
    deps,
    grant,
    grantEnded("token_refresh: the token was spent by a refresh that got no answer"),
  );
}

function giveUp(deps: GrantDeps, grant: EndingGrant, error: JanusError): EndAtDiscord {
  const { discordUserId } = grant;
  const isRoleConnectionLeft = mayHaveRoleConnection(grant);
  if (isRoleConnectionLeft) tellNotCleared(deps, discordUserId, error);
  deps.log.error("grant_given_up", { discordUserId, ...describeError(error) });
  return { tokens: undefined, isRoleConnectionLeft, isGrantLeft: true };
}

/** A grant of a sign-in alone could neither make a role connection nor clear one. */
const mayHaveRoleConnection = ({ scope }: EndingGrant): boolean =>
  scope.split(" ").includes("role_connections.write");

/**
 * Clears the role connection. Returns Discord's final refusal, if there is one: the grant is revoked even then, because
 * otherwise the member could not sign in again. Throws any other failure.
 */
async function clearRoleConnection(
  { discord }: GrantDeps,
  grant: EndingGrant,
  { accessToken }: UsableTokens,
): Promise<JanusError | undefined> {
  if (!mayHaveRoleConnection(grant)) return undefined;
  try {
    await discord.deleteRoleConnection(accessToken);
    return undefined;
  } catch (error) {
    const failure = asJanusError(error);
    if (failure.code === "discord_refused" || failure.code === "grant_ended") return failure;
    throw error;
  }
}

/** The opened tokens; undefined if no key opens them. Those can end nothing, and must not keep the member out. */
function openTokens(deps: GrantDeps, grant: EndingGrant): UsableTokens | undefined {
  const { discordUserId, accessTokenSealed, refreshTokenSealed } = grant;
  try {
    const accessToken = openDiscordToken(deps, "access_token", accessTokenSealed, discordUserId);
    const refreshToken = openDiscordToken(deps, "refresh_token", refreshTokenSealed, discordUserId);
    return { accessToken, refreshToken, accessTokenSealed };
  } catch (error) {
    if (asJanusError(error).code !== "token_unreadable") throw error;
    return undefined;
  }
}

/** Fresh tokens under the lease of the end; else "ended", or "unknown" if an earlier answer was lost. */
async function refreshToEnd(
  deps: GrantDeps,
  { discordUserId, refreshTokenSealed }: EndingGrant,
): Promise<UsableTokens | "ended" | "unknown"> {
  deps.discord.requireTimeToRefresh();
  const now = deps.now();
  const sending = { discordUserId, refreshTokenSealed, isAwaited: isAwaited(deps.discord), now };
  const sent = await deps.queries.setRefreshSent(sending);
  if (sent === undefined) throw discordUnavailable("a later sign-in has brought other tokens");
  const { endCause, refreshRefusals } = sent;
  if (endCause !== null) return outcomeOf(endCause);
  requireRefreshTime(deps.discord, sent.putOffUntil, now);
  const isUnanswered = isFromEarlier(sent.refreshUnansweredSince, now);
  const claimed = { discordUserId, refreshTokenSealed, isUnanswered, refreshRefusals };
  const refreshed = await refresh(deps, claimed, leaseFrom(now).leasedUntil);
  return refreshed.outcome === "refreshed" ? refreshed : refreshed.outcome;
}
