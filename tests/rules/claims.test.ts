/** From claims to what Discord is told: whatever a provider puts into a claim, Discord and the database can take it. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import {
  buildRoleConnection,
  type KeptClaims,
  keepClaims,
  METADATA_RECORDS,
  NEEDED_CLAIMS,
  organisationName,
} from "../../lib/rules/role_connection.ts";
import { checkRecords, checkRoleConnection } from "../standins/discord-limits.ts";

// What takes milliseconds may take seconds on a machine that is busy.
setDefaultTimeout(30_000);

const PLATFORM_NAME = "D-sektionen";

/** Texts as nobody should send them: halves of characters, control characters, all of Unicode, and very long ones. */
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.string({
    unit: fc.constantFrom("a", " ", "\0", "\n", "\u0085", "\u2028", "\ud83d", "\udc08", "🐈", "é"),
    maxLength: 300,
  }),
  fc.string({ unit: "grapheme", minLength: 90, maxLength: 130 }),
);
const anyJson = fc.oneof(
  fc.jsonValue({ stringUnit: "binary" }),
  text,
  fc.array(text),
  fc.dictionary(text, fc.jsonValue()),
);
const anyClaims = fc.oneof(
  fc.dictionary(fc.string(), anyJson),
  fc.record({ preferred_username: anyJson, name: anyJson, groups: anyJson, sub: text }, { requiredKeys: [] }),
);

/** Every text in a value, keys included. */
function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...textsIn(inner)]);
}

const storable = (value: string) => value.isWellFormed() && !/\p{Cc}/u.test(value);

describe("keepClaims()", () => {
  test("keeps three claims at most, each storable and of one form, whatever comes", () => {
    fc.assert(
      fc.property(anyClaims, (claims) => {
        const kept = keepClaims(claims);

        for (const name of Object.keys(kept))
          expect(["preferred_username", "name", "groups"]).toContain(name);
        expect(textsIn(kept).every(storable)).toBe(true);
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

  test("finds nothing more to change in what it kept", () => {
    fc.assert(
      fc.property(anyClaims, (claims) => {
        const kept = keepClaims(claims);

        expect(keepClaims(kept)).toEqual(kept);
      }),
      { numRuns: 1_000 },
    );
  });

  test("leaves no space where it cut a name, so that a name read back is the name stored", () => {
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
  ])("reads a name of %j as %j", (claim, expected) => {
    const kept = keepClaims({ name: claim, preferred_username: claim });

    expect(kept).toEqual(expected === undefined ? {} : { name: expected, preferred_username: expected });
  });

  test.each([
    ["one as a text", "members", ["members"]],
    ["several", ["members", "board"], ["members", "board"]],
    ["none", [], []],
    ["roles as an object, as Zitadel has them", { admin: { "1": "org" }, member: {} }, ["admin", "member"]],
    ["an object without roles", {}, []],
    ["one twice", ["a", "b", "a"], ["a", "b"]],
    ["a path, as Keycloak has them", ["/a/b", "/a"], ["/a/b", "/a"]],
    ["something else among them", ["a", 1, null, ["b"], { c: 1 }, "d"], ["a", "d"]],
    ["one that no database takes among them", ["a", "b\0", "\ud800", "c"], ["a", "c"]],
    ["ones that differ in case and in space", ["A", "a", " a"], ["A", "a", " a"]],
  ])("reads groups: %s", (_, groups, expected) => {
    expect(keepClaims({ groups })).toEqual({ groups: expected });
  });

  test.each([[undefined], [null], [true], [5]])("takes groups of %j for absent, not for none", (groups) => {
    expect(keepClaims({ groups })).toEqual({});
  });

  test.each([[[1, 2]], [[null]], [[{ name: "members" }]], [[["members"]]]])(
    "takes groups of %j, a shape that it cannot read, for absent, not for none",
    (groups) => {
      expect(keepClaims({ groups })).toEqual({});
    },
  );

  test("keeps a group's name whole, however long", () => {
    const group = fc.string({ unit: "grapheme", minLength: 1, maxLength: 3_000 }).filter(storable);
    fc.assert(
      fc.property(fc.uniqueArray(group), (groups) => {
        expect(keepClaims({ groups }).groups).toEqual(groups);
      }),
    );
  });

  test("is not led astray by claims that are named like an object's own parts", () => {
    const claims = JSON.parse('{"__proto__": {"groups": ["admins"], "name": "x"}, "constructor": "y"}');

    expect(keepClaims(claims)).toEqual({});
  });
});

describe("buildRoleConnection()", () => {
  test("gives what Discord takes, unchanged, whatever the claims", () => {
    fc.assert(
      fc.property(anyClaims, (claims) => {
        const connection = buildRoleConnection(PLATFORM_NAME, keepClaims(claims));

        const sent: unknown = JSON.parse(JSON.stringify(connection));
        const taken = checkRoleConnection(sent);

        expect(taken).not.toBeInstanceOf(Response);
        expect(taken).toEqual({ platform_username: null, ...connection });
        for (const value of textsIn(connection)) {
          expect(storable(value)).toBe(true);
          expect(value.length).toBeWithin(1, 101);
        }
        expect(Object.keys(connection.metadata).length).toBeWithin(1, 6);
        expect(Object.values(connection.metadata).every((value) => typeof value === "string")).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  test('says "1", which a role matches, and never true, which none does', () => {
    expect(buildRoleConnection(PLATFORM_NAME, {})).toEqual({
      platform_name: PLATFORM_NAME,
      metadata: { dsek_member: "1" },
    });
  });

  test("names the member by preferred_username alone", () => {
    expect(buildRoleConnection(PLATFORM_NAME, { preferred_username: "anna", name: "Anna A" })).toMatchObject({
      platform_username: "anna",
    });
    expect(buildRoleConnection(PLATFORM_NAME, { name: "Anna A" })).not.toHaveProperty("platform_username");
  });
});

describe("METADATA_RECORDS", () => {
  test("are what Discord takes, and have every key that is pushed", () => {
    const taken = checkRecords(JSON.parse(JSON.stringify(METADATA_RECORDS)));

    expect(taken).toEqual(METADATA_RECORDS);
    const keys = METADATA_RECORDS.map(({ key }) => key);
    expect(keys).toEqual(Object.keys(buildRoleConnection(PLATFORM_NAME, {}).metadata));
    expect(METADATA_RECORDS.find(({ key }) => key === "dsek_member")?.type).toBe(7);
  });
});

describe("organisationName()", () => {
  test.each<[KeptClaims, string | undefined]>([
    [{ preferred_username: "anna", name: "Anna A" }, "anna"],
    [{ name: "Anna A" }, "Anna A"],
    [{ groups: ["members"] }, undefined],
    [{}, undefined],
  ])("of %j is %p", (claims, expected) => {
    expect(organisationName(claims)).toBe(expected);
  });
});

describe("NEEDED_CLAIMS", () => {
  test("are kept, each, so that UserInfo is not asked for nothing", () => {
    const kept = keepClaims(Object.fromEntries(NEEDED_CLAIMS.map((name) => [name, "x"])));

    expect(Object.keys(kept)).toEqual([...NEEDED_CLAIMS]);
  });
});
