/**
 * Whether the database accepts writes, for `/readyz`, which must not write at each probe. A read-only server says so
 * by itself; a full disk shows only when a write fails. docs/decisions/0023
 */
import { asJanusError } from "../errors.ts";
import { isDiskFull, isReadOnly } from "./failures.ts";
import type { Query } from "./run.ts";

/** Why a database that answers accepts no writes. */
export type Hindrance = "database_read_only" | "database_full";

/**
 * Fails like a write if transactions are read-only. Because it is an error, Janus tries a new connection and the next
 * server, as for a write.
 */
const REFUSE_READ_ONLY =
  "do $$ begin if current_setting('transaction_read_only') = 'on' then raise read_only_sql_transaction; end if; end $$";

/**
 * Writes a temporary megabyte, by default on the same disk as the tables; PostgreSQL removes it when the statement ends.
 * This works on a read-only server, too.
 */
const SPILL =
  "do $$ begin perform set_config('work_mem', '64kB', true); perform count(*) from generate_series(1, 20000); end $$";

/** Whether writes work. */
type Writable = {
  /** Learns of a failed statement. */
  readonly note: (error: unknown) => void;
  /** Asks why the database accepts no writes now. It writes only if an earlier write has met a full disk. */
  readonly findHindrance: (query: Query) => Promise<Hindrance | undefined>;
};

/** Remembers whether a write has met a full disk. */
export function createWritable(): Writable {
  let isFull = false;
  return {
    note: (error) => {
      if (isDiskFull(error)) isFull = true;
    },
    findHindrance: async (query) => {
      if ((await failureOf(query(REFUSE_READ_ONLY), isReadOnly)) !== undefined) return "database_read_only";
      if (!isFull) return undefined;
      if ((await failureOf(query(SPILL), isDiskFull)) !== undefined) return "database_full";
      isFull = false;
      return undefined;
    },
  };
}

/** Returns the expected failure, or undefined if there was none. Throws any other. */
async function failureOf(work: Promise<unknown>, isExpected: (error: unknown) => boolean): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    const { cause } = asJanusError(error);
    if (isExpected(cause)) return cause;
    throw error;
  }
}
