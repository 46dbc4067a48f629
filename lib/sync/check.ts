/**
 * A check of a link: its claims are read again, the rules are evaluated, and what Discord is to be told becomes due. From
 * time to time Discord is also asked what it has. A check sends Discord nothing else: pushes have duties of their own.
 * `check_round.ts` says which links are checked, and when.
 */
import type { WorkDeps } from "../deps.ts";
import type { ErrorCode } from "../error_codes.ts";
import type { JanusError } from "../errors.ts";
import { asJanusError } from "../errors.ts";
import { endRetryAt } from "../grants/end_retry.ts";
import { readRefreshFailure } from "../grants/refresh_failure.ts";
import { LEASE_SECONDS } from "../grants/refresh_lease.ts";
import { isAwaited, isPutOff, refreshWaitEnd } from "../grants/refresh_wait.ts";
import type { Heard } from "../scim/facts.ts";
import { hearScim } from "../scim/facts.ts";
import { describeError } from "../telemetry/log.ts";
import { laterOf, secondsAfter } from "../time.ts";
import type { Decision } from "./decision.ts";
import { decide, graceEndOf, holdLosses, isLoss, isTold } from "./decision.ts";
import type { DuePush, Needs as PushNeeds } from "./push.ts";
import type { ReadDeps, Reading, ReadMember } from "./read_again.ts";
import { readAgain } from "./read_again.ts";
import { reconcile } from "./reconcile.ts";
import { recordCheck } from "./record_check.ts";

/** What a check works with. */
export type CheckNeeds = PushNeeds & ReadDeps & Pick<WorkDeps, "config">;

/** A link that is checked. */
export type DueCheck = Omit<DuePush, "leasedUntil"> &
  ReadMember & {
    readonly pushedAt: Date | null;
    /** When a push is due, or a running one is over; null if none is. */
    readonly pushDueAt: Date | null;
    readonly claimsSeenAt: Date;
    readonly checkFailures: number;
    /** When Discord was last asked what it has. */
    readonly reconciledAt: Date | null;
    readonly disconnectedAt: Date | null;
    /** Since when the grant at Discord is over: it can be told nothing until the member signs in. */
    readonly discordEndedAt: Date | null;
    /** Since when Discord has something else than it was told. */
    readonly driftFoundAt: Date | null;
  };

/** What a check came to. `unknown`: the claims keep their age. `ended`: the provider has ended the grant. */
export type Checked = CheckResult & { readonly discordUserId: string };

type CheckResult = {
  readonly outcome: "read" | "unknown" | "failed" | "ended";
  readonly failure: JanusError | undefined;
  /** Whether Discord is to be told something, and whether the member loses by that. */
  readonly isPushDue: boolean;
  readonly isLoss: boolean;
};

const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 86_400;
/** A push that is older is repeated, whatever Janus knows of Discord. */
const PUSH_AGAIN_SECONDS = 30 * DAY_SECONDS;
/** Checks spread by a tenth of the time between them, so that links made together are not checked together for ever. */
const JITTER = 0.1;

/** What comes again at the next try as well. */
const LASTING: readonly ErrorCode[] = ["access_token_refused", "token_unreadable"];

/** When the claims of a link are read next. */
export function nextCheckAt({ config }: Pick<CheckNeeds, "config">, now: Date): Date {
  const spread = 1 + JITTER * (2 * Math.random() - 1);
  return secondsAfter(now, config.sync.everyHours * HOUR_SECONDS * spread);
}

/** While a member signs in, a SCIM client may tell of them, and not find their link yet. */
const FIRST_CHECK_SECONDS = 60;

/** When the claims of a link are read first. */
export function firstCheckAt({ config }: Pick<CheckNeeds, "config">, now: Date): Date {
  return config.scim === undefined ? nextCheckAt({ config }, now) : secondsAfter(now, FIRST_CHECK_SECONDS);
}

/** Claims links that are due, up to a limit, and checks each. */
export async function claimAndCheck(deps: CheckNeeds, limit: number): Promise<readonly Checked[]> {
  const now = deps.now();
  const leasedUntil = secondsAfter(now, LEASE_SECONDS);
  const lease = { leasedUntil, now, isAwaited: isAwaited(deps.oidc) };
  const due = await deps.queries.claimCheckDue({ limit, ...lease });
  return Promise.all(
    due.map(async (link) => {
      const { discordUserId } = link;
      const checked = await checkLink(deps, { ...link, leasedUntil });
      deps.log.debug("link_checked", { discordUserId, outcome: checked.outcome });
      return { ...checked, discordUserId };
    }),
  );
}

type LeasedCheck = DueCheck & { readonly leasedUntil: Date };

/** Checks one link that was claimed. A failure leaves everything as it is, but for when the next check is due. */
async function checkLink(deps: CheckNeeds, link: LeasedCheck): Promise<CheckResult> {
  let heard: Heard<LeasedCheck> = { link, isKnown: false, sources: null, isGone: false };
  let reading: Reading;
  try {
    heard = await hearScim(deps, link);
    reading = await readAgain(deps, heard.link);
  } catch (error) {
    return recordFailure(deps, heard, error);
  }
  const renewed = reading.outcome === "read" ? { ...heard.link, ...reading, isOfBackup: false } : heard.link;
  const decision = decide(deps, renewed);
  const isNew = needsPush(deps, renewed, decision);
  // Where Discord is about to be told, what it has does not matter.
  const found = isNew || isLoss(decision) ? "not_asked" : await reconcile(deps, renewed);
  const disconnected = found === "nothing" || (found === "not_asked" && link.disconnectedAt !== null);
  const isTellable = !disconnected && link.discordEndedAt === null;
  const loss = isTellable && isLoss(decision);
  const isPushDue = isTellable && (isNew || found === "other");
  try {
    await recordCheck(deps, {
      ...inputsOf(link),
      claims: reading.outcome === "read" ? reading.claims : null,
      sources: reading.outcome === "read" ? reading.sources : heard.sources,
      checkDueAt: nextDue(deps, link),
      isPushDue,
      isLoss: loss,
      isReconciled: found !== "not_asked",
      isDisconnected: found === "nothing",
      isDrifted: found === "other",
      isGone: heard.isGone,
    });
  } catch (error) {
    // Carrying on is right: the lease runs out by itself, and then the link is checked again.
    deps.log.warn("check_not_recorded", { discordUserId: link.discordUserId, ...describeError(error) });
    return { outcome: "failed", failure: asJanusError(error), isPushDue: false, isLoss: false };
  }
  return {
    outcome: reading.outcome === "read" || heard.isKnown ? "read" : "unknown",
    failure: undefined,
    isPushDue,
    isLoss: loss,
  };
}

const inputsOf = ({ discordUserId, leasedUntil, issuer, subject, discordEndedAt }: LeasedCheck) => ({
  discordUserId,
  leasedUntil,
  issuer,
  subject,
  isGranted: discordEndedAt === null,
});

/** Whether Discord is to be told something that takes nothing from the member. */
function needsPush(deps: CheckNeeds, link: DueCheck, decision: Decision): boolean {
  const allowed = holdLosses(decision, link);
  if (!isTold(allowed, link)) return true;
  const isOld = link.pushedAt !== null && link.pushedAt <= secondsAfter(deps.now(), -PUSH_AGAIN_SECONDS);
  return isOld && allowed.tells !== "nothing" && !link.isOfBackup;
}

/** The end of the grace is not slept through. */
function nextDue(deps: CheckNeeds, link: DueCheck): Date {
  const next = nextCheckAt(deps, deps.now());
  const graceEnd = graceEndOf(deps, link);
  return graceEnd !== null && graceEnd > deps.now() && graceEnd < next ? graceEnd : next;
}

/** Unknown is not no: a failure keeps the claims, the link and the role. Only the provider's own word ends the grant. */
async function recordFailure(
  deps: CheckNeeds,
  { link, sources, isGone }: Heard<LeasedCheck>,
  error: unknown,
): Promise<CheckResult> {
  const { discordUserId, checkFailures } = link;
  const failure = asJanusError(error);
  const isUnanswered = link.refreshUnansweredSince !== null;
  const { isUnspent, isRefused, endCause } = readRefreshFailure({ ...link, isUnanswered }, error);
  deps.log.warn("claims_not_read", {
    discordUserId,
    outcome: endCause === null ? "put_off" : "ended",
    ...describeError(error),
  });
  const now = deps.now();
  const isWaiting = isPutOff(failure);
  const refreshRetryAt = refreshWaitEnd(now, error);
  const retryAt = LASTING.includes(failure.code)
    ? nextCheckAt(deps, now)
    : endRetryAt(now, isWaiting ? 0 : checkFailures, error);
  const ended = { organisationEndedAt: now, organisationEndCause: endCause };
  // What the organisation has said by itself does not wait for the provider.
  const decision = sources === null && link.goneAt === null ? undefined : decide(deps, link);
  const isTellable = link.disconnectedAt === null && link.discordEndedAt === null;
  const tells = decision !== undefined && isTellable;
  const due = { isPushDue: tells && needsPush(deps, link, decision), isLoss: tells && isLoss(decision) };
  try {
    await deps.queries.setCheckFailed({
      ...inputsOf(link),
      // A token that waits was not sent, and nothing is new of it.
      refreshTokenSealed: isWaiting ? null : link.organisationRefreshTokenSealed,
      code: isWaiting ? null : failure.code,
      checkDueAt: endCause === null ? laterOf(retryAt, refreshRetryAt) : nextDue(deps, { ...link, ...ended }),
      isUnspent,
      isRefused,
      endCause,
      refreshRetryAt,
      sources,
      isGone,
      ...due,
      now,
    });
  } catch (error) {
    // Carrying on is right: the lease runs out by itself, and then the link is checked again.
    deps.log.warn("check_not_recorded", { discordUserId, ...describeError(error) });
  }
  return { outcome: endCause === null ? "failed" : "ended", failure, ...due };
}
