/**
 * `janus config check`: shows the settings in force and where each is from, and warns of those that are valid but risky. It
 * asks no server. A secret is shown as `set` or `unset`. The name of a variable that is not ours is shown only if it is near
 * to one of ours, because a secret that broke into two lines looks like a name.
 */
import type { Command } from "commander";
import type { ServerVariables } from "../../config/load.ts";
import { readServerVariables, VARIABLES } from "../../config/load.ts";
import type { Environment, Source } from "../../config/sources.ts";
import { mergeSources } from "../../config/sources.ts";
import { findAmbiguous, findMistyped, findRisky } from "../../config/warnings.ts";
import { configInvalid, JanusError } from "../../errors.ts";
import { printable } from "../../text/printable.ts";
import { examples, readCommon, readSourcesFor } from "../command.ts";
import { print, warn } from "../output.ts";

/** Where a value is from. */
type Origin = "environment" | "env-file" | "default" | "unset";

/** A variable as it is in force. The value of a secret is `set` or `unset`. */
type InForce = {
  readonly name: string;
  readonly secret: boolean;
  readonly value: string | null;
  readonly from: Origin;
  /** The variable that names the file with the value. */
  readonly by?: string;
  readonly file?: string;
};

/** The settings in force, and the warnings about them. */
type Report = { readonly variables: readonly InForce[]; readonly warnings: readonly string[] };

/** Adds the command. */
export function addConfigCheck(program: Command): void {
  const config = program
    .command("config")
    .helpCommand(false)
    .description("check the configuration")
    .addHelpText("after", examples("janus config check"));
  config
    .command("check")
    .description(
      "print the settings in effect and where each comes from, and warn of risky ones; never print a secret",
    )
    .addHelpText("after", examples("janus config check", "janus config check --env-file .env --json"))
    .action(async (_: unknown, command: Command) => {
      const report = checkConfig(await readSourcesFor(command));
      if (readCommon(command).json) return print(JSON.stringify(report, undefined, 2));
      await print(formatTable(report.variables));
      for (const warning of report.warnings) await warn(`warning: ${warning}`, false);
    });
}

/** Checks the configuration of `serve`. Throws config_invalid with its message, and with what may be behind a fault. */
export function checkConfig(sources: readonly Source[]): Report {
  const misread = [...findMistyped(sources), ...findAmbiguous(sources)];
  const values = readOrExplain(mergeSources(sources), misread);
  return {
    variables: VARIABLES.map((variable) => describe(variable, values, sources)),
    warnings: [...misread, ...findRisky(values, sources)],
  };
}

/** A mistyped name often explains a missing variable, and a value that was cut often explains a malformed one. */
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

/** The source that a variable is read from: the first that has it, and only if it is not empty there. */
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

/** The value as it would be written in the environment. */
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
