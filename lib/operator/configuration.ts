/**
 * The configuration of a server: its variables (`config/`) and its rules (`rules/`). Every command and the server read both
 * here, so all faults are told together.
 */
import type { Config } from "../config/load.ts";
import { findRulesFile, readConfig } from "../config/load.ts";
import type { RulesFile } from "../config/rules_file.ts";
import type { Environment } from "../config/sources.ts";
import { configInvalid, JanusError } from "../errors.ts";
import type { RulesFault } from "../rules/file.ts";
import { describeRulesFault, parseRules } from "../rules/file.ts";
import type { RuleSet } from "../rules/rule_set.ts";
import { DEFAULT_RULES } from "../rules/rule_set.ts";
import { printable } from "../text/printable.ts";

/** What a server works by. */
export type Configuration = { readonly config: Config; readonly rules: RuleSet };

/** What was read, or all of its faults as one text. */
type Tried<Value> = { readonly value: Value } | { readonly faults: string };

/** More faults than anybody corrects at once. */
const MAX_FAULTS_TOLD = 50;

/** Reads the variables and the rules of a server. Throws config_invalid with the faults of both. */
export async function readConfiguration(environment: Environment): Promise<Configuration> {
  const { read: config, rules } = await readWithRules(environment, () => readConfig(environment));
  return { config, rules };
}

/** Reads the rules, and beside them what a command needs of the variables. Throws config_invalid with the faults of both. */
export async function readWithRules<Value>(
  environment: Environment,
  readVariables: () => Value,
): Promise<{ readonly read: Value; readonly rules: RuleSet }> {
  const variables = attempt(readVariables);
  const file = attempt(() => findRulesFile(environment));
  const rules = "faults" in file ? file : await readFile(file.value);
  if ("value" in variables && "value" in rules) return { read: variables.value, rules: rules.value };
  const told = [variables, rules].flatMap((tried) => ("faults" in tried ? [tried.faults] : []));
  // A file that cannot be read is a fault of RULES_FILE, and mostly among those of the variables.
  const isToldTwice = "faults" in variables && "faults" in file;
  throw configInvalid((isToldTwice ? told.slice(0, 1) : told).join("\n"));
}

/** Reads the rules alone, whatever the other variables are. Throws config_invalid. */
export async function readRules(environment: Environment): Promise<RuleSet> {
  const { rules } = await readWithRules(environment, () => undefined);
  return rules;
}

/** Warns of rules that read what nobody tells. */
export function findUntold(
  { readsScim }: RuleSet,
  { SCIM_TOKEN, SCIM_TOKEN_FILE }: Environment,
): readonly string[] {
  if (!readsScim || SCIM_TOKEN || SCIM_TOKEN_FILE) return [];
  return [
    "RULES_FILE reads sources.scim while SCIM_TOKEN is unset: no SCIM client tells Janus anything, so rules that need it " +
      "stay unknown. Set SCIM_TOKEN, or change the rules.",
  ];
}

/** Which rules are in force, for an operator. */
export function describeRules({ path, records }: RuleSet): string {
  const keys = records.map(({ record }) => record.key).join(", ");
  if (path === undefined) return `no RULES_FILE: everyone who can sign in gets ${keys}`;
  return `${printable(path)} with ${records.length === 1 ? "1 record" : `${records.length} records`}: ${keys}`;
}

async function readFile(file: RulesFile | undefined): Promise<Tried<RuleSet>> {
  if (file === undefined) return { value: DEFAULT_RULES };
  const parsed = await parseRules(file.path, file.text);
  return "rules" in parsed ? { value: parsed.rules } : { faults: describeFaults(file.path, parsed.faults) };
}

function describeFaults(path: string, faults: readonly RulesFault[]): string {
  const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  const told = faults.slice(0, MAX_FAULTS_TOLD).map((fault) => describeRulesFault(path, fault));
  const more = faults.length - told.length;
  return [`The rules have ${count}:`, ...told, ...(more > 0 ? [`and ${more} more`] : [])].join("\n  ");
}

function attempt<Value>(read: () => Value): Tried<Value> {
  try {
    return { value: read() };
  } catch (error) {
    // The caller tells these faults, with others.
    if (error instanceof JanusError && error.code === "config_invalid") return { faults: error.message };
    throw error;
  }
}
