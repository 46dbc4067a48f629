/** Times and ages as tables show them: short, so that a line fits on a terminal. */

const UNITS = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
] as const;

/** To the minute, in UTC. */
export const shortTime = (at: Date): string => `${at.toISOString().slice(0, 16).replace("T", " ")} UTC`;

/** A time, or a dash for none. */
export const timeOrDash = (at: Date | null): string => (at === null ? "-" : shortTime(at));

/** How long ago, in the largest unit of which it has one. */
export function shortAge(at: Date, now: Date): string {
  const seconds = Math.max(0, (now.getTime() - at.getTime()) / 1_000);
  const [length, unit] = UNITS.find(([length]) => seconds >= length) ?? [1, "s"];
  return `${Math.floor(seconds / length)} ${unit}`;
}
