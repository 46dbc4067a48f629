/**
 * The time that a request may spend on all its upstream calls together: it bounds how long a member waits for a page,
 * however many calls that takes and however many of them hang.
 */
import type { JanusError } from "../errors.ts";
import type { Upstream } from "./upstream.ts";

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

/** A call is not begun with less than this share of its deadline left: it would be cut off. */
const LEAST_SHARE = 0.2;

/** How long a call may take: its own deadline, or less if its request has less left. */
export function timeFor({ deadlineMs, budget }: Upstream): number {
  return Math.floor(Math.min(deadlineMs, budget?.leftMs() ?? deadlineMs));
}

/**
 * Whether a call can be begun after a wait: its request must have a share of the call's own deadline left, or of half
 * the budget if that is less.
 */
export function hasTimeFor({ deadlineMs, budget }: Upstream, waitMs = 0): boolean {
  if (budget === undefined) return true;
  return budget.leftMs() - waitMs > LEAST_SHARE * Math.min(deadlineMs, budget.totalMs / 2);
}

/** Throws the upstream's unavailable where a call would be cut off. */
export function requireTime(upstream: Upstream, operation: string): void {
  if (!hasTimeFor(upstream)) throw noTimeFor(upstream, operation);
}

/** Throws the upstream's unavailable where a call would not get its whole deadline. */
export function requireWholeDeadline(upstream: Upstream, operation: string): void {
  const { budget, deadlineMs } = upstream;
  if (budget !== undefined && budget.leftMs() < deadlineMs) throw noTimeFor(upstream, operation);
}

const noTimeFor = (upstream: Upstream, operation: string): JanusError =>
  upstream.unavailable(`${operation}: the request has no time left for this call`, { isUntaken: true });

/** Waits for work that others may wait for, too; no longer than its own request has time. */
export async function waitWithin<Result>(
  upstream: Upstream,
  operation: string,
  work: Promise<Result>,
): Promise<Result> {
  if (upstream.budget === undefined) return work;
  const ms = Math.max(0, Math.floor(upstream.budget.leftMs()));
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(upstream.unavailable(`${operation}: no answer within ${ms} ms`)),
    ms,
  );
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
