/** Time: how far clocks may differ, stopwatches, and deadlines for many things at once. */

/**
 * How far the clocks of two processes may differ. A lease lasts that much longer than the work under it, and a time that is
 * further ahead than a correct clock can have set it is not believed. docs/decisions/0028
 */
export const CLOCK_TOLERANCE_SECONDS = 300;

/** A time that many seconds after another; before it, if negative. */
export const secondsAfter = (time: Date, seconds: number): Date => new Date(time.getTime() + seconds * 1_000);

/** The later of two times; null counts as none. */
export const laterOf = (time: Date, other: Date | null): Date =>
  other !== null && other > time ? other : time;

/** Something under way. `onLate` is called at most once, and not after `delete`. */
type Pending = { readonly lateAt: number; readonly onLate: () => void };

/** Starts a stopwatch. The function that it returns tells how many milliseconds have passed. */
export function startStopwatch(): () => number {
  const from = performance.now();
  return () => performance.now() - from;
}

/** Whether something settles within a time, whatever the result. It has a timer of its own, so it is for rare things. */
export function settlesWithin(work: PromiseLike<unknown>, ms: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), Math.max(0, ms)).unref();
  const settle = (): void => {
    clearTimeout(timer);
    resolve(true);
  };
  work.then(settle, settle);
  return promise;
}

/** Deadlines of the same length, in milliseconds. They share one timer, which keeps no process alive. */
export function createDeadlines(ms: number) {
  // A set keeps its order, and the time is the same for all: the first is the next to be late.
  const underWay = new Set<Pending>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const look = (): void => {
    timer = undefined;
    const now = performance.now();
    for (const pending of underWay) {
      if (pending.lateAt > now) {
        arm(pending.lateAt - now);
        return;
      }
      underWay.delete(pending);
      pending.onLate();
    }
  };
  const arm = (wait: number): void => {
    if (timer === undefined) timer = setTimeout(look, Math.ceil(wait)).unref();
  };

  return {
    /** Begins a deadline. */
    add: (onLate: () => void): Pending => {
      const pending = { lateAt: performance.now() + ms, onLate };
      underWay.add(pending);
      arm(ms);
      return pending;
    },
    /** How many milliseconds are left of one; negative once it has passed. */
    leftOf: ({ lateAt }: Pending): number => lateAt - performance.now(),
    /** Ends a deadline. */
    delete: (pending: Pending): void => void underWay.delete(pending),
  };
}
