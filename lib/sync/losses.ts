/** Losses: what Discord is told at once, unless the brake holds it. */
import type { Round } from "../grants/round.ts";
import { ROUND_LIMIT } from "../grants/round.ts";
import { secondsAfter } from "../time.ts";
import type { BrakeState } from "./brake.ts";
import { decideBrake } from "./brake.ts";
import type { DuePush, LossHandling, Needs, Push } from "./push.ts";
import { PUSH_LEASE_SECONDS, pushAll, roundOfPushes } from "./push.ts";

/** Claims that were read earlier say too little of now to take anything, unless the operator wants it so. */
const FRESH_SECONDS = 3_600;
/** When a loss is looked at again whose claims cannot be read now. */
const AGAIN_SECONDS = 60;

/** How many links a process had seen read when it last waited for more. */
const waitedFor = new WeakMap<Needs["queries"], number>();

/**
 * One round: claims links that lose something, and tells Discord, as far as the brake allows. While other links are read
 * first, another round makes sense after each round of checks.
 */
export async function pushDueLosses(deps: Needs): Promise<Round> {
  const brake = await decideBrake(deps);
  const round = roundOfPushes(await tell(deps, brake));
  if (brake.state !== "looking") return round;
  const goesOn = waitedFor.get(deps.queries) !== brake.seen;
  waitedFor.set(deps.queries, brake.seen);
  return { ...round, isFull: goesOn, done: round.done + 1 };
}

/** The pushes of one round; none while the brake holds all losses. */
export async function tellLosses(deps: Needs): Promise<readonly Push[]> {
  return tell(deps, await decideBrake(deps));
}

async function tell(deps: Needs, brake: BrakeState): Promise<readonly Push[]> {
  const isLooking = brake.state === "looking";
  if (brake.state === "idle" || (isLooking && !brake.tellsGone)) return [];
  const now = deps.now();
  const releasedUntil = isLooking ? null : brake.releasedUntil;
  const foundUntil = brake.state === "held" ? releasedUntil : secondsAfter(now, PUSH_LEASE_SECONDS);
  if (foundUntil === null) return [];
  const leasedUntil = secondsAfter(now, PUSH_LEASE_SECONDS);
  const due = await deps.queries.claimLossDue({
    limit: ROUND_LIMIT,
    leasedUntil,
    now,
    foundUntil,
    seenAfter: secondsAfter(now, -FRESH_SECONDS),
    releasedUntil,
    againAt: secondsAfter(now, AGAIN_SECONDS),
    onlyGone: isLooking,
  });
  const handlingOf = ({ lossFoundAt }: DuePush): LossHandling =>
    releasedUntil !== null && lossFoundAt !== null && lossFoundAt <= releasedUntil ? "told" : "counted";
  return pushAll(
    deps,
    due.filter(({ isClaimed }) => isClaimed).map((link) => ({ ...link, leasedUntil })),
    handlingOf,
  );
}
