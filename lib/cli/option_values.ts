/** Values of options that several commands take: how many, since when, how old, why, and a name with its value. All throw usage. */
import { usage } from "../errors.ts";
import type { Pair } from "../operator/select_links.ts";
import { now } from "../server/world.ts";
import { findSeconds, findTime } from "../text/moments.ts";
import { printable } from "../text/printable.ts";
import { secondsAfter } from "../time.ts";

const MOST_ECHOED = 120;
/** What a list holds in memory. An export has no limit. */
const MOST_LISTED = 10_000;
const MOST_DIGITS = 5;

/** Reads `--limit`. */
export function readLimit(word: string): number {
  const limit = /^\d+$/.test(word) && word.length <= MOST_DIGITS ? Number(word) : 0;
  if (limit >= 1 && limit <= MOST_LISTED) return limit;
  throw usage(`Not a limit: ${printable(word, MOST_ECHOED)}.\nIt is a number from 1 to ${MOST_LISTED}.`);
}

/** Reads an age, such as 36h, as the time that was so long ago. */
export function readAgo(word: string): Date {
  const ago = findAgo(word);
  if (ago !== undefined) return ago;
  throw usage(
    `Not an age: ${printable(word, MOST_ECHOED)}.\nWrite it as 90m, 36h, 30d or 4w: minutes, hours, days or weeks.`,
  );
}

/** Reads a time, or an age as the time that was so long ago. */
export function readMoment(word: string): Date {
  const moment = findAgo(word) ?? findTime(word);
  if (moment !== undefined) return moment;
  throw usage(
    `Not a time: ${printable(word, MOST_ECHOED)}.\nWrite it as 2026-01-31, 2026-01-31T12:00:00Z, or 7d for a week ago.`,
  );
}

function findAgo(word: string): Date | undefined {
  const seconds = findSeconds(word, ["m", "h", "d", "w"]);
  return seconds === undefined ? undefined : secondsAfter(now(), -seconds);
}

/** Reads a name, or a name with a value after `=`. */
export function readPair(word: string): Pair {
  const at = word.indexOf("=");
  const name = at === -1 ? word : word.slice(0, at);
  if (name === "")
    throw usage(
      `Not a name: ${printable(word, MOST_ECHOED)}.\nWrite it as member or member=1, without blanks.`,
    );
  return { name, value: at === -1 ? undefined : word.slice(at + 1) };
}

/** Reads `--reason`: one line that acts on no terminal. */
export const readReason =
  (mostCharacters: number) =>
  (word: string): string => {
    const reason = word.trim();
    if (reason !== "" && printable(reason, mostCharacters) === reason) return reason;
    throw usage(`A reason has 1 to ${mostCharacters} characters, on one line.`);
  };
