/** The texts of the pages in each language. The type demands a file for each. */
import type { Language } from "../../text/languages.ts";
import { de } from "./de.ts";
import type { Texts } from "./en.ts";
import { en } from "./en.ts";
import { sv } from "./sv.ts";

/** Everything that is said, in each language. */
export const TEXTS: Readonly<Record<Language, Texts>> = { en, sv, de };

/** A text with the organisation's name in it, where no element can stand: in a title, in JSON. */
export const sayPlain = (text: string, platformName: string): string =>
  text.replaceAll("{platform}", () => platformName);
