/**
 * `janus register`: makes Discord's metadata records those of the rules, and its slash commands those of Janus. It shows what
 * would change, asks, puts the records, looks at what Discord kept, tells the database, and puts the commands. An admin
 * builds linked roles from these records.
 */
import type { Command } from "commander";
import type { RegistrationConfig } from "../../config/load.ts";
import { readDatabaseConfig, readRegistrationConfig } from "../../config/load.ts";
import type { Environment } from "../../config/sources.ts";
import { hasDatabase } from "../../database/embedded/open.ts";
import { openDatabase } from "../../database/open.ts";
import { createQueries } from "../../database/queries.ts";
import { asJanusError, registrationFailed, registrationUnconfirmed } from "../../errors.ts";
import type { CommandChange } from "../../operator/command_difference.ts";
import { commandsToPut } from "../../operator/command_difference.ts";
import { readWithRules } from "../../operator/configuration.ts";
import type { RecordChange } from "../../operator/record_difference.ts";
import { compareRecords, findLosses, hasChanges } from "../../operator/record_difference.ts";
import { recordsOf, rememberRecords } from "../../operator/setup_questions.ts";
import type { MetadataRecord } from "../../rules/records.ts";
import type { RuleSet } from "../../rules/rule_set.ts";
import { now } from "../../server/world.ts";
import { toJson } from "../../text/json_text.ts";
import { printable } from "../../text/printable.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import type { CommandPlan } from "../commands_at_discord.ts";
import {
  commandsAsJson,
  formatCommands,
  formatTaken,
  planCommands,
  putCommands,
} from "../commands_at_discord.ts";
import { print, warnOfRisk } from "../output.ts";
import { changesAsJson, formatChanges, warnOfLosses } from "../record_table.ts";
import { recordsAtDiscord } from "../records_at_discord.ts";
import { warnOfStrayBotToken } from "../stray_bot_token.ts";
import { canAsk, confirm } from "../terminal.ts";

type Options = { readonly yes?: boolean; readonly dryRun?: boolean };

/** What became of the changes. `as_is`: there were none. */
type Outcome = "as_is" | "applied" | "dry_run" | "unconfirmed";

/** Adds the command. Its exit code is 1 if it applies nothing although something is to change. */
export function addRegister(program: Command): void {
  const dryRun = program
    .createOption("--dry-run", "only show what would change, and exit with 0")
    .conflicts("yes");
  program
    .command("register")
    .description("show how the metadata records and commands at Discord differ, ask, and register them")
    .option("-y, --yes", "do not ask; without a terminal nothing is registered unless this is given")
    .addOption(dryRun)
    .addHelpText(
      "after",
      examples(
        "DISCORD_BOT_TOKEN_FILE=bot_token janus register",
        "DISCORD_BOT_TOKEN_FILE=bot_token janus register --yes      in a script or a container",
        "DISCORD_BOT_TOKEN_FILE=bot_token janus register --dry-run",
      ),
    )
    .action(async (options: Options, command: Command) => {
      const { json } = readCommon(command);
      const environment = await readEnvironmentFor(command);
      const { read: config, rules } = await readWithRules(environment, () =>
        readRegistrationConfig(environment),
      );
      await warnOfStrayBotToken(config, json);
      await register(rules, { ...options, json, environment, config });
    });
}

/** Throws registration_failed, and registration_unconfirmed where nobody has agreed to a change. */
async function register(
  rules: RuleSet,
  options: Options & {
    readonly json: boolean;
    readonly environment: Environment;
    readonly config: RegistrationConfig;
  },
): Promise<void> {
  const { json, environment, config } = options;
  const records = recordsOf(rules);
  const discord = recordsAtDiscord(config);
  const before = await discord.list();
  const changes = compareRecords(before, records);
  const plan = await planCommands(config);
  if (!json) await print(introduce(changes, plan));
  for (const warning of warnOfLosses(changes)) await warnOfRisk(warning, json);
  const toPut = commandsToPut(plan.changes);
  const outcome = await decide(hasChanges(changes) || toPut.length > 0, options);
  if (outcome === "applied" && hasChanges(changes)) await put(discord, records, json);
  const isThere = outcome === "applied" || outcome === "as_is";
  const hindrance = isThere ? await tellDatabase(environment, rules, config.applicationId) : undefined;
  const { taken, failures } = await putCommands(config, outcome === "applied" ? toPut : []);
  const result = { changes, commands: plan.changes, outcome, installUrl: installUrlOf(config) };
  if (json) await print(describeAsJson(result, isThere ? records : before));
  else await print(describe(result, records, taken));
  if (hindrance !== undefined) await warnOfSilence(hindrance, json);
  if (outcome === "unconfirmed")
    throw registrationUnconfirmed("Discord's records stay as they are. To change them: janus register --yes");
  const all = [...plan.failures, ...failures];
  if (all.length > 0) throw registrationFailed(all.join(" "));
}

async function decide(
  isToChange: boolean,
  { yes = false, dryRun = false, json }: Options & { readonly json: boolean },
): Promise<Outcome> {
  if (!isToChange) return "as_is";
  if (dryRun) return "dry_run";
  if (yes) return "applied";
  // With --json a program reads what a question would be asked on.
  return !json && canAsk() && (await confirm("Apply?")) ? "applied" : "unconfirmed";
}

/** Puts the records, and looks at what Discord kept. Throws registration_failed. */
async function put(
  discord: ReturnType<typeof recordsAtDiscord>,
  records: readonly MetadataRecord[],
  json: boolean,
): Promise<void> {
  await discord.put(records);
  let kept: readonly RecordChange[];
  try {
    kept = compareRecords(await discord.list(), records);
  } catch (error) {
    // Discord has said that it has the records. It only did not show them.
    const text = `Discord has taken the records, but did not show what it kept: ${asJanusError(error).message} See janus metadata show.`;
    return warnOfRisk(text, json);
  }
  const named = kept.filter(({ change }) => change !== "unchanged").map(({ key }) => printable(key));
  const text = `Discord has kept other records than were put (${named.join(", ")}): see janus metadata show.`;
  if (kept.some(({ change }) => change === "added") || findLosses(kept).length > 0)
    throw registrationFailed(`${text} Then run janus register again.`);
  // Roles find the records by key and type. A text that Discord writes in its own way takes no role from anybody.
  if (named.length > 0) await warnOfRisk(text, json);
}

/**
 * Tells the database of the servers, which cannot ask Discord themselves. Returns why that was not possible: the records
 * are at Discord anyway.
 */
async function tellDatabase(
  environment: Environment,
  rules: RuleSet,
  applicationId: string,
): Promise<string | undefined> {
  try {
    const { database } = readDatabaseConfig(environment);
    // Opening the embedded database would make one.
    if (database.url === undefined && !hasDatabase(database.dataDir))
      return `there is no database in ${printable(database.dataDir)} yet`;
    const db = await openDatabase(database);
    await rememberRecords({ queries: createQueries(db), rules, now }, applicationId).finally(() =>
      db.close(),
    );
    return undefined;
  } catch (error) {
    return asJanusError(error).message;
  }
}

function warnOfSilence(hindrance: string, json: boolean): Promise<void> {
  const text =
    `The records are registered, but the database of the server was not told (${hindrance}). The server will say that it ` +
    "does not know of them, until janus register is run once with its database.";
  return warnOfRisk(text, json);
}

/** The URL at which an admin adds the application to a server. Discord offers the records only to its roles. */
function installUrlOf({ authorizeUrl, applicationId }: RegistrationConfig): string {
  const url = new URL(authorizeUrl);
  url.searchParams.set("client_id", applicationId);
  url.searchParams.set("scope", "applications.commands");
  return url.href;
}

type Result = {
  readonly changes: readonly RecordChange[];
  readonly commands: readonly CommandChange[];
  readonly outcome: Outcome;
  readonly installUrl: string;
};

/** `registered` has the keys that Discord has now. */
function describeAsJson(
  { changes, commands, outcome, installUrl }: Result,
  registered: readonly { readonly key: string }[],
): string {
  return toJson({
    registered: registered.map(({ key }) => key),
    install_url: installUrl,
    applied: outcome === "applied",
    changes: changesAsJson(changes),
    commands: commandsAsJson(commands),
  });
}

function introduce(changes: readonly RecordChange[], { changes: commands, leftOut }: CommandPlan): string {
  const head = hasChanges(changes) ? "What would change at Discord:" : "Discord has the records already:";
  return [
    head,
    formatChanges(changes),
    ...(commands.length === 0 ? [] : ["Commands:", formatCommands(commands)]),
    ...(leftOut === undefined ? [] : [`There are no commands in Discord: ${leftOut}.`]),
  ].join("\n");
}

function describe(
  { outcome, installUrl }: Result,
  records: readonly MetadataRecord[],
  taken: readonly CommandChange[],
): string {
  if (outcome === "dry_run") return "\nNothing was changed: this was a dry run.";
  if (outcome === "unconfirmed") return "\nNothing was changed.";
  const registered = records.map(({ key, name }) => `registered  ${key}  (${printable(name)})`);
  return [
    "",
    ...(outcome === "applied" ? [...registered, ...formatTaken(taken)] : ["Nothing to change."]),
    "Any server that has the application can now build linked roles from these records. Add it to a server here:",
    installUrl,
    "Then in Discord: Server Settings, Roles, a role, Links.",
  ].join("\n");
}
