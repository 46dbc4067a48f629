/**
 * Responses: the headers that every answer has, pages by language, redirects and JSON. How an error looks is in
 * `error_response.ts`.
 */
import type { Deps } from "../deps.ts";
import type { JanusError } from "../errors.ts";
import type { ServedLogo } from "../pages/look.ts";
import { lookOf, pageCsp } from "../pages/look.ts";
import type { PageContext } from "../pages/parts.tsx";
import type { RequestSource } from "../telemetry/events.ts";
import type { Language } from "../text/languages.ts";
import { chooseLanguage } from "./accept.ts";

/** A request under way. */
export type Exchange = {
  readonly request: Request;
  readonly requestId: string;
  /** The route's pattern, for the log. */
  readonly route: string;
  /** The server was told to stop: it still answers, and sends clients elsewhere. */
  readonly isStopping: boolean;
  /** The address that a request's connection comes from; undefined once it is gone. */
  readonly peerAddress: (request: Request) => string | undefined;
};

/** What answers a route. */
export type Handler = (deps: Deps, exchange: Exchange) => Response | Promise<Response>;

/** What answers a route that takes a form. `admit` sees only the head: if it throws, the form is not read. */
export type FormHandler = {
  readonly admit: (deps: Deps, exchange: Exchange) => void;
  readonly handle: (deps: Deps, exchange: Exchange, form: URLSearchParams) => Promise<Response>;
};

/**
 * What answers a route of other servers, which send events. `admit` sees only the head: what it throws, or the response that
 * it gives, is the answer, and the body is not read. `refuse` makes the response of an error, where the protocol has a
 * form of its own for it; without it, that is a problem document.
 */
export type EventHandler = {
  readonly source: RequestSource;
  readonly maxBytes: number;
  readonly admit: (deps: Deps, exchange: Exchange) => Response | undefined;
  readonly receive: (
    deps: Deps,
    exchange: Exchange,
    body: Buffer<ArrayBuffer>,
  ) => Response | Promise<Response>;
  readonly refuse?: (deps: Deps, exchange: Exchange, error: JanusError) => Response;
};

/** Whether browsers reach Janus by https. Then cookies are for https alone. */
export const isSecure = ({ config }: Deps): boolean => config.publicUrl.startsWith("https:");

/** A page, by the member's language. */
export function pageResponse(
  deps: Deps,
  exchange: Exchange,
  render: (context: PageContext) => string,
  options: {
    readonly status?: number;
    readonly setCookies?: readonly string[];
    readonly headers?: HeaderMap;
    /** By default the client's. */
    readonly language?: Language;
    /** Where pictures may come from, in addition to the page itself. */
    readonly imageOrigin?: string;
  } = {},
): Response {
  const { requestId, request } = exchange;
  const language = options.language ?? chooseLanguage(request);
  const look = lookOf(deps.config);
  const { platformName, timeZone } = deps.config;
  const html = render({ language, requestId, platformName, timeZone, look });
  const headers = {
    ...commonHeaders(deps, exchange),
    // With no-referrer a browser would send the form that moves a link with `Origin: null`.
    "referrer-policy": "same-origin",
    "content-type": "text/html; charset=utf-8",
    "content-language": language,
    "content-security-policy": pageCsp(look, options.imageOrigin),
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
  const response = new Response(null, { status, headers: isSecure(deps) ? SECURE_REDIRECT : REDIRECT });
  response.headers.set("location", location);
  response.headers.set("x-request-id", exchange.requestId);
  return withCookies(response, setCookies);
}

/** An answer for programs. */
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

/** An answer that its status alone gives. Discord demands a content type even of an answer without content. */
export function emptyResponse(
  deps: Deps,
  exchange: Exchange,
  status: number,
  type = "application/json",
): Response {
  const headers = { ...commonHeaders(deps, exchange), "content-type": type };
  return new Response(null, { status, headers });
}

/** A file that a member keeps. It is indented, so that people can read it too. */
export function fileResponse(
  deps: Deps,
  exchange: Exchange,
  file: { readonly name: string; readonly content: object; readonly language: Language },
): Response {
  const headers = {
    ...commonHeaders(deps, exchange),
    "content-type": "application/json;charset=utf-8",
    "content-disposition": `attachment; filename="${file.name}"`,
    "content-language": file.language,
    vary: "accept-language",
  };
  return new Response(`${JSON.stringify(file.content, null, 2)}\n`, { headers });
}

/**
 * The organisation's logo. Its address changes with its content, so every cache may keep it for good. RFC 8246
 *
 * An SVG is a document that could run scripts and load things. In an `<img>` browsers let it do neither. If somebody opens
 * its address, this policy does: the sandbox takes away scripts and the origin.
 */
export function logoResponse(deps: Deps, exchange: Exchange, { bytes, type }: ServedLogo): Response {
  const headers = {
    ...commonHeaders(deps, exchange),
    "cache-control": "public, max-age=31536000, immutable",
    "content-type": type,
    "content-security-policy": LOGO_CSP,
  };
  return new Response(bytes, { headers });
}

/** An SVG may hold styles and pictures of its own. */
const LOGO_CSP = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox";

type HeaderMap = Readonly<Record<string, string>>;

/** Nothing may be kept by a cache or rewritten by a proxy: some rewrite a name that looks like an e-mail address. RFC 9111 5.2.2 */
const CACHE_CONTROL = "no-store, no-transform";
const COMMON_HEADERS = { "cache-control": CACHE_CONTROL, "x-content-type-options": "nosniff" };
const HSTS = "max-age=31536000";
/** The headers of every redirect. It has no body to misread, and no page of ours that could be a referrer. */
const REDIRECT = new Headers({ "cache-control": CACHE_CONTROL });
const SECURE_REDIRECT = new Headers({ "cache-control": CACHE_CONTROL, "strict-transport-security": HSTS });

/** No answer may be kept by a cache, changed on the way or read as another type. On https, browsers never use http again. */
function commonHeaders(deps: Deps, { requestId }: Exchange): HeaderMap {
  const headers = { ...COMMON_HEADERS, "x-request-id": requestId };
  if (!isSecure(deps)) return headers;
  return { ...headers, "strict-transport-security": HSTS };
}

function withCookies(response: Response, cookies: readonly string[]): Response {
  for (const cookie of cookies) response.headers.append("set-cookie", cookie);
  return response;
}
