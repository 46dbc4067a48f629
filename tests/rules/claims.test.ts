/** The claims that Janus keeps: whole, and as PostgreSQL can store them, whatever a provider sends. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { StoredClaims } from "../../lib/rules/claims.ts";
import { keepClaims, keepSources, organisationName, readNameClaim } from "../../lib/rules/claims.ts";
import { MAX_DEPTH } from "../../lib/rules/values.ts";
import { anyClaims, textsIn } from "../fixtures/any_claims.ts";

const RULES = { neededClaims: ["groups", "preferred_username"] };

describe("keepClaims()", () => {
  test("keeps claims whole, and only the needed ones that jsonb takes", () => {
    fc.assert(
      fc.property(anyClaims, (claims) => {
        const kept = keepClaims(RULES, claims);

        for (const [name, claim] of Object.entries(kept)) {
          expect(["preferred_username", "name", "groups"]).toContain(name);
          expect(claim).toEqual(new Map<string, unknown>(Object.entries(claims)).get(name));
        }
        expect(textsIn(kept).every((text) => text.isWellFormed() && !text.includes("\0"))).toBe(true);
        expect(keepClaims(RULES, kept)).toEqual(kept);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ["a text", "members"],
    ["a list", ["members", 1, null, { a: "b" }]],
    ["an empty list", []],
    ["an object keyed by role", { admin: { "1": "org" } }],
    ["a number", 5],
    ["false", false],
  ])("keeps %s in the form in which it came", (_, groups) => {
    expect(keepClaims(RULES, { groups })).toEqual({ groups });
  });

  test.each([
    ["null", null],
    ["nothing", undefined],
    ["a NUL", ["a", "b\0"]],
    ["half a character", "\ud800"],
    ["a number that JSON cannot write", JSON.parse("[1, 1e400]")],
    ["a NUL in a key", { "a\0": 1 }],
    ["lists in lists without end", nested(MAX_DEPTH + 1)],
  ])("takes a claim with %s for absent, and does not cut it to fit", (_, groups) => {
    expect(keepClaims(RULES, { groups, name: "Anna" })).toEqual({ name: "Anna" });
  });

  test("keeps what is nested as deeply as rules can read", () => {
    const groups = nested(MAX_DEPTH);

    expect(keepClaims(RULES, { groups })).toEqual({ groups });
  });

  test("keeps claims that are named like parts of an object, if a rule reads them", () => {
    const claims = JSON.parse('{"__proto__": {"groups": ["admins"]}, "constructor": "y"}');

    expect(keepClaims(RULES, claims)).toEqual({});
    expect(Object.entries(keepClaims({ neededClaims: ["constructor", "__proto__"] }, claims))).toEqual(
      Object.entries(claims),
    );
  });
});

test("keepSources() keeps whole answers of the sources that rules read, and no name of a member", () => {
  const rules = {
    sources: [
      { name: "graph", url: "" },
      { name: "other", url: "" },
    ],
  };

  const kept = keepSources(rules, { graph: { value: [1] }, other: ["a\0"], name: "Anna", more: [] });

  expect(kept).toEqual({ graph: { value: [1] } });
});

/** A list that is nested so deeply. */
function nested(depth: number): unknown {
  return depth === 0 ? "deep" : [nested(depth - 1)];
}

describe("readNameClaim()", () => {
  test.each([
    ["  Anna  ", "Anna"],
    ["An\0na\n", "Anna"],
    ["An\u200bna", "An\u200bna"],
    ["\u200b", undefined],
    ["Anna\ud83d", "Anna\ufffd"],
    ["n".repeat(101), "n".repeat(100)],
    [`${"n".repeat(99)} and more`, "n".repeat(99)],
    [`${"n".repeat(99)}🐈`, "n".repeat(99)],
    [`${"n".repeat(98)}🐈`, `${"n".repeat(98)}🐈`],
    ["Åsa Öberg", "Åsa Öberg"],
    ["", undefined],
    [" \n\t ", undefined],
    [null, undefined],
    [5, undefined],
    [["Anna"], undefined],
    [{ name: "Anna" }, undefined],
  ])("reads the name %j as %p", (claim, expected) => {
    expect(readNameClaim(claim)).toBe(expected);
  });
});

describe("organisationName()", () => {
  test.each<[StoredClaims, string | undefined]>([
    [{ preferred_username: "anna", name: "Anna A" }, "anna"],
    [{ preferred_username: 5, name: "Anna A" }, "Anna A"],
    [{ name: "Anna A" }, "Anna A"],
    [{ groups: ["members"] }, undefined],
    [{}, undefined],
  ])("reads %j as %p", (claims, expected) => {
    expect(organisationName(claims)).toBe(expected);
  });
});
