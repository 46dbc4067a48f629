/** The file that RULES_FILE names, read once at the start as text. What it says is read by `rules/`. */
import * as v from "valibot";
import { configInvalid } from "../errors.ts";
import { decodeText } from "../text/decode.ts";
import { readSmallFile } from "./small_file.ts";

/** A rules file as it was read. */
export type RulesFile = { readonly path: string; readonly text: string };

const MAX_PATH_LENGTH = 4_096;

/** The path of a rules file that can be read. */
export const rulesFile = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(1, "must not be empty"),
  v.maxLength(MAX_PATH_LENGTH, `must have at most ${MAX_PATH_LENGTH} characters`),
  v.rawCheck(({ dataset, addIssue }) => {
    const read = dataset.typed ? readFile(dataset.value) : undefined;
    if (read !== undefined && "fault" in read) addIssue({ message: read.fault });
  }),
);

/** Reads a rules file. Throws config_invalid. */
export function readRulesFile(path: string): RulesFile {
  const read = readFile(path);
  if ("fault" in read) throw configInvalid(`RULES_FILE ${read.fault}`);
  return { path, text: read.text };
}

/** The text, or the end of a sentence that begins with the variable's name. */
function readFile(path: string): { readonly text: string } | { readonly fault: string } {
  const read = readSmallFile(path);
  if ("fault" in read) return read;
  const text = decodeText(read.bytes);
  return text === undefined ? { fault: "names a file that is not text in UTF-8" } : { text };
}
