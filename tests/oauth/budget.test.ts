/** How long a member waits at most: the calls of one request share one budget, whichever of them hangs. */
import { afterEach, describe, expect, test } from "bun:test";
import { createDiscord } from "../../lib/discord/client.ts";
import type { Budget } from "../../lib/oauth/budget.ts";
import { createBudget } from "../../lib/oauth/budget.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { NO_LOG } from "../../lib/telemetry/log.ts";
import { useDatabase } from "../harness/hooks.ts";
import type { Browser } from "../harness/janus.ts";
import { createBrowser, startJanusWithForger } from "../harness/janus.ts";
import { rejection } from "../harness/rejection.ts";
import { callApi, reachLoginCallback, signIn } from "../harness/sign_in.ts";
import { useStillTime } from "../harness/still_time.ts";
import { linkMember, newUser, reachDiscordCallback, reachForgerCallback } from "../harness/walk.ts";
import type { DiscordOperation } from "../standins/discord.ts";
import type { ForgerOperation } from "../standins/forger.ts";
import { createKey } from "../standins/forger.ts";

const ROLE_CONNECTION = { platform_name: "D-sektionen", metadata: { dsek_member: "1" } };

/** Discord's client by a clock that stands but for calls: each takes as long as it is told, or until its deadline. */
function startClient(totalMs: number, callsTake: readonly (number | "hang")[]) {
  let clock = 0;
  const sent: string[] = [];
  const waits: number[] = [];
  const budget: Budget = createBudget(totalMs, () => clock);
  const discord = createDiscord({
    clientId: "1111111111111111111",
    clientSecret: "secret",
    apiUrl: "http://discord.invalid/api/v10",
    authorizeUrl: "http://discord.invalid/oauth2/authorize",
    cdnUrl: "http://discord.invalid",
    publicUrl: "http://127.0.0.1:9",
    version: "0.0.0-test",
    log: NO_LOG,
    now: () => new Date(),
    sleep: async (ms) => {
      waits.push(ms);
      clock += ms;
    },
    fetch: async (url, { method }) => {
      const takes = callsTake[sent.length] ?? "hang";
      sent.push(`${method ?? "GET"} ${url.split("/api/v10")[1]}`);
      clock += takes === "hang" ? Math.min(5_000, budget.leftMs()) : takes;
      if (takes === "hang") throw new DOMException("The operation timed out.", "TimeoutError");
      return new Response(null, { status: 503 });
    },
  })({ requestId: "the-request", budget });
  return { discord, sent, waits, clock: () => clock };
}

describe("a repeatable call", () => {
  test.each([
    ["hangs each time", ["hang", "hang", "hang"], 2],
    ["hangs, then fails", ["hang", 10, "hang"], 3],
    ["fails late twice", [4_000, 4_000, 0], 2],
    ["fails at once", [10, 10, 10], 3],
  ] as const)("that %s takes no longer than its request has", async (_, callsTake, calls) => {
    const { discord, sent, clock } = startClient(9_000, callsTake);

    const error = await rejection(discord.putRoleConnection("token", ROLE_CONNECTION));

    expect(error.code).toBe("discord_unavailable");
    expect(sent).toHaveLength(calls);
    expect(clock()).toBeLessThanOrEqual(9_000);
  });

  test("does not wait after a 429 for longer than is left", async () => {
    const { discord, sent, waits } = startClient(5_500, ["hang", "hang"]);

    const error = await rejection(discord.findCurrentUser("token"));

    expect(error.code).toBe("discord_unavailable");
    expect([sent.length, waits]).toEqual([1, []]);
  });

  test("is not begun when no time is left", async () => {
    const { discord, sent } = startClient(0, []);

    const error = await rejection(discord.deleteRoleConnection("token"));

    expect(error.message).toBe("delete_role_connection: the request has no time left for this call");
    expect(sent).toEqual([]);
  });
});

describe("a token request", () => {
  test("is sent once and cut off when no time is left", async () => {
    const { discord, sent, clock } = startClient(3_000, ["hang"]);

    const error = await rejection(discord.exchangeCode("code"));

    expect([error.code, sent.length, clock()]).toEqual(["discord_unavailable", 1, 3_000]);
  });

  test("is not sent for a refresh that might be cut off", async () => {
    const { discord, sent } = startClient(9_000, ["hang", "hang"]);
    await rejection(discord.deleteRoleConnection("token"));
    const before = sent.length;

    const error = await rejection(discord.refreshTokens("refresh"));

    expect(error.message).toBe("token_refresh: the request has no time left for this call");
    expect(sent.length).toBe(before);
  });
});

/** What a request may take, and more than that. */
const BUDGET_MS = 9_000;
const NO_DEADLINE_MS = 30_000;
/** For a wait for what others wait for, too: a timer of its own ends it, which does not stand still. */
const SHORT_BUDGET_MS = 500;

const started: { readonly stop: () => Promise<unknown> }[] = [];
const database = useDatabase();
afterEach(async () => {
  for (const one of started.splice(0)) await one.stop();
});
const time = useStillTime();
async function start(options: { readonly deadlineMs?: number; readonly budgetMs?: number } = {}) {
  const janus = await startJanusWithForger({
    database,
    budgetMs: BUDGET_MS,
    forger: { freshSubjects: true },
    ...options,
  });
  started.push(janus);
  return janus;
}
type Janus = Awaited<ReturnType<typeof start>>;

const flowPage =
  (reach: (browser: Browser, user: string) => Promise<string>) => async (janus: Janus, user: string) => {
    const browser = createBrowser(janus.url);
    const callback = await reach(browser, user);
    return () => browser.get(callback);
  };
const memberPage =
  (begin: (janus: Janus, user: string) => Promise<Browser>, path: string, method: string) =>
  async (janus: Janus, user: string) => {
    const browser = await begin(janus, user);
    janus.clock.advance(61);
    return () => callApi(janus, path, { browser, method, headers: { accept: "text/html" } });
  };

const PAGES = [
  ["GET /discord-oauth-callback", "get_current_authorization", flowPage(reachDiscordCallback), 503],
  ["GET /dsek-oauth-callback", "put_role_connection", flowPage(reachForgerCallback), 200],
  ["GET /login", "get_current_authorization", flowPage(reachLoginCallback), 503],
  ["GET /account", "get_current_authorization", memberPage(signIn, "/account", "GET"), 200],
  ["POST /api/link/sync", "put_role_connection", memberPage(linkMember, "/api/link/sync", "POST"), 303],
  ["POST /account/unlink", "delete_role_connection", memberPage(linkMember, "/account/unlink", "POST"), 303],
] as const satisfies readonly (readonly [string, DiscordOperation, unknown, number])[];

describe("a page", () => {
  test.each(PAGES)("%s is in time as %s hangs", async (_, operation, prepare, status) => {
    const janus = await start();
    const open = await prepare(janus, newUser());
    const before = janus.discord.calls.length;
    janus.discord.failNext(operation, "hang", 10);

    const response = await open();

    expect(response.status).toBe(status);
    expect(time.passedMs()).toBeLessThanOrEqual(BUDGET_MS);
    const calls = janus.discord.calls.slice(before).filter((call) => call.operation === operation).length;
    expect(calls).toBeWithin(1, 3);
  });

  // Sent once, so their own deadline is no help: the budget alone ends the wait.
  test.each([
    ["GET /discord-oauth-callback", "token_code", flowPage(reachDiscordCallback), 503],
    ["POST /account/unlink", "revoke", memberPage(linkMember, "/account/unlink", "POST"), 303],
  ] as const satisfies readonly (readonly [string, DiscordOperation, unknown, number])[])(
    "%s is in time as %s hangs, sent once",
    async (_, operation, prepare, status) => {
      const janus = await start({ deadlineMs: NO_DEADLINE_MS });
      const open = await prepare(janus, newUser());
      const before = janus.discord.calls.length;
      janus.discord.failNext(operation, "hang", 10);

      const response = await open();

      expect(response.status).toBe(status);
      const calls = janus.discord.calls.slice(before).filter((call) => call.operation === operation);
      expect(calls).toHaveLength(1);
      expect(janus.logLines.join("")).toContain(`no answer within ${BUDGET_MS} ms`);
      expect(time.passedMs()).toBe(BUDGET_MS);
    },
  );

  test.each([
    ["the code exchange", "token", 503],
    ["the keys", "jwks", 503],
    ["UserInfo", "userinfo", 503],
  ] as const satisfies readonly (readonly [string, ForgerOperation, number])[])(
    "after the provider comes within its budget when %s hangs",
    async (_, operation, status) => {
      // Its own deadline is no help: the budget alone ends the wait.
      const janus = await start({ deadlineMs: NO_DEADLINE_MS, budgetMs: SHORT_BUDGET_MS });
      janus.provider.override({ idToken: ({ preferred_username: _name, ...claims }, sign) => sign(claims) });
      await linkMember(janus, newUser());
      const browser = createBrowser(janus.url);
      const callback = await reachForgerCallback(browser, newUser());
      if (operation === "jwks") {
        janus.provider.rotateKey();
        janus.provider.gate("jwks");
      } else {
        janus.provider.failNext(operation, "hang", 10);
      }
      const before = janus.provider.calls.length;

      const response = await browser.get(callback);

      expect(response.status).toBe(status);
      expect(janus.provider.calls.slice(before).filter((one) => one === "token")).toHaveLength(1);
      expect(janus.logLines.join("")).toContain(`no answer within ${SHORT_BUDGET_MS} ms`);
    },
  );

  test("comes within its budget when the keys for a UserInfo hang", async () => {
    const janus = await start({ deadlineMs: NO_DEADLINE_MS, budgetMs: SHORT_BUDGET_MS });
    await linkMember(janus, newUser());
    const browser = createBrowser(janus.url);
    const callback = await reachForgerCallback(browser, newUser());
    const newer = createKey("RS256");
    janus.provider.override({
      idToken: ({ preferred_username: _name, ...claims }, sign) => sign(claims),
      userInfo: (claims) =>
        new Response(janus.provider.sign(claims, {}, newer), {
          headers: { "content-type": "application/jwt" },
        }),
    });
    janus.provider.gate("jwks");
    const before = janus.provider.calls.length;

    const response = await browser.get(callback);

    expect(response.status).toBe(503);
    expect(janus.provider.calls.slice(before)).toEqual(["token", "userinfo", "jwks"]);
    expect(janus.logLines.join("")).toContain(`jwks: no answer within ${SHORT_BUDGET_MS} ms`);
  });

  test("does not wait past its budget for a shared discovery", async () => {
    const janus = await start({ deadlineMs: NO_DEADLINE_MS, budgetMs: SHORT_BUDGET_MS });
    const [first, second] = [createBrowser(janus.url), createBrowser(janus.url)];
    const callbacks = [
      await reachDiscordCallback(first, newUser()),
      await reachDiscordCallback(second, newUser()),
    ];
    janus.provider.gate("discovery");
    // Upkeep and the start have no budget: what they wait for may take its whole deadline.
    void janus.deps.oidc.prepare().catch(() => undefined);

    const pages = await Promise.all([first.get(callbacks[0] ?? ""), second.get(callbacks[1] ?? "")]);

    expect(pages.map(({ status }) => status)).toEqual([503, 503]);
    const waited = [...janus.logLines.join("").matchAll(/"discovery: no answer within 500 ms"/g)];
    expect(waited.length).toBeGreaterThan(1);
    expect(janus.discord.calls.map(({ operation }) => operation)).toEqual([]);
  });

  test("has one budget for all its calls together", async () => {
    const janus = await start();
    const user = newUser();
    const browser = createBrowser(janus.url);
    const callback = await reachForgerCallback(browser, user);
    const exchange = janus.provider.gate("token");
    janus.discord.failNext("put_role_connection", "hang", 10);

    const answer = browser.get(callback);
    await exchange.arrived;
    // More than half of the budget, and so of the deadline of a push.
    time.pass(5_000);
    exchange.release();
    const response = await answer;

    expect(response.status).toBe(200);
    expect(time.passedMs()).toBe(BUDGET_MS);
    const pushes = janus.discord.calls.filter(({ operation }) => operation === "put_role_connection");
    // With its own deadline alone a second try would have come.
    expect(pushes).toHaveLength(1);
    expect(await janus.database.rows("select push_failures, push_due_at > now() as due from link")).toEqual([
      { pushFailures: 1, due: true },
    ]);
  });

  test("leaves a moved link's grant to upkeep after a slow push", async () => {
    const janus = await startJanusWithForger({ database, budgetMs: BUDGET_MS });
    started.push(janus);
    const [first, second] = [newUser(), newUser()];
    await createBrowser(janus.url).get("/");
    const earlier = createBrowser(janus.url);
    await earlier.get(await reachForgerCallback(earlier, first));
    const browser = createBrowser(janus.url);
    const question = await browser.get(await reachForgerCallback(browser, second));
    const [, state = ""] = /name="state" value="([^"]+)"/.exec(await question.text()) ?? [];
    janus.discord.failNext("put_role_connection", "hang", 2);

    const response = await browser.post("/link/move", { state });
    const during = janus.discord.grants(first);
    janus.clock.advance(125);
    await runUpkeep(janus.deps);

    expect([response.status, during]).toEqual([200, 2]);
    expect(janus.discord.grants(first)).toBe(0);
    expect(janus.discord.roleConnection(first)).toBeUndefined();
    expect(janus.discord.roleConnection(second)).toBeDefined();
  });
});

test("runUpkeep() has no budget and tries a push that hangs three times", async () => {
  const janus = await start();
  await linkMember(janus, newUser());
  await janus.database.rows("update link set push_due_at = now()");
  janus.clock.advance(1);
  const before = janus.discord.calls.length;
  janus.discord.failNext("put_role_connection", "hang", 3);

  await runUpkeep(janus.deps);

  expect(janus.discord.calls.length - before).toBe(3);
});
