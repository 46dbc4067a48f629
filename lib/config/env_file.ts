/**
 * A dotenv file, which `--env-file` names: text with a NAME=value a line. Called by `config.ts` alone. No message
 * repeats what stands in the file, only its name and why it cannot be taken.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { parseEnv } from "node:util";
import { configInvalid } from "../errors.ts";

/** Far more than any configuration; a file that never ends must not be read for ever. */
const MAX_BYTES = 1_024 * 1_024;

/** What other readers of such files expand, cut at, unescape or keep: Bun's own `.env`, podman, compose, systemd. */
const AMBIGUOUS = /[\s"'`#$\\]/;

/** What a file holds. */
export type EnvFile = {
  readonly variables: Readonly<Record<string, string>>;
  /** Names of variables whose value, as it is written there, others read otherwise. */
  readonly ambiguous: readonly string[];
};

/** Reads a file, or a pipe, as the runtime's own dotenv parser does. Throws config_invalid. */
export function readEnvFile(path: string): EnvFile {
  const text = decode(path, readBounded(path));
  const variables = Object.freeze(parseText(path, text));
  return { variables, ambiguous: findAmbiguous(text).filter((name) => Object.hasOwn(variables, name)) };
}

/** By the text, since the parsed value no longer has what was cut off, or stood around it. The last line counts. */
function findAmbiguous(text: string): readonly string[] {
  const written = new Map<string, string>();
  for (const [, name = "", value = ""] of text.matchAll(/^[ \t]*(?:export[ \t]+)?([\w.]+)[ \t]*=(.*)$/gm)) {
    written.set(name, value);
  }
  return [...written].filter(([, value]) => AMBIGUOUS.test(value)).map(([name]) => name);
}

function readBounded(path: string): Uint8Array {
  try {
    const file = openSync(path, "r");
    try {
      return readUpTo(file, MAX_BYTES + 1);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const why = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    throw refused(path, `cannot be read (${why})`);
  }
}

/** Piece by piece: a pipe has no size to ask for. */
function readUpTo(file: number, most: number): Uint8Array {
  const bytes = new Uint8Array(most);
  let length = 0;
  while (length < most) {
    const read = readSync(file, bytes, length, most - length, null);
    if (read === 0) break;
    length += read;
  }
  return bytes.subarray(0, length);
}

function decode(path: string, bytes: Uint8Array): string {
  if (bytes.length > MAX_BYTES) throw refused(path, `is over ${MAX_BYTES} bytes`);
  try {
    // Takes away a byte order mark, which would else be part of the first name.
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (!text.includes("\0")) return text;
  } catch {
    // Not UTF-8: the same as a zero byte, which no variable can hold.
  }
  throw refused(path, "is not text");
}

function parseText(path: string, text: string): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(parseEnv(text))) {
    if (value !== undefined) variables[name] = value;
  }
  const empty = text.split("\n").every((line) => /^\s*(#.*)?$/.test(line));
  if (!empty && Object.keys(variables).length === 0) throw refused(path, "holds no line such as NAME=value");
  return variables;
}

const refused = (path: string, why: string) =>
  configInvalid(`The file ${JSON.stringify(path)} of --env-file ${why}: name a dotenv file, such as .env.`);
