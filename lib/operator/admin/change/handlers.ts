/**
 * What administrators change. A page asks before each change that costs a member something, and a form makes it. The use cases
 * are those of the commands, and they leave who did it in the trail.
 *
 *   GET /admin/links/{id}/{action}    askAdminChange
 *   POST /admin/links/{id}/{action}   receiveAdminChange   sessions, unlink, ban or sync
 *   GET /admin/brake                  askRelease
 *   POST /admin/brake                 receiveRelease
 */
import * as v from "valibot";
import type { Deps } from "../../../deps.ts";
import { asJanusError, notFound } from "../../../errors.ts";
import { adminNoticeResponse } from "../../../http/notices.ts";
import { addressOf, requireGet } from "../../../http/request.ts";
import type { Exchange, FormHandler, Handler } from "../../../http/response.ts";
import { COUNTED_AT, renderBrakeQuestion } from "../../../pages/admin.tsx";
import { ADMIN_PATH, LINKS_PATH, memberPath } from "../../../pages/admin_parts.tsx";
import type { AdminAction } from "../../../pages/admin_question.tsx";
import { ADMIN_ACTIONS, BAN_ENDS, renderAdminQuestion } from "../../../pages/admin_question.tsx";
import type { AdminNotice } from "../../../result/notice.ts";
import { organisationName } from "../../../rules/claims.ts";
import type { Synced } from "../../../sync/sync_now.ts";
import { syncNow } from "../../../sync/sync_now.ts";
import { printable } from "../../../text/printable.ts";
import { secondsAfter } from "../../../time.ts";
import { addBan } from "../../bans.ts";
import { unlinkMember } from "../../change_link.ts";
import { countWaitingLosses, releaseLosses } from "../../release_losses.ts";
import { purgeSessions } from "../../sessions.ts";
import { adminPage, admitForm, memberOf, withAdmin } from "../handlers.ts";
import { nameToAdmin, requireLink } from "../member.ts";
import type { Admin } from "../session.ts";

/** GET /admin/links/{id}/{action}: asks. */
export const askAdminChange: Handler = (deps, exchange) => {
  requireGet(exchange);
  return withAdmin(deps, exchange, async (admin) => {
    const action = v.safeParse(v.picklist(ADMIN_ACTIONS), actionOf(exchange));
    if (!action.success) throw notFound();
    const { discordUserId, username, claims } = await nameToAdmin(deps, admin, memberOf(exchange));
    const page = {
      discordUserId,
      discord: { username, globalName: null },
      organisationName: organisationName(claims) ?? null,
    };
    return adminPage(deps, exchange, admin, (context) => renderAdminQuestion(context, action.output, page));
  });
};

/** POST /admin/links/{id}/{action}: does it. */
export const receiveAdminChange: FormHandler = {
  admit: admitForm,
  handle: (deps, exchange, form) =>
    withAdmin(deps, exchange, async (admin) => {
      const action = v.safeParse(v.picklist([...ADMIN_ACTIONS, "sync"]), actionOf(exchange));
      if (!action.success) throw notFound();
      const discordUserId = memberOf(exchange);
      const reason = readReason(form);
      if (reason === undefined)
        return adminNoticeResponse(deps, exchange, "reason_refused", memberPath(discordUserId));
      const change = { deps, admin, discordUserId, reason, end: form.get("end") };
      const { notice, path } = await CHANGES[action.output](change);
      return adminNoticeResponse(deps, exchange, notice, path);
    }),
};

const actionOf = (exchange: Exchange): string | undefined => addressOf(exchange).pathname.split("/").at(4);

const MOST_REASON = 500;

/** The reason; null for none, undefined for one that nobody can read. */
function readReason(form: URLSearchParams): string | null | undefined {
  const reason = form.get("reason")?.trim() ?? "";
  if (reason === "") return null;
  return printable(reason, MOST_REASON) === reason ? reason : undefined;
}

type Change = {
  readonly deps: Deps;
  readonly admin: Admin;
  readonly discordUserId: string;
  readonly reason: string | null;
  readonly end: string | null;
};

/** What to say then, and on which page. */
type Changed = { readonly notice: AdminNotice; readonly path: string };

const CHANGES: Readonly<Record<AdminAction | "sync", (change: Change) => Promise<Changed>>> = {
  sync: async (change) => ({ notice: await sync(change), path: memberPath(change.discordUserId) }),
  sessions: async ({ deps, admin: { operator }, discordUserId }) => {
    await requireLink(deps, discordUserId);
    const waiting = { stop: new AbortController().signal, onProgress: () => Promise.resolve() };
    await purgeSessions(deps, { discordUserId, operator }, waiting);
    return { notice: "sessions_ended", path: memberPath(discordUserId) };
  },
  unlink: async ({ deps, admin: { operator }, discordUserId, reason }) => {
    const unlinked = await unlinkMember(deps, { discordUserId, operator, reason: reason ?? undefined });
    return { notice: `unlinked${describeEnd([unlinked])}`, path: LINKS_PATH };
  },
  ban: async ({ deps, admin: { operator }, discordUserId, reason, end }) => {
    const { issuer, subject } = await requireLink(deps, discordUserId);
    const expiresAt = readBanEnd(end, deps.now());
    const ended = await addBan(deps, { discordUserId, issuer, subject, expiresAt, reason, operator });
    return { notice: `banned${describeEnd(ended)}`, path: LINKS_PATH };
  },
};

const NOTICE_OF: Readonly<Record<Synced, AdminNotice>> = {
  up_to_date: "synced",
  changed: "sync_changed",
  held: "sync_held",
  provider_silent: "sync_provider_silent",
  not_readable: "sync_not_readable",
  sign_in: "sync_sign_in",
};

async function sync({ deps, admin: { operator }, discordUserId }: Change): Promise<AdminNotice> {
  try {
    return NOTICE_OF[await syncNow(deps, { discordUserId }, operator)];
  } catch (error) {
    const { code } = asJanusError(error);
    if (code === "sync_too_soon") return "sync_too_soon";
    if (code === "grant_ended") return "sync_sign_in";
    // The push is due again.
    if (code.startsWith("discord_")) return "sync_failed";
    throw error;
  }
}

type Ended = { readonly discordTold: boolean; readonly roleMayStay: boolean };

/** What is left to do, as the notices have it. */
function describeEnd(ended: readonly Ended[]): "" | "_later" | "_role" {
  if (ended.some(({ roleMayStay }) => roleMayStay)) return "_role";
  return ended.every(({ discordTold }) => discordTold) ? "" : "_later";
}

const DAY_SECONDS = 86_400;
const BAN_DAYS = { week: 7, month: 30, year: 365 } as const;

/** A word that the form does not have is a ban that does not end by itself. */
function readBanEnd(word: string | null, now: Date): Date | null {
  const end = BAN_ENDS.find((known) => known === word) ?? "never";
  return end === "never" ? null : secondsAfter(now, BAN_DAYS[end] * DAY_SECONDS);
}

/** GET /admin/brake: asks. */
export const askRelease: Handler = (deps, exchange) => {
  requireGet(exchange);
  return withAdmin(deps, exchange, (admin) => showRelease(deps, exchange, admin));
};

/** POST /admin/brake: releases what the page has counted. */
export const receiveRelease: FormHandler = {
  admit: admitForm,
  handle: (deps, exchange, form) =>
    withAdmin(deps, exchange, async (admin) => {
      const countedAt = readMilliseconds(form.get(COUNTED_AT));
      if (countedAt === undefined) return showRelease(deps, exchange, admin, 400);
      await releaseLosses(deps, admin.operator, countedAt);
      return adminNoticeResponse(deps, exchange, "released", ADMIN_PATH);
    }),
};

async function showRelease(deps: Deps, exchange: Exchange, admin: Admin, status = 200): Promise<Response> {
  const losses = await countWaitingLosses(deps);
  return adminPage(deps, exchange, admin, (context) => renderBrakeQuestion(context, losses), status);
}

/** A time in milliseconds since 1970, at most in the year 2286; undefined for anything else. */
const readMilliseconds = (word: string | null): Date | undefined =>
  word !== null && /^\d{1,13}$/.test(word) ? new Date(Number(word)) : undefined;
