/**
 * An error for machines: a problem document. Called by `http.ts`. It says what a page would say, and no more: the
 * request id is in a header, so that the same error is the same bytes. RFC 9457
 */
import type { Problem } from "../api/schemas.ts";
import type { PublicErrorCode } from "../errors.ts";
import type { Language } from "../pages/parts.tsx";
import { TEXTS } from "../pages/parts.tsx";

/** Its media type. RFC 9457 3 */
export const PROBLEM_TYPE = "application/problem+json";

/** What the statuses are called. RFC 9110 15.5, 15.6; RFC 6585 4 */
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
  // What to do now is told in terms of a page, which there is none of here.
  const detail = `${text.title}. ${text.why}`.replaceAll("{platform}", () => platformName);
  const title = TITLES[status] ?? "Error";
  return { type: "about:blank", title, status, code, detail };
}
