/**
 * What an interaction of Discord says: the part that Janus reads. Its signature is verified in `event_signature.ts`. What a
 * command leads to is up to `interactions/`.
 * https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-object
 */
import * as v from "valibot";
import { decodeText } from "../text/decode.ts";

/** An interaction: Discord asks whether Janus is there, or somebody has sent a command. */
export type Interaction = { readonly kind: "ping" } | Command;

/** A slash command. Discord itself says who has sent it, where, and what they may do there. */
export type Command = {
  readonly kind: "command";
  readonly interactionId: string;
  /** The command and its subcommands, as in `janus whois`. */
  readonly name: string;
  /** The user that the option of this name means. */
  readonly userOption: (name: string) => string | undefined;
  /** Whether a user whom an option names is a member of the server. */
  readonly isMember: (discordUserId: string) => boolean;
  /** Who has sent it. */
  readonly sender: { readonly discordUserId: string; readonly username: string };
  /** The server and what the sender may do in it; undefined in a direct message. */
  readonly guild: { readonly guildId: string; readonly permissions: bigint } | undefined;
  /** The language of the sender's Discord, such as `sv-SE`; undefined if Discord does not say. */
  readonly locale: string | undefined;
};

const PING = 1;
const APPLICATION_COMMAND = 2;
const CHAT_INPUT = 1;
const SUBCOMMANDS: readonly number[] = [1, 2];
const USER_OPTION = 6;
const MAX_NAME = 32;
const MAX_OPTIONS = 25;

const snowflake = v.pipe(v.string(), v.regex(/^[0-9]{1,20}$/));
const name = v.pipe(v.string(), v.maxLength(MAX_NAME));

const any = v.object({ application_id: snowflake, type: v.number() });
const user = v.object({ id: snowflake, username: v.pipe(v.string(), v.maxLength(100)) });
const value = v.object({ name, type: v.number(), value: v.optional(v.unknown()) });
const listOf = <Item extends v.GenericSchema>(item: Item) =>
  v.optional(v.pipe(v.array(item), v.maxLength(MAX_OPTIONS)), []);
const inGroup = v.object({ ...value.entries, options: listOf(value) });
const option = v.object({ ...value.entries, options: listOf(inGroup) });
type Option = { readonly name: string; readonly type: number; readonly options?: readonly Option[] };

/** Of those whom the options name, Discord lists the members of the server here. */
const resolved = v.object({ members: v.optional(v.record(snowflake, v.unknown()), {}) });

const command = v.object({
  id: snowflake,
  data: v.object({
    name,
    type: v.optional(v.number(), CHAT_INPUT),
    options: listOf(option),
    resolved: v.optional(resolved, {}),
  }),
  // One of the two: the first in a server, the second in a direct message.
  member: v.optional(
    v.object({
      user,
      permissions: v.pipe(
        v.string(),
        v.regex(/^[0-9]{1,30}$/),
        v.transform((digits) => BigInt(digits)),
      ),
    }),
  ),
  user: v.optional(user),
  guild_id: v.optional(snowflake),
  locale: v.optional(v.pipe(v.string(), v.maxLength(MAX_NAME))),
});

/** Reads the body of an interaction; undefined if it is malformed, or of a kind that nothing of Janus leads to. */
export function readInteraction(body: Uint8Array, applicationId: string): Interaction | undefined {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson()), decodeText(body));
  if (!parsed.success || !v.is(any, parsed.output) || parsed.output.application_id !== applicationId)
    return undefined;
  if (parsed.output.type === PING) return { kind: "ping" };
  if (parsed.output.type !== APPLICATION_COMMAND) return undefined;
  const read = v.safeParse(command, parsed.output);
  return read.success ? asCommand(read.output) : undefined;
}

function asCommand(read: v.InferOutput<typeof command>): Command | undefined {
  const { id: interactionId, data, member, guild_id: guildId, locale } = read;
  const sender = member?.user ?? read.user;
  const isInGuild = member !== undefined && guildId !== undefined;
  if (sender === undefined || data.type !== CHAT_INPUT || (member === undefined) !== (guildId === undefined))
    return undefined;
  const { names, values } = follow(data.options);
  return {
    kind: "command",
    interactionId,
    name: [data.name, ...names].join(" "),
    userOption: (wanted) => findUser(values, wanted),
    isMember: (discordUserId) => Object.hasOwn(data.resolved.members, discordUserId),
    sender: { discordUserId: sender.id, username: sender.username },
    guild: isInGuild ? { guildId, permissions: member.permissions } : undefined,
    locale,
  };
}

/** Follows subcommands down to the options that were given. */
function follow(options: readonly Option[]): {
  readonly names: readonly string[];
  readonly values: readonly Option[];
} {
  const [first] = options;
  if (first === undefined || !SUBCOMMANDS.includes(first.type)) return { names: [], values: options };
  const below = follow(first.options ?? []);
  return { names: [first.name, ...below.names], values: below.values };
}

const userOption = v.object({ name, type: v.literal(USER_OPTION), value: snowflake });

function findUser(values: readonly Option[], wanted: string): string | undefined {
  const found = values.find((one) => one.name === wanted);
  return v.is(userOption, found) ? found.value : undefined;
}
