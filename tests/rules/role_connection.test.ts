/** The role connection: whatever claims a member has, Discord accepts what is pushed, and unknown changes nothing. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { keepClaims } from "../../lib/rules/claims.ts";
import type { Outcome } from "../../lib/rules/evaluate.ts";
import { evaluateRules } from "../../lib/rules/evaluate.ts";
import type { Pushed } from "../../lib/rules/role_connection.ts";
import { buildRoleConnection, NOTHING_KNOWN } from "../../lib/rules/role_connection.ts";
import { DEFAULT_RULES } from "../../lib/rules/rule_set.ts";
import { anyClaims, isStorable, textsIn } from "../fixtures/any_claims.ts";
import { factsOf, recordOf, rulesOf } from "../fixtures/rules.ts";
import { checkRoleConnection } from "../standins/discord_limits.ts";

const PLATFORM_NAME = "D-sektionen";

const RULES = await rulesOf(
  [
    "platform_username = 'claims.preferred_username'",
    recordOf('"a" in claims.groups', "boolean_equal", "member"),
    recordOf("claims.level", "integer_equal", "level"),
    recordOf("timestamp(claims.since)", "datetime_less_than_or_equal", "since"),
  ].join("\n"),
);

/** Claims that fit the rules, lack some of them, or are of any other form. */
const claimsOfRules = fc.record(
  {
    preferred_username: fc.oneof(fc.string({ maxLength: 120 }), fc.jsonValue()),
    groups: fc.oneof(fc.array(fc.constantFrom("a", "b")), fc.jsonValue()),
    level: fc.oneof(fc.integer(), fc.double(), fc.jsonValue()),
    since: fc.oneof(
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      fc.jsonValue(),
    ),
  },
  { requiredKeys: [] },
);
const pushedBefore = fc.option(
  fc.record<Pushed>({
    metadata: fc.dictionary(
      fc.constantFrom("member", "level", "since", "dropped"),
      fc.constantFrom("0", "1", "7"),
    ),
    platformUsername: fc.option(fc.constantFrom("anna", "bo")),
  }),
  { nil: undefined },
);

describe("buildRoleConnection()", () => {
  test("gives what Discord accepts, whatever the claims are", () => {
    fc.assert(
      fc.property(fc.oneof(claimsOfRules, anyClaims), pushedBefore, (claims, pushed) => {
        const verdict = evaluateRules(RULES, factsOf(keepClaims(RULES, claims)));
        const connection = buildRoleConnection(PLATFORM_NAME, verdict, pushed);

        const sent: unknown = JSON.parse(JSON.stringify(connection));
        const taken = checkRoleConnection(sent);

        expect(taken).not.toBeInstanceOf(Response);
        expect(taken).toEqual({ platform_username: null, ...connection });
        for (const value of textsIn(connection)) {
          expect(isStorable(value)).toBe(true);
          expect(value.length).toBeWithin(1, 101);
        }
        expect(Object.keys(connection.metadata).length).toBeWithin(1, 6);
        expect(Object.values(connection.metadata).every((value) => typeof value === "string")).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  test("pushes a value as it is, and turns neither unknown nor an error into a change", () => {
    fc.assert(
      fc.property(claimsOfRules, pushedBefore, (claims, pushed) => {
        const verdict = evaluateRules(RULES, factsOf(keepClaims(RULES, claims)));

        const { metadata, platform_username } = buildRoleConnection(PLATFORM_NAME, verdict, pushed);

        for (const { key, outcome } of verdict.records)
          expect(metadata[key]).toBe(outcome.outcome === "value" ? outcome.value : pushed?.metadata[key]);
        const { platformUsername: name } = verdict;
        const expected = name.outcome === "value" ? name.value : (pushed?.platformUsername ?? "");
        expect(platform_username ?? "").toBe(expected);
      }),
      { numRuns: 1_000 },
    );
  });

  const unknown: Outcome<string> = { outcome: "unknown", missing: "claims.x" };
  const username: Outcome<string> = { outcome: "value", value: "" };

  test("pushes a key that no role can ask for if nothing is known of a member", () => {
    const verdict = { platformUsername: username, records: [{ key: "member", outcome: unknown }] };

    const { metadata } = buildRoleConnection(PLATFORM_NAME, verdict, undefined);

    expect(metadata).toEqual({ [NOTHING_KNOWN.key]: NOTHING_KNOWN.value });
  });

  test("forgets what was pushed for a record that the rules no longer have", () => {
    const pushed = { metadata: { member: "1", gone: "1" }, platformUsername: null };
    const verdict = { platformUsername: username, records: [{ key: "member", outcome: unknown }] };

    expect(buildRoleConnection(PLATFORM_NAME, verdict, pushed).metadata).toEqual({ member: "1" });
  });

  test('writes true as "1", since no role matches JSON true', () => {
    const verdict = evaluateRules(DEFAULT_RULES, factsOf({}));

    expect(buildRoleConnection(PLATFORM_NAME, verdict, undefined)).toEqual({
      platform_name: PLATFORM_NAME,
      metadata: { dsek_member: "1" },
    });
  });
});
