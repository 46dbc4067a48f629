/**
 * What a command asks for: one's own link, or as an admin the link of another member. A look at another one is kept in the
 * trail of that member before anything is told. Which words it is told in is left to `reply.ts`.
 */
import type { WorkDeps } from "../deps.ts";
import type { Command } from "../discord/interaction.ts";
import type { StoredLink } from "../operator/explain.ts";
import { findLinkOf } from "../operator/find_member.ts";
import type { ShownLink } from "../operator/show_link.ts";
import { showLink } from "../operator/show_link.ts";
import { printable } from "../text/printable.ts";
import { secondsAfter } from "../time.ts";
import { MEMBER_OPTION, maySeeOthers, STATUS, WHOIS } from "./command_set.ts";

/** What looking works with. */
export type LookDeps = Pick<WorkDeps, "config" | "queries" | "rules" | "now" | "requestId">;

/** What a command came to. */
export type Look =
  | { readonly kind: "own"; readonly link: SeenLink | undefined }
  | { readonly kind: "other"; readonly discordUserId: string; readonly link: SeenLink | undefined }
  /** The server has no such member. */
  | { readonly kind: "no_member"; readonly discordUserId: string }
  | { readonly kind: "not_here" | "not_allowed" | "repeated" | "unknown" }
  /** The command was answered before the member was found. */
  | { readonly kind: "late" };

/** A link, in what Discord was told of it, and how it is kept true. */
export type SeenLink = Pick<ShownLink, "linkedAt" | "state" | "sync" | "records"> & {
  /** The name at the organisation that Discord has; null for none. */
  readonly platformUsername: string | null;
};

/** Longer than `event_signature.ts` takes a repeat. */
const REMEMBERED_SECONDS = 3_600;
const MOST_NAMED = 50;

/** Does what a command asks for. `isAwaited` says whether anybody still waits: a look that nobody is told of is none. */
export async function lookByCommand(
  deps: LookDeps,
  command: Command,
  isAwaited: () => boolean,
): Promise<Look> {
  if (command.name === WHOIS) return lookAtOther(deps, command, isAwaited);
  if (command.name !== STATUS) return { kind: "unknown" };
  const found = await findLinkOf(deps, command.sender.discordUserId);
  return { kind: "own", link: found && (await readLink(deps, found)) };
}

async function lookAtOther(deps: LookDeps, command: Command, isAwaited: () => boolean): Promise<Look> {
  const { guild } = command;
  if (guild === undefined || !deps.config.discord.guildIds.includes(guild.guildId))
    return { kind: "not_here" };
  if (!maySeeOthers(guild.permissions)) return { kind: "not_allowed" };
  const discordUserId = command.userOption(MEMBER_OPTION);
  if (discordUserId === undefined) return { kind: "unknown" };
  // An id can be typed. Who is in another server alone is no concern of the admins of this one.
  if (!command.isMember(discordUserId)) return { kind: "no_member", discordUserId };
  const found = await findLinkOf(deps, discordUserId);
  // Of somebody who has no link, nothing is told and nothing is kept.
  if (found === undefined) return { kind: "other", discordUserId, link: undefined };
  if (!isAwaited()) return { kind: "late" };
  if (!(await remember(deps, command, discordUserId, guild.guildId))) return { kind: "repeated" };
  return { kind: "other", discordUserId, link: await readLink(deps, found) };
}

/** Whether the look is in the trail of the member, and was not before. */
async function remember(
  { queries, now, requestId }: LookDeps,
  { interactionId, sender }: Command,
  discordUserId: string,
  guildId: string,
): Promise<boolean> {
  const at = now();
  const kept = await queries.receiveLook({
    eventId: `interaction ${interactionId}`,
    expiresAt: secondsAfter(at, REMEMBERED_SECONDS),
    discordUserId,
    operator: `${printable(sender.username, MOST_NAMED)} (Discord ${sender.discordUserId})`,
    detail: { guild_id: guildId },
    requestId,
    now: at,
  });
  return kept !== undefined;
}

/** Undefined if the link is gone since it was found. */
async function readLink(deps: LookDeps, found: StoredLink): Promise<SeenLink | undefined> {
  const { platformName } = deps.config;
  const shown = await showLink({ ...deps, platformName }, found);
  if (shown === undefined) return undefined;
  const { linkedAt, state, sync, records } = shown;
  const isEmpty = state === "cleared" || state === "disconnected";
  return { linkedAt, state, sync, records, platformUsername: isEmpty ? null : found.pushedPlatformUsername };
}
