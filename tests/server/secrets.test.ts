/** Secrets in files that change while the server runs: what takes the new ones, and what refuses them. */
import { describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createReload } from "../../lib/server/secrets.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import type { Environment } from "../fixtures/command.ts";
import { serve } from "../fixtures/command.ts";
import { askHook } from "../fixtures/hook.ts";
import { useDatabase, useFolder, useJanusForEach } from "../harness/hooks.ts";
import { CANARY, createBrowser, randomKey, startJanusWithForger } from "../harness/janus.ts";
import { discordTokenOf } from "../harness/rows.ts";
import { linesOf } from "../harness/seen.ts";
import { linkMember, newUser, reachDiscordCallback } from "../harness/walk.ts";

const folder = useFolder("secrets");
const database = useDatabase();

const NAMES = [
  "TOKEN_KEYS",
  "COOKIE_SECRET",
  "DISCORD_CLIENT_SECRET",
  "OIDC_CLIENT_SECRET",
  "HOOK_SECRET",
  "SCIM_TOKEN",
] as const;
type Name = (typeof NAMES)[number];
const FIRST: Readonly<Record<Name, string>> = {
  TOKEN_KEYS: `k1:${randomKey()}`,
  COOKIE_SECRET: randomKey(),
  DISCORD_CLIENT_SECRET: CANARY.discordClientSecret,
  OIDC_CLIENT_SECRET: CANARY.oidcClientSecret,
  HOOK_SECRET: "canary-hook-before-the-reload-0123456789",
  SCIM_TOKEN: "canary-scim-before-the-reload-0123456789",
};
const put = (name: Name, value: string) => writeFile(join(folder, name), value);
const files = Object.fromEntries(NAMES.map((name) => [`${name}_FILE`, join(folder, name)]));
const unset = Object.fromEntries(NAMES.map((name) => [name, ""]));

const janus = useJanusForEach(async () => {
  for (const name of NAMES) await put(name, FIRST[name]);
  return startJanusWithForger({ database, environment: { ...unset, ...files } });
});

/** What the operator's signal does. */
function makeReload(): () => Promise<void> {
  const { config } = janus;
  const environment: Environment = {
    PUBLIC_URL: janus.url,
    DISCORD_CLIENT_ID: config.discord.clientId,
    DISCORD_API_URL: config.discord.apiUrl,
    DISCORD_AUTHORIZE_URL: config.discord.authorizeUrl,
    DISCORD_CDN_URL: config.discord.cdnUrl,
    OIDC_ISSUER: config.oidc.issuer,
    OIDC_CLIENT_ID: config.oidc.clientId,
    RATE_LIMIT_PER_MINUTE: "0",
    ...files,
  };
  return createReload(janus.shared, environment);
}

async function link(user = newUser()): Promise<string> {
  janus.provider.signInAs({ sub: `sub-of-${user}` });
  await linkMember(janus, user);
  return user;
}
const keyOf = async (user: string) =>
  String((await discordTokenOf(janus, user))?.accessTokenSealed).split(".")[0];
const refusals = () => linesOf(janus, "secrets_not_reloaded");

describe("a reload", () => {
  test("seals with a new first key, opens with the old, and says what has changed", async () => {
    const reload = makeReload();
    const before = await link();
    await put("TOKEN_KEYS", `k2:${randomKey()},${FIRST.TOKEN_KEYS}`);

    await reload();
    const after = await link();
    janus.clock.advance(6.5 * 86_400);
    await runUpkeep(janus.deps);

    expect([await keyOf(before), await keyOf(after)]).toEqual(["k2", "k2"]);
    expect(linesOf(janus, "secrets_reloaded")).toMatchObject([{ count: 1, reason: "TOKEN_KEYS" }]);
    expect(refusals()).toEqual([]);
  });

  test("lets a sign-in go on that began with the old cookie secret, while that is kept", async () => {
    const reload = makeReload();
    const [kept, dropped] = [createBrowser(janus.url), createBrowser(janus.url)];
    const callbacks = [
      await reachDiscordCallback(kept, newUser()),
      await reachDiscordCallback(dropped, newUser()),
    ];
    const newer = randomKey();

    await put("COOKIE_SECRET", `${newer},${FIRST.COOKIE_SECRET}`);
    await reload();
    const first = await kept.get(callbacks[0] ?? "");
    await put("COOKIE_SECRET", newer);
    await reload();
    const second = await dropped.get(callbacks[1] ?? "");

    expect([first.status, second.status]).toEqual([302, 403]);
    await link();
  });

  test("opens the doorbells to the new secrets from then on, and not to the old", async () => {
    const reload = makeReload();
    const next = {
      HOOK_SECRET: "canary-hook-after-the-reload-0123456789",
      SCIM_TOKEN: "canary-scim-after-the-reload-0123456789",
    };
    const knock = async ({ HOOK_SECRET: secret, SCIM_TOKEN: token }: typeof next) => {
      const hook = await askHook(janus, { subjects: ["nobody"] }, { secret });
      const headers = { authorization: `Bearer ${token}` };
      const scim = await fetch(`${janus.url}/scim/v2/Users`, { headers });
      return [hook.status, scim.status];
    };
    const before = [await knock(FIRST), await knock(next)];
    await put("HOOK_SECRET", next.HOOK_SECRET);
    await put("SCIM_TOKEN", next.SCIM_TOKEN);

    await reload();
    const after = [await knock(FIRST), await knock(next)];

    const [taken, refused] = [
      [200, 200],
      [401, 401],
    ];
    expect([before, after]).toEqual([
      [taken, refused],
      [refused, taken],
    ]);
  });

  test("uses the new secrets of both clients from then on, in upkeep too", async () => {
    const reload = makeReload();
    await put("DISCORD_CLIENT_SECRET", "canary-another-discord");
    await put("OIDC_CLIENT_SECRET", "canary-another-provider");

    await reload();

    const { discord, oidc } = janus.deps;
    expect(await discord.checkClient().catch((error: unknown) => error)).toMatchObject({
      code: "discord_client_rejected",
    });
    expect(await oidc.checkClient().catch((error: unknown) => error)).toMatchObject({
      code: "provider_client_rejected",
    });
    for (const name of ["DISCORD_CLIENT_SECRET", "OIDC_CLIENT_SECRET"] as const) await put(name, FIRST[name]);
    await reload();
    await link();
    expect(JSON.stringify(janus.logLines)).not.toContain("canary-another");
  });

  test.each([
    ["is empty", "COOKIE_SECRET", "", "names an empty file"],
    ["has a fault", "TOKEN_KEYS", "k1:short", "TOKEN_KEYS must be"],
    [
      "lacks a key that has sealed tokens",
      "TOKEN_KEYS",
      `k2:${randomKey()}`,
      "TOKEN_KEYS lacks keys that have sealed stored tokens: k1",
    ],
    [
      "has another key under an id",
      "TOKEN_KEYS",
      `k1:${randomKey()}`,
      "TOKEN_KEYS lacks keys that have sealed stored tokens: k1",
    ],
  ] as const)(
    "refuses a file that %s, and keeps all secrets as they were",
    async (_, name, value, reason) => {
      const reload = makeReload();
      await link();
      await put(name, value);
      await put("DISCORD_CLIENT_SECRET", "canary-another-discord");

      await reload();
      await link();

      expect(refusals()).toMatchObject([{ code: "config_invalid", reason: expect.stringContaining(reason) }]);
      expect(linesOf(janus, "secrets_reloaded")).toEqual([]);
    },
  );

  test("changes nothing where nothing has changed, and none of what is no secret", async () => {
    const reload = makeReload();
    const { config } = janus.shared;

    await Promise.all([reload(), reload()]);

    expect(janus.shared.config.database).toBe(config.database);
    expect(linesOf(janus, "secrets_reloaded")).toMatchObject([{ count: 0 }, { count: 0 }]);
  });
});

test("janus serve reloads on SIGHUP, and goes on serving", async () => {
  await put("TOKEN_KEYS", `k3:${randomKey()}`);
  const { url: DATABASE_URL, dataDir: DATA_DIR } = { ...database.config, dataDir: join(folder, "data") };
  const server = await serve(folder, {
    PUBLIC_URL: "http://127.0.0.1:3000",
    PORT: "0",
    DISCORD_CLIENT_ID: janus.config.discord.clientId,
    OIDC_ISSUER: janus.config.oidc.issuer,
    OIDC_CLIENT_ID: janus.config.oidc.clientId,
    DATA_DIR,
    DRAIN_SECONDS: "0",
    ...(DATABASE_URL === undefined ? {} : { DATABASE_URL }),
    ...files,
  });
  const lineOf = async (event: string) => {
    for (;;) {
      const line = server.lines.find((text) => text.includes(`"event":"${event}"`));
      if (line !== undefined) return line;
      await Bun.sleep(20);
    }
  };
  await lineOf("serving");

  process.kill(server.pid, "SIGHUP");
  const same = await lineOf("secrets_reloaded");
  await put("TOKEN_KEYS", "nothing");
  process.kill(server.pid, "SIGHUP");
  const refused = await lineOf("secrets_not_reloaded");
  const health = await server.get("/healthz");

  const ended = await server.stop();
  expect(same).toContain('"count":0');
  expect(refused).toContain("TOKEN_KEYS must be");
  expect([health.status, ended.exitCode]).toEqual([200, 0]);
});
