/**
 * PGlite's one session: how a statement is sent, what its rows become, and what an error means. The caller sees to
 * it that one statement runs at a time. Each text is prepared once: PGlite's own `query` prepares it each time, which
 * takes several times as long. docs/decisions/0008
 */
import { setImmediate } from "node:timers/promises";
import type { PGlite, postgresMod } from "@electric-sql/pglite";
import { messages, parse, protocol, types } from "@electric-sql/pglite";
import postgres from "postgres";
import { databaseUnavailable } from "../../errors.ts";
import type { Parameter } from "../run.ts";

/** The session. */
export type Session = {
  /** Runs a statement; without parameters, a text of several. A signal that has been aborted keeps it from running. */
  readonly run: (
    text: string,
    parameters: readonly Parameter[],
    signal?: AbortSignal,
  ) => Promise<readonly unknown[]>;
  /** Runs work in a transaction, which an error rolls back, and so does the signal. */
  readonly transact: <Result>(work: () => Promise<Result>, signal: AbortSignal) => Promise<Result>;
  readonly close: () => Promise<void>;
};

/** A statement that PostgreSQL knows by a name, and what it said of the parameters and of the rows. */
type Prepared = {
  readonly name: string;
  readonly types: readonly number[];
  readonly rows: readonly messages.BackendMessage[];
};

const { serialize } = protocol;
/** Without it, PostgreSQL would exit over a copy from the client. It ignores it otherwise. */
const END_COPY = serialize.copyFail("the embedded database does not copy from a client");
/** A commit syncs the files by itself. */
const OPTIONS = { syncToFs: false };
/** Text, as from a server: a number would not hold each of its values. */
const PARSERS = { [types.INT8]: String };

/** Makes the session of a PGlite, which nobody else may use from here on. */
export function createSession(pglite: PGlite): Session {
  const prepared = new Map<string, Prepared>();
  const hasStopped = stopOnTrap(pglite.Module);
  const send = (...parts: readonly Uint8Array[]) => pglite.execProtocolStream(Buffer.concat(parts), OPTIONS);

  const prepare = async (text: string): Promise<Prepared> => {
    const known = prepared.get(text);
    if (known !== undefined) return known;
    const name = `s${prepared.size}`;
    const describe = serialize.describe({ type: "S", name });
    const answer = await send(serialize.parse({ name, text }), describe, serialize.sync());
    const rows = answer.filter((message) => message instanceof messages.RowDescriptionMessage);
    const made = { name, types: parse.parseDescribeStatementResults(answer), rows };
    prepared.set(text, made);
    return made;
  };
  const sendStatement = async (text: string, parameters: readonly Parameter[]) => {
    if (parameters.length === 0) return send(serialize.query(text), END_COPY);
    const { name, types: oids, rows } = await prepare(text);
    const values = parameters.map((value, index) => write(value, oids[index]));
    const bind = serialize.bind({ statement: name, values });
    return [...rows, ...(await send(bind, serialize.execute({}), END_COPY, serialize.sync()))];
  };
  const explain = (error: unknown): unknown => {
    if (hasStopped())
      return databaseUnavailable("the embedded database has stopped: start Janus again", error);
    return error instanceof messages.DatabaseError ? asServerError(error) : error;
  };

  return {
    run: async (text, parameters, signal) => {
      // PostgreSQL runs a statement without a pause: let the rest of the program have its say between two.
      await setImmediate();
      try {
        return await pglite.runExclusive(async () => {
          signal?.throwIfAborted();
          return readRows(await sendStatement(text, parameters));
        });
      } catch (error) {
        throw explain(error);
      }
    },
    transact: async (work, signal) => {
      try {
        return await pglite.transaction(() => Promise.race([work(), rejectOnAbort(signal)]));
      } catch (error) {
        throw explain(error);
      }
    },
    // A stopped PGlite does not come back from `close`. Its folder recovers at the next start.
    close: async () => {
      if (!hasStopped()) await pglite.close();
    },
  };
}

function write(value: Parameter, oid = 0): string | null {
  return value === null ? null : (types.serializers[oid] ?? String)(value);
}

function readRows(answer: messages.BackendMessage[]): readonly unknown[] {
  const result = parse.parseResults(answer, PARSERS, { rowMode: "array" }).at(-1);
  const names = result?.fields.map(({ name }) => postgres.toCamel(name)) ?? [];
  return (result?.rows ?? []).map((row) =>
    Object.fromEntries(names.map((name, index) => [name, row[index]])),
  );
}

/** The error as the driver would have made it of the same answer. PGlite's own has the parameters in it, which are secrets. */
function asServerError({ message, severity, code, routine, stack }: messages.DatabaseError): unknown {
  // The package's types do not know its constructor.
  return Reflect.construct(postgres.PostgresError, [{ message, severity, code, routine, stack }]);
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const refuse = () => reject(signal.reason);
  if (signal.aborted) refuse();
  else signal.addEventListener("abort", refuse);
  return promise;
}

const LONGJMP = 100;

/**
 * PGlite swallows an exit or a trap and goes on with the batch, for ever if need be. This lets it through instead, and
 * runs nothing after it. Returns whether that has happened.
 */
function stopOnTrap(engine: postgresMod.PostgresMod): () => boolean {
  const { _PostgresMainLoopOnce: runOnce, stackRestore } = engine;
  let trap: { readonly cause: unknown } | undefined;
  engine._PostgresMainLoopOnce = () => {
    if (trap !== undefined) throw trap.cause;
    try {
      runOnce();
    } catch (cause) {
      const isSqlError = cause instanceof Object && "status" in cause && cause.status === LONGJMP;
      if (!isSqlError) trap = { cause };
      throw cause;
    }
  };
  engine.stackRestore = (pointer) => {
    if (trap !== undefined) throw trap.cause;
    return stackRestore(pointer);
  };
  return () => trap !== undefined;
}
