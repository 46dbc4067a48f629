/**
 * The bans in force, as administrators see and lift them. A ban of a member begins in `../change/handlers.ts`.
 *
 *   GET /admin/bans        listAdminBans   listBans, in `../../bans.ts`
 *   GET /admin/bans/{id}   askLift         findBan, in `../../bans.ts`
 *   POST /admin/bans/{id}  receiveLift     removeBan, in `../../bans.ts`
 */
import type { Deps } from "../../../deps.ts";
import { adminNoticeResponse } from "../../../http/notices.ts";
import { addressOf, requireGet } from "../../../http/request.ts";
import type { Exchange, FormHandler, Handler } from "../../../http/response.ts";
import { renderBanList, renderLiftQuestion } from "../../../pages/admin_bans.tsx";
import { BANS_PATH } from "../../../pages/admin_parts.tsx";
import { findBan, findBanPlace, listBans, removeBan } from "../../bans.ts";
import { adminPage, admitForm, withAdmin } from "../handlers.ts";
import { noteLook } from "../member.ts";

/** Bans on one page. */
export const LISTED_BANS = 50;

/** GET /admin/bans */
export const listAdminBans: Handler = (deps, exchange) => {
  requireGet(exchange);
  return withAdmin(deps, exchange, async (admin) => {
    const after = findBanPlace(addressOf(exchange).searchParams.get("after") ?? "");
    await noteLook(deps, admin, { at: "bans" });
    const list = await listBans(deps, {}, { limit: LISTED_BANS, after });
    const page = { ...list, isFirst: after === undefined };
    return adminPage(deps, exchange, admin, (context) => renderBanList(context, page));
  });
};

/** GET /admin/bans/{id}: asks. */
export const askLift: Handler = (deps, exchange) => {
  requireGet(exchange);
  return withAdmin(deps, exchange, async (admin) => {
    const ban = await findBan(deps, banIdOf(exchange));
    if (ban === undefined) return tellOver(deps, exchange);
    await noteLook(deps, admin, { at: "ban", ...ban });
    return adminPage(deps, exchange, admin, (context) => renderLiftQuestion(context, ban));
  });
};

/** POST /admin/bans/{id}: lifts it. */
export const receiveLift: FormHandler = {
  admit: admitForm,
  handle: (deps, exchange) =>
    withAdmin(deps, exchange, async ({ operator }) => {
      const ban = await findBan(deps, banIdOf(exchange));
      const isLifted = ban !== undefined && (await removeBan(deps, ban, operator));
      return isLifted
        ? adminNoticeResponse(deps, exchange, "ban_lifted", BANS_PATH)
        : tellOver(deps, exchange);
    }),
};

/** Somebody else has lifted it, it has ended by itself, or there was none. */
const tellOver = (deps: Deps, exchange: Exchange): Response =>
  adminNoticeResponse(deps, exchange, "ban_over", BANS_PATH);

/** The id of an address such as /admin/bans/{id}; empty if it is none. */
function banIdOf(exchange: Exchange): string {
  const id = addressOf(exchange).pathname.split("/").at(3) ?? "";
  return /^[\w-]{1,64}$/.test(id) ? id : "";
}
