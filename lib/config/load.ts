/**
 * This room owns the configuration: environment variables, and what is valid but risky about them.
 *
 *   sources.ts        the process and env files (`env_file.ts`); which of them wins
 *   variables.ts      every variable: form, default, fix
 *   parse.ts          reads them, or reports all faults together
 *   load.ts           what each part of the program gets
 *   rules_file.ts     the file that RULES_FILE names, as text
 *   warnings.ts       what `config check` and the start of the server warn of
 *
 * It opens no connection. What the configuration is for is up to the rooms that get it.
 */
import * as v from "valibot";
import type { RingKey } from "../crypto.ts";
import type { DatabaseConfig } from "./database_settings.ts";
import { databaseOf, databaseSchema } from "./database_settings.ts";
import type { Logo } from "./logo.ts";
import { readLogo } from "./logo.ts";
import { parseVariables, readVariables } from "./parse.ts";
import type { RulesFile } from "./rules_file.ts";
import { readRulesFile } from "./rules_file.ts";
import type { ScimSettings } from "./scim_settings.ts";
import { scimOf } from "./scim_settings.ts";
import type { Environment } from "./sources.ts";
import type { SyncSettings } from "./sync_settings.ts";
import { syncOf, syncSchema } from "./sync_settings.ts";
import type { MetricsSettings, TracingSettings } from "./telemetry_settings.ts";
import { metricsOf, tracingOf } from "./telemetry_settings.ts";
import { publicUrl, SCHEMAS, SECRETS } from "./variables.ts";

/** What the server needs. */
export type Config = DatabaseConfig & {
  /** An origin, without a slash at its end. */
  readonly publicUrl: string;
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly platformName: string;
  /** The IANA name of the zone in which pages show times. */
  readonly timeZone: string;
  /** Undefined for the mark of Janus. */
  readonly platformLogo: Logo | undefined;
  /** As `#rrggbb`; undefined for the colour of Janus. */
  readonly platformColor: string | undefined;
  /** Where members can ask for help: an address by `https:` or `mailto:`. */
  readonly supportUrl: string | undefined;
  readonly privacyUrl: string | undefined;
  readonly trustedProxies: readonly string[];
  /** Requests that one address may make; 0 for no limit. */
  readonly rateLimitPerMinute: number;
  readonly sync: SyncSettings;
  /** Each key opens the recheck hook; without any it is closed. */
  readonly hookSecrets: readonly Uint8Array[];
  /** How long the trail of a person without a link is kept. */
  readonly retentionDays: number;
  /** Undefined where metrics are off. */
  readonly metrics: MetricsSettings | undefined;
  /** Undefined where there are no traces. */
  readonly tracing: TracingSettings | undefined;
  readonly drainSeconds: number;
  readonly shutdownSeconds: number;
  /** The first key seals; every key opens. */
  /** Undefined where no SCIM client provisions Janus. */
  readonly scim: ScimSettings | undefined;
  readonly tokenKeys: readonly RingKey[];
  readonly cookieSecrets: readonly Uint8Array[];
  readonly discord: {
    readonly clientId: string;
    readonly clientSecret: string;
    /** Undefined where the server has none, which is the rule. It is used to ask for the metadata records. */
    readonly botToken: string | undefined;
    /** Signs the application's events and interactions; undefined where none are taken. */
    readonly publicKey: Uint8Array | undefined;
    /** The servers in which Janus tells admins of other members. */
    readonly guildIds: readonly string[];
    readonly apiUrl: string;
    readonly authorizeUrl: string;
    readonly cdnUrl: string;
  };
  readonly oidc: {
    readonly issuer: string;
    readonly clientId: string;
    readonly clientSecret: string;
    /** Undefined for the default, which depends on the provider. */
    readonly scopes: readonly string[] | undefined;
    readonly authorizeParams: readonly (readonly [name: string, value: string])[];
    /** Undefined for what the provider's discovery document says. */
    readonly tokenAuthMethod: "client_secret_basic" | "client_secret_post" | undefined;
    /** Whether Janus may call the provider's endpoints by http, and send secrets unencrypted. */
    readonly allowHttpEndpoints: boolean;
  };
};

/** What `janus audit` needs. */
export type AuditConfig = DatabaseConfig & {
  readonly sync: Config["sync"];
  /** Undefined where TOKEN_KEYS is not set. */
  readonly tokenKeys: readonly RingKey[] | undefined;
};

/** What `janus keys rotate` and `janus keys status` need. */
export type KeysConfig = DatabaseConfig & Pick<Config, "tokenKeys">;

/** What `janus register` needs. */
export type RegistrationConfig = {
  readonly applicationId: string;
  readonly apiUrl: string;
  readonly authorizeUrl: string;
  readonly botToken: string;
  /** For the User-Agent, which tells Discord whom to turn to, and for the address of interactions. */
  readonly publicUrl: string;
  /** Whether Janus takes what Discord signs. Without that it has no commands. */
  readonly takesInteractions: boolean;
  readonly guildIds: readonly string[];
};

/** Every variable. The documentation is tested against this list. */
export const VARIABLES = Object.entries(SCHEMAS).map(([name, schema]) => ({
  name,
  secret: SECRETS.some((secret) => secret === name),
  required: schema.type !== "optional",
  default: schema.type === "optional" && typeof schema.default === "string" ? schema.default : undefined,
}));

const { DISCORD_BOT_TOKEN, ...serverEntries } = SCHEMAS;
const serverSchema = v.object(serverEntries);
const auditSchema = v.object({
  ...databaseSchema.entries,
  ...syncSchema.entries,
  TOKEN_KEYS: v.optional(serverSchema.entries.TOKEN_KEYS),
});
const keysSchema = v.object({
  ...databaseSchema.entries,
  TOKEN_KEYS: serverSchema.entries.TOKEN_KEYS,
});
const registrationSchema = v.object({
  ...v.pick(serverSchema, [
    "DISCORD_CLIENT_ID",
    "DISCORD_API_URL",
    "DISCORD_AUTHORIZE_URL",
    "DISCORD_PUBLIC_KEY",
    "DISCORD_GUILD_IDS",
  ]).entries,
  DISCORD_BOT_TOKEN,
  PUBLIC_URL: v.optional(publicUrl, "http://localhost"),
});
const addressSchema = v.pick(serverSchema, ["HOST", "PORT"]);
const platformNameSchema = v.pick(serverSchema, ["PLATFORM_NAME"]);
const keyRingSchema = v.pick(serverSchema, ["TOKEN_KEYS"]);
const rulesSchema = v.pick(serverSchema, ["RULES_FILE"]);

/** The server's variables after parsing, by their names. */
export type ServerVariables = v.InferOutput<typeof serverSchema>;

/** Reads what the server needs. Throws config_invalid. */
export function readConfig(environment: Environment): Config {
  const values = readServerVariables(environment);
  return {
    publicUrl: values.PUBLIC_URL,
    host: values.HOST,
    port: values.PORT,
    platformName: values.PLATFORM_NAME,
    timeZone: values.TIME_ZONE,
    platformLogo: values.PLATFORM_LOGO === undefined ? undefined : readLogo(values.PLATFORM_LOGO),
    platformColor: values.PLATFORM_COLOR === undefined ? undefined : `#${values.PLATFORM_COLOR}`,
    supportUrl: values.SUPPORT_URL,
    privacyUrl: values.PRIVACY_URL,
    trustedProxies: values.TRUSTED_PROXIES,
    rateLimitPerMinute: values.RATE_LIMIT_PER_MINUTE,
    sync: syncOf(values),
    hookSecrets: values.HOOK_SECRET ?? [],
    retentionDays: values.RETENTION_DAYS,
    metrics: metricsOf(values),
    tracing: tracingOf(values),
    drainSeconds: values.DRAIN_SECONDS,
    shutdownSeconds: values.SHUTDOWN_SECONDS,
    scim: scimOf(values),
    tokenKeys: values.TOKEN_KEYS,
    cookieSecrets: values.COOKIE_SECRET,
    discord: {
      clientId: values.DISCORD_CLIENT_ID,
      clientSecret: values.DISCORD_CLIENT_SECRET,
      botToken: readBotToken(environment),
      publicKey: readPublicKey(values),
      guildIds: values.DISCORD_GUILD_IDS,
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
      allowHttpEndpoints: values.OIDC_ALLOW_HTTP_ENDPOINTS,
    },
    ...databaseOf(values, environment),
  };
}

/** The server needs no bot token, so a malformed one counts as unset. `config check` warns of both. */
function readBotToken(environment: Environment): string | undefined {
  const { values } = readVariables(["DISCORD_BOT_TOKEN"], environment);
  const parsed = v.safeParse(DISCORD_BOT_TOKEN, values.DISCORD_BOT_TOKEN);
  return parsed.success ? parsed.output : undefined;
}

const readPublicKey = ({ DISCORD_PUBLIC_KEY: key }: ServerVariables): Uint8Array | undefined =>
  key === undefined ? undefined : Buffer.from(key, "hex");

/** Reads the public URL alone, even if other variables are wrong; undefined if it is missing or malformed. */
export function findPublicUrl({ PUBLIC_URL }: Environment): string | undefined {
  const parsed = v.safeParse(publicUrl, PUBLIC_URL);
  return parsed.success ? parsed.output : undefined;
}

/** Reads where the database is. Throws config_invalid. */
export function readDatabaseConfig(environment: Environment): DatabaseConfig {
  return databaseOf(parseVariables(databaseSchema, environment), environment);
}

/** Reads what the audit needs: TOKEN_KEYS must be right only where it is set. Throws config_invalid. */
export function readAuditConfig(environment: Environment): AuditConfig {
  const values = parseVariables(auditSchema, environment);
  return { ...databaseOf(values, environment), sync: syncOf(values), tokenKeys: values.TOKEN_KEYS };
}

/** Reads what work on the sealed rows needs. Throws config_invalid. */
export function readKeysConfig(environment: Environment): KeysConfig {
  const values = parseVariables(keysSchema, environment);
  return { ...databaseOf(values, environment), tokenKeys: values.TOKEN_KEYS };
}

/** Reads what registering the metadata records needs. Throws config_invalid. */
export function readRegistrationConfig(environment: Environment): RegistrationConfig {
  const values = parseVariables(registrationSchema, environment);
  return {
    applicationId: values.DISCORD_CLIENT_ID,
    apiUrl: values.DISCORD_API_URL,
    authorizeUrl: values.DISCORD_AUTHORIZE_URL,
    botToken: values.DISCORD_BOT_TOKEN,
    publicUrl: values.PUBLIC_URL,
    takesInteractions: values.DISCORD_PUBLIC_KEY !== undefined,
    guildIds: values.DISCORD_GUILD_IDS,
  };
}

/** Reads where the server listens, and nothing else. Throws config_invalid. */
export function readServerAddress(environment: Environment): {
  readonly host: string;
  readonly port: number;
} {
  const { HOST, PORT } = parseVariables(addressSchema, environment);
  return { host: HOST, port: PORT };
}

/** Reads the name that Discord shows beside a role connection. Throws config_invalid. */
export function readPlatformName(environment: Environment): string {
  return parseVariables(platformNameSchema, environment).PLATFORM_NAME;
}

/** Reads the ids of the key ring, and leaves its keys out. Throws config_invalid. */
export function readTokenKeyIds(environment: Environment): readonly string[] {
  return parseVariables(keyRingSchema, environment).TOKEN_KEYS.map(({ id }) => id);
}

/** Reads the file that RULES_FILE names, and nothing else; undefined if it is unset. Throws config_invalid. */
export function findRulesFile(environment: Environment): RulesFile | undefined {
  const { RULES_FILE } = parseVariables(rulesSchema, environment);
  return RULES_FILE === undefined ? undefined : readRulesFile(RULES_FILE);
}

/** Reads the server's variables, by their names. Throws config_invalid. */
export function readServerVariables(environment: Environment): ServerVariables {
  return parseVariables(serverSchema, environment);
}

/** The server's variables before they are parsed, those in files included. A file that cannot be read is left out. */
export function readRawValues(environment: Environment): Readonly<Record<string, string>> {
  return readVariables(Object.keys(serverSchema.entries), environment).values;
}
