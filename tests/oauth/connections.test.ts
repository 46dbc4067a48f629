/** What goes over which connection: a kept one that died without a word must not cost a code or a refresh token. */
import { afterAll, describe, expect, test } from "bun:test";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { startProxy } from "../fixtures/proxy.ts";
import { createBrowser, startJanusWithForger } from "../harness/janus.ts";
import { callApi, reachLoginCallback } from "../harness/sign_in.ts";
import { newUser, reachDiscordCallback, reachForgerCallback } from "../harness/walk.ts";

/** What a dead connection costs, and far above what an answer takes on loopback. */
const DEADLINE_MS = 5_000;

const started: { readonly stop: () => Promise<unknown> }[] = [];
afterAll(async () => {
  for (const one of started.splice(0).reverse()) await one.stop();
});

/** Janus with a proxy before each of the two: what is open there can fall silent, while new connections work. */
async function startBehindProxies() {
  const ways = new Map<string, Awaited<ReturnType<typeof startProxy>>>();
  const janus = await startJanusWithForger({
    deadlineMs: DEADLINE_MS,
    forger: { freshSubjects: true },
    fetch: (address, init) => {
      const url = new URL(address);
      const way = ways.get(url.port);
      if (way !== undefined) url.port = String(way.port);
      return fetch(url.href, init);
    },
  });
  started.push(janus);
  for (const address of [janus.discord.url, janus.provider.url]) {
    const port = Number(new URL(address).port);
    const way = await startProxy({ hostname: "127.0.0.1", port });
    ways.set(String(port), way);
    started.push(way);
  }
  const link = async (user: string) => {
    const browser = createBrowser(janus.url);
    const response = await browser.get(await reachForgerCallback(browser, user));
    return { browser, response };
  };
  /** A quiet hour: all that is open falls silent for good. */
  const fallSilent = async () => {
    for (const way of ways.values()) await way.cut();
    for (const way of ways.values()) await way.mend();
  };
  /** What the two are asked meanwhile, by name. */
  const askedBy = async <Result>(work: () => Promise<Result>) => {
    const before = [janus.discord.calls.length, janus.provider.calls.length];
    const result = await work();
    const discord = janus.discord.calls.slice(before[0]).map(({ operation }) => operation);
    return { result, discord, provider: janus.provider.calls.slice(before[1]) };
  };
  return { janus, link, fallSilent, askedBy };
}

// Each waits for a deadline, so they wait together.
describe.concurrent("with dead connections", () => {
  test("a member links at the first try", async () => {
    const { janus, link, fallSilent, askedBy } = await startBehindProxies();
    await link(newUser());
    const [browser, user] = [createBrowser(janus.url), newUser()];
    const callback = await reachDiscordCallback(browser, user);
    await fallSilent();

    const discordLeg = await askedBy(() => browser.get(callback));
    const there = await fetch(discordLeg.result.headers.get("location") ?? "", { redirect: "manual" });
    await fallSilent();
    const providerLeg = await askedBy(() => browser.get(there.headers.get("location") ?? ""));

    expect([discordLeg.result.status, providerLeg.result.status]).toEqual([302, 200]);
    expect(discordLeg.discord).toEqual(["token_code", "get_current_authorization"]);
    expect(providerLeg.provider).toEqual(["token"]);
    expect(providerLeg.discord).toEqual(["put_role_connection"]);
    expect(janus.discord.roleConnection(user)?.metadata).toEqual({ dsek_member: "1" });
  });

  test("a member signs in at the first try", async () => {
    const { janus, link, fallSilent, askedBy } = await startBehindProxies();
    await link(newUser());
    const browser = createBrowser(janus.url);
    const callback = await reachLoginCallback(browser, newUser());
    await fallSilent();

    const { result, discord } = await askedBy(() => browser.get(callback));

    expect(result.headers.get("location")).toBe("/account");
    expect(discord).toEqual(["token_code", "get_current_authorization"]);
  });

  test.each([
    ["UserInfo, after the code is spent", "userinfo"],
    ["new keys, after the code is spent", "jwks"],
  ] as const)("a sign-in works with %s", async (_, operation) => {
    const { janus, link, fallSilent, askedBy } = await startBehindProxies();
    // Without a name in the ID Token UserInfo is asked.
    janus.provider.override({ idToken: ({ preferred_username: _name, ...claims }, sign) => sign(claims) });
    await link(newUser());
    if (operation === "jwks") janus.provider.rotateKey();
    const browser = createBrowser(janus.url);
    const callback = await reachForgerCallback(browser, newUser());
    await fallSilent();

    const { result, provider } = await askedBy(() => browser.get(callback));

    expect(result.status).toBe(200);
    expect(provider).toContain(operation);
    expect(provider.filter((one) => one === "token")).toHaveLength(1);
  });

  test("a push spends its refresh token once", async () => {
    const { janus, link, fallSilent, askedBy } = await startBehindProxies();
    const user = newUser();
    await link(user);
    await janus.database.rows("update link set push_due_at = now()");
    janus.clock.advance(8 * 24 * 3_600);
    await fallSilent();

    const { discord } = await askedBy(() => runUpkeep(janus.deps));

    expect(discord).toEqual(["token_refresh", "put_role_connection"]);
    expect(await janus.database.rows("select push_due_at, push_failures from link")).toEqual([
      { pushDueAt: null, pushFailures: 0 },
    ]);
  });

  test("an unlink ends at the first try", async () => {
    const { janus, link, fallSilent, askedBy } = await startBehindProxies();
    const user = newUser();
    const { browser } = await link(user);
    await fallSilent();

    const { result, discord, provider } = await askedBy(() =>
      callApi(janus, "/api/link", { browser, method: "DELETE" }),
    );

    expect(await result.json()).toEqual({ ok: true, finished: true });
    expect(discord).toEqual(["delete_role_connection", "revoke"]);
    expect(provider).toEqual(["revoke"]);
    expect(janus.discord.grants(user)).toBe(0);
  });
});
