/** What several parts of the program must know of time, and none of them owns. */

/**
 * How far the clocks of two processes may be apart. A lease that keeps others away lasts as much longer than the work
 * under it, and a time that lies further ahead than a correct clock can have put it is not believed:
 * docs/decisions/0028.
 */
export const CLOCK_TOLERANCE_SECONDS = 300;

/** A time that many seconds after another; before it, if negative. */
export const secondsAfter = (time: Date, seconds: number): Date => new Date(time.getTime() + seconds * 1_000);
