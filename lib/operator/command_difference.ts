/**
 * What `janus register` would change in the slash commands at Discord: those that Discord has against those that it is to
 * have. Pure. Commands that are not of Janus do not count: the application may be somebody's bot, too.
 */
import type { SlashCommand, StoredCommand } from "../discord/commands.ts";
import type { PlacedCommand } from "../interactions/command_set.ts";
import { isJsonObject } from "../text/json_object.ts";

/** What becomes of a command of all servers, or of one. */
export type CommandChange = PlacedCommand & { readonly change: "added" | "changed" | "unchanged" };

/** Compares one command with those that Discord has at its place. */
export function compareCommand(
  { guildId, command }: PlacedCommand,
  stored: readonly StoredCommand[],
): CommandChange {
  const found = stored.find(({ name, type }) => name === command.name && type === command.type);
  if (found === undefined) return { guildId, command, change: "added" };
  return { guildId, command, change: isPartOf(command, found) ? "unchanged" : "changed" };
}

/** The commands that are to be put. */
export const commandsToPut = (changes: readonly CommandChange[]): readonly CommandChange[] =>
  changes.filter(({ change }) => change !== "unchanged");

/** The name of a command and its only subcommand, as members type it. */
export const typedName = ({ name, options }: SlashCommand): string =>
  `/${[name, ...options.map((option) => option.name)].join(" ")}`;

/** Whether Discord has all that is wanted. It adds defaults of its own, and leaves out what is null. */
function isPartOf(wanted: unknown, has: unknown): boolean {
  if (wanted === null || wanted === undefined) return has === null || has === undefined;
  if (Array.isArray(wanted))
    return (
      Array.isArray(has) &&
      has.length === wanted.length &&
      wanted.every((one, index) => isPartOf(one, has[index]))
    );
  if (!isJsonObject(wanted)) return wanted === has;
  return isJsonObject(has) && Object.entries(wanted).every(([key, value]) => isPartOf(value, has[key]));
}
