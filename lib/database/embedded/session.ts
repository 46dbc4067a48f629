/**
 * Many connections on the embedded database's one session. Called by `embedded.ts`; it knows PostgreSQL's wire
 * protocol, and neither PGlite nor a table.
 *
 * Connections take turns: one owns the session from its first message until ReadyForQuery says idle, which spans a
 * transaction. Statements are renamed, so that no two connections share one. A connection that ends is rolled back.
 * What the backend would answer by exiting never reaches it. The session's own state is everybody's: `set`,
 * temporary tables, LISTEN and session-level advisory locks.
 */
import { Duplex } from "node:stream";
import { setImmediate } from "node:timers/promises";
import type { StatementHolder, StatementNames } from "./statement_names.ts";
import { translate } from "./statement_names.ts";
import type { Batch } from "./wire.ts";
import {
  closeStatement,
  errorResponse,
  isIdle,
  nextBatch,
  query,
  readStartup,
  readyForQuery,
  STARTUP,
  SYNC,
  splitBatch,
} from "./wire.ts";

/** What postgres.js needs of a socket. */
export type EmbeddedSocket = Duplex & {
  readyState: "open" | "closed";
  readonly host: string;
  readonly port: number;
};

/** The session, shared. */
export type SharedSession = {
  /** Makes a connection, which begins with a startup packet. */
  readonly connect: () => EmbeddedSocket;
  /** Rolls back what is open; connections get errors from here on. False if the backend must not be spoken to again. */
  readonly end: () => Promise<boolean>;
};

type Settings = {
  /** Runs messages and gives the answer. Throws when the backend has stopped. */
  readonly run: (messages: Uint8Array) => Promise<Buffer>;
  /** How long an owner may keep the others waiting without a word. */
  readonly idleOwnerMs: number;
  /** After how many turns a single-user backend gets what a server's background processes would do. */
  readonly housekeepingTurns: number;
};

type Connection = StatementHolder & {
  readonly socket: EmbeddedSocket;
  /** What has arrived and has not been run. */
  inbox: Buffer;
  isGreeted: boolean;
  isInTransaction: boolean;
  /** Asks the writer for more. */
  taken: () => void;
  /** Was given an error, and the rest of what belongs together, up to a Sync, goes unanswered. */
  isSkipping: boolean;
  /** Owned the session for too long without a word: its transaction is to end, or has been ended. */
  overdue: "no" | "to end" | "ended";
};

type Session = Settings & {
  /** Connections with something to do, the longest waiting first. */
  readonly ready: Set<Connection>;
  /** What the backend says to a new connection: its parameters, and that it is ready. */
  readonly greeting: Buffer;
  owner?: Connection | undefined;
  ownerIdle?: ReturnType<typeof setTimeout>;
  readonly names: StatementNames;
  turns: number;
  isTakingTurns: boolean;
  /** The turn under way, or the last one. */
  turn?: Promise<void>;
  /** The error that answers everything once the session has ended. */
  refusal?: Buffer;
  isBroken: boolean;
};

/** Starts the session and shares it. */
export async function shareSession(settings: Settings): Promise<SharedSession> {
  const session: Session = {
    ...settings,
    ready: new Set(),
    greeting: await settings.run(STARTUP),
    names: { made: 0 },
    turns: 0,
    isTakingTurns: false,
    isBroken: false,
  };
  return { connect: () => connect(session), end: () => end(session) };
}

async function end(session: Session): Promise<boolean> {
  session.refusal ??= errorResponse("57P01", "The embedded database is closed", "");
  await session.turn?.catch(() => undefined);
  clearTimeout(session.ownerIdle);
  if (session.owner !== undefined) await rollBack(session);
  wakeUp(session);
  return !session.isBroken;
}

function connect(session: Session): EmbeddedSocket {
  const duplex = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, taken) => receive(session, connection, chunk, taken),
    final: (done) => {
      done();
      duplex.destroy();
    },
    destroy: (error, done) => {
      socket.readyState = "closed";
      wake(session, connection);
      done(error);
    },
  });
  const open = { readyState: "open" as const, host: "embedded", port: 0 };
  const socket: EmbeddedSocket = Object.assign(duplex, open);
  const connection: Connection = {
    socket,
    statements: new Map(),
    inbox: NOTHING,
    isGreeted: false,
    isInTransaction: false,
    taken: () => undefined,
    isSkipping: false,
    overdue: "no",
  };
  return socket;
}

function receive(session: Session, connection: Connection, chunk: Buffer, taken: () => void): void {
  connection.inbox = Buffer.concat([connection.inbox, chunk]);
  if (!connection.isGreeted) greet(session, connection);
  if (!connection.isGreeted || nextBatch(connection.inbox) === undefined) {
    taken();
    return;
  }
  // Not before the inbox is worked off: this is what keeps it small.
  connection.taken = taken;
  wake(session, connection);
}

function greet(session: Session, connection: Connection): void {
  const { inbox, socket } = connection;
  const startup = readStartup(inbox);
  if (startup === undefined || socket.destroyed) return;
  connection.inbox = inbox.subarray(startup.bytes);
  if (startup.kind === "unknown") return void socket.destroy(violation("not a startup packet of version 3"));
  // A statement is run whole before anything else is heard: there is never one to cancel.
  if (startup.kind === "cancel") return void socket.destroy();
  if (startup.kind === "encrypt") {
    deliver(socket, Buffer.from("N"));
    greet(session, connection);
    return;
  }
  connection.isGreeted = true;
  deliver(socket, session.greeting);
}

/** Later, since postgres.js loses what it writes while it is writing: no answer may arrive during `write`. */
function deliver(socket: EmbeddedSocket, answer: Buffer): void {
  queueMicrotask(() => {
    if (!socket.destroyed && answer.length > 0) socket.push(answer);
  });
}

function wake(session: Session, connection: Connection): void {
  session.ready.add(connection);
  wakeUp(session);
}

function wakeUp(session: Session): void {
  if (!session.isTakingTurns) void takeTurns(session);
}

async function takeTurns(session: Session): Promise<void> {
  session.isTakingTurns = true;
  for (let next = whoseTurn(session); next !== undefined; next = whoseTurn(session)) {
    // The backend runs a statement without a pause: let the rest of the program have its say between two.
    await setImmediate();
    try {
      session.turn = takeTurn(session, next);
      await session.turn;
    } catch (error) {
      // Its messages are still there, and get the error as their answer, as do all others' from now on. Nobody is cut
      // off: postgres.js crashes, or waits for ever, when a connection goes away while it is about to write.
      session.ready.add(next);
      session.refusal = errorResponse("57P03", "The embedded database has stopped", String(error));
      session.isBroken = true;
      session.owner = undefined;
    }
  }
  session.isTakingTurns = false;
}

function whoseTurn({ owner, ready }: Session): Connection | undefined {
  if (owner !== undefined) return ready.has(owner) ? owner : undefined;
  return ready.values().next().value;
}

async function takeTurn(session: Session, connection: Connection): Promise<void> {
  clearTimeout(session.ownerIdle);
  session.ready.delete(connection);
  const { socket } = connection;
  if (socket.destroyed) return leave(session, connection);
  if (connection.overdue === "to end") await endOverdue(session, connection);
  const batch = nextBatch(connection.inbox);
  if (batch === undefined) return;
  if (batch.end === "terminate") return void socket.destroy();
  if (batch.end === "malformed") return void socket.destroy(violation("a message of unknown type or size"));
  const answer =
    session.refusal === undefined
      ? await runBatch(session, connection, batch)
      : refuse(session.refusal, connection, batch);
  connection.inbox = connection.inbox.subarray(batch.bytes);
  deliver(socket, answer);
  if (socket.destroyed || nextBatch(connection.inbox) !== undefined) session.ready.add(connection);
  if (session.ready.has(connection)) return;
  if (session.owner === connection) {
    session.ownerIdle = setTimeout(() => demandEnd(session, connection), session.idleOwnerMs);
  }
  connection.taken();
}

async function runBatch(session: Session, connection: Connection, batch: Batch): Promise<Buffer> {
  if (connection.overdue === "ended") await session.run(query(ABORTED));
  connection.overdue = "no";
  const given = splitBatch(connection.inbox.subarray(0, batch.bytes));
  const messages = given.flatMap((message) => translate(session.names, connection, message));
  const answer = await session.run(Buffer.concat(messages));
  const isDone = batch.end === "sync" && isIdle(answer);
  session.owner = isDone ? undefined : connection;
  if (batch.end === "sync") connection.isInTransaction = !isDone;
  if (isDone) await keepHouse(session);
  return answer;
}

/**
 * Answers with the error instead of the backend. One who is inside a transaction stays there for that answer, and
 * leaves it with the next, which is the rollback: postgres.js gives its connection to others when it is idle.
 */
function refuse(refusal: Buffer, connection: Connection, batch: Batch): Buffer {
  const error = connection.isSkipping ? NOTHING : refusal;
  connection.isSkipping = batch.end !== "sync";
  if (connection.isSkipping) return error;
  const answer = Buffer.concat([error, readyForQuery(connection.isInTransaction ? "E" : "I")]);
  connection.isInTransaction = false;
  return answer;
}

/** Brings the session to where the next owner finds nothing of the last one. True if there was a transaction. */
async function rollBack(session: Session): Promise<boolean> {
  const wasInTransaction = !isIdle(await session.run(SYNC));
  if (wasInTransaction) await session.run(query("rollback"));
  session.owner = undefined;
  return wasInTransaction;
}

/** Ends what a dead connection left behind. */
async function leave(session: Session, connection: Connection): Promise<void> {
  if (session.refusal !== undefined) return;
  if (session.owner === connection) await rollBack(session);
  const closes = [...connection.statements.values()].map(closeStatement);
  if (closes.length > 0) await session.run(Buffer.concat([...closes, SYNC]));
}

function demandEnd(session: Session, connection: Connection): void {
  connection.overdue = "to end";
  wake(session, connection);
}

/** Rolls back, and lets the connection find its transaction failed when it speaks again. */
async function endOverdue(session: Session, connection: Connection): Promise<void> {
  connection.overdue = session.refusal === undefined && (await rollBack(session)) ? "ended" : "no";
}

/** There is no autovacuum and no checkpointer in a single-user backend: without this, dead rows and WAL pile up. */
async function keepHouse(session: Session): Promise<void> {
  session.turns += 1;
  if (session.turns % session.housekeepingTurns !== 0) return;
  await session.run(query("vacuum (analyze)"));
  await session.run(query("checkpoint"));
}

/** An error in the shape that postgres.js gives to the backend's own. */
function violation(what: string): Error {
  return Object.assign(new Error(`Protocol violation: ${what}`), { code: "08P01" });
}

const NOTHING = Buffer.alloc(0);
/** Leaves a transaction in the state after an error. */
const ABORTED = "begin; do $$ begin raise exception 'overdue'; end $$";
