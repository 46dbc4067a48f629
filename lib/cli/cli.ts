/**
 * The command line: the table of commands. Called by `index.ts` and `sql/migrate.ts`. Each command is a file of this
 * folder; what it prints and the exit code it ends with are in `output.ts`.
 */
import { parseArgs } from "node:util";
import { version } from "../../package.json" with { type: "json" };
import { usage } from "../errors.ts";
import type { CreateApp } from "../listener.ts";
import { migrate } from "./migrate.ts";
import { exitWithStatus } from "./output.ts";
import { register } from "./register.ts";
import { serve } from "./serve.ts";

const HELP = `Janus ${version}: Discord linked roles from an OpenID Provider

Usage: janus [command] [options]

  serve                 answer requests (the default)
  migrate [up|status]   bring the database up to date, or say what is pending
  register              put the metadata records that linked roles are built on at Discord

  -r, --register        the same as register
  -s, --setup           the same as migrate up; never removes anything
      --json            print the result of migrate and register as JSON
  -h, --help            print this
  -v, --version         print the version

Examples:
  janus                       serve, with the configuration from the environment
  janus migrate status        what would "janus migrate" do?
  DISCORD_BOT_TOKEN=… janus register

The configuration is in environment variables: see example.env and the README.`;

const OPTIONS = {
  register: { type: "boolean", short: "r" },
  setup: { type: "boolean", short: "s" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
} as const;

/** Runs `janus <args>`, and sets the exit code. */
export async function runCommand(args: readonly string[], createApp: CreateApp): Promise<void> {
  await exitWithStatus(async () => {
    const { values, positionals } = parse(args);
    if (values.help) return HELP;
    if (values.version) return version;
    const asked = [
      ...positionals,
      ...(values.register ? ["register"] : []),
      ...(values.setup ? ["migrate"] : []),
    ];
    const [command = "serve", ...rest] = asked;
    return run(command, rest, values.json === true, createApp);
  });
}

async function run(
  command: string,
  rest: readonly string[],
  json: boolean,
  createApp: CreateApp,
): Promise<string | undefined> {
  if (command === "migrate") return migrate(rest, json);
  if (command === "register" && rest.length === 0) return register(json);
  if (command === "serve" && rest.length === 0) return serve(createApp);
  throw usage(`No such command: ${[command, ...rest].join(" ")}\nSee janus --help.`);
}

/** Runs `janus migrate <args>`, and sets the exit code. */
export async function runMigrate(args: readonly string[]): Promise<void> {
  await exitWithStatus(async () => {
    const { values, positionals } = parse(args);
    if (values.help) return HELP;
    if (values.version) return version;
    if (values.register || values.setup)
      throw usage("This is migrate: it takes up or status.\nSee janus --help.");
    return migrate(positionals, values.json === true);
  });
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    const why = error instanceof Error ? error.message : "unreadable options";
    throw usage(`${why}\nSee janus --help.`, error);
  }
}
