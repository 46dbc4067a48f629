/**
 * Signing in and out, one function a route. Called by `index.ts`. Browsers get pages and redirects, all else gets JSON.
 */
import * as v from "valibot";
import { viewSessions } from "../api/views.ts";
import type { Deps } from "../deps.ts";
import { sessionUnknown } from "../errors.ts";
import { wantsPage } from "../http/accept.ts";
import { forgetSession } from "../http/cookies.ts";
import {
  addressOf,
  checkOrigin,
  flowCookies,
  flowRecords,
  flowRequest,
  isSecure,
  refusePrefetch,
  sessionCandidates,
  sessionCookies,
  showStep,
} from "../http/request.ts";
import type { Exchange, Handler } from "../http/response.ts";
import { jsonResponse, redirectResponse } from "../http/response.ts";
import { endOtherSessions, logOut } from "./ending.ts";
import type { Session } from "./guard.ts";
import { listSessions, openSession } from "./guard.ts";
import { finishLogin, startLogin } from "./login.ts";

/** Where a member goes who has signed in; nothing in a request can name another place. */
const AFTER_LOGIN = "/account";
const AFTER_LOGOUT = "/";

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
  const setCookies = [...flowCookies(deps, result.flow), ...sessionCookies(deps, result.session)];
  return wantsPage(exchange)
    ? redirectResponse(deps, exchange, AFTER_LOGIN, setCookies)
    : jsonResponse(deps, exchange, 200, { ok: true }, { setCookies });
}

/** The guard of the API and of the member's page. Throws unauthenticated. */
export const requireSession = (deps: Deps, exchange: Exchange): Promise<Session> =>
  openSession(deps, sessionCandidates(exchange));

/** POST /api/auth/logout */
export const receiveLogout: Handler = async (deps, exchange) => {
  checkOrigin(deps, exchange);
  await logOut(deps, sessionCandidates(exchange), exchange.requestId);
  const setCookies = forgetSession(isSecure(deps));
  return wantsPage(exchange)
    ? redirectResponse(deps, exchange, AFTER_LOGOUT, setCookies, 303)
    : jsonResponse(deps, exchange, 200, { ok: true }, { setCookies });
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
  // Imported here: a server starts without the API's schemas.
  const { sessionHandle } = await import("../api/schemas.ts");
  const handle = v.safeParse(sessionHandle, addressOf(exchange).pathname.split("/").at(-1));
  if (!handle.success) throw sessionUnknown();
  const one = handle.output === "all" ? null : handle.output;
  const ended = await endOtherSessions(deps, session, one, exchange.requestId);
  if (ended === 0 && one !== null) throw sessionUnknown();
  return jsonResponse(deps, exchange, 200, { ok: true, ended });
};

/** POST /account/sessions: the form that ends all others. */
export const receiveEndOfOthers: Handler = async (deps, exchange) => {
  checkOrigin(deps, exchange);
  const session = await requireSession(deps, exchange);
  await endOtherSessions(deps, session, null, exchange.requestId);
  return redirectResponse(deps, exchange, "/account?notice=sessions_ended", [], 303);
};
