/** The pace of upkeep: how fast it may ask other servers for something, over all its duties. */
import type { Deps } from "../deps.ts";

/**
 * How many grants and pushes upkeep begins in a second, over all duties of one process. Each is one to four requests, so
 * members keep most of the 50 requests a second that Discord allows. Where Discord refuses every one of them, some 3,000
 * refusals in ten minutes stay below the 10,000 after which it blocks the address, for three processes too.
 */
export const STARTS_PER_SECOND = 5;

/** Spaces rounds. */
export type Pace = {
  /** Waits until the rounds before are paid for, or until `signal` is aborted. */
  readonly wait: (signal: AbortSignal) => Promise<void>;
  /** Says how many a round has begun. */
  readonly spend: (starts: number) => void;
};

/** A pace that has nothing to wait for yet. */
export function createPace({ now, sleep }: Pick<Deps, "now" | "sleep">): Pace {
  let begunAtMs = 0;
  let costMs = 0;
  return {
    wait: async (signal) => {
      // A clock that was put back must not make it wait longer than the round was worth.
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
