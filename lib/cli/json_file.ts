/**
 * A JSON object that an operator hands to a command: from a file, or with `-` from standard input. It is bounded like an
 * answer of another server. A fault says where it is, and quotes nothing of the text.
 */
import { createReadStream } from "node:fs";
import { usage } from "../errors.ts";
import { describeCause } from "../telemetry/log.ts";
import { decodeText } from "../text/decode.ts";
import { findJsonFault } from "../text/json_fault.ts";
import { isJsonObject } from "../text/json_object.ts";
import { printable } from "../text/printable.ts";
import { describeUnreadable } from "../text/unreadable_file.ts";
import { readStandardInput } from "./terminal.ts";

/** Janus reads no more of an answer either, so no set of claims is longer. */
const MAX_BYTES = 256 * 1024;
const MOST_ECHOED = 200;

/** The object by its names. Throws usage if it cannot be read, is too long, or is not a JSON object. */
export async function readJsonFile(path: string): Promise<Readonly<Record<string, unknown>>> {
  const name = path === "-" ? "standard input" : printable(path, MOST_ECHOED);
  const bytes = path === "-" ? await readStandardInput(MAX_BYTES) : await readFileFor(path, name);
  if (bytes.byteLength > MAX_BYTES) throw usage(`${name} is over ${MAX_BYTES / 1024} KB.`);
  const text = decodeText(bytes);
  if (text === undefined) throw usage(`${name} is not text in UTF-8.`);
  const value = parse(text, name);
  if (!isJsonObject(value)) throw usage(`${name} must be a JSON object, such as {"groups": ["members"]}.`);
  return value;
}

/** No more than one byte too many. */
async function readFileFor(path: string, name: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of createReadStream(path, { end: MAX_BYTES })) chunks.push(chunk);
  } catch (error) {
    throw usage(describeUnreadable(name, describeCause(error).causeCode));
  }
  return Buffer.concat(chunks);
}

function parse(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const fault = findJsonFault(text);
    if (fault === undefined) throw usage(`${name} is nested too deeply.`);
    throw usage(`${name}:${fault.line}:${fault.column}: not JSON: ${fault.reason}.`);
  }
}
