/**
 * This process's clock beside the database's, which all processes share. A difference brings a warning, and no
 * correction.
 */
import type { Log } from "../telemetry/log.ts";
import { describeError } from "../telemetry/log.ts";
import { CLOCK_TOLERANCE_SECONDS } from "../time.ts";

type Needs = {
  /** The time by the database's clock. */
  readonly readDatabaseClock: () => Promise<Date | undefined>;
  readonly now: () => Date;
  readonly log: Log;
};

/** Two processes that are wrong in opposite directions are then as far apart as they may be. */
const WARN_SECONDS = CLOCK_TOLERANCE_SECONDS / 2;
const EVERY_MS = 3_600_000;

/**
 * A function that compares the clocks at its first call, and then once an hour, however often it is called. It warns if
 * they differ by more than half of the tolerance.
 */
export function createClockWatch({ readDatabaseClock, now, log }: Needs): () => Promise<void> {
  let lastMs: number | undefined;
  return async () => {
    const before = now().getTime();
    // If the clock was set back by an hour, compare again, too.
    if (lastMs !== undefined && Math.abs(before - lastMs) < EVERY_MS) return;
    try {
      const byDatabase = await readDatabaseClock();
      lastMs = before;
      if (byDatabase === undefined) return;
      const seconds = Math.round(((before + now().getTime()) / 2 - byDatabase.getTime()) / 1_000);
      if (Math.abs(seconds) > WARN_SECONDS)
        log.warn("clock_differs", { reason: describeDifference(seconds) });
    } catch (error) {
      // Carrying on is right: nothing depends on it, and the next call looks again.
      log.warn("clock_not_compared", describeError(error));
    }
  };
}

function describeDifference(seconds: number): string {
  const direction = seconds > 0 ? "ahead of" : "behind";
  return (
    `this clock is ${Math.abs(seconds)} seconds ${direction} the database's: keep both right, for example with NTP; ` +
    `Janus does not support processes that are more than ${CLOCK_TOLERANCE_SECONDS} seconds apart`
  );
}
