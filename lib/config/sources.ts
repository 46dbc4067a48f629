/**
 * Where variables come from: the environment of the process and the files that `--env-file` names, and which of them wins.
 * No other file reads the environment. What the variables mean is in `load.ts`.
 */
import { readFileSync } from "node:fs";
import { readEnvFile } from "./env_file.ts";

/** Variables by name, as the process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that come from one place. */
export type Source = {
  /** The path of an env file; undefined for the process. */
  readonly file: string | undefined;
  readonly variables: Environment;
  /** Names of a file's variables whose values other readers of such files read differently. */
  readonly ambiguous?: readonly string[];
  /** The names that the process was started with, where the system tells. Bun adds those of its own `.env` later. */
  readonly atStart?: ReadonlySet<string> | undefined;
};

/** The process, then the files, the last file first: the first source that has a variable wins. Throws config_invalid. */
export async function readSources(envFiles: readonly string[]): Promise<readonly Source[]> {
  const files = await Promise.all(envFiles.map(async (file) => ({ file, ...(await readEnvFile(file)) })));
  return [{ file: undefined, variables: process.env, atStart: readNamesAtStart() }, ...files.reverse()];
}

/** Every variable from the first source that has it. An empty variable counts there, so that a file's can be unset. */
export function mergeSources(sources: readonly Source[]): Environment {
  return Object.assign({}, ...sources.map(({ variables }) => variables).reverse());
}

function readNamesAtStart(): ReadonlySet<string> | undefined {
  try {
    const lines = readFileSync("/proc/self/environ", "latin1").split("\0");
    return new Set(lines.map((line) => line.slice(0, Math.max(0, line.indexOf("=")))));
  } catch {
    // Only Linux has this file. Elsewhere no warning tells `.env` from the environment.
    return undefined;
  }
}
