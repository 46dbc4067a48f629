/** The facts of a member's link, as the member's page and the API show them. */
import type { Session } from "../session/guard.ts";
import { readName } from "../text/shown_name.ts";

/** A member's link as they see it. */
export type LinkFacts = {
  readonly organisationName: string | null;
  readonly linkedAt: Date;
  /** What Discord last took; null before the first push. */
  readonly pushedMetadata: Readonly<Record<string, string>> | null;
  readonly pushedAt: Date | null;
  /** When Janus tells Discord next by itself; null when nothing is due. */
  readonly nextPushAt: Date | null;
  readonly pushFailures: number;
};

/** Why the role is or is not given, as far as Janus can know: Discord gives it when the member clicks Link there. */
export type RoleStatus = "not_linked" | "discord_not_told" | "discord_told";

/** The member's link, as the session's row has it; null where there is none. */
export function describeLink(session: Session): LinkFacts | null {
  if (session.linkedAt === null) return null;
  const { organisationName, linkedAt, pushedMetadata, pushedAt, pushDueAt, pushFailures } = session;
  return {
    // Cleaned again: an earlier release may have stored it.
    organisationName: readName(organisationName) ?? null,
    linkedAt,
    pushedMetadata: pushedMetadata === null ? null : onlyTexts(pushedMetadata),
    pushedAt,
    nextPushAt: pushDueAt,
    pushFailures: pushFailures ?? 0,
  };
}

/** What a link says of the role. */
export function describeRole(link: LinkFacts | null): RoleStatus {
  if (link === null) return "not_linked";
  return isDiscordBehind(link) ? "discord_not_told" : "discord_told";
}

/** Whether Discord has not accepted the latest push, or any. */
export function isDiscordBehind({ pushedMetadata, pushFailures }: LinkFacts): boolean {
  return pushedMetadata === null || pushFailures > 0;
}

function onlyTexts(
  values: Readonly<Record<string, string | readonly string[]>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
