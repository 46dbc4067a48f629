/**
 * When a ban ends by itself, as an operator writes it: after a time, such as `12h`, `30d` or `2w`; or at a date, which
 * begins in UTC, or at a time with its zone.
 */
import { usage } from "../errors.ts";
import { printable } from "../text/printable.ts";
import { secondsAfter } from "../time.ts";

const UNIT_SECONDS: Readonly<Record<string, number>> = { h: 3_600, d: 86_400, w: 7 * 86_400 };
const DURATION = /^(\d{1,6})([hdw])$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
/** RFC 3339 5.6, without fractions of a second. */
const TIME = /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

const MOST_ECHOED = 60;
/** A century: whoever means longer means for good. */
const LONGEST_SECONDS = 36_525 * 86_400;

/** Reads it. Throws usage for what is no end, for one that is over, and for one that is more than a century away. */
export function readBanEnd(word: string, now: Date): Date {
  const end = readDuration(word, now) ?? readTime(word);
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

function readDuration(word: string, now: Date): Date | undefined {
  const [, count = "", unit = ""] = DURATION.exec(word) ?? [];
  const seconds = UNIT_SECONDS[unit];
  return seconds === undefined ? undefined : secondsAfter(now, Number(count) * seconds);
}

function readTime(word: string): Date | undefined {
  const day = DATE.test(word) ? word : TIME.exec(word)?.[1];
  if (day === undefined || !isDay(day)) return undefined;
  return new Date(word);
}

/** Whether the calendar has the day: `Date` may take the 30th of February for the 2nd of March. */
function isDay(day: string): boolean {
  const at = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(day);
}
