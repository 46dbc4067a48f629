/**
 * Owns whether the database can be written, for `/readyz`, which must not write for each probe. A server that only reads
 * says so by itself; that a disk is full only a write tells. docs/decisions/0023
 */
import { asJanusError } from "../errors.ts";
import { isDiskFull, isReadOnly } from "./failures.ts";
import type { Query } from "./statements.ts";

/** Why a database that answers cannot be written. */
export type Hindrance = "database_read_only" | "database_full";

/**
 * Fails as a write would where transactions only read: on a standby, and where they were told to. As an error it has a
 * new connection tried, and the next server, as for a write.
 */
const REFUSE_READ_ONLY =
  "do $$ begin if current_setting('transaction_read_only') = 'on' then raise read_only_sql_transaction; end if; end $$";

/**
 * Writes a megabyte that belongs to nobody, where the database has its tables unless it was told otherwise; PostgreSQL
 * removes it when the statement ends. A server that only reads can do it, too.
 */
const SPILL =
  "do $$ begin perform set_config('work_mem', '64kB', true); perform count(*) from generate_series(1, 20000); end $$";

/** Makes the memory of what writes met. */
export function createWritable() {
  let isFull = false;
  return {
    /** Learns of a failed statement. */
    note: (error: unknown): void => {
      if (isDiskFull(error)) isFull = true;
    },

    /** Asks whether the database can be written now. Only where the disk was full when a write last failed, it writes. */
    findHindrance: async (query: Query): Promise<Hindrance | undefined> => {
      if ((await failureOf(query(REFUSE_READ_ONLY), isReadOnly)) !== undefined) return "database_read_only";
      if (!isFull) return undefined;
      if ((await failureOf(query(SPILL), isDiskFull)) !== undefined) return "database_full";
      isFull = false;
      return undefined;
    },
  };
}

/** The failure that is expected, or undefined for none; any other is thrown. */
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
