/**
 * One run of a step for a callback that a browser sends several times at once, after a double press or by a retry of its
 * own. A code is single use, and a server that sees it twice may end the tokens that it gave for it. RFC 6749 4.1.2
 */

/** Runs the work, or waits for the run of the same key that is under way. */
export type Share<Result> = (key: string, work: () => Promise<Result>) => Promise<Result>;

/**
 * Shares the runs of one step. A result holds a member's secrets. So the key must contain something that only the flow's
 * browser has, such as its record, and the caller must have checked it.
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
