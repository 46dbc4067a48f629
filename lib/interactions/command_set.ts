/**
 * The slash commands as Discord offers them. `/janus status` is a command of all servers, and `/janus whois` one of each
 * server that the operator names. Discord lets a server say who sees a command, and not who sees a part of one: so they are
 * two commands of the same name, of which the second needs a permission. docs/decisions/0056
 */
import type { CommandOption, Localizations, SlashCommand } from "../discord/commands.ts";
import { DEFAULT_LANGUAGE, LANGUAGES } from "../text/languages.ts";
import type { Texts } from "./texts/en.ts";
import { COMMAND_TEXTS, DISCORD_LOCALES } from "./texts/languages.ts";

/** The names by which Janus knows its commands again. */
export const STATUS = "janus status";
/** The same for a look at others. */
export const WHOIS = "janus whois";
/** The option of the latter that means the member. */
export const MEMBER_OPTION = "member";

/**
 * Manage Server. A channel cannot give it to anybody, as it can give Manage Roles, which there means something else.
 * https://docs.discord.com/developers/topics/permissions#permissions-bitwise-permission-flags
 */
const MANAGE_GUILD = 1n << 5n;
const ADMINISTRATOR = 1n << 3n;

/** Whether somebody may look at others. */
export const maySeeOthers = (permissions: bigint): boolean =>
  (permissions & (MANAGE_GUILD | ADMINISTRATOR)) !== 0n;

/** A command, and the server that it belongs to; undefined for all. */
export type PlacedCommand = { readonly guildId: string | undefined; readonly command: SlashCommand };

const SUBCOMMAND = 1;
const USER = 6;
const IN_SERVERS = 0;
const IN_MESSAGES = 1;

/** Every command that Discord is to have. */
export const commandsFor = (guildIds: readonly string[]): readonly PlacedCommand[] => [
  { guildId: undefined, command: STATUS_COMMAND },
  ...guildIds.map((guildId) => ({ guildId, command: WHOIS_COMMAND })),
];

const describe = (
  which: keyof Texts["commands"],
): { readonly description: string; readonly description_localizations: Localizations } => ({
  description: COMMAND_TEXTS[DEFAULT_LANGUAGE].commands[which],
  description_localizations: Object.fromEntries(
    LANGUAGES.filter((language) => language !== DEFAULT_LANGUAGE).map((language) => [
      DISCORD_LOCALES[language],
      COMMAND_TEXTS[language].commands[which],
    ]),
  ),
});

const subcommand = (
  name: "status" | "whois",
  options: readonly CommandOption[] = [],
): readonly CommandOption[] => [
  { type: SUBCOMMAND, name, ...describe(name), ...(options.length === 0 ? {} : { options }) },
];

const STATUS_COMMAND: SlashCommand = {
  type: 1,
  name: "janus",
  ...describe("janus"),
  options: subcommand("status"),
  default_member_permissions: null,
  contexts: [IN_SERVERS, IN_MESSAGES],
};

const WHOIS_COMMAND: SlashCommand = {
  type: 1,
  name: "janus",
  ...describe("janusOfAdmins"),
  options: subcommand("whois", [
    { type: USER, name: MEMBER_OPTION, required: true, ...describe(MEMBER_OPTION) },
  ]),
  default_member_permissions: String(MANAGE_GUILD),
};
