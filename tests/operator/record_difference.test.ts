/** The difference between two lists of metadata records: what is called what, and that nothing is overlooked. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { ComparedRecord, RecordChange } from "../../lib/operator/record_difference.ts";
import { compareRecords, findLosses, hasChanges } from "../../lib/operator/record_difference.ts";

const MEMBER: ComparedRecord = {
  key: "member",
  type: 7,
  name: "Member",
  name_localizations: { "sv-SE": "Medlem" },
  description: "Is a member",
};
const SINCE: ComparedRecord = { key: "since", type: 6, name: "Since", description: "Member since" };

const changesOf = (before: readonly ComparedRecord[], after: readonly ComparedRecord[]) =>
  compareRecords(before, after).map(({ key, change }) => [key, change]);

/** A key may be the name of what every object has. */
const keys = fc.constantFrom("member", "since", "constructor", "__proto__", "to_string");
const texts = fc.string({ minLength: 1, maxLength: 3 });
const localizations = fc.option(
  fc.dictionary(fc.constantFrom("sv-SE", "de"), fc.option(texts), { noNullPrototype: true }),
);
const record = fc.record({
  key: keys,
  type: fc.integer({ min: 1, max: 9 }),
  name: texts,
  name_localizations: localizations,
  description: texts,
  description_localizations: localizations,
});
const lists = fc.uniqueArray(record, { maxLength: 5, selector: ({ key }) => key });

describe("compareRecords()", () => {
  test.each([
    ["a new one", [MEMBER], [MEMBER, SINCE], "since", "added"],
    ["one that goes", [MEMBER, SINCE], [MEMBER], "since", "removed"],
    ["another type", [SINCE], [{ ...SINCE, type: 5 }], "since", "retyped"],
    ["another type and name", [SINCE], [{ ...SINCE, type: 5, name: "x" }], "since", "retyped"],
    ["another name", [SINCE], [{ ...SINCE, name: "since" }], "since", "renamed"],
    ["another description", [SINCE], [{ ...SINCE, description: "?" }], "since", "renamed"],
    ["one more language", [SINCE], [{ ...SINCE, name_localizations: { de: "Seit" } }], "since", "renamed"],
    ["one language less", [MEMBER], [{ ...MEMBER, name_localizations: {} }], "member", "renamed"],
    ["a blank", [MEMBER], [{ ...MEMBER, name: "Member " }], "member", "renamed"],
    ["another order", [MEMBER, SINCE], [SINCE, MEMBER], "member", "unchanged"],
    ["null for no languages", [SINCE], [{ ...SINCE, name_localizations: null }], "since", "unchanged"],
    ["null for a language", [SINCE], [{ ...SINCE, name_localizations: { de: null } }], "since", "unchanged"],
  ] as const)("says of %s what it is", (_, before, after, key, change) => {
    expect(changesOf(before, after)).toContainEqual([key, change]);
  });

  test("names each text that differs, before and after", () => {
    const after = { ...MEMBER, name: "Of us", name_localizations: { de: "Mitglied" } };

    expect(compareRecords([MEMBER], [after])[0]?.parts).toEqual([
      { name: "name", before: "Member", after: "Of us" },
      { name: "name_localizations.de", before: null, after: "Mitglied" },
      { name: "name_localizations.sv-SE", before: "Medlem", after: null },
    ]);
  });

  test("has each key once, and finds no change between a list and itself", () => {
    fc.assert(
      fc.property(lists, lists, (before, after) => {
        const changes = compareRecords(before, after);
        const all = new Set([...before, ...after].map(({ key }) => key));

        expect(changes.map(({ key }) => key).sort()).toEqual([...all].sort());
        expect(hasChanges(compareRecords(before, before.toReversed()))).toBe(false);
      }),
    );
  });

  test("says the opposite when the sides change places", () => {
    const opposite: Readonly<Record<RecordChange["change"], RecordChange["change"]>> = {
      added: "removed",
      removed: "added",
      retyped: "retyped",
      renamed: "renamed",
      unchanged: "unchanged",
    };
    fc.assert(
      fc.property(lists, lists, (before, after) => {
        const there = new Map(compareRecords(before, after).map(({ key, change }) => [key, change]));

        for (const { key, change } of compareRecords(after, before))
          expect(there.get(key)).toBe(opposite[change]);
      }),
    );
  });
});

test("findLosses() has what roles lose: records that go, and those of another type", () => {
  const changes = compareRecords([MEMBER, SINCE], [{ ...MEMBER, type: 8, name: "x" }]);

  expect(findLosses(changes).map(({ key }) => key)).toEqual(["member", "since"]);
  expect(findLosses(compareRecords([], [MEMBER]))).toEqual([]);
  expect(findLosses(compareRecords([MEMBER], [{ ...MEMBER, name: "x" }]))).toEqual([]);
});
