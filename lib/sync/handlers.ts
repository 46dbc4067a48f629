/**
 * The doorbells: the routes at which other servers tell Janus what has changed. Each is closed without its variable.
 *
 *   POST /oidc/backchannel-logout   receiveBackChannelLogout     receiveProviderLogout, in `provider_logout.ts`
 *
 * What an event leads to is up to the use cases, and how a body is read and a source is limited to `http/`.
 */
import { requireForm } from "../http/form.ts";
import type { EventHandler } from "../http/response.ts";
import { emptyResponse, jsonResponse } from "../http/response.ts";
import { receiveProviderLogout } from "./provider_logout.ts";

/** A logout token names one subject and one session. */
const MAX_LOGOUT_BYTES = 65_536;

/** POST /oidc/backchannel-logout. Back-Channel Logout 1.0, 2.5, 2.8 */
export const receiveBackChannelLogout: EventHandler = {
  source: "logout",
  maxBytes: MAX_LOGOUT_BYTES,
  admit: (_deps, { request }) => {
    requireForm(request);
    return undefined;
  },
  receive: async (deps, exchange, body) => {
    const tokens = new URLSearchParams(body.toString("utf8")).getAll("logout_token");
    const { fault } = await receiveProviderLogout(deps, tokens.length === 1 ? tokens[0] : undefined);
    if (fault === undefined) return emptyResponse(deps, exchange, 200);
    return jsonResponse(deps, exchange, 400, { error: "invalid_request", error_description: fault });
  },
};
