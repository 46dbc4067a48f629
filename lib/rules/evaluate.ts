/**
 * Evaluates the rules for one member. Each rule ends in one of three ways. A value. Unknown, if the expression needs a claim
 * that is absent; CEL's own `||`, `&&`, `?:` and has() decide what it needs. An error, if a value has a type that the rule
 * does not expect. It takes less than `MAX_WORK`, whatever the claims are.
 */
import { cleanName } from "../text/shown_name.ts";
import type { Node, Ran } from "./cel.ts";
import type { StoredClaims } from "./claims.ts";
import type { ValueKind } from "./records.ts";
import { valueKindOf } from "./records.ts";
import type { Rule } from "./rule.ts";
import type { RuleSet } from "./rule_set.ts";
import { textOf } from "./subset.ts";
import type { Measured } from "./values.ts";
import { describeJson, toCel } from "./values.ts";
import { MAX_WORK, unitsOf } from "./work.ts";

/** What is known of one member. */
export type Facts = {
  readonly claims: StoredClaims;
  /** The answers of the sources that answered, by name. */
  readonly sources: Readonly<Record<string, unknown>>;
  readonly issuer: string;
  readonly subject: string;
  /** Undefined where nobody asked Discord who the member is. */
  readonly discord: { readonly id: string; readonly username: string } | undefined;
  /** Undefined where there is no link, and none is about to be made. */
  readonly linkedAt: Date | undefined;
  readonly now: Date;
};

/** How a rule ended. `missing` is the claim that it needs. A reason names claims and types, and never a value. */
export type Outcome<Value> =
  | { readonly outcome: "value"; readonly value: Value }
  | { readonly outcome: "unknown"; readonly missing: string }
  | { readonly outcome: "error"; readonly reason: string };

/** What the rules say of one member. */
export type Verdict = {
  readonly admitted: Outcome<boolean>;
  /** The text that Discord shows; empty for none. */
  readonly platformUsername: Outcome<string>;
  /** For each record its value as Discord reads it. */
  readonly records: readonly { readonly key: string; readonly outcome: Outcome<string> }[];
};

/** https://discord.com/developers/docs/reference#snowflakes */
const DISCORD_EPOCH_MS = 1_420_070_400_000;
/** Discord's own limit of a platform username. */
const MAX_USERNAME_LENGTH = 100;
const MAX_INTEGER = BigInt(Number.MAX_SAFE_INTEGER);
const FIRST_YEAR = 1;
const LAST_YEAR = 9_999;

/** Evaluates every rule of the set. Never throws. */
export function evaluateRules(rules: RuleSet, facts: Facts): Verdict {
  const run = createRun(facts);
  return {
    admitted:
      rules.admit === undefined ? { outcome: "value", value: true } : run(rules.admit.when, asBoolean),
    platformUsername:
      rules.platformUsername === undefined
        ? { outcome: "value", value: "" }
        : run(rules.platformUsername, asUsername),
    records: rules.records.map(({ record, value }) => ({
      key: record.key,
      outcome: run(value, ENCODERS[valueKindOf(record.type)]),
    })),
  };
}

/** Evaluates who may link, and nothing else. Never throws. */
export function evaluateAdmission({ admit }: Pick<RuleSet, "admit">, facts: Facts): Outcome<boolean> {
  return admit === undefined ? { outcome: "value", value: true } : createRun(facts)(admit.when, asBoolean);
}

/** Reads what a run gave; undefined if it is of another type. A text says what is wrong with it. */
type Read<Value> = (value: unknown) => { readonly value: Value } | string;

/** Runs rules over the same facts, and stops when all of them together would take too long. */
function createRun(facts: Facts) {
  const claims = new Map<string, Measured | undefined>();
  const sources = new Map<string, Measured | undefined>();
  let workLeft = MAX_WORK;
  return <Value>(rule: Rule, read: Read<Value>): Outcome<Value> => {
    const inputs = [
      ...rule.claimsRead.map((name) => convertOnce(claims, name, facts.claims)),
      ...rule.sourcesRead.map((name) => convertOnce(sources, name, facts.sources)),
    ];
    const elements = inputs.reduce((sum, one) => sum + (one?.size.elements ?? 0), 0);
    const characters = inputs.reduce((sum, one) => sum + (one?.size.characters ?? 0), 0);
    const units = unitsOf(rule.work, { elements, characters });
    if (units > workLeft)
      return { outcome: "error", reason: `${listOf(rule)}: there is too much to evaluate` };
    workLeft -= units;
    if (rule.readsAccount && (facts.discord === undefined || facts.linkedAt === undefined))
      return { outcome: "unknown", missing: "discord, linked_at" };
    return describeRun(rule, facts, rule.run(variablesOf(facts, claims, sources)), read);
  };
}

function convertOnce(
  kept: Map<string, Measured | undefined>,
  name: string,
  all: Readonly<Record<string, unknown>>,
): Measured | undefined {
  if (!kept.has(name)) kept.set(name, Object.hasOwn(all, name) ? convertOrNothing(all[name]) : undefined);
  return kept.get(name);
}

/** What is nested too deeply counts as absent. A null says nothing. */
function convertOrNothing(json: unknown): Measured | undefined {
  if (json === null || json === undefined) return undefined;
  try {
    return toCel(json);
  } catch {
    return undefined;
  }
}

function variablesOf(
  { issuer, subject, discord, linkedAt, now }: Facts,
  claims: ReadonlyMap<string, Measured | undefined>,
  sources: ReadonlyMap<string, Measured | undefined>,
): Readonly<Record<string, unknown>> {
  return {
    claims: presentOf(claims),
    sources: presentOf(sources),
    issuer,
    subject,
    now,
    linked_at: linkedAt ?? now,
    discord: new Map<string, unknown>(
      discord === undefined
        ? []
        : [
            ["id", discord.id],
            ["username", discord.username],
            ["created_at", createdAt(discord.id)],
          ],
    ),
  };
}

function presentOf(measured: ReadonlyMap<string, Measured | undefined>): Map<string, unknown> {
  return new Map([...measured].flatMap(([name, one]) => (one === undefined ? [] : [[name, one.value]])));
}

const createdAt = (discordUserId: string): Date =>
  new Date(Number(BigInt(discordUserId) >> 22n) + DISCORD_EPOCH_MS);

function describeRun<Value>(rule: Rule, facts: Facts, ran: Ran, read: Read<Value>): Outcome<Value> {
  if (ran.ended === "missing_key")
    return { outcome: "unknown", missing: ran.node === undefined ? listOf(rule) : pathOf(ran.node) };
  const what =
    ran.ended === "error"
      ? (REASONS[ran.code] ?? "a value has a type that the rule does not expect")
      : read(ran.value);
  if (typeof what !== "string") return { outcome: "value", value: what.value };
  return { outcome: "error", reason: `${what} (${describeClaims(rule, facts)})` };
}

/** For codes of the library whose reason is not a type. */
const REASONS: Readonly<Record<string, string>> = {
  numeric_overflow: "a number is too large",
  division_by_zero: "the rule divides by zero",
  modulo_by_zero: "the rule divides by zero",
  index_out_of_range: "an index is out of range",
  bool_conversion_error: "bool() cannot read a value",
  int_conversion_error: "int() cannot read a value",
  double_conversion_error: "double() cannot read a value",
  invalid_timestamp: "timestamp() cannot read a value",
};

/** The claims that a rule reads, with the types that they have. */
function describeClaims(rule: Rule, { claims, sources }: Facts): string {
  const types = [
    ...rule.claimsRead.map((name) => describeOne(`claims.${name}`, claims, name)),
    ...rule.sourcesRead.map((name) => describeOne(`sources.${name}`, sources, name)),
  ];
  return types.length === 0 ? "it reads no claim" : types.join(", ");
}

const describeOne = (path: string, all: Readonly<Record<string, unknown>>, name: string): string =>
  Object.hasOwn(all, name) ? `${path} is ${describeJson(all[name])}` : `${path} is absent`;

const listOf = ({ claimsRead, sourcesRead }: Rule): string =>
  [...claimsRead.map((name) => `claims.${name}`), ...sourcesRead.map((name) => `sources.${name}`)].join(", ");

/** The path that a node of the tree reads, as the rule writes it. */
function pathOf(node: Node): string {
  if (node.op === "id") return node.args;
  if (node.op === ".") return `${pathOf(node.args[0])}.${node.args[1]}`;
  if (node.op !== "[]") return "…";
  const name = textOf(node.args[1]);
  return `${pathOf(node.args[0])}[${name === undefined ? "…" : JSON.stringify(name)}]`;
}

const asBoolean: Read<boolean> = (value) =>
  typeof value === "boolean" ? { value } : "the result is not true or false";

const asUsername: Read<string> = (value) => {
  if (typeof value !== "string") return "the result is not a text";
  const name = cleanName(value);
  return name.length > MAX_USERNAME_LENGTH ? "the result is over 100 characters long" : { value: name };
};

/** Values as Discord reads them: strings. It takes JSON `true` and never matches it. */
const ENCODERS: Readonly<Record<ValueKind, Read<string>>> = {
  boolean: (value) =>
    typeof value === "boolean" ? { value: value ? "1" : "0" } : "the result is not true or false",
  integer: (value) => {
    if (typeof value !== "bigint") return "the result is not a whole number";
    return value > MAX_INTEGER || value < -MAX_INTEGER ? "the result is too large" : { value: String(value) };
  },
  datetime: (value) => {
    if (!(value instanceof Date)) return "the result is not a point in time";
    const year = value.getUTCFullYear();
    return year >= FIRST_YEAR && year <= LAST_YEAR
      ? { value: value.toISOString() }
      : "the year is not 1 to 9999";
  },
};
