/**
 * The metadata records of the application: the questions about a member that admins on Discord build linked roles on.
 * `register` puts them, and `evaluate.ts` answers them for one member.
 * https://discord.com/developers/docs/resources/application-role-connection-metadata
 */
import type { APIApplicationRoleConnectionMetadata } from "discord-api-types/v10";

/** A metadata record as `register` puts it. */
export type MetadataRecord = Omit<APIApplicationRoleConnectionMetadata, "type"> & { readonly type: number };

/**
 * Discord's types of records by the names of its documentation, in lower case: how a role compares a member's value with
 * the one that an admin chose. The enum of discord-api-types is code, and Janus uses only its types.
 */
export const RECORD_TYPES = {
  integer_less_than_or_equal: 1,
  integer_greater_than_or_equal: 2,
  integer_equal: 3,
  integer_not_equal: 4,
  datetime_less_than_or_equal: 5,
  datetime_greater_than_or_equal: 6,
  boolean_equal: 7,
  boolean_not_equal: 8,
} as const;

/** The name of a type. */
export type RecordType = keyof typeof RECORD_TYPES;

/** What a value of a record is. */
export type ValueKind = "boolean" | "integer" | "datetime";

/** What the values of a type are: a record compares whole numbers, dates, or yes and no. */
export function valueKindOf(type: number): ValueKind {
  if (type >= RECORD_TYPES.boolean_equal) return "boolean";
  return type >= RECORD_TYPES.datetime_less_than_or_equal ? "datetime" : "integer";
}

/** The name of a type's number; undefined if Discord has a type that this list lacks. */
export function recordTypeOf(type: number): RecordType | undefined {
  return recordTypes().find((name) => RECORD_TYPES[name] === type);
}

/** The names of all types. */
export const recordTypes = (): readonly RecordType[] => Object.keys(RECORD_TYPES).filter(isRecordType);

/** Whether a text names a type. */
export const isRecordType = (name: string): name is RecordType => Object.hasOwn(RECORD_TYPES, name);

/** At most so many records: `register` replaces every record that Discord has. */
export const MAX_RECORDS = 5;

/** The locales of names and descriptions. https://discord.com/developers/docs/reference#locales */
export const LOCALES = [
  "ar",
  "bg",
  "cs",
  "da",
  "de",
  "el",
  "en-GB",
  "en-US",
  "es-419",
  "es-ES",
  "fi",
  "fr",
  "he",
  "hi",
  "hr",
  "hu",
  "id",
  "it",
  "ja",
  "ko",
  "lt",
  "nl",
  "no",
  "pl",
  "pt-BR",
  "ro",
  "ru",
  "sv-SE",
  "th",
  "tr",
  "uk",
  "vi",
  "zh-CN",
  "zh-TW",
] as const;
