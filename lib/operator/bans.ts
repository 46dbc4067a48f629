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

/** One list. `next` is what the next one begins after; null if no ban is left. */
export type BanList = { readonly bans: readonly Ban[]; readonly next: string | null };

/** Which bans to list: those of one account, or of one provider. A field that is undefined filters nothing. */
export type BanFilter = {
  readonly discordUserId?: string | undefined;
  readonly issuer?: string | undefined;
  readonly subject?: string | undefined;
};

/** Where a list begins: after the ban that another list named as its last one. */
export type BanPlace = { readonly bannedBefore: Date; readonly beforeId: string };

/** Before every other ban. */
const NEWEST: BanPlace = { bannedBefore: new Date("9999-01-01T00:00:00Z"), beforeId: "" };

/** The bans in force, the newest first. */
export async function listBans(
  { queries, now }: Needs,
  { discordUserId, issuer, subject }: BanFilter,
  { limit, after = NEWEST }: { readonly limit: number; readonly after?: BanPlace | undefined },
): Promise<BanList> {
  const account = {
    ofDiscordUserId: discordUserId ?? null,
    ofIssuer: issuer ?? null,
    ofSubject: subject ?? null,
  };
  const found = await queries.listBans({ ...after, ...account, limit: limit + 1, now: now() });
  const bans = found.slice(0, limit);
  const last = found.length > limit ? bans.at(-1) : undefined;
  return { bans, next: last === undefined ? null : `${last.bannedAt.getTime()}.${last.banId}` };
}

/** Reads the `next` of a list; undefined for anything else. */
export function findBanPlace(word: string): BanPlace | undefined {
  const [, milliseconds, beforeId] = /^(\d{1,15})\.([\w-]{1,64})$/.exec(word) ?? [];
  if (milliseconds === undefined || beforeId === undefined) return undefined;
  const bannedBefore = new Date(Number(milliseconds));
  return bannedBefore < NEWEST.bannedBefore ? { bannedBefore, beforeId } : undefined;
}

/** A ban in force, by its id. */
export async function findBan({ queries, now }: Needs, banId: string): Promise<Ban | undefined> {
  return queries.findBan({ banId, now: now() });
}

/** The links that have one of the accounts, which a ban would end. */
export function findLinksOf(
  { queries }: Pick<Needs, "queries">,
  { discordUserId: ofDiscordUserId, issuer: ofIssuer, subject: ofSubject }: BannedAccounts,
) {
  return queries.listLinksOfAccounts({ ofDiscordUserId, ofIssuer, ofSubject });
}
