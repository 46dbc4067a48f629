/**
 * `janus keys`. Here is `generate`, which makes new keys, for a dotenv file or for a file each. It never prints a key that
 * exists. A rotation prints a key and not an assignment, so that appending it to a file by mistake replaces no ring.
 * `keys_rotate.ts` and `keys_status.ts` have the others.
 */
import type { Command } from "commander";
import { readTokenKeyIds } from "../../config/load.ts";
import type { Environment } from "../../config/sources.ts";
import { randomToken } from "../../crypto.ts";
import { usage } from "../../errors.ts";
import { toJson } from "../../text/json_text.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import { print, warn } from "../output.ts";
import { addKeysRotate } from "./keys_rotate.ts";
import { addKeysStatus } from "./keys_status.ts";

const KEY_BYTES = 32;
const NUMBERED_ID = /^k(\d{1,6})$/;

/** The variables that take keys. */
const KEY_NAMES = ["TOKEN_KEYS", "COOKIE_SECRET"] as const;
type KeyName = (typeof KEY_NAMES)[number];
type Options = { readonly rotate?: boolean; readonly only?: KeyName };

/** Adds the command. */
export function addKeys(program: Command): void {
  const keys = program
    .command("keys")
    .helpCommand(false)
    .description("generate keys, rotate them, and show which are in use")
    .addHelpText("after", examples("janus keys generate >> .env", "janus keys rotate", "janus keys status"));
  const only = program
    .createOption("--only <name>", "print only the value of one variable, for a file")
    .choices(KEY_NAMES);
  keys
    .command("generate")
    .option("--rotate", "print one new key, to put first in the current TOKEN_KEYS")
    .addOption(only)
    .description("print new TOKEN_KEYS and COOKIE_SECRET, as lines of a dotenv file")
    .addHelpText("after", EXAMPLES)
    .action(async ({ rotate = false, only }: Options, command: Command) => {
      const { json } = readCommon(command);
      const environment = await readEnvironmentFor(command);
      await print(
        rotate ? await rotateKey(json, only, environment) : await generateNew(json, only, environment),
      );
    });
  addKeysRotate(keys);
  addKeysStatus(keys);
}

const EXAMPLES = examples(
  "janus keys generate >> .env",
  "janus keys generate --only TOKEN_KEYS > token_keys       the file that TOKEN_KEYS_FILE names",
  "janus keys generate --rotate --env-file .env",
);

/** Both keys as lines of a dotenv file, or the value of one as a file of its own holds it. */
async function generateNew(
  json: boolean,
  only: KeyName | undefined,
  environment: Environment,
): Promise<string> {
  const keys = [
    ["TOKEN_KEYS", makeTokenKey("k1")] as const,
    ["COOKIE_SECRET", randomToken(KEY_BYTES)] as const,
  ].filter(([name]) => only === undefined || name === only);
  if (only !== "COOKIE_SECRET" && (environment.TOKEN_KEYS || environment.TOKEN_KEYS_FILE)) {
    await warn(
      "TOKEN_KEYS is set already. Replacing it makes every stored token unreadable: " +
        "to rotate, use janus keys generate --rotate.",
      json,
    );
  }
  if (json) return toJson(Object.fromEntries(keys));
  return keys.map(([name, value]) => (name === only ? value : `${name}=${value}`)).join("\n");
}

/** One more key for the ring in force. Throws config_invalid if there is no ring, and usage for a cookie secret. */
async function rotateKey(
  json: boolean,
  only: KeyName | undefined,
  environment: Environment,
): Promise<string> {
  if (only === "COOKIE_SECRET")
    throw usage(
      "A cookie secret has no id, so it needs no --rotate: run janus keys generate --only COOKIE_SECRET\n" +
        "and put the result first in COOKIE_SECRET, with a comma after it.",
    );
  const key = makeTokenKey(nextId(readTokenKeyIds(environment)));
  if (json) return toJson({ token_key: key });
  await warn(
    "Put it first in TOKEN_KEYS, with a comma after it. Keep the old keys: old tokens need them until janus keys rotate " +
      "has sealed them again.",
    false,
  );
  return key;
}

const makeTokenKey = (id: string): string => `${id}:${randomToken(KEY_BYTES)}`;

/** The number after the highest, so that an id is not used again while a later one is in the ring. */
function nextId(ids: readonly string[]): string {
  const numbers = ids.map((id) => Number(NUMBERED_ID.exec(id)?.[1] ?? 0));
  return `k${Math.max(...numbers) + 1}`;
}
