/**
 * `janus keys generate`: new keys, ready for a dotenv file or a file each. Called by `cli.ts`. Keys that exist are never
 * printed, and what a rotation prints is no assignment: put behind a file by mistake, it replaces no ring.
 */
import { readTokenKeyIds } from "../../config/load.ts";
import type { Environment } from "../../config/sources.ts";
import { randomToken } from "../../crypto.ts";
import { usage } from "../../errors.ts";
import { warn } from "../output.ts";

const KEY_BYTES = 32;
const NUMBERED_ID = /^k(\d{1,6})$/;

/** What it makes, by the variable that takes it. */
export type KeyName = "TOKEN_KEYS" | "COOKIE_SECRET";

type Options = { readonly json: boolean; readonly rotate: boolean; readonly only?: KeyName };

/**
 * Makes keys: both as lines of a dotenv file, or with `only` the value of one as a file of its own holds it; `rotate`
 * makes one for the ring that is in force. Throws config_invalid where that is none, usage for a cookie secret.
 */
export async function generateKeys(
  { json, rotate, only }: Options,
  environment: Environment,
): Promise<string> {
  if (!rotate) return generateNew(json, only, environment);
  if (only !== "COOKIE_SECRET") return generateNextKey(json, environment);
  throw usage(
    "A cookie secret needs no --rotate, since it has no id to choose: put what\n" +
      "janus keys generate --only COOKIE_SECRET prints first in COOKIE_SECRET, a comma behind it.",
  );
}

async function generateNew(
  json: boolean,
  only: KeyName | undefined,
  environment: Environment,
): Promise<string> {
  const keys = [
    ["TOKEN_KEYS", makeTokenKey("k1")] as const,
    ["COOKIE_SECRET", randomToken(KEY_BYTES)] as const,
  ].filter(([name]) => only === undefined || name === only);
  if (only !== "COOKIE_SECRET" && isSet("TOKEN_KEYS", environment)) {
    await warn(
      "TOKEN_KEYS is set already. In its place the new one makes every stored token unreadable: " +
        "to rotate, use janus keys generate --rotate.",
    );
  }
  if (json) return JSON.stringify(Object.fromEntries(keys));
  return keys.map(([name, value]) => (name === only ? value : `${name}=${value}`)).join("\n");
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
