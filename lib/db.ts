/**
 * The one way to the database: prepared statements through postgres.js, on PostgreSQL or on the embedded one, each
 * with a deadline. Called by `queries.ts` and `migrations.ts` with SQL text from files. It knows no table.
 */
import postgres from "postgres";
import type { Config } from "./config.ts";
import { databaseNotMigrated, databaseUnavailable, JanusError } from "./errors.ts";

/** What a statement's `$n` may be. Objects are for jsonb. */
export type Parameter =
  | string
  | number
  | Date
  | null
  | { readonly [name: string]: string | readonly string[] };

/** Runs one statement. Columns arrive in camelCase; timestamptz arrives as Date, int4 as number. */
export type Query = (text: string, parameters?: readonly Parameter[]) => Promise<readonly unknown[]>;

export type Database = {
  /** Runs one statement, prepared. Throws database_unavailable, database_not_migrated, or what PostgreSQL says. */
  readonly query: Query;
  /** Runs statements in one transaction, which an error rolls back. No deadline: for migrations. */
  readonly transaction: <Result>(work: (query: Query) => Promise<Result>) => Promise<Result>;
  /** Ends the connections, and the embedded database with them. */
  readonly close: () => Promise<void>;
};

const QUERY_DEADLINE_MS = 5_000;
const CONNECT_TIMEOUT_SECONDS = 5;
const CLOSE_TIMEOUT_SECONDS = 5;
const EMBEDDED_CONNECTIONS = 4;
const POOL_CONNECTIONS = 10;

/**
 * Opens the configured database. PostgreSQL is not spoken to before the first query; the embedded one starts here.
 * Throws data_dir_locked.
 */
export async function openDatabase(config: Config["database"]): Promise<Database> {
  const shared = {
    connect_timeout: CONNECT_TIMEOUT_SECONDS,
    fetch_types: false,
    onnotice: () => undefined,
    connection: { application_name: "janus" },
    transform: { column: { from: postgres.toCamel } },
  };
  if (config.url !== undefined) {
    const sql = postgres(config.url, { ...shared, max: POOL_CONNECTIONS, prepare: config.prepare });
    return wrap(sql, config.prepare, async () => undefined);
  }
  // Imported here: a server on PostgreSQL starts without it.
  const { openEmbedded } = await import("./embedded.ts");
  const embedded = await openEmbedded({ dataDir: config.dataDir });
  // Its types do not know `socket`, which it documents.
  const options = { ...shared, max: EMBEDDED_CONNECTIONS, socket: embedded.socket };
  const sql = postgres(options);
  return wrap(sql, true, embedded.close);
}

/** True for an error that a unique or primary key raised. PostgreSQL Appendix A, 23505 */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof postgres.PostgresError && error.code === "23505";
}

function wrap(sql: postgres.Sql, prepare: boolean, closeServer: () => Promise<void>): Database {
  return {
    query: (text, parameters = []) => withDeadline(sql.unsafe(text, [...parameters], { prepare })),
    transaction: async (work) => {
      let result: { readonly value: Awaited<ReturnType<typeof work>> } | undefined;
      try {
        await sql.begin(async (inner) => {
          // Without parameters the simple protocol is used, which takes a text of several statements.
          result = { value: await work((text, parameters = []) => inner.unsafe(text, [...parameters])) };
        });
      } catch (error) {
        throw translate(error);
      }
      if (result === undefined) throw new TypeError("The transaction's work did not run");
      return result.value;
    },
    close: async () => {
      await sql.end({ timeout: CLOSE_TIMEOUT_SECONDS });
      await closeServer();
    },
  };
}

/** postgres.js waits for ever while every host is down: the deadline covers waiting for a connection too. */
async function withDeadline(pending: postgres.PendingQuery<postgres.Row[]>): Promise<readonly unknown[]> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      pending.cancel();
      reject(databaseUnavailable(`no answer within ${QUERY_DEADLINE_MS} ms`));
    }, QUERY_DEADLINE_MS);
  });
  try {
    return await Promise.race([pending, deadline]);
  } catch (error) {
    throw translate(error);
  } finally {
    clearTimeout(timer);
  }
}

/** SQLSTATE classes that say "not now" rather than "not so". PostgreSQL Appendix A */
const UNAVAILABLE =
  /^(08|53|57P|58|25006|CONNECT|ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENOENT|EPIPE)/;
const NOT_MIGRATED = /^(42P01|42703|42883|3F000)$/;

function translate(error: unknown): unknown {
  if (error instanceof JanusError || !(error instanceof Error) || !("code" in error)) return error;
  const code = String(error.code);
  if (UNAVAILABLE.test(code)) return databaseUnavailable(`the database cannot be reached (${code})`, error);
  if (NOT_MIGRATED.test(code))
    return databaseNotMigrated(`the database lacks what the program needs (${code})`, error);
  return error;
}
