/**
 * Keeping links true. This room owns when the claims of a link are read again and when its role connection is pushed:
 *
 *     the claims are read again                  check.ts, read_again.ts
 *     what Discord is told                       decision.ts, member_rules.ts, rule_faults.ts
 *     a push                                     this file; sync_now.ts when a member asks
 *     losses, and the brake that holds them      losses.ts, brake.ts, held_losses.ts
 *
 * A push evaluates the rules with the claims that are stored. If they no longer admit the member, it clears the role
 * connection, and the link stays. A push that fails changes nothing but when the next one is due.
 *
 * `rules/` decides what a claim means, `discord/` and `oidc/` send the requests, `grants/` provides Discord's access tokens,
 * `server/upkeep.ts` says when a round runs, and `link/` owns the link.
 */
import { setImmediate } from "node:timers/promises";
import type { WorkDeps } from "../deps.ts";
import type { ErrorCode } from "../error_codes.ts";
import type { JanusError } from "../errors.ts";
import { asJanusError } from "../errors.ts";
import type { GrantDeps } from "../grants/discord_grant.ts";
import type { Round } from "../grants/round.ts";
import { ROUND_LIMIT, roundOf } from "../grants/round.ts";
import type { CallingGrant, TokenEnd } from "../grants/token_call.ts";
import { callWithToken } from "../grants/token_call.ts";
import { describeError } from "../telemetry/log.ts";
import { CLOCK_TOLERANCE_SECONDS, secondsAfter } from "../time.ts";
import { isHeld } from "./brake.ts";
import type { DecidedLink, Decision, DecisionDeps, Told } from "./decision.ts";
import { changesOf, decide, holdLosses, isAtDiscord, isLoss, isTold } from "./decision.ts";

/** What this room works with. */
export type Needs = GrantDeps &
  DecisionDeps &
  Pick<WorkDeps, "config" | "requestId" | "heldLosses" | "alarm">;

/** When another process may push, should the one that pushes die: longer than a push with its repeats, by whatever clock. */
export const PUSH_LEASE_SECONDS = 120 + CLOCK_TOLERANCE_SECONDS;

const RETRY_BASE_SECONDS = 60;
const RETRY_MAX_SECONDS = 6 * 3_600;

/** Failures of a single link; any other failure may concern all links. */
const REFUSALS: readonly ErrorCode[] = ["grant_ended", "discord_refused", "token_unreadable"];

/** A link whose role connection is to be pushed. */
export type DuePush = CallingGrant &
  DecidedLink & {
    /** Pushes that failed since the last that did not. */
    readonly pushFailures: number;
    /** Since when a loss waits; null if none does. */
    readonly lossFoundAt: Date | null;
    /** Until when no other process pushes it. */
    readonly leasedUntil: Date;
  };

/** What becomes of what a member would lose: it is told, and the brake counts it or not; it waits; or the brake says. */
export type LossHandling = "counted" | "told" | "held" | "by_brake";

/** The result of a push. If it failed, Discord has not been told yet. */
export type Push = PushResult & { readonly discordUserId: string };

type PushResult = {
  readonly failure: JanusError | undefined;
  readonly told: Told;
  /** Whether the member keeps something that the rules take, because losses are held. */
  readonly isHeld: boolean;
  /** Whether Discord was told something else than before. */
  readonly isChanged: boolean;
};

/**
 * Pushes a link's role connection, or clears it, and returns once the result is recorded: Discord took it, or the push is
 * due again. The member's next request may reach another process, so nobody is told before.
 */
export async function pushLink(deps: Needs, link: DuePush, losses: LossHandling = "by_brake"): Promise<Push> {
  return { ...(await pushOne(deps, link, losses)), discordUserId: link.discordUserId };
}

async function pushOne(deps: Needs, link: DuePush, losses: LossHandling): Promise<PushResult> {
  const wanted = decide(deps, link);
  try {
    const loss = isLoss(wanted) ? await handleLoss(deps, losses) : "none";
    const decision = loss === "held" ? holdLosses(wanted, link) : wanted;
    return await tell(deps, link, decision, loss);
  } catch (error) {
    await recordFailure(deps, link, error);
    return { failure: asJanusError(error), told: toldBy(wanted, link), isHeld: false, isChanged: false };
  }
}

/** What Discord has been told by a decision, or will be. */
function toldBy(decision: Decision, { clearedAt }: DuePush): Told {
  if (decision.tells !== "nothing") return decision.tells;
  return clearedAt === null ? "values" : "cleared";
}

async function handleLoss(deps: Needs, losses: LossHandling): Promise<Exclude<LossHandling, "by_brake">> {
  if (losses !== "by_brake") return losses;
  return (await isHeld(deps)) ? "held" : "counted";
}

/** What a push does about a loss. */
type Loss = "none" | Exclude<LossHandling, "by_brake">;

/** Tells Discord, and records that. Throws what Discord throws. */
async function tell(deps: Needs, link: DuePush, decision: Decision, loss: Loss): Promise<PushResult> {
  if (decision.tells === "nothing") {
    const { setLossHeld, setStillCleared } = deps.queries;
    await record(deps, link, loss === "held" ? setLossHeld : setStillCleared);
    return { failure: undefined, told: toldBy(decision, link), isHeld: loss === "held", isChanged: false };
  }
  if (loss === "held" && isTold(decision, link)) {
    await record(deps, link, deps.queries.setLossHeld);
    return { failure: undefined, told: decision.tells, isHeld: true, isChanged: false };
  }
  const { end } = await callWithToken(deps, link, async (accessToken) => {
    await send(deps, accessToken, decision);
    // Discord is reported to keep what it had. https://github.com/discord/discord-api-docs/issues/8524
    if (loss === "counted" || loss === "told") await confirm(deps, link, accessToken, decision);
  });
  if (end !== undefined) {
    await recordFailure(deps, link, end.failure, end);
    return { failure: end.failure, told: decision.tells, isHeld: false, isChanged: false };
  }
  await recordTold(deps, link, decision, loss);
  deps.log.debug("role_connection_told", { discordUserId: link.discordUserId });
  const isChanged = !isTold(decision, link);
  return { failure: undefined, told: decision.tells, isHeld: loss === "held", isChanged };
}

type Telling = Exclude<Decision, { readonly tells: "nothing" }>;

async function send({ discord }: Needs, accessToken: string, decision: Telling): Promise<void> {
  if (decision.tells === "cleared") await discord.deleteRoleConnection(accessToken);
  else await discord.putRoleConnection(accessToken, decision.roleConnection);
}

/** Reads back once what Discord has, and tells it once more if that is not what it was told. Never rejects. */
async function confirm(
  deps: Needs,
  { discordUserId }: DuePush,
  accessToken: string,
  decision: Telling,
): Promise<void> {
  try {
    const has = await deps.discord.findRoleConnection(accessToken);
    const wanted = decision.tells === "cleared" ? {} : decision.roleConnection.metadata;
    if (isAtDiscord(has, wanted)) return;
    deps.log.warn("role_connection_kept", { discordUserId });
    await send(deps, accessToken, decision);
  } catch (error) {
    // Carrying on is right: Discord has taken what it was told, and the next reading shows whether it kept to it.
    deps.log.warn("role_connection_not_read", { discordUserId, ...describeError(error) });
  }
}

/**
 * Records what Discord was told. A role connection that was cleared before was cleared once more: a push that ran beside
 * the first one may have reached Discord after it.
 */
async function recordTold(deps: Needs, link: DuePush, decision: Telling, loss: Loss): Promise<void> {
  const detail = changesOf(decision, link);
  if (decision.tells !== "cleared") {
    const { metadata: pushedMetadata, platform_username: pushedPlatformUsername = null } =
      decision.roleConnection;
    await record(deps, link, (values) =>
      deps.queries.setPushed({ ...values, pushedMetadata, pushedPlatformUsername, loss, detail }),
    );
    return;
  }
  if (link.clearedAt !== null) {
    await record(deps, link, deps.queries.setStillCleared);
    return;
  }
  const { cause: clearCause } = decision;
  // Losses that are held clear nothing.
  const told = loss === "held" ? "none" : loss;
  await record(deps, link, (values) =>
    deps.queries.setLinkCleared({ ...values, clearCause, loss: told, detail }),
  );
}

/** One round: claims links whose push is due and pushes each. What a member would lose waits for `losses.ts`. */
export async function pushDueLinks(deps: Needs): Promise<Round> {
  return roundOfPushes(await tellDue(deps));
}

/** The pushes of one round. */
export async function tellDue(deps: Needs): Promise<readonly Push[]> {
  const now = deps.now();
  const leasedUntil = secondsAfter(now, PUSH_LEASE_SECONDS);
  const due = await deps.queries.claimPushDue({ limit: ROUND_LIMIT, leasedUntil, now });
  return pushAll(
    deps,
    due.map((link) => ({ ...link, leasedUntil })),
    () => "held",
  );
}

/** Pushes each link. */
export async function pushAll(
  deps: Needs,
  links: readonly DuePush[],
  handlingOf: (link: DuePush) => LossHandling,
): Promise<readonly Push[]> {
  const pushes: Promise<Push>[] = [];
  for (const link of links) {
    pushes.push(pushLink(deps, link, handlingOf(link)));
    // An evaluation does not wait for anything. Between two of them, requests have their turn.
    await setImmediate();
  }
  return Promise.all(pushes);
}

/** What a round of pushes reports. */
export function roundOfPushes(pushes: readonly Push[]): Round {
  const failures = pushes.flatMap(({ failure }) => failure ?? []);
  return {
    ...roundOf(pushes.length, pushes.length - failures.length),
    metOutage: failures.some(({ code, limit }) => !REFUSALS.includes(code) && limit !== "member"),
  };
}

/**
 * Unknown is not no: the link and its tokens stay, whatever Discord said; only the next push is put off. After the end of
 * the grant none is due.
 */
async function recordFailure(deps: Needs, link: DuePush, error: unknown, end?: TokenEnd): Promise<void> {
  const { code, retryAfterSeconds } = asJanusError(error);
  deps.log.warn("role_connection_not_pushed", {
    discordUserId: link.discordUserId,
    ...describeError(error),
  });
  const isTokenRefused = end?.kind === "token_refused";
  const usual = Math.min(RETRY_BASE_SECONDS * 2 ** link.pushFailures, RETRY_MAX_SECONDS);
  const backoff = isTokenRefused ? RETRY_MAX_SECONDS : usual;
  await record(deps, link, (values) => {
    const retryAt = secondsAfter(values.now, Math.max(backoff, retryAfterSeconds ?? 0));
    const pushDueAt = end?.kind === "grant_ended" ? null : retryAt;
    return deps.queries.setPushDue({ ...values, pushDueAt, isTokenRefused, code });
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
