/**
 * RSA keys for stand-ins. One takes a fifth of a second to make, and thousands of tests need one. So a machine makes a few for
 * its tests, once, and each process takes them in turn. They sign nothing but what stand-ins say.
 */
import type { KeyObject } from "node:crypto";
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** More than any test has of different keys at once. */
const KEYS = 12;
const PATH = join(tmpdir(), `janus-test-rsa-keys-${process.getuid?.() ?? "all"}.json`);

let keys: readonly string[] | undefined;
let taken = 0;

/** A pair of 2,048 bits: in tests the next one, and after the last the first comes again. */
export function takeRsaPair(): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  // The demo makes its own, and leaves no file.
  if (process.env.NODE_ENV !== "test") return generateKeyPairSync("rsa", { modulusLength: 2048 });
  keys ??= readKeys() ?? makeKeys();
  const privateKey = createPrivateKey(keys[taken % KEYS] ?? "");
  taken += 1;
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

/** Undefined if this machine has none yet. */
function readKeys(): readonly string[] | undefined {
  try {
    return JSON.parse(readFileSync(PATH, "utf8"));
  } catch {
    return undefined;
  }
}

function makeKeys(): readonly string[] {
  const made = Array.from({ length: KEYS }, () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    return privateKey.export({ format: "pem", type: "pkcs8" }).toString();
  });
  // Renamed into its place: processes that run in parallel make it at the same time.
  const unfinished = `${PATH}.${randomUUID()}`;
  writeFileSync(unfinished, JSON.stringify(made), { mode: 0o600 });
  renameSync(unfinished, PATH);
  return made;
}
