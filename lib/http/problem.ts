/**
 * An error for programs: a problem document. It says what a page would say, and no more. The request id is in a header, so
 * the same error always has the same bytes. RFC 9457
 */
import type { Problem } from "../api/schemas.ts";
import type { PublicErrorCode } from "../error_codes.ts";
import { sayPlain, TEXTS } from "../pages/texts/languages.ts";
import type { Language } from "../text/languages.ts";

/** Its media type. RFC 9457 3 */
export const PROBLEM_TYPE = "application/problem+json";

/** The names of the statuses. RFC 9110 15.5, 15.6; RFC 6585 4 */
const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  413: "Content Too Large",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
};

/** The document of an error. */
export function createProblem(
  code: PublicErrorCode,
  status: number,
  language: Language,
  platformName: string,
): Problem {
  const text = TEXTS[language].errors[code];
  // The advice of the page is about the page, so it is left out.
  const detail = sayPlain(`${text.title}. ${text.why}`, platformName);
  const title = TITLES[status] ?? "Error";
  return { type: "about:blank", title, status, code, detail };
}
