/**
 * Waiting for a database that is not there yet, as when both are started together. Called by the server and by
 * `migrate`. Only what may pass by itself is waited for: a database that is too new, say, is told at once.
 */
import type { JanusError } from "./errors.ts";
import { asJanusError, databaseUnavailable } from "./errors.ts";

const PAUSE_MS = 1_000;

/** For how long, and who is told. */
export type Patience = {
  readonly seconds: number;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<void>;
  /** Called before each pause, with what the last try failed with. */
  readonly onWait: (failure: JanusError) => void;
  /** Ends the waiting: the next failure is thrown. */
  readonly signal?: AbortSignal;
};

/** Does the work once the database takes it. Throws what the work throws; database_unavailable after the deadline. */
export async function onceDatabaseAnswers<Result>(
  work: () => Promise<Result>,
  { seconds, now, sleep, onWait, signal }: Patience,
): Promise<Result> {
  const until = now().getTime() + seconds * 1_000;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const failure = asJanusError(error);
      const mayPass = failure.code === "database_unavailable" && !isRefusal(failure.cause);
      if (!mayPass || seconds === 0 || signal?.aborted === true) throw error;
      if (now().getTime() >= until)
        throw databaseUnavailable(`waited ${seconds} seconds for the database: ${failure.message}`, error);
      onWait(failure);
      await sleep(PAUSE_MS);
    }
  }
}

/** A wrong role, password or name does not become right by waiting. PostgreSQL Appendix A, classes 28 and 3D */
const isRefusal = (cause: unknown): boolean =>
  cause instanceof Error && "code" in cause && /^(28|3D)/.test(String(cause.code));
