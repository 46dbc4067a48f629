/**
 * When a ban ends by itself, as an operator writes it: after a time, such as `12h`, `30d` or `2w`; or at a date, which
 * begins in UTC, or at a time with its zone.
 */
import { usage } from "../errors.ts";
import { findSeconds, findTime } from "../text/moments.ts";
import { printable } from "../text/printable.ts";
import { secondsAfter } from "../time.ts";

const MOST_ECHOED = 60;
/** A century: whoever means longer means for good. */
const LONGEST_SECONDS = 36_525 * 86_400;

/** Reads it. Throws usage for what is no end, for one that is over, and for one that is more than a century away. */
export function readBanEnd(word: string, now: Date): Date {
  const end = findLength(word, now) ?? findTime(word);
  const shown = printable(word, MOST_ECHOED);
  if (end === undefined)
    throw usage(
      `Not an end: ${shown}. Write a time such as 12h, 30d or 2w, or a date such as 2027-01-31 or 2027-01-31T18:00:00Z.`,
    );
  if (end <= now) throw usage(`${shown} is over already.`);
  if (end > secondsAfter(now, LONGEST_SECONDS))
    throw usage(`${shown} is more than a century away. Leave it out for a ban that does not end by itself.`);
  return end;
}

/** Not in minutes: who writes `6m` for a ban may mean months. */
function findLength(word: string, now: Date): Date | undefined {
  const seconds = findSeconds(word, ["h", "d", "w"]);
  return seconds === undefined ? undefined : secondsAfter(now, seconds);
}
