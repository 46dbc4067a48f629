/** `janus config check`: what is in force and from where, which settings are risky, and never a secret. */
import { describe, expect, test } from "bun:test";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { ROUTES } from "../../index.ts";
import { checkConfig } from "../../lib/cli/commands/config_check.ts";
import { readConfig, VARIABLES } from "../../lib/config/load.ts";
import type { Environment } from "../../lib/config/sources.ts";
import { readSources } from "../../lib/config/sources.ts";
import { createDiscordUrls } from "../../lib/discord/authorization_request.ts";
import { JanusError } from "../../lib/errors.ts";
import { run } from "../fixtures/command.ts";
import { DISCORD_PUBLIC_KEY } from "../fixtures/discord_events.ts";
import { readText } from "../fixtures/source.ts";
import { useFolder } from "../harness/hooks.ts";
import { CANARY, DISCORD_CLIENT_ID, environmentFor, OIDC_CLIENT_ID } from "../harness/janus.ts";
import { startDiscord } from "../standins/discord.ts";
import { startForger } from "../standins/forger.ts";

const KEY = `canary${"A".repeat(37)}`;
/** Every secret has the word in it; nothing unwise is in it. */
const GOOD = {
  PUBLIC_URL: "https://janus.example.org/",
  DISCORD_CLIENT_ID: "1111111111111111111",
  DISCORD_CLIENT_SECRET: "canary-discord",
  OIDC_ISSUER: "https://auth.example.org/application/o/janus/",
  OIDC_CLIENT_ID: "janus client",
  OIDC_CLIENT_SECRET: "canary-oidc",
  TOKEN_KEYS: `canary1:${KEY}`,
  COOKIE_SECRET: KEY,
  DATABASE_URL: "postgres://canary-user:canary-password@canary-host:5432/canary",
  TRUSTED_PROXIES: "loopback, 10.0.0.0/8",
  PLATFORM_NAME: "D-sektionen",
} as const;
const SECRETS = VARIABLES.filter(({ secret }) => secret).map(({ name }) => name);

const folder = useFolder("config-check");

async function write(name: string, content: string, mode = 0o600): Promise<string> {
  const path = join(folder, name);
  await Bun.write(path, content);
  await chmod(path, mode);
  return path;
}

type Report = {
  readonly variables: readonly Readonly<Record<string, unknown>>[];
  readonly addresses: Readonly<Record<string, string | readonly string[]>> & {
    readonly doorbells: Readonly<Record<string, string>>;
  };
  readonly warnings: readonly string[];
  readonly verdict: string;
};

/** What is said of an environment, and of files, the last one first. */
async function check(
  environment: Environment,
  files: Readonly<Record<string, Environment>> = {},
  atStart: readonly string[] = Object.keys(environment),
) {
  const sources = Object.entries(files).map(([file, variables]) => ({ file, variables }));
  const own = { file: undefined, variables: environment, atStart: new Set(atStart) };
  const report: Report = JSON.parse(JSON.stringify(checkConfig([own, ...sources])));
  const find = (name: string) => report.variables.find((variable) => variable.name === name);
  return { ...report, find };
}

/** What reading or checking a configuration throws. */
async function faultOf(read: () => unknown): Promise<JanusError> {
  try {
    await read();
  } catch (error) {
    if (error instanceof JanusError) return error;
  }
  throw new Error("no fault");
}

describe("checkConfig()", () => {
  test("lists every variable with its value and where it is from", async () => {
    const { variables, warnings, find } = await check(
      { ...GOOD, OIDC_AUTHORIZE_PARAMS: "prompt=login&x=å b", OIDC_SCOPES: "openid   email", PORT: "" },
      {
        "b.env": { PORT: "80", RATE_LIMIT_PER_MINUTE: "0080" },
        "a.env": { PUBLIC_URL: "https://other.test" },
      },
    );

    expect(variables.map(({ name }) => name)).toEqual(VARIABLES.map(({ name }) => name));
    const own = { secret: false, from: "environment" };
    expect(find("PUBLIC_URL")).toEqual({ name: "PUBLIC_URL", value: "https://janus.example.org", ...own });
    expect(find("TRUSTED_PROXIES")).toMatchObject({ ...own, value: "loopback 10.0.0.0/8" });
    expect(find("OIDC_SCOPES")).toMatchObject({ ...own, value: "openid email" });
    expect(find("OIDC_AUTHORIZE_PARAMS")).toMatchObject({ ...own, value: "prompt=login&x=%C3%A5+b" });
    expect(find("RATE_LIMIT_PER_MINUTE")).toMatchObject({ value: "80", from: "env-file", file: "b.env" });
    expect(find("PORT")).toMatchObject({ value: "3000", from: "default" });
    expect(find("OIDC_TOKEN_AUTH_METHOD")).toMatchObject({ value: null, from: "unset" });
    expect(find("DATABASE_URL")).toEqual({ ...own, name: "DATABASE_URL", secret: true, value: "set" });
    expect(find("DATABASE_PASSWORD")).toMatchObject({ value: "unset", from: "unset" });
    expect(warnings).toEqual([]);
  });

  test("names the variable that names the file of a secret", async () => {
    const path = await write("keys", `${GOOD.TOKEN_KEYS}\n`);
    const { TOKEN_KEYS: _, ...rest } = GOOD;

    const { find } = await check(rest, { "a.env": { TOKEN_KEYS_FILE: path } });

    expect(find("TOKEN_KEYS")).toEqual({
      name: "TOKEN_KEYS",
      secret: true,
      value: "set",
      from: "env-file",
      by: "TOKEN_KEYS_FILE",
      file: "a.env",
    });
  });

  test("prints values that make the same configuration again", async () => {
    const own = {
      ...GOOD,
      OIDC_AUTHORIZE_PARAMS: "a=b&c=%26",
      OIDC_SCOPES: "openid x",
      PLATFORM_COLOR: "#F280A1",
      SUPPORT_URL: "help@example.org",
      PRIVACY_URL: "https://example.org/hjälp",
    };
    const { variables, find } = await check(own);
    // A # would be lost in an env file.
    expect(find("PLATFORM_COLOR")).toMatchObject({ value: "f280a1" });
    expect(find("SUPPORT_URL")).toMatchObject({ value: "mailto:help@example.org" });

    const given = variables.flatMap(({ name, secret, value }) =>
      secret === false && typeof value === "string" ? [[name, value]] : [],
    );

    const again = readConfig({ ...GOOD, ...Object.fromEntries(given) });
    expect(again).toEqual(readConfig(own));
  });

  const embedded: Environment = { ...GOOD, DATABASE_URL: "" };
  const unwise: readonly (readonly [string, Environment, RegExp])[] = [
    ["a bot token", { ...GOOD, DISCORD_BOT_TOKEN: "canary" }, /^DISCORD_BOT_TOKEN is set: .* Leave it out/],
    ["a bot token in a file", { ...GOOD, DISCORD_BOT_TOKEN_FILE: "x" }, /^DISCORD_BOT_TOKEN is set/],
    ["no name of the organisation", { ...GOOD, PLATFORM_NAME: "" }, /^PLATFORM_NAME is Janus: .* Set it to/],
    ["the name of the program", { ...GOOD, PLATFORM_NAME: " Janus " }, /^PLATFORM_NAME is Janus/],
    ["an embedded database in public", embedded, /^DATABASE_URL is unset while PUBLIC_URL is public/],
    [
      "a password of no database",
      { ...embedded, PUBLIC_URL: "http://localhost:3000", DATABASE_PASSWORD: "canary" },
      /^DATABASE_PASSWORD is set without a DATABASE_URL/,
    ],
    ["no proxy trusted", { ...GOOD, TRUSTED_PROXIES: "" }, /^TRUSTED_PROXIES is empty while a proxy must be/],
    [
      "every proxy trusted",
      { ...GOOD, TRUSTED_PROXIES: "128.0.0.0/1" },
      /^TRUSTED_PROXIES includes addresses/,
    ],
    ["every IPv6 one", { ...GOOD, TRUSTED_PROXIES: "::1/1" }, /^TRUSTED_PROXIES includes addresses/],
    [
      "a colour that was lost",
      { ...GOOD, PLATFORM_COLOR: "" },
      /^PLATFORM_COLOR is empty: a # in an env file/,
    ],
    ["no time after draining", { ...GOOD, DRAIN_SECONDS: "8" }, /^DRAIN_SECONDS is not less than/],
    [
      "a mistyped name",
      { ...GOOD, OIDC_ISUER: "canary" },
      /^OIDC_ISUER is not read: did you mean OIDC_ISSUER\?$/,
    ],
    ["a mistyped name of a file", { ...GOOD, TOKEN_KEY_FILE: "canary" }, /did you mean TOKEN_KEYS_FILE\?$/],
    [
      "a file of no secret",
      { ...GOOD, OIDC_CLIENT_ID_FILE: "canary" },
      /^OIDC_CLIENT_ID_FILE is not read: .* and OIDC_CLIENT_ID is not a secret\.$/,
    ],
  ];
  const credentials = ["DISCORD_CLIENT_SECRET", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "DATABASE_PASSWORD"];
  const stray: readonly (readonly [string, string, RegExp])[] = credentials.flatMap((name) => [
    [name, `"canary"`, / is wrapped in quotes, and they are part of the value/],
    [name, `'canary'`, / is wrapped in quotes/],
    [name, `'"canary"'`, / is wrapped in quotes/],
    [name, `\\"canary\\"`, / is wrapped in quotes/],
    [name, "\u201ccanary\u201d", / is wrapped in quotes/],
    [name, " canary", / begins or ends with a space/],
    [name, "canary  ", / begins or ends with a space/],
    [name, "canary\u00a0", / begins or ends with a space/],
    [name, "can\u00a0ary", / contains characters that cannot be seen/],
    [name, "can\u200bary", / contains characters that cannot be seen/],
    [name, "\ufeffcanary", / contains characters that cannot be seen/],
    [name, "canary\u200e", / contains characters that cannot be seen/],
    [name, "can\u00adary", / contains characters that cannot be seen/],
  ]);
  const outside: readonly (readonly [string, string, RegExp])[] = [
    ["DISCORD_CLIENT_SECRET", "can\u00e4ry", / contains characters outside ASCII/],
    ["OIDC_CLIENT_ID", "canary\u2013x", / contains characters outside ASCII/],
    ["OIDC_CLIENT_SECRET", "canary\ufffd", / contains characters outside ASCII/],
  ];
  test.each([
    ...stray,
    ...outside,
    ["PLATFORM_NAME", `"canary"`, / is wrapped in quotes/],
    ["DATA_DIR", "'./canary'", / is wrapped in quotes/],
    ["DISCORD_CLIENT_SECRET", `""`, / is wrapped in quotes/],
  ] as const)("warns once of %s=%j", async (name, value, why) => {
    const { warnings } = await check({ ...GOOD, [name]: value });

    expect(warnings).toEqual([expect.stringMatching(why)]);
    expect(warnings[0]).toStartWith(`${name} `);
    expect(warnings.join("")).not.toMatch(/canary|can.ary/);
  });

  test.each([
    [`"canary"`, / is wrapped in quotes/],
    ["canary ", / begins or ends with a space/],
    ["canary\n", / contains characters that cannot be seen/],
    ["can\u200bary", / contains characters that cannot be seen/],
  ])("warns of DISCORD_BOT_TOKEN=%j, which the server ignores", async (value, why) => {
    const { warnings } = await check({ ...GOOD, DISCORD_BOT_TOKEN: value });

    expect(warnings).toEqual([
      expect.stringMatching(/^DISCORD_BOT_TOKEN is set/),
      expect.stringMatching(new RegExp(`^DISCORD_BOT_TOKEN${why.source}`)),
    ]);
  });

  test("warns of quotes in the file of a secret, but not of blanks", async () => {
    const path = await write("quoted", ` "canary"\r\n`);
    const plain = await write("plain", "\ufeff canary \n");
    const { OIDC_CLIENT_SECRET: _, DISCORD_CLIENT_SECRET: __, ...rest } = GOOD;

    const { warnings } = await check({
      ...rest,
      OIDC_CLIENT_SECRET_FILE: path,
      DISCORD_CLIENT_SECRET_FILE: plain,
    });

    expect(warnings).toEqual([expect.stringMatching(/^OIDC_CLIENT_SECRET is wrapped in quotes/)]);
  });

  test.each([
    ["OIDC_CLIENT_SECRET", `can"ary`],
    ["OIDC_CLIENT_SECRET", `"canary`],
    ["OIDC_CLIENT_SECRET", `canary'`],
    ["OIDC_CLIENT_SECRET", `"canary'`],
    ["OIDC_CLIENT_SECRET", `a canary`],
    ["DATABASE_PASSWORD", "can\u00e4ry"],
    ["PLATFORM_NAME", "Å\u00a0\u{1f468}\u200d\u{1f469}"],
    ["HOST", " 127.0.0.1 "],
  ])("says nothing of %s=%j", async (name, value) => {
    const { warnings } = await check({ ...GOOD, [name]: value });

    expect(warnings).toEqual([]);
  });

  test.each([...unwise])("warns once of %s, without a value", async (_, environment, why) => {
    const { warnings } = await check(environment);

    expect(warnings).toEqual([expect.stringMatching(why)]);
    expect(warnings.join("")).not.toContain("canary");
  });

  const EARLY = [
    ...["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_USE_SYSTEM_CA", "BUN_OPTIONS"],
    "BUN_JSC_useJIT",
  ];
  const LATE = [
    ...[
      "NODE_TLS_REJECT_UNAUTHORIZED",
      "HTTP_PROXY",
      "https_proxy",
      "ALL_PROXY",
      "NO_PROXY",
      "no_proxy",
      "TZ",
    ],
    "BUN_CONFIG_DNS_TIME_TO_LIVE_SECONDS",
  ];

  test.each([...EARLY, ...LATE])("warns of %s in an env file", async (name) => {
    const { warnings } = await check(GOOD, { "a.env": { [name]: "canary" } });

    expect(warnings).toEqual([
      `${name} in "a.env" has no effect: Bun reads it from the environment that Janus is started with. Set it there.`,
    ]);
  });

  test.each([...EARLY])("warns of %s in Bun's own .env, which is too late", async (name) => {
    const { warnings } = await check({ ...GOOD, [name]: "canary" }, {}, Object.keys(GOOD));

    expect(warnings).toEqual([
      `${name} in .env has no effect: Bun reads it from the environment that Janus is started with. Set it there.`,
    ]);
  });

  test.each([
    ["an environment from the start", Object.fromEntries(EARLY.map((name) => [name, "canary"])), {}, EARLY],
    ["Bun's .env, read early", Object.fromEntries(LATE.map((name) => [name, "canary"])), {}, []],
    ["a file like the environment", { NODE_EXTRA_CA_CERTS: "a" }, { NODE_EXTRA_CA_CERTS: "b" }, EARLY],
    ["an empty one", {}, { NODE_EXTRA_CA_CERTS: "", HTTP_PROXY: "" }, []],
  ])("does not warn of Bun's variables in %s", async (_, environment, inFile, atStart) => {
    const { warnings } = await check({ ...GOOD, ...environment }, { "a.env": inFile }, [
      ...Object.keys(GOOD),
      ...atStart,
    ]);

    expect(warnings).toEqual([]);
  });

  const loud: readonly (readonly [string, string, RegExp])[] = [
    ["NODE_TLS_REJECT_UNAUTHORIZED", "0", /^NODE_TLS_REJECT_UNAUTHORIZED=0 turns off .* Remove it/],
    ["BUN_CONFIG_VERBOSE_FETCH", "1", /^BUN_CONFIG_VERBOSE_FETCH writes every .* Remove it/],
    ["BUN_CONFIG_VERBOSE_FETCH", "curl", /^BUN_CONFIG_VERBOSE_FETCH writes/],
    ["BUN_CONFIG_VERBOSE_FETCH", "true", /^BUN_CONFIG_VERBOSE_FETCH writes/],
  ];
  test.each([...loud])("warns of %s=%s before anything else", async (name, value, why) => {
    const { warnings } = await check({ ...GOOD, DISCORD_BOT_TOKEN: "canary", [name]: value });

    expect(warnings).toEqual([expect.stringMatching(why), expect.stringMatching(/^DISCORD_BOT_TOKEN/)]);
  });

  test.each([
    ["NODE_TLS_REJECT_UNAUTHORIZED", "1"],
    ["NODE_TLS_REJECT_UNAUTHORIZED", "false"],
    ["BUN_CONFIG_VERBOSE_FETCH", "0"],
    ["BUN_CONFIG_VERBOSE_FETCH", "false"],
    ["HTTPS_PROXY", "http://proxy.test:8080"],
  ])("says nothing of %s=%s", async (name, value) => {
    const { warnings } = await check({ ...GOOD, [name]: value });

    expect(warnings).toEqual([]);
  });

  test.each([
    [
      "true",
      [expect.stringMatching(/^OIDC_ALLOW_HTTP_ENDPOINTS is true: .* the client secret, codes and tokens/)],
    ],
    ["false", []],
  ])("warns of OIDC_ALLOW_HTTP_ENDPOINTS=%s only if that is unsafe", async (value, expected) => {
    const { warnings, find } = await check({ ...GOOD, OIDC_ALLOW_HTTP_ENDPOINTS: value });

    expect(warnings).toEqual(expected);
    expect(find("OIDC_ALLOW_HTTP_ENDPOINTS")).toMatchObject({ value, secret: false, from: "environment" });
  });

  const everybody = [
    ["https://accounts.google.com", "a Google account"],
    ["https://accounts.google.com/", "a Google account"],
    ["https://login.microsoftonline.com/common/v2.0", "a Microsoft account"],
    ["https://login.microsoftonline.com/common", "a Microsoft account"],
    ["https://login.microsoftonline.com/Common/v2.0/", "a Microsoft account"],
    ["https://login.microsoftonline.com/organizations/v2.0", "a Microsoft account"],
    ["https://login.microsoftonline.com/consumers/v2.0", "a Microsoft account"],
    ["https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0", "a Microsoft account"],
    ["https://sts.windows.net/9188040d-6c67-4c5b-b112-36a304b66dad/", "a Microsoft account"],
    ["https://login.microsoftonline.us/common/v2.0", "a Microsoft account"],
    ["https://login.microsoftonline.com/{tenantid}/v2.0", "a Microsoft account"],
    ["https://login.live.com", "a Microsoft account"],
    ["https://gitlab.com", "a GitLab.com account"],
    ["https://appleid.apple.com", "an Apple account"],
    ["https://www.facebook.com", "a Facebook account"],
    ["https://discord.com", "a Discord account"],
    ["https://www.linkedin.com/oauth", "a LinkedIn account"],
    ["https://id.twitch.tv/oauth2", "a Twitch account"],
    ["https://slack.com", "a Slack account"],
    ["https://api.login.yahoo.com", "a Yahoo account"],
    ["https://access.line.me", "a LINE account"],
    // The same issuers in other spellings.
    ["https://accounts.google.com.", "a Google account"],
    ["https://ACCOUNTS.google.com./", "a Google account"],
    ["https://gitlab.com./", "a GitLab.com account"],
    ["https://login.microsoftonline.com./common/v2.0", "a Microsoft account"],
    ["https://login.microsoftonline.com//common/v2.0", "a Microsoft account"],
    ["https://login.microsoftonline.com///Organizations//v2.0", "a Microsoft account"],
    ["https://login.microsoftonline.com/%63ommon/v2.0", "a Microsoft account"],
    ["https://sts.windows.net.//9188040d-6c67-4c5b-b112-36a304b66dad/", "a Microsoft account"],
  ] as const;
  const shown = everybody.map(([issuer, account]) => [issuer.slice(8, 44), issuer, account] as const);
  test.each(shown)("warns that all are members at %s", async (_, issuer, account) => {
    const { warnings } = await check({ ...GOOD, DISCORD_BOT_TOKEN: "canary", OIDC_ISSUER: issuer });

    expect(warnings).toEqual([
      expect.stringContaining(
        `OIDC_ISSUER is open to everybody: anybody with ${account} can link it and counts as a member`,
      ),
      expect.stringMatching(/^DISCORD_BOT_TOKEN/),
    ]);
  });

  test("says what to do instead at Google and at Microsoft", async () => {
    const google = await check({
      ...GOOD,
      OIDC_ISSUER: "https://accounts.google.com",
      OIDC_AUTHORIZE_PARAMS: "hd=example.org",
    });
    const microsoft = await check({ ...GOOD, OIDC_ISSUER: "https://login.microsoftonline.com/common/v2.0" });

    expect(google.warnings.join()).toContain("hd in OIDC_AUTHORIZE_PARAMS only suggests an account");
    expect(google.warnings.join()).toContain("Internal");
    expect(microsoft.warnings.join()).toContain("https://login.microsoftonline.com/<tenant id>/v2.0");
  });

  const harmless = [
    "https://login.microsoftonline.com/f8cdef31-a31e-4b4a-93e4-5f571e91255a/v2.0",
    "https://login.microsoftonline.com/example.org/v2.0",
    "https://sts.windows.net/f8cdef31-a31e-4b4a-93e4-5f571e91255a/",
    "https://gitlab.example.org",
    "https://accounts.google.com.example.org",
    "https://common.example.org/common/v2.0",
    "https://example.org/accounts.google.com",
    "https://example.slack.com",
    "https://login.microsoftonline.com./f8cdef31-a31e-4b4a-93e4-5f571e91255a/v2.0",
    "https://login.microsoftonline.com//example.org/v2.0",
    "https://login.microsoftonline.com/%E0%A4%A/v2.0",
    "https://dex.example.org/dex",
  ];
  test.each(harmless.map((issuer) => [issuer.slice(8, 46), issuer] as const))(
    "does not warn of the issuer %s",
    async (_, issuer) => {
      const { warnings } = await check({ ...GOOD, OIDC_ISSUER: issuer });

      expect(warnings).toEqual([]);
    },
  );

  test("gives no warning that docs/errors.md does not explain", async () => {
    const environments = [
      ...unwise.map(([, environment]) => environment),
      ...[...stray, ...outside, ...loud].map(([name, value]) => ({ ...GOOD, [name]: value })),
      ...everybody.map(([issuer]) => ({ ...GOOD, OIDC_ISSUER: issuer })),
    ];
    const [, section = ""] = (await readText("docs/errors.md")).split("## Warnings of the configuration\n");
    const entries = [...(section.split(/^## /m)[0] ?? "").matchAll(/^\| (`.+?`) \| .{10,} \|$/gm)].flatMap(
      ([, cell = ""]) => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => text),
    );
    const isTold = (warning: string) =>
      entries.some((text) => new RegExp(`^${RegExp.escape(text).replaceAll("…", ".+")}`).test(warning));

    const checked = [
      ...environments.map((environment) => check(environment)),
      check(GOOD, { "a.env": { HTTP_PROXY: "canary" } }),
      check({ ...GOOD, BUN_OPTIONS: "canary" }, {}, Object.keys(GOOD)),
    ];
    const warnings = (await Promise.all(checked)).flatMap((report) => report.warnings);

    expect(warnings.length).toBeGreaterThan(10);
    expect([...new Set(warnings)].filter((warning) => !isTold(warning))).toEqual([]);
  });

  test.each([
    [
      "a trial on this machine",
      { ...embedded, PUBLIC_URL: "http://localhost:3000", TRUSTED_PROXIES: "", PLATFORM_NAME: "" },
    ],
    ["a server that listens to all", { ...GOOD, HOST: "0.0.0.0", TRUSTED_PROXIES: "" }],
    ["private proxies", { ...GOOD, TRUSTED_PROXIES: "uniquelocal linklocal 203.0.113.7" }],
    ["variables of others", { ...GOOD, PATH: "/bin", HOSTNAME: "x", PORTS: "1", DATA: "1", LOGNAME: "x" }],
  ])("says nothing of %s", async (_, environment) => {
    const { warnings } = await check(environment);

    expect(warnings).toEqual([]);
  });

  const slips: readonly (readonly [string, string])[] = [
    ["DATBASE_URL", "DATABASE_URL"],
    ["DATABSE_URL", "DATABASE_URL"],
    ["DTAABASE_PASSWORD", "DATABASE_PASSWORD"],
    ["DATABASEURL", "DATABASE_URL"],
    ["DATBASE_URL_FILE", "DATABASE_URL_FILE"],
    ["database_url", "DATABASE_URL"],
    ["PUBLC_URL", "PUBLIC_URL"],
    ["PLATFROM_NAME", "PLATFORM_NAME"],
    ["TRUSTEDPROXIES", "TRUSTED_PROXIES"],
  ];
  test.each([...slips])("warns of %s as a typo of %s", async (name, meant) => {
    const { warnings } = await check({ ...GOOD, [name]: "canary" });

    expect(warnings).toEqual([`${name} is not read: did you mean ${meant}?`]);
  });

  test("does not warn of other programs' variables in the environment", async () => {
    const shell = [
      "PATH HOME HOSTNAME HOST_IP HOSTTYPE PORTS LOGNAME PWD OLDPWD USER SHELL SHLVL TERM LANG TZ MAIL",
    ];
    const programs = [
      "LOGLEVEL LOG_DIR LOG_FILE LOG_PATH DATADIR DATA DATA_HOME DATA_PATH XDG_DATA_DIRS XDG_DATA_HOME DB_URL DB_PASSWORD",
      "DATABASE DATABASE_NAME DATABASE_HOST PGHOST PGDATABASE PGPASSWORD POSTGRES_PASSWORD POSTGRES_URL REDIS_URL BASE_URL",
      "TOKEN COOKIE SECRET_KEY COOKIE_DOMAIN CLIENT_ID CLIENT_SECRET PLATFORM PUBLIC_IP RATE_LIMIT TRUSTED_HOSTS VAULT_TOKEN",
      "NODE_ENV BUN_INSTALL CI TMPDIR GITHUB_TOKEN http_proxy HTTPS_PROXY NO_PROXY SSH_AUTH_SOCK DOCKER_HOST container _",
      "INVOCATION_ID JOURNAL_STREAM NOTIFY_SOCKET CREDENTIALS_DIRECTORY STATE_DIRECTORY JANUS_PORT JANUS_SERVICE_HOST",
      "KUBERNETES_SERVICE_HOST KUBERNETES_PORT_443_TCP_ADDR DISCORD_TOKEN DISCORD_WEBHOOK_URL OIDC_PROVIDER DEBIAN_FRONTEND",
    ];
    const names = [...shell, ...programs].flatMap((line) => line.split(" "));

    const { warnings } = await check({
      ...GOOD,
      ...Object.fromEntries(names.map((name) => [name, "canary"])),
    });

    expect(warnings).toEqual([]);
  });

  test("warns of a mistyped name in an env file, and shows no other", async () => {
    const names = { PUBLICURL: "canary", prot: "1", LOG_LEVLE: "debug", canaryAAAAAAAA: "=", EDITOR: "vi" };

    const { warnings } = await check(GOOD, { "a.env": names });

    expect(warnings).toEqual([
      "PUBLICURL is not read: did you mean PUBLIC_URL?",
      "LOG_LEVLE is not read: did you mean LOG_LEVEL?",
    ]);
  });

  test("warns of a secret in force that other readers read differently", async () => {
    const own = await write("own.env", "OIDC_CLIENT_SECRET=canary\nDISCORD_CLIENT_SECRET='canary'\n");
    const path = await write(
      "dialects.env",
      "DISCORD_CLIENT_SECRET=canary$canary\nOIDC_CLIENT_SECRET=can#ary\nDATABASE_PASSWORD=#canary\n" +
        "COOKIE_SECRET='canary'\nPLATFORM_NAME='My $organisation'\n",
    );
    const { DISCORD_CLIENT_SECRET: _, OIDC_CLIENT_SECRET: __, ...rest } = GOOD;
    const [, ...files] = await readSources([path, own]);

    const report = checkConfig([{ file: undefined, variables: rest }, ...files]);

    expect(report.warnings).toEqual([
      expect.stringMatching(
        /^".*own\.env" has quotes, .* in DISCORD_CLIENT_SECRET: .* DISCORD_CLIENT_SECRET_FILE\.$/,
      ),
      expect.stringMatching(
        /^".*dialects\.env" has quotes, .* in DATABASE_PASSWORD: .* DATABASE_PASSWORD_FILE\.$/,
      ),
    ]);
    expect(JSON.stringify(report)).not.toContain("canary");
  });

  test("adds to the faults that a secret was cut", async () => {
    const path = await write("cut.env", "DATABASE_URL=postgres://canary:can#ary@canary/canary\n");
    const { DATABASE_URL: _, ...rest } = GOOD;
    const [, ...files] = await readSources([path]);

    const { message } = await faultOf(() => checkConfig([{ file: undefined, variables: rest }, ...files]));
    expect(message).toMatch(
      /\n {2}DATABASE_URL must be .*\n {2}".*cut\.env" has quotes, .* in DATABASE_URL: /,
    );
    expect(message).not.toContain("canary");
  });

  test("warns of an env file with secrets that every user can read", async () => {
    const open = await write("open.env", "", 0o644);
    const group = await write("group.env", "", 0o640);
    const plain = await write("plain.env", "", 0o644);
    const secret = { TOKEN_KEYS: GOOD.TOKEN_KEYS };

    const { warnings } = await check(GOOD, {
      [open]: secret,
      [group]: secret,
      [plain]: { PORT: "80" },
      "/dev/fd/9999": secret,
    });

    expect(warnings).toEqual([
      `${JSON.stringify(open)} contains secrets and every user can read it: chmod o-r.`,
    ]);
  });

  test("adds to the faults which names are mistyped", async () => {
    const { OIDC_ISSUER: issuer, ...rest } = GOOD;
    const environment = { ...rest, OIDC_ISUER: issuer, PORT: "canary" };

    const own = await faultOf(() => readConfig(environment));
    const checked = await faultOf(() => check(environment));

    expect(checked.code).toBe("config_invalid");
    expect(checked.message).toBe(`${own.message}\n  OIDC_ISUER is not read: did you mean OIDC_ISSUER?`);
  });

  test("never shows a secret, whatever the variables hold", async () => {
    const damage = fc.constantFrom(
      "",
      "canary",
      "k1:canary",
      ",",
      "\n",
      "\u0000",
      "=",
      `,${KEY}`,
      "canary@@/?#%",
    );
    const secret = fc.record({
      name: fc.constantFrom(...SECRETS),
      value: fc.tuple(damage, fc.constant("canary"), damage).map((parts) => parts.join("")),
      inFile: fc.boolean(),
    });

    await fc.assert(
      fc.asyncProperty(fc.array(secret, { maxLength: 4 }), async (secrets) => {
        const of = (inFile: boolean) =>
          Object.fromEntries(
            secrets.filter((one) => one.inFile === inFile).map(({ name, value }) => [name, value]),
          );
        const said = await check({ ...GOOD, ...of(false) }, { "a.env": of(true) }).then(
          ({ variables, warnings }) => JSON.stringify({ variables, warnings }),
          (error: Error) => error.message,
        );

        expect(said).not.toContain("canary");
        expect(said).toMatch(/"variables"|The configuration has/);
      }),
      { numRuns: 300 },
    );
  });
});

/** The addresses to enter, as an operator reads them. */
const ADDRESSES = `Enter these addresses, exactly as written:
Discord: OAuth2, Redirects                                   https://janus.example.org/discord-oauth-callback
Discord: OAuth2, Redirects                                   https://janus.example.org/login
Discord: General Information, Linked Roles Verification URL  https://janus.example.org/linked-role
The provider: redirect URL of the client                     https://janus.example.org/dsek-oauth-callback`;

const BACKCHANNEL_LOGOUT =
  "The provider: back-channel logout URI, if it has one         https://janus.example.org/oidc/backchannel-logout";
const DOORBELLS = {
  DISCORD_PUBLIC_KEY,
  HOOK_SECRET: "h".repeat(64),
  SCIM_TOKEN: "s".repeat(64),
};

describe("the addresses of config check", () => {
  test("are those that Janus listens at and sends to other servers", async () => {
    const config = readConfig(GOOD);
    const { authorizationUrl, loginUrl } = createDiscordUrls({
      ...config.discord,
      publicUrl: config.publicUrl,
    });
    const routes = new Set(ROUTES.map(([method, path]) => `${method} https://janus.example.org${path}`));

    const { doorbells, ...addresses } = (await check(GOOD)).addresses;

    const sent = [authorizationUrl("s"), loginUrl("s", "v")].map((url) =>
      String(new URL(url).searchParams.get("redirect_uri")),
    );
    expect(addresses.discord_redirects).toEqual(sent);
    for (const address of Object.values(addresses).flat()) expect(routes).toContain(`GET ${address}`);
    expect(doorbells).toEqual({ backchannel_logout: "https://janus.example.org/oidc/backchannel-logout" });
  });

  test("are also those of the doorbells that are open", async () => {
    const routes = new Set(ROUTES.map(([method, path]) => `${method} https://janus.example.org${path}`));

    const { scim, ...doorbells } = (await check({ ...GOOD, ...DOORBELLS })).addresses.doorbells;

    for (const address of Object.values(doorbells)) expect(routes).toContain(`POST ${address}`);
    expect(Object.keys(doorbells)).toEqual([
      "discord_events",
      "discord_interactions",
      "backchannel_logout",
      "recheck_hook",
    ]);
    expect(routes).toContain(`GET ${scim}/ServiceProviderConfig`);
  });
});

describe("the verdict of config check", () => {
  test.each([
    [GOOD, "The configuration is complete."],
    [{ ...GOOD, TRUSTED_PROXIES: "" }, "The configuration is complete, with 1 warning."],
    [{ ...GOOD, TRUSTED_PROXIES: "", PLATFORM_NAME: "" }, "The configuration is complete, with 2 warnings."],
  ])("counts the warnings", async (environment, expected) => {
    const { verdict, warnings } = await check(environment);

    expect(verdict).toBe(expected);
    expect(warnings.length).toBe(Number(/\d+/.exec(expected)?.[0] ?? 0));
  });

  test.each([
    ["nothing", {}, true],
    ["only what has a default", { HOST: "0.0.0.0", DATA_DIR: "/data", LOG_FORMAT: "json" }, true],
    ["empty variables", { PUBLIC_URL: "", TOKEN_KEYS: "" }, true],
    ["one variable", { PUBLIC_URL: "https://janus.example.org" }, false],
    ["a secret in a file", { TOKEN_KEYS_FILE: "/nowhere" }, false],
    ["a malformed variable", { OIDC_ISSUER: "canary" }, false],
  ])("says how to begin if %s is set", async (_, environment, isBeginning) => {
    const { message } = await faultOf(() => check(environment));

    expect(message.includes("\nNothing is set yet. Copy example.env")).toBe(isBeginning);
  });
});

describe("janus config check", () => {
  test("prints a table, and warnings on standard error", async () => {
    const path = await write("check.env", `DISCORD_BOT_TOKEN=canary\nPLATFORM_NAME="Org\u200b"\n`);
    const { PLATFORM_NAME: _, ...environment } = GOOD;

    const { exitCode, stdout, stderr } = await run(
      folder,
      "index.ts",
      ["config", "check", "--env-file", path],
      { ...environment, DATABASE_PASSWORD: "canary" },
    );

    expect(exitCode).toBe(0);
    const [table = "", addresses, rules, verdict] = stdout.trimEnd().split("\n\n");
    const rows = table.split("\n");
    expect(rows).toHaveLength(VARIABLES.length);
    expect(rows[0]).toMatch(/^PUBLIC_URL +https:\/\/janus\.example\.org +environment$/);
    expect(stdout).toMatch(/\nDATABASE_URL +set +environment\n/);
    expect(stdout).toMatch(/\nHOST +127\.0\.0\.1 +default\n/);
    expect(stdout).toMatch(/\nOIDC_SCOPES +unset\n/);
    expect(stdout).toContain("Org\\u{200b}");
    expect(table).toEndWith(`--env-file ${path}`);
    expect(addresses).toBe(`${ADDRESSES}\n${BACKCHANNEL_LOGOUT}`);
    expect(rules).toBe("The rules in force: no RULES_FILE: everyone who can sign in gets dsek_member");
    expect(verdict).toBe("The configuration is complete, with 1 warning.");
    expect(stderr).toMatch(/^janus: warning: DISCORD_BOT_TOKEN is set: .*\n$/);
    expect(stdout + stderr).not.toContain("canary");
  });

  test("exits with 2 and a fix for a logo that cannot be read", async () => {
    const { exitCode, stdout, stderr } = await run(folder, "index.ts", ["config", "check"], {
      ...GOOD,
      PLATFORM_LOGO: join(folder, "canary.svg"),
    });

    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: `${ADDRESSES}\n` });
    expect(stderr).toContain("PLATFORM_LOGO names a file that cannot be read (ENOENT): the path of a PNG");
    expect(stderr).not.toContain("canary");
  });

  test("exits with 2 and names every fault, without a result", async () => {
    const environment = { TOKEN_KEYS: "canary" };

    const [plain, json] = await Promise.all([
      run(folder, "index.ts", ["config", "check"], environment),
      run(folder, "index.ts", ["config", "check", "--json"], environment),
    ]);

    for (const { exitCode, stdout, stderr } of [plain, json]) {
      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
      expect(stderr).not.toContain("canary");
    }
    expect(plain.stderr).toStartWith("janus: The configuration has 8 faults:\n");
    expect(JSON.parse(json.stderr).error.message).toStartWith("The configuration has 8 faults:\n");
  });

  describe("--ask", () => {
    const startServers = () => {
      const redirectUris = ["http://127.0.0.1/unused"];
      const discord = startDiscord({
        clientId: DISCORD_CLIENT_ID,
        clientSecret: CANARY.discordClientSecret,
        botToken: CANARY.botToken,
        redirectUris,
        users: [],
      });
      const forger = startForger({
        clientId: OIDC_CLIENT_ID,
        clientSecret: CANARY.oidcClientSecret,
        redirectUris,
      });
      const environment = environmentFor("http://127.0.0.1:3000", discord, forger.issuer);
      const stop = () => Promise.all([discord.stop(), forger.stop()]);
      return { discord, forger, environment, [Symbol.asyncDispose]: async () => void (await stop()) };
    };
    const ask = async (environment: Readonly<Record<string, string>>, more: readonly string[] = []) =>
      run(folder, "index.ts", ["config", "check", "--ask", ...more], environment);

    test("says that Discord and the provider accept the configuration", async () => {
      await using servers = startServers();
      const { discord, forger, environment } = servers;

      const { exitCode, stdout, stderr } = await ask(environment);

      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      expect(stdout).toContain("\nDoes Discord accept the client id and the secret? yes\n");
      expect(stdout).toContain("\nDoes the provider accept the client id and the secret? yes\n");
      expect(stdout).toContain("\nDoes Discord have the metadata records? unknown: Discord shows them only");
      expect(stdout).toEndWith("\n\nThe configuration is complete.\n");
      expect(discord.calls.map(({ operation }) => operation)).toEqual(["token_code"]);
      expect(forger.calls).toEqual(["discovery", "token"]);
    });

    test("exits with 1 if one of them does not", async () => {
      await using servers = startServers();
      const environment = {
        ...servers.environment,
        OIDC_CLIENT_SECRET: "canary-wrong",
        DISCORD_BOT_TOKEN: CANARY.botToken,
      };

      const [plain, json] = await Promise.all([ask(environment), ask(environment, ["--json"])]);

      expect([plain.exitCode, json.exitCode]).toEqual([1, 1]);
      expect(plain.stdout).toContain("the secret? no: client_check: answered 401 invalid_client; ");
      expect(plain.stdout).toContain("records? no: Discord does not have the metadata records of the rules");
      expect(plain.stdout).toEndWith(" Not every other server accepts it: see above.\n");
      const { answers, verdict } = JSON.parse(json.stdout);
      expect(answers.map(({ answer }: { readonly answer: string }) => answer)).toEqual(["yes", "no", "no"]);
      expect(plain.stdout).toContain(verdict);
      expect(plain.stdout + plain.stderr + json.stdout + json.stderr).not.toContain("canary");
    });

    test("does not take an outage for a no", async () => {
      await using servers = startServers();
      servers.discord.failNext("token_code", { status: 503, body: {} });
      servers.forger.failNext("discovery", "drop");

      const { exitCode, stdout } = await ask(servers.environment);

      expect(exitCode).toBe(0);
      expect(stdout).toContain(
        "Discord accept the client id and the secret? unknown: client_check: answered 503",
      );
      expect(stdout).toContain("provider accept the client id and the secret? unknown: discovery: ");
      expect(stdout).toEndWith("\n\nThe configuration is complete.\n");
    });
  });

  test("prints the addresses to enter while secrets are still missing", async () => {
    const { PUBLIC_URL } = GOOD;

    const { exitCode, stdout, stderr } = await run(folder, "index.ts", ["config", "check"], { PUBLIC_URL });

    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: `${ADDRESSES}\n` });
    expect(stderr).toStartWith("janus: The configuration has 7 faults:\n");
  });
});
