/**
 * The authorization endpoint, once for both legs: the request that a browser is sent away with, and what the callback
 * may say. Called by `discord.ts`, `oidc/`, `flow.ts` and `link.ts`.
 */
import { OAuth2Client } from "arctic/dist/client.js";
import type { JanusError } from "../errors.ts";
import { authorizationRejected, callbackMalformed } from "../errors.ts";
import type { Upstream } from "./upstream.ts";

/** Makes the address of an authorization request from what is new in each: state, nonce and the like, as base64url. */
export type AuthorizationRequest = (fresh: Readonly<Record<string, string>>) => string;

/** Prepares an authorization request, all but what is new in each: building an address costs. RFC 6749 4.1.1 */
export function prepareAuthorizationRequest(
  endpoint: string,
  client: { readonly clientId: string; readonly redirectUri: string },
  scopes: readonly string[],
  parameters: readonly (readonly [string, string])[],
): AuthorizationRequest {
  const oauth = new OAuth2Client(client.clientId, null, client.redirectUri);
  const url = oauth.createAuthorizationURL(endpoint, "", [...scopes]);
  url.searchParams.delete("state");
  for (const [name, value] of parameters) url.searchParams.set(name, value);
  const prepared = url.href;
  return (fresh) => {
    let address = prepared;
    for (const name in fresh) address += `&${name}=${fresh[name]}`;
    return address;
  };
}

/** What an authorization response says, each parameter at most once. RFC 6749 4.1.2, RFC 9207 2 */
export type AuthorizationResponse = {
  readonly state: string;
  readonly iss: string | undefined;
  readonly result: { readonly code: string } | { readonly error: string };
};

/** Printable ASCII: what RFC 6749 Appendix A allows in code, state and error. Lengths are ours. */
const PARAMETERS = {
  state: /^[A-Za-z0-9_-]{1,128}$/,
  code: /^[\x20-\x7e]{1,4096}$/,
  error: /^[\x20-\x7e]{1,128}$/,
  iss: /^[\x21-\x7e]{1,2048}$/,
} as const;

/** Reads an authorization response. Throws callback_malformed. */
export function readAuthorizationResponse(query: URLSearchParams): AuthorizationResponse {
  const state = readParameter(query, "state");
  const iss = readParameter(query, "iss");
  const code = readParameter(query, "code");
  const error = readParameter(query, "error");
  if (state === undefined) throw callbackMalformed("state is missing");
  if (code !== undefined && error !== undefined) throw callbackMalformed("both code and error");
  if (code !== undefined) return { state, iss, result: { code } };
  if (error !== undefined) return { state, iss, result: { error } };
  throw callbackMalformed("neither code nor error");
}

function readParameter(query: URLSearchParams, name: keyof typeof PARAMETERS): string | undefined {
  const values = query.getAll(name);
  const [value] = values;
  if (value === undefined) return undefined;
  if (values.length > 1) throw callbackMalformed(`${name} is there more than once`);
  if (!PARAMETERS[name].test(value)) throw callbackMalformed(`${name} is too long or not a ${name}`);
  return value;
}

/** The error that an authorization response's `error` stands for; `access_denied` is none, the member said no. */
export function authorizationError(
  upstream: Pick<Upstream, "name" | "unavailable">,
  error: string,
): JanusError {
  if (error === "server_error" || error === "temporarily_unavailable") {
    return upstream.unavailable(`the authorization endpoint answered ${error}`);
  }
  const known = KNOWN_ERRORS.includes(error) ? error : "an unlisted error";
  return authorizationRejected(`${upstream.name}: the authorization endpoint answered ${known}`);
}

/** RFC 6749 4.1.2.1 and OpenID Connect Core 3.1.2.6: names that may be logged. Any other word came from the query. */
const KNOWN_ERRORS = [
  "invalid_request",
  "unauthorized_client",
  "unsupported_response_type",
  "invalid_scope",
  "interaction_required",
  "login_required",
  "account_selection_required",
  "consent_required",
  "invalid_request_uri",
  "invalid_request_object",
  "request_not_supported",
  "request_uri_not_supported",
  "registration_not_supported",
];
