/**
 * OIDC_AUTHORIZE_PARAMS: what an operator adds to the authorization request, as a query string. What a provider would
 * refuse, or read in a way of its own, is a fault here: there every member would meet it.
 */
import * as v from "valibot";

/** Parameters of the authorization request that are Janus's own. */
const RESERVED = new Set(
  (
    "client_id client_secret code_challenge code_challenge_method nonce redirect_uri request request_uri " +
    "response_mode response_type scope state"
  ).split(" "),
);

/** RFC 6749 A, `param-name`, and what providers have in names of their own. */
const NAME = /^[A-Za-z0-9_.:-]+$/;

/** Name and value of each, in their order. RFC 6749 3.1: none without a value, and none twice. */
export const authorizeParams = v.pipe(
  v.string(),
  v.check((text) => !/\p{Cc}/u.test(text), "must not hold control characters"),
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
  v.check((list) => list.every(([, value]) => !/\p{Cc}/u.test(value)), "must not hold control characters"),
);
