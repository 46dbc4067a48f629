/** Names that were mistyped. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { VARIABLES } from "../../lib/config/load.ts";
import { findTypo } from "../../lib/config/typo.ts";

const NAMES = VARIABLES.map(({ name }) => name);

describe("findTypo()", () => {
  test.each([
    ["OIDC_ISUER", "OIDC_ISSUER"],
    ["DISCORD_CLIENT_SECERT", "DISCORD_CLIENT_SECRET"],
    ["COOKIE_SECRETS", "COOKIE_SECRET"],
    ["DATBASE_URL", "DATABASE_URL"],
    ["DATABBASE_URL", "DATABASE_URL"],
    ["DATABASE_URI", "DATABASE_URL"],
    ["DATABASE_ULR", "DATABASE_URL"],
    ["DATABASE_URL", "DATABASE_URL"],
  ])("takes %s for %s", (word, meant) => {
    expect(findTypo(word, NAMES)).toBe(meant);
  });

  test.each([
    ["two slips", "DATBASE_ULR"],
    ["two letters that are not neighbours", "DATABASE_LRU"],
    ["the beginning of a name", "DATA"],
    ["a short word", "PROT"],
    ["another program's name", "HOSTNAME"],
    ["another program's short name", "PATH"],
    ["nothing", ""],
    ["a million letters", "x".repeat(1_000_000)],
  ])("takes %s for no name", (_, word) => {
    expect(findTypo(word, NAMES)).toBeUndefined();
  });

  test("finds whatever one slip makes of a name", () => {
    const meant = "OIDC_ISSUER";
    const slip = fc.tuple(fc.constantFrom(0, 1, 2, 3), fc.nat(meant.length - 2), fc.constantFrom(..."ABC_"));

    fc.assert(
      fc.property(slip, ([kind, at, letter]) => {
        const [before, one, two, after] = [meant.slice(0, at), meant[at], meant[at + 1], meant.slice(at + 2)];
        const word = [`${two}${one}`, `${letter}${one}${two}`, `${two}`, `${letter}${two}`][kind];
        expect(findTypo(`${before}${word}${after}`, ["TOKEN_KEYS", meant])).toBe(meant);
      }),
    );
  });
});
