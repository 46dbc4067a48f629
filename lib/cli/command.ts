/**
 * What the commands have in common: the options that each of them takes, the environment that these lead to, and how help
 * shows examples. How commands become a program is in `program.ts`.
 */
import type { Command } from "commander";
import type { Environment, Source } from "../config/sources.ts";
import { mergeSources, readSources } from "../config/sources.ts";

/** Adds one command to the program. Each file of `commands/` exports one such function. */
export type AddCommand = (program: Command) => void;

/** The options that every command takes. */
type CommonOptions = { readonly envFile: readonly string[]; readonly json: boolean };

/** The common options of a command. They may stand before or after its name. */
export function readCommon(command: Command): CommonOptions {
  return { envFile: [], json: false, ...command.optsWithGlobals<Partial<CommonOptions>>() };
}

/** The sources of a command's variables: the process, and the files of `--env-file`. Throws config_invalid. */
export function readSourcesFor(command: Command): Promise<readonly Source[]> {
  return readSources(readCommon(command).envFile);
}

/** The variables of a command. Throws config_invalid. */
export async function readEnvironmentFor(command: Command): Promise<Environment> {
  return mergeSources(await readSourcesFor(command));
}

/** Examples as the end of a help text. */
export const examples = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`;
