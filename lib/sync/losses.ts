/** Losses: what Discord is told at once, unless the brake holds it. */
import type { Round } from "../grants/round.ts";
import { ROUND_LIMIT } from "../grants/round.ts";
import { secondsAfter } from "../time.ts";
import { decideBrake } from "./brake.ts";
import type { DuePush, LossHandling, Needs, Push } from "./push.ts";
import { PUSH_LEASE_SECONDS, pushAll, roundOfPushes } from "./push.ts";

/** One round: claims links that lose something, and tells Discord, as far as the brake allows. */
export async function pushDueLosses(deps: Needs): Promise<Round> {
  return roundOfPushes(await tellLosses(deps));
}

/** The pushes of one round; none while the brake holds all losses. */
export async function tellLosses(deps: Needs): Promise<readonly Push[]> {
  const brake = await decideBrake(deps);
  if (brake.state === "idle" || brake.state === "looking") return [];
  const now = deps.now();
  const { releasedUntil } = brake;
  const foundUntil = brake.state === "free" ? secondsAfter(now, PUSH_LEASE_SECONDS) : releasedUntil;
  if (foundUntil === null) return [];
  const leasedUntil = secondsAfter(now, PUSH_LEASE_SECONDS);
  const due = await deps.queries.claimLossDue({ limit: ROUND_LIMIT, leasedUntil, now, foundUntil });
  const handlingOf = ({ lossFoundAt }: DuePush): LossHandling =>
    releasedUntil !== null && lossFoundAt !== null && lossFoundAt <= releasedUntil ? "told" : "counted";
  return pushAll(
    deps,
    due.map((link) => ({ ...link, leasedUntil })),
    handlingOf,
  );
}
