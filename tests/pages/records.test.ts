import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { renderAccount } from "../../lib/pages/member.tsx";
import { TEXTS } from "../../lib/pages/texts/languages.ts";
import type { RecordType } from "../../lib/rules/records.ts";
import { recordTypes } from "../../lib/rules/records.ts";
import { LANGUAGES } from "../../lib/text/languages.ts";
import { textOf } from "../harness/html.ts";
import { ERROR, manyRecords, memberRecord, recordFacts, says, UNKNOWN } from "./record_samples.ts";
import { accountPage, contextIn, PLAIN, said } from "./samples.ts";

const { en } = TEXTS;
const LATE = "2026-07-04T22:30:00.000Z";

/** What a member reads of these records. */
function textWith(
  records: ReturnType<typeof manyRecords>,
  language: (typeof LANGUAGES)[number] = "en",
  timeZone = "UTC",
): string {
  return textOf(renderAccount({ ...contextIn(language), timeZone }, accountPage({ records })));
}

describe("RecordItems()", () => {
  test.each([
    ["en", "boolean_equal", "1", "UTC", "yes"],
    ["sv", "boolean_not_equal", "0", "UTC", "nej"],
    ["en", "integer_equal", "1234567", "UTC", "1,234,567"],
    ["sv", "integer_equal", "1234567", "UTC", "1\u00A0234\u00A0567"],
    ["de", "integer_less_than_or_equal", "-1234567", "UTC", "-1.234.567"],
    // A year.
    ["en", "integer_greater_than_or_equal", "2026", "UTC", "2026"],
    ["en", "datetime_less_than_or_equal", LATE, "UTC", "4 Jul 2026"],
    ["en", "datetime_less_than_or_equal", LATE, "Europe/Stockholm", "5 Jul 2026"],
    ["de", "datetime_greater_than_or_equal", LATE, "Europe/Berlin", "5. Juli 2026"],
    // Of the rules before, in which the record had another type.
    ["en", "datetime_greater_than_or_equal", "<b>", "UTC", "&lt;b>"],
    ["en", "integer_equal", LATE, "UTC", LATE],
    ["en", "boolean_equal", "12", "UTC", "12"],
  ] as const)("says in %s of a %s that it is %s, in %s", (language, type, value, timeZone, shown) => {
    const text = textWith([recordFacts(type, value)], language, timeZone);

    expect(text.split("\n").map((line) => line.replaceAll("&gt;", ">"))).toContain(
      `${PLAIN.recordName}: ${shown}`,
    );
  });

  test.each([
    ["en", "has none", { "sv-SE": "Styrelse" }, PLAIN.recordName],
    ["en", "is American", { "en-US": "Board" }, "Board"],
    ["en", "is there twice", { "en-US": "Board", "en-GB": "The board" }, "The board"],
    ["sv", "is there", { "sv-SE": "Styrelse", de: "Vorstand" }, "Styrelse"],
    ["de", "is there", { "sv-SE": "Styrelse", de: "Vorstand" }, "Vorstand"],
  ] as const)("names a record in %s where its name in that language %s", (language, _, names, shown) => {
    const record = { name_localizations: names };
    const text = textWith([recordFacts("integer_equal", "1", undefined, record)], language);

    expect(text).toContain(`${shown}: 1`);
  });

  test("describes a yes or a no, and only where there are several records", () => {
    const description = { description: "Has paid", description_localizations: { "sv-SE": "Har betalat" } };
    const [yes, number] = (["boolean_not_equal", "integer_equal"] as const).map((type) =>
      recordFacts(type, "1", undefined, description),
    );
    if (yes === undefined || number === undefined) throw new Error("no records");

    expect(textWith([yes])).not.toContain("Has paid");
    expect(textWith([yes])).not.toContain(said("en", en.role.knownThrough));
    expect(textWith([yes, memberRecord("1")])).toContain("Has paid");
    expect(textWith([yes, memberRecord("1")])).toContain(said("en", en.role.knownThrough));
    expect(textWith([yes, memberRecord("1")], "sv")).toContain("Har betalat");
    expect(textWith([number, memberRecord("1")])).not.toContain("Has paid");
  });

  test.each([...LANGUAGES])("says of what is not known why, and what Discord keeps, in %s", (language) => {
    const { role } = TEXTS[language];
    const reasons = [role.silent, role.silentKept, role.unclear, role.unclearKept].map((text) =>
      said(language, text),
    );
    const cases = [
      [memberRecord(null, UNKNOWN), role.notKnown, said(language, role.silent)],
      [memberRecord("1", UNKNOWN), role.yes, said(language, role.silentKept)],
      [memberRecord(null, ERROR), role.notKnown, said(language, role.unclear)],
      [memberRecord("0", ERROR), role.no, said(language, role.unclearKept)],
      [memberRecord(null, says("1")), role.notSent, said(language, role.change, role.yes)],
      [memberRecord("1", says("0")), role.yes, said(language, role.change, role.no)],
    ] as const;

    for (const [record, value, reason] of cases) {
      const lines = textWith([record], language).split("\n");

      expect(lines.some((line) => line.endsWith(`: ${value}`))).toBe(true);
      expect(lines.filter((line) => reasons.includes(line) || line === reason)).toEqual([reason]);
    }
  });

  test("says no more than the answer where Discord has what the organisation said", () => {
    const { role } = en;
    const text = textWith([memberRecord("1")]);

    for (const words of [role.silent, role.unclear, role.change, role.changed, role.knownThrough])
      expect(text).not.toContain(said("en", words));
  });

  test("never names the claim or the type of an unknown or an error", () => {
    const text = textWith(manyRecords(PLAIN));

    expect(text).not.toMatch(/claims|groups|is a text/);
  });
});

describe("RoleRule()", () => {
  const rulesIn = (text: string) =>
    [
      [en.role.given, "given"],
      [en.role.withheld, "withheld"],
      [en.role.compares, "compares"],
    ].flatMap(([words = "", name]) => (text.includes(said("en", words, en.role.yes)) ? [name] : []));

  test.each([
    ["a yes", "given", [memberRecord("1")]],
    ["a no", "withheld", [memberRecord("0")]],
    ["both", "given,withheld", [memberRecord("1"), recordFacts("boolean_equal", "0")]],
    ["a no that a role may want", "compares", [recordFacts("boolean_not_equal", "0")]],
    ["a yes and a number", "compares", [memberRecord("1"), recordFacts("integer_equal", "0")]],
    ["a date", "compares", [recordFacts("datetime_less_than_or_equal", LATE)]],
    ["a yes that ends", "compares", [memberRecord("1", says("0"))]],
    ["what is not known", "compares", [memberRecord("1"), memberRecord(null, UNKNOWN)]],
  ] as const)("says of %s what gives a role: %s", (_, rules, records) => {
    expect(rulesIn(textWith(records)).join()).toBe(rules);
  });

  test("speaks of a yes that a role needs only where each record asks for a yes", () => {
    const types = fc.constantFrom<RecordType>(...recordTypes());
    const values = fc.option(fc.constantFrom("1", "0", "7", LATE), { nil: null });
    const records = fc.array(
      fc.tuple(types, values).map(([type, value]) => recordFacts(type, value)),
      { minLength: 1, maxLength: 5 },
    );

    fc.assert(
      fc.property(records, (some) => {
        const asksForYes = some.every(
          ({ record, value }) => record.key === "boolean_equal" && (value === "1" || value === "0"),
        );

        expect(rulesIn(textWith(some)).includes("compares")).toBe(!asksForYes);
      }),
      { numRuns: 50 },
    );
  });
});
