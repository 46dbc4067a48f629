/**
 * The rules: from what a provider says of a member to what Discord is told. This room is pure, without network, clock
 * or database.
 *
 *   file.ts              the rules file becomes a rule set, or all its faults (`rule_set.ts`)
 *   rule.ts              one expression: parsed (`cel.ts`), within bounds (`subset.ts`, `work.ts`), and what it reads
 *   claims.ts            which claims are kept, in the form in which they came, and what that says of the others
 *   presence.ts          which of them an expression asks whether they are there
 *   evaluate.ts          claims become values for Discord, or unknown, or an error
 *   role_connection.ts   the values become the body of a push
 *
 * It leaves to `oidc/` who has signed the claims, and to `link/` and `sync/` whether a link exists and when it is pushed.
 */
import { cleanName, readName } from "../text/shown_name.ts";
import type { RuleSet } from "./rule_set.ts";
import { isStorable } from "./values.ts";

/** Claims as Janus stores them: JSON, each claim whole. It stores no others: what is not kept cannot leak. */
export type StoredClaims = Readonly<Record<string, unknown>>;

/** The claims that name a member, in the order of preference. OpenID Connect Core 5.1 */
export const NAME_CLAIMS = ["preferred_username", "name"] as const;

const MAX_NAME_LENGTH = 100;

/**
 * Picks the claims that rules and names read. A claim is kept whole or not at all: one that the database cannot store as
 * it is counts as absent, since a shortened one could say something else.
 */
export function keepClaims(
  { neededClaims }: Pick<RuleSet, "neededClaims">,
  claims: StoredClaims,
): StoredClaims {
  return pick(claims, [...neededClaims, ...NAME_CLAIMS]);
}

/**
 * The claims of a sign-in as they are stored: those that are kept, and null for each that a rule reads and the provider left
 * out. Rules that come later may read a claim of which nobody knows whether it was left out.
 */
export function storeClaims(
  rules: Pick<RuleSet, "neededClaims" | "claimsRead">,
  claims: StoredClaims,
): StoredClaims {
  const leftOut = rules.claimsRead.filter(
    (name) => !ALWAYS_ASKED.includes(name) && (!Object.hasOwn(claims, name) || claims[name] === null),
  );
  return { ...Object.fromEntries(leftOut.map((name) => [name, null])), ...keepClaims(rules, claims) };
}

/**
 * The claims of a member as they are stored after they were read again. If that reading could not tell whether the provider
 * left a claim out, since no ID Token came, what is stored of that claim stays.
 */
export function renewClaims(
  rules: Pick<RuleSet, "neededClaims" | "claimsRead">,
  stored: StoredClaims,
  { claims, isWhole }: { readonly claims: StoredClaims; readonly isWhole: boolean },
): StoredClaims {
  if (isWhole) return storeClaims(rules, claims);
  const wanted = new Set<string>([...rules.neededClaims, ...rules.claimsRead, ...NAME_CLAIMS]);
  const kept = Object.entries(stored).filter(([name]) => wanted.has(name));
  return { ...Object.fromEntries(kept), ...keepClaims(rules, claims) };
}

/** The claims that were asked for when these were stored. */
export const askedOf = (stored: StoredClaims): readonly string[] => [...ALWAYS_ASKED, ...Object.keys(stored)];

/** Whatever the rules are, and in every release. */
const ALWAYS_ASKED: readonly string[] = ["preferred_username"];

/** Picks the answers of the sources that rules read, by the names of the sources, in the same way. */
export function keepSources(
  { sources: read }: Pick<RuleSet, "sources">,
  answers: Readonly<Record<string, unknown>>,
): StoredClaims {
  return pick(
    answers,
    read.map(({ name }) => name),
  );
}

function pick(all: StoredClaims, names: readonly string[]): StoredClaims {
  const wanted = new Set(names);
  const kept = Object.entries(all).filter(
    ([name, json]) => wanted.has(name) && json !== null && json !== undefined && isStorable(json),
  );
  return Object.fromEntries(kept);
}

/** The member's name at the organisation as pages show it; undefined if no claim gives one. */
export function organisationName(claims: StoredClaims): string | undefined {
  return readNameClaim(claims.preferred_username) ?? readNameClaim(claims.name);
}

/** A name that pages take, at most 100 long; undefined if it has no visible character, or is not a text. */
export function readNameClaim(claim: unknown): string | undefined {
  if (typeof claim !== "string") return undefined;
  let cut = "";
  for (const char of cleanName(claim)) {
    if (cut.length + char.length > MAX_NAME_LENGTH) break;
    cut += char;
  }
  return readName(cut);
}
