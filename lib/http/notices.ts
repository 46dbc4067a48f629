/**
 * Notices in a browser's cookie: a form of the member's own page answers 303 to that page, which shows the notice once. A
 * browser that loads the page again sees none.
 */
import type { Deps } from "../deps.ts";
import type { Notice } from "../result/notice.ts";
import { NOTICE_TTL_SECONDS, openNotice, sealNotice } from "../result/notice.ts";
import { expireCookie, nameOf, readValues, writeCookie } from "./cookies.ts";
import { isInAdvance } from "./request.ts";
import type { Exchange } from "./response.ts";
import { isSecure, redirectResponse } from "./response.ts";

const NOTICE = "janus_notice";
const NO_NOTICE = { notice: null, setCookies: [] };

/** Sends the browser to the member's own page, which shows the notice. RFC 9110 15.4.4 */
export function noticeResponse(deps: Deps, exchange: Exchange, notice: Notice): Response {
  const secure = isSecure(deps);
  const written = writeCookie(nameOf(NOTICE, secure), sealNotice(deps, notice), NOTICE_TTL_SECONDS, secure);
  return redirectResponse(deps, exchange, "/account", [written], 303);
}

/**
 * The notice for the page that is shown now, and the Set-Cookie headers that make the browser forget it. A request that shows
 * no page takes no notice: a HEAD, and one that a browser sends in advance.
 */
export function takeNotice(
  deps: Deps,
  exchange: Exchange,
): { readonly notice: Notice | null; readonly setCookies: readonly string[] } {
  const { request } = exchange;
  const secure = isSecure(deps);
  const values = readValues(request.headers.get("cookie"), nameOf(NOTICE, secure));
  if (values.length === 0 || request.method !== "GET" || isInAdvance(exchange)) return NO_NOTICE;
  const [notice = null] = values.flatMap((sealed) => openNotice(deps, sealed) ?? []);
  return { notice, setCookies: [expireCookie(nameOf(NOTICE, secure), secure)] };
}
