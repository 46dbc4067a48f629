/** Releases the losses that the brake holds, for a command and for a page. The trail keeps who did it. */
import type { WorkDeps } from "../deps.ts";
import { findBrake } from "../sync/brake.ts";

/** How many links would lose something if the brake let go, and when they were counted. */
export type WaitingLosses = { readonly waiting: number; readonly countedAt: Date };

/** Counts them. */
export async function countWaitingLosses(
  deps: Pick<WorkDeps, "config" | "queries" | "now">,
): Promise<WaitingLosses> {
  const countedAt = deps.now();
  return { waiting: (await findBrake(deps))?.waiting ?? 0, countedAt };
}

/**
 * Releases the losses that were found by then. Later ones wait until an operator has seen them counted. Returns how many
 * links lose something. Servers tell Discord of them within a minute.
 */
export async function releaseLosses(
  { queries, now }: Pick<WorkDeps, "queries" | "now">,
  operator: string,
  foundUntil: Date,
): Promise<number> {
  return (await queries.setReleased({ now: now(), operator, foundUntil }))?.released ?? 0;
}
