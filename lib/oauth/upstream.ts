/**
 * Bounded requests to an upstream: one deadline over headers and body, a cap on the body, no compression, and no
 * redirect followed, since it would carry code, verifier and secret to another server. No other file calls `fetch`,
 * except for the health check, which asks this machine's own server.
 *
 * OAuth, as far as it is the same at Discord and at the provider. This room owns what is sent and what may come back:
 *
 *     every outgoing request, within its bounds      upstream.ts, answer_body.ts, budget.ts
 *     answers that are none                          outage.ts
 *     the authorization endpoint and the callback    authorization.ts
 *     the token endpoint                             token_endpoint.ts, error_words.ts, refresh.ts
 *     the revocation endpoint                        revocation.ts
 *
 * It leaves to `discord/` and `oidc/` which requests they make and what they take from an answer, to `flow/` the state.
 */
import { JanusError } from "../errors.ts";
import type { Instruments } from "../telemetry/instruments.ts";
import type { Log, LogFields } from "../telemetry/log.ts";
import { describeCause } from "../telemetry/log.ts";
import { outcomeOfStatus } from "../telemetry/metrics.ts";
import type { Attributes } from "../telemetry/spans.ts";
import { dropBody, isCompressed, readBody, UNCOMPRESSED } from "./answer_body.ts";
import type { Budget } from "./budget.ts";
import { requireTime, timeFor } from "./budget.ts";
import { isOutage } from "./outage.ts";

/** The global `fetch`, as an argument. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** What a call is made for: the work of a request, or work that nobody waits for, such as upkeep. */
export type Work = {
  /** The request's id, for the log. */
  readonly requestId?: string;
  /** The time that the request has left for all its calls. */
  readonly budget?: Budget;
  /** Whether its calls wait for their turn in what all processes may ask: nobody waits for the work. */
  readonly waitsForTurn?: boolean;
};

/** What a rate limit is about: one member's calls, all calls of the application, or this address. */
export type Limit = NonNullable<JanusError["limit"]>;

/** Follows the calls to an upstream. */
export type Meter = {
  /** Settles when a call may begin: at once, unless it waits for its turn. Throws the upstream's unavailable, untaken. */
  readonly admit: (upstream: Upstream, operation: string) => Promise<void>;
  readonly note: (answer: Answer) => void;
};

/** A server that we call, what for, and how its failures are named. */
export type Upstream = Work & {
  /** `janus`: this Janus itself, as members reach it. */
  readonly name: "discord" | "provider" | "janus";
  readonly fetch: Fetch;
  readonly log: Log;
  /** Count its calls, and put each into a span. */
  readonly instruments?: Instruments | undefined;
  readonly deadlineMs: number;
  /** Whether every call opens its own connection: where a server is asked seldom, a kept one has often died. */
  readonly ownConnections?: boolean;
  readonly userAgent: string;
  readonly meter?: Meter;
  readonly unavailable: (
    reason: string,
    detail?: {
      cause?: unknown;
      retryAfterSeconds?: number;
      isWaitAsked?: boolean;
      isUntaken?: boolean;
      limit?: Limit;
    },
  ) => JanusError;
  readonly clientRejected: (reason: string) => JanusError;
  /** Runs when a call has its turn, before it is sent. If it throws, nothing is sent. */
  readonly beforeSend?: () => Promise<void>;
  /** The error for a refresh that is answered with invalid_request; clientRejected unless given. */
  readonly refreshRefused?: (reason: string) => JanusError;
};

/** A request to an upstream. */
export type UpstreamRequest = {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | URLSearchParams;
  /** A kept connection may have died unnoticed, so a request that cannot be sent twice goes over a new one. */
  readonly ownConnection?: boolean;
  /** The error for a redirect that is a lasting fault; the upstream's unavailable unless given. */
  readonly onRedirect?: (reason: string) => JanusError;
};

/** An answer read to its end. */
export type Answer = { readonly status: number; readonly headers: Headers; readonly text: string };

/**
 * Sends one request and logs it. Any status is an answer. Throws the upstream's unavailable after the deadline, for a
 * redirect, for a compressed body or one over the cap, and where no time is left to begin. `retries` counts earlier
 * tries.
 */
export async function send(
  upstream: Upstream,
  operation: string,
  url: string,
  request: UpstreamRequest,
  retries = 0,
): Promise<Answer> {
  requireTime(upstream, operation);
  await upstream.meter?.admit(upstream, operation);
  await upstream.beforeSend?.();
  const tracer = upstream.instruments?.tracer;
  if (tracer === undefined) return sendNow(upstream, operation, url, request, retries);
  const { name } = upstream;
  const attributes: Attributes = {
    "janus.upstream": name,
    "janus.operation": operation,
    "janus.retries": retries,
    "server.address": hostOf(url),
    "http.request.method": request.method ?? "GET",
  };
  return tracer.trace("client", `${name} ${operation}`, attributes, async (span) => {
    // A Janus that asks itself, as the doctor does, is not to take its own answer for a part of the question.
    const traceparent = name === "janus" ? undefined : tracer.traceparent();
    const traced =
      traceparent === undefined ? request : { ...request, headers: { ...request.headers, traceparent } };
    const answer = await sendNow(upstream, operation, url, traced, retries);
    span.add({ "http.response.status_code": answer.status });
    return answer;
  });
}

async function sendNow(
  upstream: Upstream,
  operation: string,
  url: string,
  request: UpstreamRequest,
  retries: number,
): Promise<Answer> {
  const started = performance.now();
  const { metrics } = upstream.instruments ?? {};
  const logCall = (result: LogFields) => {
    const durationMs = performance.now() - started;
    const outcome = result.status === undefined ? "failed" : outcomeOfStatus(result.status);
    metrics?.countCall(upstream.name, operation, outcome, durationMs / 1_000);
    upstream.log.info("upstream_call", {
      requestId: upstream.requestId,
      upstream: upstream.name,
      host: hostOf(url),
      operation,
      ...result,
      retries,
      durationMs: Math.round(durationMs),
    });
  };
  const deadlineMs = timeFor(upstream);
  try {
    const init = initOf(upstream, request, retries, AbortSignal.timeout(deadlineMs));
    const answer = await fetchAnswer(upstream, operation, url, init, request.onRedirect);
    upstream.meter?.note(answer);
    logCall({ status: answer.status, outcome: "answered" });
    return answer;
  } catch (error) {
    const failure = asUnavailable(upstream, operation, deadlineMs, error);
    const { causeName, causeCode } = describeCause(failure.cause);
    logCall({ outcome: "failed", code: failure.code, causeName, causeCode });
    throw failure;
  }
}

/** The same `fetch`. It tells the Date of each answer, and when this clock asked and had it, all in milliseconds. RFC 9110 6.6.1 */
export function tellDates(
  world: { readonly fetch: Fetch; readonly now: () => Date },
  onDate: (date: number, askedAt: number, answeredAt: number) => void,
): Fetch {
  return async (url, init) => {
    const askedAt = world.now().getTime();
    const response = await world.fetch(url, init);
    const date = Date.parse(response.headers.get("date") ?? "");
    if (!Number.isNaN(date)) onDate(date, askedAt, world.now().getTime());
    return response;
  };
}

type Init = BunFetchRequestInit & { readonly signal: AbortSignal };

function initOf(
  upstream: Upstream,
  { ownConnection = false, onRedirect: _onRedirect, ...request }: UpstreamRequest,
  retries: number,
  signal: AbortSignal,
): Init {
  const headers = { ...request.headers, ...UNCOMPRESSED, "user-agent": upstream.userAgent };
  // `decompress` is Bun's own option. Without it Bun decompresses before any cap applies.
  const init: Init = { ...request, headers, redirect: "manual", decompress: false, signal };
  // Bun closes a new connection afterwards. A first try that may be repeated takes a kept one, since most are alive.
  const isOwn = ownConnection || upstream.ownConnections === true || retries > 0;
  return isOwn ? { ...init, keepalive: false } : init;
}

async function fetchAnswer(
  upstream: Upstream,
  operation: string,
  url: string,
  init: Init,
  // A redirect is not followed, and whoever sent it has not done the work.
  onRedirect: UpstreamRequest["onRedirect"] = (reason) => upstream.unavailable(reason, { isUntaken: true }),
): Promise<Answer> {
  const response = await upstream.fetch(url, init);
  if (response.status >= 300 && response.status < 400) {
    await dropBody(response);
    throw onRedirect(`${operation}: answered with a redirect (${response.status})`);
  }
  const { status, headers } = response;
  if (isCompressed(headers) && isOutage(status)) {
    await dropBody(response);
    // Of an outage only the status and the headers are read.
    return { status, headers, text: "" };
  }
  // The upstream counts an answer whose body is not read to its end, too.
  const noteHead = (): void => upstream.meter?.note({ status, headers, text: "" });
  const body = await readBody(response, init.signal).catch((error: unknown) => {
    noteHead();
    throw error;
  });
  if ("refusal" in body) {
    noteHead();
    throw upstream.unavailable(`${operation}: ${body.refusal}`);
  }
  return { status, headers, text: body.text };
}

function asUnavailable(upstream: Upstream, operation: string, ms: number, error: unknown): JanusError {
  if (error instanceof JanusError) return error;
  const late = error instanceof Error && error.name === "TimeoutError";
  const reason = late ? `no answer within ${ms} ms` : "the connection failed or was lost";
  return upstream.unavailable(`${operation}: ${reason}`, { cause: error, isUntaken: isUnsent(error) });
}

/** Whether no connection was made, so that nothing was sent. The names are Bun's and the system's. */
const isUnsent = (error: unknown): boolean =>
  /^(ConnectionRefused|FailedToOpenSocket|ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOSTUNREACH|ENETUNREACH)$/.test(
    describeCause(error).causeCode ?? "",
  );

/** As in a Host header; never the path. */
const hostOf = (url: string): string => /^https?:\/\/([^/?#]*)/.exec(url)?.[1] ?? "";

/** The body as JSON, or undefined if it is not: an HTML page from a proxy is not an answer. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Every caller checks the shape next, and undefined fits none.
    return undefined;
  }
}
