/**
 * What the running server does for the doctor. To anybody who does not know COOKIE_SECRET these addresses do not exist.
 *
 *   GET /doctor          beginExamination   startExamination, in `login.ts`
 *   the provider's callback of that sign-in  showExamined   finishExamination, in `login.ts`
 *   GET /doctor/reach    answerReach        proves that this is the server, and says what it saw of the request
 */
import type { Deps } from "../../deps.ts";
import { notFound } from "../../errors.ts";
import type { FlowRequest } from "../../flow/step.ts";
import { parseAddress } from "../../http/address.ts";
import { createClientAddress } from "../../http/client_address.ts";
import { flowCookies, flowRecords, requireGet, showStep } from "../../http/request.ts";
import type { Exchange, Handler } from "../../http/response.ts";
import { jsonResponse, pageResponse } from "../../http/response.ts";
import { renderExamination } from "../../pages/examination.tsx";
import { CLOCK_TOLERANCE_SECONDS } from "../../time.ts";
import { examineDatabase } from "./database_checks.ts";
import { finishExamination, startExamination } from "./login.ts";
import type { Forwarded, Seen } from "./seen.ts";
import type { OpenedToken } from "./token.ts";
import { codeOfAnswer, openToken } from "./token.ts";

/** GET /doctor: to the provider, with the ticket of `janus doctor --login`. */
export const beginExamination: Handler = async (deps, exchange) => {
  requireGet(exchange);
  const ticket = parseAddress(exchange.request)?.searchParams.get("ticket") ?? "";
  return showStep(deps, exchange, await startExamination(deps, ticket, flowRecords(deps, exchange)));
};

/** Back from the provider: the page for the operator, in English as all that operators read. */
export async function showExamined(deps: Deps, exchange: Exchange, request: FlowRequest): Promise<Response> {
  const result = await finishExamination(deps, request);
  if (result.outcome === "cancelled") return showStep(deps, exchange, result);
  const options = { language: "en", setCookies: flowCookies(deps, result.flow) } as const;
  return pageResponse(deps, exchange, (context) => renderExamination(context, result), options);
}

/** GET /doctor/reach */
export const answerReach: Handler = async (deps, exchange) => {
  const reach = openOwn(deps, exchange, "reach");
  const token = reach ?? openOwn(deps, exchange, "database");
  if (token === undefined) throw notFound();
  const isEmbedded = deps.config.database.url === undefined;
  const given = { keys: deps.config, sync: deps.config.sync, now: deps.now };
  const database = reach === undefined ? await examineDatabase(deps.db, given, isEmbedded) : [];
  const seen = JSON.stringify({ ...look(deps, exchange), database } satisfies Seen);
  return jsonResponse(deps, exchange, 200, { seen, code: codeOfAnswer(token.mac, token.nonce, seen) });
};

/** The doctor's token for one purpose, within the time that clocks may differ; undefined if there is none. */
function openOwn(
  { config, now }: Deps,
  { request }: Exchange,
  purpose: "reach" | "database",
): OpenedToken | undefined {
  const token = openToken(config, purpose, parseAddress(request)?.searchParams.get(purpose) ?? "");
  if (token === undefined) return undefined;
  const apartMs = Math.abs(now().getTime() - token.issuedAt.getTime());
  return apartMs <= CLOCK_TOLERANCE_SECONDS * 1_000 ? token : undefined;
}

function look({ config }: Deps, { request, peerAddress }: Exchange): Omit<Seen, "database"> {
  const peer = peerAddress(request) ?? null;
  let forwarded: Forwarded = request.headers.has("x-forwarded-for") ? "believed" : "absent";
  const findClient = createClientAddress(config.trustedProxies, () => {
    forwarded = "refused";
  });
  const client = peer === null ? null : findClient(peer, request);
  return { forwarded, peer, client, scheme: readScheme(request.headers.get("x-forwarded-proto")) };
}

const readScheme = (header: string | null): Seen["scheme"] =>
  header === "https" || header === "http" ? header : null;
