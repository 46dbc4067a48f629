/** The claims that Janus keeps: whatever a provider sends, they are storable and of one form. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { KeptClaims } from "../../lib/rules/claims.ts";
import { keepClaims, NEEDED_CLAIMS, organisationName } from "../../lib/rules/claims.ts";
import { anyClaims, isStorable, textsIn } from "../fixtures/any_claims.ts";

describe("keepClaims()", () => {
  test("keeps at most three claims, storable and of one form", () => {
    fc.assert(
      fc.property(anyClaims, (claims) => {
        const kept = keepClaims(claims);

        for (const name of Object.keys(kept))
          expect(["preferred_username", "name", "groups"]).toContain(name);
        expect(textsIn(kept).every(isStorable)).toBe(true);
        for (const name of [kept.preferred_username, kept.name]) {
          if (name !== undefined) expect(name.length).toBeWithin(1, 101);
        }
        expect(kept.groups === undefined || Array.isArray(kept.groups)).toBe(true);
        expect(new Set(kept.groups).size).toBe(kept.groups?.length ?? 0);
        expect(JSON.parse(JSON.stringify(kept))).toEqual(kept);
      }),
      { numRuns: 1_000 },
    );
  });

  test("changes nothing in claims that it has kept before", () => {
    fc.assert(
      fc.property(anyClaims, (claims) => {
        const kept = keepClaims(claims);

        expect(keepClaims(kept)).toEqual(kept);
      }),
      { numRuns: 1_000 },
    );
  });

  test("leaves no blank at the end of a name that it has cut", () => {
    const kept = keepClaims({ name: `${"n".repeat(99)} and more` });

    expect(kept).toEqual({ name: "n".repeat(99) });
    expect(keepClaims(kept)).toEqual(kept);
  });

  test.each([
    ["  Anna  ", "Anna"],
    ["An\0na\n", "Anna"],
    ["An\u200bna", "An\u200bna"],
    ["\u200b", undefined],
    ["Anna\ud83d", "Anna\ufffd"],
    ["n".repeat(101), "n".repeat(100)],
    [`${"n".repeat(99)}🐈`, "n".repeat(99)],
    [`${"n".repeat(98)}🐈`, `${"n".repeat(98)}🐈`],
    ["Åsa Öberg", "Åsa Öberg"],
    ["", undefined],
    [" \n\t ", undefined],
    ["\0", undefined],
    [null, undefined],
    [5, undefined],
    [true, undefined],
    [["Anna"], undefined],
    [{ name: "Anna" }, undefined],
  ])("reads the name %j as %p", (claim, expected) => {
    const kept = keepClaims({ name: claim, preferred_username: claim });

    expect(kept).toEqual(expected === undefined ? {} : { name: expected, preferred_username: expected });
  });

  test.each([
    ["one text", "members", ["members"]],
    ["a list", ["members", "board"], ["members", "board"]],
    ["an empty list", [], []],
    [
      "an object keyed by role, as Zitadel has them",
      { admin: { "1": "org" }, member: {} },
      ["admin", "member"],
    ],
    ["an empty object", {}, []],
    ["a list with one name twice", ["a", "b", "a"], ["a", "b"]],
    ["paths, as Keycloak has them", ["/a/b", "/a"], ["/a/b", "/a"]],
    ["a list with other things in it", ["a", 1, null, ["b"], { c: 1 }, "d"], ["a", "d"]],
    ["a list with names that no database takes", ["a", "b\0", "\ud800", "c"], ["a", "c"]],
    ["names that differ in case and in blanks", ["A", "a", " a"], ["A", "a", " a"]],
  ])("reads groups given as %s", (_, groups, expected) => {
    expect(keepClaims({ groups })).toEqual({ groups: expected });
  });

  test.each([[undefined], [null], [true], [5]])("takes groups of %p for absent, not for empty", (groups) => {
    expect(keepClaims({ groups })).toEqual({});
  });

  test.each([[[1, 2]], [[null]], [[{ name: "members" }]], [[["members"]]]])(
    "takes the groups %j for absent, not for empty",
    (groups) => {
      expect(keepClaims({ groups })).toEqual({});
    },
  );

  test("keeps the name of a group whole, however long it is", () => {
    const group = fc.string({ unit: "grapheme", minLength: 1, maxLength: 3_000 }).filter(isStorable);
    fc.assert(
      fc.property(fc.uniqueArray(group), (groups) => {
        expect(keepClaims({ groups }).groups).toEqual(groups);
      }),
    );
  });

  test("ignores claims that are named like parts of an object", () => {
    const claims = JSON.parse('{"__proto__": {"groups": ["admins"], "name": "x"}, "constructor": "y"}');

    expect(keepClaims(claims)).toEqual({});
  });
});

describe("organisationName()", () => {
  test.each<[KeptClaims, string | undefined]>([
    [{ preferred_username: "anna", name: "Anna A" }, "anna"],
    [{ name: "Anna A" }, "Anna A"],
    [{ groups: ["members"] }, undefined],
    [{}, undefined],
  ])("reads %j as %p", (claims, expected) => {
    expect(organisationName(claims)).toBe(expected);
  });
});

describe("NEEDED_CLAIMS", () => {
  test("names claims that Janus keeps", () => {
    const kept = keepClaims(Object.fromEntries(NEEDED_CLAIMS.map((name) => [name, "x"])));

    expect(Object.keys(kept)).toEqual([...NEEDED_CLAIMS]);
  });
});
