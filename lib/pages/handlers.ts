/**
 * The routes of what every page leads to: what Janus is and stores, and the organisation's logo. The rest of this room is
 * described in `frame.tsx`.
 */
import { notFound } from "../errors.ts";
import { parseAddress } from "../http/address.ts";
import type { Handler } from "../http/response.ts";
import { logoResponse, pageResponse } from "../http/response.ts";
import { renderAbout } from "./about.tsx";
import { lookOf } from "./look.ts";

/** GET /about */
export const showAbout: Handler = (deps, exchange) =>
  pageResponse(deps, exchange, (context) => renderAbout(context, deps.config.retentionDays));

/** GET /assets/{name}: the logo, under the name of its present content alone. */
export const showAsset: Handler = (deps, exchange) => {
  const { logo } = lookOf(deps.config);
  if (logo === undefined || parseAddress(exchange.request)?.pathname !== logo.path) throw notFound();
  return logoResponse(deps, exchange, logo);
};
