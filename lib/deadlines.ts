/**
 * One deadline for many things under way, by one timer: a timer for each would cost more than what it guards. It knows
 * nothing of what is late.
 */

/** What is under way; `onLate` is called at most once, and not after `delete`. */
type Pending = { readonly lateAt: number; readonly onLate: () => void };

/** Starts to count; what it returns says how many milliseconds have passed. */
export function startStopwatch(): () => number {
  const from = performance.now();
  return () => performance.now() - from;
}

/** Whether something settles within this time, one way or the other. Has a timer of its own: for what is rare. */
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

/** Things under way that are all given the same time, in milliseconds. The timer keeps no process alive. */
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
    /** Ends it: what was late is not late any more. */
    delete: (pending: Pending): void => void underWay.delete(pending),
  };
}
