/**
 * `janus keys generate`: new keys, ready for a dotenv file. Called by `cli.ts`. Keys that exist are never printed, and
 * what a rotation prints is no assignment: put behind a file by mistake, it replaces no ring.
 */
import type { Environment } from "../config.ts";
import { readTokenKeyIds } from "../config.ts";
import { randomToken } from "../crypto.ts";
import { warn } from "./output.ts";

const KEY_BYTES = 32;
const NUMBERED_ID = /^k(\d{1,6})$/;

/** Makes keys; `rotate` makes one for the ring that is in force. Throws config_invalid where that is none. */
export async function generateKeys(
  { json, rotate }: { readonly json: boolean; readonly rotate: boolean },
  environment: Environment,
): Promise<string> {
  return rotate ? generateNextKey(json, environment) : generateAll(json, environment);
}

async function generateAll(json: boolean, environment: Environment): Promise<string> {
  const keys = { TOKEN_KEYS: makeTokenKey("k1"), COOKIE_SECRET: randomToken(KEY_BYTES) };
  if (isSet("TOKEN_KEYS", environment)) {
    await warn(
      "TOKEN_KEYS is set already. In its place the new one makes every stored token unreadable: " +
        "to rotate, use janus keys generate --rotate.",
    );
  }
  if (json) return JSON.stringify(keys);
  return Object.entries(keys)
    .map(([name, value]) => `${name}=${value}`)
    .join("\n");
}

async function generateNextKey(json: boolean, environment: Environment): Promise<string> {
  const key = makeTokenKey(nextId(readTokenKeyIds(environment)));
  if (json) return JSON.stringify({ token_key: key });
  await warn(
    "Put it first in TOKEN_KEYS, a comma behind it, and keep what is there: old tokens need their keys.",
  );
  return key;
}

const makeTokenKey = (id: string): string => `${id}:${randomToken(KEY_BYTES)}`;

const isSet = (name: string, environment: Environment): boolean =>
  Boolean(environment[name] || environment[`${name}_FILE`]);

/** The number after the highest: an id that was in the ring once is not used again while a later one is there. */
function nextId(ids: readonly string[]): string {
  const numbers = ids.map((id) => Number(NUMBERED_ID.exec(id)?.[1] ?? 0));
  return `k${Math.max(...numbers) + 1}`;
}
