/**
 * Errors as the senders of events read them: in the form of their protocol where it has one, in plain words otherwise. Nobody
 * is there to read a page, or the language of a member.
 */
import type { JanusError } from "../errors.ts";

/** The words of an error, by its status; `maxBytes` is how large a body may be. */
export function describeEventError({ status }: JanusError, maxBytes: number): string {
  if (status === 413) return `the body is larger than ${maxBytes} bytes`;
  return WORDS[status] ?? "Janus could not carry out the request";
}

const WORDS: Readonly<Record<number, string>> = {
  408: "the body did not arrive in time: send the request again",
  429: "too many requests are under way: send this one again later",
  503: "Janus cannot answer now: send the request again later",
};

/** The code of an error, as OAuth names them. RFC 6749 4.1.2.1 */
export function oauthErrorOf({ status }: JanusError): string {
  if (status === 429 || status === 503) return "temporarily_unavailable";
  return status >= 500 ? "server_error" : "invalid_request";
}
