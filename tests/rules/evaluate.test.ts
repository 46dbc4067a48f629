/** How rules end for one member: with a value, as unknown, or in error. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { keepClaims } from "../../lib/rules/claims.ts";
import type { Facts, Outcome } from "../../lib/rules/evaluate.ts";
import { evaluateAdmission, evaluateRules } from "../../lib/rules/evaluate.ts";
import { DEFAULT_RULES } from "../../lib/rules/rule_set.ts";
import { anyClaims } from "../fixtures/any_claims.ts";
import { factsOf, recordOf, rulesOf, rulesWith } from "../fixtures/rules.ts";

const outcomeOf = async (value: string, claims: unknown, type?: string): Promise<Outcome<string>> => {
  const rules = await rulesWith(value, type);
  const verdict = evaluateRules(rules, factsOf(JSON.parse(JSON.stringify(claims))));
  return verdict.records[0]?.outcome ?? { outcome: "error", reason: "no record" };
};

describe("evaluateRules()", () => {
  test.each([
    ["boolean_equal", "true", "1"],
    ["boolean_not_equal", "claims.n == 8", "0"],
    ["integer_equal", "claims.n", "7"],
    ["integer_greater_than_or_equal", "claims.n * 2 - 20", "-6"],
    ["integer_less_than_or_equal", "size(claims.groups)", "2"],
    ["integer_not_equal", "int(claims.half)", "1"],
    ["datetime_less_than_or_equal", "timestamp(claims.since)", "2020-02-29T11:30:00.000Z"],
    ["datetime_less_than_or_equal", 'timestamp(claims.day + "T00:00:00Z")', "2026-01-31T00:00:00.000Z"],
    ["integer_equal", "timestamp(claims.since).getMonth()", "1"],
    ["integer_equal", "timestamp(claims.since).getDate()", "29"],
    ["integer_equal", "timestamp(claims.since).getDayOfMonth()", "28"],
    ["integer_equal", "timestamp(claims.since).getDayOfWeek()", "6"],
    ["integer_equal", "timestamp(claims.since).getHours()", "11"],
    ["datetime_greater_than_or_equal", "discord.created_at", "2016-04-30T11:18:25.796Z"],
    ["datetime_greater_than_or_equal", "linked_at", "2026-01-31T08:00:00.000Z"],
    ["datetime_greater_than_or_equal", 'now - duration("24h")', "2026-11-27T12:00:00.000Z"],
    ["datetime_greater_than_or_equal", "timestamp(claims.epoch)", "2001-09-09T01:46:40.000Z"],
  ])("encodes a %s of %s as %p", async (type, value, expected) => {
    const claims = {
      n: 7,
      half: 1.5,
      groups: ["a", "b"],
      since: "2020-02-29T12:30:00+01:00",
      day: "2026-01-31",
      epoch: 1_000_000_000,
    };

    expect(await outcomeOf(value, claims, type)).toEqual({ outcome: "value", value: expected });
  });

  test.each([
    ['"a" in claims.groups', "claims.groups"],
    ["claims.realm_access.roles == []", "claims.realm_access"],
    ["claims.present.roles == []", "claims.present.roles"],
    ['claims["urn:example:roles"].admin == "x"', 'claims["urn:example:roles"]'],
    ["claims.missing && claims.yes", "claims.missing"],
    ["claims.yes && claims.missing", "claims.missing"],
    ["claims.missing || claims.no", "claims.missing"],
    ['claims.list.exists(g, g.missing == "x")', "g.missing"],
    ["has(claims.missing.deeper)", "claims.missing"],
    ["claims.null_claim", "claims.null_claim"],
  ])("takes %s for unknown, and names what is missing", async (value, missing) => {
    const claims = { yes: true, no: false, present: {}, list: [{}], null_claim: null };

    expect(await outcomeOf(value, claims)).toEqual({ outcome: "unknown", missing });
  });

  test.each([
    ["claims.missing || claims.yes", "1"],
    ["claims.yes || claims.missing", "1"],
    ["claims.missing && claims.no", "0"],
    ["claims.no && claims.missing", "0"],
    ["claims.yes ? true : claims.missing", "1"],
    ["has(claims.missing)", "0"],
    ["has(claims.missing) && claims.missing", "0"],
    ['"missing" in claims', "0"],
    ['"yes" in claims', "1"],
    ['claims.list.exists(g, g.missing == "x" || true)', "1"],
  ])("lets CEL decide that %s needs no more", async (value, expected) => {
    const claims = { yes: true, no: false, list: [{}] };

    expect(await outcomeOf(value, claims)).toEqual({ outcome: "value", value: expected });
  });

  test.each([
    ["has(claims.unread)", { outcome: "unknown", missing: "claims.unread" }],
    ['!("unread" in claims)', { outcome: "unknown", missing: "claims.unread" }],
    ["has(claims.absent)", { outcome: "value", value: "0" }],
    ["has(claims.present)", { outcome: "value", value: "1" }],
    ["claims.present || claims.unread", { outcome: "value", value: "1" }],
  ] as const)("takes no claim for absent that was not asked for: %s", async (value, expected) => {
    const rules = await rulesWith(value);
    const claimsAsked = ["absent", "present"];

    const { records } = evaluateRules(rules, factsOf({ present: true }, { claimsAsked }));

    expect(records[0]?.outcome).toEqual(expected);
  });

  test.each(["has(sources.graph)", '"graph" in sources', "!has(sources.graph) || true"])(
    "takes a source without an answer for unknown: %s",
    async (value) => {
      const rules = await rulesOf(
        `${recordOf(value)}[[source]]\nname = "graph"\nurl = "https://graph.example.org/"\n`,
      );
      const outcomeWith = (sources: Facts["sources"]) =>
        evaluateRules(rules, factsOf({}, { sources })).records[0]?.outcome;

      expect(outcomeWith({})).toEqual({ outcome: "unknown", missing: "sources.graph" });
      expect(outcomeWith({ graph: [] })).toEqual({ outcome: "value", value: "1" });
    },
  );

  test.each([
    ['"a" in claims.x', "boolean_equal", 5, "claims.x is a whole number"],
    ["claims.x", "boolean_equal", "true", "claims.x is a text"],
    ["claims.x > 3", "boolean_equal", "4", "claims.x is a text"],
    ["claims.x", "integer_equal", "4", "claims.x is a text"],
    ["claims.x", "integer_equal", 4.5, "claims.x is a number with a fraction"],
    ["claims.x", "integer_equal", ["4"], "claims.x is a list"],
    ["claims.x * claims.x", "integer_equal", 9_007_199_254_740_991, "too large"],
    ["1 / claims.x", "integer_equal", 0, "divides by zero"],
    ["timestamp(claims.x)", "datetime_less_than_or_equal", "yesterday", "claims.x is a text"],
    ["timestamp(claims.x)", "datetime_less_than_or_equal", "2026-01-31", "claims.x is a text"],
    ["claims.x", "datetime_less_than_or_equal", "2020-01-01T00:00:00Z", "claims.x is a text"],
    ['claims.x.startsWith("a")', "boolean_equal", { a: 1 }, "claims.x is an object"],
    ["claims.x.roles == []", "boolean_equal", "admin", "claims.x is a text"],
    ["claims.x.roles == []", "boolean_equal", ["admin"], "claims.x is a list"],
    ["claims.x[3] == 1", "boolean_equal", [1], "an index is out of range"],
    ['claims.x["a"].b == 1', "boolean_equal", { a: true }, "claims.x is an object"],
  ])("takes %s for an error of a %s where the claim is of another type", async (value, type, x, words) => {
    const outcome = await outcomeOf(value, { x }, type);

    expect(outcome).toEqual({ outcome: "error", reason: expect.stringContaining(words) });
  });

  test("never says a value in the reason of an error", async () => {
    const secret = "canary-in-a-claim";
    const values = [
      "int(claims.x) == 1",
      "bool(claims.x)",
      "double(claims.x) > 1.0",
      "timestamp(claims.x) < now",
      "claims.x + 1 == 2",
      "claims.x > 3",
      "claims.x.exists(g, g == 1)",
      "claims.x[claims.x]",
      "-claims.x == 1",
    ];

    const outcomes = await Promise.all(values.map((value) => outcomeOf(value, { x: secret })));

    for (const outcome of outcomes) {
      expect(outcome.outcome).toBe("error");
      expect(JSON.stringify(outcome)).not.toContain(secret);
    }
  });

  test.each([
    ["constructor", "x"],
    ["__proto__", ["x"]],
    ["toString", "x"],
  ])("reads a claim named %s as any other", async (name, claim) => {
    const rules = await rulesWith(`"${name}" in claims && size(claims["${name}"]) == 1`);
    const claims = JSON.parse(`{${JSON.stringify(name)}: ${JSON.stringify(claim)}, "groups": []}`);

    expect(evaluateRules(rules, factsOf(claims)).records[0]?.outcome).toEqual({
      outcome: "value",
      value: "1",
    });
    expect(evaluateRules(rules, factsOf({})).records[0]?.outcome).toEqual({ outcome: "value", value: "0" });
  });

  test.each([
    ["issuer", { issuer: undefined }, "issuer"],
    ["subject", { subject: undefined }, "subject"],
    ["discord.username", { discord: { id: "1", username: undefined } }, "discord.username"],
    ["string(discord.created_at)", { discord: { id: undefined, username: "a" } }, "discord.created_at"],
    ["string(discord.created_at)", { discord: { id: "anna", username: "a" } }, "discord.created_at"],
    ["string(discord.created_at)", { discord: { id: "9".repeat(40), username: "a" } }, "discord.created_at"],
  ])("takes %s for unknown where nobody knows it", async (expression, facts, missing) => {
    const rules = await rulesOf(`platform_username = '${expression}'\n${recordOf("true")}`);

    expect(evaluateRules(rules, factsOf({}, facts)).platformUsername).toEqual({
      outcome: "unknown",
      missing,
    });
  });

  test("reads sources beside claims, and takes one that did not answer for unknown", async () => {
    const rules = await rulesOf(
      `${recordOf('sources.graph.value.exists(g, g.id == claims.wanted || g.id == "b")').replace(" || ", " && ").replace("claims.wanted", '"b"')}[[source]]\nname = "graph"\nurl = "https://graph.example.org/me"\n`,
    );
    const graph = { value: [{ id: "a" }, { id: "b" }] };

    expect(evaluateRules(rules, factsOf({}, { sources: { graph } })).records[0]?.outcome).toEqual({
      outcome: "value",
      value: "1",
    });
    expect(evaluateRules(rules, factsOf({})).records[0]?.outcome).toEqual({
      outcome: "unknown",
      missing: "sources.graph",
    });
  });

  test.each([
    ["anna", { outcome: "value", value: "anna" }],
    ["  an\u202ena\n", { outcome: "value", value: "anna" }],
    ["", { outcome: "value", value: "" }],
    [" \u200b ", { outcome: "value", value: "" }],
    ["n".repeat(101), { outcome: "error", reason: expect.stringContaining("over 100 characters") }],
    [5, { outcome: "error", reason: expect.stringContaining("not a text") }],
  ])("reads the platform username %j", (preferred_username, expected) => {
    const { platformUsername } = evaluateRules(DEFAULT_RULES, factsOf({ preferred_username }));

    expect(platformUsername).toEqual(expected as Outcome<string>);
  });

  test("ends in one of the three ways, whatever the claims are", async () => {
    const rules = await rulesOf(
      [
        "platform_username = 'claims.preferred_username + claims.name'",
        '[admit]\nwhen = \'claims.groups.exists(g, g.startsWith("a") || g.b == 1)\'\nmessage.en = "No."',
        recordOf('"a" in claims.groups', "boolean_equal", "a"),
        recordOf("size(claims.groups) + int(claims.name)", "integer_equal", "b"),
        recordOf("timestamp(claims.name)", "datetime_less_than_or_equal", "c"),
        recordOf("claims.groups[0].groups == claims", "boolean_equal", "d").replace(
          "== claims",
          "== claims.name",
        ),
        recordOf("claims.groups.filter(g, g > 3).size()", "integer_equal", "e"),
      ].join("\n"),
    );
    fc.assert(
      fc.property(anyClaims, (claims) => {
        const verdict = evaluateRules(rules, factsOf(keepClaims(rules, claims)));

        for (const { outcome } of [
          verdict.admitted,
          verdict.platformUsername,
          ...verdict.records.map((r) => r.outcome),
        ])
          expect(["value", "unknown", "error"]).toContain(outcome);
      }),
      { numRuns: 500 },
    );
  });
});

describe("evaluateAdmission()", () => {
  test.each([
    [{ ok: true }, { outcome: "value", value: true }],
    [{ ok: false }, { outcome: "value", value: false }],
    [{}, { outcome: "unknown", missing: "claims.ok" }],
    [{ ok: 1 }, { outcome: "error", reason: expect.any(String) }],
  ])("says of %j what the rule says", async (claims, expected) => {
    const rules = await rulesOf(`[admit]\nwhen = 'claims.ok'\nmessage.en = "No."\n${recordOf("true")}`);

    expect(evaluateAdmission(rules, factsOf(claims))).toEqual(expected as Outcome<boolean>);
    expect(evaluateRules(rules, factsOf(claims)).admitted).toEqual(expected as Outcome<boolean>);
  });

  test("admits everyone if the file does not say who may link", () => {
    expect(evaluateAdmission(DEFAULT_RULES, factsOf({}))).toEqual({ outcome: "value", value: true });
  });
});
