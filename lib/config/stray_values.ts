/**
 * Warns of values that Janus takes as they are, but that were probably meant differently: in quotes, with spaces around
 * them, or with characters that cannot be seen. No warning holds a value.
 */
import { readRawValues } from "./load.ts";
import type { Environment } from "./sources.ts";
import { hasInvisible, hasSpaceAtAnEnd, isQuoted } from "./stray_characters.ts";

/** An operator copies these from another server, which compares them byte by byte. */
const CREDENTIALS = [
  "DISCORD_CLIENT_SECRET",
  "OIDC_CLIENT_ID",
  "OIDC_CLIENT_SECRET",
  "DATABASE_PASSWORD",
  "DISCORD_BOT_TOKEN",
];
/** Printable ASCII by RFC 6749, appendix A.1 and A.2. */
const OF_CLIENTS = ["DISCORD_CLIENT_SECRET", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"];

/** Warns of each fault in the values of the server and in the bot token. */
export function findStray(environment: Environment): readonly string[] {
  const { DISCORD_BOT_TOKEN = "" } = environment;
  const values = { ...readRawValues(environment), DISCORD_BOT_TOKEN };
  return Object.entries(values).flatMap(([name, value]) => explainStrayValue(name, value));
}

/** Warns of each fault in one value. */
export function explainStrayValue(name: string, value: string): readonly string[] {
  const found: string[] = [];
  if (isQuoted(value))
    found.push(
      `${name} is wrapped in quotes, and they are part of the value: podman and docker keep the quotes of an env file. ` +
        "Write it without them.",
    );
  if (!CREDENTIALS.includes(name)) return found;
  if (hasSpaceAtAnEnd(value)) found.push(explainSpace(name));
  if (hasInvisible(value))
    found.push(
      `${name} contains characters that cannot be seen, such as a line end or a zero-width space: copy it again.`,
    );
  else if (OF_CLIENTS.includes(name) && /[^\x20-\x7e]/.test(value.trim()) && !isQuoted(value))
    found.push(`${name} contains characters outside ASCII, which no client id or secret has: copy it again.`);
  return found;
}

const explainSpace = (name: string): string =>
  name === "OIDC_CLIENT_ID"
    ? `${name} begins or ends with a space, which Janus leaves out.`
    : `${name} begins or ends with a space, which is part of the value: remove it, unless it belongs there.`;
