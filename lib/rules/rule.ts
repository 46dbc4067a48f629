/** A rule: one expression that was read, checked, and found to be of limited work. `evaluate.ts` runs it. */
import type { Expression, ExpressionFault, ResultType } from "./cel.ts";
import { parseExpression, TIMESTAMP } from "./cel.ts";
import type { Tested } from "./presence.ts";
import { findTested } from "./presence.ts";
import { findReads } from "./subset.ts";
import type { Work } from "./work.ts";
import { findWork, MAX_WORK_ALONE } from "./work.ts";

/** An expression that is ready to run. */
export type Rule = {
  readonly expression: string;
  /** The claims that it names, whether a run needs them or not. */
  readonly claimsRead: readonly string[];
  readonly sourcesRead: readonly string[];
  /** Those of them that it asks whether they are there. */
  readonly tested: Tested;
  /** Whether it reads `discord` or `linked_at`. */
  readonly readsAccount: boolean;
  readonly run: Expression["run"];
  readonly work: Work;
};

/** What a rule gives. */
export type RuleKind = "boolean" | "integer" | "datetime" | "text";

const RESULTS: Readonly<Record<RuleKind, { readonly type: ResultType; readonly words: string }>> = {
  boolean: { type: "bool", words: "true or false" },
  integer: { type: "int", words: "a whole number" },
  datetime: { type: TIMESTAMP, words: 'a point in time, such as timestamp("2026-01-31T00:00:00Z")' },
  text: { type: "string", words: "a text" },
};

/** In UTF-16 code units. */
export const MAX_EXPRESSION_LENGTH = 4_096;

/**
 * Reads an expression that gives a value of this kind, or finds its first fault. Where the kind is not known, because the
 * type of the record is wrong, any result will do.
 */
export function readRule(
  expression: string,
  kind: RuleKind | undefined,
  sourceNames: readonly string[],
): Rule | ExpressionFault {
  if (expression.length > MAX_EXPRESSION_LENGTH)
    return { offset: 0, reason: `the expression is over ${MAX_EXPRESSION_LENGTH} characters long` };
  const parsed = parseExpression(expression);
  if ("reason" in parsed) return parsed;
  const reads = findReads(parsed.root, sourceNames);
  if ("reason" in reads) return reads;
  const checked = parsed.check();
  if ("reason" in checked) return checked;
  const mismatch = kind === undefined ? undefined : findMismatch(checked.type, kind);
  if (mismatch !== undefined) return { offset: 0, reason: mismatch };
  const work = findWork(parsed.root);
  if (work.once > MAX_WORK_ALONE)
    return { offset: 0, reason: "the expression takes too long, whatever the claims are: make it shorter" };
  return {
    expression,
    claimsRead: reads.claims,
    sourcesRead: reads.sources,
    tested: findTested(parsed.root),
    readsAccount: reads.account,
    run: parsed.run,
    work,
  };
}

function findMismatch(given: ResultType, kind: RuleKind): string | undefined {
  const { type, words } = RESULTS[kind];
  if (given === type || given === "dyn") return undefined;
  return `the expression gives ${describeType(given)}, and ${words} is needed`;
}

/** A type of CEL in words. */
function describeType(type: ResultType): string {
  if (type.startsWith("list")) return "a list";
  if (type.startsWith("map")) return "a map";
  return TYPE_WORDS[type] ?? type;
}

const TYPE_WORDS: Readonly<Record<ResultType, string>> = {
  bool: "true or false",
  int: "a whole number",
  double: "a number with a fraction (int() makes a whole one)",
  string: "a text (timestamp() reads one as a time, int() as a number)",
  null: "null",
  "google.protobuf.Timestamp": "a point in time",
  "google.protobuf.Duration": "a length of time",
};
