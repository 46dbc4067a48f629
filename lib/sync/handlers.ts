/**
 * The doorbells: the routes at which other servers tell Janus what has changed. Two are closed without their variable.
 *
 *   POST /discord/events            receiveDiscord             receiveDiscordEvent, in `discord_event.ts`
 *   POST /hooks/recheck             receiveHook                receiveRecheck, in `recheck_hook.ts`
 *   POST /oidc/backchannel-logout   receiveBackChannelLogout   receiveProviderLogout, in `provider_logout.ts`
 *
 * What an event leads to is up to the use cases, and how a body is read and a source is limited to `http/`.
 */
import type { JanusError } from "../errors.ts";
import { notFound } from "../errors.ts";
import { problemResponse } from "../http/error_response.ts";
import { isForm } from "../http/form.ts";
import type { EventHandler } from "../http/response.ts";
import { emptyResponse, jsonResponse } from "../http/response.ts";
import type { EventAnswer } from "./discord_event.ts";
import { receiveDiscordEvent } from "./discord_event.ts";
import { describeEventError, oauthErrorOf } from "./event_refusals.ts";
import { receiveProviderLogout } from "./provider_logout.ts";
import { receiveRecheck } from "./recheck_hook.ts";

/** An event tells of a user, and some tell of a whole server. */
const MAX_EVENT_BYTES = 262_144;
const MAX_HOOK_BYTES = 65_536;
/** A logout token names one subject and one session. */
const MAX_LOGOUT_BYTES = 65_536;

/** Answers an error. `show` makes its body of what it says; a doorbell that is closed is no more than an unknown address. */
const refuseWith =
  (maxBytes: number, show: (words: string, error: JanusError) => object): Refuse =>
  (deps, exchange, error) => {
    const { status, retryAfterSeconds } = error;
    if (status === 404) return problemResponse(deps, exchange, error);
    const headers = retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) };
    return jsonResponse(deps, exchange, status, show(describeEventError(error, maxBytes), error), {
      headers,
    });
  };
type Refuse = NonNullable<EventHandler["refuse"]>;

const STATUS: Readonly<Record<EventAnswer, 204 | 400 | 401>> = {
  acknowledged: 204,
  malformed: 400,
  unauthorized: 401,
};

/** POST /discord/events */
export const receiveDiscord: EventHandler = {
  source: "discord",
  maxBytes: MAX_EVENT_BYTES,
  admit: ({ config }) => {
    if (config.discord.publicKey === undefined) throw notFound();
    return undefined;
  },
  refuse: refuseWith(MAX_EVENT_BYTES, (reason) => ({ reason })),
  receive: async (deps, exchange, body) => {
    const { headers } = exchange.request;
    const { publicKey } = deps.config.discord;
    if (publicKey === undefined) throw notFound();
    const answer = await receiveDiscordEvent(deps, publicKey, {
      signature: headers.get("x-signature-ed25519"),
      timestamp: headers.get("x-signature-timestamp"),
      body,
    });
    return emptyResponse(deps, exchange, STATUS[answer]);
  },
};

/** POST /hooks/recheck */
export const receiveHook: EventHandler = {
  source: "hook",
  maxBytes: MAX_HOOK_BYTES,
  admit: ({ config }) => {
    if (config.hookSecrets.length === 0) throw notFound();
    return undefined;
  },
  refuse: refuseWith(MAX_HOOK_BYTES, (reason) => ({ reason })),
  receive: async (deps, exchange, body) => {
    const { headers } = exchange.request;
    const { status, ...answer } = await receiveRecheck(deps, {
      id: headers.get("webhook-id"),
      timestamp: headers.get("webhook-timestamp"),
      signature: headers.get("webhook-signature"),
      body,
    });
    return jsonResponse(deps, exchange, status, answer);
  },
};

/** POST /oidc/backchannel-logout. Back-Channel Logout 1.0, 2.5, 2.8 */
export const receiveBackChannelLogout: EventHandler = {
  source: "logout",
  maxBytes: MAX_LOGOUT_BYTES,
  // What is wrong with a request is told in the protocol's own form, and counted.
  admit: () => undefined,
  refuse: refuseWith(MAX_LOGOUT_BYTES, (words, error) => ({
    error: oauthErrorOf(error),
    error_description: words,
  })),
  receive: async (deps, exchange, body) => {
    const form = new URLSearchParams(isForm(exchange.request) ? body.toString("utf8") : "");
    const tokens = form.getAll("logout_token");
    const { fault } = await receiveProviderLogout(deps, tokens.length === 1 ? tokens[0] : undefined);
    if (fault === undefined) return emptyResponse(deps, exchange, 200);
    return jsonResponse(deps, exchange, 400, { error: "invalid_request", error_description: fault });
  },
};
