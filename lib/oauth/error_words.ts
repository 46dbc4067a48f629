/**
 * The words of OAuth errors, and what they mean: about the client, about the moment, or neither. `token_endpoint.ts` makes
 * errors of them. RFC 6749 5.2
 */
import * as v from "valibot";
import { isOutage, isTurnedAway } from "./outage.ts";
import type { Answer } from "./upstream.ts";
import { parseJson } from "./upstream.ts";

/** An error is one word. A sentence, such as a gateway's "Not Found", is not an OAuth error. */
const errorResponse = v.object({ error: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_.-]{1,40}$/)) });

/** The word of an OAuth error; undefined where the answer is not one. */
export function readError({ text }: Answer): string | undefined {
  const parsed = v.safeParse(errorResponse, parseJson(text));
  return parsed.success ? parsed.output.error : undefined;
}

/** Errors about the client's id or secret. Keycloak answers a wrong secret with unauthorized_client. */
export const CREDENTIAL_ERRORS: readonly string[] = [
  "invalid_client",
  "unauthorized_client",
  "incorrect_client_credentials",
  "invalid_client_credentials",
  "invalid_client_secret",
];
/**
 * Errors about how Janus asks, not about the code or the grant: the rest of RFC 6749 5.2, RFC 8707 2, RFC 9449 5, and
 * the words of Google, GitHub and Entra for the same.
 */
export const CLIENT_ERRORS: readonly string[] = [
  ...CREDENTIAL_ERRORS,
  "invalid_request",
  "invalid_scope",
  "unsupported_grant_type",
  "invalid_target",
  "invalid_dpop_proof",
  "use_dpop_nonce",
  "redirect_uri_mismatch",
  "invalid_redirect_uri",
  "deleted_client",
  "disabled_client",
  "invalid_resource",
];
/**
 * Whether the server refuses the client itself. A 401 says so whatever its word (RFC 6749 5.2): Auth0 answers a wrong
 * secret with access_denied. Only invalid_grant is about the grant.
 */
export function isOfCredentials(status: number, error: string): boolean {
  return CREDENTIAL_ERRORS.includes(error) || (status === 401 && error !== "invalid_grant");
}

/** Words by which a server or a gateway says "not now", whatever the status, as `letters` spells them. */
const PASSING_ERRORS = [
  "temporarilyunavailable",
  "servererror",
  "internalservererror",
  "internalerror",
  "serviceunavailable",
  "unavailable",
  "slowdown",
  "toomanyrequests",
  "ratelimit",
  "ratelimited",
  "ratelimitexceeded",
  "ratelimiterror",
  "throttled",
  "throttling",
  "overloaded",
  "overload",
  "busy",
  "serverbusy",
  "maintenance",
  "timeout",
  "timedout",
  "requesttimeout",
  "gatewaytimeout",
  "badgateway",
  "tooearly",
  "tryagain",
  "tryagainlater",
  "retrylater",
];

/** Those of them by which a server says that it failed at the work, or that something behind it did. */
const FAULT_ERRORS = [
  "servererror",
  "internalservererror",
  "internalerror",
  "timeout",
  "timedout",
  "requesttimeout",
  "gatewaytimeout",
  "badgateway",
];

/** RFC 6749 4.1.2.1: a server that is overloaded or under maintenance does not handle the request. */
const OVERLOADED = "temporarilyunavailable";

/** Whether the server has not spent the code or the token: it turned the request away, rather than fail at it. */
export function saysUnspent(answer: Answer, error: string | undefined): boolean {
  const word = letters(error ?? "");
  if (FAULT_ERRORS.includes(word)) return false;
  return isTurnedAway(answer) || (answer.status === 503 && word === OVERLOADED);
}

/** The names of statuses, as `letters` spells them. RFC 9110 15.5 */
const STATUS_WORDS: Readonly<Record<number, string>> = {
  400: "badrequest",
  403: "forbidden",
  404: "notfound",
  405: "methodnotallowed",
  406: "notacceptable",
  410: "gone",
};

/** The letters of a text alone, in lower case. */
const letters = (text: string): string => text.toLowerCase().replaceAll(/[^a-z]/g, "");

/**
 * Whether an error is not a definite answer. Gateways write a word that only names the status, such as Forbidden with
 * 403. Unauthorized with 401 is the exception: it means what a 401 means.
 */
export function saysNotNow(status: number, error: string): boolean {
  if (status < 400 || isOutage(status)) return true;
  const word = letters(error);
  return PASSING_ERRORS.includes(word) || (status !== 401 && word === STATUS_WORDS[status]);
}

/** Whether a word is one of those that this file knows, so that it holds no secret. */
export const isListed = (error: string): boolean =>
  CLIENT_ERRORS.includes(error) || PASSING_ERRORS.includes(letters(error));
