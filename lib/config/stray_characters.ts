/**
 * Finds characters that came into a value by accident: quotes that were meant for a shell, the line end of a Windows file,
 * spaces around the value, and characters that cannot be seen. No message repeats a part of the value.
 */
import * as v from "valibot";

/** Quotes of one kind around the whole value, escaped or not. */
const QUOTED = /^\\?(["'`])[\s\S]*\1$|^[“”„«»][\s\S]*[“”«»]$|^[‘’‚][\s\S]*[‘’]$/;
const SPACE_AT_AN_END = /^\p{Zs}|\p{Zs}$/u;
/** Format characters, unassigned and private ones, and every space except the plain one. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]|(?! )\p{Zs}/u;

/** Whether a value is wrapped in quotes. Spaces around them do not count. */
export const isQuoted = (value: string): boolean => QUOTED.test(value.trim());

/** Whether a value begins or ends with a space. */
export const hasSpaceAtAnEnd = (value: string): boolean => SPACE_AT_AN_END.test(value);

/** Whether a value contains a character that cannot be seen. Spaces around the value do not count. */
export const hasInvisible = (value: string): boolean =>
  INVISIBLE.test(value.replaceAll(/^\p{Zs}+|\p{Zs}+$/gu, ""));

/** Says why a value that was refused may look right to its author. */
export function explainStray(value: string): string | undefined {
  if (isQuoted(value)) return "the quotes around it are part of the value";
  if (value.endsWith("\r")) return "it ends in a carriage return, as in a file with Windows line ends";
  if (value !== value.trim()) return "a space or a line end around it is part of the value";
  if (hasInvisible(value)) return "it contains characters that cannot be seen";
  return undefined;
}

const withoutControls = v.check(
  (text: string) => !/\p{Cc}/u.test(text),
  "must not contain control characters, such as a line end or a tab",
);

/** A secret, which is sent as it is. */
export const credential = v.pipe(v.string(), v.minLength(1, "must not be empty"), withoutControls);

/** The id of a client. No server makes one with spaces around it. */
export const clientId = v.pipe(
  v.string(),
  withoutControls,
  v.trim(),
  v.minLength(1, "must not be empty"),
  v.maxLength(255, "must have at most 255 characters"),
);
