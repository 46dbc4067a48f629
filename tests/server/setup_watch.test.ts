/** Faults of the setup are told at the start and at /readyz, and members meet them before they consent at Discord. */
import { describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp } from "../../index.ts";
import { readConfig } from "../../lib/config/load.ts";
import type { WorkDeps } from "../../lib/deps.ts";
import { putMetadataRecords } from "../../lib/discord/metadata_records.ts";
import { rememberRecords } from "../../lib/operator/setup_questions.ts";
import { DEFAULT_RULES } from "../../lib/rules/rule_set.ts";
import { startServer } from "../../lib/server/lifecycle.ts";
import { watchSetup } from "../../lib/server/setup_watch.ts";
import { createLog } from "../../lib/telemetry/log.ts";
import type { World } from "../../lib/wiring.ts";
import { DEFAULT_RECORDS } from "../fixtures/default_records.ts";
import { createTestDatabase, onPostgres } from "../harness/database.ts";
import { useDatabase } from "../harness/hooks.ts";
import {
  CANARY,
  createBrowser,
  DISCORD_CLIENT_ID,
  discordClient,
  environmentFor,
  locationOf,
  providerClient,
  startJanusWithForger,
} from "../harness/janus.ts";
import { freePort } from "../harness/ports.ts";
import { linesOf, operationsOf } from "../harness/seen.ts";
import { linkAccounts, newUser } from "../harness/walk.ts";
import { startDiscord } from "../standins/discord.ts";
import type { Behaviour } from "../standins/faults.ts";
import { startProvider } from "../standins/provider.ts";

const database = useDatabase();

const FAULT_MS = 120_000;
const UNKNOWN_MS = 900_000;
const DISCOVERY_MS = 10_000;

/** Waits that end when the test says so. */
function createNaps() {
  const naps: { readonly ms: number; readonly wake: () => void }[] = [];
  return {
    sleep: (ms: number) => new Promise<void>((wake) => void naps.push({ ms, wake })),
    /** Waits until somebody waits so long, and ends that wait. */
    end: async (ms: number): Promise<void> => {
      for (;;) {
        const index = naps.findIndex((nap) => nap.ms === ms);
        if (index >= 0) return naps.splice(index, 1)[0]?.wake();
        await Bun.sleep(1);
      }
    },
    /** Waits until as many wait so long. */
    begun: async (ms: number, count = 1): Promise<void> => {
      while (naps.filter((nap) => nap.ms === ms).length < count) await Bun.sleep(1);
    },
  };
}

type Options = Parameters<typeof startJanusWithForger>[0];

/** A Janus that asks its questions; `knowsRecords: false` as after a forgotten `janus register`. */
async function setUp({
  knowsRecords = true,
  ...options
}: Options & { readonly knowsRecords?: boolean } = {}) {
  const janus = await startJanusWithForger({ database, deadlineMs: 400, ...options });
  if (knowsRecords) await rememberRecords(janus.deps, DISCORD_CLIENT_ID);
  const naps = createNaps();
  const stopping = new AbortController();
  const deps: WorkDeps = { ...janus.deps, sleep: naps.sleep };
  const browser = createBrowser(janus.url);
  return {
    janus,
    naps,
    watch: () => watchSetup(deps, Promise.resolve(), stopping.signal),
    faulty: () => linesOf(janus, "setup_faulty"),
    mended: () => linesOf(janus, "setup_mended"),
    readyz: async () => {
      const response = await fetch(`${janus.url}/readyz`);
      const body = (await response.json()) as Readonly<Record<string, unknown>>;
      return { http: response.status, ...body } as Readonly<Record<string, unknown>>;
    },
    get: browser.get,
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await janus.stop();
    },
  };
}

const READY = { http: 200, status: "ready", database: "ready", provider: "ready" };
const refused: Behaviour = { status: 401, body: { error: "invalid_client" } };

describe("watchSetup()", () => {
  test("asks each question once, and is silent if nothing is wrong", async () => {
    await using stage = await setUp();
    const { janus } = stage;

    await stage.watch();

    expect(operationsOf(janus)).toEqual(["token_code"]);
    expect(janus.provider.calls).toEqual(["discovery", "token"]);
    expect([...stage.faulty(), ...stage.mended()]).toEqual([]);
    expect(await stage.readyz()).toEqual(READY);
    expect(locationOf(await stage.get("/linked-role"))).toStartWith(janus.discord.authorizeUrl);
  });

  test("tells of a wrong secret at Discord, and keeps members from going there", async () => {
    await using stage = await setUp({ environment: { DISCORD_CLIENT_SECRET: "canary-another" } });

    void stage.watch();
    await stage.naps.begun(FAULT_MS);

    expect(stage.faulty()).toMatchObject([
      {
        level: "warn",
        code: "discord_client_rejected",
        reason: expect.stringMatching(
          /^client_check: answered 401 invalid_client; compare DISCORD_CLIENT_ID/,
        ),
      },
    ]);
    expect(await stage.readyz()).toMatchObject({ http: 200, warnings: ["discord_client_rejected"] });
    for (const path of ["/linked-role", "/linked-role/another", "/login"]) {
      const response = await stage.get(path);
      const page = await response.text();
      expect([path, response.status]).toEqual([path, 502]);
      expect(page).toContain("Sign-in with Discord is misconfigured");
      expect(page).toContain(response.headers.get("x-request-id") ?? "no id");
    }
  });

  test("tells of a wrong secret at the provider, and lets members sign in with Discord", async () => {
    await using stage = await setUp({ environment: { OIDC_CLIENT_SECRET: "canary-another" } });
    const { janus } = stage;

    void stage.watch();
    await stage.naps.begun(FAULT_MS);

    expect(stage.faulty()).toMatchObject([{ level: "warn", code: "provider_client_rejected" }]);
    expect(await stage.readyz()).toEqual({ ...READY, warnings: ["provider_client_rejected"] });
    const asked = janus.discord.calls.length + janus.provider.calls.length;
    const response = await stage.get("/linked-role");
    expect(response.status).toBe(502);
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(await response.text()).toContain("Sign-in with D-sektionen is misconfigured");
    expect(linesOf(janus, "request_failed").at(-1)).toMatchObject({ code: "provider_client_rejected" });
    expect((await stage.get("/login")).status).toBe(302);
    expect(janus.discord.calls.length + janus.provider.calls.length).toBe(asked);
  });

  test("notices without a restart that a secret was mended", async () => {
    await using stage = await setUp();
    const { janus, naps } = stage;
    janus.provider.failNext("token", refused, 2);

    const watching = stage.watch();
    await naps.end(FAULT_MS);
    await naps.begun(FAULT_MS);
    const before = (await stage.get("/linked-role")).status;
    await naps.end(FAULT_MS);
    await watching;

    expect(before).toBe(502);
    expect((await stage.get("/linked-role")).status).toBe(302);
    expect(await stage.readyz()).toEqual(READY);
    // Once for two answers that say the same.
    expect(stage.faulty()).toHaveLength(1);
    expect(stage.mended()).toMatchObject([{ level: "info", code: "provider_client_rejected" }]);
  });

  test("raises no alarm without an answer, and asks again later", async () => {
    await using stage = await setUp();
    const { janus, naps } = stage;
    for (const behaviour of ["hang", { status: 503, body: {} }] as const) {
      janus.discord.failNext("token_code", behaviour);
      janus.provider.failNext("token", behaviour);
    }

    const watching = stage.watch();
    await naps.begun(UNKNOWN_MS, 2);
    const during = [await stage.readyz(), (await stage.get("/linked-role")).status];
    await naps.end(UNKNOWN_MS);
    await naps.end(UNKNOWN_MS);
    await naps.end(UNKNOWN_MS);
    await naps.end(UNKNOWN_MS);
    await watching;

    expect(during).toEqual([READY, 302]);
    expect(stage.faulty()).toEqual([]);
  });

  test("asks no more if a server does not tell", async () => {
    await using stage = await setUp();
    stage.janus.provider.failNext("token", { status: 400, body: { error: "invalid_request" } });

    await stage.watch();

    expect(stage.faulty()).toEqual([]);
    expect(await stage.readyz()).toEqual(READY);
  });

  test("forgets a fault in five minutes if no answer confirms it", async () => {
    await using stage = await setUp();
    const { janus, naps } = stage;
    janus.provider.failNext("token", refused);
    janus.provider.failNext("token", { status: 503, body: {} });

    void stage.watch();
    await naps.end(FAULT_MS);
    await naps.begun(UNKNOWN_MS);
    const before = (await stage.get("/linked-role")).status;
    janus.clock.advance(301);
    const after = (await stage.get("/linked-role")).status;

    expect([before, after]).toEqual([502, 302]);
    expect(await stage.readyz()).toEqual(READY);
  });

  test("stops asking when the server stops", async () => {
    await using stage = await setUp({ environment: { OIDC_CLIENT_SECRET: "canary-another" } });
    const { janus, naps } = stage;

    const watching = stage.watch();
    await naps.begun(FAULT_MS);
    const asked = janus.provider.calls.length;
    await stage[Symbol.asyncDispose]();
    await naps.end(FAULT_MS);
    await watching;

    expect(janus.provider.calls).toHaveLength(asked);
  });
});

describe("a provider whose discovery is refused", () => {
  const FAULTS: readonly (readonly [string, Behaviour | ((right: object) => object), RegExp])[] = [
    ["another issuer", (right) => ({ ...right, issuer: "https://id.example" }), /"issuer" is "https:\/\/id/],
    ["no document", { status: 404, body: {} }, /answered 404: check OIDC_ISSUER/],
    [
      "tokens that the client secret signs",
      (right) => ({ ...right, id_token_signing_alg_values_supported: ["HS256"] }),
      /ID Tokens are signed with HS256/,
    ],
  ];
  test.each(FAULTS)("by %s closes the way to Discord until it is mended", async (_, fault, reason) => {
    await using stage = await setUp();
    const { janus, naps } = stage;
    if (typeof fault === "function") janus.provider.override({ discovery: fault });
    else janus.provider.failNext("discovery", fault);

    const watching = stage.watch();
    await naps.begun(DISCOVERY_MS);
    const before = await stage.get("/linked-role");
    const unready = await stage.readyz();
    janus.provider.reset();
    await naps.end(DISCOVERY_MS);
    await watching;
    const after = await stage.get("/linked-role");

    expect([before.status, after.status]).toEqual([502, 302]);
    expect(await before.text()).toContain("Sign-in with D-sektionen is misconfigured");
    expect(linesOf(janus, "request_failed")).toMatchObject([
      { code: "provider_misconfigured", reason: expect.stringMatching(reason) },
    ]);
    expect(unready).toEqual({
      http: 503,
      status: "not_ready",
      database: "ready",
      provider: "discovery_not_loaded",
      warnings: ["provider_misconfigured"],
    });
    expect(await stage.readyz()).toEqual(READY);
  });

  test("by a way to authenticate that Janus lacks is noticed, also when it is mended", async () => {
    await using stage = await setUp();
    const { janus, naps } = stage;
    const token_endpoint_auth_methods_supported = ["private_key_jwt"];
    janus.provider.override({ discovery: (right) => ({ ...right, token_endpoint_auth_methods_supported }) });

    const watching = stage.watch();
    await naps.begun(FAULT_MS);
    const before = (await stage.get("/linked-role")).status;
    janus.provider.reset();
    janus.clock.advance(FAULT_MS / 1_000);
    await naps.end(FAULT_MS);
    await watching;

    expect([before, (await stage.get("/linked-role")).status]).toEqual([502, 302]);
    expect(stage.faulty()).toMatchObject([
      { code: "provider_misconfigured", reason: expect.stringContaining("supports neither") },
    ]);
  });

  test("by an outage leaves the way to Discord open", async () => {
    await using stage = await setUp();
    const { janus, naps } = stage;
    janus.provider.failNext("discovery", "drop");

    const watching = stage.watch();
    await naps.begun(DISCOVERY_MS);
    const during = (await stage.get("/linked-role")).status;
    await naps.end(DISCOVERY_MS);
    await watching;

    expect(during).toBe(302);
  });
});

describe("the metadata records", () => {
  const botToken = { DISCORD_BOT_TOKEN: CANARY.botToken };
  const register = ({ deps, discord, url }: Awaited<ReturnType<typeof startJanusWithForger>>) =>
    putMetadataRecords(
      {
        ...deps,
        clientId: DISCORD_CLIENT_ID,
        apiUrl: discord.apiUrl,
        publicUrl: url,
        fetch: (address, init) => fetch(address, init),
      },
      CANARY.botToken,
      DEFAULT_RECORDS,
    );

  test("that were never registered are told, until they are", async () => {
    await using stage = await setUp({ knowsRecords: false });
    const { janus, naps } = stage;

    const watching = stage.watch();
    await naps.begun(FAULT_MS);
    const before = await stage.readyz();
    const status = (await stage.get("/linked-role")).status;
    await rememberRecords(janus.deps, DISCORD_CLIENT_ID);
    await naps.end(FAULT_MS);
    await watching;

    expect(stage.faulty()).toMatchObject([
      {
        level: "warn",
        code: "records_not_registered",
        reason: expect.stringContaining("run janus register"),
      },
    ]);
    expect(before).toEqual({ ...READY, warnings: ["records_not_registered"] });
    // A member can link without the records, and gets the role once they are there.
    expect(status).toBe(302);
    expect(await stage.readyz()).toEqual(READY);
  });

  test.each([
    ["of another release", DISCORD_CLIENT_ID, "other metadata records than the rules have"],
    ["of another application", "999999999999999999", "this database does not know"],
  ])("%s do not count", async (_, applicationId, reason) => {
    await using stage = await setUp({ knowsRecords: false });
    const { queries, now } = stage.janus.deps;
    await queries.upsertRegistration({ applicationId, recordsHash: "0".repeat(64), now: now() });

    void stage.watch();
    await stage.naps.begun(FAULT_MS);

    expect(stage.faulty()).toMatchObject([{ reason: expect.stringContaining(reason) }]);
  });

  test("are asked for at Discord if the server has the bot token", async () => {
    await using stage = await setUp({ environment: botToken });
    const { janus, naps } = stage;

    const watching = stage.watch();
    await naps.begun(FAULT_MS);
    const told = stage.faulty();
    await register(janus);
    await naps.end(FAULT_MS);
    await watching;

    expect(told).toMatchObject([{ reason: expect.stringContaining("Discord does not have the metadata") }]);
    expect(stage.mended()).toHaveLength(1);
    expect(operationsOf(janus)).toContain("get_metadata");
  });

  test.each([
    ["is wrong", { DISCORD_BOT_TOKEN: "canary-wrong" }],
    ["cannot be sent", { DISCORD_BOT_TOKEN: "canary\u2028" }],
  ])("are looked up in the database if the bot token %s", async (_, environment) => {
    await using stage = await setUp({ environment });

    await stage.watch();

    expect(stage.faulty()).toEqual([]);
  });
});

test("a server that was misconfigured links members once that is mended", async () => {
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const discord = startDiscord({ ...discordClient(url), users: [], acceptAnyUser: true });
  const provider = await startProvider(providerClient(url));
  provider.direct({
    choose: ({ operation }) => (operation === "discovery" ? { status: 404, body: {} } : undefined),
    done: async () => undefined,
  });
  const folder = await mkdtemp(join(tmpdir(), "janus-setup-"));
  const own = onPostgres ? await createTestDatabase() : undefined;
  const config = readConfig({
    ...environmentFor(url, discord, provider.issuer),
    PORT: String(port),
    DATA_DIR: folder,
    ...(own?.config.url === undefined ? {} : { DATABASE_URL: own.config.url }),
  });
  const now = () => new Date();
  const naps = createNaps();
  const world: World = {
    fetch: (address, init) => fetch(address, init),
    now,
    // Only the waits between questions are long here.
    sleep: (ms) => (ms === DISCOVERY_MS || ms >= FAULT_MS ? naps.sleep(ms) : Promise.resolve()),
    log: createLog("silent", () => undefined, now),
    version: "0.0.0-test",
  };
  const server = await startServer({ config, rules: DEFAULT_RULES }, createApp, world);
  await server.ready;

  await naps.begun(DISCOVERY_MS);
  const before = await fetch(`${url}/linked-role`, { redirect: "manual" });
  provider.direct(undefined);
  await naps.end(DISCOVERY_MS);
  while ((await fetch(`${url}/readyz`)).status !== 200) await Bun.sleep(5);
  const linked = await linkAccounts({ url }, newUser(), "anna");
  await server.stop();
  await Promise.all([discord.stop(), provider.stop(), own?.drop()]);
  await rm(folder, { recursive: true, force: true });

  expect(before.status).toBe(502);
  expect(await before.text()).toContain("Sign-in with D-sektionen is misconfigured");
  expect(linked.status).toBe(200);
  expect(discord.unexpected).toEqual([]);
});
