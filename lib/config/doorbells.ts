/** The variables that open the doorbells: how Janus knows who sends an event. Each is unset where its doorbell is closed. */
import * as v from "valibot";
import { DISCORD_ID_FORM, isDiscordId } from "../text/discord_id.ts";

/** The public key of the Discord application. */
export const discordPublicKey = v.pipe(
  v.string(),
  v.regex(/^[0-9a-fA-F]{64}$/, "must be 64 hexadecimal digits"),
  v.toLowerCase(),
);

const MAX_GUILDS = 20;

/** The servers in which Janus tells admins of other members. Each is asked of Discord when commands are registered. */
export const discordGuildIds = v.pipe(
  v.string(),
  v.transform((text) => [...new Set(text.split(",").map((part) => part.trim()))].filter((id) => id !== "")),
  v.check(
    (ids) => ids.every(isDiscordId),
    `must be Discord server ids (${DISCORD_ID_FORM}), separated by commas`,
  ),
  v.maxLength(MAX_GUILDS, `must have at most ${MAX_GUILDS} ids`),
);

const LEAST_KEY_BYTES = 32;
const MAX_KEY_BYTES = 512;
/** Standard Webhooks writes a key in base64 behind this. */
const PREFIX = "whsec_";

/** The keys of the recheck hook, the newest first. A key is the text itself, or what follows `whsec_`, in base64. */
export const hookSecrets = v.pipe(
  v.string(),
  v.transform((text) => text.split(",").map((part) => part.trim())),
  v.array(
    v.pipe(
      v.string(),
      v.regex(/^[\x21-\x7e]*$/, "must be printable ASCII without spaces"),
      v.check(
        (text) => decodeKey(text) !== undefined,
        `must be a text of ${LEAST_KEY_BYTES} to ${MAX_KEY_BYTES} characters, or whsec_ and as many bytes in base64`,
      ),
      v.transform((text) => decodeKey(text) ?? new Uint8Array()),
    ),
  ),
);

function decodeKey(text: string): Uint8Array | undefined {
  const key = text.startsWith(PREFIX)
    ? Buffer.from(text.slice(PREFIX.length), "base64")
    : Buffer.from(text, "utf8");
  if (text.startsWith(PREFIX) && !isBase64Of(text.slice(PREFIX.length), key)) return undefined;
  return key.length >= LEAST_KEY_BYTES && key.length <= MAX_KEY_BYTES ? new Uint8Array(key) : undefined;
}

/** Whether a text is the bytes in base64, with padding or without. A decoder skips what it does not know. */
const isBase64Of = (text: string, bytes: Buffer): boolean =>
  text.replace(/=+$/, "") === bytes.toString("base64").replace(/=+$/, "");
