/**
 * Names from outside, such as a Discord username or a claim of the provider: which characters are removed before a name is
 * stored, pushed or shown, and whether a name has a visible character. Where a name comes from does not matter here.
 * https://www.unicode.org/reports/tr9/, https://www.unicode.org/reports/tr44/
 */

/**
 * Characters that act on the text around a name: marks that change its direction, which can break out of a `<bdi>`; line
 * and paragraph separators; control characters. Joiners and selectors stay, since scripts and emoji need them.
 */
const ACTING = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** The same for a check. */
const HAS_ACTING = new RegExp(ACTING.source, "u");

/**
 * A character that is visible by itself: not a blank, not ignored by default, not a format character, not a mark that needs
 * a letter. Unicode has no property for the last few: the Braille pattern without dots, the note without a head, two
 * Egyptian blanks, and the object replacement character.
 */
const SEEN =
  /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{M}\p{Noncharacter_Code_Point}\u2800\u{1d159}\u{13441}\u{13442}\ufffc]/u;

/** The name without characters that act on the text around it; well-formed, without blanks at its ends. */
export function cleanName(name: string): string {
  return name.toWellFormed().replaceAll(ACTING, "").trim();
}

/** The clean name; undefined if there is none, or if it has no visible character. */
export function readName(name: string | null | undefined): string | undefined {
  const clean = cleanName(name ?? "");
  return isSeen(clean) ? clean : undefined;
}

/** Whether a text has a visible character. */
export const isSeen = (text: string): boolean => SEEN.test(text);

/** Whether a text has characters that act on the text around it. */
export const actsOnOthers = (text: string): boolean => HAS_ACTING.test(text);
