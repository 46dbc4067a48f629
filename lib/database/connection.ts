/**
 * Owns a connection from its first byte to its last: which server it goes to, and how it ends. Its place in the pool is
 * free only when the server has ended it, so a statement that nobody waits for is cancelled first. What is sent over it is
 * in `statements.ts`. docs/decisions/0023
 */
import type postgres from "postgres";
import { createDeadlines } from "../deadlines.ts";
import type { CancelKey } from "./cancel.ts";
import type { Connect, Settings } from "./connect.ts";
import type { Habits } from "./habits.ts";
import { createPool, type Ending, type Pool, type User } from "./pool.ts";
import type { Servers } from "./servers.ts";

/** A connection, and what is known of it. */
export type Connection = {
  readonly sql: postgres.Sql;
  readonly settings: Settings;
  readonly server: number;
  /** For whom it was made. */
  readonly openedFor: Holder;
  /** The statement that is on its way. */
  statement: PromiseLike<unknown> | undefined;
  /** Whether Janus is ending it. */
  isEnding: boolean;
};

/** Somebody who needs a connection, and the servers where they were refused one. */
export type Holder = User<Connection> & { readonly tried: Set<number> };

/** The connections to a database. */
export type Connections = Pool<Connection, Holder>;

const CLOSE_TIMEOUT_SECONDS = 2;
/** How long a connection without a statement may take to close. */
const LET_GO_SECONDS = 1;
/**
 * How long a late statement may take to end. The server ends it by itself one second after its deadline; the rest is for
 * the network.
 */
const END_MS = 2_000;
const ends = createDeadlines(END_MS);

/** Makes the pool of connections to a database. */
export function createConnections(
  connect: Connect,
  size: number,
  habits: Habits,
  servers: Servers,
): Connections {
  const pool: Connections = createPool<Connection, Holder>({
    size,
    open: (user) => {
      const [settings, server] = [habits.settings(), servers.choose(user.tried)];
      const connection: Connection = {
        sql: connect.open(settings, server, () => pool.forget(connection)),
        ...{ settings, server, openedFor: user, statement: undefined, isEnding: false },
      };
      return connection;
    },
    end: async (connection, why) => {
      const isSilent = why === "unfit" && (await endStatement(connection, connect)) === "silent";
      if (isSilent) leaveServer(pool, servers, connection.server);
      connection.isEnding = true;
      await connection.sql.end({ timeout: secondsToEnd(isSilent ? "lost" : why) });
    },
  });

  /** Ends the statement that is on its way. If it does not end, the other connections to that server are suspect, too. */
  const endStatement = async (
    { sql, server, statement }: Connection,
    { cancel }: Connect,
  ): Promise<"ended" | "silent"> => {
    // Before the server has answered for the first time, nothing was sent.
    if (statement === undefined || Object.keys(sql.parameters).length === 0) return "ended";
    const settled = statement.then(noop, noop);
    const ended = ends.meets(settled);
    const key = readCancelKey(statement);
    const heard = key === undefined || cancel === undefined ? ended : cancel(server, key);
    const isHeard = await Promise.race([settled.then(() => true), heard]);
    // With one server there is nowhere else to go: keep the place until the server must have ended the statement.
    if (!isHeard && servers.count > 1) return "silent";
    if (!(await ended)) pool.renew((other) => other.server === server);
    return "ended";
  };
  return pool;
}

/** Gives up all connections to a silent server. New ones begin at the next server. */
function leaveServer(pool: Connections, servers: Servers, server: number): void {
  servers.avoid(server);
  pool.abandon((other) => other.server === server);
}

const noop = (): void => undefined;

function secondsToEnd(why: Ending): number {
  if (why === "lost") return 0;
  return why === "closing" ? CLOSE_TIMEOUT_SECONDS : LET_GO_SECONDS;
}

/** The driver keeps the key with the statement. A pooler may give none. */
function readCancelKey(statement: object): CancelKey | undefined {
  const state: unknown = Reflect.get(statement, "state");
  if (typeof state !== "object" || state === null) return undefined;
  const [pid, secret]: readonly unknown[] = [Reflect.get(state, "pid"), Reflect.get(state, "secret")];
  return typeof pid === "number" && typeof secret === "number" ? { pid, secret } : undefined;
}
