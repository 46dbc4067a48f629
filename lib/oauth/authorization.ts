/**
 * The authorization endpoint, once for both legs: the request that a browser is sent away with, and what the callback
 * may say. Called by `discord.ts`, `oidc/`, `flow.ts` and `link.ts`.
 */
import { OAuth2Client } from "arctic/dist/client.js";
import type { JanusError } from "../errors.ts";
import { authorizationRejected, callbackMalformed, flowExpired } from "../errors.ts";
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
  readonly result: { readonly code: string } | ErrorResponse;
};

/**
 * An error that a server sent the browser back with. Anybody can write into a callback: the error is told from listed
 * names alone, the description is compared with listed ones and never repeated. RFC 6749 4.1.2.1
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
  if (state === undefined) throw callbackMalformed("state is missing");
  if (code !== undefined && error !== undefined) throw callbackMalformed("both code and error");
  if (code !== undefined) return { state, iss, result: { code } };
  if (error !== undefined) return { state, iss, result: { error, description: readDescription(query) } };
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

/** It is only compared: one that is doubled or strange is no reason to refuse a callback. */
function readDescription(query: URLSearchParams): string | undefined {
  const [description, ...more] = query.getAll("error_description");
  return more.length === 0 ? description : undefined;
}

/**
 * Reads a no to this member, by the member or by the server, and gives words for the log. Throws what any other error
 * stands for: flow_expired, authorization_rejected, the upstream's unavailable.
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
 * What a provider says, besides access_denied, of a member who did not do what it asked for, or whom it does not let
 * in: OpenID Connect Core 3.1.2.6, Unmet Authentication Requirements 1.0, Auth0 of a blocked user, and LinkedIn and
 * Apple of one who cancelled. Janus itself asks for no prompt=none, to which the first four would be an answer.
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

/** The error that an authorization response's `error` stands for, where it is no refusal. */
export function authorizationError(
  upstream: Pick<Upstream, "name" | "unavailable">,
  error: string,
  description?: string,
): JanusError {
  if (hasExpired(error, description)) return flowExpired(`${upstream.name}: its sign-in page had expired`);
  if (error === "server_error" || error === "temporarily_unavailable") {
    return upstream.unavailable(`the authorization endpoint answered ${error}`);
  }
  const known = KNOWN_ERRORS.includes(error) ? error : "an unlisted error";
  return authorizationRejected(`${upstream.name}: the authorization endpoint answered ${known}`);
}

/** Whether the member took too long at the server's own pages, by what servers are known to say of it. */
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
