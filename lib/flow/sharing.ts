/**
 * One run of a step for the callbacks that a browser sends several times at once, by a double press or a repeat of its
 * own. A code is single use, and a server that sees it twice may end what it gave for it. RFC 6749 4.1.2
 */

/** Runs the work, or waits for the run of the same key that is under way. */
export type Share<Result> = (key: string, work: () => Promise<Result>) => Promise<Result>;

/**
 * Makes what shares the runs of one step. A result holds a member's secrets: the key must hold what only the browser of
 * the flow has, such as its record, and the caller must have checked it.
 */
export function createSharing<Result>(): Share<Result> {
  const underWay = new Map<string, Promise<Result>>();
  return (key, work) => {
    const known = underWay.get(key);
    if (known !== undefined) return known;
    const run = work().finally(() => underWay.delete(key));
    underWay.set(key, run);
    return run;
  };
}
