/** The role connection: whatever claims a member has, Discord accepts what is pushed. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { keepClaims } from "../../lib/rules/claims.ts";
import { buildRoleConnection } from "../../lib/rules/role_connection.ts";
import { anyClaims, isStorable, textsIn } from "../fixtures/any_claims.ts";
import { checkRoleConnection } from "../standins/discord_limits.ts";

const PLATFORM_NAME = "D-sektionen";

describe("buildRoleConnection()", () => {
  test("gives what Discord accepts, whatever the claims are", () => {
    fc.assert(
      fc.property(anyClaims, (claims) => {
        const connection = buildRoleConnection(PLATFORM_NAME, keepClaims(claims));

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

  test('writes true as "1", since no role matches JSON true', () => {
    expect(buildRoleConnection(PLATFORM_NAME, {})).toEqual({
      platform_name: PLATFORM_NAME,
      metadata: { dsek_member: "1" },
    });
  });

  test("takes platform_username from preferred_username alone", () => {
    expect(buildRoleConnection(PLATFORM_NAME, { preferred_username: "anna", name: "Anna A" })).toMatchObject({
      platform_username: "anna",
    });
    expect(buildRoleConnection(PLATFORM_NAME, { name: "Anna A" })).not.toHaveProperty("platform_username");
  });
});
