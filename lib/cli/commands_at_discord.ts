/**
 * The slash commands at Discord in the hands of an operator with the bot's token: what is to be changed, and how it is put.
 * There are commands only where Discord sends them to this Janus, since any other command would go without an answer.
 */
import { addressesOf } from "../config/addresses.ts";
import type { RegistrationConfig } from "../config/load.ts";
import { findApplication } from "../discord/application.ts";
import type { CommandsOptions } from "../discord/commands.ts";
import { listCommands, putCommand } from "../discord/commands.ts";
import { createCaller } from "../discord/retries.ts";
import { createUpstream } from "../discord/upstream.ts";
import { asJanusError } from "../errors.ts";
import { commandsFor } from "../interactions/command_set.ts";
import type { CommandChange } from "../operator/command_difference.ts";
import { compareCommand, typedName } from "../operator/command_difference.ts";
import { createWorld } from "../server/world.ts";
import { NO_LOG } from "../telemetry/log.ts";
import { explainFailure } from "./records_at_discord.ts";
import { formatTable } from "./table.ts";

/** What is to be done. `leftOut` says why there are no commands where none are set up. */
export type CommandPlan = {
  readonly changes: readonly CommandChange[];
  readonly leftOut: string | undefined;
  /** What Discord did not show. */
  readonly failures: readonly string[];
};

/** Asks Discord which commands it has. Never throws. */
export async function planCommands(config: RegistrationConfig): Promise<CommandPlan> {
  const nothing = { changes: [], leftOut: undefined, failures: [] };
  if (!config.takesInteractions) return nothing;
  const options = optionsOf(config);
  const { discordInteractions } = addressesOf(config.publicUrl);
  try {
    const call = createCaller(createUpstream(options), options);
    const { interactionsUrl } = await findApplication(call, config.botToken);
    if (interactionsUrl !== discordInteractions)
      return {
        ...nothing,
        leftOut: `${interactionsUrl === undefined ? "no Interactions Endpoint URL is entered" : "another Interactions Endpoint URL is entered"} in the developer portal. For commands enter ${discordInteractions} there, and run janus register again`,
      };
  } catch (error) {
    return { ...nothing, failures: [`Discord did not show the application. ${explain(error)}`] };
  }
  return compareAll(config, options);
}

async function compareAll(config: RegistrationConfig, options: CommandsOptions): Promise<CommandPlan> {
  const changes: CommandChange[] = [];
  const failures: string[] = [];
  for (const placed of commandsFor(config.guildIds)) {
    try {
      changes.push(compareCommand(placed, await listCommands(options, config.botToken, placed.guildId)));
    } catch (error) {
      failures.push(
        `Discord did not show the commands ${placeOf(placed)}. ${explain(error, placed.guildId)}`,
      );
    }
  }
  return { changes, leftOut: undefined, failures };
}

/** What became of commands: those that Discord took, and a sentence for each that it did not take. */
export type PutCommands = { readonly taken: readonly CommandChange[]; readonly failures: readonly string[] };

/** Puts the commands. Never throws. */
export async function putCommands(
  config: RegistrationConfig,
  changes: readonly CommandChange[],
): Promise<PutCommands> {
  const options = optionsOf(config);
  const taken: CommandChange[] = [];
  const failures: string[] = [];
  for (const change of changes) {
    const { guildId, command } = change;
    try {
      await putCommand(options, config.botToken, guildId, command);
      taken.push(change);
    } catch (error) {
      failures.push(
        `Discord did not take ${typedName(command)} ${placeOf({ guildId })}. ${explain(error, guildId)}`,
      );
    }
  }
  return { taken, failures };
}

const MARKS = { added: "+", changed: "~", unchanged: " " } as const;

/** The commands as a table. */
export const formatCommands = (changes: readonly CommandChange[]): string =>
  formatTable(
    changes.map(({ guildId, command, change }) => [
      MARKS[change],
      change,
      typedName(command),
      placeOf({ guildId }),
    ]),
  );

/** One line for each command that is there now. */
export const formatTaken = (taken: readonly CommandChange[]): readonly string[] =>
  taken.map(({ guildId, command }) => `registered  ${typedName(command)}  (${placeOf({ guildId })})`);

/** The commands as JSON. */
export const commandsAsJson = (changes: readonly CommandChange[]) =>
  changes.map(({ guildId, command, change }) => ({
    name: typedName(command),
    guild_id: guildId ?? null,
    change,
  }));

function optionsOf({ applicationId, apiUrl, publicUrl }: RegistrationConfig): CommandsOptions {
  return { ...createWorld(NO_LOG, { ref: true }), clientId: applicationId, apiUrl, publicUrl };
}

const placeOf = ({ guildId }: Pick<CommandChange, "guildId">): string =>
  guildId === undefined ? "of all servers" : `of server ${guildId}`;

function explain(error: unknown, guildId?: string): string {
  const remedy =
    guildId === undefined
      ? "is DISCORD_CLIENT_ID the bot's application?"
      : "was the application added to this server, and is its id in DISCORD_GUILD_IDS right?";
  return explainFailure(asJanusError(error), remedy);
}
