/**
 * A statement from the call to its answer: its deadline, its connection, and what happens if it fails. If it has done
 * nothing, it is sent again while there is time; any other failure becomes an error by `failures.ts`.
 * docs/decisions/0018, 0023
 */

import { databaseUnavailable, JanusError } from "../errors.ts";
import { createDeadlines, startStopwatch } from "../time.ts";
import type { JsonObject } from "./connect.ts";
import { NOT_WANTED } from "./connect.ts";
import type { Connection, Connections, Holder } from "./connection.ts";
import type { Remedy } from "./failures.ts";
import {
  endsConnection,
  isAnswer,
  isConnectTimeout,
  isDestroyed,
  isReadOnly,
  remedyOf,
  translate,
} from "./failures.ts";
import type { Habits } from "./habits.ts";
import type { Servers } from "./servers.ts";

/** What a statement's `$n` may be. Objects and lists are for jsonb. */
export type Parameter =
  | string
  | number
  | boolean
  | Date
  | null
  | JsonObject
  | readonly JsonObject[]
  | readonly string[];

/**
 * Runs one statement. Columns arrive in camelCase; timestamptz arrives as Date, int4 as number. Rows that `isAnswer`
 * says no to end the connection that they came over, and are database_unavailable.
 */
export type Query = (
  text: string,
  parameters?: readonly Parameter[],
  isAnswer?: (row: unknown) => boolean,
) => Promise<readonly unknown[]>;

/** What statements go over, and who learns of what they meet. */
export type Ways = {
  readonly pool: Connections;
  readonly habits: Habits;
  readonly servers: Servers;
  readonly usesTls: boolean;
  /** Learns of each failure. */
  readonly note: (error: unknown) => void;
};

/** A statement on its way. */
type Call = Holder & {
  readonly text: string;
  readonly parameters: readonly Parameter[];
  readonly isAnswer: ((row: unknown) => boolean) | undefined;
  readonly resolve: (rows: readonly unknown[]) => void;
  readonly reject: (error: unknown) => void;
  /** Milliseconds until its deadline. */
  readonly left: () => number;
  attempts: number;
  /** Undefined while it waits for one. */
  connection: Connection | undefined;
  /** Why it was not carried out the last time. */
  failure: unknown;
  /** Whether its deadline has passed. */
  isLate: boolean;
};

/** How long a statement may take, its wait for a connection included. */
export const QUERY_DEADLINE_MS = 5_000;
const deadlines = createDeadlines(QUERY_DEADLINE_MS);
/** A statement with less time left is not begun: connecting alone may take as long. */
const LEAST_LEFT_MS = 500;
/** Statements that meet mostly succeed soon. After so many attempts, a statement pauses. */
const MAX_ATTEMPTS_AT_ONCE = 5;
/** Pauses before another attempt. Statements take them in turn, so that those that met do not meet again. */
const PAUSES_MS = [50, 130, 210, 290, 370];
const pauses = PAUSES_MS.map((ms) => ({ ms, deadlines: createDeadlines(ms) }));
let pausesSoFar = 0;

/** Why a statement is refused once the database is closed. */
export const CLOSED = "the database is closed";

/** For a statement whose deadline has passed. */
export const noAnswer = () =>
  databaseUnavailable(`the database gives no answer within ${QUERY_DEADLINE_MS} ms`);
/** For rows that `isAnswer` says no to. */
export const wrongAnswer = () => databaseUnavailable("the database answers another question");

/** Makes the function that runs statements. */
export function createQuery(ways: Ways): Query {
  const { pool } = ways;
  return (text, parameters = [], isAnswer) =>
    new Promise((resolve, reject) => {
      const pending = deadlines.add(() => {
        call.isLate = true;
        if (call.connection === undefined) pool.leave(call);
        else pool.discard(call.connection);
        reject(call.failure ?? noAnswer());
      });
      const left = (): number => deadlines.leftOf(pending);
      const call: Call = {
        text,
        parameters,
        isAnswer,
        left,
        resolve: (rows) => {
          deadlines.delete(pending);
          resolve(rows);
        },
        reject: (error) => {
          deadlines.delete(pending);
          reject(error);
        },
        use: (connection) => send(ways, call, connection),
        refuse: () => call.reject(databaseUnavailable(CLOSED)),
        isInTime: () => left() > LEAST_LEFT_MS,
        tried: new Set<number>(),
        attempts: 0,
        connection: undefined,
        failure: undefined,
        isLate: false,
      };
      pool.take(call);
    });
}

/** Keeps or ends a connection after a failure over it. */
export function settleConnection({ pool, servers }: Ways, used: Connection, error: unknown): void {
  if (!endsConnection(error)) {
    pool.give(used);
    return;
  }
  servers.avoid(used.server);
  // Older connections to that server are read-only, too.
  if (isReadOnly(error)) pool.renew((other) => other.server === used.server);
  pool.discard(used);
}

function send(ways: Ways, call: Call, used: Connection): void {
  const { habits, servers } = ways;
  call.connection = used;
  call.attempts += 1;
  const statement = used.sql.unsafe(call.text, [...call.parameters], { prepare: habits.isPrepared() });
  used.statement = statement;
  used.sinceSent = startStopwatch();
  statement.then(
    (rows) => {
      used.statement = undefined;
      servers.noteWord(used.server);
      // The driver keeps why it has sent a statement again.
      habits.tellLost(Reflect.get(statement, "retried"));
      finish(ways, call, used, rows);
    },
    (error: unknown) => {
      used.statement = undefined;
      if (isAnswer(error)) servers.noteWord(used.server);
      fail(ways, call, used, error);
    },
  );
}

function finish({ pool, habits }: Ways, call: Call, used: Connection, rows: readonly unknown[]): void {
  habits.tellSettings(used.settings);
  if (call.isAnswer === undefined || rows.every(call.isAnswer)) {
    pool.give(used);
    call.resolve(rows);
    return;
  }
  pool.discard(used);
  call.reject(wrongAnswer());
}

function fail(ways: Ways, call: Call, used: Connection, error: unknown): void {
  ways.note(error);
  ways.habits.tellLost(error);
  call.connection = undefined;
  const isUnwanted = !used.isEnding && (isDestroyed(error) || error instanceof JanusError);
  // The server has sent its first parameters.
  const isConnected = Object.keys(used.sql.parameters).length > 0;
  const phase = isConnected ? "connected" : ways.usesTls ? "tls" : "startup";
  call.failure = isUnwanted ? databaseUnavailable(NOT_WANTED, error) : translate(error, phase);
  const remedy =
    isConnected && !isUnwanted
      ? learnFromAnswer(ways, call, used, error)
      : learnFromRefusal(ways, call, used, error);
  if (call.isLate) return;
  if (remedy === undefined) call.reject(call.failure);
  else if (remedy !== "later" && call.attempts < MAX_ATTEMPTS_AT_ONCE) ways.pool.take(call);
  else pause(ways, call);
}

/** Sends it again after a moment, if there is time. */
function pause({ pool }: Ways, call: Call): void {
  const next = pauses[pausesSoFar++ % pauses.length];
  if (next === undefined || call.left() < next.ms + LEAST_LEFT_MS) {
    call.reject(call.failure);
    return;
  }
  next.deadlines.add(() => {
    if (!call.isLate) pool.take(call);
  });
}

/** What may help after a connection could not be made, so that nothing was sent. */
function learnFromRefusal(
  { pool, habits, servers }: Ways,
  call: Call,
  used: Connection,
  error: unknown,
): Remedy | undefined {
  const mayHelp = habits.mayDoWithout(used.settings, error);
  // Older connections to that server may be silent, too, and would cost each user a deadline.
  if (isConnectTimeout(error) && servers.count > 1) pool.renew((other) => other.server === used.server);
  if (!mayHelp) {
    servers.avoid(used.server);
    call.tried.add(used.server);
  }
  pool.discard(used);
  if (mayHelp) return "again";
  if (servers.hasUntried(call.tried)) return "elsewhere";
  if (remedyOf(error) !== "later") return undefined;
  call.tried.clear();
  return "later";
}

/** What may help after a server has answered with an error, or broken the connection. */
function learnFromAnswer(ways: Ways, call: Call, used: Connection, error: unknown): Remedy | undefined {
  const { pool, servers } = ways;
  const remedy = remedyOf(error);
  if (remedy !== "elsewhere") {
    settleConnection(ways, used, error);
    return remedy;
  }
  // Only a connection that was made for this statement shows what its server is now.
  if (used.openedFor === call) {
    call.tried.add(used.server);
    if (isReadOnly(error)) servers.noteReadOnly(used.server);
  }
  const mayHelp = servers.hasUntried(call.tried);
  if (mayHelp || !isReadOnly(error)) settleConnection(ways, used, error);
  else pool.give(used);
  return mayHelp ? remedy : undefined;
}
