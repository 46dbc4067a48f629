/**
 * Writes that must not get lost while the database is down: tokens that only this process has. Each write is tried at
 * once, and again at every round of upkeep until it has succeeded. This file does not know what is written.
 */

import { asJanusError } from "../errors.ts";
import type { LogStep } from "../telemetry/events.ts";
import type { Log } from "../telemetry/log.ts";
import { describeError } from "../telemetry/log.ts";

/** Keeps writes until they have succeeded. Repeating a write must change nothing. */
export type Unstored = {
  /**
   * Begins a write, and keeps it until it has succeeded. `step` names it in the log. Resolves after the first try: whether
   * the write has succeeded.
   */
  readonly store: (step: LogStep, work: () => Promise<unknown>) => Promise<boolean>;
  /** Waits for the writes that are under way, then tries those that have failed once more. */
  readonly retry: () => Promise<void>;
  /** Logs what has not been stored, as lost. Called when the process stops. */
  readonly giveUp: () => void;
};

/** More than a process collects in an outage. Further writes are logged as lost. */
const MAX_WAITING = 1_000;

type Write = { readonly step: LogStep; readonly work: () => Promise<unknown> };

/** Makes the keeper of one process. */
export function createUnstored(log: Log): Unstored {
  const failed = new Set<Write>();
  const underWay = new Map<Promise<boolean>, Write>();

  const attempt = async (write: Write): Promise<boolean> => {
    const { step, work } = write;
    try {
      await work();
      failed.delete(write);
      return true;
    } catch (error) {
      // Any other failure would come again for ever.
      const mayPass = asJanusError(error).code.startsWith("database_");
      if (mayPass && (failed.has(write) || failed.size < MAX_WAITING)) {
        failed.add(write);
        log.warn("tokens_not_stored_yet", { step, ...describeError(error) });
        return false;
      }
      failed.delete(write);
      log.error("tokens_lost", { step, ...describeError(error) });
      return false;
    }
  };
  const begin = (write: Write): Promise<boolean> => {
    const attempting = attempt(write).finally(() => underWay.delete(attempting));
    underWay.set(attempting, write);
    return attempting;
  };

  return {
    store: (step, work) => begin({ step, work }),
    retry: async () => {
      await Promise.all(underWay.keys());
      for (const write of failed) begin(write);
      await Promise.all(underWay.keys());
    },
    giveUp: () => {
      for (const { step } of new Set([...failed, ...underWay.values()]))
        log.error("tokens_lost", { step, reason: "Janus stopped before the database had stored them" });
    },
  };
}
