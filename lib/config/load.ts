/**
 * The configuration: environment variables, read once, here only. All faults are reported together, each with its
 * fix. Called by the commands; tests give an environment of their own.
 */
import { readFileSync } from "node:fs";
import * as v from "valibot";
import { configInvalid } from "../errors.ts";
import { isDatabaseUrl, readDatabaseUrl, readLibpqEnvironment } from "./database_address.ts";
import { readEnvFile } from "./env_file.ts";
import { explainStray } from "./stray_characters.ts";
import { FIXES, publicUrl, SCHEMAS, SECRETS } from "./variables.ts";

/** Variables by name, as the process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where variables come from: the process, or a file that `--env-file` names. */
export type Source = {
  readonly file: string | undefined;
  readonly variables: Environment;
  /** Those of a file whose values are written so that other readers of such files take them otherwise. */
  readonly ambiguous?: readonly string[];
  /** The names that the process was started with, where the system tells: Bun adds those of its own `.env` later. */
  readonly atStart?: ReadonlySet<string> | undefined;
};

/** What the documentation is tested against. */
export const VARIABLES = Object.entries(SCHEMAS).map(([name, schema]) => ({
  name,
  secret: SECRETS.some((secret) => secret === name),
  required: schema.type !== "optional",
  default: schema.type === "optional" && typeof schema.default === "string" ? schema.default : undefined,
}));

const { DATABASE_URL, DATABASE_PASSWORD, DATABASE_PREPARE, DATABASE_WAIT_SECONDS, DATA_DIR } = SCHEMAS;
const { LOG_LEVEL, LOG_FORMAT, DISCORD_BOT_TOKEN, ...others } = SCHEMAS;
const databaseSchema = v.object({
  DATABASE_URL,
  DATABASE_PASSWORD,
  DATABASE_PREPARE,
  DATABASE_WAIT_SECONDS,
  DATA_DIR,
  LOG_LEVEL,
  LOG_FORMAT,
});
const registrationSchema = v.object({
  DISCORD_CLIENT_ID: SCHEMAS.DISCORD_CLIENT_ID,
  DISCORD_API_URL: SCHEMAS.DISCORD_API_URL,
  DISCORD_AUTHORIZE_URL: SCHEMAS.DISCORD_AUTHORIZE_URL,
  DISCORD_BOT_TOKEN,
  // Only for the User-Agent: whom Discord may turn to.
  PUBLIC_URL: v.optional(publicUrl, "http://localhost"),
});
const addressSchema = v.object({ HOST: SCHEMAS.HOST, PORT: SCHEMAS.PORT });
const keyRingSchema = v.object({ TOKEN_KEYS: SCHEMAS.TOKEN_KEYS });
const serverSchema = v.object({ ...others, ...databaseSchema.entries });

/** What `janus migrate` needs. */
export type DatabaseConfig = ReturnType<typeof readDatabaseConfig>;
/** What `janus register` needs. */
export type RegistrationConfig = ReturnType<typeof readRegistrationConfig>;
/** What the server needs. */
export type Config = ReturnType<typeof readConfig>;

/** The process's own variables, then those of the files, the last file first: who stands first, wins. Throws config_invalid. */
export function readSources(envFiles: readonly string[]): readonly Source[] {
  const files = envFiles.map((file) => ({ file, ...readEnvFile(file) }));
  return [{ file: undefined, variables: process.env, atStart: readNamesAtStart() }, ...files.reverse()];
}

function readNamesAtStart(): ReadonlySet<string> | undefined {
  try {
    const lines = readFileSync("/proc/self/environ", "latin1").split("\0");
    return new Set(lines.map((line) => line.slice(0, Math.max(0, line.indexOf("=")))));
  } catch {
    // Only Linux has it; elsewhere nothing is said of the difference.
    return undefined;
  }
}

/** Every variable, from the first source that has it, even where it is empty there: so a file's can be unset. */
export function mergeSources(sources: readonly Source[]): Environment {
  return Object.assign({}, ...sources.map(({ variables }) => variables).reverse());
}

/** Reads where the database is. Throws config_invalid. */
export function readDatabaseConfig(environment: Environment = process.env) {
  return databaseOf(parse(databaseSchema, environment), readLibpqEnvironment(environment));
}

/** Reads what registering the metadata records needs. Throws config_invalid. */
export function readRegistrationConfig(environment: Environment = process.env) {
  const values = parse(registrationSchema, environment);
  return {
    applicationId: values.DISCORD_CLIENT_ID,
    apiUrl: values.DISCORD_API_URL,
    authorizeUrl: values.DISCORD_AUTHORIZE_URL,
    botToken: values.DISCORD_BOT_TOKEN,
    publicUrl: values.PUBLIC_URL,
  };
}

/** Reads where the server listens, and nothing else. Throws config_invalid. */
export function readServerAddress(environment: Environment = process.env) {
  const { HOST, PORT } = parse(addressSchema, environment);
  return { host: HOST, port: PORT };
}

/** Reads the ids of the key ring, whose keys stay here. Throws config_invalid. */
export function readTokenKeyIds(environment: Environment = process.env): readonly string[] {
  return parse(keyRingSchema, environment).TOKEN_KEYS.map(({ id }) => id);
}

/** Reads what the server needs, by the names of the variables. Throws config_invalid. */
export function readServerVariables(environment: Environment = process.env) {
  return parse(serverSchema, environment);
}

/** What the server's variables hold before they are parsed, those that are in files included; without what cannot be read. */
export function readRawValues(environment: Environment): Readonly<Record<string, string>> {
  return readVariables(Object.keys(serverSchema.entries), environment).values;
}

/** Reads what the server needs. Throws config_invalid. */
export function readConfig(environment: Environment = process.env) {
  const values = readServerVariables(environment);
  return {
    publicUrl: values.PUBLIC_URL,
    host: values.HOST,
    port: values.PORT,
    platformName: values.PLATFORM_NAME,
    trustedProxies: values.TRUSTED_PROXIES,
    /** Requests that one address may make; 0 is no limit. */
    rateLimitPerMinute: values.RATE_LIMIT_PER_MINUTE,
    drainSeconds: values.DRAIN_SECONDS,
    shutdownSeconds: values.SHUTDOWN_SECONDS,
    tokenKeys: values.TOKEN_KEYS,
    cookieSecrets: values.COOKIE_SECRET,
    discord: {
      clientId: values.DISCORD_CLIENT_ID,
      clientSecret: values.DISCORD_CLIENT_SECRET,
      apiUrl: values.DISCORD_API_URL,
      authorizeUrl: values.DISCORD_AUTHORIZE_URL,
      cdnUrl: values.DISCORD_CDN_URL,
    },
    oidc: {
      issuer: values.OIDC_ISSUER,
      clientId: values.OIDC_CLIENT_ID,
      clientSecret: values.OIDC_CLIENT_SECRET,
      scopes: values.OIDC_SCOPES,
      authorizeParams: values.OIDC_AUTHORIZE_PARAMS,
      tokenAuthMethod: values.OIDC_TOKEN_AUTH_METHOD,
      /** Whether Janus may call the provider's endpoints by http, and send secrets unencrypted. */
      allowHttpEndpoints: values.OIDC_ALLOW_HTTP_ENDPOINTS,
    },
    ...databaseOf(values, readLibpqEnvironment(environment)),
  };
}

function databaseOf(values: v.InferOutput<typeof databaseSchema>, libpq: Readonly<Record<string, string>>) {
  return {
    database: {
      /** Undefined: the embedded database. */
      url: values.DATABASE_URL,
      /** In place of the one in the address, which has none where a secret is a file of its own. */
      password: values.DATABASE_PASSWORD,
      prepare: values.DATABASE_PREPARE,
      /** What the address leaves to the environment of libpq. */
      libpq,
      dataDir: values.DATA_DIR,
    },
    databaseWaitSeconds: values.DATABASE_WAIT_SECONDS,
    logLevel: values.LOG_LEVEL,
    logFormat: values.LOG_FORMAT,
  };
}

/** Parses all variables of a schema, or throws one error that names every fault. */
function parse<Schema extends v.GenericSchema & { readonly entries: object }>(
  schema: Schema,
  environment: Environment,
): v.InferOutput<Schema> {
  const { values, faults } = readVariables(Object.keys(schema.entries), environment);
  const result = v.safeParse(schema, values);
  const addressFault = findAddressFault(values.DATABASE_URL, environment);
  if (addressFault !== undefined) faults.set("DATABASE_URL", addressFault);
  for (const issue of result.issues ?? []) {
    const name = String(issue.path?.[0]?.key ?? "");
    const message = explain(values[name], issue.message);
    if (!faults.has(name)) faults.set(name, `${name} ${message}: ${fixOf(name)}`);
  }
  if (result.success && faults.size === 0) return result.output;
  const count = faults.size === 1 ? "1 fault" : `${faults.size} faults`;
  throw configInvalid([`The configuration has ${count}:`, ...faults.values()].join("\n  "));
}

/** Describes a fault in the parameters of a database address. Undefined if there is none, or if the address itself is invalid. */
function findAddressFault(url: string | undefined, environment: Environment): string | undefined {
  if (url === undefined || !isDatabaseUrl(url)) return undefined;
  const read = readDatabaseUrl(url, readLibpqEnvironment(environment));
  return "fault" in read ? read.fault : undefined;
}

function explain(value: string | undefined, message: string): string {
  if (value === undefined) return "is missing";
  const stray = explainStray(value);
  return stray === undefined ? message : `${message} (${stray})`;
}

function readVariables(names: readonly string[], environment: Environment) {
  const faults = new Map<string, string>();
  const values: Record<string, string> = {};
  for (const name of names) {
    const read = readVariable(name, environment);
    if ("fault" in read) faults.set(name, read.fault);
    else if (read.value !== undefined) values[name] = read.value;
  }
  return { values, faults };
}

/** The variable, or the content of the file that NAME_FILE names; an empty variable counts as unset. */
function readVariable(
  name: string,
  environment: Environment,
): { value: string | undefined } | { fault: string } {
  const value = environment[name] || undefined;
  const file = SECRETS.some((secret) => secret === name)
    ? environment[`${name}_FILE`] || undefined
    : undefined;
  if (file === undefined) return { value };
  if (value !== undefined) return { fault: `${name} is set twice: remove either ${name} or ${name}_FILE` };
  try {
    const content = decodeText(readFileSync(file))?.trim();
    if (content === undefined)
      return { fault: `${name}_FILE names a file that is not text in UTF-8: ${fixOf(name)}` };
    // Not "unset": a secret that was not mounted must not mean the embedded database.
    return content === ""
      ? { fault: `${name}_FILE names an empty file: ${fixOf(name)}` }
      : { value: content };
  } catch (error) {
    const why = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    return { fault: `${name}_FILE names a file that cannot be read (${why}): ${fixOf(name)}` };
  }
}

/** Without a byte order mark; undefined where a secret would be read as another one. */
function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // Not UTF-8, which is the answer.
    return undefined;
  }
}

function fixOf(name: string): string {
  return Object.entries(FIXES).find(([known]) => known === name)?.[1] ?? "see the README";
}
