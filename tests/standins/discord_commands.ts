/**
 * The slash commands of the application, as Discord keeps them: those of all servers, and those of each server that has
 * the application. It refuses what Discord refuses.
 * https://docs.discord.com/developers/interactions/application-commands#application-command-object
 */

/** A command as it was put. */
export type KeptCommand = Readonly<Record<string, unknown>> & {
  readonly name: string;
  readonly type: number;
};

/** Where commands are kept: by server, and under `all` those of all servers. */
export type KeptCommands = Map<string, readonly KeptCommand[]>;

/** Answers a call for the commands of one place. */
export function answerCommands(
  commands: KeptCommands,
  { method, path, body }: { readonly method: string; readonly path: string; readonly body: string },
): Response {
  const guildId = /\/guilds\/([0-9]+)\//.exec(path)?.[1];
  const place = guildId ?? "all";
  const kept = commands.get(place);
  if (kept === undefined) return Response.json({ message: "Missing Access", code: 50001 }, { status: 403 });
  if (method === "GET") {
    const isLocalized = path.endsWith("?with_localizations=true");
    return Response.json(kept.map((command) => (isLocalized ? command : withoutLocalizations(command))));
  }
  const command: unknown = JSON.parse(body);
  if (!isCommand(command, guildId))
    return Response.json({ message: "Invalid Form Body", code: 50035, errors: {} }, { status: 400 });
  const stored = asDiscordKeeps(command, guildId);
  const others = kept.filter(({ name, type }) => name !== command.name || type !== command.type);
  commands.set(place, [...others, stored]);
  return Response.json(stored, { status: others.length === kept.length ? 201 : 200 });
}

const NAME = /^[-_'\p{Ll}\p{Lo}\p{N}]{1,32}$/u;
const LOCALES: readonly string[] = ["sv-SE", "de"];
const MAX_OPTIONS = 25;

function isCommand(value: unknown, guildId: string | undefined): value is KeptCommand {
  if (!isObject(value) || value.type !== 1 || !isNamed(value) || !hasOptions(value)) return false;
  const { default_member_permissions: permissions, contexts } = value;
  const isPermission = permissions === null || /^[0-9]+$/.test(String(permissions));
  // Only commands of all servers may say where they are offered.
  return isPermission && (contexts === undefined || (guildId === undefined && Array.isArray(contexts)));
}

function hasOptions({ options = [] }: Readonly<Record<string, unknown>>): boolean {
  return (
    Array.isArray(options) &&
    options.length <= MAX_OPTIONS &&
    options.every((one) => isObject(one) && Number.isInteger(one.type) && isNamed(one) && hasOptions(one))
  );
}

function isNamed(value: Readonly<Record<string, unknown>>): boolean {
  const { name, description, description_localizations: localizations } = value;
  return (
    typeof name === "string" &&
    NAME.test(name) &&
    isDescription(description) &&
    (localizations === undefined ||
      (isObject(localizations) &&
        Object.entries(localizations).every(
          ([locale, one]) => LOCALES.includes(locale) && isDescription(one),
        )))
  );
}

const isDescription = (text: unknown): boolean =>
  typeof text === "string" && text.length >= 1 && [...text].length <= 100;

/** With what Discord adds by itself. */
function asDiscordKeeps(command: KeptCommand, guildId: string | undefined): KeptCommand {
  return {
    ...command,
    id: String(Bun.hash(command.name + (guildId ?? ""))),
    application_id: "1",
    version: "1",
    nsfw: false,
    dm_permission: true,
    integration_types: [0],
    ...(guildId === undefined ? {} : { guild_id: guildId, contexts: null }),
    name_localizations: null,
  };
}

const withoutLocalizations = ({ description_localizations: _, ...command }: KeptCommand): KeptCommand => ({
  ...command,
  name: command.name,
  type: command.type,
});

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
