/**
 * The configuration as the doctor needs it. If some variables have faults, the parts that do not need these are still read,
 * so that one missing secret does not keep the rest from being examined.
 */
import type { DatabaseConfig } from "../../config/database_settings.ts";
import type { Config } from "../../config/load.ts";
import { readConfig, readDatabaseConfig, readServerVariables } from "../../config/load.ts";
import type { Environment, Source } from "../../config/sources.ts";
import { mergeSources } from "../../config/sources.ts";
import { findAmbiguous, findMistyped, findRisky } from "../../config/warnings.ts";
import { JanusError } from "../../errors.ts";
import type { RuleSet } from "../../rules/rule_set.ts";
import { readRules } from "../configuration.ts";

/** A part of the configuration; undefined if its variables have faults. */
type Part<Value> = Value | undefined;

/** What the doctor examines by. */
export type Settings = {
  /** The faults of the variables as one text; undefined if there are none. */
  readonly faults: string | undefined;
  /** What is valid but risky, or looks mistyped. */
  readonly risks: readonly string[];
  readonly rules: RuleSet | { readonly faults: string };
  readonly database: Part<DatabaseConfig["database"]>;
  readonly keys: Part<Pick<Config, "tokenKeys">>;
  readonly sync: Part<Pick<Config, "sync">>;
  readonly publicUrl: Part<Pick<Config, "publicUrl" | "cookieSecrets">>;
  readonly discord: Part<Pick<Config, "publicUrl" | "discord">>;
  readonly provider: Part<Pick<Config, "publicUrl" | "oidc">>;
};

/** The bot token is for `register` and the doctor alone, so that a server has it is a risk and that the doctor has it is not. */
const OF_THE_DOCTOR = ["DISCORD_BOT_TOKEN", "DISCORD_BOT_TOKEN_FILE"];

/** Reads all that can be read. */
export async function readSettings(sources: readonly Source[]): Promise<Settings> {
  const environment = mergeSources(sources);
  const whole = attempt(() => readConfig(environment));
  const rules = await attemptRules(environment);
  const config = "value" in whole ? whole.value : undefined;
  const part = (...prefixes: readonly string[]) => config ?? readPart(environment, prefixes);
  const database = attempt(() => readDatabaseConfig(environment).database);
  return {
    faults: "faults" in whole ? whole.faults : undefined,
    risks: findRisks(sources, environment),
    rules,
    database: "value" in database ? database.value : undefined,
    keys: part("TOKEN_KEYS"),
    sync: part("SYNC", "GRACE_", "BRAKE_", "RECONCILE_"),
    publicUrl: part("PUBLIC_URL", "COOKIE_SECRET"),
    discord: part("PUBLIC_URL", "DISCORD_"),
    provider: part("PUBLIC_URL", "OIDC_"),
  };
}

function findRisks(sources: readonly Source[], environment: Environment): readonly string[] {
  const misread = [...findMistyped(sources), ...findAmbiguous(sources)];
  const values = attempt(() => readServerVariables(environment));
  if ("faults" in values) return misread;
  const others = sources.map((source) => ({ ...source, variables: without(source.variables) }));
  return [...misread, ...findRisky(values.value, others)];
}

const without = (variables: Environment): Environment =>
  Object.fromEntries(Object.entries(variables).filter(([name]) => !OF_THE_DOCTOR.includes(name)));

/** Valid values for the variables of all other parts. None of them is ever used. */
const PLACEHOLDERS: Environment = {
  PUBLIC_URL: "http://localhost",
  DISCORD_CLIENT_ID: "100000000000000000",
  DISCORD_CLIENT_SECRET: "none",
  OIDC_ISSUER: "http://localhost",
  OIDC_CLIENT_ID: "none",
  OIDC_CLIENT_SECRET: "none",
  TOKEN_KEYS: `none:${"A".repeat(43)}`,
  COOKIE_SECRET: "A".repeat(43),
};

/** Reads the variables with these prefixes as if all others were right; undefined if they have faults. */
function readPart(environment: Environment, prefixes: readonly string[]): Config | undefined {
  const isOfPart = (name: string): boolean => prefixes.some((prefix) => name.startsWith(prefix));
  const own = Object.entries(environment).filter(([name]) => isOfPart(name));
  const others = Object.entries(PLACEHOLDERS).filter(([name]) => !isOfPart(name));
  const read = attempt(() => readConfig(Object.fromEntries([...others, ...own])));
  return "value" in read ? read.value : undefined;
}

async function attemptRules(environment: Environment): Promise<Settings["rules"]> {
  try {
    return await readRules(environment);
  } catch (error) {
    return faultsOf(error);
  }
}

function attempt<Value>(read: () => Value): { readonly value: Value } | { readonly faults: string } {
  try {
    return { value: read() };
  } catch (error) {
    return faultsOf(error);
  }
}

/** The faults of a configuration. Throws any other error. */
function faultsOf(error: unknown): { readonly faults: string } {
  if (error instanceof JanusError && error.code === "config_invalid") return { faults: error.message };
  throw error;
}
