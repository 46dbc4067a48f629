/** Answers that say "not now": for how long, and whether the request may have been carried out nevertheless. */
import type { JanusError } from "../errors.ts";
import type { Answer, Upstream } from "./upstream.ts";

const MAX_RETRY_AFTER_SECONDS = 3_600;

/**
 * Seconds to wait as the answer says, within an hour; undefined if it does not. A date counts from the one of the answer, so
 * that only one clock has to be right; a date before that says nothing. RFC 9110 10.2.3
 */
export function retryAfterSeconds({ headers }: Answer): number | undefined {
  const header = headers.get("retry-after") ?? "";
  if (/^\d{1,9}(\.\d{1,6})?$/.test(header)) return capRetryAfter(Number(header));
  const [until, sentAt] = [readHttpDate(header), readHttpDate(headers.get("date") ?? "")];
  if (until === undefined || sentAt === undefined || until < sentAt) return undefined;
  return capRetryAfter((until - sentAt) / 1_000);
}

/** Reads a date in the form that HTTP uses today, as milliseconds since 1970; undefined for any other text. RFC 9110 5.6.7 */
function readHttpDate(text: string): number | undefined {
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

/** 4xx about the moment or the way there, never about the request: RFC 9110 15.5, RFC 8470 5.2, RFC 6585 4 */
const PASSING_STATUSES = [407, 408, 421, 425, 429];

/** Whether a status says "not now", whatever the body says. */
export function isOutage(status: number): boolean {
  return status >= 500 || PASSING_STATUSES.includes(status);
}

/** RFC 9110 15.5.9. Gateways also write it for a server behind them that did not answer in time. */
const REQUEST_TIMEOUT = 408;

/**
 * Whether an answer is a refusal, so that the request has changed nothing: any other 4xx, and a 503 that names a time to
 * come again. Other 5xx may come after the work was done, also a bare 503, which Envoy writes for a connection that broke.
 * RFC 9110 15.5, 15.6.4, RFC 6585 4, docs/decisions/0045
 */
export function isTurnedAway(answer: Answer): boolean {
  const { status } = answer;
  if (status === 503) return retryAfterSeconds(answer) !== undefined;
  return status >= 400 && status < 500 && status !== REQUEST_TIMEOUT;
}

/** The upstream's "unavailable", with the wait that its answer asks for. */
export function unavailable(
  upstream: Upstream,
  reason: string,
  answer: Answer,
  isUntaken = isTurnedAway(answer),
): JanusError {
  const wait = retryAfterSeconds(answer);
  return upstream.unavailable(
    reason,
    wait === undefined ? { isUntaken } : { isUntaken, retryAfterSeconds: wait, isWaitAsked: true },
  );
}

/** Whole seconds, an hour at most, so that no answer makes Janus wait for ever. */
export function capRetryAfter(seconds: number): number {
  return Math.min(Math.ceil(seconds), MAX_RETRY_AFTER_SECONDS);
}
