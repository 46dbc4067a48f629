/**
 * Looks whose command was answered before they were done: nobody waits for them but a process that stops. Their request is
 * over, so the listener no longer counts them.
 */

/** The late looks of one process. */
export type LateLooks = {
  /** Keeps one until it is done, whether or not it succeeds. */
  readonly add: (look: Promise<unknown>) => void;
  readonly count: () => number;
  /** Resolves once all are done, also those that come meanwhile. */
  readonly settled: () => Promise<void>;
};

/** Makes the keeper of one process. */
export function createLateLooks(): LateLooks {
  const underWay = new Set<Promise<unknown>>();
  return {
    add: (look) => {
      const done: Promise<unknown> = look.catch(ignore).finally(() => underWay.delete(done));
      underWay.add(done);
    },
    count: () => underWay.size,
    settled: async () => {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}

/** Carrying on is right: the command was answered with "try again", and the log has it as failed. */
const ignore = (): void => undefined;
