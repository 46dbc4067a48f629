/**
 * What both OAuth legs share: bounded requests, the token endpoint, and what a callback may say. Called by
 * `discord.ts` and `oidc/`. The only file that calls `fetch`: one deadline over headers and body, a cap on the
 * body, and no redirect followed, since a redirect would carry code, verifier and secret to where it points.
 */
import * as v from "valibot";
import type { JanusError } from "./errors.ts";
import { authorizationRejected, callbackMalformed, codeRejected } from "./errors.ts";
import type { Log } from "./log.ts";

/** The global `fetch`, as an argument. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A server that we call, and how its failures are named. */
export type Upstream = {
  readonly name: "discord" | "provider";
  readonly fetch: Fetch;
  readonly log: Log;
  readonly deadlineMs: number;
  readonly userAgent: string;
  readonly unavailable: (
    reason: string,
    detail?: { cause?: unknown; retryAfterSeconds?: number },
  ) => JanusError;
  readonly clientRejected: (reason: string) => JanusError;
};

/** A request to an upstream. */
export type UpstreamRequest = {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | URLSearchParams;
};

/** An answer read to its end. */
export type Answer = { readonly status: number; readonly headers: Headers; readonly text: string };

const MAX_BODY_BYTES = 256 * 1024;
const MAX_RETRY_AFTER_SECONDS = 3_600;

/** Sends one request. Any status is an answer; a deadline, a redirect or a body over the cap is unavailable. */
export async function send(
  upstream: Upstream,
  operation: string,
  url: string,
  request: UpstreamRequest,
): Promise<Answer> {
  const started = performance.now();
  const line = (status: number | undefined, outcome: string) =>
    upstream.log.debug("upstream call", {
      upstream: upstream.name,
      operation,
      status,
      outcome,
      durationMs: Math.round(performance.now() - started),
    });
  try {
    const signal = AbortSignal.timeout(upstream.deadlineMs);
    const headers = { ...request.headers, "user-agent": upstream.userAgent };
    const response = await upstream.fetch(url, { ...request, headers, redirect: "manual", signal });
    if (response.status >= 300 && response.status < 400) {
      await response.body?.cancel();
      throw upstream.unavailable(`${operation}: answered with a redirect (${response.status})`);
    }
    const text = await readBody(response, signal);
    if (text === undefined)
      throw upstream.unavailable(`${operation}: the answer is over ${MAX_BODY_BYTES} bytes`);
    line(response.status, "answered");
    return { status: response.status, headers: response.headers, text };
  } catch (error) {
    line(undefined, "failed");
    if (error instanceof Error && error.name === "JanusError") throw error;
    const late = error instanceof Error && error.name === "TimeoutError";
    const reason = late ? `no answer within ${upstream.deadlineMs} ms` : "no connection, or it broke";
    throw upstream.unavailable(`${operation}: ${reason}`, { cause: error });
  }
}

/** The whole body as text, or undefined once it is over the cap. Throws when the signal fires. */
async function readBody(response: Response, signal: AbortSignal): Promise<string | undefined> {
  // The common case, and the cheap one: the length is told, and is that of what will be read.
  const length = response.headers.get("content-length");
  if (length !== null && !response.headers.has("content-encoding")) {
    return Number(length) > MAX_BODY_BYTES ? cancelBody(response) : response.text();
  }
  if (response.body === null) return "";
  const reader = response.body.getReader();
  const abort = () => void reader.cancel().catch(() => undefined);
  signal.addEventListener("abort", abort, { once: true });
  try {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      size += part.value.byteLength;
      if (size > MAX_BODY_BYTES) {
        await reader.cancel();
        return undefined;
      }
      chunks.push(part.value);
    }
    signal.throwIfAborted();
    return Buffer.concat(chunks).toString("utf8");
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

async function cancelBody(response: Response): Promise<undefined> {
  await response.body?.cancel();
  return undefined;
}

/** The body as JSON, or undefined if it is none: an HTML page from a proxy is not an answer. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: every caller checks the shape next, and undefined has none.
    return undefined;
  }
}

/** Seconds to wait as the answer says, within an hour; undefined if it does not. RFC 9110 10.2.3 */
export function retryAfterSeconds(answer: Answer): number | undefined {
  const header = answer.headers.get("retry-after");
  if (header === null || !/^\d{1,9}(\.\d{1,6})?$/.test(header)) return undefined;
  return capRetryAfter(Number(header));
}

/** The upstream's "unavailable", with the wait that its answer asks for. */
export function unavailable(upstream: Upstream, reason: string, answer: Answer): JanusError {
  const wait = retryAfterSeconds(answer);
  return upstream.unavailable(reason, wait === undefined ? {} : { retryAfterSeconds: wait });
}

/** Whole seconds, an hour at most: nobody's answer makes Janus wait for ever. */
export function capRetryAfter(seconds: number): number {
  return Math.min(Math.ceil(seconds), MAX_RETRY_AFTER_SECONDS);
}

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
 * good, the upstream's client_rejected on `invalid_client`, its unavailable on anything that is no definite answer.
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
  return send(upstream, operation, url, { method: "POST", headers, body });
}

function tokenError(upstream: Upstream, operation: string, answer: Answer): JanusError {
  const parsed = v.safeParse(errorResponse, parseJson(answer.text));
  const error = parsed.success ? parsed.output.error : undefined;
  const reason = `${operation}: answered ${answer.status} ${error ?? "without an OAuth error"}`;
  if (answer.status === 429 || answer.status >= 500 || error === undefined) {
    return unavailable(upstream, reason, answer);
  }
  if (error === "invalid_client" || error === "unauthorized_client") return upstream.clientRejected(reason);
  if (DEFINITE_ERRORS.includes(error)) return codeRejected(reason);
  return upstream.unavailable(reason);
}

/** What RFC 6749 5.2 lists. Any other error, `temporarily_unavailable` for one, says "not now" and not "no". */
const DEFINITE_ERRORS = ["invalid_grant", "invalid_request", "invalid_scope", "unsupported_grant_type"];

/** application/x-www-form-urlencoded, but for `-_.~`, which some servers do not decode in Basic credentials. */
function formEncode(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");
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
  const known = /^[a-z_]{1,40}$/.test(error) ? error : "an unlisted error";
  return authorizationRejected(`the authorization endpoint of the ${upstream.name} answered ${known}`);
}
