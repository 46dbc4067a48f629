/**
 * `janus metadata show`: prints the metadata records that Discord has for the application. It needs the bot's token, and
 * changes nothing.
 */
import type { Command } from "commander";
import { readRegistrationConfig } from "../../config/load.ts";
import type { StoredRecord } from "../../discord/answers.ts";
import { toJson } from "../../text/json_text.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import { print } from "../output.ts";
import { formatRecords, recordAsJson } from "../record_table.ts";
import { recordsAtDiscord } from "../records_at_discord.ts";
import { warnOfStrayBotToken } from "../stray_bot_token.ts";

/** Adds the command. */
export function addMetadata(program: Command): void {
  const metadata = program
    .command("metadata")
    .helpCommand(false)
    .description("show the metadata records that Discord has")
    .addHelpText("after", examples("janus metadata show"));
  metadata
    .command("show")
    .description("print the metadata records that Discord has for linked roles")
    .addHelpText("after", examples("DISCORD_BOT_TOKEN_FILE=bot_token janus metadata show --json"))
    .action(async (_: unknown, command: Command) => {
      const { json } = readCommon(command);
      const config = readRegistrationConfig(await readEnvironmentFor(command));
      await warnOfStrayBotToken(config, json);
      await print(describe(await recordsAtDiscord(config).list(), json));
    });
}

function describe(records: readonly StoredRecord[], json: boolean): string {
  if (json) return toJson({ records: records.map(recordAsJson) });
  if (records.length === 0) return "Discord has no metadata records: run janus register.";
  return formatRecords(records);
}
