/** A rule set: everything that the rules file says, or what holds without one. */
import type { Language } from "../text/languages.ts";
import type { MetadataRecord, RecordType } from "./records.ts";
import { RECORD_TYPES } from "./records.ts";
import type { Rule, RuleKind } from "./rule.ts";
import { readRule } from "./rule.ts";

/** A metadata record with the rule that gives its value. */
export type RuledRecord = {
  readonly record: MetadataRecord;
  readonly type: RecordType;
  readonly value: Rule;
};

/** An address that has more about a member, asked with their access token. Its answer is `sources.<name>`. */
export type ClaimSource = { readonly name: string; readonly url: string };

/** The name of the source that is no address: what a SCIM client tells. */
export const SCIM_SOURCE = "scim";

/** The operator's words for a member who may not link. English is always there. */
export type Messages = { readonly en: string } & Readonly<Partial<Record<Language, string>>>;

/** Who may link at all. */
export type Admission = { readonly when: Rule; readonly message: Messages };

/** The rules that are in force. */
export type RuleSet = {
  /** Of the file; undefined without one. */
  readonly path: string | undefined;
  /** Undefined if Discord is told no name. */
  readonly platformUsername: Rule | undefined;
  /** Undefined if everyone may link who can sign in. */
  readonly admit: Admission | undefined;
  /** Who may use the page of administrators; undefined if the page does not exist. */
  readonly admin: Rule | undefined;
  readonly records: readonly RuledRecord[];
  /** Only the sources that a rule reads. */
  readonly sources: readonly ClaimSource[];
  /** Whether a rule reads `sources.scim`: what a SCIM client tells of the member. It has no address. */
  readonly readsScim: boolean;
  /** The claims that any rule reads. */
  readonly claimsRead: readonly string[];
  /** The claims that UserInfo is asked for: those, and the one that names a member. */
  readonly neededClaims: readonly string[];
};

/** Puts a rule set together. */
export function createRuleSet(
  parts: Pick<RuleSet, "path" | "platformUsername" | "admit" | "admin" | "records" | "sources">,
): RuleSet {
  const { platformUsername, admit, admin, records } = parts;
  const rules = [platformUsername, admit?.when, admin, ...records.map(({ value }) => value)];
  const read = rules.flatMap((rule) => rule?.claimsRead ?? []);
  const sourcesRead = rules.flatMap((rule) => rule?.sourcesRead ?? []);
  const claimsRead = [...new Set(read)];
  return {
    ...parts,
    sources: parts.sources.filter(({ name }) => sourcesRead.includes(name)),
    readsScim: sourcesRead.includes(SCIM_SOURCE),
    claimsRead,
    neededClaims: [...new Set([...claimsRead, "preferred_username"])],
  };
}

/** Without a rules file: one record that everyone has who signs in, and the username of the provider. */
export const DEFAULT_RULES: RuleSet = createRuleSet({
  path: undefined,
  platformUsername: ownRule("claims.preferred_username", "text"),
  admit: undefined,
  admin: undefined,
  records: [
    {
      type: "boolean_equal",
      record: {
        type: RECORD_TYPES.boolean_equal,
        key: "dsek_member",
        name: "Member",
        name_localizations: { "sv-SE": "Medlem", de: "Mitglied" },
        description: "Has an account at the organisation",
        description_localizations: {
          "sv-SE": "Har ett konto hos organisationen",
          de: "Hat ein Konto bei der Organisation",
        },
      },
      value: ownRule("true", "boolean"),
    },
  ],
  sources: [],
});

function ownRule(expression: string, kind: RuleKind): Rule {
  const rule = readRule(expression, kind, []);
  if ("reason" in rule) throw new Error(`${expression}: ${rule.reason}`);
  return rule;
}
