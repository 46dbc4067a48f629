/** The metadata records: Discord accepts those that a file can declare, and those of the default rules. */
import { describe, expect, test } from "bun:test";
import { RECORD_TYPES, recordTypeOf, recordTypes, valueKindOf } from "../../lib/rules/records.ts";
import { DEFAULT_RULES } from "../../lib/rules/rule_set.ts";
import { recordOf, rulesOf } from "../fixtures/rules.ts";
import { checkRecords } from "../standins/discord_limits.ts";

describe("DEFAULT_RULES", () => {
  test("has a record that Discord accepts", () => {
    const records = DEFAULT_RULES.records.map(({ record }) => record);

    expect(checkRecords(JSON.parse(JSON.stringify(records)))).toEqual(records);
    expect(records.map(({ key, type }) => [key, type])).toEqual([["dsek_member", 7]]);
  });
});

describe("RECORD_TYPES", () => {
  test("has Discord's eight types, each with its number", () => {
    expect(Object.values(RECORD_TYPES)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(recordTypes().map((name) => recordTypeOf(RECORD_TYPES[name]))).toEqual([...recordTypes()]);
    expect(recordTypeOf(9)).toBeUndefined();
  });

  test.each([...recordTypes()])("makes a record of the type %s that Discord accepts", async (type) => {
    const value = { boolean: "true", integer: "1", datetime: "now" }[valueKindOf(RECORD_TYPES[type])];
    const rules = await rulesOf(recordOf(value, type));

    const records = rules.records.map(({ record }) => record);

    expect(checkRecords(JSON.parse(JSON.stringify(records)))).toEqual(records);
  });
});
