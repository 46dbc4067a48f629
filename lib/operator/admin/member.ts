/** What administrators see of one member and of lists of members. Each look is in the trail before anything is shown. */
import type { Deps } from "../../deps.ts";
import { notLinked } from "../../errors.ts";
import type { StoredLink } from "../explain.ts";
import { findLinkOf } from "../find_member.ts";
import type { LinkList, Selection } from "../select_links.ts";
import { listLinks } from "../select_links.ts";
import type { ShownLink } from "../show_link.ts";
import { showLink } from "../show_link.ts";
import type { Admin } from "./session.ts";

type Needs = Pick<Deps, "config" | "queries" | "rules" | "now">;

/** Links on one page. */
export const LISTED_LINKS = 50;
/** Links that one page reads at most to find those: a search for somebody who does not exist must end. */
const MOST_READ = 20_000;

/** One page of links. The trail says that somebody looked at a list, and of nobody that they were on it. */
export async function listForAdmin(
  deps: Needs,
  admin: Pick<Admin, "operator">,
  selection: Selection,
  after: string | undefined,
): Promise<LinkList> {
  await noteLook(deps, admin, { at: "list" });
  return listLinks(deps, selection, { limit: LISTED_LINKS, mostRead: MOST_READ, after });
}

/** The accounts of one link, for a question about it. Throws not_linked. */
export async function nameToAdmin(
  deps: Needs,
  admin: Pick<Admin, "operator">,
  discordUserId: string,
): Promise<StoredLink> {
  const link = await requireLink(deps, discordUserId);
  await noteLook(deps, admin, { at: "link", discordUserId });
  return link;
}

/** One member's link. Throws not_linked. */
export async function showToAdmin(
  deps: Needs,
  admin: Pick<Admin, "operator">,
  discordUserId: string,
): Promise<ShownLink> {
  const link = await nameToAdmin(deps, admin, discordUserId);
  const shown = await showLink({ ...deps, platformName: deps.config.platformName }, link);
  if (shown === undefined) throw notLinked();
  return shown;
}

/** The link of a Discord account. Throws not_linked. */
export async function requireLink(deps: Pick<Needs, "queries">, discordUserId: string): Promise<StoredLink> {
  const link = await findLinkOf(deps, discordUserId);
  if (link === undefined) throw notLinked();
  return link;
}

/** What an administrator looks at, and whose it is; a list is nobody's. */
type Look = {
  readonly at: "list" | "link" | "bans" | "ban";
  readonly discordUserId?: string | null;
  readonly issuer?: string | null;
  readonly subject?: string | null;
};

/** Keeps a look in the trail. */
export async function noteLook(
  { queries, now }: Pick<Needs, "queries" | "now">,
  { operator }: Pick<Admin, "operator">,
  { at, discordUserId = null, issuer = null, subject = null }: Look,
): Promise<void> {
  await queries.insertLook({ discordUserId, issuer, subject, operator, detail: { at }, now: now() });
}
