/**
 * The application at Discord as its bot sees it: which application the bot belongs to, and the addresses that are entered in
 * the developer portal. https://discord.com/developers/docs/resources/application#get-current-application
 */
import * as v from "valibot";
import { parseJson } from "../oauth/upstream.ts";
import type { Caller } from "./retries.ts";

/** The part of an application that Janus compares with its configuration. */
export type Application = {
  readonly applicationId: string;
  /** Undefined if none is entered. */
  readonly verificationUrl: string | undefined;
  /** Undefined if Discord does not say. */
  readonly redirectUris: readonly string[] | undefined;
  /** What events are signed with, as 64 hexadecimal digits; undefined if Discord does not say. */
  readonly publicKey: string | undefined;
  /** Where events are sent; undefined if no address is entered. */
  readonly eventsUrl: string | undefined;
  /** Where commands are sent; undefined if no address is entered. */
  readonly interactionsUrl: string | undefined;
};

const MAX_REDIRECTS = 100;
const shape = v.object({
  id: v.pipe(v.string(), v.regex(/^\d{1,20}$/)),
  role_connections_verification_url: v.nullish(v.string()),
  verify_key: v.nullish(v.string()),
  event_webhooks_url: v.nullish(v.string()),
  interactions_endpoint_url: v.nullish(v.string()),
  redirect_uris: v.nullish(v.pipe(v.array(v.string()), v.maxLength(MAX_REDIRECTS))),
});

/** Finds the bot's application. Throws grant_ended for a wrong bot token, discord_refused, discord_unavailable. */
export async function findApplication(call: Caller, botToken: string): Promise<Application> {
  const { text } = await call({
    operation: "get_application",
    method: "GET",
    path: "/applications/@me",
    authorization: `Bot ${botToken}`,
    status: 200,
    isRight: (body) => v.is(shape, body),
  });
  const found = v.parse(shape, parseJson(text));
  return {
    applicationId: found.id,
    verificationUrl: found.role_connections_verification_url || undefined,
    redirectUris: found.redirect_uris ?? undefined,
    publicKey: found.verify_key || undefined,
    eventsUrl: found.event_webhooks_url || undefined,
    interactionsUrl: found.interactions_endpoint_url || undefined,
  };
}
