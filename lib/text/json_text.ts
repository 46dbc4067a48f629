/**
 * JSON as a command prints it. It may land on a terminal, so it is a value like any other there: nothing in it acts on the
 * terminal, or reorders or hides what is beside it.
 */

/** Line ends are those of the indentation: within a text JSON writes them as a code. */
const UNSEEN = /(?!\n)[\p{C}\p{Zl}\p{Zp}]/gu;
const HEX = 16;
const DIGITS = 4;

/**
 * A value as JSON. Characters that `printable` writes out as codes are codes here, too, as JSON has them: `\u202e`. So a
 * program reads the same value. RFC 8259 7
 */
export const toJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, undefined, indent).replace(UNSEEN, (one) => one.split("").map(codeOf).join(""));

/** Of one UTF-16 code unit. */
const codeOf = (unit: string): string => `\\u${unit.charCodeAt(0).toString(HEX).padStart(DIGITS, "0")}`;
