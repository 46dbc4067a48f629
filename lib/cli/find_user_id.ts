/** The Discord user id of whom an operator means, also of somebody who has no link any more. */
import type { Queries } from "../database/queries.ts";
import { findMember } from "../operator/find_member.ts";
import { isDiscordId } from "../text/discord_id.ts";
import { requireOne } from "./require_one.ts";

const BY_ID_ALONE = "Somebody without a link is found by the Discord user id alone.";

/** A Discord user id as it is, or that of the linked member of this name. Throws usage. */
export async function findUserId(
  needs: { readonly queries: Pick<Queries, "findLinkPageEnd" | "listLinksOfMember"> },
  member: string,
): Promise<string> {
  const found = await findMember(needs, member);
  const isNobody = !("link" in found) && found.candidates.length === 0;
  // Ids of Discord are longer than most names that consist of digits.
  if (isNobody && isDiscordId(member)) return member;
  return requireOne(member, found, BY_ID_ALONE).discordUserId;
}
