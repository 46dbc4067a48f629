/**
 * The effect of a rules file on all links as the operator reads it, and as JSON.
 */
import type { Effect } from "../operator/effect.ts";
import { formatTable } from "./table.ts";

const COUNTED = ["gain", "lose", "change", "stay", "unknown", "error"] as const;

/** As JSON. */
export const effectAsJson = ({ links, admitted, records }: Effect) => ({ links, admitted, records });

/** As a table: who is admitted, and then each record. */
export function describeEffect({ links, admitted, records }: Effect): string {
  const rows = [
    ["", ...COUNTED],
    ["admitted", ...countsOf(admitted)],
    ...Object.entries(records).map(([key, counts]) => [`record ${key}`, ...countsOf(counts)]),
  ];
  return [
    `${links === 1 ? "1 link" : `${links} links`}, against what Discord last took:`,
    formatTable(alignRight(rows)),
    "Nothing was changed.",
  ].join("\n\n");
}

/** What Discord has of keys that the rules have no record of: one warning each. */
export const warnOfDropped = ({ dropped }: Effect): readonly string[] =>
  [...dropped].map(
    ([key, count]) =>
      `Discord has a value of ${key} for ${count === 1 ? "1 link" : `${count} links`}, and the rules have no such record: the next push takes it away.`,
  );

const countsOf = (counts: Readonly<Partial<Record<(typeof COUNTED)[number], number>>>): readonly string[] =>
  COUNTED.map((name) => String(counts[name] ?? ""));

/** Numbers under the end of their heads. */
function alignRight(rows: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const widths = COUNTED.map((_, column) => Math.max(...rows.map((row) => row[column + 1]?.length ?? 0)));
  return rows.map(([head = "", ...cells]) => [
    head,
    ...cells.map((cell, column) => cell.padStart(widths[column] ?? 0)),
  ]);
}
