/** The figures as a table for people and as JSON for machines. */

/** A figure; one without a limit is there to judge the others by. */
export type Figure = {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly limit?: { readonly atLeast: number } | { readonly atMost: number } | { readonly exactly: number };
};

/** Whether the figure keeps its limit. */
export function keepsLimit({ value, limit }: Figure): boolean {
  if (limit === undefined) return true;
  if ("atLeast" in limit) return value >= limit.atLeast;
  if ("atMost" in limit) return value <= limit.atMost;
  return value === limit.exactly;
}

/** One line a figure. */
export function formatTable(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.name,
    `${format(figure.value)} ${figure.unit}`.trim(),
    formatLimit(figure),
    figure.limit === undefined ? "" : keepsLimit(figure) ? "ok" : "missed",
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(([name = "", value = "", limit = "", verdict = ""]) =>
      [name.padEnd(widths[0] ?? 0), value.padStart(widths[1] ?? 0), limit.padEnd(widths[2] ?? 0), verdict]
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** The same for machines. */
export function formatJson(figures: readonly Figure[]): string {
  const ok = figures.every(keepsLimit);
  const listed = figures.map((figure) =>
    figure.limit === undefined ? figure : { ...figure, ok: keepsLimit(figure) },
  );
  return JSON.stringify({ ok, figures: listed }, undefined, 2);
}

/** The middle value; of an even number the mean of the two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const around = sorted.slice(Math.ceil(middle) - 1, Math.floor(middle) + 1);
  return around.reduce((sum, value) => sum + value, 0) / around.length;
}

function formatLimit({ limit }: Figure): string {
  if (limit === undefined) return "";
  if ("atLeast" in limit) return `at least ${limit.atLeast}`;
  if ("atMost" in limit) return `at most ${limit.atMost}`;
  return `exactly ${limit.exactly}`;
}

function format(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}
