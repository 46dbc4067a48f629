/**
 * Where the button of a page leads a member who tries again: back to what they were doing. The route tells what that was.
 * Two flows share the callbacks of a link, and there the flow's record tells which one it is.
 */
import type { Deps } from "../deps.ts";
import type { Leg } from "../flow/record.ts";
import { findLeg, isFlowRecord, isForOtherAccount } from "../flow/record.ts";
import type { Beginning } from "../pages/error.tsx";
import { parseAddress } from "./address.ts";
import { readFlowRecords } from "./cookies.ts";
import type { Exchange } from "./response.ts";
import { isSecure } from "./response.ts";

const at = (path: Beginning["startAgain"]): Beginning => ({ startAgain: path, tryAgain: path });

const LINK = at("/linked-role");
const ANOTHER = at("/linked-role/another");
/** For the member's own pages. If an approval at Discord has ended, only a new link brings another. */
const ACCOUNT: Beginning = { startAgain: LINK.startAgain, tryAgain: "/account" };
const ADMIN = at("/admin");
const ELSEWHERE: Beginning = { startAgain: LINK.startAgain, tryAgain: "/" };

const BEGINNINGS: ReadonlyMap<string, Beginning> = new Map([
  ["/login", at("/login")],
  ["/linked-role", LINK],
  ["/linked-role/another", ANOTHER],
  ["/link/move", LINK],
  ["/link/keep", LINK],
  ["/result/:name", LINK],
  ["/account/another", { startAgain: ANOTHER.startAgain, tryAgain: "/account/another" }],
]);
const LINK_CALLBACKS: readonly string[] = ["/discord-oauth-callback", "/dsek-oauth-callback"];

/** Finds it for the page that answers a request. It is always one of our own paths, whatever the request contains. */
export function findBeginning(
  deps: Deps,
  { request, route }: Pick<Exchange, "request" | "route">,
): Beginning {
  if (LINK_CALLBACKS.includes(route)) return beginningOf(findLegOf(deps, request));
  if (/^\/admin(\/|$)/.test(route)) return ADMIN;
  const isOfMember = /^\/(account|api)(\/|$)/.test(route);
  return BEGINNINGS.get(route) ?? (isOfMember ? ACCOUNT : ELSEWHERE);
}

function beginningOf(leg: Leg | undefined): Beginning {
  if (leg === "admin") return ADMIN;
  return leg !== undefined && isForOtherAccount(leg) ? ANOTHER : LINK;
}

/** The leg of the flow that a callback belongs to. */
function findLegOf(deps: Deps, request: Request): Leg | undefined {
  const state = parseAddress(request)?.searchParams.get("state") ?? "";
  const records = readFlowRecords(request.headers.get("cookie"), isSecure(deps), (name, value) =>
    isFlowRecord(deps, name, value),
  );
  return findLeg(deps, state, records);
}
