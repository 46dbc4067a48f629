/** Bans as a table and as JSON. Whom a ban names is in `commands/bans_account.ts`. */
import type { Ban, BanList } from "../operator/bans.ts";
import { printable } from "../text/printable.ts";
import { describeAccounts, viewAccounts } from "./commands/bans_account.ts";
import { formatTable } from "./table.ts";
import { shortTime } from "./times.ts";

const MOST_OF_REASON = 500;
const HEAD = ["account", "since", "until", "operator", "reason"];

/** A list as a table, and the command for the next page. `none` is the sentence for an empty list. */
export function describeBans({ bans, next }: BanList, none: string): string {
  if (bans.length === 0) return none;
  const counted = bans.length === 1 ? "1 ban" : `${bans.length} bans`;
  const more =
    next === null
      ? `${counted}.`
      : `${counted}, and there are more. Go on with: the same command, and --after ${next}`;
  return [formatTable([HEAD, ...bans.map(rowOf)]), more].join("\n\n");
}

const rowOf = (ban: Ban): readonly string[] => [
  describeAccounts(ban),
  shortTime(ban.bannedAt),
  ban.expiresAt === null ? "no end" : shortTime(ban.expiresAt),
  printable(ban.operator),
  ban.reason === null ? "" : printable(ban.reason, MOST_OF_REASON),
];

/** One list as JSON. */
export const bansAsJson = ({ bans, next }: BanList) => ({ bans: bans.map(banAsJson), next });

const banAsJson = (ban: Ban) => ({
  ...viewAccounts(ban),
  banned_at: ban.bannedAt,
  until: ban.expiresAt,
  reason: ban.reason,
  operator: ban.operator,
});
