/** The one member whom an operator means by a name on the command line. */
import { usage } from "../errors.ts";
import type { StoredLink } from "../operator/explain.ts";
import type { FoundMember } from "../operator/find_member.ts";
import { printable } from "../text/printable.ts";

const MOST_ECHOED = 120;

/**
 * The member who was asked for. Throws usage where it is not one member. It lists those who may be meant. `otherwise` says how
 * the command takes somebody without a link, if it does.
 */
export function requireOne(member: string, found: FoundMember, otherwise?: string): StoredLink {
  if ("link" in found) return found.link;
  const { candidates, hasMore } = found;
  const asked = printable(member, MOST_ECHOED);
  if (candidates.length === 0)
    throw usage(
      `No linked member has the Discord user id, the subject or the username ${asked}.\n` +
        `janus members find looks for a part of a name.${otherwise === undefined ? "" : ` ${otherwise}`}`,
    );
  const lines = candidates.map((link) => `  ${describeLink(link)}`);
  throw usage(
    [
      `${asked} may be any of these. Name one by the Discord user id:`,
      ...lines,
      ...(hasMore ? ["  and more"] : []),
    ].join("\n"),
  );
}

/** A link on one line. */
export const describeLink = ({
  discordUserId,
  username,
  subject,
  issuer,
}: Pick<StoredLink, "discordUserId" | "username" | "subject" | "issuer">): string =>
  `${discordUserId}  @${printable(username, MOST_ECHOED)}  ${printable(subject)} at ${printable(issuer)}`;
