/**
 * The route of Discord's interactions. It does not exist without DISCORD_PUBLIC_KEY. What an interaction leads to is up to
 * `receive.ts`.
 */
import { notFound } from "../errors.ts";
import type { EventHandler } from "../http/response.ts";
import { emptyResponse, jsonResponse } from "../http/response.ts";
import { receiveInteraction } from "./receive.ts";

/** A command carries who sends it, who is asked about, and the channel. */
const MAX_INTERACTION_BYTES = 65_536;

const PONG = { type: 1 };
/** A message as the answer to a command. */
const MESSAGE = 4;
/** Only the one who asks sees it, and an address in it is not shown as a preview. */
const EPHEMERAL = 64;
const SUPPRESS_EMBEDS = 4;

/** POST /discord/interactions */
export const receiveCommand: EventHandler = {
  source: "interaction",
  maxBytes: MAX_INTERACTION_BYTES,
  admit: ({ config }) => {
    if (config.discord.publicKey === undefined) throw notFound();
    return undefined;
  },
  receive: async (deps, exchange, body) => {
    const { headers } = exchange.request;
    const { publicKey } = deps.config.discord;
    if (publicKey === undefined) throw notFound();
    const answer = await receiveInteraction(deps, publicKey, {
      signature: headers.get("x-signature-ed25519"),
      timestamp: headers.get("x-signature-timestamp"),
      body,
    });
    if ("content" in answer)
      return jsonResponse(deps, exchange, 200, { type: MESSAGE, data: messageOf(answer.content) });
    if (answer.kind === "pong") return jsonResponse(deps, exchange, 200, PONG);
    return emptyResponse(deps, exchange, answer.kind === "unauthorized" ? 401 : 400);
  },
};

/** Nobody is notified of a name or a mention in it. */
const messageOf = (content: string) => ({
  content,
  flags: EPHEMERAL | SUPPRESS_EMBEDS,
  allowed_mentions: { parse: [] },
});
