/**
 * This room owns what texts from outside may do to those who see them: on a terminal here, and on a page in `shown_name.ts`.
 * It does not matter where a text comes from.
 */

/**
 * A text as one line that does not act on a terminal. Control characters, and characters that reorder or hide text, are
 * written out as codes. A text longer than `most` characters is cut.
 */
export function printable(text: string, most = Number.POSITIVE_INFINITY): string {
  const shown = text.length > most ? `${text.slice(0, most)}…` : text;
  return shown.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (one) => `\\u{${one.codePointAt(0)?.toString(16)}}`);
}

/** A text of several lines, each as `printable` has it. */
export const printableLines = (text: string): string =>
  text
    .split("\n")
    .map((line) => printable(line))
    .join("\n");
