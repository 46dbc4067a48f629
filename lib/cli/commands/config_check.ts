/**
 * `janus config check`: what is in force, where it is from, and what is legal and unwise about it. Called by `cli.ts`.
 * Asks nobody. A secret is `set` or `unset` and nothing more; of what is no variable of ours, not even the name is
 * shown unless it is near to one, since a secret that broke into two lines is a name too.
 */

import type { ServerVariables } from "../../config/load.ts";
import { readServerVariables, VARIABLES } from "../../config/load.ts";
import type { Environment, Source } from "../../config/sources.ts";
import { mergeSources } from "../../config/sources.ts";
import { findAmbiguous, findMistyped, findRisky } from "../../config/warnings.ts";
import { configInvalid, JanusError } from "../../errors.ts";
import { printable } from "../../text/printable.ts";
import { print, warn } from "../output.ts";

/** Where a value is from. */
type Origin = "environment" | "env-file" | "default" | "unset";

/** A variable as it is in force; a secret's value is `set` or `unset`. */
type InForce = {
  readonly name: string;
  readonly secret: boolean;
  readonly value: string | null;
  readonly from: Origin;
  /** The variable that names the file which holds the value. */
  readonly by?: string;
  readonly file?: string;
};

/** Describes the configuration of `serve`. Throws config_invalid, with `serve`'s message and what may be behind it. */
export async function checkConfig(sources: readonly Source[], json: boolean): Promise<string | undefined> {
  const misread = [...findMistyped(sources), ...findAmbiguous(sources)];
  const values = readOrExplain(mergeSources(sources), misread);
  const variables = VARIABLES.map((variable) => describe(variable, values, sources));
  const warnings = [...misread, ...findRisky(values, sources)];
  if (json) return JSON.stringify({ variables, warnings }, undefined, 2);
  await print(formatTable(variables));
  for (const warning of warnings) await warn(`warning: ${warning}`);
  return undefined;
}

/** A misspelt name is most often why another is missing, and a value that was cut why it is malformed. */
function readOrExplain(environment: Environment, misread: readonly string[]): ServerVariables {
  try {
    return readServerVariables(environment);
  } catch (error) {
    if (!(error instanceof JanusError) || misread.length === 0) throw error;
    throw configInvalid([error.message, ...misread].join("\n  "));
  }
}

function describe(
  { name, secret }: (typeof VARIABLES)[number],
  values: ServerVariables,
  sources: readonly Source[],
): InForce {
  const origin = findOrigin(name, secret, sources);
  if (secret) return { name, secret, value: origin ? "set" : "unset", from: "unset", ...origin };
  const value = Object.entries(values).find(([known]) => known === name)?.[1];
  const shown = value === undefined ? "" : format(value);
  return { name, secret, value: shown || null, from: shown ? "default" : "unset", ...origin };
}

/** The source that the reader takes a variable from: the first that has it, and only if it is not empty there. */
function findOrigin(name: string, secret: boolean, sources: readonly Source[]) {
  for (const read of secret ? [name, `${name}_FILE`] : [name]) {
    const source = sources.find(({ variables }) => variables[read] !== undefined);
    if (source === undefined || source.variables[read] === "") continue;
    const from: Origin = source.file === undefined ? "environment" : "env-file";
    const file = source.file === undefined ? {} : { file: source.file };
    return { from, ...(read === name ? {} : { by: read }), ...file };
  }
  return undefined;
}

/** As it would be written in the environment. */
function format(value: Exclude<ServerVariables[keyof ServerVariables], undefined>): string {
  if (!Array.isArray(value)) return String(value);
  const parts: readonly unknown[] = value;
  if (!parts.every(Array.isArray)) return parts.join(" ");
  return String(new URLSearchParams(parts.map(([name, content]) => [String(name), String(content)])));
}

function formatTable(variables: readonly InForce[]): string {
  const rows = variables.map((variable) => [
    variable.name,
    printable(variable.value ?? "unset"),
    formatOrigin(variable),
  ]);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function formatOrigin({ from, by, file }: InForce): string {
  if (from === "unset") return "";
  const place = file === undefined ? from : `--env-file ${printable(file)}`;
  return by === undefined ? place : `${by} (${place})`;
}
