/**
 * One function a route: reads what the use case needs from the request, and turns its result into a page or a
 * redirect. Called by `index.ts`. A decision about links does not belong here.
 */
import { readFlowRecords, writeFlowChange } from "./cookies.ts";
import type { Deps } from "./deps.ts";
import { asJanusError, callbackMalformed, methodNotAllowed, originRefused } from "./errors.ts";
import type { FlowChange, FlowRecords } from "./flow.ts";
import type { Exchange, Handler } from "./http.ts";
import { jsonResponse, pageResponse, readForm, redirectResponse } from "./http.ts";
import type { Cancelled, Conflict, Departure, FlowRequest, Linked } from "./link.ts";
import { confirmMove, finishDiscordLeg, finishProviderLeg, startLink } from "./link.ts";
import { requireMigrated } from "./migrations.ts";
import { renderCancelled, renderConflict, renderHome, renderLinked } from "./pages/pages.tsx";

/** GET / */
export const showHome: Handler = (deps, exchange) => pageResponse(deps, exchange, renderHome);

/** GET /linked-role */
export const beginLink: Handler = (deps, exchange) =>
  show(deps, exchange, startLink(deps, flowRecords(deps, exchange)));

/** GET /discord-oauth-callback */
export const receiveDiscordCallback: Handler = async (deps, exchange) =>
  show(deps, exchange, await finishDiscordLeg(deps, flowRequest(deps, exchange)));

/** GET /dsek-oauth-callback */
export const receiveProviderCallback: Handler = async (deps, exchange) =>
  show(deps, exchange, await finishProviderLeg(deps, flowRequest(deps, exchange)));

/** POST /link/move */
export const moveLink: Handler = async (deps, exchange) => {
  // A browser sends Origin with every form that is posted; one that comes without it, or from elsewhere, is not ours.
  if (exchange.request.headers.get("origin") !== deps.config.publicUrl)
    throw originRefused("origin is not PUBLIC_URL");
  const states = (await readForm(exchange.request)).getAll("state");
  const [state] = states;
  if (state === undefined || states.length > 1) throw callbackMalformed("the form has no state");
  const { requestId } = exchange;
  return show(
    deps,
    exchange,
    await confirmMove(deps, state, { records: flowRecords(deps, exchange), requestId }),
  );
};

/** GET /healthz: the process is alive, whatever else is down. */
export const showHealth: Handler = (deps, exchange) => jsonResponse(deps, exchange, 200, { status: "alive" });

/** GET /readyz: the database is reachable and migrated, and the provider's discovery was loaded at least once. */
export const showReadiness: Handler = async (deps, exchange) => {
  const database = await describeDatabase(deps);
  const provider = deps.oidc.isReady() ? "ready" : "discovery_not_loaded";
  const ready = database === "ready" && provider === "ready";
  return jsonResponse(deps, exchange, ready ? 200 : 503, {
    status: ready ? "ready" : "not_ready",
    database,
    provider,
  });
};

async function describeDatabase({ db }: Deps): Promise<string> {
  try {
    await requireMigrated(db);
    return "ready";
  } catch (error) {
    return asJanusError(error).code;
  }
}

function show(deps: Deps, exchange: Exchange, result: Departure | Cancelled | Linked | Conflict): Response {
  const setCookies = flowCookies(deps, result.flow);
  switch (result.outcome) {
    case "departure":
      return redirectResponse(deps, exchange, result.location, setCookies);
    case "cancelled":
      return pageResponse(deps, exchange, (context) => renderCancelled(context, result), { setCookies });
    case "linked": {
      const page = { ...result, ...names(result), discordAppUrl: discordAppUrl(deps) };
      return pageResponse(deps, exchange, (context) => renderLinked(context, page), { setCookies });
    }
    case "conflict": {
      const { heldByOrganisation, state } = result;
      const heldByDiscord = result.heldByDiscord ?? null;
      const page = { ...names(result), heldByDiscord, heldByOrganisation, formState: state };
      return pageResponse(deps, exchange, (context) => renderConflict(context, page), {
        setCookies,
        status: 409,
      });
    }
  }
}

const names = ({ discord, organisationName }: Linked | Conflict) => ({
  discord,
  organisationName: organisationName ?? null,
});

/** Where Discord itself is, by the address of its authorize page. */
const discordAppUrl = ({ config }: Deps): string => new URL("/app", config.discord.authorizeUrl).href;

const isSecure = ({ config }: Deps): boolean => config.publicUrl.startsWith("https:");

const flowRecords = (deps: Deps, { request }: Exchange): FlowRecords =>
  readFlowRecords(request.headers.get("cookie"), isSecure(deps));

const flowCookies = (deps: Deps, flow: FlowChange): readonly string[] =>
  writeFlowChange(flow, isSecure(deps));

function flowRequest(deps: Deps, exchange: Exchange): FlowRequest {
  const { requestId, request } = exchange;
  // Elysia answers HEAD by the handler of GET; a HEAD must not spend a code that only a GET can show the result of.
  if (request.method !== "GET") throw methodNotAllowed("GET");
  const url = URL.parse(request.url);
  if (url === null) throw callbackMalformed("the Host header makes no address");
  return { query: url.searchParams, records: flowRecords(deps, exchange), requestId };
}
