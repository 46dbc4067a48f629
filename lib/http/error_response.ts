/**
 * What an error becomes: a page for browsers, problem details for programs, and a line in the log.
 */
import type { Deps } from "../deps.ts";
import type { PublicErrorCode } from "../error_codes.ts";
import { isPublicErrorCode } from "../error_codes.ts";
import type { JanusError } from "../errors.ts";
import { renderError } from "../pages/error.tsx";
import { describeError } from "../telemetry/log.ts";
import type { Language } from "../text/languages.ts";
import { chooseLanguage, guessLanguage, seemsToWantPage, wantsPage } from "./accept.ts";
import { findBeginning } from "./begin_again.ts";
import { forgetSession } from "./cookies.ts";
import { createProblem, PROBLEM_TYPE } from "./problem.ts";
import type { Exchange } from "./response.ts";
import { isSecure, jsonResponse, pageResponse } from "./response.ts";

/** Makes the response of an error. */
export function errorResponse(deps: Deps, exchange: Exchange, error: JanusError): Response {
  const code = publicCodeOf(error);
  const headers = headersOf(error);
  const { status } = error;
  // The browser forgets a session that does not exist, whatever was wrong with it.
  const setCookies = code === "unauthenticated" ? forgetSession(isSecure(deps)) : [];
  const isFlood = isFloodError(error);
  const language = isFlood ? guessLanguage(exchange.request) : chooseLanguage(exchange.request);
  if (isFlood ? seemsToWantPage(exchange) : wantsPage(exchange)) {
    const beginning = findBeginning(deps, exchange);
    const options = { status, headers, setCookies, language };
    return pageResponse(deps, exchange, (context) => renderError(context, code, beginning), options);
  }
  return problemResponse(deps, exchange, error, { language, setCookies });
}

/** Makes the response of an error for a program. */
export function problemResponse(
  deps: Deps,
  exchange: Exchange,
  error: JanusError,
  given: { readonly language?: Language; readonly setCookies?: readonly string[] } = {},
): Response {
  const { language = chooseLanguage(exchange.request), setCookies = [] } = given;
  const { status } = error;
  const problem = createProblem(publicCodeOf(error), status, language, deps.config.platformName);
  const type = {
    "content-type": PROBLEM_TYPE,
    "content-language": language,
    vary: "accept, accept-language",
  };
  return jsonResponse(deps, exchange, status, problem, {
    setCookies,
    headers: { ...headersOf(error), ...type },
  });
}

const publicCodeOf = ({ code }: JanusError): PublicErrorCode => (isPublicErrorCode(code) ? code : "internal");

function headersOf({ retryAfterSeconds, allow }: JanusError): Readonly<Record<string, string>> {
  return {
    ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }),
    ...(allow === undefined ? {} : { allow }),
  };
}

/** Logs an error. */
export function logError({ log }: Deps, { request, route }: Exchange, error: JanusError): void {
  const { status } = error;
  log[levelOf(error)]("request_failed", { route, method: request.method, status, ...describeError(error) });
}

function levelOf(error: JanusError): "debug" | "info" | "error" {
  if (isFloodError(error)) return "debug";
  return error.status >= 500 ? "error" : "info";
}

/** Refusals that a flood meets by the hundred: the limits logs them once a minute, and their answers must cost nothing. */
export function isFloodError({ code }: JanusError): boolean {
  return code === "too_many_requests" || code === "too_busy";
}
