/**
 * OIDC_AUTHORIZE_PARAMS: the parameters that an operator adds to the authorization request, as a query string. It refuses
 * here what providers would refuse, or would read differently from one another, because every member would meet that.
 */
import * as v from "valibot";

/** Parameters that Janus itself sends. */
const RESERVED = new Set(
  (
    "client_id client_secret code_challenge code_challenge_method nonce redirect_uri request request_uri " +
    "response_mode response_type scope state"
  ).split(" "),
);

/** `param-name` of RFC 6749 A, and the characters that providers use in their own names. */
const NAME = /^[A-Za-z0-9_.:-]+$/;

/** The name and value of each parameter, in order. Each has a value, and no name comes twice. RFC 6749 3.1 */
export const authorizeParams = v.pipe(
  v.string(),
  v.check((text) => !/\p{Cc}/u.test(text), "must not contain control characters"),
  v.trim(),
  v.transform((text) => [...new URLSearchParams(text)]),
  v.check(
    (list) => list.every(([name]) => NAME.test(name) && !RESERVED.has(name)),
    `must be a query string such as prompt=login&acr_values=mfa, without ${[...RESERVED].join(", ")}`,
  ),
  v.check(
    (list) => list.every(([, value]) => value.trim() !== ""),
    "must give every parameter a value, or leave it out",
  ),
  v.check(
    (list) => new Set(list.map(([name]) => name)).size === list.length,
    "must name every parameter once",
  ),
  v.check((list) => list.every(([, value]) => !/\p{Cc}/u.test(value)), "must not contain control characters"),
);
