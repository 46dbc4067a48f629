/**
 * Results in a browser's cookies. A callback or a form that ends in one answers 303 to its page, so the page can be loaded
 * again, and neither the code nor the state stays in the address bar. Errors are answered directly.
 */
import type { Deps } from "../deps.ts";
import type { Content, Outcome } from "../result/content.ts";
import type { Result, ResultRecords } from "../result/record.ts";
import { keptSeconds, openResult, resultsToForget, sealResult } from "../result/record.ts";
import { expireCookie, nameOf, readRecords, writeCookie } from "./cookies.ts";
import type { Exchange } from "./response.ts";
import { isSecure, redirectResponse } from "./response.ts";

const PREFIX = "janus_result_";

/** Sends the browser to the page of a result, which its cookie holds. RFC 9110 15.4.4 */
export function resultResponse(
  deps: Deps,
  exchange: Exchange,
  name: string,
  content: Content,
  setCookies: readonly string[],
): Response {
  const secure = isSecure(deps);
  const written = writeCookie(
    `${nameOf(PREFIX, secure)}${name}`,
    sealResult(deps, name, content),
    keptSeconds(content),
    secure,
  );
  const forgotten = forgetNames(
    deps,
    resultsToForget(deps, readResults(deps, exchange), content.outcome, name),
  );
  return redirectResponse(deps, exchange, `/result/${name}`, [...setCookies, ...forgotten, written], 303);
}

/** The Set-Cookie headers that make a browser forget the results that are no longer true when this has happened. */
export const forgetResults = (
  deps: Deps,
  exchange: Exchange,
  happened: Outcome | "signed_in",
): readonly string[] => forgetNames(deps, resultsToForget(deps, readResults(deps, exchange), happened));

/** The browser's result of this name; undefined if it has none that opens. */
export function findResult(deps: Deps, exchange: Exchange, name: string): Result | undefined {
  const sealed = readResults(deps, exchange).get(name);
  return sealed === undefined ? undefined : openResult(deps, name, sealed);
}

const readResults = (deps: Deps, { request }: Exchange): ResultRecords =>
  readRecords(
    request.headers.get("cookie"),
    nameOf(PREFIX, isSecure(deps)),
    (name, sealed) => openResult(deps, name, sealed) !== undefined,
  );

const forgetNames = (deps: Deps, names: readonly string[]): readonly string[] =>
  names.map((name) => expireCookie(`${nameOf(PREFIX, isSecure(deps))}${name}`, isSecure(deps)));
