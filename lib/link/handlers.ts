/**
 * The routes of the link flow, and the start page. This room owns the link: making it, moving it and undoing it.
 *
 *   GET /                          showHome
 *   GET /linked-role[/another]     beginLink                startLink, in `discord_leg.ts`
 *   GET /discord-oauth-callback    receiveDiscordCallback   finishDiscordLeg, in `discord_leg.ts`
 *   GET /dsek-oauth-callback       receiveProviderCallback  finishProviderLeg, in `provider_leg.ts`
 *   POST /link/move                moveLink                 confirmMove, in `move.ts`
 *   POST /link/keep                keepLink                 keepLinks, in `move.ts`
 *
 * The end of a link is in `unlink.ts`; its routes are with the member's page. Pushing to Discord is left to `sync/`, ending
 * grants to `grants/`, and what a browser carries between the legs to `flow/`.
 */
import type { Deps } from "../deps.ts";
import { asJanusError, callbackMalformed } from "../errors.ts";
import { isOfLeg, requireFlow, requireRecord } from "../flow/record.ts";
import type { Cancelled, Departure } from "../flow/step.ts";
import { requireForm } from "../http/form.ts";
import {
  checkOrigin,
  describeBrowser,
  flowCookies,
  flowRecords,
  flowRequest,
  refusePrefetch,
  sessionCandidates,
  sessionCookies,
  showStep,
} from "../http/request.ts";
import type { Exchange, FormHandler, Handler } from "../http/response.ts";
import { pageResponse } from "../http/response.ts";
import { resultResponse } from "../http/results.ts";
import { receiveAdmin } from "../operator/admin/handlers.ts";
import { showExamined } from "../operator/doctor/handlers.ts";
import type { HomeMember } from "../pages/link.tsx";
import { renderHome } from "../pages/link.tsx";
import { findSession } from "../session/guard.ts";
import { describeError } from "../telemetry/log.ts";
import type { NotAdmitted } from "./admission.ts";
import { finishDiscordLeg, startLink } from "./discord_leg.ts";
import type { Linked } from "./linked.ts";
import { confirmMove, keepLinks } from "./move.ts";
import type { Conflict } from "./provider_leg.ts";
import { finishProviderLeg } from "./provider_leg.ts";

/** GET / */
export const showHome: Handler = async (deps, exchange) => {
  const member = await findHomeMember(deps, exchange);
  return pageResponse(deps, exchange, (context) => renderHome(context, member));
};

/** The member who is signed in. The database is asked only if the browser has cookies of a session, and never for a HEAD. */
async function findHomeMember(deps: Deps, exchange: Exchange): Promise<HomeMember | undefined> {
  const candidates = sessionCandidates(exchange);
  if (candidates.length === 0 || exchange.request.method !== "GET") return undefined;
  try {
    const { username, globalName, linkedAt } = await findSession(deps, candidates);
    return { discord: { username, globalName }, isLinked: linkedAt !== null };
  } catch (error) {
    const { code } = asJanusError(error);
    if (code === "unauthenticated") return undefined;
    if (!code.startsWith("database_")) throw error;
    // Carrying on is right: the start page is for everybody, and says nothing that needs the database.
    deps.log.warn("member_not_fetched", describeError(error));
    return undefined;
  }
}

/** GET /linked-role */
export const beginLink: Handler = (deps, exchange) => begin(deps, exchange, "discord");

/** GET /linked-role/another: the same, for a member who wants another account on either side. */
export const beginLinkOfAnother: Handler = (deps, exchange) => begin(deps, exchange, "another");

function begin(deps: Deps, exchange: Exchange, leg: "discord" | "another"): Response {
  refusePrefetch(exchange);
  return showStep(deps, exchange, startLink(deps, flowRecords(deps, exchange), leg));
}

/** GET /discord-oauth-callback */
export const receiveDiscordCallback: Handler = async (deps, exchange) =>
  showStep(deps, exchange, await finishDiscordLeg(deps, flowRequest(deps, exchange)));

/** GET /dsek-oauth-callback */
export const receiveProviderCallback: Handler = async (deps, exchange) => {
  const request = flowRequest(deps, exchange);
  const { query, records } = request;
  if (isOfLeg("doctor", query, records)) return showExamined(deps, exchange, request);
  if (isOfLeg("admin", query, records)) return receiveAdmin(deps, exchange, request);
  return show(deps, exchange, await finishProviderLeg(deps, request));
};

/** POST /link/move */
export const moveLink: FormHandler = {
  admit: (deps, exchange) => {
    checkOrigin(deps, exchange);
    requireForm(exchange.request);
    requireFlow(deps, ["move"], flowRecords(deps, exchange));
  },
  handle: async (deps, exchange, form) => {
    const state = readState(form);
    const records = flowRecords(deps, exchange);
    return show(
      deps,
      exchange,
      await confirmMove(deps, { state, records, browser: describeBrowser(exchange) }),
    );
  },
};

/** POST /link/keep: the other button of the same form. */
export const keepLink: FormHandler = {
  admit: (deps, exchange) => {
    checkOrigin(deps, exchange);
    requireForm(exchange.request);
    requireRecord(deps, ["move"], flowRecords(deps, exchange));
  },
  handle: async (deps, exchange, form) => {
    const { outcome, resultName, flow } = await keepLinks(deps, {
      state: readState(form),
      records: flowRecords(deps, exchange),
    });
    return resultResponse(deps, exchange, resultName, { outcome }, flowCookies(deps, flow));
  },
};

function readState(form: URLSearchParams): string {
  const states = form.getAll("state");
  const [state] = states;
  if (state === undefined || states.length > 1) throw callbackMalformed("the form has no state");
  return state;
}

type Ended = Departure | Cancelled | Linked | Conflict | NotAdmitted;

function show(deps: Deps, exchange: Exchange, result: Ended): Response {
  const setCookies = flowCookies(deps, result.flow);
  switch (result.outcome) {
    case "departed":
    case "sent_back":
    case "cancelled":
      return showStep(deps, exchange, result);
    case "linked":
    case "relinked":
    case "moved": {
      const { resultName, session } = result;
      const content = { ...result, signedIn: session !== undefined };
      const ofSession = session === undefined ? [] : sessionCookies(deps, session);
      return resultResponse(deps, exchange, resultName, content, [...setCookies, ...ofSession]);
    }
    case "conflict":
    case "not_admitted":
      return resultResponse(deps, exchange, result.resultName, result, setCookies);
  }
}
