/**
 * Why a member has what they have: what each rule makes of their claims, and what a push would do with that. It reads and
 * evaluates, and changes nothing. The rules themselves are in `rules/`, and pushes in `sync/`.
 */
import type { Queries } from "../database/queries.ts";
import type { Facts, Outcome, Verdict } from "../rules/evaluate.ts";
import { evaluateRules } from "../rules/evaluate.ts";
import type { RoleConnection } from "../rules/role_connection.ts";
import { buildRoleConnection } from "../rules/role_connection.ts";
import type { Rule } from "../rules/rule.ts";
import type { RuleSet } from "../rules/rule_set.ts";

/** What is known of a member. Of a set of claims in a file, issuer and subject may not be. */
export type KnownFacts = Omit<Facts, "issuer" | "subject"> & {
  readonly issuer: string | undefined;
  readonly subject: string | undefined;
};

/** A stored link: what the rules read of it, and what Discord last took. */
export type StoredLink = Awaited<ReturnType<Queries["listLinks"]>>[number];

/** What Discord last took for a link. */
export type LastPush = {
  readonly pushedMetadata: Readonly<Record<string, string>> | null;
  readonly pushedPlatformUsername: string | null;
  readonly clearedAt: Date | null;
};

/** A rule and how it ended. */
export type Explained<Value> = { readonly rule: Rule; readonly outcome: Outcome<Value> };

/** What the rules make of one member. A rule that the file does not have is undefined. */
export type Explanation = {
  readonly admitted: Outcome<boolean>;
  readonly admit: Explained<boolean> | undefined;
  readonly platformUsername: Explained<string> | undefined;
  readonly records: readonly (Explained<string> & { readonly key: string; readonly name: string })[];
  readonly push: Push;
};

/** What a push does: `keep` leaves Discord as it is. */
export type Push =
  | { readonly kind: "put"; readonly body: RoleConnection }
  | { readonly kind: "clear" }
  | { readonly kind: "keep" };

/** Explains one member; `last` is undefined for somebody who has no link. */
export function explainMember(
  rules: RuleSet,
  facts: KnownFacts,
  last: LastPush | undefined,
  platformName: string,
): Explanation {
  const verdict = evaluateKnown(rules, facts);
  const { admit, platformUsername } = rules;
  const outcomes = new Map(verdict.records.map(({ key, outcome }) => [key, outcome]));
  return {
    admitted: verdict.admitted,
    admit: admit && { rule: admit.when, outcome: verdict.admitted },
    platformUsername: platformUsername && { rule: platformUsername, outcome: verdict.platformUsername },
    records: rules.records.flatMap(({ record: { key, name }, value }) => {
      const outcome = outcomes.get(key);
      return outcome === undefined ? [] : [{ key, name, rule: value, outcome }];
    }),
    push: decidePush(verdict, last, platformName),
  };
}

/** What a push of a link does, and what linking does for somebody who has none. */
export function decidePush(verdict: Verdict, last: LastPush | undefined, platformName: string): Push {
  const { admitted } = verdict;
  const isCleared = last === undefined || last.clearedAt !== null;
  if (admitted.outcome !== "value" && isCleared) return { kind: "keep" };
  if (admitted.outcome === "value" && !admitted.value) return { kind: isCleared ? "keep" : "clear" };
  const metadata = isCleared ? null : last.pushedMetadata;
  const pushed = metadata && { metadata, platformUsername: last?.pushedPlatformUsername ?? null };
  return { kind: "put", body: buildRoleConnection(platformName, verdict, pushed ?? undefined) };
}

/** What the rules read of a stored link. */
export const factsOf = (link: StoredLink, now: Date): Facts => ({
  claims: link.claims,
  sources: link.sources,
  issuer: link.issuer,
  subject: link.subject,
  discord: { id: link.discordUserId, username: link.username },
  linkedAt: link.linkedAt,
  now,
});

/** Evaluates the rules. One that reads an issuer or a subject that is not known is unknown. */
function evaluateKnown(rules: RuleSet, facts: KnownFacts): Verdict {
  const { issuer, subject } = facts;
  const verdict = evaluateRules(rules, { ...facts, issuer: issuer ?? "", subject: subject ?? "" });
  const read = <Value>(rule: Rule | undefined, outcome: Outcome<Value>): Outcome<Value> => {
    const missing = findUnknown(rule, { issuer, subject });
    return missing === undefined ? outcome : { outcome: "unknown", missing };
  };
  return {
    admitted: read(rules.admit?.when, verdict.admitted),
    platformUsername: read(rules.platformUsername, verdict.platformUsername),
    records: verdict.records.map(({ key, outcome }, index) => ({
      key,
      outcome: read(rules.records[index]?.value, outcome),
    })),
  };
}

/** The name also counts where the rule only quotes it: unknown is never wrong. */
const findUnknown = (
  rule: Rule | undefined,
  known: Readonly<Record<"issuer" | "subject", string | undefined>>,
): string | undefined =>
  Object.entries(known).find(
    ([name, value]) => value === undefined && new RegExp(`\\b${name}\\b`).test(rule?.expression ?? ""),
  )?.[0];
