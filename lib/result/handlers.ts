/**
 * The page that says how a flow or a form ended. This room owns what such a page says, for how long, and when it is no longer
 * true; and the notices of the member's own page.
 *
 *   GET /result/{name}    showResult    openResult, in `record.ts`
 *
 * Everything comes from the browser's own cookie: `content.ts` lists what can be said, and `sealed.ts` keeps it from others.
 * What happened is left to the room where it happens, and the cookies to `http/results.ts` and `http/notices.ts`.
 */
import type { Deps } from "../deps.ts";
import { findLeg, openFlow } from "../flow/record.ts";
import { addressOf, discordAppUrl, flowRecords } from "../http/request.ts";
import type { Exchange, Handler } from "../http/response.ts";
import { pageResponse, redirectResponse } from "../http/response.ts";
import { findResult } from "../http/results.ts";
import { renderResult } from "../pages/result.tsx";
import type { Content, Outcome } from "./content.ts";

/** Where a browser without the result goes: that page says what is true. */
const WITHOUT_RESULT = "/account";

/** Of results that are not a success. The callback itself has answered 303. */
const STATUS: Readonly<Partial<Record<Outcome, number>>> = { conflict: 409, not_admitted: 403 };

/** GET /result/{name}. It changes nothing, whoever asks. */
export const showResult: Handler = (deps, exchange) => {
  const name = addressOf(exchange).pathname.split("/").at(-1) ?? "";
  const result = findResult(deps, exchange, name);
  if (result === undefined || !canBeAnswered(deps, exchange, result.content))
    return redirectResponse(deps, exchange, WITHOUT_RESULT, [], 303);
  const { content, requestId } = result;
  return pageResponse(
    deps,
    exchange,
    (context) => renderResult({ ...context, requestId }, content, discordAppUrl(deps), deps.rules),
    { status: STATUS[content.outcome] ?? 200 },
  );
};

/** Whether a question still has the flow that its answer belongs to. Throws flow_expired if that took too long. */
function canBeAnswered(deps: Deps, exchange: Exchange, content: Content): boolean {
  if (content.outcome !== "conflict") return true;
  const records = flowRecords(deps, exchange);
  if (findLeg(deps, content.state, records) === undefined) return false;
  openFlow(deps, ["move"], content.state, records);
  return true;
}
