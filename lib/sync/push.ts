/**
 * Keeping Discord's view of a link true: pushing the role connection, now or when it is due. A push that fails changes
 * nothing but when the next one is due.
 */
import type { WorkDeps } from "../deps.ts";
import type { ErrorCode, JanusError } from "../errors.ts";
import { asJanusError } from "../errors.ts";
import type { GrantDeps, HeldGrant } from "../grants/discord_grant.ts";
import { freshAccessToken } from "../grants/discord_grant.ts";
import type { Round } from "../grants/round.ts";
import { ROUND_LIMIT, roundOf } from "../grants/round.ts";
import type { KeptClaims } from "../rules/claims.ts";
import { keepClaims } from "../rules/claims.ts";
import { buildRoleConnection } from "../rules/role_connection.ts";
import { describeError } from "../telemetry/log.ts";
import { CLOCK_TOLERANCE_SECONDS, secondsAfter } from "../time.ts";

/** What this room works with. */
export type Needs = GrantDeps & Pick<WorkDeps, "config" | "recordPush" | "requestId">;

/** When another process may push, should the one that pushes die: longer than a push with its repeats, by whatever clock. */
export const PUSH_LEASE_SECONDS = 120 + CLOCK_TOLERANCE_SECONDS;

const RETRY_BASE_SECONDS = 60;
const RETRY_MAX_SECONDS = 6 * 3_600;

/** Failures of a single link; any other failure may concern all links. */
const REFUSALS: readonly ErrorCode[] = ["grant_ended", "discord_refused", "token_unreadable"];

/** A link whose role connection is to be pushed. */
export type DuePush = HeldGrant & {
  readonly claims: KeptClaims;
  /** Pushes that failed since the last that did not. */
  readonly pushFailures: number;
  /** Until when no other process pushes it. */
  readonly leasedUntil: Date;
};

/**
 * Pushes a link's role connection, and returns once the result is recorded: Discord took it, or the push is due again.
 * Returns the failure, if there is one.
 */
export async function pushLink(deps: Needs, link: DuePush): Promise<JanusError | undefined> {
  const { discordUserId } = link;
  const roleConnection = buildRoleConnection(deps.config.platformName, link.claims);
  try {
    await deps.discord.putRoleConnection(await freshAccessToken(deps, link), roleConnection);
  } catch (error) {
    await reschedule(deps, link, error);
    return asJanusError(error);
  }
  const pushedMetadata = roleConnection.metadata;
  await deps.recordPush({
    discordUserId,
    leasedUntil: link.leasedUntil,
    requestId: deps.requestId,
    pushedMetadata,
    pushedAt: deps.now(),
  });
  return undefined;
}

/** One round: claims links whose push is due and pushes each. */
export async function pushDueLinks(deps: Needs): Promise<Round> {
  const now = deps.now();
  const leasedUntil = secondsAfter(now, PUSH_LEASE_SECONDS);
  const due = await deps.queries.claimPushDue({ limit: ROUND_LIMIT, leasedUntil, now });
  const pushed = await Promise.all(
    due.map((link) => pushLink(deps, { ...link, claims: keepClaims(link.claims), leasedUntil })),
  );
  return {
    ...roundOf(due.length, pushed.filter((failure) => failure === undefined).length),
    metOutage: pushed.some((failure) => failure !== undefined && !REFUSALS.includes(failure.code)),
  };
}

/** Unknown is not no: the link and its tokens stay, whatever Discord said; only the next push is put off. */
async function reschedule(deps: Needs, link: DuePush, error: unknown): Promise<void> {
  const { discordUserId } = link;
  const { retryAfterSeconds } = asJanusError(error);
  deps.log.warn("role_connection_not_pushed", { discordUserId, ...describeError(error) });
  const backoff = Math.min(RETRY_BASE_SECONDS * 2 ** link.pushFailures, RETRY_MAX_SECONDS);
  const now = deps.now();
  const pushDueAt = secondsAfter(now, Math.max(backoff, retryAfterSeconds ?? 0));
  try {
    await deps.queries.setPushDue({
      discordUserId,
      leasedUntil: link.leasedUntil,
      pushDueAt,
      requestId: deps.requestId,
      now,
    });
  } catch (failure) {
    // Carrying on is right: the lease runs out by itself, and then it is pushed again.
    deps.log.warn("push_not_put_off", { discordUserId, ...describeError(failure) });
  }
}
