/**
 * Names from outside, such as a Discord username or a claim of the provider: what is taken out of them before they are
 * stored, pushed or shown, and whether anything of a name is to be seen. It knows nothing of where a name is from.
 * https://www.unicode.org/reports/tr9/, https://www.unicode.org/reports/tr44/
 */

/**
 * What acts on the text around a name: marks that turn its direction, which one mark too many carries out of a `<bdi>`;
 * line and paragraph separators; control characters. Joiners and selectors stay, since scripts and emoji need them.
 */
const ACTING = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** The same for a check. */
const HAS_ACTING = new RegExp(ACTING.source, "u");

/**
 * A character of which something is to be seen by itself: not a blank, not ignored by default, not a format character,
 * not a mark that needs a letter. Unicode has no property for the last few: patterns without dots, a note without a
 * head, two blanks of Egyptian, and the place of an object.
 */
const SEEN =
  /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{M}\p{Noncharacter_Code_Point}\u2800\u{1d159}\u{13441}\u{13442}\ufffc]/u;

/** The name without what would act on the text around it; well-formed, without blanks at its ends. */
export function cleanName(name: string): string {
  return name.toWellFormed().replaceAll(ACTING, "").trim();
}

/** The clean name; undefined where there is none, or nothing of it is to be seen. */
export function readName(name: string | null | undefined): string | undefined {
  const clean = cleanName(name ?? "");
  return isSeen(clean) ? clean : undefined;
}

/** Whether anything of a text is to be seen. */
export const isSeen = (text: string): boolean => SEEN.test(text);

/** Whether a text would act on the text around it. */
export const actsOnOthers = (text: string): boolean => HAS_ACTING.test(text);
