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

type Needs = { readonly queries: Pick<Queries, "findLinkPageEnd" | "listLinksOfMember"> };

const MOST_CANDIDATES = 20;
const PAGE_LINKS = 1_000;
/** What an id is found by. */
const BEST_RANK = 1;

type Found = Awaited<ReturnType<Queries["listLinksOfMember"]>>[number];

/** Looks for the member in all links, a page at a time. An id is found at once. */
export async function findMember({ queries }: Needs, member: string): Promise<FoundMember> {
  let [best, after]: [readonly Found[], string] = [[], ""];
  for (;;) {
    const end = await queries.findLinkPageEnd({ after, limit: PAGE_LINKS });
    if (end === undefined) break;
    const page = { member, after, last: end.last, limit: MOST_CANDIDATES + 1 };
    best = keepBest([...best, ...(await queries.listLinksOfMember(page))]);
    if (best[0]?.rank === BEST_RANK) break;
    after = end.last;
  }
  const [link, other] = best;
  if (link !== undefined && other === undefined) return { link };
  return { candidates: best.slice(0, MOST_CANDIDATES), hasMore: best.length > MOST_CANDIDATES };
}

/** The link of a Discord user, found by its key alone: no page of links is read, and nobody else's name counts. */
export async function findLinkOf(
  { queries }: { readonly queries: Pick<Queries, "listLinksOfMember"> },
  discordUserId: string,
): Promise<StoredLink | undefined> {
  const [link] = await queries.listLinksOfMember({ member: discordUserId, after: "", last: "", limit: 1 });
  return link;
}

/** Those that were found by the best of what anybody was found by, and one more than are listed. */
function keepBest(found: readonly Found[]): readonly Found[] {
  const rank = Math.min(...found.map((link) => link.rank));
  return found.filter((link) => link.rank === rank).slice(0, MOST_CANDIDATES + 1);
}
