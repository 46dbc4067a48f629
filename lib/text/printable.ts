/**
 * Texts from outside as a terminal may show them: nothing in one acts on the terminal, or hides what stands beside it.
 * Names of members are in `shown_name.ts`.
 */

/**
 * A text from outside as one line that does nothing to a terminal: control characters, and those that reorder or hide
 * text, are written out; `most` characters at most.
 */
export function printable(text: string, most = Number.POSITIVE_INFINITY): string {
  const shown = text.length > most ? `${text.slice(0, most)}…` : text;
  return shown.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (one) => `\\u{${one.codePointAt(0)?.toString(16)}}`);
}
