/** The doctor: what it says of a sound set-up and of each fault, that it ends when servers hang, and that it tells no secret. */
import { afterAll, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { join } from "node:path";
import { statusOf } from "../../lib/cli/doctor_report.ts";
import type { Database } from "../../lib/database/open.ts";
import { databaseUnavailable, dataDirLocked } from "../../lib/errors.ts";
import type { Check, CheckId } from "../../lib/operator/doctor/check.ts";
import { CHECK_GROUPS } from "../../lib/operator/doctor/check.ts";
import { DISCORD_PUBLIC_KEY } from "../fixtures/discord_events.ts";
import type { Given } from "../fixtures/doctor.ts";
import { diagnose, findingsOf, keptOpen, register, SHARED_SECRETS } from "../fixtures/doctor.ts";
import { createAuthority } from "../harness/certificates.ts";
import { createTestDatabase } from "../harness/database.ts";
import { useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { CANARY, DISCORD_CLIENT_ID, randomKey, startJanusWithForger } from "../harness/janus.ts";
import { NOBODY } from "../harness/ports.ts";
import { linkMember, newUser } from "../harness/walk.ts";
import type { Claims } from "../standins/forger_tokens.ts";

const folder = useFolder("doctor");
const database = useDatabase();
const janus = useJanus(() => startJanusWithForger({ database, environment: SHARED_SECRETS }));
/** Behind a proxy that it trusts. */
const trusting = useJanus(() =>
  startJanusWithForger({ database, environment: { ...SHARED_SECRETS, TRUSTED_PROXIES: "loopback" } }),
);

beforeEach(async () => {
  janus.provider.reset();
  await register(janus);
});

const allIds: readonly CheckId[] = Object.values(CHECK_GROUPS).flat();
/** Everything that no report may hold. */
const SECRETS: readonly string[] = [
  ...Object.values(CANARY),
  ...Object.values(SHARED_SECRETS),
  ...SHARED_SECRETS.TOKEN_KEYS.split(":").slice(1),
  "canary-another",
];

/** Examines, and fails the test if the report holds a secret. */
async function examined(given: Given = {}, at = janus): Promise<readonly Check[]> {
  const checks = await diagnose(at, given);
  const said = JSON.stringify(checks);
  expect(SECRETS.filter((secret) => said.includes(secret))).toEqual([]);
  return checks;
}

const find = (checks: readonly Check[], id: CheckId): Check | undefined =>
  checks.find((check) => check.id === id);

const servers: { readonly stop: (force: boolean) => Promise<void> }[] = [];
afterAll(() => Promise.all(servers.map((server) => server.stop(true))));

/** Another program at an address of its own. */
function answering(status: number, body: string): string {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response(body, { status }) });
  servers.push(server);
  return server.url.origin;
}

/** Janus behind a proxy that ends TLS and adds these headers. */
function behindProxy(at: { readonly url: string }, headers: Readonly<Record<string, string>>): Given {
  const environment = { PUBLIC_URL: "https://janus.example.org", TRUSTED_PROXIES: "loopback" };
  const pass: Given["fetch"] = (address, init) => {
    const own = address.startsWith(environment.PUBLIC_URL);
    const passed = { ...init, headers: { ...Object.fromEntries(new Headers(init.headers)), ...headers } };
    return own ? fetch(address.replace(environment.PUBLIC_URL, at.url), passed) : fetch(address, init);
  };
  return { environment, fetch: pass };
}

/** A database whose statements answer something else. */
const answeringOtherwise = (change: (text: string, rows: unknown) => unknown): Database => ({
  ...keptOpen(database.db),
  query: async (text, parameters, isAnswer) =>
    change(text, await database.db.query(text, parameters, isAnswer)) as never,
});

const discovery = (change: Claims) => () =>
  janus.provider.override({ discovery: (document) => ({ ...document, ...change }) });
const application = (change: object) => () =>
  janus.discord.failNext("get_application", {
    status: 200,
    body: {
      id: DISCORD_CLIENT_ID,
      redirect_uris: [`${janus.url}/discord-oauth-callback`, `${janus.url}/login`],
      role_connections_verification_url: `${janus.url}/linked-role`,
      ...change,
    },
  });

/** A doctor with a public key, where Discord shows this of the application. */
const withKey = (change: object) => () => {
  application(change)();
  return { environment: { DISCORD_PUBLIC_KEY } };
};

/** The same, where admins of a server may look up members. */
const withServers = (change: object) => () => {
  const events = { verify_key: DISCORD_PUBLIC_KEY, event_webhooks_url: `${janus.url}/discord/events` };
  application({ ...events, ...change })();
  return { environment: { DISCORD_PUBLIC_KEY, DISCORD_GUILD_IDS: "300000000000000001" } };
};

async function rulesFile(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await Bun.write(path, text);
  return path;
}

/** The records of a Janus without rules, as Discord has them here, from a rule that reads a claim. */
const readingGroups = () =>
  rulesFile(
    "groups.toml",
    `[[record]]
key = "dsek_member"
type = "boolean_equal"
name = "Member"
description = "Has an account at the organisation"
name_localizations = { "sv-SE" = "Medlem", de = "Mitglied" }
description_localizations = { "sv-SE" = "Har ett konto hos organisationen", de = "Hat ein Konto bei der Organisation" }
value = '"a" in claims.groups'
`,
  );

describe("examine()", () => {
  test("finds all well in a sound set-up, with every check in its place", async () => {
    const checks = await examined();

    expect(findingsOf(checks)).toEqual([]);
    expect(checks.map(({ id }) => id)).toEqual([...allIds]);
    expect(checks.every(({ remedy, detail }) => remedy === null && detail !== "")).toBe(true);
    expect(statusOf(checks)).toBe(0);
  });

  test("asks each server little", async () => {
    const before = janus.provider.liveRefreshTokens();
    const asked: string[] = [];

    await examined({
      fetch: (address, init) => {
        asked.push(new URL(address).origin);
        return fetch(address, init);
      },
    });

    const count = (origin: string) => asked.filter((one) => one === origin).length;
    expect({
      janus: count(janus.url),
      discord: count(janus.discord.url),
      provider: count(janus.provider.url),
    }).toEqual({ janus: 1, discord: 3, provider: 4 });
    expect(janus.provider.liveRefreshTokens()).toEqual(before);
  });

  type Row = readonly [
    what: string,
    findings: readonly string[],
    detail: RegExp,
    given: () => Given | Promise<Given>,
  ];
  const arranged =
    (arrange: () => void, given: Given = {}) =>
    () => {
      arrange();
      return given;
    };
  const ROWS: readonly Row[] = [
    [
      "a variable is malformed",
      ["configuration: fault"],
      /PLATFORM_COLOR/,
      () => ({ environment: { PLATFORM_COLOR: "red" } }),
    ],
    [
      "a setting is risky",
      ["configuration_risks: warning"],
      /OIDC_ALLOW_HTTP_ENDPOINTS/,
      () => ({ environment: { OIDC_ALLOW_HTTP_ENDPOINTS: "true" } }),
    ],
    [
      "the rules have faults",
      ["rules: fault", "discord_records: unknown", "provider_claims: unknown"],
      /bad\.toml.*recrod/,
      async () => ({ environment: { RULES_FILE: await rulesFile("bad.toml", "[[recrod]]\n") } }),
    ],
    [
      "the bot token is missing",
      [
        "discord_bot: unknown",
        "discord_redirects: unknown",
        "discord_verification_url: unknown",
        "discord_records: fault",
      ],
      /DISCORD_BOT_TOKEN is unset/,
      () => ({ environment: { DISCORD_BOT_TOKEN: "" } }),
    ],
    [
      "the encoding cannot hold every name",
      ["database_encoding: fault", "database_migrations: unknown"],
      /LATIN1/,
      () => ({ open: async () => withEncoding("LATIN1") }),
    ],
    [
      "the encoding is not checked",
      ["database_encoding: warning"],
      /SQL_ASCII/,
      () => ({ open: async () => withEncoding("SQL_ASCII") }),
    ],
    [
      "a newer release has migrated the database",
      ["database_migrations: fault"],
      /newer/,
      () => ({ open: async () => withNewerMigration() }),
    ],
    [
      "the role may not use a table",
      ["database_rights: fault"],
      /may not read and write link/,
      () => ({
        open: async () => answeringOtherwise((text, rows) => changeRow(text, rows, { refused: "link" })),
      }),
    ],
    [
      "the secret at Discord is another",
      ["discord_client: fault"],
      /invalid_client/,
      () => ({ environment: { DISCORD_CLIENT_SECRET: "canary-another" } }),
    ],
    [
      "the bot token is wrong",
      [
        "discord_bot: fault",
        "discord_redirects: unknown",
        "discord_verification_url: unknown",
        "discord_records: unknown",
      ],
      /does not accept the bot token/,
      () => ({ environment: { DISCORD_BOT_TOKEN: "canary-another-bot" } }),
    ],
    [
      "the bot is another application's",
      ["discord_bot: fault", "discord_redirects: unknown", "discord_verification_url: unknown"],
      /999999999999999999/,
      arranged(application({ id: "999999999999999999" })),
    ],
    [
      "a redirect is not entered",
      ["discord_redirects: fault"],
      /\/login\./,
      arranged(() => application({ redirect_uris: [`${janus.url}/discord-oauth-callback`] })()),
    ],
    [
      "no verification URL is entered",
      ["discord_verification_url: fault"],
      /No Linked Roles/,
      arranged(application({ role_connections_verification_url: null })),
    ],
    [
      "another verification URL is entered",
      ["discord_verification_url: fault"],
      /Another Linked/,
      arranged(application({ role_connections_verification_url: "https://old.example.org/linked-role" })),
    ],
    [
      "Discord sends events, and the public key is not set",
      ["discord_events: warning"],
      /without DISCORD_PUBLIC_KEY/,
      arranged(() => application({ event_webhooks_url: `${janus.url}/discord/events` })()),
    ],
    [
      "the public key is another application's",
      ["discord_events: fault"],
      /refuses every event/,
      withKey({ verify_key: "ab".repeat(32) }),
    ],
    [
      "no address for events is entered",
      ["discord_events: warning"],
      /no address is entered/,
      withKey({ verify_key: DISCORD_PUBLIC_KEY, event_webhooks_url: null }),
    ],
    [
      "events go to another address",
      ["discord_events: warning"],
      /to another address/,
      withKey({ verify_key: DISCORD_PUBLIC_KEY, event_webhooks_url: "https://old.example.org/events" }),
    ],
    [
      "Discord does not show the public key",
      ["discord_events: unknown"],
      /does not show the public key/,
      withKey({}),
    ],
    [
      "Discord sends commands, and the public key is not set",
      ["discord_commands: warning"],
      /no commands of Discord without DISCORD_PUBLIC_KEY/,
      arranged(() => application({ interactions_endpoint_url: `${janus.url}/discord/interactions` })()),
    ],
    [
      "servers are named, and no address for commands is entered",
      ["discord_commands: warning"],
      /no Interactions Endpoint URL is entered/,
      withServers({ interactions_endpoint_url: null }),
    ],
    [
      "servers are named, and commands go to another address",
      ["discord_commands: warning"],
      /another Interactions Endpoint URL is entered/,
      withServers({ interactions_endpoint_url: "https://old.example.org/interactions" }),
    ],
    [
      "Discord lacks the records",
      ["discord_records: fault"],
      /does not have the metadata records/,
      arranged(() => janus.discord.failNext("get_metadata", { status: 200, body: [] })),
    ],
    [
      "there is no discovery document",
      ["provider_discovery: fault", ...unread()],
      /answered 404/,
      arranged(() => janus.provider.failNext("discovery", { status: 404, body: "" })),
    ],
    [
      "the provider is down",
      ["provider_discovery: unknown", ...unread()],
      /answered 503/,
      arranged(() => janus.provider.failNext("discovery", { status: 503, body: "" })),
    ],
    [
      "the name of the provider does not resolve",
      ["provider_discovery: fault", ...unread(), "provider_clock: unknown"],
      /OIDC_ISSUER does not resolve/,
      () => ({ environment: { OIDC_ISSUER: "https://auth.invalid" } }),
    ],
    [
      "the issuer has one slash too many",
      ["provider_issuer: fault", "provider_client: unknown"],
      /"issuer" is/,
      arranged(() =>
        janus.provider.override({ discovery: (one) => ({ ...one, issuer: `${janus.provider.issuer}/` }) }),
      ),
    ],
    [
      "an endpoint is http elsewhere",
      ["provider_endpoints: fault", "provider_signing: unknown", "provider_client: unknown"],
      /token_endpoint is not https/,
      arranged(discovery({ token_endpoint: "http://elsewhere.example/token" })),
    ],
    [
      "an endpoint is missing",
      ["provider_endpoints: fault", "provider_signing: unknown", "provider_client: unknown"],
      /missing or malformed: jwks_uri/,
      arranged(discovery({ jwks_uri: undefined })),
    ],
    [
      "ID Tokens are signed with the secret",
      ["provider_signing: fault", "provider_client: unknown"],
      /HS256/,
      arranged(discovery({ id_token_signing_alg_values_supported: ["HS256"] })),
    ],
    [
      "the provider shows no key",
      ["provider_signing: fault"],
      /no key/,
      arranged(() => janus.provider.override({ jwks: () => ({ keys: [] }) })),
    ],
    [
      "PKCE is plain only",
      ["provider_pkce: fault", "provider_client: unknown"],
      /S256/,
      arranged(discovery({ code_challenge_methods_supported: ["plain"] })),
    ],
    [
      "a scope is not announced",
      ["provider_scopes: warning"],
      /announce groups/,
      () => ({ environment: { OIDC_SCOPES: "openid groups" } }),
    ],
    [
      "a claim that the rules read is not announced",
      ["provider_claims: warning"],
      /announce groups/,
      async () => {
        discovery({ claims_supported: ["sub", "name"] })();
        return { environment: { RULES_FILE: await readingGroups() } };
      },
    ],
    [
      "the secret at the provider is another",
      ["provider_client: fault"],
      /invalid_client/,
      () => ({ environment: { OIDC_CLIENT_SECRET: "canary-another-oidc" } }),
    ],
    [
      "the name does not resolve",
      unreached("fault"),
      /does not resolve/,
      () => ({ environment: { PUBLIC_URL: "https://janus.invalid", TRUSTED_PROXIES: "loopback" } }),
    ],
    [
      "nothing listens",
      unreached("fault"),
      /Nothing listens/,
      () => ({ environment: { PUBLIC_URL: `http://${NOBODY}` } }),
    ],
    [
      "another program answers",
      unreached("fault"),
      /Another program/,
      () => ({ environment: { PUBLIC_URL: answering(200, "<h1>It works!</h1>") } }),
    ],
    [
      "the proxy's server does not run",
      unreached("fault"),
      /502/,
      () => ({ environment: { PUBLIC_URL: answering(502, "Bad Gateway") } }),
    ],
    [
      "the server has another secret",
      unreached("fault").filter((one) => !one.startsWith("discord")),
      /not as this one/,
      () => ({ environment: { COOKIE_SECRET: randomKey() } }),
    ],
  ];

  test.each(ROWS)("says so if %s", async (_, findings, detail, given) => {
    const checks = await examined(await given());

    expect(findingsOf(checks)).toEqual([...findings]);
    const [first] = checks.filter(({ state }) => state !== "ok");
    expect(first?.detail).toMatch(detail);
    expect(first?.remedy ?? "").not.toBe("");
  });

  function unread(): readonly string[] {
    return CHECK_GROUPS.provider
      .filter((id) => id !== "provider_discovery" && id !== "provider_clock")
      .map((id) => `${id}: unknown`);
  }

  /** At another address Discord has other redirects, too. */
  function unreached(state: string): readonly string[] {
    return [
      `public_url_reachable: ${state}`,
      "public_url_scheme: unknown",
      "public_url_client_address: unknown",
      "discord_redirects: fault",
      "discord_verification_url: fault",
    ];
  }

  const withEncoding = (encoding: string) =>
    answeringOtherwise((text, rows) => changeRow(text, rows, { encoding }));

  function changeRow(text: string, rows: unknown, change: object): unknown {
    return text.includes("server_encoding") ? (rows as object[]).map((row) => ({ ...row, ...change })) : rows;
  }

  const withNewerMigration = () =>
    answeringOtherwise((text, rows) => {
      if (!/from schema_migration\s/.test(text)) return rows;
      const [row] = rows as { readonly version: number }[];
      return [...(rows as object[]), { ...row, version: 9_999, name: "of_tomorrow" }];
    });

  test("still examines the rest if a secret is missing", async () => {
    const checks = await examined({ environment: { DISCORD_CLIENT_SECRET: "" } });

    expect(findingsOf(checks)).toEqual([
      "configuration: fault",
      ...CHECK_GROUPS.discord.map((id) => `${id}: unknown`),
    ]);
  });

  test("tells a slash at the end from any other letter of the issuer", async () => {
    const remedyFor = async (issuer: string) => {
      janus.provider.override({ discovery: (document) => ({ ...document, issuer }) });
      return find(await examined(), "provider_issuer")?.remedy;
    };

    expect(await remedyFor(`${janus.provider.issuer}/`)).toBe("Add the slash at the end of OIDC_ISSUER.");
    expect(await remedyFor(janus.provider.issuer.replace("http", "HTTP"))).toMatch(/from character 1 on/);
  });

  test("finds pending migrations", async () => {
    const empty = await createTestDatabase({ migrated: false });

    const checks = await examined({ open: async () => keptOpen(empty.db) }).finally(() => empty.drop());

    expect(findingsOf(checks)).toEqual([
      "database_migrations: fault",
      "database_token_keys: unknown",
      "sync: unknown",
    ]);
  });

  test("finds a database that does not answer", async () => {
    const checks = await examined({ open: () => Promise.reject(databaseUnavailable("no answer")) });

    expect(find(checks, "database_reachable")?.state).toBe("fault");
    expect(statusOf(checks)).toBe(2);
  });

  test("still examines Discord if neither the bot nor the database can be asked", async () => {
    const checks = await examined({
      environment: { DISCORD_BOT_TOKEN: "" },
      open: () => Promise.reject(databaseUnavailable("no answer")),
    });

    expect(find(checks, "discord_client")?.state).toBe("ok");
    expect(find(checks, "discord_records")?.state).toBe("unknown");
  });

  test("names the keys that stored tokens need", async () => {
    await linkMember(janus, newUser());

    const sound = await examined();
    const missing = await examined({ environment: { TOKEN_KEYS: `k2:${randomKey()}` } });
    const replaced = await examined({ environment: { TOKEN_KEYS: `k1:${randomKey()}` } });

    expect(find(sound, "database_token_keys")?.detail).toMatch(/opens a stored token of each kind/);
    expect(find(missing, "database_token_keys")?.detail).toMatch(
      /discord_token.access_token needs the key k1, which is missing/,
    );
    expect(find(replaced, "database_token_keys")?.detail).toMatch(/k1, which is another key now/);
  });

  test("lets the server speak for an embedded database that it holds", async () => {
    const open = () => Promise.reject(dataDirLocked("in use"));

    const reached = await examined({ open });
    const alone = await examined({ open, environment: { PUBLIC_URL: `http://${NOBODY}` } });

    expect(findingsOf(reached)).toEqual([]);
    expect(findingsOf(alone)).toContain("database_reachable: unknown");
  });
});

describe("examine() behind a proxy", () => {
  const FORWARDED = { "x-forwarded-for": "192.0.2.7", "x-forwarded-proto": "https" };

  const wayOf = (checks: readonly Check[]) =>
    findingsOf(checks).filter((finding) => finding.startsWith("public_url"));

  test("is content with a proxy that says who its client is", async () => {
    const checks = await examined(behindProxy(trusting, FORWARDED));

    expect(wayOf(checks)).toEqual([]);
    expect(find(checks, "public_url_client_address")?.detail).toContain("192.0.2.7");
  });

  test.each([
    ["drops X-Forwarded-For", () => behindProxy(trusting, {}), "client_address", /No X-Forwarded-For/],
    ["is not trusted", () => behindProxy(janus, FORWARDED), "client_address", /not in TRUSTED_PROXIES/],
    [
      "says http",
      () => behindProxy(trusting, { ...FORWARDED, "x-forwarded-proto": "http" }),
      "scheme",
      /by http/,
    ],
  ] as const)("warns of one that %s", async (_, given, part, detail) => {
    const checks = await examined(given());

    expect(wayOf(checks)).toEqual([`public_url_${part}: warning`]);
    expect(find(checks, `public_url_${part}`)?.detail).toMatch(detail);
  });

  test("finds a certificate that is not accepted", async () => {
    await using authority = await createAuthority();
    const { cert, key } = await authority.sign("DNS:localhost");
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      tls: { cert, key },
      fetch: () => new Response(),
    });
    servers.push(server);

    const checks = await examined({ environment: { PUBLIC_URL: `https://localhost:${server.port}` } });

    expect(find(checks, "public_url_reachable")?.detail).toMatch(/certificate at PUBLIC_URL is not accepted/);
  });
});

describe("examine() and clocks", () => {
  const ahead = (seconds: number) => ({ now: () => new Date(Date.now() + seconds * 1_000) });

  test.each([
    [0, []],
    [-45, ["discord_clock: warning", "provider_clock: warning"]],
    [90, ["discord_clock: warning", "provider_clock: fault"]],
    [200, ["discord_clock: fault", "provider_clock: fault"]],
  ])("judge a clock that is %d seconds ahead", async (seconds, findings) => {
    expect(findingsOf(await examined(ahead(seconds)))).toEqual(findings);
  });
});

describe("examine() of servers that hang", () => {
  test("ends, and calls what it could not ask unknown", async () => {
    const never = new Promise<never>(() => undefined);
    const waits: number[] = [];
    const real = AbortSignal.timeout;
    const deadline = spyOn(AbortSignal, "timeout").mockImplementation((ms) => {
      waits.push(ms);
      return real.call(AbortSignal, 1);
    });
    const hang: Given["fetch"] = (_, { signal }) =>
      new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));

    const checks = await examined({ fetch: hang, open: () => never, deadlineMs: 9_000, groupMs: 500 });
    deadline.mockRestore();

    const unanswered = checks.filter(
      ({ id }) => !/^(configuration|rules|public_url_reachable|discord_events|discord_commands)/.test(id),
    );
    expect(unanswered.filter(({ state }) => state !== "unknown")).toEqual([]);
    expect(checks).toHaveLength(allIds.length);
    expect(waits.length).toBeGreaterThan(3);
    expect(Math.max(...waits)).toBeLessThanOrEqual(10_000);
  });
});
