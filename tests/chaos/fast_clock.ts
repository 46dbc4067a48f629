/**
 * Time that runs faster than the machine's, the same in every process: leases end, tokens expire and retries come due
 * within a minute. What waits, and what may take how long, is shorter by the same measure, so that nothing holds but what
 * would hold at the ordinary speed.
 */

/** How much faster. */
export const SPEED = 10;
/** How long an upstream call may take, on the machine's clock: 5 seconds and a little, at that speed. */
export const DEADLINE_MS = 700;
/** What the upstream calls of a request may take together: as many times a deadline as the program has it. */
export const BUDGET_MS = (DEADLINE_MS * 9) / 5;
/** How often upkeep comes, on the machine's clock. */
export const UPKEEP_SECONDS = 1;

/** The machine's own clock, in milliseconds. A test may give the rest of the process another. */
export const wallClock: () => number = Date.now;

/** A clock that began at a time of the machine's. */
export type FastClock = {
  readonly now: () => Date;
  readonly skip: (seconds: number) => void;
};

/** Starts one. */
export function createFastClock(startedAt: number): FastClock {
  let skippedMs = 0;
  return {
    now: () => new Date(startedAt + (wallClock() - startedAt) * SPEED + skippedMs),
    skip: (seconds) => {
      skippedMs += seconds * 1_000;
    },
  };
}
