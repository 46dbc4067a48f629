/**
 * Waiting for a database that is not there yet, as when both are started together. Only a failure that may pass by itself
 * is waited for: a database that is too new, for example, is reported at once.
 */

import type { JanusError } from "../errors.ts";
import { asJanusError, databaseUnavailable } from "../errors.ts";
import { isRefusal } from "./failures.ts";

const PAUSE_MS = 1_000;

/** For how long, and who is told. */
type Patience = {
  readonly seconds: number;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<void>;
  /** Called before each pause, with what the last try failed with. */
  readonly onWait: (failure: JanusError) => void;
  /** Ends the waiting: the next failure is thrown. */
  readonly signal?: AbortSignal;
};

/** Does the work once the database takes it. Throws what the work throws; database_unavailable after the deadline. */
export async function waitForDatabase<Result>(
  work: () => Promise<Result>,
  { seconds, now, sleep, onWait, signal }: Patience,
): Promise<Result> {
  const from = now().getTime();
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const failure = asJanusError(error);
      const mayPass = failure.code === "database_unavailable" && !isRefusal(failure.cause);
      if (!mayPass || seconds === 0 || signal?.aborted === true) throw error;
      const waited = (now().getTime() - from) / 1_000;
      if (waited >= seconds)
        throw databaseUnavailable(
          // The last try may have begun in time and failed late.
          `waited ${Math.round(waited)} seconds for the database: ${failure.message}`,
          failure.cause,
        );
      onWait(failure);
      await sleep(PAUSE_MS);
    }
  }
}
