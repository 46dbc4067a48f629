/**
 * What handlers ask of a request: its address, its cookies, and that the member meant to send it. And how the steps of a
 * flow are shown, which is the same for a link and a sign-in.
 */

import type { Deps } from "../deps.ts";
import { callbackMalformed, methodNotAllowed, originRefused, prefetchRefused } from "../errors.ts";
import type { FlowChange, FlowRecords } from "../flow/record.ts";
import { isFlowRecord } from "../flow/record.ts";
import type { Cancelled, Departure, FlowRequest } from "../flow/step.ts";
import type { Session, SessionWithLink } from "../session/guard.ts";
import { openSession, openSessionWithLink } from "../session/guard.ts";
import type { BegunSession, Browser, SessionSecrets } from "../session/secrets.ts";
import { parseAddress } from "./address.ts";
import { findBeginning } from "./begin_again.ts";
import { readFlowRecords, readSessionCookies, writeFlowChange, writeSession } from "./cookies.ts";
import type { Exchange } from "./response.ts";
import { isSecure, redirectResponse } from "./response.ts";
import { resultResponse } from "./results.ts";
import { describeUserAgent } from "./user_agent.ts";

/** The browser's flows. */
export const flowRecords = (deps: Deps, { request }: Exchange): FlowRecords =>
  readFlowRecords(request.headers.get("cookie"), isSecure(deps), (name, value) =>
    isFlowRecord(deps, name, value),
  );

/** The Set-Cookie headers of a flow's step. */
export const flowCookies = (deps: Deps, flow: FlowChange): readonly string[] =>
  writeFlowChange(flow, isSecure(deps));

/** The Set-Cookie headers of a session that has begun. */
export const sessionCookies = (deps: Deps, session: BegunSession): readonly string[] =>
  writeSession(session, deps.now(), isSecure(deps));

/** Possible secrets of a session that the browser sent. Nothing is proved yet. */
export const sessionCandidates = ({ request }: Exchange): readonly SessionSecrets[] =>
  readSessionCookies(request.headers.get("cookie"));

/** What a new session records about its browser. */
export function describeBrowser(exchange: Exchange): Browser {
  return {
    userAgent: describeUserAgent(exchange.request.headers.get("user-agent")),
    candidates: sessionCandidates(exchange),
  };
}

/** The address that was asked for. Throws callback_malformed if it is too long or the Host header makes none. */
export function addressOf({ request }: Exchange): URL {
  const url = parseAddress(request);
  if (url === undefined)
    throw callbackMalformed("the URL is too long or has too many parameters, or the Host header is invalid");
  return url;
}

/**
 * Refuses a request that is not a member's own GET, where a GET has an effect: HEAD, which Elysia gives to the handler of
 * GET, and requests that a browser sends in advance.
 */
export function requireGet(exchange: Exchange): void {
  if (exchange.request.method !== "GET") throw methodNotAllowed("GET");
  refusePrefetch(exchange);
}

/** The standard has Sec-Purpose (Fetch 3.7). Chromium, Safari and Firefox sent the others before it. */
const PURPOSE_HEADERS = ["sec-purpose", "purpose", "x-purpose", "x-moz"];
/** With or without parameters, such as `prefetch;prerender`. */
const IN_ADVANCE = /(?:^|[\s,;"])(?:prefetch|prerender|preview|preload)(?:$|[\s,;"])/i;

/**
 * Refuses a request that a browser sends before its member asks for the page. It would spend a code, or begin a flow that
 * pushes out another. Browsers do not show such a refusal: they ask again when the member comes.
 */
export function refusePrefetch(exchange: Exchange): void {
  if (isInAdvance(exchange)) throw prefetchRefused();
}

/** Whether a browser sends a request before its member asks for the page. */
export const isInAdvance = ({ request: { headers } }: Exchange): boolean =>
  PURPOSE_HEADERS.some((name) => IN_ADVANCE.test(headers.get(name) ?? ""));

/** A callback's request, which must be the member's own: a code that is spent unseen is lost. */
export function flowRequest(deps: Deps, exchange: Exchange): FlowRequest {
  requireGet(exchange);
  const query = addressOf(exchange).searchParams;
  return { query, records: flowRecords(deps, exchange), browser: describeBrowser(exchange) };
}

/** The session that the browser's cookies prove: the guard of the API and of the member's page. Throws unauthenticated. */
export const requireSession = (deps: Deps, exchange: Exchange): Promise<Session> =>
  openSession(deps, sessionCandidates(exchange));

/** The same with what is shown of the member's link. Throws unauthenticated. */
export const requireSessionWithLink = (deps: Deps, exchange: Exchange): Promise<SessionWithLink> =>
  openSessionWithLink(deps, sessionCandidates(exchange));

/**
 * Refuses a request that another site sent in the member's name. A browser sends Origin with every request that changes
 * something, and SameSite=Lax also keeps the cookies away. RFC 6454 7
 *
 * Some add-ons and referrer policies make a browser send `Origin: null` from our own pages. The browser then still says
 * in Sec-Fetch-Site that both ends are one origin, which no page can forge, and which a sandboxed frame, a `data:`
 * page and a redirect through another site do not get. A request without Origin comes from no such browser.
 * Fetch 3.2, W3C Fetch Metadata 2.3
 */
export function checkOrigin({ config }: Deps, { request: { headers } }: Exchange): void {
  const origin = headers.get("origin");
  if (origin === config.publicUrl) return;
  if (origin === "null" && headers.get("sec-fetch-site") === "same-origin") return;
  throw originRefused("origin is not PUBLIC_URL");
}

/** Shows a step that leads on, or one that the member did not want to take. */
export function showStep(deps: Deps, exchange: Exchange, result: Departure | Cancelled): Response {
  const setCookies = flowCookies(deps, result.flow);
  if (result.outcome !== "cancelled") return redirectResponse(deps, exchange, result.location, setCookies);
  const { outcome, at, resultName } = result;
  const { startAgain } = findBeginning(deps, exchange);
  return resultResponse(deps, exchange, resultName, { outcome, at, startAgain }, setCookies);
}

/** The address of Discord itself, derived from that of its authorize page. On a phone it opens the app: docs/discord.md */
export const discordAppUrl = ({ config }: Deps): string =>
  new URL("/channels/@me", config.discord.authorizeUrl).href;
