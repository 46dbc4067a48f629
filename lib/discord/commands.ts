/**
 * The application's slash commands at Discord, listed and put with the bot's token. Each is put by itself: the call for all
 * of them would remove commands that are not of Janus. Which commands there are, `interactions/` says.
 * https://docs.discord.com/developers/interactions/application-commands#endpoints
 */
import * as v from "valibot";
import { parseJson } from "../oauth/upstream.ts";
import type { RecordsOptions } from "./metadata_records.ts";
import { createCaller } from "./retries.ts";
import { createUpstream } from "./upstream.ts";

/** What a call is made of. */
export type CommandsOptions = RecordsOptions;

/** A text in Discord's locales. */
export type Localizations = Readonly<Record<string, string>>;

/** An option of a command, or a subcommand. Discord's shape, in the parts that Janus uses. */
export type CommandOption = {
  readonly type: number;
  readonly name: string;
  readonly description: string;
  readonly description_localizations: Localizations;
  readonly required?: boolean;
  readonly options?: readonly CommandOption[];
};

/** A slash command as it is put. */
export type SlashCommand = {
  readonly type: 1;
  readonly name: string;
  readonly description: string;
  readonly description_localizations: Localizations;
  readonly options: readonly CommandOption[];
  /** The permissions that a member needs to see it, as a number; null for everybody. */
  readonly default_member_permissions: string | null;
  /** Where it is offered: 0 in servers, 1 in direct messages with the bot. Only for commands of all servers. */
  readonly contexts?: readonly number[];
};

const stored = v.looseObject({ name: v.string(), type: v.optional(v.number(), 1) });
const list = v.array(stored);

/** A command as Discord has it. */
export type StoredCommand = Readonly<v.InferOutput<typeof stored>>;

/**
 * The commands that Discord has: those of one server, or without a server those of all. Throws grant_ended for a wrong bot
 * token, discord_refused, discord_unavailable.
 */
export async function listCommands(
  options: CommandsOptions,
  botToken: string,
  guildId: string | undefined,
): Promise<readonly StoredCommand[]> {
  const call = createCaller(createUpstream(options), options);
  const { text } = await call({
    operation: "get_commands",
    method: "GET",
    path: `${pathOf(options.clientId, guildId)}?with_localizations=true`,
    authorization: `Bot ${botToken}`,
    status: 200,
    isRight: (body) => v.is(list, body),
  });
  return v.parse(list, parseJson(text));
}

/** Adds a command, or replaces the one of the same name. Throws as `listCommands`. */
export async function putCommand(
  options: CommandsOptions,
  botToken: string,
  guildId: string | undefined,
  command: SlashCommand,
): Promise<void> {
  const call = createCaller(createUpstream(options), options);
  await call({
    operation: "put_command",
    method: "POST",
    path: pathOf(options.clientId, guildId),
    authorization: `Bot ${botToken}`,
    body: command,
    status: 200,
    createdStatus: 201,
    isRight: (body) => v.is(stored, body) && body.name === command.name,
  });
}

const pathOf = (clientId: string, guildId: string | undefined): string =>
  guildId === undefined
    ? `/applications/${clientId}/commands`
    : `/applications/${clientId}/guilds/${guildId}/commands`;
