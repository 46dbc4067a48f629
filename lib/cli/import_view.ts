/** What `janus import` says of a source, and of what became of its rows. It prints nothing itself. */
import type { Collected, Refused, RowFault } from "../operator/import/collect.ts";
import type { ImportSource } from "../operator/import/source.ts";
import type { Hindrance, Stored } from "../operator/import/store.ts";
import { DISCORD_ID_FORM } from "../text/discord_id.ts";
import { toJson } from "../text/json_text.ts";

/** Why a row is left out. */
export type Reason = RowFault | Hindrance;

const REASONS: Readonly<Record<Reason, string>> = {
  fields: "it has another number of fields than the first line",
  discord_user_id: `its Discord user id is not ${DISCORD_ID_FORM}`,
  subject: "its subject is empty, over 255 characters, not ASCII, or has a blank at an end",
  username: "its username is empty, over 255 characters, not ASCII, or has a blank at an end",
  token: "one of its tokens has a character that no token has, or is over 2048 characters",
  discord_twice: "its Discord account also stands in another row, with something else",
  account_twice: "its account at the provider also stands in another row, with another Discord account",
  banned: "one of its accounts is banned from linking: see janus bans list",
  discord_linked: "its Discord account is linked with another account at the provider",
  account_linked: "its account at the provider is linked with another Discord account",
  undone: "it was imported before, and the link has been undone since",
  in_use:
    "one of its accounts is signing in, or an earlier grant of it is about to end: try again in an hour",
};

/** A list that nobody reads to its end. */
export const MOST_LISTED = 1_000;

/** An import: its source, the rows that were read, and what became of them. */
export type Told = {
  readonly source: Pick<ImportSource, "name" | "counts">;
  readonly collected: Collected;
  readonly stored: Stored;
};

/** The rows that are left out, in their order. */
export const leftOut = ({
  collected,
  stored,
}: Pick<Told, "collected" | "stored">): readonly Refused<Reason>[] =>
  [...collected.refused, ...stored.hindered].sort((a, b) => a.line - b.line);

/** The rows that are left out, one a line, or nothing. */
export function describeLeftOut(told: Told): readonly string[] {
  const all = leftOut(told);
  if (all.length === 0) return [];
  const listed = all.slice(0, MOST_LISTED).map(({ line, discordUserId, reason }) => {
    const whose = discordUserId === null ? "" : ` (${discordUserId})`;
    return `  ${told.source.counts} ${line}${whose}: ${REASONS[reason]}`;
  });
  const more = all.length - listed.length;
  return [
    `${counted(all.length, "row is", "rows are")} left out, and nothing is changed for ${all.length === 1 ? "it" : "them"}:`,
    ...listed,
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

/** What else an operator is to know of the rows. */
export function describeOthers({ collected, stored }: Told): readonly string[] {
  const { repeated, unfinished } = collected;
  return [
    ...(stored.already > 0 ? [`${counted(stored.already, "link is", "links are")} there already.`] : []),
    ...(repeated > 0 ? [`${counted(repeated, "row repeats", "rows repeat")} an earlier one.`] : []),
    ...(unfinished > 0
      ? [
          `${counted(unfinished, "Discord account has", "Discord accounts have")} no link there, and get none.`,
        ]
      : []),
  ];
}

/** What follows for the members who were imported, or would be. */
export function describeMembers({ imported, byUsername, withoutTokens }: Stored): readonly string[] {
  const told = imported - withoutTokens;
  return [
    ...(told > 0
      ? [`${counted(told, "member needs", "members need")} to do nothing: the servers tell Discord.`]
      : []),
    ...(withoutTokens > 0
      ? [
          `${counted(withoutTokens, "member has", "members have")} no Discord refresh token there: Discord is told once they ` +
            "follow the link again.",
        ]
      : []),
    ...(byUsername > 0
      ? [
          `${counted(byUsername, "member is", "members are")} known by username: the provider is asked about them once they ` +
            "sign in.",
        ]
      : []),
  ];
}

/** As JSON, with `rows` for those that are left out. */
export function importToJson({ collected, stored }: Told, isDryRun: boolean): string {
  const all = leftOut({ collected, stored });
  return toJson({
    dry_run: isDryRun,
    imported: stored.imported,
    already: stored.already,
    repeated: collected.repeated,
    unfinished: collected.unfinished,
    by_username: stored.byUsername,
    without_tokens: stored.withoutTokens,
    left_out: all.length,
    rows: all
      .slice(0, MOST_LISTED)
      .map(({ line, discordUserId, reason }) => ({ line, discord_user_id: discordUserId, reason })),
  });
}

/** A number with its words, such as `1 row is`, or `2 rows are`. */
export const counted = (count: number, one: string, many: string): string =>
  `${count} ${count === 1 ? one : many}`;
