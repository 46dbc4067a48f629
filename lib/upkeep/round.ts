/** What a duty of upkeep tells of a round: whether there is more to do, and whether to go on at once. */

/** What one round came to. */
export type Round = {
  /** How many rows it took. */
  readonly claimed: number;
  /** Whether it took as many as it may, so that more may be waiting. */
  readonly isFull: boolean;
  /** How many of them are done. */
  readonly done: number;
  /** Whether a server gave no answer, or asked to be left alone. */
  readonly metOutage: boolean;
};

/** Whether the next round makes sense at once: there may be more, and what was taken got done. */
export const isWorthAnother = ({ isFull, done, metOutage }: Round): boolean =>
  isFull && done > 0 && !metOutage;

/** A round of up to `limit` ends of grants: what is not done was put off, which an outage alone does. */
export const roundOf = (limit: number, claimed: number, done: number): Round => ({
  claimed,
  isFull: claimed >= limit,
  done,
  metOutage: done < claimed,
});
