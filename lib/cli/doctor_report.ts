/**
 * How the report of `janus doctor` looks on a terminal: a mark, the name and what was seen, and below it the remedy. The
 * marks say all that the colours say.
 */
import type { Check, CheckGroup, CheckState } from "../operator/doctor/check.ts";
import { CHECK_GROUPS } from "../operator/doctor/check.ts";
import { printable } from "../text/printable.ts";

const TITLES: Readonly<Record<CheckGroup, string>> = {
  configuration: "Configuration",
  database: "Database",
  public_url: "The way to this Janus",
  discord: "Discord",
  provider: "The provider",
};

const MARKS: Readonly<Record<CheckState, { readonly mark: string; readonly colour: number }>> = {
  ok: { mark: "✓", colour: 32 },
  warning: { mark: "!", colour: 33 },
  fault: { mark: "✗", colour: 31 },
  unknown: { mark: "?", colour: 36 },
};

/** The exit code of a report: 0 if all is well, 2 if anything is a fault, else 1. What is unknown is not known to be well. */
export function statusOf(checks: readonly Check[]): 0 | 1 | 2 {
  if (checks.some(({ state }) => state === "fault")) return 2;
  return checks.every(({ state }) => state === "ok") ? 0 : 1;
}

/** The title of a group, for the line that says what is under way. */
export const titleOf = (group: CheckGroup): string => TITLES[group];

/** The report as text, with colours if they are wanted. */
export function formatReport(checks: readonly Check[], hasColours: boolean): string {
  const width = Math.max(...checks.map(({ id }) => id.length));
  const groups = Object.entries(TITLES).map(([group, title]) => {
    const ids: readonly string[] = Object.entries(CHECK_GROUPS).find(([name]) => name === group)?.[1] ?? [];
    const own = checks.filter(({ id }) => ids.includes(id));
    return [title, ...own.flatMap((check) => formatCheck(check, width, hasColours))].join("\n");
  });
  return [...groups, describeVerdict(checks)].join("\n\n");
}

function formatCheck(
  { id, state, detail, remedy }: Check,
  width: number,
  hasColours: boolean,
): readonly string[] {
  const { mark, colour } = MARKS[state];
  const shown = hasColours ? `\u001b[${colour}m${mark}\u001b[0m` : mark;
  const indent = " ".repeat(width + 6);
  const [first = "", ...more] = detail.split("\n").map((line) => printable(line));
  return [
    `  ${shown} ${id.padEnd(width)}  ${first}`,
    ...more.map((line) => indent + line),
    ...(remedy === null ? [] : [`${indent}→ ${printable(remedy)}`]),
  ];
}

function describeVerdict(checks: readonly Check[]): string {
  const count = (state: CheckState): number => checks.filter((check) => check.state === state).length;
  const parts = [
    name(count("fault"), "fault", "faults"),
    name(count("warning"), "warning", "warnings"),
    name(count("unknown"), "check without an answer", "checks without an answer"),
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? `All ${checks.length} checks are well.` : `Found: ${parts.join(", ")}.`;
}

const name = (count: number, one: string, many: string): string | undefined =>
  count === 0 ? undefined : `${count} ${count === 1 ? one : many}`;
