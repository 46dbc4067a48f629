/** The pace of upkeep: how fast it may ask other servers for something, over all its duties. */
import type { WorkDeps } from "../deps.ts";

/**
 * How many grants and pushes upkeep begins in a second, over all duties of one process. Each is one to four requests, so
 * members keep more than half of the 50 requests a second that Discord allows. If Discord refuses each of them once, that is
 * 3,000 refusals in ten minutes. Discord blocks an address after 10,000, so even three processes stay below that.
 */
export const STARTS_PER_SECOND = 5;

/** Spaces rounds. */
type Pace = {
  /** Waits as long as the last round is worth at this pace, or until `signal` is aborted. */
  readonly wait: (signal: AbortSignal) => Promise<void>;
  /** Reports how many grants or pushes a round has begun. */
  readonly spend: (starts: number) => void;
};

/** Makes a pace. The first round does not wait. */
export function createPace({ now, sleep }: Pick<WorkDeps, "now" | "sleep">): Pace {
  let begunAtMs = 0;
  let costMs = 0;
  return {
    wait: async (signal) => {
      // If the clock was set back, do not wait longer than the round is worth.
      const elapsedMs = Math.max(0, now().getTime() - begunAtMs);
      if (elapsedMs < costMs) await Promise.race([sleep(costMs - elapsedMs), aborted(signal)]);
      begunAtMs = now().getTime();
      costMs = 0;
    },
    spend: (starts) => {
      costMs = (starts / STARTS_PER_SECOND) * 1_000;
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
