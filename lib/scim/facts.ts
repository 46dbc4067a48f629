/**
 * What a SCIM client has told of a member, for the rules and for the end of a membership. It reads what is stored. A member
 * of whom no client has told is unknown, and unknown is not no.
 */
import * as v from "valibot";
import type { WorkDeps } from "../deps.ts";
import type { StoredClaims } from "../rules/claims.ts";
import type { RuleSet } from "../rules/rule_set.ts";
import { SCIM_SOURCE } from "../rules/rule_set.ts";

type Needs = Pick<WorkDeps, "config" | "queries">;

/** `sources.scim`. */
export type ScimFacts = { readonly active: boolean; readonly groups: readonly string[] };

const factsSchema = v.object({ active: v.boolean(), groups: v.pipe(v.array(v.string()), v.readonly()) });

/**
 * Reads them; undefined if no client has told of the member, or if there is none. Of an account that is not stored yet,
 * `scimSubject` is what `scimSubjectOf` gives.
 */
export async function readScimFacts(
  { config, queries }: Needs,
  { issuer, subject }: { readonly issuer: string; readonly subject: string },
  scimSubject: string | null = null,
): Promise<ScimFacts | undefined> {
  // OIDC_ISSUER was changed: the client tells of the members of another provider.
  if (config.scim === undefined || issuer !== config.oidc.issuer) return undefined;
  const { attribute } = config.scim;
  const row = await queries.findScimFacts({ attribute, issuer, subject, scimSubject });
  return row === undefined ? undefined : v.parse(factsSchema, row.facts);
}

/** What the client calls a member who signs in, by the claim that SCIM_CLAIM names; null where that is the subject. */
export function scimSubjectOf(
  { config }: { readonly config: Pick<Needs["config"], "scim"> },
  claims: StoredClaims,
): string | null {
  if (config.scim === undefined || config.scim.claim === "sub") return null;
  const { [config.scim.claim]: named } = claims;
  // No client calls a member nothing.
  return typeof named === "string" ? named : "";
}

/** The answers of the sources, with what the client tells if a rule reads it. */
export function withScim(
  { readsScim }: Pick<RuleSet, "readsScim">,
  sources: StoredClaims,
  facts: ScimFacts | undefined,
): StoredClaims {
  const { [SCIM_SOURCE]: _former, ...others } = sources;
  return readsScim && facts !== undefined ? { ...others, [SCIM_SOURCE]: facts } : others;
}

/** A link with what a client has told of its member. */
export type Heard<Link> = {
  readonly link: Link;
  /** Whether a rule reads it, and a client has told. */
  readonly isKnown: boolean;
  /** What is to be stored; null if nothing is. */
  readonly sources: StoredClaims | null;
  /** Whether the client says that the membership has ended. */
  readonly isGone: boolean;
};

type StoredMember = {
  readonly issuer: string;
  readonly subject: string;
  readonly sources: StoredClaims;
  readonly goneAt: Date | null;
};

/** Reads what a client has told of a member whose link is stored. */
export async function hearScim<Link extends StoredMember>(
  deps: Needs & Pick<WorkDeps, "rules" | "now">,
  link: Link,
): Promise<Heard<Link>> {
  const facts = await readScimFacts(deps, link);
  const isGone = facts?.active === false;
  const goneAt = isGone ? (link.goneAt ?? deps.now()) : link.goneAt;
  const isKnown = deps.rules.readsScim && facts !== undefined;
  // What a client told of a user that it has taken back is not known any more.
  const isStale = !isKnown && Object.hasOwn(link.sources, SCIM_SOURCE);
  const sources = isKnown || isStale ? withScim(deps.rules, link.sources, facts) : null;
  return { link: { ...link, goneAt, sources: sources ?? link.sources }, isKnown, sources, isGone };
}
