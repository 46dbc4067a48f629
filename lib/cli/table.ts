/**
 * Rows as columns of equal width, as every command prints them. What a cell holds is up to the caller: a text from outside
 * has to be made printable first.
 */

/** The rows as lines, without blanks at their ends. `margin` stands before each. */
export function formatTable(rows: readonly (readonly string[])[], margin = ""): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) => margin + row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "))
    .map((line) => line.trimEnd())
    .join("\n");
}
