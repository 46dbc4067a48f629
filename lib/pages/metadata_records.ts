/**
 * The metadata records with their names in every language, as `register` puts them. Discord shows the first language to
 * everybody whose own it does not get.
 */
import type { MetadataRecord, RecordKey } from "../rules/records.ts";
import { RECORDS } from "../rules/records.ts";
import { DEFAULT_LANGUAGE, LANGUAGES, TEXTS } from "./texts/languages.ts";

/** All metadata records. */
export const METADATA_RECORDS: readonly MetadataRecord[] = RECORDS.map(({ key, type }) => {
  const { name, description } = TEXTS[DEFAULT_LANGUAGE].records[key];
  return {
    type,
    key,
    name,
    name_localizations: translate(key, "name"),
    description,
    description_localizations: translate(key, "description"),
  };
});

function translate(key: RecordKey, part: "name" | "description"): Record<string, string> {
  const others = LANGUAGES.filter((language) => language !== DEFAULT_LANGUAGE);
  return Object.fromEntries(
    others.map((language) => [TEXTS[language].locale, TEXTS[language].records[key][part]]),
  );
}
