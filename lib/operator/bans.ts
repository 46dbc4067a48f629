/**
 * Bans: accounts at Discord or at the provider that may not link. A ban is stored first. From then on no statement makes a
 * link of that account, and then the link that it has ends, as by an unlink. docs/decisions/0050
 */
import { randomUUID } from "node:crypto";
import type { Queries } from "../database/queries.ts";
import type { WorkDeps } from "../deps.ts";
import type { EndedLink } from "../link/banned_links.ts";
import { endBannedLinksNow } from "../link/banned_links.ts";
import type { EndDeps } from "../link/unlink.ts";

/** One account, or both of a member. */
export type BannedAccounts = {
  readonly discordUserId: string | null;
  /** Both are null for an account at Discord alone. */
  readonly issuer: string | null;
  readonly subject: string | null;
};

/** What is to be stored of a ban. */
type NewBan = BannedAccounts & {
  /** When it ends by itself; null if it does not. */
  readonly expiresAt: Date | null;
  readonly reason: string | null;
  /** Who asks for it. */
  readonly operator: string;
};

/** A ban in force. */
export type Ban = Awaited<ReturnType<Queries["listBans"]>>[number];

/** Stores a ban, in place of an earlier one of that account, and ends the links that it meets. Throws what a query throws. */
export async function addBan(deps: EndDeps, ban: NewBan): Promise<readonly EndedLink[]> {
  const requestId = randomUUID();
  await deps.queries.upsertBan({ ...ban, requestId, now: deps.now() });
  return endBannedLinksNow(deps, requestId);
}

type Needs = Pick<WorkDeps, "queries" | "now">;

/** Lifts the ban of one account. False if no ban of it is in force. */
export async function removeBan(
  { queries, now }: Needs,
  { discordUserId, issuer, subject }: BannedAccounts,
  operator: string,
): Promise<boolean> {
  const accounts = { discordUserId, issuer, subject };
  const row = await queries.deleteBan({ ...accounts, operator, requestId: randomUUID(), now: now() });
  return (row?.lifted ?? 0) > 0;
}

const PAGE_BANS = 500;

/** After which ban a page begins: its time, and its id. */
export type BanPlace = { readonly bannedBefore: Date; readonly beforeId: string };
/** Before the newest one. */
export const NEWEST_BANS: BanPlace = { bannedBefore: new Date("9999-01-01T00:00:00Z"), beforeId: "" };

/** One page of the bans in force, the newest first. */
export const listBanPage = (
  { queries, now }: Needs,
  after: BanPlace,
  limit: number,
): Promise<readonly Ban[]> => queries.listBans({ ...after, limit, now: now() });

/** A ban in force, by its id. */
export const findBan = ({ queries, now }: Needs, banId: string): Promise<Ban | undefined> =>
  queries.findBan({ banId, now: now() });

/** The bans in force, the newest first, page by page. */
export async function* listBans(needs: Needs): AsyncGenerator<readonly Ban[]> {
  for (let after = NEWEST_BANS; ; ) {
    const page = await listBanPage(needs, after, PAGE_BANS);
    if (page.length > 0) yield page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_BANS) return;
    after = { bannedBefore: last.bannedAt, beforeId: last.banId };
  }
}

/** The links that have one of the accounts, which a ban would end. */
export function findLinksOf(
  { queries }: Pick<Needs, "queries">,
  { discordUserId: ofDiscordUserId, issuer: ofIssuer, subject: ofSubject }: BannedAccounts,
) {
  return queries.listLinksOfAccounts({ ofDiscordUserId, ofIssuer, ofSubject });
}
