/**
 * Discord's types of metadata records, by the names that its documentation gives them, in lower case.
 * https://discord.com/developers/docs/resources/application-role-connection-metadata
 */

const NAMES: ReadonlyMap<number, string> = new Map([
  [1, "integer_less_than_or_equal"],
  [2, "integer_greater_than_or_equal"],
  [3, "integer_equal"],
  [4, "integer_not_equal"],
  [5, "datetime_less_than_or_equal"],
  [6, "datetime_greater_than_or_equal"],
  [7, "boolean_equal"],
  [8, "boolean_not_equal"],
]);

/** The name of a type; undefined for one that Discord has added since. */
export const nameRecordType = (type: number): string | undefined => NAMES.get(type);
