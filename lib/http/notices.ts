/**
 * Notices in a browser's cookie: a form of the member's own page answers 303 to that page, which shows the notice once. A
 * browser that loads the page again sees none.
 */
import type { Deps } from "../deps.ts";
import type { AdminNotice, Notice } from "../result/notice.ts";
import {
  NOTICE_TTL_SECONDS,
  openAdminNotice,
  openNotice,
  sealAdminNotice,
  sealNotice,
} from "../result/notice.ts";
import { expireCookie, nameOf, readValues, writeCookie } from "./cookies.ts";
import { isInAdvance } from "./request.ts";
import type { Exchange } from "./response.ts";
import { isSecure, redirectResponse } from "./response.ts";

const NOTICE = "janus_notice";
const ADMIN_NOTICE = "janus_admin_notice";

/** What a page shows of a notice, and the Set-Cookie headers that make the browser forget it. */
type Taken<Kind> = { readonly notice: Kind | null; readonly setCookies: readonly string[] };

/** Sends the browser to the member's own page, which shows the notice. RFC 9110 15.4.4 */
export function noticeResponse(deps: Deps, exchange: Exchange, notice: Notice): Response {
  return goTo(deps, exchange, "/account", NOTICE, sealNotice(deps, notice));
}

/** Sends an administrator's browser to one of our own paths, which shows the notice. */
export function adminNoticeResponse(
  deps: Deps,
  exchange: Exchange,
  notice: AdminNotice,
  path: string,
): Response {
  return goTo(deps, exchange, path, ADMIN_NOTICE, sealAdminNotice(deps, notice));
}

function goTo(deps: Deps, exchange: Exchange, path: string, name: string, sealed: string): Response {
  const secure = isSecure(deps);
  const written = writeCookie(nameOf(name, secure), sealed, NOTICE_TTL_SECONDS, secure);
  return redirectResponse(deps, exchange, path, [written], 303);
}

/** The notice for the member's own page, which is shown now. A request that shows no page takes no notice: a HEAD, and one that a browser sends in advance. */
export const takeNotice = (deps: Deps, exchange: Exchange): Taken<Notice> =>
  take(deps, exchange, NOTICE, openNotice);

/** The same for a page of administrators. */
export const takeAdminNotice = (deps: Deps, exchange: Exchange): Taken<AdminNotice> =>
  take(deps, exchange, ADMIN_NOTICE, openAdminNotice);

function take<Kind>(
  deps: Deps,
  exchange: Exchange,
  name: string,
  open: (deps: Deps, sealed: string) => Kind | undefined,
): Taken<Kind> {
  const { request } = exchange;
  const secure = isSecure(deps);
  const values = readValues(request.headers.get("cookie"), nameOf(name, secure));
  if (values.length === 0 || request.method !== "GET" || isInAdvance(exchange))
    return { notice: null, setCookies: [] };
  const [notice = null] = values.flatMap((sealed) => open(deps, sealed) ?? []);
  return { notice, setCookies: [expireCookie(nameOf(name, secure), secure)] };
}
