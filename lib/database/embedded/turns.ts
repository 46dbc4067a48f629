/**
 * Who uses PGlite's one session, and for how long: callers take turns, in the order of their calls, and a
 * transaction is one turn. `session.ts` runs the statements. docs/decisions/0008
 */
import { databaseUnavailable } from "../../errors.ts";
import { createDeadlines } from "../../time.ts";
import { translate } from "../failures.ts";
import type { Database } from "../open.ts";
import type { Query } from "../run.ts";
import { CLOSED, noAnswer, QUERY_DEADLINE_MS, wrongAnswer } from "../run.ts";
import { createWritable } from "../writable.ts";
import type { Session } from "./session.ts";

/** How turns are limited. */
export type TurnOptions = {
  /** How long a transaction may keep the others waiting without a statement. */
  readonly idleTransactionMs?: number;
  /** How many turns pass between two rounds of vacuum and checkpoint. */
  readonly housekeepingTurns?: number;
};

/** A database with a turn for who reads its files. */
export type TurnDatabase = Database & {
  /** Does work on the files, which hold everything by then and do not change meanwhile. */
  readonly whileStill: <Result>(work: () => Promise<Result>) => Promise<Result>;
};

const IDLE_TRANSACTION_MS = 30_000;
const HOUSEKEEPING_TURNS = 5_000;

/** Makes a database of a session. Closing it refuses those who wait, and rolls back an open transaction. */
export function createEmbeddedDatabase(session: Session, options: TurnOptions): TurnDatabase {
  const { idleTransactionMs = IDLE_TRANSACTION_MS, housekeepingTurns = HOUSEKEEPING_TURNS } = options;
  const idle = createDeadlines(idleTransactionMs);
  const writable = createWritable();
  const turns = createTurns();
  let turnsSoFar = 0;

  const use = async <Result>(turn: Promise<Result>): Promise<Result> => {
    try {
      return await turn;
    } catch (error) {
      writable.note(error);
      throw translate(error);
    } finally {
      turnsSoFar += 1;
      if (turnsSoFar % housekeepingTurns === 0) void keepHouse();
    }
  };

  /** A single-user PostgreSQL has no autovacuum and no checkpointer: without this, dead rows and WAL pile up. */
  const keepHouse = async (): Promise<void> => {
    try {
      await turns.take(async () => {
        await session.run("vacuum (analyze)", []);
        await session.run("checkpoint", []);
      });
    } catch (error) {
      // Carrying on is right: nobody waits for it, and the next round tries again.
      writable.note(error);
    }
  };

  const query: Query = async (text, parameters = [], isAnswer = () => true) => {
    const rows = await use(turns.takeInTime(() => session.run(text, parameters)));
    if (rows.every(isAnswer)) return rows;
    throw wrongAnswer();
  };
  return {
    query,
    transaction: (work) => use(turns.take(() => runTransaction(session, work, idle, turns.closing))),
    findHindrance: () => writable.findHindrance(query),
    whileStill: (work) =>
      use(
        turns.take(async () => {
          await session.run("checkpoint", []);
          return work();
        }),
      ),
    close: async () => {
      await turns.end();
      await session.close();
    },
  };
}

/** The queue for the session. */
function createTurns() {
  const deadlines = createDeadlines(QUERY_DEADLINE_MS);
  const closing = new AbortController();
  /** Settles when everybody who has come so far has had a turn. */
  let last: Promise<void> = Promise.resolve();

  const takeAfter = async <Result>(
    work: () => Promise<Result>,
    wait: (before: Promise<void>) => Promise<void>,
  ): Promise<Result> => {
    const before = last;
    const turn = Promise.withResolvers<void>();
    last = turn.promise;
    try {
      await wait(before);
      closing.signal.throwIfAborted();
      return await work();
    } finally {
      // One that has waited too long leaves before its turn.
      void before.then(turn.resolve);
    }
  };
  return {
    /** Waits for a turn, and does the work in it. */
    take: <Result>(work: () => Promise<Result>) => takeAfter(work, (before) => before),

    /** Waits as long as a statement may take. Work whose turn does not come in time is not done. */
    takeInTime: <Result>(work: () => Promise<Result>) =>
      takeAfter(work, async (before) => {
        const late = Promise.withResolvers<never>();
        const pending = deadlines.add(() => late.reject(noAnswer()));
        await Promise.race([before, late.promise]).finally(() => deadlines.delete(pending));
      }),

    /** Refuses those who wait and those to come, and waits for the one whose turn it is. */
    end: (): Promise<void> => {
      closing.abort(databaseUnavailable(CLOSED));
      return last;
    },
    /** Aborted by `end`. */
    closing: closing.signal,
  };
}

async function runTransaction<Result>(
  session: Session,
  work: (query: Query) => Promise<Result>,
  idle: ReturnType<typeof createDeadlines>,
  closing: AbortSignal,
): Promise<Result> {
  const over = new AbortController();
  const signal = AbortSignal.any([closing, over.signal]);
  const onIdle = (): void => over.abort(databaseUnavailable("a transaction was idle and is rolled back"));
  let pending = idle.add(onIdle);
  const query: Query = async (text, parameters = []) => {
    try {
      return await session.run(text, parameters, signal);
    } finally {
      idle.delete(pending);
      pending = idle.add(onIdle);
    }
  };
  try {
    return await session.transact(() => work(query), signal);
  } finally {
    idle.delete(pending);
    // A later statement would run outside of the transaction.
    over.abort(databaseUnavailable("the transaction is over"));
  }
}
