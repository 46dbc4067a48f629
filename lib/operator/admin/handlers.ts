/**
 * The routes of the page of administrators. Without `[admin] when` in the rules file these addresses do not exist.
 *
 *   GET /admin                             showAdmin           readOverview, in `overview.ts`
 *   GET /admin/sign-in                     beginAdminSignIn    startAdminSignIn, in `sign_in.ts`
 *   the provider's callback of that sign-in  receiveAdmin      finishAdminSignIn, in `sign_in.ts`
 *   POST /admin/sign-out                   receiveAdminSignOut
 *   GET /admin/links                       listAdminLinks      listForAdmin, in `member.ts`
 *   GET /admin/links/{id}                  showAdminMember     showToAdmin, in `member.ts`
 *   GET, POST /admin/links/{id}/{action}   in `change/handlers.ts`
 *   GET /admin/bans, GET, POST /admin/bans/{id}  in `bans/handlers.ts`
 *   GET, POST /admin/brake                 in `change/handlers.ts`
 */
import * as v from "valibot";
import { LINK_STATES } from "../../database/statements/link_view.ts";
import type { Deps } from "../../deps.ts";
import { asJanusError } from "../../errors.ts";
import type { FlowRequest } from "../../flow/step.ts";
import { readAdminCookie, writeAdminCookie } from "../../http/cookies.ts";
import { requireForm } from "../../http/form.ts";
import { takeAdminNotice } from "../../http/notices.ts";
import {
  addressOf,
  checkOrigin,
  flowCookies,
  flowRecords,
  requireGet,
  showStep,
} from "../../http/request.ts";
import type { Exchange, FormHandler, Handler } from "../../http/response.ts";
import { isSecure, pageResponse, redirectResponse } from "../../http/response.ts";
import { renderAdminRefused, renderAdminSignIn, renderOverview } from "../../pages/admin.tsx";
import type { AdminSelection } from "../../pages/admin_links.tsx";
import { renderLinkList } from "../../pages/admin_links.tsx";
import { renderAdminMember, renderAdminNoLink } from "../../pages/admin_member.tsx";
import type { AdminContext } from "../../pages/admin_parts.tsx";
import { ADMIN_PATH } from "../../pages/admin_parts.tsx";
import { LISTED_LINKS, listForAdmin, showToAdmin } from "./member.ts";
import { readOverview } from "./overview.ts";
import type { Admin } from "./session.ts";
import { findAdmin } from "./session.ts";
import { finishAdminSignIn, requireAdminPage, startAdminSignIn } from "./sign_in.ts";

/** GET /admin */
export const showAdmin: Handler = (deps, exchange) =>
  withAdmin(deps, exchange, async (admin) => {
    const overview = await readOverview(deps);
    return adminPage(deps, exchange, admin, (context) => renderOverview(context, overview));
  });

/** GET /admin/sign-in: to the provider. */
export const beginAdminSignIn: Handler = async (deps, exchange) => {
  requireGet(exchange);
  return showStep(deps, exchange, await startAdminSignIn(deps, flowRecords(deps, exchange)));
};

/** Back from the provider. */
export async function receiveAdmin(deps: Deps, exchange: Exchange, request: FlowRequest): Promise<Response> {
  const result = await finishAdminSignIn(deps, request);
  const setCookies = flowCookies(deps, result.flow);
  if (result.outcome === "cancelled") return pageResponse(deps, exchange, renderAdminSignIn, { setCookies });
  if (result.outcome === "not_admitted")
    return pageResponse(deps, exchange, renderAdminRefused, { status: 403, setCookies });
  const cookie = writeAdminCookie(result.session, deps.now(), isSecure(deps));
  return redirectResponse(deps, exchange, ADMIN_PATH, [...setCookies, cookie], 303);
}

/** POST /admin/sign-out */
export const receiveAdminSignOut: FormHandler = {
  admit: admitForm,
  handle: async (deps, exchange) => {
    for (const { sessionIdHash } of candidatesOf(deps, exchange).slice(0, 1))
      await deps.queries.deleteAdminSession({ sessionIdHash });
    return pageResponse(deps, exchange, renderAdminSignIn, { setCookies: [forget(deps)] });
  },
};

/** GET /admin/links */
export const listAdminLinks: Handler = (deps, exchange) => {
  requireGet(exchange);
  return withAdmin(deps, exchange, async (admin) => {
    const { searchParams } = addressOf(exchange);
    const selection = readSelection(searchParams);
    const after = readWord(searchParams, "after");
    const list = await listForAdmin(deps, admin, selection, after);
    const page = {
      ...list,
      selection,
      isFirst: after === undefined,
      isFull: list.links.length >= LISTED_LINKS,
    };
    return adminPage(deps, exchange, admin, (context) => renderLinkList(context, page));
  });
};

const stateShape = v.picklist(LINK_STATES);
const MOST_WORDS = 100;

/** What cannot be read counts as not asked for. */
function readSelection(query: URLSearchParams): AdminSelection {
  const state = v.safeParse(stateShape, query.get("state"));
  return {
    state: state.success ? state.output : undefined,
    words: readWord(query, "q"),
    failedCode: readWord(query, "error"),
    isFailing: query.get("failing") === "yes" ? true : undefined,
  };
}

function readWord(query: URLSearchParams, name: string): string | undefined {
  // PostgreSQL's texts have no such character.
  const word = query.get(name)?.replaceAll("\0", "").trim().slice(0, MOST_WORDS).toWellFormed();
  return word === "" ? undefined : word;
}

/** GET /admin/links/{id} */
export const showAdminMember: Handler = (deps, exchange) => {
  requireGet(exchange);
  return withAdmin(deps, exchange, async (admin) => {
    const link = await showToAdmin(deps, admin, memberOf(exchange));
    return adminPage(deps, exchange, admin, (context) => renderAdminMember(context, link));
  });
};

/** The Discord user id of an address such as /admin/links/{id}/unlink; empty if it is none. */
export function memberOf(exchange: Exchange): string {
  const [, , , id = ""] = addressOf(exchange).pathname.split("/");
  return /^\d{1,20}$/.test(id) ? id : "";
}

/** Refuses a form by its head: from another site, or where the page does not exist. */
export function admitForm(deps: Deps, exchange: Exchange): void {
  requireAdminPage(deps);
  checkOrigin(deps, exchange);
  requireForm(exchange.request);
}

/** Answers an administrator, and asks everybody else to sign in. */
export async function withAdmin(
  deps: Deps,
  exchange: Exchange,
  answer: (admin: Admin) => Promise<Response>,
): Promise<Response> {
  requireAdminPage(deps);
  const candidates = candidatesOf(deps, exchange);
  const found = await findAdmin(deps, candidates);
  if (found.state === "admin") return answerOrNoLink(deps, exchange, found.admin, answer);
  const setCookies = candidates.length === 0 ? [] : [forget(deps)];
  if (found.state === "refused")
    return pageResponse(deps, exchange, renderAdminRefused, { status: 403, setCookies });
  return pageResponse(deps, exchange, renderAdminSignIn, { status: 401, setCookies });
}

async function answerOrNoLink(
  deps: Deps,
  exchange: Exchange,
  admin: Admin,
  answer: (admin: Admin) => Promise<Response>,
): Promise<Response> {
  try {
    return await answer(admin);
  } catch (error) {
    if (asJanusError(error).code !== "not_linked") throw error;
    return adminPage(deps, exchange, admin, renderAdminNoLink, 404);
  }
}

/** A page for an administrator, with the notice of the form that led to it. */
export function adminPage(
  deps: Deps,
  exchange: Exchange,
  admin: Admin,
  render: (context: AdminContext) => string,
  status = 200,
): Response {
  const { notice, setCookies } = takeAdminNotice(deps, exchange);
  return pageResponse(deps, exchange, (context) => render({ ...context, admin, notice }), {
    status,
    setCookies,
  });
}

const candidatesOf = (deps: Deps, { request }: Exchange) =>
  readAdminCookie(request.headers.get("cookie"), isSecure(deps));

const forget = (deps: Deps): string => writeAdminCookie(undefined, deps.now(), isSecure(deps));
