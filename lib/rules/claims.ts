/**
 * The rules: from what a provider says of a member to what Discord is told. This room is pure, without network, clock
 * or database: claims go in (this file), records and values come out (`records.ts`, `role_connection.ts`). It leaves to
 * `oidc/` who has signed the claims, and to `link/` and `sync/` whether a link exists and when it is pushed.
 */
import { cleanName, readName } from "../text/shown_name.ts";

/** The claims that Janus keeps, in the form that it stores. It stores no others: what is not kept cannot leak. */
export type KeptClaims = {
  readonly preferred_username?: string;
  readonly name?: string;
  readonly groups?: readonly string[];
};

/** Janus asks UserInfo for these claims where the ID Token lacks them. OpenID Connect Core 5.3 */
export const NEEDED_CLAIMS = ["preferred_username", "groups"] as const;

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

function readGroups(claim: unknown): readonly string[] | undefined {
  if (typeof claim === "string") return cleanGroups([claim]);
  if (Array.isArray(claim)) return cleanGroups(claim);
  if (typeof claim === "object" && claim !== null) return cleanGroups(Object.keys(claim));
  return undefined;
}

/**
 * Group names are compared, so each is kept whole or not at all: a shortened name might be another group's. A list in
 * which no name can be read counts as absent: it does not say that the member has no groups.
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
