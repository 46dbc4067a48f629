/**
 * Times and lengths of time as operators write them, for every command and form. What a word means to a command, such as an
 * age or an end, is up to the command.
 */

const UNIT_SECONDS = { m: 60, h: 3_600, d: 86_400, w: 7 * 86_400 } as const;

type Unit = keyof typeof UNIT_SECONDS;

const LENGTH = /^(\d{1,6})([mhdw])$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
/** RFC 3339 5.6, also without seconds. */
const TIME =
  /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/** How many seconds `90m`, `36h`, `30d` or `4w` are, in one of these units; undefined for anything else. */
export function findSeconds(word: string, units: readonly Unit[]): number | undefined {
  const [, count, unit] = LENGTH.exec(word) ?? [];
  const known = units.find((one) => one === unit);
  return known === undefined ? undefined : Number(count) * UNIT_SECONDS[known];
}

/** A date, which begins in UTC, or a time with its zone; undefined for anything else, such as the 30th of February. */
export function findTime(word: string): Date | undefined {
  const day = DAY.test(word) ? word : TIME.exec(word)?.[1];
  return day === undefined || !isDay(day) ? undefined : new Date(word);
}

/** Whether the calendar has the day: the runtime may take the 30th of February for the 2nd of March. */
function isDay(day: string): boolean {
  const at = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(day);
}
