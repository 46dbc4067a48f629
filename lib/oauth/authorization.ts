/**
 * The authorization endpoint, once for both legs: the request that a browser is sent away with, and what the callback may
 * say.
 */
import { OAuth2Client } from "arctic/dist/client.js";
import type { JanusError } from "../errors.ts";
import { authorizationRejected, callbackMalformed, flowExpired } from "../errors.ts";
import type { Upstream } from "./upstream.ts";

/** Gives the address of an authorization request for what is new in each: state, nonce and the like, as base64url. */
type AuthorizationRequest = (fresh: Readonly<Record<string, string>>) => string;

/** Makes an authorization request, but for what is new in each. Decision 0032 says why in two steps. RFC 6749 4.1.1 */
export function createAuthorizationRequest(
  endpoint: string,
  client: { readonly clientId: string; readonly redirectUri: string },
  scopes: readonly string[],
  parameters: readonly (readonly [string, string])[],
): AuthorizationRequest {
  const oauth = new OAuth2Client(client.clientId, null, client.redirectUri);
  const url = oauth.createAuthorizationURL(endpoint, "", [...scopes]);
  url.searchParams.delete("state");
  for (const [name, value] of parameters) url.searchParams.set(name, value);
  const beginning = url.href;
  return (fresh) => {
    let address = beginning;
    for (const name in fresh) address += `&${name}=${fresh[name]}`;
    return address;
  };
}

/** An authorization response, with each parameter at most once. RFC 6749 4.1.2, RFC 9207 2 */
export type AuthorizationResponse = {
  readonly state: string;
  readonly iss: string | undefined;
  readonly result: { readonly code: string } | ErrorResponse;
};

/**
 * An error that a server sent the browser back with. Anybody can write into a callback, so only listed errors are
 * repeated, and a description is only compared with listed ones. RFC 6749 4.1.2.1
 */
export type ErrorResponse = { readonly error: string; readonly description: string | undefined };

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
  if (state === undefined) throw callbackMalformed('callback: "state" is missing');
  if (code !== undefined && error !== undefined)
    throw callbackMalformed('callback: both "code" and "error" are present');
  if (code !== undefined) return { state, iss, result: { code } };
  if (error !== undefined) return { state, iss, result: { error, description: readDescription(query) } };
  throw callbackMalformed('callback: neither "code" nor "error" is present');
}

function readParameter(query: URLSearchParams, name: keyof typeof PARAMETERS): string | undefined {
  const values = query.getAll(name);
  const [value] = values;
  if (value === undefined) return undefined;
  if (values.length > 1) throw callbackMalformed(`callback: "${name}" occurs more than once`);
  if (!PARAMETERS[name].test(value)) throw callbackMalformed(`callback: "${name}" is too long or malformed`);
  return value;
}

/** A description is only compared, so a doubled or strange one does not make the callback malformed. */
function readDescription(query: URLSearchParams): string | undefined {
  const [description, ...more] = query.getAll("error_description");
  return more.length === 0 ? description : undefined;
}

/**
 * Reads an error by which the member or the server said no to this sign-in, and gives the words for the log. Any other
 * error is thrown as what it means: flow_expired, authorization_rejected, the upstream's unavailable.
 */
export function readRefusal(
  upstream: Pick<Upstream, "name" | "unavailable">,
  { error, description }: ErrorResponse,
): string {
  const isRefusal = error === "access_denied" || (upstream.name === "provider" && REFUSALS.includes(error));
  if (!isRefusal || hasExpired(error, description)) throw authorizationError(upstream, error, description);
  return `${upstream.name}: the authorization endpoint answered ${error}`;
}

/**
 * Errors other than access_denied by which a provider says that the member did not do what it asked for, or that it
 * does not let them in: OpenID Connect Core 3.1.2.6, Unmet Authentication Requirements 1.0, Auth0 for a blocked user,
 * LinkedIn and Apple for one who cancelled. Janus itself never sends prompt=none, which the first four would answer.
 */
const REFUSALS = [
  "login_required",
  "consent_required",
  "interaction_required",
  "account_selection_required",
  "unmet_authentication_requirements",
  "unauthorized",
  "user_cancelled_login",
  "user_cancelled_authorize",
];

/** Our own error for an authorization response's `error` that is not a refusal. */
export function authorizationError(
  upstream: Pick<Upstream, "name" | "unavailable">,
  error: string,
  description?: string,
): JanusError {
  if (hasExpired(error, description)) return flowExpired(`${upstream.name}: the sign-in page had expired`);
  if (error === "server_error" || error === "temporarily_unavailable") {
    return upstream.unavailable(`the authorization endpoint answered ${error}`);
  }
  const known = KNOWN_ERRORS.includes(error) ? error : "an unlisted error";
  return authorizationRejected(`${upstream.name}: the authorization endpoint answered ${known}`);
}

/** Whether the member took too long at the server's own pages, by the words that servers use for it. */
function hasExpired(error: string, description: string | undefined): boolean {
  return EXPIRED_ERRORS.includes(error) || EXPIRED_DESCRIPTIONS.includes(description ?? "");
}

/** Gluu and Janssen. */
const EXPIRED_ERRORS = ["authentication_session_invalid"];
const EXPIRED_DESCRIPTIONS = [
  // Keycloak, with temporarily_unavailable. https://www.keycloak.org/securing-apps/oidc-layers#_oidc-errors
  "authentication_expired",
  // Ory Hydra, with request_unauthorized, in the words of several releases.
  "The request could not be authorized. The login request has expired. Please try again.",
  "The request could not be authorized. The login request has expired, please try again.",
  "The request could not be authorized. The consent request has expired, please try again.",
];

/** Errors that may be logged: RFC 6749 4.1.2.1, OpenID Connect Core 3.1.2.6. Any other word came from the query. */
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
