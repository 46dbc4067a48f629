/**
 * What an error becomes: a page for browsers, problem details for programs, and a line in the log.
 */
import type { Deps } from "../deps.ts";
import type { JanusError } from "../errors.ts";
import { isPublicErrorCode } from "../errors.ts";
import { renderError } from "../pages/error.tsx";
import { describeError } from "../telemetry/log.ts";
import { chooseLanguage, guessLanguage, seemsToWantPage, wantsPage } from "./accept.ts";
import { findBeginning } from "./begin_again.ts";
import { forgetSession } from "./cookies.ts";
import { createProblem, PROBLEM_TYPE } from "./problem.ts";
import type { Exchange } from "./response.ts";
import { isSecure, jsonResponse, pageResponse } from "./response.ts";

/** Makes the response of an error. */
export function errorResponse(deps: Deps, exchange: Exchange, error: JanusError): Response {
  const code = isPublicErrorCode(error.code) ? error.code : "internal";
  const headers: Record<string, string> = {};
  if (error.retryAfterSeconds !== undefined) headers["retry-after"] = String(error.retryAfterSeconds);
  if (error.allow !== undefined) headers.allow = error.allow;
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
  const problem = createProblem(code, status, language, deps.config.platformName);
  const type = {
    "content-type": PROBLEM_TYPE,
    "content-language": language,
    vary: "accept, accept-language",
  };
  return jsonResponse(deps, exchange, status, problem, { setCookies, headers: { ...headers, ...type } });
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
