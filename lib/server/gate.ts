/**
 * A gate before the database while a server starts: statements that come before the first look at the database wait for
 * it; after a look that failed they are refused, until the database is ready.
 */
import type { Database } from "../database/open.ts";
import { databaseUnavailable } from "../errors.ts";

/** A database behind a gate. */
export type Gate = {
  readonly db: Database;
  /** The database was looked at, and is not ready: nothing waits any longer. */
  readonly looked: () => void;
  /** Lets every statement pass from now on. */
  readonly open: () => void;
};

/** Puts a gate before a database. Statements that it refuses throw database_unavailable. */
export function createGate(db: Database): Gate {
  const looked = Promise.withResolvers<void>();
  let isOpen = false;
  const pass = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    await looked.promise;
    if (isOpen) return work();
    throw databaseUnavailable("Janus waits for the database");
  };
  return {
    db: {
      query: (...statement) => (isOpen ? db.query(...statement) : pass(() => db.query(...statement))),
      transaction: (work) => pass(() => db.transaction(work)),
      findHindrance: () => pass(db.findHindrance),
      ...(db.inspectConnections === undefined ? {} : { inspectConnections: db.inspectConnections }),
      close: db.close,
    },
    looked: looked.resolve,
    open: () => {
      isOpen = true;
      looked.resolve();
    },
  };
}
