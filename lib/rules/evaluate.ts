/**
 * Evaluates the rules for one member. Each rule ends in one of three ways. A value. Unknown, if the expression needs a claim
 * that is absent; CEL's own `||`, `&&`, `?:` and has() decide what it needs. An error, if a value has a type that the rule
 * does not expect. It takes less than `MAX_WORK`, whatever the claims are.
 */
import { printable } from "../text/printable.ts";
import { cleanName, isSeen } from "../text/shown_name.ts";
import type { Node, Ran } from "./cel.ts";
import { createMap } from "./cel.ts";
import type { StoredClaims } from "./claims.ts";
import type { ValueKind } from "./records.ts";
import { valueKindOf } from "./records.ts";
import type { Rule } from "./rule.ts";
import type { RuleSet } from "./rule_set.ts";
import { textOf } from "./subset.ts";
import type { Measured } from "./values.ts";
import { describeJson, measure, toCel } from "./values.ts";
import type { Size } from "./work.ts";
import { MAX_WORK, unitsOf } from "./work.ts";

/** What is known of one member. A rule that needs what is undefined here ends as unknown. */
export type Facts = {
  readonly claims: StoredClaims;
  /** The claims that are absent only if the provider left them out; undefined if that is so for all. */
  readonly claimsAsked?: readonly string[];
  /** The answers of the sources that answered, by name. */
  readonly sources: Readonly<Record<string, unknown>>;
  readonly issuer: string | undefined;
  readonly subject: string | undefined;
  readonly discord: { readonly id: string | undefined; readonly username: string | undefined };
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
const SNOWFLAKE = /^\d{1,19}$/;
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

/** Evaluates who may use the page of administrators; a no without the rule. Never throws. */
export function evaluateAdmin({ admin }: Pick<RuleSet, "admin">, facts: Facts): Outcome<boolean> {
  return admin === undefined ? { outcome: "value", value: false } : createRun(facts)(admin, asBoolean);
}

/** Reads what a run gave; undefined if it is of another type. A text says what is wrong with it. */
type Read<Value> = (value: unknown) => { readonly value: Value } | string;

/** Runs rules over the same facts, and stops when all of them together would take too long. */
function createRun(facts: Facts) {
  const work: WorkLeft = { units: MAX_WORK };
  const claims = createInputs(facts.claims, work);
  const sources = createInputs(facts.sources, work);
  const variables = variablesOf(facts, claims.values, sources.values);
  return <Value>(rule: Rule, read: Read<Value>): Outcome<Value> => {
    const untold = findUntold(rule, facts);
    if (untold !== undefined) return { outcome: "unknown", missing: printable(untold) };
    const size = { elements: 0, characters: 0, isOfTexts: true };
    const areClaimsWhole = claims.measure(rule.claimsRead, size);
    const areSourcesWhole = sources.measure(rule.sourcesRead, size);
    const units = unitsOf(rule.work, size);
    if (units > work.units || !areClaimsWhole || !areSourcesWhole)
      return { outcome: "error", reason: `there is too much to evaluate (${describeClaims(rule, facts)})` };
    work.units -= units;
    claims.convert(rule.claimsRead);
    sources.convert(rule.sourcesRead);
    const ran = rule.run(variables);
    // The library says that a text or a number has no such key, too. That is another type than the rule expects.
    const isMistyped = ran.ended === "missing" && ran.node !== undefined && isNoMap(ran.node, variables);
    return describeRun(rule, facts, isMistyped ? { ended: "error", code: "no_map" } : ran, read);
  };
}

/**
 * What a rule asks the presence of, and nobody can tell: a claim that was not asked for when the claims were stored, or a
 * source that did not answer. CEL would call it absent, and has() would turn what is unknown into a no.
 */
function findUntold({ tested }: Rule, { claims, claimsAsked, sources }: Facts): string | undefined {
  const claim = tested.claims.find(
    (name) => !hasValue(claims, name) && claimsAsked?.includes(name) === false,
  );
  if (claim !== undefined) return `claims.${claim}`;
  const source = tested.sources.find((name) => !hasValue(sources, name));
  return source === undefined ? undefined : `sources.${source}`;
}

/** A null says nothing. */
const hasValue = (all: Readonly<Record<string, unknown>>, name: string): boolean =>
  Object.hasOwn(all, name) && all[name] !== null && all[name] !== undefined;

/** The units of work that are left for a member. */
type WorkLeft = { units: number };

/** The size of all that a rule reads, as far as it was added up. */
type Sum = { -readonly [Part in keyof Size]: Size[Part] };

/**
 * Claims, or sources, as rules read them. Each is measured first, and converted once a rule may run; both count as work, and
 * once for all rules. A null says nothing, and what is nested too deeply counts as absent. All rules share the values: a
 * rule names each that it reads, so it does not see what another has converted.
 */
function createInputs(all: Readonly<Record<string, unknown>>, work: WorkLeft) {
  const sizes = new Map<string, Measured | undefined>();
  const values = createMap([]);
  const measureOne = (name: string): Measured | undefined => {
    if (sizes.has(name)) return sizes.get(name);
    const json = Object.hasOwn(all, name) ? all[name] : undefined;
    const measured = json === undefined || json === null ? undefined : measure(json, work.units);
    const { conversion = 0, stopped } = measured ?? {};
    // Reading it to no end costs less, so one claim that is too large leaves work for the rules that do not read it.
    work.units -= stopped === undefined ? conversion : Math.min(conversion, work.units) / 4;
    const isPresent = measured !== undefined && measured.stopped !== "too_deep";
    sizes.set(name, isPresent ? measured : undefined);
    return sizes.get(name);
  };
  return {
    values,
    /** Adds the sizes of what a rule reads, and says whether all of it could be measured. */
    measure: (names: readonly string[], sum: Sum): boolean => {
      let isWhole = true;
      for (const measured of names.map(measureOne)) {
        if (measured === undefined) continue;
        sum.elements += measured.size.elements;
        sum.characters += measured.size.characters;
        sum.isOfTexts &&= measured.size.isOfTexts;
        if (measured.stopped === "too_much") isWhole = false;
      }
      return isWhole;
    },
    /** Converts what was measured. */
    convert: (names: readonly string[]): void => {
      for (const name of names)
        if (sizes.get(name) !== undefined && !values.has(name)) values.set(name, toCel(all[name]));
    },
  };
}

/** What an expression names. The library takes a variable that is undefined for one without a value. */
function variablesOf(
  { issuer, subject, discord: { id, username }, linkedAt, now }: Facts,
  claims: ReadonlyMap<string, unknown>,
  sources: ReadonlyMap<string, unknown>,
): Readonly<Record<string, unknown>> {
  const created = id === undefined ? undefined : createdAt(id);
  const account = [
    ["id", id],
    ["username", username],
    ["created_at", created],
  ] as const;
  const discord = createMap(account.filter(([, value]) => value !== undefined));
  return { issuer, subject, linked_at: linkedAt, now, claims, sources, discord };
}

/** Undefined for an id that Discord cannot have given. */
const createdAt = (discordUserId: string): Date | undefined =>
  SNOWFLAKE.test(discordUserId)
    ? new Date(Number(BigInt(discordUserId) >> 22n) + DISCORD_EPOCH_MS)
    : undefined;

function describeRun<Value>(rule: Rule, facts: Facts, ran: Ran, read: Read<Value>): Outcome<Value> {
  if (ran.ended === "missing")
    return {
      outcome: "unknown",
      missing: ran.node === undefined ? listOf(rule) : printable(pathOf(ran.node)),
    };
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
  index_out_of_bounds: "an index is out of range",
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
  return types.length === 0 ? "it reads no claim" : printable(types.join(", "));
}

const describeOne = (path: string, all: Readonly<Record<string, unknown>>, name: string): string =>
  hasValue(all, name) ? `${path} is ${describeJson(all[name])}` : `${path} is absent`;

const listOf = ({ claimsRead, sourcesRead }: Rule): string =>
  printable(
    [...claimsRead.map((name) => `claims.${name}`), ...sourcesRead.map((name) => `sources.${name}`)].join(
      ", ",
    ),
  );

/** Whether a node reads a part of what has no parts. False where that cannot be told, as for a macro's variable. */
function isNoMap(node: Node, variables: Readonly<Record<string, unknown>>): boolean {
  if (node.op !== "." && node.op !== "[]") return false;
  const whole = valueAt(node.args[0], variables);
  return whole !== undefined && !(whole instanceof Map);
}

/** The value of a path such as `claims.a["b"]`; undefined for anything else. */
function valueAt(node: Node, variables: Readonly<Record<string, unknown>>): unknown {
  if (node.op === "id") return Object.hasOwn(variables, node.args) ? variables[node.args] : undefined;
  if (node.op !== "." && node.op !== "[]") return undefined;
  const whole = valueAt(node.args[0], variables);
  const name = node.op === "." ? node.args[1] : textOf(node.args[1]);
  return whole instanceof Map ? whole.get(name) : undefined;
}

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
  if (!isSeen(name)) return { value: "" };
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
