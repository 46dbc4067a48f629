/** Figures for a report, as tables and as JSON. They are of all members together, and name none. */
import { EVENT_DAYS } from "../operator/audit.ts";
import type { Stats, Week } from "../operator/stats.ts";
import { printable } from "../text/printable.ts";
import { formatTable } from "./table.ts";

/** For the operator, and whom they report to. */
export function describeStats({ links, records, checks, weeks, browsers, events }: Stats): string {
  const { all, ...states } = links;
  return [
    section("Links", [["all", all], ...Object.entries(states)]),
    section("Members with a record at Discord (a no is not counted)", [
      ...records.map(({ key, given }) => [key, given] as const),
    ]),
    section("Checks of links", [
      ["claims read within a day", checks.withinDay],
      ["claims read within a week", checks.withinWeek],
      ["the last check failed", checks.failing],
    ]),
    `By week, from Monday in UTC; the last one is not over\n${formatTable(alignNumbers(weekRows(weeks)), "  ")}`,
    section(
      "Sessions by browser",
      browsers.map(({ userAgent, sessions }) => [userAgent ?? "unknown", sessions]),
    ),
    section(
      `Events of other servers within ${EVENT_DAYS} days`,
      events.map(({ source, outcome, count }) => [`${source} ${outcome}`, count]),
    ),
  ].join("\n\n");
}

/** As JSON. */
export const statsAsJson = ({ links, records, checks, weeks, browsers, events }: Stats) => ({
  links,
  records,
  checks: { within_day: checks.withinDay, within_week: checks.withinWeek, failing: checks.failing },
  weeks: weeks.map(({ notAdmitted, signedIn, ...week }) => ({
    ...week,
    not_admitted: notAdmitted,
    signed_in: signedIn,
  })),
  browsers: browsers.map(({ userAgent, sessions }) => ({ user_agent: userAgent, sessions })),
  events: { days: EVENT_DAYS, counts: events },
});

function section(title: string, figures: readonly (readonly [string, number])[]): string {
  if (figures.length === 0) return `${title}\n  none`;
  const width = Math.max(...figures.map(([, number]) => String(number).length));
  const lines = figures.map(([name, number]) => `  ${String(number).padStart(width)}  ${printable(name)}`);
  return [title, ...lines].join("\n");
}

const WEEK_HEAD = [
  "week",
  "begun",
  "finished",
  "not admitted",
  "linked",
  "unlinked",
  "signed in",
  "pushed",
  "cleared",
];

const weekRows = (weeks: readonly Week[]): readonly (readonly string[])[] => [
  WEEK_HEAD,
  ...weeks.map((week) => [
    week.week,
    ...[week.begun, week.finished, week.notAdmitted, week.linked].map(String),
    ...[week.unlinked, week.signedIn, week.pushed, week.cleared].map(String),
  ]),
];

/** All columns but the first. */
function alignNumbers(rows: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const widthOf = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows.map((row) => row.map((cell, column) => (column === 0 ? cell : cell.padStart(widthOf(column)))));
}
