/**
 * A connection from its first byte to its last: which server it goes to, and how it ends. Its place in the pool is
 * free only when the server has ended it, so a statement that nobody waits for is cancelled first. `run.ts` sends
 * the statements. docs/decisions/0023
 */
import { settlesWithin, startStopwatch } from "../time.ts";
import type { CancelKey } from "./cancel.ts";
import type { Connect, Driver, Settings } from "./connect.ts";
import { STATEMENT_TIMEOUT_MS } from "./connect.ts";
import type { Habits } from "./habits.ts";
import type { Ending, Pool, User } from "./pool.ts";
import { createPool } from "./pool.ts";
import type { Servers } from "./servers.ts";

/** A connection to one server, and its state. */
export type Connection = {
  readonly sql: Driver;
  readonly settings: Settings;
  readonly server: number;
  /** For whom it was made. */
  readonly openedFor: Holder;
  /** The statement that is on its way. */
  statement: PromiseLike<unknown> | undefined;
  /** Milliseconds since it was sent that, or, over a new connection, since the server took the connection. */
  sinceSent: () => number;
  /** Whether it is we who end it. */
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
 * What a statement gets to end, from when it was sent. A server that is there ends it by itself after
 * `STATEMENT_TIMEOUT_MS`, even if no cancel arrives; the second is for the way. A host that falls silent is left by then,
 * which leaves three of the ten seconds that are promised. Less is not safe: without that second the end of the statement
 * and the word that nobody answers would arrive together.
 */
const END_MS = STATEMENT_TIMEOUT_MS + 1_000;
/**
 * A server that has said nothing to anybody for so long is silent: no statement takes longer. Behind a pooler, where a
 * late statement may have no time limit, it is the answers to others that show that somebody is there.
 */
const QUIET_MS = STATEMENT_TIMEOUT_MS;

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
        sql: connect.open(settings, server, {
          onWord: () => {
            servers.noteWord(server);
            connection.sinceSent = startStopwatch();
          },
          onClose: () => pool.forget(connection),
        }),
        settings,
        server,
        openedFor: user,
        statement: undefined,
        isEnding: false,
        sinceSent: startStopwatch(),
      };
      return connection;
    },
    end: async (connection, why) => {
      const place: Place = { pool, servers, cancel: connect.cancel };
      const isSilent = why === "unfit" && (await endStatement(place, connection)) === "silent";
      if (isSilent) leaveServer(place, connection.server);
      connection.isEnding = true;
      await connection.sql.end({ timeout: secondsToEnd(isSilent ? "lost" : why) });
    },
  });
  return pool;
}

/** Where connections end. */
type Place = { readonly pool: Connections; readonly servers: Servers; readonly cancel: Connect["cancel"] };

/** Ends the statement that is on its way. If it does not end, the other connections to that server are suspect, too. */
async function endStatement(
  { pool, servers, cancel }: Place,
  { sql, server, statement, sinceSent }: Connection,
): Promise<"ended" | "silent"> {
  // Before the server has answered for the first time, nothing was sent.
  if (statement === undefined || Object.keys(sql.parameters).length === 0) return "ended";
  const settled = statement.then(noop, noop);
  const ended = settlesWithin(settled, END_MS - sinceSent());
  const heard = requestEnd(cancel, server, statement) ?? ended;
  const isHeard = await Promise.race([settled.then(() => true), heard]);
  if (isHeard) servers.noteWord(server);
  const isDoubtful = !isHeard && servers.count > 1;
  // New statements go elsewhere. Those under way are left alone, since the server may still answer them.
  if (isDoubtful) servers.avoid(server);
  if (isDoubtful) pool.renew((other) => other.server === server);
  if (await ended) return "ended";
  if (isDoubtful && servers.quietFor(server) >= QUIET_MS) return "silent";
  pool.renew((other) => other.server === server);
  return "ended";
}

/** Learns that nobody answers at a server: its connections are given up, and new ones begin elsewhere. */
function leaveServer({ pool, servers }: Place, server: number): void {
  servers.avoid(server);
  pool.abandon((other) => other.server === server);
}

const noop = (): void => undefined;

function secondsToEnd(why: Ending): number {
  if (why === "lost") return 0;
  return why === "closing" ? CLOSE_TIMEOUT_SECONDS : LET_GO_SECONDS;
}

/** Asks for it; undefined if the server gave no key to ask with. */
function requestEnd(
  cancel: Connect["cancel"],
  server: number,
  statement: object,
): Promise<boolean> | undefined {
  const key = readCancelKey(statement);
  return key === undefined ? undefined : cancel(server, key);
}

/** The driver keeps it with the statement; a pooler may give none. */
function readCancelKey(statement: object): CancelKey | undefined {
  const state: unknown = Reflect.get(statement, "state");
  if (typeof state !== "object" || state === null) return undefined;
  const [pid, secret]: readonly unknown[] = [Reflect.get(state, "pid"), Reflect.get(state, "secret")];
  return typeof pid === "number" && typeof secret === "number" ? { pid, secret } : undefined;
}
