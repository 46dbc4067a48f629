/**
 * Keeping Discord's view of a link true. This room owns when a role connection is pushed: when it is due (this file), and
 * when a member asks (`sync_now.ts`). A push that fails changes nothing but when the next one is due.
 *
 * `rules/` decides what is pushed, `discord/` sends it, `grants/` provides the access token, and `link/` owns the link.
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
export type Needs = GrantDeps & Pick<WorkDeps, "config" | "requestId">;

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
 * Pushes a link's role connection, and returns once the result is recorded: Discord took it, or the push is due again. The
 * member's next request may reach another process, so nobody is told before. Returns the failure, if there is one.
 */
export async function pushLink(deps: Needs, link: DuePush): Promise<JanusError | undefined> {
  const roleConnection = buildRoleConnection(deps.config.platformName, link.claims);
  try {
    await deps.discord.putRoleConnection(await freshAccessToken(deps, link), roleConnection);
  } catch (error) {
    await recordFailure(deps, link, error);
    return asJanusError(error);
  }
  const pushedMetadata = roleConnection.metadata;
  await record(deps, link, (values) => deps.queries.setPushed({ ...values, pushedMetadata }));
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
async function recordFailure(deps: Needs, link: DuePush, error: unknown): Promise<void> {
  const { retryAfterSeconds } = asJanusError(error);
  deps.log.warn("role_connection_not_pushed", {
    discordUserId: link.discordUserId,
    ...describeError(error),
  });
  const backoff = Math.min(RETRY_BASE_SECONDS * 2 ** link.pushFailures, RETRY_MAX_SECONDS);
  await record(deps, link, (values) => {
    const pushDueAt = secondsAfter(values.now, Math.max(backoff, retryAfterSeconds ?? 0));
    return deps.queries.setPushDue({ ...values, pushDueAt });
  });
}

/** What the record of a push says of it, whatever its result. */
type PushRecord = Pick<DuePush, "discordUserId" | "leasedUntil"> &
  Pick<Needs, "requestId"> & { readonly now: Date };

/** Stores the result of a push, which frees its lease. Never rejects. */
async function record(
  deps: Needs,
  { discordUserId, leasedUntil }: DuePush,
  store: (values: PushRecord) => Promise<void>,
): Promise<void> {
  try {
    await store({ discordUserId, leasedUntil, requestId: deps.requestId, now: deps.now() });
  } catch (error) {
    // Carrying on is right: the lease runs out by itself, and then the link is pushed again.
    deps.log.warn("push_not_recorded", { discordUserId, ...describeError(error) });
  }
}
