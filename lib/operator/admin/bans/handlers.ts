/**
 * The bans in force, as administrators see and lift them. A ban of a member begins in `../change/handlers.ts`.
 *
 *   GET /admin/bans        listAdminBans   listBanPage, in `../../bans.ts`
 *   GET /admin/bans/{id}   askLift         findBan, in `../../bans.ts`
 *   POST /admin/bans/{id}  receiveLift     removeBan, in `../../bans.ts`
 */
import type { Deps } from "../../../deps.ts";
import { adminNoticeResponse } from "../../../http/notices.ts";
import { addressOf, requireGet } from "../../../http/request.ts";
import type { Exchange, FormHandler, Handler } from "../../../http/response.ts";
import { renderBanList, renderLiftQuestion } from "../../../pages/admin_bans.tsx";
import { BANS_PATH } from "../../../pages/admin_parts.tsx";
import type { Ban, BanPlace } from "../../bans.ts";
import { findBan, listBanPage, NEWEST_BANS, removeBan } from "../../bans.ts";
import { adminPage, admitForm, withAdmin } from "../handlers.ts";
import { noteLook } from "../member.ts";

/** Bans on one page. */
export const LISTED_BANS = 50;

/** GET /admin/bans */
export const listAdminBans: Handler = (deps, exchange) => {
  requireGet(exchange);
  return withAdmin(deps, exchange, async (admin) => {
    const after = readPlace(addressOf(exchange).searchParams.get("after"));
    await noteLook(deps, admin, { at: "bans" });
    // One more than a page has says whether there is a next one.
    const found = await listBanPage(deps, after ?? NEWEST_BANS, LISTED_BANS + 1);
    const bans = found.slice(0, LISTED_BANS);
    const last = found.length > LISTED_BANS ? bans.at(-1) : undefined;
    const page = { bans, next: last && writePlace(last), isFirst: after === undefined };
    return adminPage(deps, exchange, admin, (context) => renderBanList(context, page));
  });
};

const PLACE = /^(\d{1,15})\.([\w-]{1,64})$/;

const writePlace = ({ bannedAt, banId }: Ban): string => `${bannedAt.getTime()}.${banId}`;

/** After which ban a page begins; undefined for the first page, and for what is no such place. */
function readPlace(word: string | null): BanPlace | undefined {
  const [, time, beforeId] = PLACE.exec(word ?? "") ?? [];
  if (time === undefined || beforeId === undefined) return undefined;
  const bannedBefore = new Date(Number(time));
  return bannedBefore < NEWEST_BANS.bannedBefore ? { bannedBefore, beforeId } : undefined;
}

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
