/**
 * The command line: the table of commands. Called by `index.ts` and `sql/migrate.ts`. Each command is a file of this
 * folder, loaded when it is asked for; what it returns is printed by `output.ts`, which sets the exit code.
 */
import { mergeSources, readSources } from "../config/sources.ts";
import { usage } from "../errors.ts";
import type { CreateApp } from "../server/listener.ts";
import type { CommonOptions } from "./arguments.ts";
import { serve } from "./commands/serve.ts";
import { exitWithStatus } from "./output.ts";

type Serve = (options: CommonOptions) => Promise<string | undefined>;

/** Runs `janus <args>`, and sets the exit code. */
export async function runCommand(args: readonly string[], createApp: CreateApp): Promise<void> {
  await exitWithStatus(async () => {
    // The most common start, and the one whose time is measured: nothing to parse, nothing to load for it.
    if (args.length === 0 || (args.length === 1 && args[0] === "serve"))
      return serve(createApp, await readSources([]));
    return run(args, async ({ json, ...options }) => {
      if (json) throw usage("The server has no result to print: for a log in JSON set LOG_FORMAT=json.");
      return serve(createApp, await readSources(options.envFile));
    });
  });
}

/** Runs `janus migrate <args>`, and sets the exit code. */
export async function runMigrate(args: readonly string[]): Promise<void> {
  await exitWithStatus(() =>
    run(["migrate", ...args], () => {
      throw usage("This is migrate: it takes up or status.\nSee janus --help.");
    }),
  );
}

async function run(args: readonly string[], serveApp: Serve): Promise<string | undefined> {
  const { runArguments } = await import("./arguments.ts");
  return runArguments(args, {
    serve: serveApp,
    migrate: async (verb, options) => {
      const { migrate } = await import("./commands/migrate.ts");
      return migrate(verb, options.json, await environmentOf(options));
    },
    register: async (options) => {
      const { register } = await import("./commands/register.ts");
      return register(options.json, await environmentOf(options));
    },
    healthcheck: async (options) => {
      const { checkHealth } = await import("./commands/healthcheck.ts");
      return checkHealth(options, await environmentOf(options));
    },
    audit: async (options) => {
      const { audit } = await import("./commands/audit.ts");
      return audit(options, await environmentOf(options));
    },
    checkConfig: async ({ json, envFile }) => {
      const { checkConfig } = await import("./commands/config_check.ts");
      return checkConfig(await readSources(envFile), json);
    },
    generateKeys: async (options) => {
      const { generateKeys } = await import("./commands/keys.ts");
      return generateKeys(options, await environmentOf(options));
    },
  });
}

const environmentOf = async ({ envFile }: Pick<CommonOptions, "envFile">) =>
  mergeSources(await readSources(envFile));
