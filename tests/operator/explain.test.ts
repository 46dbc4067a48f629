/** What the rules make of one member, and what a push does with that. */
import { describe, expect, test } from "bun:test";
import { explainMember } from "../../lib/operator/explain.ts";
import type { Facts } from "../../lib/rules/evaluate.ts";
import type { PushedBefore } from "../../lib/sync/member_rules.ts";
import { recordOf, rulesOf } from "../fixtures/rules.ts";

const NOW = new Date("2026-11-28T12:00:00Z");
const FACTS: Facts = {
  claims: {},
  sources: {},
  issuer: "https://id.example",
  subject: "anna",
  discord: { id: "80351110224678912", username: "anna_d" },
  linkedAt: NOW,
  now: NOW,
};
const NEVER: PushedBefore = { pushedMetadata: null, pushedPlatformUsername: null, clearedAt: null };
const PUSHED: PushedBefore = { ...NEVER, pushedMetadata: { member: "1" }, pushedPlatformUsername: "anna" };
const CLEARED: PushedBefore = { ...NEVER, pushedMetadata: {}, clearedAt: NOW };

const RULES = await rulesOf(`platform_username = "claims.name"
[admit]
when = "claims.adult"
message.en = "No."
${recordOf('"m" in claims.groups', "boolean_equal", "member")}`);

describe("explainMember()", () => {
  test("says of each rule what it read and how it ended", () => {
    const claims = { adult: true, groups: ["m"], name: 7 };

    const { admitted, admit, platformUsername, records } = explainMember(
      RULES,
      { ...FACTS, claims },
      NEVER,
      "Guild",
    );

    expect(admitted).toEqual({ outcome: "value", value: true });
    expect(admit?.rule.claimsRead).toEqual(["adult"]);
    expect(platformUsername?.outcome.outcome).toBe("error");
    expect(records).toMatchObject([
      { key: "member", rule: { claimsRead: ["groups"] }, outcome: { outcome: "value", value: "1" } },
    ]);
  });

  const put = (metadata: Readonly<Record<string, string>>, name?: string) => ({
    kind: "put" as const,
    body: { platform_name: "Guild", ...(name === undefined ? {} : { platform_username: name }), metadata },
  });
  test.each([
    [
      "puts what the rules say",
      { adult: true, groups: ["m"], name: "Anna" },
      NEVER,
      put({ member: "1" }, "Anna"),
    ],
    ["keeps what is unknown", { adult: true }, PUSHED, put({ member: "1" }, "anna")],
    ["keeps what is in error", { adult: true, groups: 7, name: 7 }, PUSHED, put({ member: "1" }, "anna")],
    ["invents no value", { adult: true }, NEVER, put({ janus_nothing_known: "1" })],
    ["clears if refused", { adult: false, groups: ["m"] }, PUSHED, { kind: "clear" }],
    ["clears only once", { adult: false, groups: ["m"] }, CLEARED, { kind: "keep" }],
    ["does not clear if unknown", { groups: [] }, PUSHED, put({ member: "0" }, "anna")],
    ["does not bring back if unknown", { groups: ["m"] }, CLEARED, { kind: "keep" }],
    ["brings back if admitted again", { adult: true, groups: ["m"] }, CLEARED, put({ member: "1" })],
    ["links nobody who is refused", { adult: false, groups: ["m"] }, undefined, { kind: "keep" }],
    ["links nobody who is unknown", { groups: ["m"] }, undefined, { kind: "keep" }],
    ["links who is admitted", { adult: true, groups: [] }, undefined, put({ member: "0" })],
  ] as const)("%s", (_, claims, last, push) => {
    expect(explainMember(RULES, { ...FACTS, claims }, last, "Guild").push).toEqual(push);
  });

  test("knows nothing of facts that it was not given", async () => {
    const rules = await rulesOf(
      [
        ["issuer", 'issuer == ""'],
        ["subject", 'subject == ""'],
        ["account", 'discord.username == ""'],
        ["nothing", "true"],
      ]
        .map(([key = "", value = ""]) => recordOf(value, "boolean_equal", key))
        .join("\n"),
    );
    const unknown = {
      ...FACTS,
      issuer: undefined,
      subject: undefined,
      discord: { id: undefined, username: undefined },
    };

    const outcomes = (facts: Facts) =>
      explainMember(rules, facts, undefined, "Guild").records.map(({ outcome }) => outcome.outcome);

    expect(outcomes(unknown)).toEqual(["unknown", "unknown", "unknown", "value"]);
    expect(outcomes(FACTS)).toEqual(["value", "value", "value", "value"]);
  });
});
