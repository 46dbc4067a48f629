/**
 * What a client prefers: a page or JSON, and which language. Each alternative in a header costs time, and no client needs
 * many. So a long header is ignored. RFC 9110 12.5
 */
import Negotiator from "negotiator";
import type { Language } from "../text/languages.ts";
import { DEFAULT_LANGUAGE, LANGUAGES } from "../text/languages.ts";
import { PROBLEM_TYPE } from "./problem.ts";
import type { Exchange } from "./response.ts";

/** Browsers send at most 200 characters. */
const MAX_LENGTH = 300;

const HTML_TYPE = "text/html";
const JSON_TYPES = ["application/json", PROBLEM_TYPE];

/** Whether a client wants pages. A browser says so. A client that says nothing gets pages where browsers come. RFC 9110 12.5.1 */
export function wantsPage(exchange: Exchange): boolean {
  const forPrograms = isProgramsRoute(exchange);
  const offered = forPrograms ? [...JSON_TYPES, HTML_TYPE] : [HTML_TYPE, ...JSON_TYPES];
  const accept = readHeader(exchange.request, "accept");
  if (accept === undefined) return !forPrograms;
  return (new Negotiator({ headers: { accept } }).mediaType(offered) ?? offered[0]) === HTML_TYPE;
}

/** The same, judged by the first type alone: for a flood, whose answers must cost next to nothing. */
export function seemsToWantPage(exchange: Exchange): boolean {
  const [first = ""] = (readHeader(exchange.request, "accept") ?? "").split(",", 1);
  if (first.includes("json")) return false;
  return first.includes("html") || !isProgramsRoute(exchange);
}

/** The language of a client's pages. RFC 9110 12.5.4 */
export function chooseLanguage(request: Request): Language {
  const header = readHeader(request, "accept-language");
  if (header === undefined) return DEFAULT_LANGUAGE;
  const chosen = new Negotiator({ headers: { "accept-language": header } }).language([...LANGUAGES]);
  return LANGUAGES.find((language) => language === chosen) ?? DEFAULT_LANGUAGE;
}

/** The same, judged by the first language alone: for a flood. */
export function guessLanguage({ headers }: Request): Language {
  const [first] = /^[a-z]{2,8}/i.exec(headers.get("accept-language") ?? "") ?? [];
  return LANGUAGES.find((language) => language === first?.toLowerCase()) ?? DEFAULT_LANGUAGE;
}

function readHeader({ headers }: Request, name: string): string | undefined {
  const header = headers.get(name);
  return header === null || header.length > MAX_LENGTH ? undefined : header;
}

/** Where no browser comes by itself: the API, and what other servers call. */
const FOR_PROGRAMS = ["/api/", "/scim/", "/hooks/", "/discord/events", "/oidc/backchannel-logout"];

const isForPrograms = (path: string): boolean => FOR_PROGRAMS.some((beginning) => path.startsWith(beginning));

/** By the route, or by the path if no route matches. */
function isProgramsRoute({ request, route }: Exchange): boolean {
  return (
    isForPrograms(route) || (!route.startsWith("/") && isForPrograms(URL.parse(request.url)?.pathname ?? ""))
  );
}
