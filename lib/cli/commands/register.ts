/**
 * `janus register`: puts the metadata records at Discord, and tells the database. An admin builds linked roles from these
 * records.
 */
import type { Command } from "commander";
import type { RegistrationConfig } from "../../config/load.ts";
import { readDatabaseConfig, readRegistrationConfig } from "../../config/load.ts";
import type { Environment } from "../../config/sources.ts";
import { explainStrayValue } from "../../config/stray_values.ts";
import { hasDatabase } from "../../database/embedded/open.ts";
import { openDatabase } from "../../database/open.ts";
import { createQueries } from "../../database/queries.ts";
import { putMetadataRecords } from "../../discord/metadata_records.ts";
import type { JanusError } from "../../errors.ts";
import { asJanusError, registrationFailed } from "../../errors.ts";
import { readWithRules } from "../../operator/configuration.ts";
import { recordsOf, rememberRecords } from "../../operator/setup_questions.ts";
import type { MetadataRecord } from "../../rules/records.ts";
import type { RuleSet } from "../../rules/rule_set.ts";
import { createWorld, now } from "../../server/world.ts";
import { NO_LOG } from "../../telemetry/log.ts";
import { printable } from "../../text/printable.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import { print, warnOfRisk } from "../output.ts";

/** Adds the command. */
export function addRegister(program: Command): void {
  program
    .command("register")
    .description("register the metadata records for linked roles with Discord")
    .addHelpText("after", examples("DISCORD_BOT_TOKEN_FILE=bot_token janus register"))
    .action(async (_: unknown, command: Command) => {
      const { json } = readCommon(command);
      const environment = await readEnvironmentFor(command);
      const { read: config, rules } = await readWithRules(environment, () =>
        readRegistrationConfig(environment),
      );
      const records = recordsOf(rules);
      // Discord says only that a token is wrong, not why.
      for (const text of explainStrayValue("DISCORD_BOT_TOKEN", config.botToken))
        await warnOfRisk(text, json);
      await register(config, records);
      const hindrance = await tellDatabase(environment, rules, config.applicationId);
      await print(describe(records, installUrlOf(config), json));
      if (hindrance !== undefined) await warnOfSilence(hindrance, json);
    });
}

/** Puts the records. Throws registration_failed. */
async function register(
  { applicationId, apiUrl, publicUrl, botToken }: RegistrationConfig,
  records: readonly MetadataRecord[],
): Promise<void> {
  const options = { ...createWorld(NO_LOG, { ref: true }), clientId: applicationId, apiUrl, publicUrl };
  try {
    await putMetadataRecords(options, botToken, records);
  } catch (error) {
    throw registrationFailed(explainFailure(asJanusError(error)), error);
  }
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

function explainFailure(error: JanusError): string {
  if (error.code === "grant_ended") return "Discord does not accept the bot token: check DISCORD_BOT_TOKEN.";
  if (error.code === "discord_refused") {
    return `Discord refuses the records (${error.message}): is DISCORD_CLIENT_ID the bot's application?`;
  }
  if (error.code === "discord_rate_limited") {
    return `Discord asks to wait ${error.retryAfterSeconds ?? 60} seconds: try again then.`;
  }
  return `Discord did not answer (${error.message}). Try again: registering twice does no harm.`;
}

/** The URL at which an admin adds the application to a server. Discord offers the records only to its roles. */
function installUrlOf({ authorizeUrl, applicationId }: RegistrationConfig): string {
  const url = new URL(authorizeUrl);
  url.searchParams.set("client_id", applicationId);
  url.searchParams.set("scope", "applications.commands");
  return url.href;
}

function describe(records: readonly MetadataRecord[], installUrl: string, json: boolean): string {
  if (json) {
    const registered = records.map(({ key }) => key);
    return JSON.stringify({ registered, install_url: installUrl });
  }
  return [
    ...records.map(({ key, name }) => `registered  ${key}  (${name})`),
    "Any server that has the application can now build linked roles from these records. Add it to a server here:",
    installUrl,
    "Then in Discord: Server Settings, Roles, a role, Links.",
  ].join("\n");
}
