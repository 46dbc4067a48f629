/**
 * From claims to what Discord is told: pure, without network or clock. Called by the use cases with claims that a
 * provider has signed, and by `register` for the records. Nothing here decides whether a link exists.
 */
import type { APIApplicationRoleConnectionMetadata } from "discord-api-types/v10";
import { cleanName, readName } from "../text/shown_name.ts";

/** The claims that Janus keeps, as it stores them. No others are stored: what is not kept cannot leak. */
export type KeptClaims = {
  readonly preferred_username?: string;
  readonly name?: string;
  readonly groups?: readonly string[];
};

/** What is pushed for one member. Values are strings, "1" for true: JSON `true` is taken and never matches. */
export type RoleConnection = {
  readonly platform_name: string;
  readonly platform_username?: string;
  readonly metadata: Readonly<Record<string, string>>;
};

/** Claims that UserInfo is asked for where the ID Token lacks them. OpenID Connect Core 5.3 */
export const NEEDED_CLAIMS = ["preferred_username", "groups"] as const;

/** ApplicationRoleConnectionMetadataType 7; the enum of discord-api-types is code, and only its types are used. */
const BOOLEAN_EQUAL = 7;

/** The metadata records that admins build linked roles on. At most 5; `register` replaces all of them. */
export const METADATA_RECORDS: readonly MetadataRecord[] = [
  {
    type: BOOLEAN_EQUAL,
    key: "dsek_member",
    name: "Member",
    name_localizations: { "sv-SE": "Medlem" },
    description: "Has an account at the organisation",
    description_localizations: { "sv-SE": "Har ett konto hos organisationen" },
  },
];

/** A metadata record as `register` puts it. */
export type MetadataRecord = Omit<APIApplicationRoleConnectionMetadata, "type"> & { readonly type: number };

const MAX_NAME_LENGTH = 100;
const CONTROL_CHARACTER = /\p{Cc}/u;

/**
 * Picks what Janus keeps from a provider's claims, in one form whatever form they came in: one group may come as a
 * text, roles as an object keyed by role (Zitadel). A claim of any other shape counts as absent, not as empty.
 */
export function keepClaims(claims: Readonly<Record<string, unknown>>): KeptClaims {
  const username = readNameClaim(claims.preferred_username);
  const name = readNameClaim(claims.name);
  const groups = readGroups(claims.groups);
  return {
    ...(username === undefined ? {} : { preferred_username: username }),
    ...(name === undefined ? {} : { name }),
    ...(groups === undefined ? {} : { groups }),
  };
}

/** The member's name at the organisation as pages and Discord show it; undefined where no claim gives one. */
export function organisationName(claims: KeptClaims): string | undefined {
  return claims.preferred_username ?? claims.name;
}

/** What Discord is told about a member who signed in at the organisation. */
export function buildRoleConnection(platformName: string, claims: KeptClaims): RoleConnection {
  const { preferred_username } = claims;
  return {
    platform_name: platformName,
    ...(preferred_username === undefined ? {} : { platform_username: preferred_username }),
    metadata: { dsek_member: "1" },
  };
}

function readGroups(claim: unknown): readonly string[] | undefined {
  if (typeof claim === "string") return cleanGroups([claim]);
  if (Array.isArray(claim)) return cleanGroups(claim);
  if (typeof claim === "object" && claim !== null) return cleanGroups(Object.keys(claim));
  return undefined;
}

/**
 * Group names are compared, so they are kept whole or not at all: a cut name might be another group's. A list of
 * which nothing can be read counts as absent: it does not say that there are no groups.
 */
function cleanGroups(groups: readonly unknown[]): readonly string[] | undefined {
  const kept = [...new Set(groups.filter(isGroupName))];
  return kept.length === 0 && groups.length > 0 ? undefined : kept;
}

function isGroupName(group: unknown): group is string {
  return typeof group === "string" && group.isWellFormed() && !CONTROL_CHARACTER.test(group);
}

/** A name that pages, PostgreSQL and Discord all take, at most 100 long; undefined if it has no visible character. */
function readNameClaim(claim: unknown): string | undefined {
  if (typeof claim !== "string") return undefined;
  let cut = "";
  for (const char of cleanName(claim)) {
    if (cut.length + char.length > MAX_NAME_LENGTH) break;
    cut += char;
  }
  return readName(cut);
}
