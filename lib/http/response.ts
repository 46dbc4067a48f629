/**
 * Responses: headers, pages by language, JSON, and the one place where an error becomes a response. It knows no link.
 */
import type { Deps } from "../deps.ts";
import type { JanusError, PublicErrorCode } from "../errors.ts";
import { isPublicErrorCode } from "../errors.ts";
import { PAGE_CSP, pageCsp } from "../pages/frame.tsx";
import { type Beginning, renderError } from "../pages/link.tsx";
import type { Language, PageContext } from "../pages/parts.tsx";
import { describeError } from "../telemetry/log.ts";
import { chooseLanguage, guessLanguage, seemsToWantPage, wantsPage } from "./accept.ts";
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

/** What answers a route that takes a form. `admit` sees the head alone: if it throws, the form is not read. */
export type FormHandler = {
  readonly admit: (deps: Deps, exchange: Exchange) => void;
  readonly handle: (deps: Deps, exchange: Exchange, form: URLSearchParams) => Promise<Response>;
};

/** A page, by the member's language. */
export function pageResponse(
  deps: Deps,
  exchange: Exchange,
  render: (context: PageContext) => string,
  options: {
    readonly status?: number;
    readonly setCookies?: readonly string[];
    readonly headers?: HeaderMap;
    /** By default the client's own. */
    readonly language?: Language;
    /** Where pictures may come from, besides the page itself. */
    readonly imageOrigin?: string;
  } = {},
): Response {
  const { requestId, request } = exchange;
  const language = options.language ?? chooseLanguage(request);
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
  const isFlood = isFloodError(error);
  const language = isFlood ? guessLanguage(exchange.request) : chooseLanguage(exchange.request);
  if (isFlood ? seemsToWantPage(exchange) : wantsPage(exchange)) {
    const render = isFlood ? renderKept : renderError;
    const beginning = findBeginning(deps, exchange);
    const options = { status, headers, setCookies, language };
    return pageResponse(deps, exchange, (context) => render(context, code, beginning), options);
  }
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
  deps.log[levelOf(error)]("request_failed", {
    requestId,
    route,
    method: request.method,
    status: error.status,
    ...describeError(error),
  });
}

function levelOf(error: JanusError): "debug" | "info" | "error" {
  if (isFloodError(error)) return "debug";
  return error.status >= 500 ? "error" : "info";
}

/** What is refused by the hundred in a flood is not written by the hundred: the edge says it once a minute. */
export function isFloodError({ code }: JanusError): boolean {
  return code === "too_many_requests" || code === "too_busy";
}
