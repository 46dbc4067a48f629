/**
 * The routes of signing in and out. Browsers get pages and redirects, programs get JSON. This room owns login sessions.
 *
 *   GET /login                       logIn                     startLogin, finishLogin, in `login.ts`
 *   POST /api/auth/logout            receiveLogout             logOut, in `ending.ts`
 *   GET /api/sessions                showSessions              listSessions, in `guard.ts`
 *   DELETE /api/sessions/{handle}    endSessions               removeOtherSessions, in `ending.ts`
 *   POST /account/sessions           receiveSessionsEnd        removeOtherSessions, in `ending.ts`
 *
 * `guard.ts` proves a session for every route of a member, `refresh.ts` keeps its tokens alive, and `secrets.ts` has its two
 * secrets. What a member sees of a link is left to `member/`, and cookies to `http/cookies.ts`.
 */
import * as v from "valibot";
import { sessionHandle } from "../api/schemas.ts";
import { viewSessions } from "../api/views.ts";
import type { Deps } from "../deps.ts";
import { sessionUnknown, unauthenticated } from "../errors.ts";
import { wantsPage } from "../http/accept.ts";
import { forgetSession } from "../http/cookies.ts";
import { requireForm } from "../http/form.ts";
import { noticeResponse } from "../http/notices.ts";
import {
  addressOf,
  checkOrigin,
  flowCookies,
  flowRecords,
  flowRequest,
  refusePrefetch,
  requireSession,
  sessionCandidates,
  sessionCookies,
  showStep,
} from "../http/request.ts";
import type { Exchange, FormHandler, Handler } from "../http/response.ts";
import { isSecure, jsonResponse, redirectResponse } from "../http/response.ts";
import { forgetResults, resultResponse } from "../http/results.ts";
import { newResultName } from "../result/record.ts";
import { logOut, removeOtherSessions } from "./ending.ts";
import type { Session } from "./guard.ts";
import { listSessions } from "./guard.ts";
import { finishLogin, startLogin } from "./login.ts";

/** Where a member goes who has signed in; nothing in a request can name another place. */
const AFTER_LOGIN = "/account";

/** What an authorization response has and nothing else. RFC 6749 4.1.2 */
const RESPONSE_PARAMETERS = ["code", "error", "state"];

/** GET /login: to Discord, or back from it. */
export const logIn: Handler = (deps, exchange) => {
  refusePrefetch(exchange);
  const { searchParams } = addressOf(exchange);
  return RESPONSE_PARAMETERS.some((name) => searchParams.has(name))
    ? receiveLogin(deps, exchange)
    : showStep(deps, exchange, startLogin(deps, flowRecords(deps, exchange)));
};

async function receiveLogin(deps: Deps, exchange: Exchange): Promise<Response> {
  const result = await finishLogin(deps, flowRequest(deps, exchange));
  if (result.outcome === "cancelled") return showStep(deps, exchange, result);
  const setCookies = [
    ...flowCookies(deps, result.flow),
    ...sessionCookies(deps, result.session),
    ...forgetResults(deps, exchange, "signed_in"),
  ];
  return wantsPage(exchange)
    ? redirectResponse(deps, exchange, AFTER_LOGIN, setCookies)
    : jsonResponse(deps, exchange, 200, { ok: true }, { setCookies });
}

/** POST /api/auth/logout */
export const receiveLogout: Handler = async (deps, exchange) => {
  checkOrigin(deps, exchange);
  await logOut(deps, sessionCandidates(exchange));
  const setCookies = forgetSession(isSecure(deps));
  if (wantsPage(exchange))
    return resultResponse(deps, exchange, newResultName(), { outcome: "signed_out" }, setCookies);
  const forgotten = forgetResults(deps, exchange, "signed_out");
  return jsonResponse(deps, exchange, 200, { ok: true }, { setCookies: [...setCookies, ...forgotten] });
};

/** GET /api/sessions */
export const showSessions: Handler = async (deps, exchange) => {
  const session = await requireSession(deps, exchange);
  return jsonResponse(
    deps,
    exchange,
    200,
    viewSessions(await listSessions(deps, session), session.sessionHandle),
  );
};

/** DELETE /api/sessions/{handle} */
export const endSessions: Handler = async (deps, exchange) => {
  checkOrigin(deps, exchange);
  const session = await requireSession(deps, exchange);
  const handle = addressOf(exchange).pathname.split("/").at(-1);
  const { ended } = await endOthers(deps, session, handle);
  return jsonResponse(deps, exchange, 200, { ok: true, ended });
};

/** POST /account/sessions: a form with one field, `session`. */
export const receiveSessionsEnd: FormHandler = {
  admit: (deps, exchange) => {
    checkOrigin(deps, exchange);
    if (sessionCandidates(exchange).length === 0) throw unauthenticated("no session cookies");
    requireForm(exchange.request);
  },
  handle: async (deps, exchange, form) => {
    const session = await requireSession(deps, exchange);
    const { all } = await endOthers(deps, session, form.get("session"));
    return noticeResponse(deps, exchange, all ? "sessions_ended" : "session_ended");
  },
};

/** Ends the session of a handle, or with `all` every other one. Throws session_unknown, also for the session itself. */
async function endOthers(deps: Deps, session: Session, asked: string | null | undefined) {
  const handle = v.safeParse(sessionHandle, asked);
  if (!handle.success) throw sessionUnknown();
  const all = handle.output === "all";
  const ended = await removeOtherSessions(deps, session, all ? null : handle.output);
  if (ended === 0 && !all) throw sessionUnknown();
  return { all, ended };
}
