/**
 * The command line: what each command prints, and the exit code. Called by `index.ts` and `sql/migrate.ts`. Faults
 * of use and of configuration end with 2, a command that failed with 1.
 */
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { version } from "../package.json" with { type: "json" };
import { readConfig, readDatabaseConfig, readRegistrationConfig } from "./config.ts";
import { openDatabase } from "./db.ts";
import type { World } from "./deps.ts";
import { putMetadataRecords } from "./discord/discord.ts";
import { asJanusError, JanusError, registrationFailed, usage } from "./errors.ts";
import type { LogLevel } from "./log.ts";
import { createLineWriter, createLog } from "./log.ts";
import { METADATA_RECORDS } from "./metadata.ts";
import type { Migration, MigrationStatus } from "./migrations.ts";
import { migrateUp, readMigrationStatus } from "./migrations.ts";
import type { CreateApp } from "./server.ts";
import { startServer } from "./server.ts";

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

const now = (): Date => new Date();

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
    throw usage(`${why}\nSee janus --help.`);
  }
}

/** Prints what a command returns, or the error it ended with: ours whole, any other by name, for it may quote input. */
async function exitWithStatus(command: () => Promise<string | undefined>): Promise<void> {
  try {
    const text = await command();
    if (text !== undefined) process.stdout.write(`${text}\n`);
  } catch (error) {
    const { message, exitStatus, cause } = asJanusError(error);
    const name = error instanceof JanusError ? "" : ` (${cause instanceof Error ? cause.name : "unknown"})`;
    process.stderr.write(`janus: ${message}${name}\n`);
    process.exitCode = exitStatus;
  }
}

/** `ref: false` waits without keeping alive a process that has nothing else to do: a server that was stopped. */
function createWorld(level: LogLevel, { ref }: { readonly ref: boolean }): World {
  const log = createLog(level, createLineWriter(), now);
  const sleep = (ms: number): Promise<void> => setTimeout(ms, undefined, { ref });
  return { fetch: (url, init) => fetch(url, init), now, sleep, log, version };
}

async function serve(createApp: CreateApp): Promise<undefined> {
  const config = readConfig();
  const starting = startServer(config, createApp, createWorld(config.logLevel, { ref: false }));
  // From now on: a signal that comes while the server starts stops it as well.
  const stop = async (): Promise<void> => {
    process.off("SIGTERM", stop).off("SIGINT", stop);
    await exitWithStatus(async () => void (await (await starting).stop()));
    // What could still keep the process is a socket to a database that has fallen silent: there is nothing to wait for.
    process.exit();
  };
  process.on("SIGTERM", stop).on("SIGINT", stop);
  await starting;
}

async function migrate([verb = "up", ...rest]: readonly string[], json: boolean): Promise<string> {
  if ((verb !== "up" && verb !== "status") || rest.length > 0) {
    const given = [verb, ...rest].join(" ");
    throw usage(`No such migration command: ${given}\nUse janus migrate up or janus migrate status.`);
  }
  const db = await openDatabase(readDatabaseConfig().database);
  try {
    return verb === "up"
      ? describeApplied(await migrateUp(db, now), json)
      : describeStatus(await readMigrationStatus(db), json);
  } finally {
    await db.close();
  }
}

const label = ({ version, name }: { readonly version: number; readonly name: string }): string =>
  `${String(version).padStart(4, "0")}_${name}`;

function describeApplied(applied: readonly Migration[], json: boolean): string {
  if (json) return JSON.stringify({ applied: applied.map(label) });
  const end =
    applied.length === 0 ? "Nothing to do: the database is up to date." : "The database is up to date.";
  return [...applied.map((migration) => `applied  ${label(migration)}`), end].join("\n");
}

function describeStatus({ applied, pending }: MigrationStatus, json: boolean): string {
  if (json) return JSON.stringify({ applied: applied.map(label), pending: pending.map(label) });
  return [
    ...applied.map((migration) => `applied  ${label(migration)}  ${migration.appliedAt.toISOString()}`),
    ...pending.map((migration) => `pending  ${label(migration)}`),
    pending.length === 0 ? "The database is up to date." : `${pending.length} pending: run "janus migrate".`,
  ].join("\n");
}

async function register(json: boolean): Promise<string> {
  const { applicationId, apiUrl, publicUrl, botToken } = readRegistrationConfig();
  const options = { ...createWorld("warn", { ref: true }), clientId: applicationId, apiUrl, publicUrl };
  try {
    await putMetadataRecords(options, botToken, METADATA_RECORDS);
  } catch (error) {
    throw registrationFailed(explainRegistration(asJanusError(error)), error);
  }
  if (json) return JSON.stringify({ registered: METADATA_RECORDS.map(({ key }) => key) });
  return [
    ...METADATA_RECORDS.map(({ key, name }) => `registered  ${key}  (${name})`),
    "Linked roles can be built on it now. In Discord: Server Settings, Roles, a role, Links.",
  ].join("\n");
}

function explainRegistration(error: JanusError): string {
  if (error.code === "grant_ended") return "Discord does not accept the bot token: check DISCORD_BOT_TOKEN.";
  if (error.code === "discord_refused") {
    return `Discord refuses the records (${error.message}): is DISCORD_CLIENT_ID the bot's application?`;
  }
  if (error.code === "discord_rate_limited") {
    return `Discord asks to wait ${error.retryAfterSeconds ?? 60} seconds: try again then.`;
  }
  return `Discord did not answer (${error.message}). Try again: registering twice does no harm.`;
}
