/**
 * The languages of the pages, each by its tag (RFC 5646). A language is a file beside this one and a name in the list
 * below. Its type, the negotiation with a browser and the names at Discord follow from the list.
 */
import { de } from "./de.ts";
import type { Texts } from "./en.ts";
import { en } from "./en.ts";
import { sv } from "./sv.ts";

/** Everything that is said, in each language. */
export const TEXTS = { en, sv, de } satisfies Readonly<Record<string, Texts>>;

/** A language of the pages. */
export type Language = keyof typeof TEXTS;

/** The language of a member who asks for no other. */
export const DEFAULT_LANGUAGE: Language = "en";

/** The languages, in the order of the list. */
export const LANGUAGES: readonly Language[] = Object.keys(TEXTS).filter(isLanguage);

/** A text with the organisation's name in it, where no element can stand: in a title, in JSON. */
export const sayPlain = (text: string, platformName: string): string =>
  text.replaceAll("{platform}", () => platformName);

function isLanguage(tag: string): tag is Language {
  return Object.hasOwn(TEXTS, tag);
}
