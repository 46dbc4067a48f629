/**
 * The log: one line an event, on standard output. This room owns what the program tells of itself, and how that leaves the
 * process:
 *
 *     fields, levels, errors in a line       this file
 *     events, steps and outcomes             events.ts
 *     lines on standard output               line_writer.ts
 *     metrics                                metrics.ts, counted_events.ts, prometheus.ts
 *     traces                                 spans.ts, opentelemetry.ts
 *     what of these two is switched on       instruments.ts
 *
 * A field is logged only if it is in `LogFields`, so that a token, a code, a cookie, a state, a path or a query string has
 * no name under which it could be logged. A text from outside is never a field, except for a valid request id and IP
 * addresses. `pino` writes the lines. The room leaves to all others what they log, and when.
 */
import { pino } from "pino";
import { asJanusError } from "../errors.ts";
import type { Doorbell, EventOutcome, InteractionOutcome, LogEvent, LogOutcome, LogStep } from "./events.ts";

/** The closed list of fields that a log line may have in addition to its level, its time and its event. */
export type LogFields = {
  /** Of the request that the line belongs to. */
  readonly requestId?: string | undefined;
  /** Of the trace that the line belongs to, where there are traces. */
  readonly traceId?: string | undefined;
  /** The route's pattern, never the path or the query. */
  readonly route?: string | undefined;
  readonly method?: string | undefined;
  readonly status?: number | undefined;
  readonly durationMs?: number | undefined;
  /** Our own error code. */
  readonly code?: string | undefined;
  /** Our own words for what went wrong. */
  readonly reason?: string | undefined;
  /** The class of a cause, such as TypeError, and its machine-readable code, such as ECONNREFUSED. */
  readonly causeName?: string | undefined;
  readonly causeCode?: string | undefined;
  readonly stack?: string | undefined;
  readonly step?: LogStep | undefined;
  readonly outcome?: LogOutcome | EventOutcome | InteractionOutcome | undefined;
  /** Who told Janus of something. */
  readonly source?: Doorbell | undefined;
  readonly discordUserId?: string | undefined;
  readonly upstream?: string | undefined;
  /** Of an upstream, as in host.example.org:8443. */
  readonly host?: string | undefined;
  readonly operation?: string | undefined;
  /** How many tries of the same call came before. */
  readonly retries?: number | undefined;
  readonly count?: number | undefined;
  /** Where Janus listens. */
  readonly address?: string | undefined;
  /** The address of somebody who is kept out, or who speaks for others and is not trusted. */
  readonly peer?: string | undefined;
  readonly version?: string | undefined;
  /** Which rules are in force: the file and its records. */
  readonly rules?: string | undefined;
};

const FIELD_NAMES = [
  "requestId",
  "traceId",
  "route",
  "method",
  "status",
  "durationMs",
  "code",
  "reason",
  "causeName",
  "causeCode",
  "stack",
  "step",
  "outcome",
  "source",
  "discordUserId",
  "upstream",
  "host",
  "operation",
  "retries",
  "count",
  "address",
  "peer",
  "version",
  "rules",
] as const satisfies readonly (keyof LogFields)[];
const ALLOWED: ReadonlySet<string> = new Set(FIELD_NAMES);
const isAllowed = (name: string): boolean => ALLOWED.has(name);

const EVENT = "event";
const MAX_FRAMES = 8;
/** A stack's own line ends in a place of the program; a line of a message hardly does. */
const FRAME = /^\s+at .*(\/|node:|bun:|native)\S*(:\d+){0,2}\)?$/;

/** From the most talkative to none at all. */
export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
/** How lines look: `auto` is readable on a terminal, and JSON where a program reads. */
export const LOG_FORMATS = ["auto", "json", "readable"] as const;
/** One of `LOG_FORMATS`. */
export type LogFormat = (typeof LOG_FORMATS)[number];

/** One of `LOG_LEVELS`. */
export type LogLevel = (typeof LOG_LEVELS)[number];

type Write = (event: LogEvent, fields?: LogFields) => void;
type Level = Exclude<LogLevel, "silent">;
/** One function a level. */
export type Log = { readonly [level in Level]: Write };

/** The log of the process. */
export type MainLog = Log & {
  /** Prepares the line of an event whose first fields are always the same: the one of each request. decision 0032 */
  readonly prepare: (level: Level, event: LogEvent, fixed: LogFields) => (fields: LogFields) => void;
};

const nothing = (): void => undefined;
/** For commands whose result is what they print. */
export const NO_LOG: MainLog = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  prepare: () => nothing,
};

/** Who else is concerned with the lines of a log. */
type Watch = {
  /** Learns of every event, whether or not its line is written; of those of `prepare` it does not. */
  readonly onEvent?: ((event: LogEvent, fields: LogFields) => void) | undefined;
  /** The id of the trace under way, for each line. */
  readonly traceId?: (() => string | undefined) | undefined;
};

/** Makes a log. `write` takes one line of JSON with its newline; `now` gives the time that a line bears. */
export function createLog(
  level: LogLevel,
  write: (line: string) => void,
  now: () => Date,
  { onEvent, traceId }: Watch = {},
): MainLog {
  const timestamp = createTimestamp(now);
  const logger = pino(
    {
      level,
      base: null,
      timestamp,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: EVENT,
    },
    { write },
  );
  const isWritten = (name: Level): boolean => LOG_LEVELS.indexOf(name) >= LOG_LEVELS.indexOf(level);
  const fieldsOf = (fields: LogFields): LogFields =>
    allowed(traceId === undefined ? fields : { traceId: traceId(), ...fields });
  const at = (name: Level): Write => {
    const writeLine: Write = isWritten(name)
      ? (event, fields = {}) => logger[name](fieldsOf(fields), event)
      : nothing;
    if (onEvent === undefined) return writeLine;
    return (event, fields = {}) => {
      onEvent(event, fields);
      writeLine(event, fields);
    };
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    prepare: (name, event, fixed) => {
      if (!isWritten(name)) return nothing;
      // As pino writes it, but with one call for all fields: pino makes one for each, which costs more on Bun.
      const beginning = JSON.stringify({ ...allowed(fixed), [EVENT]: event }).slice(1, -1);
      return (fields) => {
        const own = JSON.stringify(fieldsOf(fields)).slice(1);
        write(`{"level":"${name}"${timestamp()},${beginning}${own === "}" ? "" : ","}${own}\n`);
      };
    },
  };
}

/** When a line was written, as JSON. */
function createTimestamp(now: () => Date): () => string {
  let written = { ms: Number.NaN, time: "" };
  return () => {
    const date = now();
    const ms = date.getTime();
    // Many lines are of one millisecond.
    if (ms !== written.ms) written = { ms, time: `,"time":"${date.toISOString()}"` };
    return written.time;
  };
}

/** The fields of the list alone: a type is a promise about our code, this holds at run time too. */
function allowed(fields: LogFields): LogFields {
  // Copied only where something must be left out: a line is written for every request.
  for (const name in fields) if (!isAllowed(name)) return pickAllowed(fields);
  return fields;
}

const pickAllowed = (fields: LogFields): LogFields =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => isAllowed(name)));

/** The same log, with a request's id in every line. */
export function bindRequest(log: Log, requestId: string): Log {
  const bind =
    (write: Write): Write =>
    (event, fields) =>
      write(event, { requestId, ...fields });
  return {
    debug: bind(log.debug),
    info: bind(log.info),
    warn: bind(log.warn),
    error: bind(log.error),
  };
}

/** What went wrong, as every line that tells of a failure has it: our code and words, and what may be said of the cause. */
export function describeError(
  error: unknown,
): Pick<LogFields, "code" | "reason" | "causeName" | "causeCode" | "stack"> {
  const { code, message, cause } = asJanusError(error);
  return { code, reason: message, ...describeCause(cause) };
}

/**
 * What may be said of a cause: its class, its machine-readable code, and where in the program it arose; never its
 * message, which may quote input.
 */
export function describeCause(cause: unknown): Pick<LogFields, "causeName" | "causeCode" | "stack"> {
  if (!(cause instanceof Error)) return {};
  const causeCode = "code" in cause && typeof cause.code === "string" ? cause.code : undefined;
  const frames = cause.stack
    ?.replace(cause.message, "")
    .split("\n")
    .filter((line) => FRAME.test(line));
  return { causeName: cause.name, causeCode, stack: frames?.slice(0, MAX_FRAMES).join("\n") };
}
