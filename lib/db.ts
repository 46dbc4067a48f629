/**
 * The one way to the database: prepared statements through postgres.js, on PostgreSQL or on the embedded one, each
 * with a deadline. Called by `queries.ts` and `migrations.ts` with SQL text from files. It knows no table.
 */
import postgres from "postgres";
import type { Config } from "./config.ts";
import { createDeadlines } from "./deadlines.ts";
import type { Embedded } from "./embedded/embedded.ts";
import { databaseNotMigrated, databaseUnavailable, JanusError } from "./errors.ts";

/** What a statement's `$n` may be. Objects and lists of them are for jsonb. */
export type Parameter = string | number | boolean | Date | null | JsonObject | readonly JsonObject[];

/** What is written as jsonb. */
type JsonObject = { readonly [name: string]: string | null | readonly string[] | JsonObject };

/** Runs one statement. Columns arrive in camelCase; timestamptz arrives as Date, int4 as number. */
export type Query = (text: string, parameters?: readonly Parameter[]) => Promise<readonly unknown[]>;

/** A database, whichever it is. */
export type Database = {
  /** Runs one statement, prepared. Throws database_unavailable, database_not_migrated, or what PostgreSQL says. */
  readonly query: Query;
  /** Runs statements in one transaction, which an error rolls back. No deadline: for migrations. */
  readonly transaction: <Result>(work: (query: Query) => Promise<Result>) => Promise<Result>;
  /** Ends the connections, and the embedded database with them. */
  readonly close: () => Promise<void>;
};

/** Where it is; without an address, embedded in a folder. */
export type DatabaseOptions = Omit<Config["database"], "password"> &
  Partial<Pick<Config["database"], "password">>;

const QUERY_DEADLINE_MS = 5_000;
const deadlines = createDeadlines(QUERY_DEADLINE_MS);
const CONNECT_TIMEOUT_SECONDS = 5;
const CLOSE_TIMEOUT_SECONDS = 2;
const EMBEDDED_CONNECTIONS = 4;
const POOL_CONNECTIONS = 10;

const OPTIONS = {
  connect_timeout: CONNECT_TIMEOUT_SECONDS,
  fetch_types: false,
  onnotice: () => undefined,
  connection: { application_name: "janus" },
  transform: { column: { from: postgres.toCamel } },
} as const;

/**
 * Opens the configured database. PostgreSQL is not spoken to before the first query; the embedded one starts here.
 * Throws data_dir_locked.
 */
export async function openDatabase(config: DatabaseOptions): Promise<Database> {
  const { url, password, prepare } = config;
  if (url !== undefined) {
    const options = { ...OPTIONS, max: POOL_CONNECTIONS, prepare };
    return wrap(
      () => postgres(url, password === undefined ? options : { ...options, password }),
      prepare,
      async () => undefined,
    );
  }
  // Imported here: a server on PostgreSQL starts without it.
  const { openEmbedded } = await import("./embedded/embedded.ts");
  const { readAssets } = await import("./embedded/assets.ts");
  return connectEmbedded(await openEmbedded({ dataDir: config.dataDir, ...(await readAssets()) }));
}

/** Connects to an embedded database that is open already; closing ends both. */
export function connectEmbedded(embedded: Embedded): Database {
  // The package's types do not know `socket`, which it documents.
  const options = { ...OPTIONS, max: EMBEDDED_CONNECTIONS, socket: embedded.socket };
  return wrap(() => postgres(options), true, embedded.close);
}

/** True for an error of two statements that met: a unique key (23505) or a deadlock (40P01). PostgreSQL Appendix A */
export function isCollision(error: unknown): boolean {
  return error instanceof postgres.PostgresError && (error.code === "23505" || error.code === "40P01");
}

function wrap(connect: () => postgres.Sql, prepare: boolean, closeServer: () => Promise<void>): Database {
  let pool = connect();

  /**
   * A connection that does not answer is held by its query for as long as TCP believes in it. A new pool takes over;
   * the old one's other queries have their own deadlines to finish in. Cancelling instead would want a connection of
   * its own to the same silent server, and its failure nobody could catch.
   */
  const replace = (silent: postgres.Sql): void => {
    if (pool !== silent) return;
    pool = connect();
    silent.end({ timeout: CLOSE_TIMEOUT_SECONDS }).catch(() => undefined);
  };

  const query: Query = (text, parameters = []) => {
    const used = pool;
    return withDeadline(used.unsafe(text, [...parameters], { prepare }), () => replace(used));
  };

  return {
    query,
    transaction: async (work) => {
      let result: { readonly value: Awaited<ReturnType<typeof work>> } | undefined;
      // A migration may take its time, but whether anybody is there is soon known.
      await query("select 1");
      try {
        await pool.begin(async (inner) => {
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
      await pool.end({ timeout: CLOSE_TIMEOUT_SECONDS });
      await closeServer();
    },
  };
}

/** postgres.js waits for ever while every host is down: the deadline covers waiting for a connection too. */
function withDeadline(
  query: postgres.PendingQuery<postgres.Row[]>,
  onLate: () => void,
): Promise<readonly unknown[]> {
  return new Promise((resolve, reject) => {
    const pending = deadlines.add(() => {
      onLate();
      reject(databaseUnavailable(`the database gives no answer within ${QUERY_DEADLINE_MS} ms`));
    });
    query.then(
      (rows) => {
        deadlines.delete(pending);
        resolve(rows);
      },
      (error: unknown) => {
        deadlines.delete(pending);
        reject(translate(error));
      },
    );
  });
}

/** SQLSTATE classes that say "not now" rather than "not so". PostgreSQL Appendix A */
const UNAVAILABLE =
  /^(08|53|57P|58|25006|CONNECT|ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENOENT|EPIPE)/;
/** Wrong role, password or database: the operator must change DATABASE_URL. */
const REFUSED = /^(28|3D)/;
/** The role is right, and may not do what it must: the operator must grant it. */
const NO_RIGHT = /^42501/;
const NOT_MIGRATED = /^(42P01|42703|42883|3F000)$/;

/** Whether a cause of database_unavailable is a word that no waiting changes. */
export function isRefusal(cause: unknown): boolean {
  const code = codeOf(cause);
  return REFUSED.test(code) || NO_RIGHT.test(code);
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "";

function translate(error: unknown): unknown {
  if (error instanceof JanusError || !(error instanceof Error)) return error;
  const code = codeOf(error);
  // Its own is the name of its class, which a binary shortens.
  if (error instanceof postgres.PostgresError) error.name = "PostgresError";
  if (UNAVAILABLE.test(code)) return databaseUnavailable(`the database cannot be reached (${code})`, error);
  if (REFUSED.test(code))
    return databaseUnavailable(
      `the database refuses this role, password or name (${code}): check DATABASE_URL and DATABASE_PASSWORD`,
      error,
    );
  if (NO_RIGHT.test(code))
    return databaseUnavailable(
      `the database does not let this role read and write Janus's tables (${code}): grant it, or use their owner`,
      error,
    );
  if (NOT_MIGRATED.test(code))
    return databaseNotMigrated(`the database lacks what the program needs (${code})`, error);
  return error;
}
