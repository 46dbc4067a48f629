/**
 * Losses: what Discord is told at once, unless the brake holds it. Where other links, or the claims of the loss itself, are
 * to be read first, the same round reads them. So a loss ends with the upkeep that finds it, however seldom that comes.
 */
import type { WorkDeps } from "../deps.ts";
import type { Round } from "../grants/round.ts";
import { ROUND_LIMIT } from "../grants/round.ts";
import { secondsAfter } from "../time.ts";
import type { BrakeState } from "./brake.ts";
import { decideBrake } from "./brake.ts";
import type { CheckNeeds } from "./check.ts";
import { checkRound, roundOfChecks } from "./check_round.ts";
import type { DuePush, LossHandling, Needs, Push } from "./push.ts";
import { PUSH_LEASE_SECONDS, pushAll, roundOfPushes } from "./push.ts";

/** Claims that were read earlier say too little of now to take anything, unless the operator wants it so. */
const FRESH_SECONDS = 3_600;
/** When a loss is looked at again whose claims cannot be read now. */
const AGAIN_SECONDS = 60;

/** What was told, and whether links are to be read before more is. */
type Telling = { readonly pushes: readonly Push[]; readonly waitsForChecks: boolean };

/**
 * One round: claims links that lose something, and tells Discord, as far as the brake allows. If links are to be read first,
 * it reads some.
 */
export async function pushDueLosses(deps: CheckNeeds & Pick<WorkDeps, "upstreamBudgets">): Promise<Round> {
  const { pushes, waitsForChecks } = await tell(deps, await decideBrake(deps));
  const told = roundOfPushes(pushes);
  if (!waitsForChecks || told.metOutage) return told;
  if (!(await deps.upstreamBudgets.mayBegin(["provider"]))) return told;
  const read = roundOfChecks(deps, await checkRound(deps));
  return {
    claimed: told.claimed + read.claimed,
    // Whatever was read may be what the losses wait for.
    isFull: told.isFull || read.claimed > 0,
    done: told.done + read.done,
    metOutage: read.metOutage,
  };
}

/** The same without reading any link: what the brake lets go now waits for nothing else. */
export async function tellDueLosses(deps: Needs): Promise<Round> {
  return roundOfPushes(await tellLosses(deps));
}

/** The pushes of one round; none while the brake holds all losses. */
export async function tellLosses(deps: Needs): Promise<readonly Push[]> {
  return (await tell(deps, await decideBrake(deps))).pushes;
}

async function tell(deps: Needs, brake: BrakeState): Promise<Telling> {
  if (brake.state === "idle") return { pushes: [], waitsForChecks: false };
  const isLooking = brake.state === "looking";
  if (isLooking && !brake.tellsGone) return { pushes: [], waitsForChecks: true };
  const now = deps.now();
  const releasedUntil = isLooking ? null : brake.releasedUntil;
  const foundUntil = brake.state === "held" ? releasedUntil : secondsAfter(now, PUSH_LEASE_SECONDS);
  if (foundUntil === null) return { pushes: [], waitsForChecks: false };
  const leasedUntil = secondsAfter(now, PUSH_LEASE_SECONDS);
  const due = await deps.queries.claimLossDue({
    limit: ROUND_LIMIT,
    leasedUntil,
    now,
    foundUntil,
    seenAfter: secondsAfter(now, -FRESH_SECONDS),
    releasedUntil,
    againAt: secondsAfter(now, AGAIN_SECONDS),
    issuer: deps.config.oidc.issuer,
    onlyGone: isLooking,
  });
  const handlingOf = ({ lossFoundAt }: DuePush): LossHandling =>
    releasedUntil !== null && lossFoundAt !== null && lossFoundAt <= releasedUntil ? "told" : "counted";
  const claimed = due.filter(({ isClaimed }) => isClaimed).map((link) => ({ ...link, leasedUntil }));
  const pushes = await pushAll(deps, claimed, handlingOf);
  return { pushes, waitsForChecks: isLooking || claimed.length < due.length };
}
