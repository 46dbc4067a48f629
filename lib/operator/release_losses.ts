/** Releases the losses that the brake holds, for a command and for a page. The trail keeps who did it. */
import type { WorkDeps } from "../deps.ts";
import { findBrake } from "../sync/brake.ts";

/** How many links would lose something if the brake let go. */
export async function countWaitingLosses(
  deps: Pick<WorkDeps, "config" | "queries" | "now">,
): Promise<number> {
  return (await findBrake(deps))?.waiting ?? 0;
}

/** Lets go what was found until now. Returns how many links that are. Servers tell Discord of them within a minute. */
export async function releaseLosses(
  { queries, now }: Pick<WorkDeps, "queries" | "now">,
  operator: string,
): Promise<number> {
  return (await queries.setReleased({ now: now(), operator }))?.released ?? 0;
}
