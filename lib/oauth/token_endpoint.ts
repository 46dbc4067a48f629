/**
 * The token endpoint, the same for both legs: client authentication, token responses, and what its errors mean.
 * arctic's own request has no deadline, follows redirects, loses Retry-After and cannot post the client's credentials.
 */
import * as v from "valibot";
import type { JanusError } from "../errors.ts";
import { authorizationRejected, codeRejected } from "../errors.ts";
import {
  CLIENT_ERRORS,
  isListed,
  isOfCredentials,
  readError,
  saysNotNow,
  saysUnspent,
} from "./error_words.ts";
import { unavailable } from "./outage.ts";
import type { Answer, Upstream } from "./upstream.ts";
import { parseJson, send } from "./upstream.ts";

/** A token endpoint, and Janus's credentials there. */
export type TokenEndpoint = {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly authMethod: "client_secret_basic" | "client_secret_post";
};

/** A token response. RFC 6749 5.1, OpenID Connect Core 3.1.3.3 */
export type TokenResponse = {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly idToken: string | undefined;
  readonly scope: string | undefined;
  /** Seconds from now; undefined where the server does not say. */
  readonly expiresIn: number | undefined;
};

/** Some servers write null or an empty text for an optional member that they leave out. */
const tokenResponse = v.object({
  access_token: v.pipe(v.string(), v.minLength(1)),
  token_type: v.pipe(v.string(), v.regex(/^bearer$/i)),
  refresh_token: v.nullish(v.string()),
  id_token: v.nullish(v.string()),
  // RFC 6749 3.3. A malformed one counts as left out: the tokens are right nevertheless.
  scope: v.fallback(v.optional(v.pipe(v.string(), v.regex(/^[\x20-\x7e]*$/))), undefined),
  expires_in: v.optional(v.unknown()),
});

/**
 * Sends a token request, once. Throws code_rejected if the code or the refresh token is not valid,
 * authorization_rejected if the server refuses a code for another reason, the upstream's client_rejected for an error
 * about how Janus asks, and its unavailable where the answer is not definite. RFC 6749 4.1.3, 5.2, 6
 */
export async function requestTokens(
  upstream: Upstream,
  operation: string,
  endpoint: TokenEndpoint,
  grant: Readonly<Record<string, string>>,
): Promise<TokenResponse> {
  const answer = await postForm(upstream, operation, endpoint, endpoint.url, grant);
  if (answer.status !== 200) throw tokenError(upstream, operation, endpoint, grant, answer);
  const json = parseJson(answer.text);
  const parsed = v.safeParse(tokenResponse, json);
  if (!parsed.success)
    throw upstream.unavailable(`${operation}: token response: ${describeFault(json, parsed.issues[0])}`);
  return {
    accessToken: parsed.output.access_token,
    refreshToken: parsed.output.refresh_token || undefined,
    idToken: parsed.output.id_token || undefined,
    scope: parsed.output.scope || undefined,
    expiresIn: readSeconds(parsed.output.expires_in),
  };
}

/** The first fault, by the name of its member. The value may be a secret, and is never repeated. */
function describeFault(json: unknown, issue: v.InferIssue<typeof tokenResponse>): string {
  const members = v.safeParse(v.record(v.string(), v.unknown()), json);
  const name = v.getDotPath(issue);
  if (!members.success || Array.isArray(json) || name === null) return "not a JSON object";
  return `"${name}" is ${(members.output[name] ?? null) === null ? "missing" : "malformed"}`;
}

const MAX_EXPIRES_IN_SECONDS = 10 * 365 * 86_400;

/**
 * Whole seconds from a number, or from a number in a text, which some servers send; ten years at most. Anything else
 * counts as unknown: the lifetime is a hint, and the tokens are right without it.
 */
function readSeconds(value: unknown): number | undefined {
  const isDecimal = typeof value === "string" && /^\s*\d+(\.\d*)?\s*$/.test(value);
  const seconds = isDecimal ? Number(value) : value;
  if (typeof seconds !== "number" || !(seconds >= 0)) return undefined;
  return Math.min(Math.floor(seconds), MAX_EXPIRES_IN_SECONDS);
}

/** Posts a form with the client's credentials, to the token endpoint or one beside it. RFC 6749 2.3.1 */
export function postForm(
  upstream: Upstream,
  operation: string,
  client: Omit<TokenEndpoint, "url">,
  url: string,
  form: Readonly<Record<string, string>>,
): Promise<Answer> {
  const body = new URLSearchParams(form);
  const headers: Record<string, string> = { accept: "application/json" };
  if (client.authMethod === "client_secret_basic") {
    headers.authorization = `Basic ${encodeCredentials(client)}`;
  } else {
    body.set("client_id", client.clientId);
    body.set("client_secret", client.clientSecret);
  }
  return send(upstream, operation, url, { method: "POST", headers, body, ownConnection: true });
}

/** What a server's refusal means, as `requestTokens` throws it. */
export function tokenError(
  upstream: Upstream,
  operation: string,
  endpoint: TokenEndpoint,
  grant: Readonly<Record<string, string>>,
  answer: Answer,
): JanusError {
  const error = readError(answer);
  const said = `${operation}: answered ${answer.status} ${nameOf(error, endpoint, grant)}`;
  const hint = mayBeMisread(upstream, endpoint, answer.status, error) ? `; ${MISREAD_HINT}` : "";
  const reason = said + hint;
  if (error === undefined || saysNotNow(answer.status, error))
    return unavailable(upstream, reason, answer, saysUnspent(answer, error));
  if (error === "invalid_grant") return codeRejected(reason);
  if (isOfCredentials(answer.status, error)) return upstream.clientRejected(reason);
  const isRefresh = grant.grant_type === "refresh_token";
  if (isRefresh && error === "invalid_request" && upstream.refreshRefused !== undefined)
    return upstream.refreshRefused(reason);
  if (CLIENT_ERRORS.includes(error)) return upstream.clientRejected(reason);
  // At a refresh no other word speaks of the grant: unknown is not no.
  if (isRefresh) return unavailable(upstream, reason, answer);
  return authorizationRejected(reason);
}

/**
 * The error, for the log. The word comes from the server itself, not through a browser, so an unlisted one is repeated,
 * too, for an operator to look up; but not a word that contains a secret of this request or is a part of one.
 */
export function nameOf(
  error: string | undefined,
  client: Omit<TokenEndpoint, "url">,
  grant: Readonly<Record<string, string>>,
): string {
  if (error === undefined) return "without an OAuth error";
  if (error === "invalid_grant" || isListed(error)) return error;
  const { code, code_verifier, refresh_token, token } = grant;
  const { clientSecret } = client;
  const secrets = [clientSecret, formEncode(clientSecret), encodeCredentials(client)];
  for (const value of [code, code_verifier, refresh_token, token])
    if (value !== undefined) secrets.push(value);
  return secrets.some((secret) => shares(secret, error)) ? "an unlisted error" : error;
}

/** A shorter secret may occur in a word by chance. */
const LEAST_SECRET_LENGTH = 8;

function shares(secret: string, word: string): boolean {
  return secret.includes(word) || (secret.length >= LEAST_SECRET_LENGTH && word.includes(secret));
}

const MISREAD_HINT =
  "the client id or the secret has characters that Basic credentials encode and some providers do not decode: " +
  "set OIDC_TOKEN_AUTH_METHOD=client_secret_post";

/** Whether a right secret may have been refused because the server does not decode it, as Authentik does not. */
function mayBeMisread(
  upstream: Upstream,
  { clientId, clientSecret, authMethod }: TokenEndpoint,
  status: number,
  error: string | undefined,
): boolean {
  // Discord's ids and secrets have no such characters, and Janus has no such setting for it.
  if (upstream.name !== "provider" || authMethod !== "client_secret_basic") return false;
  const isRefused =
    error === undefined ? status === 401 : !saysNotNow(status, error) && isOfCredentials(status, error);
  return isRefused && [clientId, clientSecret].some((text) => formEncode(text) !== text);
}

/** The user and password of Basic credentials. RFC 6749 2.3.1 */
function encodeCredentials({
  clientId,
  clientSecret,
}: Pick<TokenEndpoint, "clientId" | "clientSecret">): string {
  return Buffer.from(`${formEncode(clientId)}:${formEncode(clientSecret)}`).toString("base64");
}

/** application/x-www-form-urlencoded, but for `-_.~`, which some servers do not decode in Basic credentials. */
function formEncode(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");
}
