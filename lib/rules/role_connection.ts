/** The role connection: what Discord is told about one member, a value for each metadata record. */
import type { KeptClaims } from "./claims.ts";

/** What is pushed for one member. Values are strings, "1" for true: Discord takes JSON `true` and never matches it. */
export type RoleConnection = {
  readonly platform_name: string;
  readonly platform_username?: string;
  readonly metadata: Readonly<Record<string, string>>;
};

/** Builds the role connection of a member who has signed in at the organisation. */
export function buildRoleConnection(platformName: string, claims: KeptClaims): RoleConnection {
  const { preferred_username } = claims;
  return {
    platform_name: platformName,
    ...(preferred_username === undefined ? {} : { platform_username: preferred_username }),
    metadata: { dsek_member: "1" },
  };
}
