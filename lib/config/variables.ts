/**
 * Every environment variable of Janus: its form, its default, and what to do about a fault. No message repeats a value,
 * because a secret that was pasted under the wrong name must not end up in a log.
 */
import * as v from "valibot";
import type { RingKey } from "../crypto.ts";
import { LOG_FORMATS, LOG_LEVELS } from "../telemetry/log.ts";
import { DISCORD_ID_FORM, isDiscordId } from "../text/discord_id.ts";
import { actsOnOthers, isSeen } from "../text/shown_name.ts";
import { authorizeParams } from "./authorize_params.ts";
import { isDatabaseUrl } from "./database_address.ts";
import { discordGuildIds, discordPublicKey, hookSecrets } from "./doorbells.ts";
import { listenHost } from "./listen_host.ts";
import { platformColor, platformLogo, privacyUrl, supportUrl } from "./look.ts";
import { rulesFile } from "./rules_file.ts";
import { SCIM_SCHEMAS } from "./scim_settings.ts";
import { secureUrl } from "./secure_address.ts";
import { clientId, credential } from "./stray_characters.ts";
import { TELEMETRY_FIXES, TELEMETRY_SCHEMAS } from "./telemetry_settings.ts";
import { timeZone } from "./time_zone.ts";
import { trustedProxies } from "./trusted_proxies.ts";

const KEY_BYTES = 32;

const httpsUrl = v.pipe(
  secureUrl,
  v.check((text) => URL.parse(text)?.hash === "", "must not have a fragment"),
);

/** The URL at which members reach Janus. The result is an origin, without a slash at its end. */
export const publicUrl = v.pipe(
  httpsUrl,
  v.check((text) => {
    const url = URL.parse(text);
    return url !== null && url.pathname === "/" && url.search === "";
  }, "must be an origin, without a path: https://janus.example.org"),
  v.transform((text) => new URL(text).origin),
);

/** A URL that paths are appended to. Each path begins with a slash. */
const baseUrl = v.pipe(
  httpsUrl,
  v.check((text) => URL.parse(text)?.search === "", "must not have a query"),
  v.transform((text) => text.replace(/\/+$/, "")),
);

const issuer = v.pipe(
  httpsUrl,
  v.check((text) => URL.parse(text)?.search === "", "must not have a query"),
);

const snowflake = v.pipe(
  v.string(),
  v.check(isDiscordId, `must be a Discord application id (${DISCORD_ID_FORM})`),
);

const key = v.pipe(
  v.string(),
  v.check((text) => decodeKey(text) !== undefined, "must be 32 random bytes as base64url"),
  v.transform((text) => decodeKey(text) ?? new Uint8Array()),
);

const KEY_RING_FORM = "must be k1:<32 bytes as base64url>[,…], each id once, the active key first";
const keyRing = v.pipe(
  v.string(),
  v.transform(parseKeyRing),
  v.check((ring) => ring !== undefined, KEY_RING_FORM),
  v.transform((ring) => ring ?? []),
);

const cookieSecrets = v.pipe(
  v.string(),
  v.transform((text) => text.split(",").map((part) => part.trim())),
  v.array(key),
);

const wholeNumber = (least: number, most: number) =>
  v.pipe(
    v.string(),
    v.regex(/^[0-9]{1,6}$/, `must be a whole number from ${least} to ${most}`),
    v.transform(Number),
    v.check((n) => n >= least && n <= most, `must be a whole number from ${least} to ${most}`),
  );

const boolean = v.pipe(
  v.picklist(["true", "false"], "must be true or false"),
  v.transform((text) => text === "true"),
);

const scopes = v.pipe(
  v.string(),
  v.transform((text) => text.split(/\s+/).filter((scope) => scope !== "")),
  v.check((list) => list.includes("openid"), "must include openid, as in: openid profile"),
  v.check(
    (list) => list.every((scope) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope)),
    "contains an invalid scope",
  ),
);

const databaseUrl = v.pipe(v.string(), v.check(isDatabaseUrl, "must be the URL of a PostgreSQL server"));

const text = (most: number) =>
  v.pipe(
    v.string(),
    v.trim(),
    v.minLength(1, "must not be empty"),
    v.maxLength(most, `must have at most ${most} characters`),
    v.check((value) => !/\p{Cc}/u.test(value), "must not contain control characters"),
  );

/** Every page and the members' Discord profiles show this name. */
const platformName = v.pipe(
  text(50),
  v.check(
    (name) => !actsOnOthers(name),
    "must not contain control characters or marks that change the direction of text",
  ),
  v.check(isSeen, "must contain a visible character"),
);

/** The schema of every variable. It is optional if there is a default, or if leaving it unset has a meaning. */
export const SCHEMAS = {
  PUBLIC_URL: publicUrl,
  DISCORD_CLIENT_ID: snowflake,
  DISCORD_CLIENT_SECRET: credential,
  OIDC_ISSUER: issuer,
  OIDC_CLIENT_ID: clientId,
  OIDC_CLIENT_SECRET: credential,
  TOKEN_KEYS: keyRing,
  COOKIE_SECRET: cookieSecrets,
  HOST: v.optional(listenHost, "127.0.0.1"),
  PORT: v.optional(wholeNumber(0, 65_535), "3000"),
  DATABASE_URL: v.optional(databaseUrl),
  DATABASE_PASSWORD: v.optional(credential),
  DATABASE_PREPARE: v.optional(boolean, "true"),
  DATA_DIR: v.optional(text(4096), "./data"),
  DISCORD_API_URL: v.optional(baseUrl, "https://discord.com/api/v10"),
  DISCORD_AUTHORIZE_URL: v.optional(httpsUrl, "https://discord.com/oauth2/authorize"),
  DISCORD_CDN_URL: v.optional(baseUrl, "https://cdn.discordapp.com"),
  OIDC_SCOPES: v.optional(scopes),
  OIDC_AUTHORIZE_PARAMS: v.optional(authorizeParams, ""),
  OIDC_TOKEN_AUTH_METHOD: v.optional(
    v.picklist(
      ["client_secret_basic", "client_secret_post"],
      "must be client_secret_basic or client_secret_post",
    ),
  ),
  OIDC_ALLOW_HTTP_ENDPOINTS: v.optional(boolean, "false"),
  PLATFORM_NAME: v.optional(platformName, "Janus"),
  TIME_ZONE: v.optional(timeZone, "UTC"),
  RULES_FILE: v.optional(rulesFile),
  PLATFORM_LOGO: v.optional(platformLogo),
  PLATFORM_COLOR: v.optional(platformColor),
  SUPPORT_URL: v.optional(supportUrl),
  PRIVACY_URL: v.optional(privacyUrl),
  TRUSTED_PROXIES: v.optional(trustedProxies, ""),
  ...SCIM_SCHEMAS,
  SYNC: v.optional(v.picklist(["on", "off"], "must be on or off"), "on"),
  SYNC_EVERY_HOURS: v.optional(wholeNumber(1, 720), "24"),
  GRACE_DAYS: v.optional(wholeNumber(0, 365), "7"),
  BRAKE_PERCENT: v.optional(wholeNumber(1, 100), "20"),
  RECONCILE_DAYS: v.optional(wholeNumber(1, 365), "7"),
  SYNC_PROVIDER_PER_SECOND: v.optional(wholeNumber(1, 1_000), "10"),
  RETENTION_DAYS: v.optional(wholeNumber(1, 3_650), "400"),
  DISCORD_PUBLIC_KEY: v.optional(discordPublicKey),
  DISCORD_GUILD_IDS: v.optional(discordGuildIds, ""),
  HOOK_SECRET: v.optional(hookSecrets),
  RATE_LIMIT_PER_MINUTE: v.optional(wholeNumber(0, 999_999), "300"),
  DATABASE_WAIT_SECONDS: v.optional(wholeNumber(0, 3_600), "30"),
  DRAIN_SECONDS: v.optional(wholeNumber(0, 300), "1"),
  SHUTDOWN_SECONDS: v.optional(wholeNumber(1, 600), "8"),
  LOG_LEVEL: v.optional(v.picklist(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(", ")}`), "info"),
  LOG_FORMAT: v.optional(v.picklist(LOG_FORMATS, `must be one of ${LOG_FORMATS.join(", ")}`), "auto"),
  ...TELEMETRY_SCHEMAS,
  DISCORD_BOT_TOKEN: v.pipe(credential, v.regex(/^[\x20-\x7e]+$/, "must be printable ASCII")),
};

/** The name of a variable. */
type VariableName = keyof typeof SCHEMAS;

/** What to do about a missing or malformed value. */
export const FIXES: Readonly<Record<VariableName, string>> = {
  PUBLIC_URL: "the URL at which members reach Janus, such as https://janus.example.org",
  DISCORD_CLIENT_ID: "Discord developer portal, General Information, Application ID",
  DISCORD_CLIENT_SECRET: "Discord developer portal, OAuth2, Client Secret",
  OIDC_ISSUER:
    "the issuer exactly as the provider writes it; in Authentik https://host/application/o/<slug>/",
  OIDC_CLIENT_ID: "the client id that the provider gave Janus",
  OIDC_CLIENT_SECRET: "the client secret that the provider gave Janus",
  TOKEN_KEYS:
    'make one with: janus keys generate, or echo "k1:$(openssl rand -base64 32 | tr +/ -_ | tr -d =)"',
  COOKIE_SECRET: "make one with: janus keys generate, or openssl rand -base64 32 | tr +/ -_ | tr -d =",
  HOST: "127.0.0.1, or 0.0.0.0 for all; the port goes into PORT, the public URL into PUBLIC_URL",
  PORT: "the port to listen on, such as 3000",
  DATABASE_URL:
    "postgres://user:password@host:5432/database, with # ? / @ % percent-encoded in a password (%23 for #), or the " +
    "password in DATABASE_PASSWORD, which takes it as it is; the host by name or IPv4 address; or leave it out for the " +
    "embedded database",
  DATABASE_PASSWORD: "the password, where DATABASE_URL has none",
  DATABASE_PREPARE: "false behind PgBouncer in transaction mode, otherwise leave it out",
  DATA_DIR: "the folder of the embedded database, such as ./data",
  DISCORD_API_URL: "leave it out",
  DISCORD_AUTHORIZE_URL: "leave it out",
  DISCORD_CDN_URL: "leave it out",
  OIDC_SCOPES: "scopes separated by spaces, such as: openid profile offline_access",
  OIDC_AUTHORIZE_PARAMS: "a query string, such as: access_type=offline&prompt=consent",
  OIDC_TOKEN_AUTH_METHOD: "leave it out to follow the provider's discovery document",
  OIDC_ALLOW_HTTP_ENDPOINTS:
    "true if the provider is reached by http within a network that you trust, otherwise leave it out",
  PLATFORM_NAME: "your organisation's name, at most 50 characters",
  TIME_ZONE: "the IANA name of your members' time zone, such as Europe/Stockholm; leave it out for UTC",
  RULES_FILE:
    "the path of a TOML file of at most 256 KiB that Janus may read, such as /etc/janus/rules.toml, or leave it out",
  PLATFORM_LOGO:
    "the path of a PNG, WebP, JPEG or SVG file of at most 256 KiB that Janus may read, or leave it out",
  PLATFORM_COLOR: "your organisation's colour, such as 4650c8, or leave it out",
  SUPPORT_URL: "where members can ask for help, such as https://example.org/help or help@example.org",
  PRIVACY_URL: "your privacy policy, such as https://example.org/privacy",
  TRUSTED_PROXIES:
    "the IP addresses of your reverse proxies, such as 127.0.0.1 or 10.0.0.0/8, separated by commas",
  SCIM_TOKEN: "make one with: openssl rand -hex 32; leave it out where no SCIM client provisions Janus",
  SCIM_SUBJECT: "the attribute in which the SCIM client sends what SCIM_CLAIM has; externalId for Authentik",
  SCIM_CLAIM: "sub, or oid for Microsoft Entra",
  SYNC: "off where this process is to serve members only and others keep the links true, otherwise leave it out",
  SYNC_EVERY_HOURS: "hours, such as 24",
  GRACE_DAYS: "days, such as 7; 0 for none",
  BRAKE_PERCENT: "a share of all links in percent, such as 20",
  RECONCILE_DAYS: "days, such as 7",
  SYNC_PROVIDER_PER_SECOND: "requests a second, such as 10",
  RETENTION_DAYS: "days, such as 400",
  DISCORD_PUBLIC_KEY: "Discord developer portal, General Information, Public Key; or leave it out",
  DISCORD_GUILD_IDS:
    "in Discord with developer mode, right-click the server and choose Copy Server ID; separate several by commas; or leave it out",
  HOOK_SECRET: "make one with: openssl rand -hex 32; or leave it out",
  RATE_LIMIT_PER_MINUTE: "requests a minute from one IP address, such as 300; 0 for no limit",
  DATABASE_WAIT_SECONDS: "seconds, such as 30",
  DRAIN_SECONDS: "seconds, such as 1; longer than your load balancer takes to notice",
  SHUTDOWN_SECONDS:
    "seconds, such as 8; less than the container engine or systemd waits before it kills Janus",
  LOG_LEVEL: "such as info",
  LOG_FORMAT: "leave it out: readable on a terminal, otherwise JSON",
  ...TELEMETRY_FIXES,
  DISCORD_BOT_TOKEN: "Discord developer portal, Bot, Token",
};

/** Variables that are secrets: NAME_FILE may name a file that holds the value. */
export const SECRETS: readonly VariableName[] = [
  "DISCORD_CLIENT_SECRET",
  "OIDC_CLIENT_SECRET",
  "TOKEN_KEYS",
  "COOKIE_SECRET",
  "DATABASE_URL",
  "DATABASE_PASSWORD",
  "HOOK_SECRET",
  "DISCORD_BOT_TOKEN",
  "SCIM_TOKEN",
  "OTEL_EXPORTER_OTLP_HEADERS",
];

function decodeKey(text: string): Uint8Array | undefined {
  try {
    const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
    return bytes.length === KEY_BYTES ? bytes : undefined;
  } catch {
    // Not base64url, which is the answer.
    return undefined;
  }
}

function parseKeyRing(text: string): readonly RingKey[] | undefined {
  const ring: RingKey[] = [];
  for (const part of text.split(",")) {
    const match = /^([a-z0-9]{1,16}):(.+)$/.exec(part.trim());
    const [id, key] = [match?.[1], decodeKey(match?.[2] ?? "")];
    if (id === undefined || key === undefined || ring.some((other) => other.id === id)) return undefined;
    ring.push({ id, key });
  }
  return ring;
}
