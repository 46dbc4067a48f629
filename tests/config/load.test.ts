/** The configuration: every fault in one message, with its fix, and never a value. */
import { describe, expect, test } from "bun:test";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import postgres from "postgres";
import { readConfig, readDatabaseConfig, readRegistrationConfig, VARIABLES } from "../../lib/config/load.ts";
import type { Environment } from "../../lib/config/sources.ts";
import { FIXES, SECRETS } from "../../lib/config/variables.ts";
import { asJanusError, JanusError } from "../../lib/errors.ts";
import { useFolder } from "../harness/hooks.ts";

/** In no message, since no message repeats a value. Long enough, and unlike any word of ours. */
const CANARY = "canary7f3a";

const KEY = bytes(32, 7);
const OTHER_KEY = bytes(32, 8);
const VALID = {
  PUBLIC_URL: "https://janus.example.org",
  DISCORD_CLIENT_ID: "1111111111111111111",
  DISCORD_CLIENT_SECRET: "discord client secret",
  OIDC_ISSUER: "https://auth.example.org/application/o/janus/",
  OIDC_CLIENT_ID: "janus",
  OIDC_CLIENT_SECRET: "oidc client secret",
  TOKEN_KEYS: `k1:${KEY}`,
  COOKIE_SECRET: KEY,
};
const SERVER_VARIABLES = VARIABLES.filter(({ name }) => name !== "DISCORD_BOT_TOKEN");
const REQUIRED = SERVER_VARIABLES.filter(({ required }) => required).map(({ name }) => name);

/** What a credential cannot hold: the end of a line, from a shell or from Windows, and other control characters. */
const CONTROLLED = ["\n", "\r", "\r\n", "\t", "\u0000", "\u001b[0m", "\u007f", "\u0085"].flatMap(
  (control) => [CANARY + control, `${control}${CANARY}`, `${CANARY}${control}${CANARY}`],
);

/** One wrong value for each way in which a variable can be wrong. */
const manyGuilds = Array.from({ length: 21 }, (_, index) => String(1_000_000_000_000_000 + index)).join(",");
const MALFORMED: Readonly<Record<string, readonly string[]>> = {
  PUBLIC_URL: [
    CANARY,
    `http://${CANARY}.example.org`,
    `http://127.0.0.1.${CANARY}.example.org`,
    `https://${CANARY}.example.org/path`,
    `https://${CANARY}.example.org/?query`,
    `https://${CANARY}.example.org/#fragment`,
    `https://user:${CANARY}@janus.example.org`,
    `https://${CANARY}@janus.example.org`,
    `ftp://${CANARY}.example.org`,
    `javascript:${CANARY}`,
    `https://`,
  ],
  DISCORD_CLIENT_ID: [CANARY, "12345678901234", "123456789012345678901", `1111111111111111111\n${CANARY}`],
  DISCORD_CLIENT_SECRET: CONTROLLED,
  OIDC_CLIENT_SECRET: CONTROLLED,
  DATABASE_PASSWORD: CONTROLLED,
  OIDC_ISSUER: [
    CANARY,
    `https://auth.example.org/${CANARY}\u200b/`,
    `https://auth\u00a0.${CANARY}.example.org/`,
    `http://${CANARY}.example.org`,
    `https://auth.example.org/?${CANARY}`,
    `https://auth.example.org/#${CANARY}`,
    `https://user:${CANARY}@auth.example.org`,
  ],
  OIDC_CLIENT_ID: [`${CANARY}${"x".repeat(255)}`, ...CONTROLLED, "   "],
  TOKEN_KEYS: [
    CANARY,
    KEY,
    `k1:${CANARY}`,
    `k1:${KEY},k1:${OTHER_KEY}`,
    `k1:${KEY},`,
    `k1:${KEY},k2`,
    `:${KEY}`,
    `K1:${KEY}`,
    `k1.x:${KEY}`,
    `k1:${bytes(31)}`,
    `k1:${bytes(33)}`,
    `k1:${"+/".repeat(21)}A`,
    `k1:${KEY};k2:${OTHER_KEY}`,
  ],
  COOKIE_SECRET: [CANARY, bytes(31), bytes(33), `${KEY},`, `${KEY},${CANARY}`, `k1:${KEY}`],
  HOST: [`${CANARY}${"x".repeat(255)}`, `${CANARY}\n`.repeat(2)],
  PORT: [CANARY, "-1", "65536", "3000.5", "0x10", "1e3", "1234567", " 3000"],
  DATABASE_URL: [
    CANARY,
    `mysql://${CANARY}`,
    `https://${CANARY}`,
    "postgres://",
    "postgres://:@/",
    `POSTGRES ${CANARY}`,
    `postgres://[${CANARY}`,
    `postgres://janus:${CANARY}@host:notaport/janus`,
    `postgres://janus:${CANARY}@host:99999/janus`,
    `postgres://janus:${CANARY}%zz@host/janus`,
    // A password as it is, in whichever place it makes an address of its own: each would connect to another host.
    ...["#", "?", "/", "@/", "@?", "1/", "1?", "1#", "1@2/", "1/2#"].map(
      (sign) => `postgres://janus:${sign}${CANARY}@host/janus`,
    ),
    `postgres://janus:1${CANARY.replace(/\D/g, "")}/2@${CANARY}/janus`,
    `postgres://janus:secret@host/janus#${CANARY}`,
    `postgres://janus:secret@host/janus?target_session_attrs=primary#${CANARY}`,
    `postgres://janus:p@${CANARY}@a,b/janus`,
    `postgres://janus:p@${CANARY}@a/janus`,
    `postgres://janus:p@127.0.0.9,${CANARY}@a/janus`,
    `postgres://janus:p@127.0.0.9%2C${CANARY}@a/janus`,
    // What postgres.js would take for another host.
    `postgres://janus:${CANARY}@[::1]:5432/janus`,
    `postgres://janus:${CANARY}@%2Fvar%2Frun%2Fpostgresql/janus`,
    `postgres://janus:${CANARY}@/janus?host=/var/run/postgresql`,
  ],
  DATABASE_PREPARE: [CANARY, "yes", "1", "TRUE"],
  DATA_DIR: [`${CANARY}${"x".repeat(4096)}`, `${CANARY}\u0000`],
  DISCORD_API_URL: [CANARY, `http://${CANARY}.example.org`, `https://x:${CANARY}@discord.com/api`],
  DISCORD_AUTHORIZE_URL: [CANARY, `http://${CANARY}.example.org`],
  DISCORD_CDN_URL: [CANARY, `http://${CANARY}.example.org`, `https://cdn.discordapp.com/?${CANARY}`],
  OIDC_SCOPES: [CANARY, `profile ${CANARY}`, `openid ${CANARY}\u00e5`, `openid "${CANARY}"`],
  OIDC_AUTHORIZE_PARAMS: [
    ...[
      ...["client_id", "client_secret", "code_challenge", "code_challenge_method", "nonce", "redirect_uri"],
      ...["request", "request_uri", "response_mode", "response_type", "scope", "state"],
    ].map((name) => `prompt=login&${name}=${CANARY}`),
    ...[
      ...["prompt=", "prompt", "prompt=%20", "prompt=+", "login_hint=", "acr_values=&ui_locales=sv"],
      ...["prompt=login&prompt=consent", "acr_values=a&acr_values=a", "resource=a&resource=b"],
      ...["ui_locales=%09", "x=%0A", "x=%00", "x=%7F", "x=a\tb", "x=a\n", "x=a\r"],
      ...["=login", "%20prompt=login", "pro%00mpt=login", "a%0Ab=c", "prömpt=login", `"prompt=login"`],
    ].map((more) => `domain_hint=${CANARY}&${more}`),
  ],
  OIDC_TOKEN_AUTH_METHOD: [CANARY, "none", "private_key_jwt"],
  OIDC_ALLOW_HTTP_ENDPOINTS: [CANARY, "yes", "1", "TRUE"],
  PLATFORM_NAME: [`${CANARY}${"x".repeat(50)}`, `${CANARY}\u0007`, "  "],
  TIME_ZONE: [CANARY, `Europe/${CANARY}`, "+01:00", "-05", "UTC+1", "Europe/Stockholm;UTC", "  "],
  RULES_FILE: [`/${CANARY}`, `/${CANARY}${"x".repeat(4096)}`, `${CANARY}\u0000`, "/", "  "],
  PLATFORM_LOGO: [`/${CANARY}`, `/${CANARY}${"x".repeat(4096)}`, `${CANARY}\u0000`, "/", "  "],
  PLATFORM_COLOR: [CANARY, "#fff", "#f280a1c0", "rgb(0 0 0)", "#gggggg", "##28281"],
  SUPPORT_URL: [
    CANARY,
    `http://${CANARY}.example.org`,
    `https://user:${CANARY}@example.org/help`,
    `javascript:${CANARY}`,
    `mailto:${CANARY}`,
    `mailto:help@${CANARY}.example.org?cc=other@example.org`,
    `mailto:help@${CANARY}.example.org,other@example.org`,
    `${CANARY}@example.org\u200b`,
    `https://${CANARY}.example.org/\u200b`,
    `tel:${CANARY}`,
  ],
  PRIVACY_URL: [
    CANARY,
    `http://${CANARY}.example.org`,
    `https://${CANARY}@example.org`,
    `mailto:${CANARY}@example.org`,
    `data:text/html,${CANARY}`,
    `https://example.org/${CANARY}${"x".repeat(2_000)}`,
  ],
  TRUSTED_PROXIES: [CANARY, `127.0.0.1,${CANARY}`, "10.0.0.0/33", "10.0.0.0/0x8", "300.1.1.1", "::1/129"],
  SCIM_TOKEN: [
    "too short for a token",
    `${CANARY.repeat(9)} with blanks`,
    `${"x".repeat(32)},short`,
    `${"x".repeat(32)},`,
    "x".repeat(1_025),
  ],
  SCIM_SUBJECT: [CANARY, "id", "externalid", "emails"],
  SCIM_CLAIM: [`${CANARY} claim`, "x".repeat(101)],
  SYNC: [CANARY, "true", "ON", "yes"],
  SYNC_EVERY_HOURS: [CANARY, "0", "721", "1.5"],
  GRACE_DAYS: [CANARY, "-1", "366"],
  BRAKE_PERCENT: [CANARY, "0", "101", "20%"],
  RECONCILE_DAYS: [CANARY, "0", "366"],
  SYNC_PROVIDER_PER_SECOND: [CANARY, "0", "1001", "0.5"],
  RETENTION_DAYS: [CANARY, "0", "3651"],
  METRICS_PORT: [CANARY, "-1", "65536", "94.64", "http://127.0.0.1:9464"],
  METRICS_HOST: [`http://${CANARY}`, "127.0.0.1:9464", "a b"],
  OTEL_TRACES_EXPORTER: [CANARY, "console", "zipkin"],
  OTEL_SDK_DISABLED: [CANARY, "1", "yes"],
  OTEL_EXPORTER_OTLP_ENDPOINT: [CANARY, "127.0.0.1:4318", `ftp://${CANARY}`, `http://${CANARY}:x@collector`],
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: [
    CANARY,
    `http://collector/?token=${CANARY}`,
    `http://collector/#${CANARY}`,
  ],
  OTEL_EXPORTER_OTLP_PROTOCOL: [CANARY, "grpc", "http"],
  OTEL_EXPORTER_OTLP_HEADERS: [CANARY, `=${CANARY}`, `a b=${CANARY}`, `x=%0d%0a${CANARY}`, `x=%zz${CANARY}`],
  OTEL_EXPORTER_OTLP_TIMEOUT: [CANARY, "0", "600001", "1.5"],
  OTEL_SERVICE_NAME: [`${CANARY}\u0007`, "x".repeat(256)],
  OTEL_RESOURCE_ATTRIBUTES: [CANARY, `=${CANARY}`, `x=%zz${CANARY}`, "x=y,".repeat(65), "x".repeat(8_193)],
  OTEL_TRACES_SAMPLER: [CANARY, "jaeger_remote", "always on"],
  OTEL_TRACES_SAMPLER_ARG: [CANARY, "-0.1", "1.1", "half", "1e-3"],
  OTEL_PROPAGATORS: [CANARY, "tracecontext,other", "tracecontext;baggage"],
  DISCORD_PUBLIC_KEY: [CANARY, "a".repeat(63), "a".repeat(65), `${"a".repeat(54)}${CANARY}`, "g".repeat(64)],
  DISCORD_GUILD_IDS: [CANARY, "123", `111111111111111111,${CANARY}`, "1".repeat(21), manyGuilds],
  HOOK_SECRET: [
    CANARY,
    "a".repeat(31),
    `${CANARY}${"a".repeat(600)}`,
    `${CANARY} ${"a".repeat(40)}`,
    `${CANARY}å${"a".repeat(40)}`,
    `whsec_${CANARY}`,
    `whsec_${"a".repeat(60)}!${CANARY}`,
    `${"a".repeat(40)},${CANARY}`,
    `${"a".repeat(40)},`,
  ],
  RATE_LIMIT_PER_MINUTE: [CANARY, "-1", "1.5", "1000000"],
  DATABASE_WAIT_SECONDS: [CANARY, "-1", "3601"],
  DRAIN_SECONDS: [CANARY, "-1", "301"],
  SHUTDOWN_SECONDS: [CANARY, "0", "601"],
  LOG_LEVEL: [CANARY, "INFO", "trace"],
  LOG_FORMAT: [CANARY, "JSON", "pretty"],
};

const folder = useFolder("config");

/** A file for a secret, below the test's own folder. */
async function secretFile(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await Bun.write(path, content);
  return path;
}

function bytes(length: number, filler = 0): string {
  return new Uint8Array(length).fill(filler).toBase64({ alphabet: "base64url", omitPadding: true });
}

function decode(text: string): Uint8Array {
  return Uint8Array.fromBase64(text, { alphabet: "base64url" });
}

/** The fault that reading this environment ends with. */
function faultOf(
  environment: Environment,
  read: (environment: Environment) => unknown = readConfig,
): JanusError {
  try {
    read(environment);
  } catch (error) {
    if (error instanceof JanusError) return error;
    throw error;
  }
  throw new Error("the configuration was accepted");
}

/** The lines of a message that name a variable, by its name. */
function faultLines({ message }: JanusError): Map<string, string> {
  // Where nothing at all is set, the last line says how to begin.
  const lines = message
    .split("\n")
    .slice(1)
    .filter((line) => !line.startsWith("Nothing is set yet."));
  return new Map(lines.map((line) => [/^ {2}(\S+) /.exec(line)?.[1] ?? `unnamed: ${line}`, line]));
}

function fixOf(name: string): string {
  return new Map<string, string>(Object.entries(FIXES)).get(name) ?? "no fix";
}

describe("readConfig()", () => {
  test("accepts the required variables alone, and fills in defaults", () => {
    const config = readConfig(VALID);

    expect(config).toEqual({
      publicUrl: "https://janus.example.org",
      host: "127.0.0.1",
      port: 3000,
      platformName: "Janus",
      timeZone: "UTC",
      platformLogo: undefined,
      platformColor: undefined,
      supportUrl: undefined,
      privacyUrl: undefined,
      trustedProxies: [],
      rateLimitPerMinute: 300,
      sync: {
        isOn: true,
        everyHours: 24,
        graceDays: 7,
        brakePercent: 20,
        reconcileDays: 7,
        providerPerSecond: 10,
      },
      retentionDays: 400,
      metrics: undefined,
      tracing: undefined,
      drainSeconds: 1,
      shutdownSeconds: 8,
      scim: undefined,
      tokenKeys: [{ id: "k1", key: decode(KEY) }],
      cookieSecrets: [decode(KEY)],
      hookSecrets: [],
      discord: {
        clientId: "1111111111111111111",
        clientSecret: "discord client secret",
        botToken: undefined,
        publicKey: undefined,
        guildIds: [],
        apiUrl: "https://discord.com/api/v10",
        authorizeUrl: "https://discord.com/oauth2/authorize",
        cdnUrl: "https://cdn.discordapp.com",
      },
      oidc: {
        issuer: "https://auth.example.org/application/o/janus/",
        clientId: "janus",
        clientSecret: "oidc client secret",
        scopes: undefined,
        authorizeParams: [],
        tokenAuthMethod: undefined,
        allowHttpEndpoints: false,
      },
      database: { url: undefined, password: undefined, prepare: true, libpq: {}, dataDir: "./data" },
      databaseWaitSeconds: 30,
      logLevel: "info",
      logFormat: "auto",
    });
  });

  test("names every missing variable in one message, with its fix", () => {
    const fault = faultOf({});

    const lines = faultLines(fault);
    expect(fault.code).toBe("config_invalid");
    expect(fault.exitStatus).toBe(2);
    expect([...lines.keys()].sort()).toEqual([...REQUIRED].sort());
    for (const [name, line] of lines) expect(line).toBe(`  ${name} is missing: ${fixOf(name)}`);
    expect(fault.message.split("\n")[0]).toBe(`The configuration has ${REQUIRED.length} faults:`);
  });

  test("counts an empty variable as unset", () => {
    const emptied = Object.fromEntries(SERVER_VARIABLES.map(({ name }) => [name, ""]));

    const fault = faultOf(emptied);
    const config = readConfig({
      ...VALID,
      HOST: "",
      PORT: "",
      DATABASE_URL: "",
      OIDC_SCOPES: "",
      LOG_LEVEL: "",
    });

    expect(fault.message).toBe(faultOf({}).message);
    expect(config).toEqual(readConfig(VALID));
  });

  test("is tested with a malformed value of every variable", () => {
    expect(Object.keys(MALFORMED).sort()).toEqual(SERVER_VARIABLES.map(({ name }) => name).sort());
  });

  const malformed = Object.entries(MALFORMED).flatMap(([name, values]) =>
    values.map((value, index) => ({ name, value, shown: `${JSON.stringify(value).slice(0, 28)} #${index}` })),
  );
  test.each(malformed)("refuses $name=$shown", ({ name, value }) => {
    const fault = faultOf({ ...VALID, [name]: value });

    const lines = faultLines(fault);
    expect(fault.code).toBe("config_invalid");
    expect([...lines.keys()]).toEqual([name]);
    expect(lines.get(name)).not.toContain("is missing");
    expect(lines.get(name)).toEndWith(`: ${fixOf(name)}`);
    expect(fault.message).not.toContain(CANARY);
    expect(fault.message).not.toContain(KEY);
    expect(String(fault.stack)).not.toContain(CANARY);
  });

  test("reports all faults together, and repeats no value", () => {
    const environment = Object.fromEntries(Object.entries(MALFORMED).map(([name, [value]]) => [name, value]));

    const fault = faultOf(environment);

    const named = faultLines(fault);
    expect([...named.keys()].sort()).toEqual(Object.keys(MALFORMED).sort());
    expect(fault.message).not.toContain(CANARY);
  });

  test("never throws another error, and never repeats a value", () => {
    const names = VARIABLES.flatMap(({ name, secret }) => (secret ? [name, `${name}_FILE`] : [name]));
    const value = fc.oneof(
      fc.string({ unit: "binary" }).map((text) => text + CANARY),
      fc.constantFrom(...Object.values(MALFORMED).flat()),
      fc
        .tuple(
          fc.constantFrom(
            "https://",
            "http://127.0.0.1",
            "postgres://",
            "postgres://:@/",
            "k1:",
            `k1:${KEY},`,
            "openid ",
            "a=",
          ),
          fc.string(),
        )
        .map(([prefix, rest]) => `${prefix}${rest}${CANARY}`),
      fc.constantFrom(...Object.values(VALID)),
    );
    const environments = fc.dictionary(fc.constantFrom(...names), value, { noNullPrototype: true });
    const partly = fc
      .tuple(fc.constantFrom({}, VALID), environments)
      .map(([base, more]) => ({ ...base, ...more }));
    const readers = [readConfig, readDatabaseConfig, readRegistrationConfig];

    fc.assert(
      fc.property(partly, fc.constantFrom(...readers), (environment, read) => {
        try {
          read(environment);
        } catch (error) {
          expect(error).toBeInstanceOf(JanusError);
          const { code, message, cause } = asJanusError(error);
          expect(code).toBe("config_invalid");
          expect(message).not.toContain(CANARY);
          expect(message).not.toContain(KEY);
          expect(cause).toBeUndefined();
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("readConfig()", () => {
  const quoted = "the quotes around it are part of the value";
  const ended = "it ends in a carriage return, as in a file with Windows line ends";
  const space = "a space or a line end around it is part of the value";
  const cases: readonly (readonly [string, string, string])[] = [
    ["PUBLIC_URL", `"https://janus.example.org"`, quoted],
    ["PUBLIC_URL", `'https://janus.example.org'`, quoted],
    ["OIDC_ISSUER", "\u201chttps://auth.example.org\u201d", quoted],
    ["DISCORD_CLIENT_ID", `"1111111111111111111"`, quoted],
    ["DISCORD_CLIENT_ID", `'"1111111111111111111"'`, quoted],
    ["DISCORD_CLIENT_ID", `\\"1111111111111111111\\"`, quoted],
    ["DISCORD_CLIENT_ID", "1111111111111111111\r", ended],
    ["DISCORD_CLIENT_ID", " 1111111111111111111", space],
    ["DISCORD_CLIENT_ID", "1111111111111111111\n", space],
    ["TOKEN_KEYS", `"k1:${KEY}"`, quoted],
    ["COOKIE_SECRET", `\`${KEY}\``, quoted],
    ["PORT", `"3000"`, quoted],
    ["PORT", "3000\r", ended],
    ["PORT", `"3000"\r`, quoted],
    ["LOG_LEVEL", "info\r", ended],
    ["LOG_LEVEL", "info ", space],
    ["DATABASE_URL", `"postgres://janus@host/janus"`, quoted],
    ["OIDC_SCOPES", `"openid profile"`, quoted],
    ["OIDC_SCOPES", "'openid profile'", quoted],
    ["OIDC_CLIENT_SECRET", "abc\r", ended],
    ["OIDC_CLIENT_SECRET", "abc\n", space],
  ];

  const shown = cases.map(
    ([name, value, why]) => [name, JSON.stringify(value).slice(0, 28), value, why] as const,
  );
  test.each(shown)("names the stray characters in %s=%s", (name, _, value, why) => {
    const line = faultLines(faultOf({ ...VALID, [name]: value })).get(name);

    expect(line).toContain(` (${why}): `);
    expect(line).toEndWith(`: ${fixOf(name)}`);
  });

  test.each([
    ["DISCORD_CLIENT_ID", "11111111111"],
    ["PUBLIC_URL", "janus.example.org"],
    ["PORT", "http"],
  ])("finds no quotes or spaces in %s=%j", (name, value) => {
    expect(faultLines(faultOf({ ...VALID, [name]: value })).get(name)).not.toMatch(
      /quotes|space|it ends|seen/,
    );
  });

  test.each([["DISCORD_CLIENT_SECRET"], ["OIDC_CLIENT_ID"], ["OIDC_CLIENT_SECRET"], ["DATABASE_PASSWORD"]])(
    "names control characters in %s",
    (name) => {
      const { message } = faultOf({ ...VALID, [name]: "abc\n" });

      expect(message).toContain(`${name} must not contain control characters, such as a line end or a tab`);
    },
  );

  test("names control characters in the bot token", () => {
    const { message } = faultOf({ ...VALID, DISCORD_BOT_TOKEN: "abc\n" }, readRegistrationConfig);

    expect(message).toContain("DISCORD_BOT_TOKEN must not contain control characters");
  });
});

describe("readConfig().publicUrl", () => {
  test.each([
    ["https://janus.example.org", "https://janus.example.org"],
    ["https://janus.example.org/", "https://janus.example.org"],
    ["https://JANUS.example.org:443", "https://janus.example.org"],
    ["https://janus.example.org:8443/", "https://janus.example.org:8443"],
    ["http://localhost:3000", "http://localhost:3000"],
    ["http://127.0.0.1:3000", "http://127.0.0.1:3000"],
    ["http://[::1]:3000", "http://[::1]:3000"],
  ])("is the origin of %s", (given, origin) => {
    expect(readConfig({ ...VALID, PUBLIC_URL: given }).publicUrl).toBe(origin);
  });
});

describe("readConfig().supportUrl and .privacyUrl", () => {
  test.each([
    ["https://example.org", "https://example.org/"],
    [" https://EXAMPLE.org/hjälp?a=b#kontakt ", "https://example.org/hj%C3%A4lp?a=b#kontakt"],
    ["http://localhost:8080/help", "http://localhost:8080/help"],
  ])("are %s as browsers write it", (given, url) => {
    const { supportUrl, privacyUrl } = readConfig({ ...VALID, SUPPORT_URL: given, PRIVACY_URL: given });

    expect([supportUrl, privacyUrl]).toEqual([url, url]);
  });

  test.each(["help@example.org", "mailto:help@example.org", " MAILTO:help@example.org "])(
    "take the e-mail address %s for support",
    (given) => {
      expect(readConfig({ ...VALID, SUPPORT_URL: given }).supportUrl).toBe("mailto:help@example.org");
    },
  );
});

test.each(["#F280a1", "f280a1", " #f280A1 "])("readConfig() takes %s for a colour", (given) => {
  expect(readConfig({ ...VALID, PLATFORM_COLOR: given }).platformColor).toBe("#f280a1");
});

describe("readConfig().oidc.issuer", () => {
  test.each([
    "https://auth.example.org/application/o/janus/",
    "https://auth.example.org",
    "https://auth.example.org/",
    "https://auth.example.org/Realms/%7Ejanus",
    "http://127.0.0.1:9000/",
    "http://localhost:9000/application/o/janus/",
  ])("keeps %s", (issuer) => {
    expect(readConfig({ ...VALID, OIDC_ISSUER: issuer }).oidc.issuer).toBe(issuer);
  });

  test.each([
    " https://auth.example.org/",
    "https://auth.example.org/ ",
    "https://auth.exam\nple.org/",
    "\thttps://auth.example.org/",
  ])("is %j trimmed, or a fault", (given) => {
    let issuer = "";
    try {
      issuer = readConfig({ ...VALID, OIDC_ISSUER: given }).oidc.issuer;
    } catch (error) {
      expect(error).toMatchObject({ code: "config_invalid" });
    }

    expect(issuer).not.toMatch(/\s/);
  });
});

describe("readConfig().tokenKeys", () => {
  test("keeps the order of several keys, with padding or blanks", () => {
    const plain = readConfig({ ...VALID, TOKEN_KEYS: `k2:${OTHER_KEY},k1:${KEY}` }).tokenKeys;
    const padded = readConfig({ ...VALID, TOKEN_KEYS: ` k2:${OTHER_KEY}= , k1:${KEY}= ` }).tokenKeys;

    expect(plain.map(({ id }) => id)).toEqual(["k2", "k1"]);
    expect(plain.map(({ key }) => key)).toEqual([OTHER_KEY, KEY].map(decode));
    expect(padded).toEqual(plain);
  });

  test.each([
    ["TOKEN_KEYS", "tokenKeys"],
    ["COOKIE_SECRET", "cookieSecrets"],
  ] as const)("accepts what the fix's command makes for %s", async (name, field) => {
    const command = /make one with: janus keys generate, or (.+)$/.exec(fixOf(name))?.[1] ?? "false";

    const shell = Bun.spawn(["sh", "-c", command], { stdout: "pipe", stderr: "pipe" });
    const made = (await new Response(shell.stdout).text()).trim();

    expect(await shell.exited).toBe(0);
    expect(readConfig({ ...VALID, [name]: made })[field]).toHaveLength(1);
  });
});

describe("readConfig().scim", () => {
  const token = "scim-token-0123456789-0123456789";
  const next = "bmV4dA+/next-token_~.0123456789012==";

  test("has tokens, the newest first, and how users and members are matched", () => {
    const plain = readConfig({ ...VALID, SCIM_TOKEN: token }).scim;
    const chosen = readConfig({
      ...VALID,
      SCIM_TOKEN: ` ${next}, ${token} `,
      SCIM_SUBJECT: "userName",
      SCIM_CLAIM: "oid",
    }).scim;

    expect(plain).toEqual({ tokens: [token], attribute: "externalId", claim: "sub" });
    expect(chosen).toEqual({ tokens: [next, token], attribute: "userName", claim: "oid" });
  });

  test("is undefined without a token, whatever else is set", () => {
    expect(readConfig({ ...VALID, SCIM_SUBJECT: "userName" }).scim).toBeUndefined();
  });
});

test("readConfig() reads COOKIE_SECRET as a list, the newest first", () => {
  const { cookieSecrets } = readConfig({ ...VALID, COOKIE_SECRET: `${OTHER_KEY}, ${KEY}` });

  expect(cookieSecrets).toEqual([OTHER_KEY, KEY].map(decode));
});

describe("readConfig().hookSecrets", () => {
  const text = "a-text-of-more-than-thirty-two-characters";
  const key = Buffer.from(new Uint8Array(32).fill(251));

  test("reads HOOK_SECRET as a list, the newest first", () => {
    const { hookSecrets } = readConfig({ ...VALID, HOOK_SECRET: `whsec_${key.toString("base64")}, ${text}` });

    expect(hookSecrets).toEqual([new Uint8Array(key), new TextEncoder().encode(text)]);
  });

  test("reads the base64 of Standard Webhooks with or without padding", () => {
    const padded = key.toString("base64");

    for (const written of [padded, padded.replaceAll("=", "")])
      expect(readConfig({ ...VALID, HOOK_SECRET: `whsec_${written}` }).hookSecrets).toEqual([
        new Uint8Array(key),
      ]);
  });
});

test("readConfig().discord.publicKey is the bytes of DISCORD_PUBLIC_KEY, in either case", () => {
  const hex = "0123456789abcdefABCDEF0123456789".repeat(2);

  for (const written of [hex, hex.toUpperCase()])
    expect(readConfig({ ...VALID, DISCORD_PUBLIC_KEY: written }).discord.publicKey?.toHex()).toBe(
      hex.toLowerCase(),
    );
});

describe("readConfig().oidc.authorizeParams", () => {
  test.each([
    ["prompt=", "must give every parameter a value"],
    ["prompt", "must give every parameter a value"],
    ["prompt=%20", "must give every parameter a value"],
    ["acr_values=&ui_locales=sv", "must give every parameter a value"],
    ["prompt=login&prompt=consent", "must name every parameter once"],
    ["resource=a&resource=b", "must name every parameter once"],
    ["x=a%0Ab", "must not contain control characters"],
    ["x=a\n", "must not contain control characters"],
    ["state=x", "without client_id"],
    [`"prompt=login"`, "the quotes around it are part of the value"],
  ])("refuses %j", (given, why) => {
    expect(faultOf({ ...VALID, OIDC_AUTHORIZE_PARAMS: given }).message).toContain(why);
  });

  test.each([
    ["?prompt=login", [["prompt", "login"]]],
    [" prompt=login ", [["prompt", "login"]]],
    ["prompt=select_account+login&", [["prompt", "select_account login"]]],
    [
      "resource=https%3A%2F%2Fa.test%2F&kc_idp_hint=x&max_age=0",
      [
        ["resource", "https://a.test/"],
        ["kc_idp_hint", "x"],
        ["max_age", "0"],
      ],
    ],
    ['claims={"id_token":{"groups":null}}', [["claims", '{"id_token":{"groups":null}}']]],
  ])("%j", (given, parameters) => {
    const { authorizeParams } = readConfig({ ...VALID, OIDC_AUTHORIZE_PARAMS: given }).oidc;

    expect<unknown>(authorizeParams).toEqual(parameters);
  });
});

describe("readConfig()", () => {
  test("reads them as they are given", () => {
    const config = readConfig({
      ...VALID,
      HOST: "0.0.0.0",
      PORT: "8080",
      DATABASE_URL: "postgres://janus:p%40ss@a:5432,b:5433/janus?target_session_attrs=primary",
      DATABASE_PREPARE: "false",
      DATA_DIR: "/var/lib/janus",
      DISCORD_API_URL: "http://127.0.0.1:1/api/v10",
      DISCORD_AUTHORIZE_URL: "http://127.0.0.1:1/oauth2/authorize",
      OIDC_SCOPES: " openid  profile\toffline_access ",
      OIDC_AUTHORIZE_PARAMS: "access_type=offline&prompt=consent&acr_values=a%20b",
      OIDC_TOKEN_AUTH_METHOD: "client_secret_post",
      OIDC_ALLOW_HTTP_ENDPOINTS: "true",
      PLATFORM_NAME: "D-sektionen",
      TIME_ZONE: " Europe/Stockholm ",
      LOG_LEVEL: "debug",
    });

    expect(config).toMatchObject({
      host: "0.0.0.0",
      port: 8080,
      platformName: "D-sektionen",
      timeZone: "Europe/Stockholm",
      logLevel: "debug",
      database: {
        url: "postgres://janus:p%40ss@a:5432,b:5433/janus?target_session_attrs=primary",
        prepare: false,
        dataDir: "/var/lib/janus",
      },
      discord: { apiUrl: "http://127.0.0.1:1/api/v10", authorizeUrl: "http://127.0.0.1:1/oauth2/authorize" },
      oidc: {
        scopes: ["openid", "profile", "offline_access"],
        authorizeParams: [
          ["access_type", "offline"],
          ["prompt", "consent"],
          ["acr_values", "a b"],
        ],
        tokenAuthMethod: "client_secret_post",
        allowHttpEndpoints: true,
      },
    });
    expect(readConfig(VALID).oidc.allowHttpEndpoints).toBe(false);
  });

  test("removes the last slash of DISCORD_API_URL", () => {
    const { apiUrl } = readConfig({ ...VALID, DISCORD_API_URL: "https://discord.com/api/v10/" }).discord;

    expect(apiUrl).toBe("https://discord.com/api/v10");
  });

  test.each([
    "postgres://janus:p%40ss@a:5432,b/janus?target_session_attrs=primary",
    "postgres://janus:p%23%3F%2F%40%25ss@a/janus",
    "postgresql://janus@db.example.org/janus",
    "postgres://h",
  ])("accepts DATABASE_URL=%s", (url) => {
    expect(readDatabaseConfig({ DATABASE_URL: url }).database.url).toBe(url);
  });
});

test.each([..."#?/@%"])("readConfig() says what to do about a raw %s in DATABASE_URL", (sign) => {
  const { message } = faultOf({ ...VALID, DATABASE_URL: `postgres://janus:1${sign}zz${CANARY}@a,b/janus` });

  expect(message).toContain("percent-encoded in a password");
  expect(message).toContain(`${sign} `);
  expect(message).toContain("DATABASE_PASSWORD, which takes it as it is");
  expect(message).not.toContain(CANARY);
});

test("readConfig() accepts no DATABASE_URL that leads to another host", () => {
  const password = fc.string({ unit: fc.constantFrom(..."aB1.,:;@/?#[]%&=+ 2C40é") });

  fc.assert(
    fc.property(password, (text) => {
      const url = `postgres://janus:${text}@db.test:5433/janus`;
      const taken = takenUrl(url);
      if (taken === undefined) return;

      const { host, port, user, pass, database } = postgres(taken, {}).options;

      expect({ host, port, user, database }).toEqual({
        host: ["db.test"],
        port: [5433],
        user: "janus",
        database: "janus",
      });
      expect<unknown>(pass).toBe(decodeURIComponent(text));
    }),
    { numRuns: 2_000 },
  );
});

/** The address, if the configuration takes it. */
function takenUrl(url: string): string | undefined {
  try {
    return readDatabaseConfig({ DATABASE_URL: url }).database.url;
  } catch {
    return undefined;
  }
}

describe("NAME_FILE", () => {
  const fileValues = {
    DISCORD_CLIENT_SECRET: "from a file",
    OIDC_CLIENT_SECRET: "from a file",
    TOKEN_KEYS: `k9:${OTHER_KEY}`,
    COOKIE_SECRET: OTHER_KEY,
    DATABASE_URL: "postgres://janus@from-a-file/janus",
    DATABASE_PASSWORD: "from a file",
    HOOK_SECRET: "from a file, in which it is long".replaceAll(/[ ,]/g, "-"),
    SCIM_TOKEN: "a-scim-token-that-comes-from-a-file-0123",
    OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20from-a-file",
  };
  const readBoth = (environment: Environment) => {
    readConfig({ ...VALID, ...environment });
    readRegistrationConfig({ ...VALID, ...environment });
  };
  const without = { ...VALID, DISCORD_BOT_TOKEN: "bot token" };

  test("exists for every secret, and these are the secrets", () => {
    const secrets: string[] = [...SECRETS].sort();

    expect(secrets).toEqual([...Object.keys(fileValues), "DISCORD_BOT_TOKEN"].sort());
    expect(
      VARIABLES.filter(({ secret }) => secret)
        .map(({ name }) => name)
        .sort(),
    ).toEqual([...SECRETS].sort());
  });

  test("gives each secret from a file, without blanks around it", async () => {
    const names = Object.entries(fileValues);
    const files = await Promise.all(
      names.map(([name, value]) => secretFile(`good-${name}`, `\n ${value} \r\n`)),
    );
    const secrets = Object.fromEntries(names.map(([name]) => [name, undefined]));
    const fromFiles = Object.fromEntries(names.map(([name], index) => [`${name}_FILE`, files[index]]));

    const config = readConfig({ ...VALID, ...secrets, ...fromFiles });

    expect(config).toEqual(readConfig({ ...VALID, ...fileValues }));
  });

  test("gives the bot token for registration", async () => {
    const DISCORD_BOT_TOKEN_FILE = await secretFile("bot-token", "bot token\n");

    expect(readRegistrationConfig({ ...VALID, DISCORD_BOT_TOKEN_FILE }).botToken).toBe("bot token");
  });

  test.each([...SECRETS])("is one fault if %s is set both ways", async (name) => {
    const file = await secretFile(`twice-${name}`, CANARY);

    const fault = faultOf({ ...without, [name]: CANARY, [`${name}_FILE`]: file }, readBoth);

    expect([...faultLines(fault).keys()]).toEqual([name]);
    expect(fault.message).toContain(`${name}_FILE`);
    expect(fault.message).not.toContain(CANARY);
    expect(fault.message).not.toContain(file);
  });

  test.each([...SECRETS])("is one fault if the file of %s_FILE cannot be read", async (name) => {
    const paths = [join(folder, CANARY), folder, `${CANARY}\u0000`, CANARY.repeat(1000)];

    for (const path of paths) {
      const fault = faultOf({ ...without, [name]: undefined, [`${name}_FILE`]: path }, readBoth);

      expect([...faultLines(fault).keys()]).toEqual([`${name}_FILE`]);
      expect(fault.message).toContain(fixOf(name));
      expect(fault.message).not.toContain(CANARY);
    }
  });

  test("is a fault if Janus may not read the file", async () => {
    const DISCORD_CLIENT_SECRET_FILE = await secretFile("forbidden", CANARY);
    await chmod(DISCORD_CLIENT_SECRET_FILE, 0);
    if (process.getuid?.() === 0) return; // root may read anything

    const fault = faultOf({ ...VALID, DISCORD_CLIENT_SECRET: undefined, DISCORD_CLIENT_SECRET_FILE });

    expect([...faultLines(fault).keys()]).toEqual(["DISCORD_CLIENT_SECRET_FILE"]);
  });

  test.each([...SECRETS])("is one fault if the file of %s_FILE is empty", async (name) => {
    const file = await secretFile(`empty-${name}`, " \n");

    // DATABASE_URL above all: a secret that was not mounted must not mean the embedded database.
    const fault = faultOf({ ...without, [name]: undefined, [`${name}_FILE`]: file }, readBoth);

    expect(faultLines(fault).size).toBe(1);
    expect(fault.message).toContain(`${name}_FILE`);
  });

  test("is a fault without the content if that is malformed", async () => {
    const TOKEN_KEYS_FILE = await secretFile("malformed", `k1:${CANARY}`);

    const fault = faultOf({ ...VALID, TOKEN_KEYS: undefined, TOKEN_KEYS_FILE });

    expect([...faultLines(fault).keys()]).toEqual(["TOKEN_KEYS"]);
    expect(fault.message).not.toContain(CANARY);
  });

  test.each([
    ["a line end inside", "abc\ndef\n", "must not contain control characters"],
    ["a tab inside", "abc\tdef\n", "must not contain control characters"],
    ["a zero byte", "abc\u0000", "must not contain control characters"],
    ["what no UTF-8 is", new Uint8Array([0x61, 0xe5, 0x62]), "is not text in UTF-8"],
    [
      "UTF-16, as PowerShell writes it",
      new Uint8Array([0xff, 0xfe, 0x61, 0, 0x62, 0]),
      "is not text in UTF-8",
    ],
  ])("is a fault if the file holds %s", async (_, content, why) => {
    const OIDC_CLIENT_SECRET_FILE = join(folder, "controlled");
    await Bun.write(OIDC_CLIENT_SECRET_FILE, content);

    const fault = faultOf({ ...VALID, OIDC_CLIENT_SECRET: undefined, OIDC_CLIENT_SECRET_FILE });

    expect(faultLines(fault).size).toBe(1);
    expect(fault.message).toContain(why);
    expect(fault.message).not.toContain("abc");
  });

  test.each([
    ["a line end", "abc\n"],
    ["a Windows line end", "abc\r\n"],
    ["blanks and tabs", "\t abc \n\n"],
    ["a byte order mark", "\uFEFFabc\n"],
  ])("is read without %s around the secret", async (_, content) => {
    const OIDC_CLIENT_SECRET_FILE = await secretFile("trimmed", content);

    const { oidc } = readConfig({ ...VALID, OIDC_CLIENT_SECRET: undefined, OIDC_CLIENT_SECRET_FILE });

    expect(oidc.clientSecret).toBe("abc");
  });

  test("is ignored for a variable that is not a secret", async () => {
    const HOST_FILE = await secretFile("host", "0.0.0.0");

    expect(readConfig({ ...VALID, HOST_FILE }).host).toBe("127.0.0.1");
  });
});

describe("readDatabaseConfig()", () => {
  test("needs only the variables of the database", () => {
    expect(readDatabaseConfig({ PUBLIC_URL: CANARY, PORT: CANARY })).toEqual({
      database: { url: undefined, password: undefined, prepare: true, libpq: {}, dataDir: "./data" },
      databaseWaitSeconds: 30,
      logLevel: "info",
      logFormat: "auto",
    });
  });
});

describe("readRegistrationConfig()", () => {
  test("needs the application id and the bot token alone", () => {
    const fault = faultOf({}, readRegistrationConfig);
    const config = readRegistrationConfig({
      DISCORD_CLIENT_ID: VALID.DISCORD_CLIENT_ID,
      DISCORD_BOT_TOKEN: "bot token",
    });

    expect([...faultLines(fault).keys()].sort()).toEqual(["DISCORD_BOT_TOKEN", "DISCORD_CLIENT_ID"]);
    expect(config).toEqual({
      applicationId: VALID.DISCORD_CLIENT_ID,
      apiUrl: "https://discord.com/api/v10",
      authorizeUrl: "https://discord.com/oauth2/authorize",
      botToken: "bot token",
      publicUrl: "http://localhost",
      takesInteractions: false,
      guildIds: [],
    });
  });
});
