/**
 * The one way to the database. This room owns how statements are sent, on PostgreSQL or on the embedded database:
 *
 *     a statement, and its deadline        run.ts, failures.ts, cancel.ts, wait.ts
 *     the connections to PostgreSQL        pool.ts, connection.ts, connect.ts, servers.ts, habits.ts
 *     the embedded database                embedded/
 *     statements as functions              queries.ts, statement.ts, statements/
 *     migrations                           migrations.ts
 *     periodic checks                      clock_watch.ts, writable.ts
 *
 * PostgreSQL is reached through postgres.js. Each connection is a postgres.js of its own, with one statement on its way
 * at most (docs/decisions/0018). The room leaves to `sql/` the text of each statement, and to the rooms that send one
 * when it is sent and what its rows mean.
 */
import { readDatabaseUrl } from "../config/database_address.ts";
import type { Config } from "../config/load.ts";
import { configInvalid, databaseUnavailable } from "../errors.ts";
import type { Connect, Driver } from "./connect.ts";
import { connectTo } from "./connect.ts";
import type { Connection } from "./connection.ts";
import { createConnections } from "./connection.ts";
import { translate } from "./failures.ts";
import type { Notice } from "./habits.ts";
import { createHabits } from "./habits.ts";
import type { PoolCounts } from "./pool.ts";
import type { Query, Ways } from "./run.ts";
import { CLOSED, createQuery, settleConnection } from "./run.ts";
import { createServers } from "./servers.ts";
import type { Hindrance } from "./writable.ts";
import { createWritable } from "./writable.ts";

/** A database, whichever it is. */
export type Database = {
  /** Runs one statement, prepared. Throws database_unavailable, database_not_migrated, or what PostgreSQL says. */
  readonly query: Query;
  /** Runs statements in one transaction, which an error rolls back. No deadline: for migrations. */
  readonly transaction: <Result>(work: (query: Query) => Promise<Result>) => Promise<Result>;
  /** Why the database accepts no writes now; undefined if it does. Throws database_unavailable. */
  readonly findHindrance: () => Promise<Hindrance | undefined>;
  /**
   * Copies an embedded database into a new folder, where it can be opened as any other. No statement runs meanwhile. A
   * server on PostgreSQL has other ways.
   */
  readonly copyTo?: (folder: string) => Promise<void>;
  /** The connections of this process. The embedded database has none. */
  readonly inspectConnections?: () => ConnectionFigures;
  /** Ends the connections, and the embedded database with them. */
  readonly close: () => Promise<void>;
};

/** What is known of the connections to PostgreSQL. */
export type ConnectionFigures = {
  readonly counts: PoolCounts;
  /** When the certificate of the database expires, as it was at the last connection; undefined unless it was verified. */
  readonly certificateExpiresAt: Date | undefined;
};

/** Where it is; without an address, embedded in a folder. */
type DatabaseOptions = Omit<Config["database"], "password" | "libpq"> &
  Partial<Pick<Config["database"], "password" | "libpq">>;

const POOL_CONNECTIONS = 10;

/**
 * Opens the configured database. PostgreSQL is not spoken to before the first query; the embedded one starts here.
 * Throws data_dir_locked, config_invalid.
 */
export async function openDatabase(
  config: DatabaseOptions,
  notice: Notice = () => undefined,
): Promise<Database> {
  const { url, password, prepare } = config;
  if (url !== undefined) {
    const read = readDatabaseUrl(url, config.libpq);
    if ("fault" in read) throw configInvalid(read.fault);
    const address = password === undefined ? read.address : { ...read.address, password };
    return createDatabase(connectTo(address, prepare), prepare, notice);
  }
  return openFolder(config.dataDir, {});
}

/** How long a transaction may be idle that nobody waits for. */
const ALONE_IDLE_MS = 86_400_000;

/** Opens the database for a command that has it to itself: a transaction may wait for files, and for other databases. */
export function openAlone(config: DatabaseOptions): Promise<Database> {
  return config.url === undefined
    ? openFolder(config.dataDir, { idleTransactionMs: ALONE_IDLE_MS })
    : openDatabase(config);
}

async function openFolder(
  dataDir: string,
  turns: { readonly idleTransactionMs?: number },
): Promise<Database> {
  // Imported here: a server on PostgreSQL starts without it.
  const { openEmbedded } = await import("./embedded/open.ts");
  const { readAssets } = await import("./embedded/assets.ts");
  return openEmbedded({ dataDir, ...turns, ...(await readAssets()) });
}

function createDatabase(connect: Connect, prepare: boolean, notice: Notice): Database {
  const habits = createHabits(prepare, notice);
  const servers = createServers(connect.servers);
  const pool = createConnections(connect, POOL_CONNECTIONS, habits, servers);
  const writable = createWritable();
  const ways: Ways = { pool, habits, servers, usesTls: connect.usesTls, note: writable.note };
  const query = createQuery(ways);
  return {
    query,
    transaction: async (work) => {
      // A migration may take its time, but whether anybody is there is soon known.
      await query("select 1");
      return runTransaction(ways, work);
    },
    findHindrance: () => writable.findHindrance(query),
    inspectConnections: () => ({
      counts: pool.count(),
      certificateExpiresAt: connect.certificateExpiresAt(),
    }),
    close: pool.close,
  };
}

async function runTransaction<Result>(ways: Ways, work: (query: Query) => Promise<Result>): Promise<Result> {
  const { promise, resolve, reject } = Promise.withResolvers<Connection>();
  const refuse = (): void => reject(databaseUnavailable(CLOSED));
  ways.pool.take({ use: resolve, refuse, isInTime: () => true, tried: new Set() });
  const connection = await promise;
  try {
    const result = await begin(connection.sql, work);
    ways.pool.give(connection);
    return result;
  } catch (error) {
    settleConnection(ways, connection, error);
    throw translate(error);
  }
}

async function begin<Result>(sql: Driver, work: (query: Query) => Promise<Result>): Promise<Result> {
  let result: { readonly value: Result } | undefined;
  await sql.begin("isolation level read committed", async (inner) => {
    // Without parameters the simple protocol is used, which takes a text of several statements.
    result = { value: await work((text, parameters = []) => inner.unsafe(text, [...parameters])) };
  });
  if (result === undefined) throw new TypeError("The transaction's work did not run");
  return result.value;
}
