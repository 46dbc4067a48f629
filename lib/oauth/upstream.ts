/**
 * Bounded requests to an upstream: one deadline over headers and body, a cap on the body, and no redirect followed,
 * since a redirect would carry code, verifier and secret to where it points. Called by `discord.ts`, `oidc/` and the
 * rest of this folder. The only file that calls `fetch`.
 */
import { JanusError } from "../errors.ts";
import type { Log, LogFields } from "../log.ts";
import { describeCause } from "../log.ts";

/** The global `fetch`, as an argument. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A server that we call, and how its failures are named. */
export type Upstream = {
  readonly name: "discord" | "provider" | "janus";
  readonly fetch: Fetch;
  readonly log: Log;
  readonly callLog: CallLog;
  /** Of the request that the calls are made for; undefined where none is. */
  readonly requestId?: string;
  readonly deadlineMs: number;
  /** Whether every call opens a connection of its own, where it is asked seldom and a lost answer costs a sign-in. */
  readonly ownConnections?: boolean;
  readonly userAgent: string;
  readonly unavailable: (
    reason: string,
    detail?: { cause?: unknown; retryAfterSeconds?: number },
  ) => JanusError;
  readonly clientRejected: (reason: string) => JanusError;
};

/** A request to an upstream. */
export type UpstreamRequest = {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | URLSearchParams;
  /** A kept connection may have died without a word: what cannot be sent twice goes over a new one. */
  readonly ownConnection?: boolean;
};

/** An answer read to its end. */
export type Answer = { readonly status: number; readonly headers: Headers; readonly text: string };

const MAX_BODY_BYTES = 256 * 1024;
const MAX_RETRY_AFTER_SECONDS = 3_600;

/**
 * Sends one request, and writes a line of it to the log. Any status is an answer; a deadline, a redirect or a body over
 * the cap is unavailable. `retries` is how many tries of the same came before.
 */
export async function send(
  upstream: Upstream,
  operation: string,
  url: string,
  request: UpstreamRequest,
  retries = 0,
): Promise<Answer> {
  const started = performance.now();
  const tell = upstream.callLog(operation, hostOf(url));
  const line = (said: LogFields) => {
    const durationMs = Math.round(performance.now() - started);
    tell({ requestId: upstream.requestId, ...said, retries, durationMs });
  };
  try {
    const answer = await fetchAnswer(upstream, operation, url, request, retries);
    line({ status: answer.status, outcome: "answered" });
    return answer;
  } catch (error) {
    const failure = asUnavailable(upstream, operation, error);
    const { causeName, causeCode } = describeCause(failure.cause);
    line({ outcome: "failed", code: failure.code, causeName, causeCode });
    throw failure;
  }
}

async function fetchAnswer(
  upstream: Upstream,
  operation: string,
  url: string,
  { ownConnection, ...request }: UpstreamRequest,
  retries: number,
): Promise<Answer> {
  const signal = AbortSignal.timeout(upstream.deadlineMs);
  const headers = { ...request.headers, "user-agent": upstream.userAgent };
  const init: RequestInit = { ...request, headers, redirect: "manual", signal };
  // Bun takes this for: a new connection, which is closed afterwards. Not for a first try that may be repeated, since
  // most of them find a kept connection alive.
  if (ownConnection || upstream.ownConnections || retries > 0) init.keepalive = false;
  const response = await upstream.fetch(url, init);
  if (response.status >= 300 && response.status < 400) {
    await response.body?.cancel();
    throw upstream.unavailable(`${operation}: answered with a redirect (${response.status})`);
  }
  const text = await readBody(response, signal);
  if (text === undefined)
    throw upstream.unavailable(`${operation}: the answer is over ${MAX_BODY_BYTES} bytes`);
  return { status: response.status, headers: response.headers, text };
}

function asUnavailable(upstream: Upstream, operation: string, error: unknown): JanusError {
  if (error instanceof JanusError) return error;
  const late = error instanceof Error && error.name === "TimeoutError";
  const reason = late ? `no answer within ${upstream.deadlineMs} ms` : "no connection, or it broke";
  return upstream.unavailable(`${operation}: ${reason}`, { cause: error });
}

/** The calls of an upstream. Those of `for` are made for a request, whose id their lines in the log bear. */
export type ForRequests<Calls> = Calls & { readonly for: (requestId: string) => ForRequests<Calls> };

/** Makes the calls of an upstream, and those of a request of its own whenever they are asked for. */
export function createForRequests<Calls extends object>(
  upstream: Upstream,
  createCalls: (upstream: Upstream) => Calls,
): ForRequests<Calls> {
  return Object.assign(createCalls(upstream), {
    for: (requestId: string) => createForRequests({ ...upstream, requestId }, createCalls),
  });
}

/** As in a Host header; never the path. */
const hostOf = (url: string): string => /^https?:\/\/([^/?#]*)/.exec(url)?.[1] ?? "";

/** Gives the line of a call by its operation and host, prepared once for each: there are few, and a flow makes four calls. */
export type CallLog = (operation: string, host: string) => (fields: LogFields) => void;

/** Makes the lines of an upstream's calls. */
export function createCallLog(log: Log, upstream: Upstream["name"]): CallLog {
  const prepared = new Map<string, ReturnType<CallLog>>();
  return (operation, host) => {
    const key = `${operation} ${host}`;
    const line = prepared.get(key) ?? log.prepare("info", "upstream call", { upstream, host, operation });
    prepared.set(key, line);
    return line;
  };
}

/** The whole body as text, or undefined once it is over the cap. Throws when the signal fires. */
async function readBody(response: Response, signal: AbortSignal): Promise<string | undefined> {
  // The common case, and the cheap one: the length is told, and is that of what will be read.
  const length = response.headers.get("content-length");
  if (length !== null && !response.headers.has("content-encoding")) {
    return Number(length) > MAX_BODY_BYTES ? cancelBody(response) : response.text();
  }
  if (response.body === null) return "";
  const reader = response.body.getReader();
  const abort = () => void reader.cancel().catch(() => undefined);
  signal.addEventListener("abort", abort, { once: true });
  try {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      size += part.value.byteLength;
      if (size > MAX_BODY_BYTES) {
        await reader.cancel();
        return undefined;
      }
      chunks.push(part.value);
    }
    signal.throwIfAborted();
    return Buffer.concat(chunks).toString("utf8");
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

async function cancelBody(response: Response): Promise<undefined> {
  await response.body?.cancel();
  return undefined;
}

/** The body as JSON, or undefined if it is none: an HTML page from a proxy is not an answer. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: every caller checks the shape next, and undefined has none.
    return undefined;
  }
}

/** Seconds to wait as the answer says, within an hour; undefined if it does not. RFC 9110 10.2.3 */
export function retryAfterSeconds(answer: Answer): number | undefined {
  const header = answer.headers.get("retry-after");
  if (header === null || !/^\d{1,9}(\.\d{1,6})?$/.test(header)) return undefined;
  return capRetryAfter(Number(header));
}

/** The upstream's "unavailable", with the wait that its answer asks for. */
export function unavailable(upstream: Upstream, reason: string, answer: Answer): JanusError {
  const wait = retryAfterSeconds(answer);
  return upstream.unavailable(reason, wait === undefined ? {} : { retryAfterSeconds: wait });
}

/** Whole seconds, an hour at most: nobody's answer makes Janus wait for ever. */
export function capRetryAfter(seconds: number): number {
  return Math.min(Math.ceil(seconds), MAX_RETRY_AFTER_SECONDS);
}
