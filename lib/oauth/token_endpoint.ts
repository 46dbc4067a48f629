/**
 * The token endpoint, once for both legs: client authentication, token responses, and what its errors mean. Called by
 * `discord.ts` and `oidc/`. arctic's own has no deadline, follows redirects, loses Retry-After and cannot post the
 * client's credentials.
 */
import * as v from "valibot";
import type { JanusError } from "../errors.ts";
import { codeRejected } from "../errors.ts";
import type { Answer, Upstream } from "./upstream.ts";
import { parseJson, send, unavailable } from "./upstream.ts";

/** A token endpoint, and what Janus is to it. */
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

const token = v.pipe(v.string(), v.minLength(1));
/** A number, or as some servers have it a text of one; null counts as absent, as others have that. */
const seconds = v.union([v.number(), v.pipe(v.string(), v.regex(/^\d{1,10}$/), v.transform(Number))]);
const tokenResponse = v.object({
  access_token: token,
  token_type: v.pipe(v.string(), v.regex(/^bearer$/i)),
  refresh_token: v.nullish(token),
  id_token: v.nullish(token),
  // RFC 6749 3.3, and empty for a server that says nothing by it.
  scope: v.nullish(v.pipe(v.string(), v.regex(/^[\x20-\x7e]*$/))),
  expires_in: v.nullish(v.pipe(seconds, v.minValue(0), v.maxValue(10 * 365 * 86_400))),
});
const errorResponse = v.object({ error: v.pipe(v.string(), v.regex(/^[a-z_]{1,40}$/)) });

/**
 * Sends a token request, once. Throws code_rejected when the server says that the code or the refresh token is no
 * good, the upstream's client_rejected on any error about how it asks, its unavailable on anything that is no definite answer.
 * RFC 6749 4.1.3, 5.2, 6
 */
export async function requestTokens(
  upstream: Upstream,
  operation: string,
  endpoint: TokenEndpoint,
  grant: Readonly<Record<string, string>>,
): Promise<TokenResponse> {
  const answer = await postForm(upstream, operation, endpoint, endpoint.url, grant);
  if (answer.status !== 200) throw tokenError(upstream, operation, answer);
  const parsed = v.safeParse(tokenResponse, parseJson(answer.text));
  if (!parsed.success) throw upstream.unavailable(`${operation}: a token response that is none`);
  return {
    accessToken: parsed.output.access_token,
    refreshToken: parsed.output.refresh_token ?? undefined,
    idToken: parsed.output.id_token ?? undefined,
    scope: parsed.output.scope ?? undefined,
    expiresIn: parsed.output.expires_in ?? undefined,
  };
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
    const credentials = `${formEncode(client.clientId)}:${formEncode(client.clientSecret)}`;
    headers.authorization = `Basic ${Buffer.from(credentials).toString("base64")}`;
  } else {
    body.set("client_id", client.clientId);
    body.set("client_secret", client.clientSecret);
  }
  return send(upstream, operation, url, { method: "POST", headers, body, ownConnection: true });
}

function tokenError(upstream: Upstream, operation: string, answer: Answer): JanusError {
  const parsed = v.safeParse(errorResponse, parseJson(answer.text));
  const error = parsed.success ? parsed.output.error : undefined;
  const reason = `${operation}: answered ${answer.status} ${nameOf(error)}`;
  if (answer.status === 429 || answer.status >= 500 || error === undefined) {
    return unavailable(upstream, reason, answer);
  }
  if (error === "invalid_grant") return codeRejected(reason);
  if (CLIENT_ERRORS.includes(error)) return upstream.clientRejected(reason);
  return upstream.unavailable(reason);
}

/** What RFC 6749 5.2 lists besides: it speaks of how Janus asks, not of the code or the grant. */
const CLIENT_ERRORS = [
  "invalid_client",
  "unauthorized_client",
  "invalid_request",
  "invalid_scope",
  "unsupported_grant_type",
];
/** Errors that say "not now", by names that may be logged; any other word is not repeated. */
const PASSING_ERRORS = ["temporarily_unavailable", "server_error", "slow_down"];

function nameOf(error: string | undefined): string {
  if (error === undefined) return "without an OAuth error";
  return ["invalid_grant", ...CLIENT_ERRORS, ...PASSING_ERRORS].includes(error) ? error : "an unlisted error";
}

/** application/x-www-form-urlencoded, but for `-_.~`, which some servers do not decode in Basic credentials. */
function formEncode(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");
}
