/**
 * Responses, and what is read of a request: headers, pages by language, JSON, forms, and the one place where an error
 * becomes a response. Called by the edge and the handlers. It knows no link.
 */
import Negotiator from "negotiator";
import type { Deps } from "../deps.ts";
import type { JanusError, PublicErrorCode } from "../errors.ts";
import { isPublicErrorCode, requestTimeout, requestTooLarge } from "../errors.ts";
import { describeError } from "../log.ts";
import { PAGE_CSP, pageCsp } from "../pages/frame.tsx";
import { type Beginning, renderError } from "../pages/pages.tsx";
import type { Language, PageContext } from "../pages/parts.tsx";
import { LANGUAGES } from "../pages/parts.tsx";
import { findBeginning } from "./begin_again.ts";
import { forgetSession } from "./cookies.ts";
import { createProblem, PROBLEM_TYPE } from "./problem.ts";

/** A request under way. */
export type Exchange = {
  readonly request: Request;
  readonly requestId: string;
  /** The route's pattern, for the log. */
  readonly route: string;
};

/** What answers a route. */
export type Handler = (deps: Deps, exchange: Exchange) => Response | Promise<Response>;

/** The largest body that Janus reads, a form of a few fields; what the server accepts at all is in `listener.ts`. */
export const MAX_FORM_BYTES = 4_096;
/** Longer than any line needs for so little. */
const FORM_DEADLINE_MS = 10_000;

/** A page, by the member's language. */
export function pageResponse(
  deps: Deps,
  exchange: Exchange,
  render: (context: PageContext) => string,
  options: {
    readonly status?: number;
    readonly setCookies?: readonly string[];
    readonly headers?: HeaderMap;
    /** Where pictures may come from, besides the page itself. */
    readonly imageOrigin?: string;
  } = {},
): Response {
  const { requestId, request } = exchange;
  const language = chooseLanguage(request);
  const html = render({ language, requestId, platformName: deps.config.platformName });
  const headers = {
    ...commonHeaders(deps, exchange),
    // Not no-referrer, with which a browser sends the form that moves a link as from nowhere (Origin: null).
    "referrer-policy": "same-origin",
    "content-type": "text/html; charset=utf-8",
    "content-language": language,
    "content-security-policy": options.imageOrigin === undefined ? PAGE_CSP : pageCsp(options.imageOrigin),
    "cross-origin-opener-policy": "same-origin",
    vary: "accept-language",
    ...options.headers,
  };
  return withCookies(
    new Response(html, { status: options.status ?? 200, headers }),
    options.setCookies ?? [],
  );
}

/** Sends the browser elsewhere, with a GET: 302 on the way of a flow, 303 after a form. RFC 9110 15.4.4 */
export function redirectResponse(
  deps: Deps,
  exchange: Exchange,
  location: string,
  setCookies: readonly string[],
  status: 302 | 303 = 302,
): Response {
  // No more than a redirect needs: it has no body to misread, and no page of ours that could be a referrer.
  const secure = deps.config.publicUrl.startsWith("https:");
  const response = new Response(null, { status, headers: secure ? SECURE_REDIRECT : REDIRECT });
  response.headers.set("location", location);
  response.headers.set("x-request-id", exchange.requestId);
  return withCookies(response, setCookies);
}

/** An answer for machines. */
export function jsonResponse(
  deps: Deps,
  exchange: Exchange,
  status: number,
  body: object,
  options: { readonly setCookies?: readonly string[]; readonly headers?: HeaderMap } = {},
): Response {
  const headers = { ...commonHeaders(deps, exchange), ...options.headers };
  return withCookies(Response.json(body, { status, headers }), options.setCookies ?? []);
}

/** Whether a client wants pages: a browser says so; what says nothing gets them outside the API. RFC 9110 12.5.1 */
export function wantsPage({ request, route }: Exchange): boolean {
  const forApi = isApi(route) || isApi(URL.parse(request.url)?.pathname ?? "");
  const offered = forApi ? [...JSON_TYPES, HTML_TYPE] : [HTML_TYPE, ...JSON_TYPES];
  const accept = request.headers.get("accept");
  if (accept === null) return !forApi;
  return (new Negotiator({ headers: { accept } }).mediaType(offered) ?? offered[0]) === HTML_TYPE;
}

const HTML_TYPE = "text/html";
const JSON_TYPES = ["application/json", PROBLEM_TYPE];

const isApi = (path: string): boolean => path.startsWith("/api/");

/** Reads a form's fields. Throws request_too_large, request_timeout. */
export async function readForm(request: Request, deadlineMs = FORM_DEADLINE_MS): Promise<URLSearchParams> {
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type) || request.body === null)
    return new URLSearchParams();
  const reader = request.body.getReader();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(requestTimeout("a form that does not arrive")), deadlineMs);
  try {
    return new URLSearchParams(await Promise.race([readText(reader), late.promise]));
  } finally {
    clearTimeout(timer);
    void reader.cancel().catch(() => undefined);
  }
}

async function readText(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.byteLength;
    if (size > MAX_FORM_BYTES) throw requestTooLarge("a form over the cap");
    chunks.push(part.value);
  }
  return Buffer.concat(chunks).toString("utf8");
}

type HeaderMap = Readonly<Record<string, string>>;

/** For one member, once; and no proxy rewrites it, as some do to a name that is an e-mail address. RFC 9111 5.2.2 */
const CACHE_CONTROL = "no-store, no-transform";
const COMMON_HEADERS = { "cache-control": CACHE_CONTROL, "x-content-type-options": "nosniff" };
const HSTS = "max-age=31536000";
/** What every redirect says, copied whole: no more than one needs, since it has no body and no page of ours. */
const REDIRECT = new Headers({ "cache-control": CACHE_CONTROL });
const SECURE_REDIRECT = new Headers({ "cache-control": CACHE_CONTROL, "strict-transport-security": HSTS });

/** Nothing here may be kept by a cache, changed on the way or read as another type; on https, never again by http. */
function commonHeaders({ config }: Deps, { requestId }: Exchange): HeaderMap {
  const headers = { ...COMMON_HEADERS, "x-request-id": requestId };
  if (!config.publicUrl.startsWith("https:")) return headers;
  return { ...headers, "strict-transport-security": HSTS };
}

function withCookies(response: Response, cookies: readonly string[]): Response {
  for (const cookie of cookies) response.headers.append("set-cookie", cookie);
  return response;
}

function chooseLanguage(request: Request): Language {
  const header = request.headers.get("accept-language");
  if (header === null) return "en";
  const chosen = new Negotiator({ headers: { "accept-language": header } }).language([...LANGUAGES]);
  return LANGUAGES.find((language) => language === chosen) ?? "en";
}

/** The one place where an error becomes a response and, once, a line in the log. */
export function errorResponse(deps: Deps, exchange: Exchange, error: JanusError): Response {
  logError(deps, exchange, error);
  const code = isPublicErrorCode(error.code) ? error.code : "internal";
  const headers: Record<string, string> = {};
  if (error.retryAfterSeconds !== undefined) headers["retry-after"] = String(error.retryAfterSeconds);
  if (code === "method_not_allowed") headers.allow = error.message;
  const { status } = error;
  // A session that is none is forgotten, whatever was wrong with it.
  const setCookies =
    code === "unauthenticated" ? forgetSession(deps.config.publicUrl.startsWith("https:")) : [];
  if (wantsPage(exchange)) {
    const render = isOfFlood(error) ? renderKept : renderError;
    const beginning = findBeginning(deps, exchange);
    const options = { status, headers, setCookies };
    return pageResponse(deps, exchange, (context) => render(context, code, beginning), options);
  }
  const language = chooseLanguage(exchange.request);
  const problem = createProblem(code, status, language, deps.config.platformName);
  const type = {
    "content-type": PROBLEM_TYPE,
    "content-language": language,
    vary: "accept, accept-language",
  };
  return jsonResponse(deps, exchange, status, problem, { setCookies, headers: { ...headers, ...type } });
}

/** Stands in a page that is kept for the request id, which is a UUID or as harmless as one. */
const ID_MARK = crypto.randomUUID();
/** What stands around the id, by language, code, where the button leads, and PLATFORM_NAME. */
const keptPages = new Map<string, readonly string[]>();

/** An error page of which only the request id is new: a flood is refused by the thousand. */
function renderKept(context: PageContext, code: PublicErrorCode, beginning: Beginning): string {
  const { startAgain, tryAgain } = beginning;
  const key = `${context.language} ${code} ${startAgain} ${tryAgain} ${context.platformName}`;
  const marked = { ...context, requestId: ID_MARK };
  const parts = keptPages.get(key) ?? renderError(marked, code, beginning).split(ID_MARK);
  keptPages.set(key, parts);
  return parts.join(context.requestId);
}

function logError(deps: Deps, { request, requestId, route }: Exchange, error: JanusError): void {
  deps.log[levelOf(error)]("request failed", {
    ...{ requestId, route, method: request.method, status: error.status },
    ...describeError(error),
  });
}

function levelOf(error: JanusError): "debug" | "info" | "error" {
  if (isOfFlood(error)) return "debug";
  return error.status >= 500 ? "error" : "info";
}

/** What is refused by the hundred in a flood is not written by the hundred: the edge says it once a minute. */
export function isOfFlood({ code }: JanusError): boolean {
  return code === "too_many_requests" || code === "too_busy";
}
