/**
 * Between HTTP and the program: request ids, headers, and the one place where an error becomes a response. Called by
 * `index.ts` and `handlers.ts`. It knows no link.
 */
import Negotiator from "negotiator";
import type { Deps } from "./deps.ts";
import type { JanusError } from "./errors.ts";
import { asJanusError, isPublicErrorCode, methodNotAllowed, notFound, requestTooLarge } from "./errors.ts";
import { describeCause } from "./log.ts";
import { PAGE_CSP } from "./page_frame.tsx";
import type { Language, PageContext } from "./pages.tsx";
import { LANGUAGES, renderError } from "./pages.tsx";

/** A request under way. */
export type Exchange = {
  readonly request: Request;
  readonly requestId: string;
  /** The route's pattern, for the log. */
  readonly route: string;
};

/** What answers a route. */
export type Handler = (deps: Deps, exchange: Exchange) => Response | Promise<Response>;

/** A route as Elysia lists it. */
type Route = { readonly method: string; readonly path: string };

/** The largest form that Janus reads; what the server accepts at all is in `server.ts`. */
const MAX_FORM_BYTES = 4_096;

/** Makes what `index.ts` builds its routes with. */
export function createEdge(deps: Deps) {
  const run = async (handler: Handler, request: Request, route: string): Promise<Response> => {
    const exchange = { request, route, requestId: crypto.randomUUID() };
    try {
      return await handler(deps, exchange);
    } catch (error) {
      return errorResponse(deps, exchange, asJanusError(error));
    }
  };
  return {
    /** A route's handler: what it throws becomes a response here. A body where none belongs is refused. */
    on:
      (route: string, handler: Handler) =>
      ({ request }: { readonly request: Request }): Promise<Response> =>
        run(request.method === "GET" && request.body !== null ? refuseBody : handler, request, route),

    /** What Elysia has no route for: 404, or 405 where another method has one. RFC 9110 15.5.6 */
    fail: (
      context: { readonly request: Request; readonly code: unknown; readonly error: unknown },
      routes: readonly Route[],
    ) => run(() => failRequest(context, routes), context.request, "unknown"),
  };
}

function refuseBody(): never {
  throw requestTooLarge("a body where none belongs");
}

function failRequest(
  { request, code, error }: { readonly request: Request; readonly code: unknown; readonly error: unknown },
  routes: readonly Route[],
): never {
  if (code !== "NOT_FOUND") throw error;
  const { pathname } = new URL(request.url);
  const methods = routes.filter(({ path }) => path === pathname).map(({ method }) => method);
  if (methods.length === 0) throw notFound();
  throw methodNotAllowed(methods.join(", "));
}

/** A page, by the member's language. */
export function pageResponse(
  deps: Deps,
  exchange: Exchange,
  render: (context: PageContext) => string,
  options: {
    readonly status?: number;
    readonly setCookies?: readonly string[];
    readonly headers?: HeaderList;
  } = {},
): Response {
  const { requestId, request } = exchange;
  const language = chooseLanguage(request);
  const html = render({ language, requestId, platformName: deps.config.platformName });
  return new Response(html, {
    status: options.status ?? 200,
    headers: [
      ...commonHeaders(deps, exchange),
      // Not no-referrer, with which a browser sends the form that moves a link as from nowhere (Origin: null).
      ["referrer-policy", "same-origin"],
      ["content-type", "text/html; charset=utf-8"],
      ["content-language", language],
      ["content-security-policy", PAGE_CSP],
      ["cross-origin-opener-policy", "same-origin"],
      ["vary", "accept-language"],
      ...(options.headers ?? []),
      ...withCookies(options.setCookies ?? []),
    ],
  });
}

/** Sends the browser elsewhere, with a GET. */
export function redirectResponse(
  deps: Deps,
  exchange: Exchange,
  location: string,
  setCookies: readonly string[],
): Response {
  const headers: HeaderList = [
    ...commonHeaders(deps, exchange),
    ["referrer-policy", "no-referrer"],
    ["location", location],
    ...withCookies(setCookies),
  ];
  return new Response(null, { status: 302, headers: [...headers] });
}

/** An answer for machines. */
export function jsonResponse(deps: Deps, exchange: Exchange, status: number, body: object): Response {
  return Response.json(body, { status, headers: [...commonHeaders(deps, exchange)] });
}

/** Reads a form's fields. Throws request_too_large. */
export async function readForm(request: Request): Promise<URLSearchParams> {
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type) || request.body === null)
    return new URLSearchParams();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > MAX_FORM_BYTES) throw requestTooLarge("a form over the cap");
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
}

type HeaderList = readonly [string, string][];

/** Nothing here may be kept by a cache, sent on as a referrer, or read as another type. */
function commonHeaders({ config }: Deps, { requestId }: Exchange): [string, string][] {
  const headers: [string, string][] = [
    ["cache-control", "no-store"],
    ["x-content-type-options", "nosniff"],
    ["x-request-id", requestId],
  ];
  if (config.publicUrl.startsWith("https:")) headers.push(["strict-transport-security", "max-age=31536000"]);
  return headers;
}

const withCookies = (cookies: readonly string[]): [string, string][] =>
  cookies.map((cookie) => ["set-cookie", cookie]);

function chooseLanguage(request: Request): Language {
  const header = request.headers.get("accept-language");
  if (header === null) return "en";
  const chosen = new Negotiator({ headers: { "accept-language": header } }).language([...LANGUAGES]);
  return LANGUAGES.find((language) => language === chosen) ?? "en";
}

/** The one place where an error becomes a response and, once, a line in the log. */
function errorResponse(deps: Deps, exchange: Exchange, error: JanusError): Response {
  logError(deps, exchange, error);
  const code = isPublicErrorCode(error.code) ? error.code : "internal";
  const headers: [string, string][] = [];
  if (error.retryAfterSeconds !== undefined) headers.push(["retry-after", String(error.retryAfterSeconds)]);
  if (code === "method_not_allowed") headers.push(["allow", error.message]);
  return pageResponse(deps, exchange, (context) => renderError(context, code), {
    status: error.status,
    headers,
  });
}

function logError(deps: Deps, { request, requestId, route }: Exchange, error: JanusError): void {
  const { code, status, message } = error;
  const level = status >= 500 ? "error" : "info";
  deps.log[level]("request failed", {
    ...{ requestId, route, method: request.method, status, code, reason: message },
    ...describeCause(error.cause),
  });
}
