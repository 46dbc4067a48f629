/**
 * The routes of the member's own page, and the same for programs under /api. This room owns what members see of themselves.
 *
 *   GET /account, GET /api/userinfo               readLink, describeRole, in `facts.ts`
 *   GET /api/me/export                            exportStored, in `export.ts`
 *   POST /account/unlink, DELETE /api/link        unlink, in `../link/unlink.ts`
 *   POST /api/link/sync                           syncNow, in `../sync/sync_now.ts`
 *
 * Who is signed in is left to `session/`, and the pages to `pages/`.
 */

import { viewStored, viewUserinfo } from "../api/views.ts";
import type { Deps } from "../deps.ts";
import type { DiscordUser } from "../discord/client.ts";
import { asJanusError, notFound, notLinked } from "../errors.ts";
import { chooseLanguage, wantsPage } from "../http/accept.ts";
import { forgetSession } from "../http/cookies.ts";
import { noticeResponse, takeNotice } from "../http/notices.ts";
import {
  checkOrigin,
  discordAppUrl,
  requireGet,
  requireSession,
  requireSessionWithLink,
} from "../http/request.ts";
import type { Exchange, Handler } from "../http/response.ts";
import { fileResponse, isSecure, jsonResponse, pageResponse } from "../http/response.ts";
import { forgetResults, resultResponse } from "../http/results.ts";
import { unlink } from "../link/unlink.ts";
import { renderAccount, renderAnotherAccount, renderSignIn, renderUnlinkQuestion } from "../pages/member.tsx";
import type { AccountPage } from "../pages/member_sections.tsx";
import { sayPlain, TEXTS } from "../pages/texts/languages.ts";
import type { Notice } from "../result/notice.ts";
import { newResultName } from "../result/record.ts";
import type { Session, SessionWithLink } from "../session/guard.ts";
import { listSessions } from "../session/guard.ts";
import { findMember } from "../session/refresh.ts";
import type { Synced } from "../sync/sync_now.ts";
import { syncNow } from "../sync/sync_now.ts";
import { describeError } from "../telemetry/log.ts";
import { exportStored } from "./export.ts";
import { describeRole, findLinkedName, readLink } from "./facts.ts";
import { listHandled, listTold } from "./told.ts";

/** GET /api/userinfo */
export const showUserinfo: Handler = async (deps, exchange) => {
  const session = await requireSessionWithLink(deps, exchange);
  const user = await findMember(deps, session);
  const link = readLink(deps, session);
  return jsonResponse(deps, exchange, 200, viewUserinfo(user, link, describeRole(link)));
};

/** GET /account; without a session, where to sign in. */
export const showAccount: Handler = async (deps, exchange) => {
  try {
    return await showAccountOf(deps, exchange, await requireSessionWithLink(deps, exchange));
  } catch (error) {
    if (asJanusError(error).code !== "unauthenticated") throw error;
    const setCookies = [...forgetSession(isSecure(deps)), ...takeNotice(deps, exchange).setCookies];
    return pageResponse(deps, exchange, renderSignIn, { status: 401, setCookies });
  }
};

async function showAccountOf(deps: Deps, exchange: Exchange, session: SessionWithLink): Promise<Response> {
  const [user, sessions, told, handled] = await Promise.all([
    askDiscord(deps, session),
    listSessions(deps, session),
    listTold(deps, session),
    listHandled(deps, session),
  ]);
  const { notice, setCookies } = takeNotice(deps, exchange);
  const page: AccountPage = {
    discord: user ?? { username: session.username, globalName: session.globalName, avatarUrl: null },
    discordAnswered: user !== undefined,
    link: readLink(deps, session),
    roleMayStay: session.roleConnectionLeftAt !== null,
    rules: deps.rules,
    notice,
    told,
    handled,
    sessions: sessions.map((one) => ({ ...one, current: one.sessionHandle === session.sessionHandle })),
    discordAppUrl: discordAppUrl(deps),
  };
  const imageOrigin = new URL(deps.config.discord.cdnUrl).origin;
  return pageResponse(deps, exchange, (context) => renderAccount(context, page), { imageOrigin, setCookies });
}

/** The member as Discord has them now; undefined while it does not say, which is no reason to hide what is stored. */
async function askDiscord(deps: Deps, session: Session): Promise<DiscordUser | undefined> {
  try {
    return await findMember(deps, session);
  } catch (error) {
    const { code } = asJanusError(error);
    if (!code.startsWith("discord_") && code !== "scope_missing") throw error;
    deps.log.warn("member_not_fetched", describeError(error));
    return undefined;
  }
}

/** POST /api/link/sync */
export const receiveSync: Handler = async (deps, exchange) => {
  checkOrigin(deps, exchange);
  const session = await requireSession(deps, exchange);
  if (!wantsPage(exchange)) {
    const result = await syncNow(deps, session);
    return jsonResponse(deps, exchange, 200, { ok: true, result });
  }
  return noticeResponse(deps, exchange, await syncForPage(deps, session));
};

const NOTICE_OF: Readonly<Record<Synced, Notice>> = {
  up_to_date: "synced",
  changed: "sync_changed",
  held: "sync_held",
  provider_silent: "sync_provider_silent",
  not_readable: "sync_not_readable",
  sign_in: "sync_sign_in",
};

async function syncForPage(deps: Deps, session: Session): Promise<Notice> {
  try {
    return NOTICE_OF[await syncNow(deps, session)];
  } catch (error) {
    const { code } = asJanusError(error);
    if (code === "sync_too_soon") return "sync_too_soon";
    if (code === "grant_ended") return "sync_sign_in";
    // The push is due again, and the page says when.
    if (code.startsWith("discord_")) return "sync_failed";
    throw error;
  }
}

/** DELETE /api/link */
export const deleteLink: Handler = async (deps, exchange) => {
  checkOrigin(deps, exchange);
  const session = await requireSession(deps, exchange);
  const { discordTold, providerTold } = await unlink(deps, session);
  const finished = discordTold && providerTold;
  const setCookies = [...forgetSession(isSecure(deps)), ...forgetResults(deps, exchange, "unlinked")];
  return jsonResponse(deps, exchange, 200, { ok: true, finished }, { setCookies });
};

/** GET /account/unlink: the question before it is done. */
export const askUnlink: Handler = async (deps, exchange) => {
  const session = await requireSession(deps, exchange);
  const linked = await findLinkedName(deps, session);
  if (linked === undefined) throw notLinked();
  const page = { discord: session, ...linked };
  return pageResponse(deps, exchange, (context) => renderUnlinkQuestion(context, page));
};

/** POST /account/unlink: the answer to it. */
export const receiveUnlink: Handler = async (deps, exchange) => {
  checkOrigin(deps, exchange);
  const session = await requireSession(deps, exchange);
  const result = await unlink(deps, session);
  return resultResponse(deps, exchange, newResultName(), result, forgetSession(isSecure(deps)));
};

/** GET /account/another */
export const showAnotherAccount: Handler = (deps, exchange) =>
  pageResponse(deps, exchange, renderAnotherAccount);

/** GET /api/me/export */
export const exportData: Handler = async (deps, exchange) => {
  requireGet(exchange);
  const session = await requireSession(deps, exchange);
  const language = chooseLanguage(exchange.request);
  const about = TEXTS[language].export.about.map((line) => sayPlain(line, deps.config.platformName));
  const content = viewStored(await exportStored(deps, session), about, deps.now());
  if (content === undefined) throw notFound();
  return fileResponse(deps, exchange, { name: "janus-export.json", content, language });
};
