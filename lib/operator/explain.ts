/**
 * Why a member has what they have: what each rule makes of their claims, and what a push would do with that. It reads and
 * evaluates, and changes nothing. The rules themselves are in `rules/`, and pushes in `sync/`.
 */
import type { Queries } from "../database/queries.ts";
import type { Facts, Outcome, Verdict } from "../rules/evaluate.ts";
import { evaluateAdmin, evaluateRules } from "../rules/evaluate.ts";
import type { RoleConnection } from "../rules/role_connection.ts";
import { buildRoleConnection } from "../rules/role_connection.ts";
import type { Rule } from "../rules/rule.ts";
import type { RuleSet } from "../rules/rule_set.ts";
import type { PushedBefore } from "../sync/member_rules.ts";
import { pushedOf, readAdmission } from "../sync/member_rules.ts";

/** A stored link: what the rules read of it, and what Discord last took. */
export type StoredLink = Awaited<ReturnType<Queries["listLinks"]>>[number];

/** A rule and how it ended. */
export type Explained<Value> = { readonly rule: Rule; readonly outcome: Outcome<Value> };

/** What the rules make of one member. A rule that the file does not have is undefined. */
export type Explanation = {
  readonly admitted: Outcome<boolean>;
  readonly admit: Explained<boolean> | undefined;
  /** Whether they may use the page of administrators. */
  readonly admin: Explained<boolean> | undefined;
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
  facts: Facts,
  last: PushedBefore | undefined,
  platformName: string,
): Explanation {
  const verdict = evaluateRules(rules, facts);
  const { admit, admin, platformUsername } = rules;
  const outcomes = new Map(verdict.records.map(({ key, outcome }) => [key, outcome]));
  return {
    admitted: verdict.admitted,
    admit: admit && { rule: admit.when, outcome: verdict.admitted },
    admin: admin && { rule: admin, outcome: evaluateAdmin(rules, facts) },
    platformUsername: platformUsername && { rule: platformUsername, outcome: verdict.platformUsername },
    records: rules.records.flatMap(({ record: { key, name }, value }) => {
      const outcome = outcomes.get(key);
      return outcome === undefined ? [] : [{ key, name, rule: value, outcome }];
    }),
    push: decidePush(verdict, last, platformName),
  };
}

/** What a push of a link does, as `sync/push.ts` does it, and what linking does for somebody who has no link. */
function decidePush(verdict: Verdict, last: PushedBefore | undefined, platformName: string): Push {
  const admission = readAdmission(verdict.admitted);
  const hasNothing = last === undefined || last.clearedAt !== null;
  if (hasNothing && admission !== "admitted") return { kind: "keep" };
  if (admission === "refused") return { kind: "clear" };
  return { kind: "put", body: buildRoleConnection(platformName, verdict, last && pushedOf(last)) };
}
