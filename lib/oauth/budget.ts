/**
 * The time that a request may spend on all its upstream calls together: it bounds how long a member waits for a page,
 * however many calls that takes and however many of them hang.
 */

/** A request's time, counted from when the budget was made. */
export type Budget = {
  readonly totalMs: number;
  /** The time left; negative once it is overspent. */
  readonly leftMs: () => number;
};

/** Starts a budget. `elapsedMs` is a clock that never goes backwards. */
export function createBudget(totalMs: number, elapsedMs = (): number => performance.now()): Budget {
  const startedAt = elapsedMs();
  return { totalMs, leftMs: () => totalMs - (elapsedMs() - startedAt) };
}
