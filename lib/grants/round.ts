/** What a duty of upkeep reports of a round: whether there is more to do, and whether to go on at once. */

/** The result of one round. */
export type Round = {
  /** How many rows it took. */
  readonly claimed: number;
  /** Whether it took as many as it may, so that more may be waiting. */
  readonly isFull: boolean;
  /** How many of them it has finished. */
  readonly done: number;
  /** Whether a server gave no answer, or asked to be left alone. */
  readonly metOutage: boolean;
};

/** Whether the next round makes sense at once: there may be more, and what was taken got done. */
export const isWorthAnother = ({ isFull, done, metOutage }: Round): boolean =>
  isFull && done > 0 && !metOutage;

/** How many grants or pushes a round claims at most. */
export const ROUND_LIMIT = 20;

/**
 * A round that claims up to `limit` rows. Whatever is not done was put off by an outage, but for `limited` rows that met a
 * rate limit of their own member's.
 */
export const roundOf = (claimed: number, done: number, limit = ROUND_LIMIT, limited = 0): Round => ({
  claimed,
  isFull: claimed >= limit,
  done,
  metOutage: done + limited < claimed,
});
