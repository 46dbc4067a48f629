/** The texts of the commands in each language. The type demands a file for each. */
import type { Language } from "../../text/languages.ts";
import { DEFAULT_LANGUAGE, LANGUAGES } from "../../text/languages.ts";
import { de } from "./de.ts";
import type { Texts } from "./en.ts";
import { en } from "./en.ts";
import { sv } from "./sv.ts";

/** Everything that is said, in each language. */
export const COMMAND_TEXTS: Readonly<Record<Language, Texts>> = { en, sv, de };

/** Discord's tag of each language. https://discord.com/developers/docs/reference#locales */
export const DISCORD_LOCALES: Readonly<Record<Language, string>> = { en: "en-GB", sv: "sv-SE", de: "de" };

/** The language of one of Discord's locales. */
export const languageOf = (locale = ""): Language =>
  LANGUAGES.find((language) => locale === language || locale.startsWith(`${language}-`)) ?? DEFAULT_LANGUAGE;
