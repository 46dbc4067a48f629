/**
 * Finds the linked member whom an operator means: by Discord user id, by subject, or by a username at Discord or at the
 * organisation. An id wins over a subject, and a subject over a username, since a username may be anybody's.
 */
import type { Queries } from "../database/queries.ts";
import type { StoredLink } from "./explain.ts";

/** One member, or those who may be meant: none, or several. */
export type FoundMember =
  | { readonly link: StoredLink }
  | { readonly candidates: readonly StoredLink[]; readonly hasMore: boolean };

const MOST_CANDIDATES = 20;

/** Looks for the member in all links. */
export async function findMember(
  { queries }: { readonly queries: Pick<Queries, "listLinksOfMember"> },
  member: string,
): Promise<FoundMember> {
  const rows = await queries.listLinksOfMember({ member, limit: MOST_CANDIDATES + 1 });
  const candidates = rows.filter(({ rank }) => rank === rows[0]?.rank);
  const [link, other] = candidates;
  if (link !== undefined && other === undefined) return { link };
  return {
    candidates: candidates.slice(0, MOST_CANDIDATES),
    hasMore: candidates.length > MOST_CANDIDATES,
  };
}
