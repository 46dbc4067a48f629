/**
 * What a request may spend on all its upstream calls together, so that nobody waits longer than that for a page,
 * however many calls it takes and however many of them hang.
 */

/** A request's time, which runs from when it was made. */
export type Budget = {
  readonly totalMs: number;
  /** What is left; negative once it is overspent. */
  readonly leftMs: () => number;
};

/** Starts a budget. `elapsedMs` is a clock that never goes back. */
export function createBudget(totalMs: number, elapsedMs = (): number => performance.now()): Budget {
  const startedAt = elapsedMs();
  return { totalMs, leftMs: () => totalMs - (elapsedMs() - startedAt) };
}
