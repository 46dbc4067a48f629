/** What the rules say of a member whose link is stored, by the claims that were stored with it. */
import type { WorkDeps } from "../deps.ts";
import { isUsernameIssuer } from "../oidc/username_issuer.ts";
import { askedOf } from "../rules/claims.ts";
import type { Facts, Outcome, Verdict } from "../rules/evaluate.ts";
import { evaluateRules } from "../rules/evaluate.ts";
import type { Pushed } from "../rules/role_connection.ts";

/** What evaluating works with. */
export type RuleDeps = Pick<WorkDeps, "rules" | "ruleFaults" | "now">;

/** A link as a statement gives it, as far as the rules read it. */
export type LinkedMember = {
  readonly discordUserId: string;
  readonly username: string;
  readonly issuer: string;
  readonly subject: string;
  readonly claims: Facts["claims"];
  readonly sources: Facts["sources"];
  readonly linkedAt: Date;
  /** When an operator imported the link; null if the member has made it, or has signed in since. */
  readonly importedAt: Date | null;
};

/** What Discord last took of a link. */
export type PushedBefore = {
  /** Null before the first push. */
  readonly pushedMetadata: Readonly<Record<string, string>> | null;
  readonly pushedPlatformUsername: string | null;
  /** Since when Discord has nothing, because the member is not admitted any more. */
  readonly clearedAt: Date | null;
};

/** Whether the rules let a member link. A rule in error says as little as one whose claim is missing. */
export type Admission = "admitted" | "refused" | "unknown";

/** The admission that an outcome means. */
export function readAdmission(admitted: Outcome<boolean>): Admission {
  if (admitted.outcome !== "value") return "unknown";
  return admitted.value ? "admitted" : "refused";
}

/** Evaluates the rules for a stored link. The log is told of a rule in error. Never throws. */
export function evaluateLink(deps: RuleDeps, member: LinkedMember): Verdict {
  const verdict = evaluateRules(deps.rules, factsOf(member, deps.now()));
  deps.ruleFaults.tell(verdict);
  return verdict;
}

/** What the rules read of a stored link. */
export function factsOf(member: LinkedMember, now: Date): Facts {
  const { discordUserId: id, username, issuer, subject, claims, sources, linkedAt } = member;
  if (member.importedAt !== null) return factsOfImported(member, now);
  return {
    claims,
    claimsAsked: askedOf(claims),
    sources,
    issuer,
    subject,
    discord: { id, username },
    linkedAt,
    now,
  };
}

/**
 * Of an imported link only what the import said is known: nobody has asked the provider for the other claims, and when the
 * member linked the first time nobody knows. An account that is known by its username alone has no subject yet. A Discord
 * account without a username stands under its id, so that pages can name it.
 */
function factsOfImported(member: LinkedMember, now: Date): Facts {
  const { discordUserId: id, username, issuer, subject, claims, sources } = member;
  const isNamedOnly = isUsernameIssuer(issuer);
  return {
    claims,
    claimsAsked: Object.keys(claims),
    sources,
    issuer: isNamedOnly ? undefined : issuer,
    subject: isNamedOnly ? undefined : subject,
    discord: { id, username: username === id ? undefined : username },
    linkedAt: undefined,
    now,
  };
}

/** What was pushed last; undefined before the first push. */
export function pushedOf({ pushedMetadata, pushedPlatformUsername }: PushedBefore): Pushed | undefined {
  if (pushedMetadata === null) return undefined;
  return { metadata: pushedMetadata, platformUsername: pushedPlatformUsername };
}
