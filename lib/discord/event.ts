/**
 * What an event of Discord says: the part that Janus reads. Its signature is verified in `event_signature.ts`.
 * https://docs.discord.com/developers/events/webhook-events#webhook-event-payloads
 */
import * as v from "valibot";
import { decodeText } from "../text/decode.ts";

/** An event. `ignored`: Janus has nothing to do with it. */
export type DiscordEvent =
  | { readonly kind: "ping" }
  | { readonly kind: "deauthorized"; readonly discordUserId: string; readonly happenedAt: Date }
  | { readonly kind: "ignored"; readonly reason: string };

const PING = 0;
const snowflake = v.pipe(v.string(), v.regex(/^[0-9]{1,20}$/));

/** Discord has had no user before. The database takes no year 0. */
const FIRST = new Date("2015-01-01T00:00:00Z");

/** Discord writes UTC without saying so, to the microsecond: `2024-10-18T14:42:53.064834`. */
const time = v.pipe(
  v.string(),
  v.regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})?$/),
  v.transform((text) => new Date(/T[^Z+-]*$/.test(text) ? `${text}Z` : text)),
  v.date(),
  v.minValue(FIRST),
);

const payload = v.object({ application_id: snowflake, type: v.number(), event: v.optional(v.unknown()) });
const anyEvent = v.object({ type: v.string() });
const deauthorization = v.object({
  type: v.literal("APPLICATION_DEAUTHORIZED"),
  timestamp: time,
  data: v.object({ user: v.object({ id: snowflake }) }),
});

/** Reads the body of an event; undefined if it is malformed. */
export function readEvent(body: Uint8Array, applicationId: string): DiscordEvent | undefined {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), payload), decodeText(body));
  if (!parsed.success) return undefined;
  const { application_id, type, event } = parsed.output;
  if (application_id !== applicationId)
    return { kind: "ignored", reason: "it is of another application than DISCORD_CLIENT_ID" };
  if (type === PING) return { kind: "ping" };
  if (!v.is(anyEvent, event)) return undefined;
  if (event.type !== "APPLICATION_DEAUTHORIZED")
    return { kind: "ignored", reason: "Janus does nothing at an event of this type" };
  const read = v.safeParse(deauthorization, event);
  if (!read.success) return undefined;
  const { timestamp: happenedAt, data } = read.output;
  return { kind: "deauthorized", discordUserId: data.user.id, happenedAt };
}
