/** The bound of work: whatever file is accepted and whatever a member's claims are, an evaluation ends soon. */
import { heapStats } from "bun:jsc";
import { describe, expect, test } from "bun:test";
import type { Facts } from "../../lib/rules/evaluate.ts";
import { evaluateRules } from "../../lib/rules/evaluate.ts";
import { MAX_EXPRESSION_LENGTH } from "../../lib/rules/rule.ts";
import { factsOf, recordOf, rulesOf } from "../fixtures/rules.ts";

const GROUPS = Array.from({ length: 10_000 }, (_, index) => `/university/group-${index}`);
/** As much as Janus reads of an answer. */
const MAX_CHARACTERS = 256 * 1024;

/** Claim sets that are as bad as an answer of this size can be. */
const HOSTILE: Readonly<Record<string, Facts["claims"]>> = {
  "ten thousand groups": { groups: GROUPS, text: "a" },
  "as many numbers as an answer holds": { groups: Array.from({ length: 120_000 }, () => 1), text: "a" },
  "as many empty lists as an answer holds": { groups: Array.from({ length: 80_000 }, () => []), text: "a" },
  "objects without the key": { groups: Array.from({ length: 60_000 }, () => ({})), text: "a" },
  "one long text": { groups: "a".repeat(MAX_CHARACTERS), text: "a".repeat(MAX_CHARACTERS) },
  "a text of separators": { groups: [",".repeat(MAX_CHARACTERS)], text: ",".repeat(MAX_CHARACTERS) },
  "deep lists": { groups: Array.from({ length: 4_000 }, () => nested(31)), text: "a" },
};

function nested(depth: number): unknown {
  return depth === 0 ? [] : [nested(depth - 1)];
}

/** Lists and objects in each other, in another way for each number. */
function formOf(number: number, depth: number): unknown {
  if (depth === 0) return "a";
  const inner = formOf(number >> 1, depth - 1);
  return number % 2 === 0 ? [inner] : { a: inner };
}

/** Repeats a part until the expression is as long as one may be. */
const fill = (part: string, joint: string): string => {
  const times = Math.floor((MAX_EXPRESSION_LENGTH - joint.length) / (part.length + joint.length));
  return Array.from({ length: times }, () => part).join(joint);
};

/** Expressions that take as much as any that are accepted. */
const COSTLY = {
  "a condition with many parts":
    `claims.groups.exists(g, ${fill('g == "x"', " || ").slice(0, 3_980)})`.replace(/ \|\| [^|]*\)$/, ")"),
  "a condition that fails for each element, far back": `${`"${"x".repeat(3_900)}" == "" || `}claims.groups.exists(g, g.a.b > 5 || g > 6)`,
  "many scans": fill('"x" in claims.groups', " || "),
  "many macros": fill("claims.groups.all(g, g != 7)", " && "),
  "many lists joined": `(${fill("claims.groups", " + ")
    .slice(0, 3_900)
    .replace(/ \+ [^+]*$/, "")}).exists(g, g == "x")`,
  "a long search": `claims.text.contains("${"a".repeat(3_900)}b")`,
  "many parts of a text": 'claims.text.split(",").exists(g, g == "x" || g.startsWith("y"))',
  "many texts joined": `${fill("claims.text", " + ")
    .slice(0, 3_900)
    .replace(/ \+ [^+]*$/, "")} == "x"`,
  "comparisons of everything": fill("claims.groups == claims.groups", " && "),
  "many time zones": Array.from({ length: 35 }, () => 'now.getHours("Asia/Kolkata") == 99').join(" || "),
  "a condition that is none": "claims.groups.exists(g, g)",
  "a function that no text has": "claims.groups.exists(g, g.startsWith(1) || g.bool == 1)",
  "a long text in a condition": `claims.groups.exists(g, "${"A".repeat(3_900)}".lowerAscii() == g)`,
  "a long search in a condition": `claims.groups.exists(g, "${"a".repeat(2_600)}".contains("${"a".repeat(1_200)}b"))`,
  "constants beside claims": `(claims.groups + [${'"x",'.repeat(60)}"y"]).all(g, ${"g != 'a' && ".repeat(100)}true)`,
};

describe("the bound of work", () => {
  test("lets ordinary rules read ten thousand groups", async () => {
    const rules = await rulesOf(
      [
        "platform_username = 'claims.preferred_username'",
        '[admit]\nwhen = \'"/university/group-9999" in claims.groups\'\nmessage.en = "No."',
        recordOf('claims.groups.exists(g, g.startsWith("/staff/"))', "boolean_equal", "a"),
        recordOf('claims.groups.exists(g, g in ["/a", "/b"])', "boolean_equal", "b"),
        recordOf('claims.groups.filter(g, g.endsWith("9")).size()', "integer_equal", "c"),
        recordOf('"/university/group-5000" in claims.groups', "boolean_equal", "d"),
      ].join("\n"),
    );

    const { admitted, records } = evaluateRules(
      rules,
      factsOf({ groups: GROUPS, preferred_username: "anna" }),
    );

    expect(admitted).toEqual({ outcome: "value", value: true });
    expect(records.map(({ outcome }) => ("value" in outcome ? outcome.value : outcome))).toEqual([
      "0",
      "0",
      "1000",
      "1",
    ]);
  });

  test("takes a rule that would take too long for an error, and runs nothing of it", async () => {
    const rules = await rulesOf(recordOf(COSTLY["a condition with many parts"]));

    const { records } = evaluateRules(rules, factsOf({ groups: GROUPS }));

    expect(records[0]?.outcome).toEqual({
      outcome: "error",
      reason: "there is too much to evaluate (claims.groups is a list)",
    });
  });

  test("holds for all rules of a file together", async () => {
    const one = 'claims.groups.exists(g, g.a == "x")';
    const rules = await rulesOf([1, 2, 3, 4, 5].map((n) => recordOf(one, "boolean_equal", `r${n}`)).join(""));
    const groups = GROUPS.slice(0, 4_000).map((a) => ({ a }));

    const ends = evaluateRules(rules, factsOf({ groups })).records.map(({ outcome }) => outcome.outcome);

    expect(ends[0]).toBe("value");
    expect(ends.at(-1)).toBe("error");
  });

  test("counts what it takes to read claims, and ends only the rules that read what is too large", async () => {
    const sources = [0, 1, 2, 3].map((n) => `[[source]]\nname = "s${n}"\nurl = "https://example.org/${n}"\n`);
    const rules = await rulesOf(
      [
        ...[0, 1, 2, 3].map((n) => recordOf(`has(sources.s${n}.a)`, "boolean_equal", `r${n}`)),
        recordOf('"/university/group-7" in claims.groups', "boolean_equal", "groups"),
        ...sources,
      ].join(""),
    );
    const answer = { a: Array.from({ length: 120_000 }, () => 1) };
    const facts = factsOf(
      { groups: GROUPS.slice(0, 100) },
      { sources: { s0: answer, s1: answer, s2: answer, s3: answer } },
    );

    const { records } = evaluateRules(rules, facts);

    expect(records.slice(0, 4).map(({ outcome }) => outcome.outcome)).toEqual(Array(4).fill("error"));
    expect(records.at(-1)?.outcome).toEqual({ outcome: "value", value: "1" });
  });

  test("keeps nothing of the forms that claims have had", async () => {
    const rules = await rulesOf(recordOf('claims.groups.exists(g, g == "x")'));
    const evaluateForms = (depth: number) => {
      const groups = Array.from({ length: 512 }, (_, index) => formOf(index, depth));
      expect(evaluateRules(rules, factsOf({ groups })).records[0]?.outcome.outcome).toBe("value");
    };
    const countTexts = (): number => {
      Bun.gc(true);
      return heapStats().objectTypeCounts.string ?? 0;
    };
    evaluateForms(9);
    const before = countTexts();

    evaluateForms(10);
    evaluateForms(11);

    // Each of the thousand new forms would leave the names of its types.
    expect(countTexts() - before).toBeLessThan(500);
  });

  /** Time of this process's own, so that a busy machine changes nothing; far more than the limit of 50 ms is a defect. */
  const MOST_CPU_MS = 250;

  test.each(Object.entries(COSTLY))("keeps the process free for others: %s", async (_, expression) => {
    const rules = await rulesOf(
      [1, 2, 3, 4, 5].map((n) => recordOf(expression, "boolean_equal", `r${n}`)).join(""),
    );

    for (const claims of Object.values(HOSTILE)) {
      const before = process.cpuUsage();
      evaluateRules(rules, factsOf(claims));
      const { user, system } = process.cpuUsage(before);
      expect((user + system) / 1_000).toBeLessThan(MOST_CPU_MS);
    }
  });
});
