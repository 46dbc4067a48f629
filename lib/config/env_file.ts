/**
 * A dotenv file that `--env-file` names: text with a NAME=value in each line. A message names the file and why it is
 * refused, and never repeats its content.
 */
import { parseEnv } from "node:util";
import { configInvalid } from "../errors.ts";

/** Far more than any configuration needs. A file that never ends is not read to its end. */
const MAX_BYTES = 1_024 * 1_024;

/** Other readers of such files (Bun's own `.env`, podman, compose, systemd) expand, cut, unescape or keep these characters. */
const AMBIGUOUS = /[\s"'`#$\\]/;

/** The content of a file. */
type EnvFile = {
  readonly variables: Readonly<Record<string, string>>;
  /** Names of variables whose values other readers read differently. */
  readonly ambiguous: readonly string[];
};

/** Reads a file or a pipe with the runtime's own dotenv parser. Throws config_invalid. */
export async function readEnvFile(path: string): Promise<EnvFile> {
  const text = decode(path, await readBytes(path));
  const variables = Object.freeze(parseText(path, text));
  return { variables, ambiguous: findAmbiguous(text).filter((name) => Object.hasOwn(variables, name)) };
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await Bun.file(path)
      .slice(0, MAX_BYTES + 1)
      .bytes();
  } catch (error) {
    const why = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    throw refused(path, `cannot be read (${why})`);
  }
}

function decode(path: string, bytes: Uint8Array): string {
  if (bytes.length > MAX_BYTES) throw refused(path, `is over ${MAX_BYTES} bytes`);
  try {
    // This removes a byte order mark, which would become a part of the first name.
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (!text.includes("\0")) return text;
  } catch {
    // Bytes that are not UTF-8 are refused like a zero byte, which no variable can hold.
  }
  throw refused(path, "is not text");
}

function parseText(path: string, text: string): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(parseEnv(text))) {
    if (value !== undefined) variables[name] = value;
  }
  const isEmpty = text.split("\n").every((line) => /^\s*(#.*)?$/.test(line));
  if (!isEmpty && Object.keys(variables).length === 0) throw refused(path, "has no line such as NAME=value");
  return variables;
}

/** Looks at the text, because the parsed value has lost the characters. The last line of a name counts. */
function findAmbiguous(text: string): readonly string[] {
  const written = new Map<string, string>();
  for (const [, name = "", value = ""] of text.matchAll(/^[ \t]*(?:export[ \t]+)?([\w.]+)[ \t]*=(.*)$/gm)) {
    written.set(name, value);
  }
  return [...written].filter(([, value]) => AMBIGUOUS.test(value)).map(([name]) => name);
}

const refused = (path: string, why: string) =>
  configInvalid(`The file ${JSON.stringify(path)} of --env-file ${why}: name a dotenv file, such as .env.`);
