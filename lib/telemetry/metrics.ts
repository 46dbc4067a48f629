/**
 * What is counted and measured for Prometheus. The labels come from closed sets: routes, steps, outcomes and codes of ours,
 * and the operations of the two servers. `prometheus.ts` keeps the numbers, `counted_events.ts` says which lines of the log
 * count. docs/metrics.md describes each metric, and a test compares it with what is exported.
 */
import type { LogEvent } from "./events.ts";
import type { LogFields } from "./log.ts";

/** How a call to another server ended. `failed`: it gave no answer, or none that can be one. */
export type CallOutcome = "ok" | "refused" | "rate_limited" | "server_error" | "failed";

/** What is read from the database, for all processes together. */
export type Figures = {
  readonly links: Readonly<Record<"told" | "waiting" | "losing" | "disconnected" | "cleared", number>>;
  readonly pushesDue: number;
  readonly checksDue: number;
  readonly oldestCheckDueSeconds: number;
  readonly oldestPushDueSeconds: number;
  readonly lossesHeld: number;
};

/** What is known when somebody reads the metrics. */
export type Reading = {
  /** Undefined while the database does not say: then these metrics are absent. */
  readonly figures: Figures | undefined;
  /** The connections of this process to the database, by their state; undefined for the embedded one. */
  readonly connections?: Readonly<Record<string, number>> | undefined;
  /** When the certificate of the database expires; undefined unless one was verified. */
  readonly certificateExpiresAt?: Date | undefined;
};

/** The metrics of this process. */
export type Metrics = {
  readonly countRequest: (route: string, method: string, status: number, seconds: number) => void;
  readonly countCall: (upstream: string, operation: string, outcome: CallOutcome, seconds: number) => void;
  /** Counts a line of the log, whether or not it is written. */
  readonly countEvent: (event: LogEvent, fields: LogFields) => void;
  /** All of them in Prometheus' text format. */
  readonly render: (reading: Reading) => Promise<string>;
  readonly contentType: string;
};

const CLIENT_ERROR = 400;
const RATE_LIMITED = 429;
const SERVER_ERROR = 500;

/** The outcome of a call by the status of its answer. */
export function outcomeOfStatus(status: number): CallOutcome {
  if (status >= SERVER_ERROR) return "server_error";
  if (status === RATE_LIMITED) return "rate_limited";
  return status >= CLIENT_ERROR ? "refused" : "ok";
}

const METHODS: readonly string[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** A method of a request, as metrics and traces name it: one for which Janus has no use could be any text. */
export const nameMethod = (method: string): string => (METHODS.includes(method) ? method : "other");
