/**
 * Reads the variables of a schema from an environment, and reports all their faults together, each with its fix. A secret
 * may stand in a file that NAME_FILE names. No message repeats a value.
 */
import { readFileSync } from "node:fs";
import * as v from "valibot";
import { configInvalid } from "../errors.ts";
import { decodeText } from "../text/decode.ts";
import { isDatabaseUrl, readDatabaseUrl, readLibpqEnvironment } from "./database_address.ts";
import type { Environment } from "./sources.ts";
import { explainStray } from "./stray_characters.ts";
import { FIXES, SECRETS } from "./variables.ts";

/** A schema of variables by their names. */
type Schema = v.GenericSchema & { readonly entries: object };

/** Parses all variables of a schema. Throws one config_invalid that names every fault. */
export function parseVariables<Own extends Schema>(
  schema: Own,
  environment: Environment,
): v.InferOutput<Own> {
  const { values, faults } = readVariables(Object.keys(schema.entries), environment);
  const isUntouched = faults.size === 0 && isNothingSet(schema, values);
  const result = v.safeParse(schema, values);
  const addressFault = findAddressFault(values.DATABASE_URL, environment);
  if (addressFault !== undefined) faults.set("DATABASE_URL", addressFault);
  for (const issue of result.issues ?? []) {
    const name = String(issue.path?.[0]?.key ?? "");
    const message = explain(values[name], issue.message);
    if (!faults.has(name)) faults.set(name, `${name} ${message}: ${fixOf(name)}`);
  }
  if (result.success && faults.size === 0) return result.output;
  const count = faults.size === 1 ? "1 fault" : `${faults.size} faults`;
  const message = [`The configuration has ${count}:`, ...faults.values()].join("\n  ");
  throw configInvalid(isUntouched ? `${message}\n${BEGINNING}` : message);
}

/** What to do first. */
const BEGINNING =
  "Nothing is set yet. Copy example.env, which comes with the source of Janus, to .env, and fill it in. Bun reads .env by " +
  "itself. The binary and a container need --env-file .env.";

/** Whether none of several variables is set that are required. */
function isNothingSet(schema: Schema, values: Readonly<Record<string, string>>): boolean {
  const required = (v.safeParse(schema, {}).issues ?? []).map(({ path }) => String(path?.[0]?.key ?? ""));
  return required.length > 1 && required.every((name) => values[name] === undefined);
}

/** The values before they are parsed, those in files included. A file that cannot be read is a fault. */
export function readVariables(names: readonly string[], environment: Environment) {
  const faults = new Map<string, string>();
  const values: Record<string, string> = {};
  for (const name of names) {
    const read = readVariable(name, environment);
    if ("fault" in read) faults.set(name, read.fault);
    else if (read.value !== undefined) values[name] = read.value;
  }
  return { values, faults };
}

/** Describes a fault in the parameters of DATABASE_URL. Undefined if they have none, or if the URL itself is invalid. */
function findAddressFault(url: string | undefined, environment: Environment): string | undefined {
  if (url === undefined || !isDatabaseUrl(url)) return undefined;
  const read = readDatabaseUrl(url, readLibpqEnvironment(environment));
  return "fault" in read ? read.fault : undefined;
}

function explain(value: string | undefined, message: string): string {
  if (value === undefined) return "is missing";
  const stray = explainStray(value);
  return stray === undefined ? message : `${message} (${stray})`;
}

type Read = { readonly value: string | undefined } | { readonly fault: string };

/** The variable, or the content of the file that NAME_FILE names. An empty variable counts as unset. */
function readVariable(name: string, environment: Environment): Read {
  const value = environment[name] || undefined;
  const isSecret = SECRETS.some((secret) => secret === name);
  const file = (isSecret && environment[`${name}_FILE`]) || undefined;
  if (file === undefined) return { value };
  if (value !== undefined) return { fault: `${name} is set twice: remove either ${name} or ${name}_FILE` };
  return readSecretFile(name, file);
}

function readSecretFile(name: string, file: string): Read {
  try {
    const content = decodeText(readFileSync(file))?.trim();
    if (content === undefined)
      return { fault: `${name}_FILE names a file that is not text in UTF-8: ${fixOf(name)}` };
    // Not "unset": a secret that was not mounted must not mean the embedded database.
    return content === ""
      ? { fault: `${name}_FILE names an empty file: ${fixOf(name)}` }
      : { value: content };
  } catch (error) {
    const why = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    return { fault: `${name}_FILE names a file that cannot be read (${why}): ${fixOf(name)}` };
  }
}

function fixOf(name: string): string {
  return Object.entries(FIXES).find(([known]) => known === name)?.[1] ?? "see example.env";
}
