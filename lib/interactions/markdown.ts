/**
 * Text from outside as a part of a message in Discord. A name may hold Discord's Markdown, a mention or an address, and must
 * be shown as it is written. https://support.discord.com/hc/en-us/articles/210298617
 */
import { cleanName } from "../text/shown_name.ts";

/** Discord shows a punctuation mark behind a backslash as it is. Without marks there is no address and no mention. */
const MARKS = /[!-/:-@[-`{-~]/g;

/** A name that does nothing in a message but to be read, cut after `most` characters. */
export function plain(name: string, most: number): string {
  const clean = [...cleanName(name)];
  const cut = clean.length > most ? [...clean.slice(0, most), "…"] : clean;
  return cut.join("").replaceAll(MARKS, "\\$&");
}

/** A day that Discord writes in the language and the zone of the reader. */
export const day = (at: Date): string => `<t:${Math.floor(at.getTime() / 1_000)}:D>`;
