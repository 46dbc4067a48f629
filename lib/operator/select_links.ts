/**
 * Links by what an operator asks of them, and members by a part of a name. Both read the links a page at a time, in the order
 * of their ids, so that neither memory nor the time of one statement grows with the number of links.
 */
import type { Queries } from "../database/queries.ts";
import type { LINK_STATES } from "../database/statements/link_view.ts";

/** What a link must be to be selected. What is undefined leaves every link. */
export type Selection = {
  readonly state?: (typeof LINK_STATES)[number] | undefined;
  /** A metadata record that Discord was told, with any value or with this one. */
  readonly record?: Pair | undefined;
  /** A stored claim, with any value, or with one that is this, or has it in a list or as a key. */
  readonly claim?: Pair | undefined;
  /** The claims were last read before this. */
  readonly seenBefore?: Date | undefined;
  /** The last check failed with this code. */
  readonly failedCode?: string | undefined;
  /** The last check or push failed. */
  readonly isFailing?: boolean | undefined;
  /** A part of the Discord user id, the subject or a name, in upper or lower case. */
  readonly words?: string | undefined;
};

/** A name, and the value that is asked for; undefined for any. */
export type Pair = { readonly name: string; readonly value: string | undefined };

/** A link as lists show it. */
export type ListedLink = Awaited<ReturnType<Queries["listMatchingLinks"]>>[number];

type Needs = { readonly queries: Pick<Queries, "findLinkPageEnd" | "listMatchingLinks"> };

/** Where reading begins, after the link with this id, and who hears how many links were read. */
type Reading = {
  readonly after?: string | undefined;
  readonly stop?: AbortSignal | undefined;
  readonly onRead?: ((read: number) => Promise<void>) | undefined;
};

/** How many links are listed, and how many are read for that at most; undefined for no limit. */
type Bounds = { readonly limit: number; readonly mostRead?: number };

/** One list. `next` is the id after which the next one begins; null if no link is left. */
export type LinkList = { readonly links: readonly ListedLink[]; readonly next: string | null };

/** The statement expects pages of this size. */
const PAGE_LINKS = 1_000;

/**
 * The first links that fit. Reads on only until it knows whether there are more, or until it has read `mostRead` links: then
 * `next` leads on from there, whether or not more fit.
 */
export async function listLinks(
  needs: Needs,
  selection: Selection,
  { limit, mostRead = Number.POSITIVE_INFINITY, ...reading }: Reading & Bounds,
): Promise<LinkList> {
  const found: ListedLink[] = [];
  for await (const { links, last, read } of readPages(needs, selection, reading)) {
    found.push(...links);
    if (found.length > limit) break;
    if (read >= mostRead) return { links: found, next: last };
  }
  const listed = found.slice(0, limit);
  return { links: listed, next: found.length > limit ? (listed.at(-1)?.discordUserId ?? null) : null };
}

/** Every link that fits, a page at a time; a page may have none. Ends early if it is told to stop. */
export async function* readLinks(
  needs: Needs,
  selection: Selection,
  reading: Reading,
): AsyncGenerator<readonly ListedLink[]> {
  for await (const { links } of readPages(needs, selection, reading)) yield links;
}

/** What a page leaves, the id of its last link, and how many links were read so far. */
type Page = { readonly links: readonly ListedLink[]; readonly last: string; readonly read: number };

async function* readPages(
  { queries }: Needs,
  selection: Selection,
  { after: beginning = "", stop, onRead }: Reading,
): AsyncGenerator<Page> {
  const filter = filterOf(selection);
  const findEnd = (from: string) => queries.findLinkPageEnd({ after: from, limit: PAGE_LINKS });
  let [after, read] = [beginning, 0];
  let end = await findEnd(after);
  while (end !== undefined && stop?.aborted !== true) {
    const { last } = end;
    read += end.links;
    // Where the next page ends is asked meanwhile, which halves the time of a search that finds nothing.
    const [links, nextEnd] = await Promise.all([
      queries.listMatchingLinks({ ...filter, after, last }),
      findEnd(last),
    ]);
    yield { links, last, read };
    [after, end] = [last, nextEnd];
    await onRead?.(read);
  }
}

const filterOf = ({ state, record, claim, seenBefore, failedCode, isFailing, words }: Selection) => ({
  state: state ?? null,
  recordKey: record?.name ?? null,
  recordValue: record?.value ?? null,
  claim: claim?.name ?? null,
  claimValue: claim?.value ?? null,
  seenBefore: seenBefore ?? null,
  failedCode: failedCode ?? null,
  isFailing: isFailing ?? false,
  words: words ?? null,
});
