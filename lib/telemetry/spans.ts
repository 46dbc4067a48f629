/**
 * What the program knows of traces: a span is a piece of work with a beginning and an end, within the span around it.
 * `opentelemetry.ts` makes them. No attribute may hold a secret, or the name or the id of a person: a value is a word or a
 * number of ours, or the host of a server that the operator has configured.
 */

/** What may be said of a span. The names are OpenTelemetry's, and our own ones with `janus.` before them. */
export type Attributes = {
  readonly "http.request.method"?: string;
  readonly "http.route"?: string;
  readonly "http.response.status_code"?: number;
  readonly "server.address"?: string;
  readonly "db.system.name"?: "postgresql";
  readonly "db.query.summary"?: string;
  /** Our own code of an error. */
  readonly "error.type"?: string;
  readonly "janus.step"?: string;
  readonly "janus.outcome"?: string;
  readonly "janus.upstream"?: string;
  readonly "janus.operation"?: string;
  readonly "janus.retries"?: number;
  readonly "janus.duty"?: string;
};

/** A span under way. */
export type Span = {
  readonly add: (attributes: Attributes) => void;
  /** Marks it as failed, by our own code. */
  readonly fail: (code: string) => void;
};

/** Who the work is done for, or where. A `duty` of upkeep begins a trace of its own, whatever has woken it. */
export type SpanKind = "server" | "client" | "internal" | "duty";

/** Makes spans. */
export type Tracer = {
  /**
   * Does work within a span, which ends when the work does. It is a child of the span around it, or of the one that a
   * `traceparent` from outside names. Work that throws makes it fail.
   */
  readonly trace: <Result>(
    kind: SpanKind,
    name: string,
    attributes: Attributes,
    work: (span: Span) => Result | Promise<Result>,
    traceparent?: string | null,
  ) => Promise<Result>;
  /** The id of the trace that is under way, as 32 hexadecimal digits. */
  readonly traceId: () => string | undefined;
  /** The header that tells another server of the span under way; undefined if none is to be sent. */
  readonly traceparent: () => string | undefined;
  /** Sends what is left, for a few seconds at most. */
  readonly end: () => Promise<void>;
};

/** Spans that the collector did not take. */
export type TraceFault = {
  readonly count: number;
  /** The status of its answer, or the machine-readable code of why it has none. */
  readonly causeCode: string | undefined;
};
