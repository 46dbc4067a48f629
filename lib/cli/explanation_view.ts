/**
 * An explanation of one member as the operator reads it, and as JSON. It shows values of claims, because the operator asks
 * about this member. They come from the provider, so they are made printable and cut.
 */
import type { Explained, Explanation, Push } from "../operator/explain.ts";
import type { Facts, Outcome } from "../rules/evaluate.ts";
import type { Rule } from "../rules/rule.ts";
import { toJson } from "../text/json_text.ts";
import { printable } from "../text/printable.ts";
import { formatTable } from "./table.ts";

const MOST_OF_VALUE = 400;

/** As JSON: what would be pushed, and how each record came to its value. */
export function explanationAsJson({ admitted, admin, push, records }: Explanation) {
  const body = push.kind === "put" ? push.body : undefined;
  return {
    admitted: admitted.outcome === "value" ? admitted.value : null,
    administers: admin?.outcome.outcome === "value" ? admin.outcome.value : null,
    platform_username: body?.platform_username ?? null,
    metadata: body?.metadata ?? {},
    records: records.map(({ key, rule, outcome }) => ({
      key,
      outcome: outcome.outcome,
      value: outcome.outcome === "value" ? outcome.value : null,
      claims_read: rule.claimsRead,
      reason: reasonOf(outcome) ?? null,
    })),
  };
}

/** Whether a rule ended in an error. */
export const hasErrors = ({ admit, admin, platformUsername, records }: Explanation): boolean =>
  [admit, admin, platformUsername, ...records].some((explained) => explained?.outcome.outcome === "error");

/** For the operator: each rule with what it read, and then what is pushed. */
export function describeExplanation(explanation: Explanation, facts: Facts): string {
  const { admit, admin, platformUsername, records, push } = explanation;
  return [
    ...(admit === undefined ? [] : [describeRule("admit", admit, facts)]),
    ...(admin === undefined ? [] : [describeRule("admin", admin, facts)]),
    ...(platformUsername === undefined ? [] : [describeRule("platform_username", platformUsername, facts)]),
    ...records.map((record) => describeRule(`record ${record.key}`, record, facts)),
    describePush(push),
  ].join("\n\n");
}

function describeRule(name: string, { rule, outcome }: Explained<string | boolean>, facts: Facts): string {
  const lines = rule.expression
    .trim()
    .split("\n")
    .map((line) => printable(line.trimEnd()));
  const rows = [
    ...lines.map((line, index) => [index === 0 ? "rule" : "", line]),
    ...readsOf(rule, facts).map((read, index) => [index === 0 ? "reads" : "", read]),
    [outcome.outcome, describeOutcome(outcome)],
  ];
  return `${name}\n${formatTable(rows, "  ")}`;
}

/** Each claim and each answer of a source that the rule names, with its value. */
function readsOf({ claimsRead, sourcesRead }: Rule, { claims, sources }: Facts): readonly string[] {
  return [
    ...claimsRead.map((name) => describeRead(`claims.${name}`, claims, name)),
    ...sourcesRead.map((name) => describeRead(`sources.${name}`, sources, name)),
  ];
}

function describeRead(path: string, all: Readonly<Record<string, unknown>>, name: string): string {
  const isThere = Object.hasOwn(all, name) && all[name] !== null;
  const shown = isThere ? `= ${printable(toJson(all[name]), MOST_OF_VALUE)}` : "is absent";
  return `${printable(path)} ${shown}`;
}

function describeOutcome(outcome: Outcome<string | boolean>): string {
  if (outcome.outcome === "value") return printable(toJson(outcome.value));
  return reasonOf(outcome) ?? "";
}

function reasonOf(outcome: Outcome<unknown>): string | undefined {
  if (outcome.outcome === "value") return undefined;
  return printable(outcome.outcome === "unknown" ? `${outcome.missing} is not known` : outcome.reason);
}

function describePush(push: Push): string {
  switch (push.kind) {
    case "put":
      return `A push tells Discord:\n${toJson(push.body, 2)}`;
    case "clear":
      return "A push clears the role connection: the member is not admitted.";
    case "keep":
      return "Nothing is linked or pushed: the member is not admitted.";
  }
}
