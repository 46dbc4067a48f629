/**
 * The one way to the database: prepared statements through postgres.js, on PostgreSQL or on the embedded one, each
 * with a deadline. It knows no table. Connections are kept in `database/pool.ts`, each a postgres.js of its own with
 * one statement on its way at most: docs/decisions/0018 says why.
 */
import type postgres from "postgres";
import type { Config } from "./config.ts";
import { readDatabaseUrl } from "./database/address.ts";
import type { Connect, Settings } from "./database/connect.ts";
import { connectThrough, connectTo, PLAIN_SETTINGS, SETTINGS } from "./database/connect.ts";
import {
  endsConnection,
  isStatementLost,
  isWorthAnother,
  refusesSettings,
  translate,
} from "./database/failures.ts";
import type { Pool, User } from "./database/pool.ts";
import { createPool } from "./database/pool.ts";
import { createDeadlines } from "./deadlines.ts";
import type { Embedded } from "./embedded/embedded.ts";
import { configInvalid, databaseUnavailable } from "./errors.ts";

/** What a statement's `$n` may be. Objects and lists of them are for jsonb. */
export type Parameter = string | number | boolean | Date | null | JsonObject | readonly JsonObject[];

/** What is written as jsonb. */
type JsonObject = { readonly [name: string]: string | null | readonly string[] | JsonObject };

/**
 * Runs one statement. Columns arrive in camelCase; timestamptz arrives as Date, int4 as number. Rows that `isAnswer`
 * says no to end the connection that they came over, and are database_unavailable.
 */
export type Query = (
  text: string,
  parameters?: readonly Parameter[],
  isAnswer?: (row: unknown) => boolean,
) => Promise<readonly unknown[]>;

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
export type DatabaseOptions = Omit<Config["database"], "password" | "libpq"> &
  Partial<Pick<Config["database"], "password" | "libpq">>;

/** Called once for each thing that an operator should know about a database that works. */
export type Notice = (reason: string) => void;

const QUERY_DEADLINE_MS = 5_000;
const deadlines = createDeadlines(QUERY_DEADLINE_MS);
/** A statement with less time than this is not begun: connecting alone may take as long. */
const LEAST_LEFT_MS = 500;
const CLOSE_TIMEOUT_SECONDS = 2;
const EMBEDDED_CONNECTIONS = 4;
const POOL_CONNECTIONS = 10;
/** Statements that meet give way to each other soon. */
const MAX_ATTEMPTS = 10;

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
    return createDatabase(connectTo(address, prepare), POOL_CONNECTIONS, prepare, notice);
  }
  // Imported here: a server on PostgreSQL starts without it.
  const { openEmbedded } = await import("./embedded/embedded.ts");
  const { readAssets } = await import("./embedded/assets.ts");
  return connectEmbedded(await openEmbedded({ dataDir: config.dataDir, ...(await readAssets()) }));
}

/** Connects to an embedded database that is open already; closing ends both. */
export function connectEmbedded(embedded: Embedded): Database {
  const connect = connectThrough(embedded.socket);
  const database = createDatabase(connect, EMBEDDED_CONNECTIONS, true, () => undefined);
  return {
    ...database,
    close: async () => {
      await database.close();
      await embedded.close();
    },
  };
}

/** A connection, and what is known of it. */
type Connection = {
  readonly sql: postgres.Sql;
  readonly settings: Settings;
  /** Whether the database has answered over it. */
  hasAnswered: boolean;
};

/** A statement on its way. */
type Call = User<Connection> & {
  readonly text: string;
  readonly parameters: readonly Parameter[];
  readonly isAnswer: ((row: unknown) => boolean) | undefined;
  readonly resolve: (rows: readonly unknown[]) => void;
  readonly reject: (error: unknown) => void;
  attempts: number;
  /** Undefined while it waits for one. */
  connection: Connection | undefined;
  /** Whether its deadline has passed. */
  isLate: boolean;
};

function createDatabase(connect: Connect, size: number, prepare: boolean, notice: Notice): Database {
  const habits = createHabits(prepare, notice);
  const pool = createPool<Connection>({
    size,
    open: () => {
      const settings = habits.settings();
      return { sql: connect.open(settings, habits.firstServer()), settings, hasAnswered: false };
    },
    end: ({ sql }, isClosing) => sql.end({ timeout: isClosing ? CLOSE_TIMEOUT_SECONDS : 0 }),
  });
  const query = createQuery(pool, habits, connect.usesTls);
  return {
    query,
    transaction: async (work) => {
      // A migration may take its time, but whether anybody is there is soon known.
      await query("select 1");
      const { promise, resolve, reject } = Promise.withResolvers<Connection>();
      const refuse = (): void => reject(databaseUnavailable(CLOSED));
      pool.take({ use: resolve, refuse, isInTime: () => true });
      const connection = await promise;
      try {
        const result = await runTransaction(connection.sql, work);
        pool.give(connection);
        return result;
      } catch (error) {
        if (endsConnection(error)) pool.discard(connection);
        else pool.give(connection);
        throw translate(error);
      }
    },
    close: pool.close,
  };
}

const CLOSED = "the database is closed";

/** What is done otherwise from here on, as connections teach: behind a pooler, or where a server has failed. */
function createHabits(prepare: boolean, notice: Notice) {
  let settings = SETTINGS;
  let isPrepared = prepare;
  let isTold = false;
  let firstServer = 0;
  return {
    /** Where a new connection begins, of several servers: not at the one that failed last. */
    firstServer: (): number => firstServer,
    avoidServer: (): void => {
      firstServer += 1;
    },

    /** What a new connection begins with. */
    settings: (): Settings => settings,
    isPrepared: (): boolean => isPrepared,

    /**
     * Learns of a refused connection. A pooler may take no settings; then those of the role hold, and that is told once
     * a connection works without ours. True where another try may help.
     */
    mayDoWithout: (refused: Settings, error: unknown): boolean => {
      if (!refusesSettings(error)) return false;
      const isOurs = refused === SETTINGS;
      // Refused without ours as well: it is a setting of DATABASE_URL or of the role.
      settings = isOurs ? PLAIN_SETTINGS : SETTINGS;
      return isOurs;
    },
    tellSettings: (taken: Settings): void => {
      if (taken === SETTINGS || isTold) return;
      isTold = true;
      notice("a pooler takes no settings: those of the role hold");
    },

    /** Learns of a statement that a pooler has lost. The driver sends it again, at three times the messages. */
    tellLost: (error: unknown): void => {
      if (!isPrepared || !isStatementLost(error)) return;
      isPrepared = false;
      notice("a pooler loses prepared statements: set DATABASE_PREPARE=false");
    },
  };
}

type Habits = ReturnType<typeof createHabits>;

function createQuery(pool: Pool<Connection>, habits: Habits, usesTls: boolean): Query {
  const send = (call: Call, used: Connection): void => {
    call.connection = used;
    call.attempts += 1;
    const statement = used.sql.unsafe(call.text, [...call.parameters], { prepare: habits.isPrepared() });
    statement.then(
      (rows) => {
        // The driver keeps why it has sent a statement again.
        habits.tellLost(Reflect.get(statement, "retried"));
        finish(call, used, rows);
      },
      (error: unknown) => fail(call, used, error),
    );
  };

  const finish = (call: Call, used: Connection, rows: readonly unknown[]): void => {
    used.hasAnswered = true;
    habits.tellSettings(used.settings);
    if (call.isAnswer === undefined || rows.every(call.isAnswer)) {
      pool.give(used);
      call.resolve(rows);
      return;
    }
    pool.discard(used);
    call.reject(databaseUnavailable("the database answers another question"));
  };

  const fail = (call: Call, used: Connection, error: unknown): void => {
    // The first thing that a server says of itself.
    const isConnected = Object.keys(used.sql.parameters).length > 0;
    const phase = isConnected ? "connected" : usesTls ? "tls" : "startup";
    const mayHelp = isWorthAnother(error) || habits.mayDoWithout(used.settings, error);
    habits.tellLost(error);
    if (isConnected && !endsConnection(error)) pool.give(used);
    else {
      habits.avoidServer();
      pool.discard(used);
    }
    if (mayHelp && !call.isLate && call.attempts < MAX_ATTEMPTS) take(call);
    else call.reject(translate(error, phase));
  };

  const take = (call: Call): void => {
    call.connection = undefined;
    pool.take(call);
  };

  return (text, parameters = [], isAnswer) =>
    new Promise((resolve, reject) => {
      const pending = deadlines.add(() => {
        call.isLate = true;
        if (call.connection === undefined) pool.leave(call);
        else {
          habits.avoidServer();
          pool.discard(call.connection);
        }
        reject(databaseUnavailable(`the database gives no answer within ${QUERY_DEADLINE_MS} ms`));
      });
      const call: Call = {
        text,
        parameters,
        isAnswer,
        resolve: (rows) => {
          deadlines.delete(pending);
          resolve(rows);
        },
        reject: (error) => {
          deadlines.delete(pending);
          reject(error);
        },
        use: (connection) => send(call, connection),
        refuse: () => call.reject(databaseUnavailable(CLOSED)),
        isInTime: () => deadlines.leftOf(pending) > LEAST_LEFT_MS,
        attempts: 0,
        connection: undefined,
        isLate: false,
      };
      take(call);
    });
}

async function runTransaction<Result>(
  sql: postgres.Sql,
  work: (query: Query) => Promise<Result>,
): Promise<Result> {
  let result: { readonly value: Result } | undefined;
  await sql.begin("isolation level read committed", async (inner) => {
    // Without parameters the simple protocol is used, which takes a text of several statements.
    result = { value: await work((text, parameters = []) => inner.unsafe(text, [...parameters])) };
  });
  if (result === undefined) throw new TypeError("The transaction's work did not run");
  return result.value;
}
