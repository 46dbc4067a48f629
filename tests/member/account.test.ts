/** What a member does with their own link: sync, unlink, export, another account; and that nobody else can. */
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from "bun:test";
import { LEASE_SECONDS } from "../../lib/grants/refresh_lease.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { PUSH_LEASE_SECONDS } from "../../lib/sync/push.ts";
import { createTestDatabase, emptyDatabase, type TestDatabase } from "../harness/database.ts";
import { type Browser, createBrowser, lastCode, locationOf, startJanusWithForger } from "../harness/janus.ts";
import { callApi, secretsOf, signIn } from "../harness/sign_in.ts";
import { newUser, reachForgerCallback } from "../harness/walk.ts";
import { refusal } from "../standins/discord-faults.ts";
import { createJar, visit } from "../standins/member.ts";

setDefaultTimeout(30_000);

let janus: Awaited<ReturnType<typeof startJanusWithForger>>;
let database: TestDatabase;
/** The trail is never emptied. */
let trailBegins: string;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  await emptyDatabase(database);
  const [newest] = await database.rows("select coalesce(max(audit_event_id), 0) as id from audit_event");
  trailBegins = String(newest?.id);
  janus = await startJanusWithForger({ database, forger: { freshSubjects: true } });
});
afterEach(() => janus.stop());

async function link(user: string): Promise<Browser> {
  const browser = createBrowser(janus.url);
  expect((await browser.get(await reachForgerCallback(browser, user))).status).toBe(200);
  return browser;
}

const operations = () => janus.discord.calls.map(({ operation }) => operation);
const countOf = (operation: string) => operations().filter((name) => name === operation).length;
const sync = (browser: Browser) => callApi(janus, "/api/link/sync", { browser, method: "POST" });
const unlink = (browser: Browser) => callApi(janus, "/api/link", { browser, method: "DELETE" });
const rowsOf = (table: string) => janus.database.rows(`select * from ${table}`);
const trail = async () =>
  (
    await janus.database.rows(
      `select action from audit_event where audit_event_id > ${trailBegins} order by audit_event_id`,
    )
  ).map(({ action }) => action);

describe("POST /api/link/sync", () => {
  test("pushes now, and answers when Discord has taken it", async () => {
    const browser = await link(newUser());
    const before = countOf("put_role_connection");
    const [earlier] = await rowsOf("link");
    janus.clock.advance(5);

    const response = await sync(browser);

    expect(await response.json()).toEqual({ ok: true });
    expect(countOf("put_role_connection")).toBe(before + 1);
    const [later] = await rowsOf("link");
    expect(Number(later?.pushedAt)).toBeGreaterThan(Number(earlier?.pushedAt));
    expect(later).toMatchObject({ pushDueAt: null, pushFailures: 0 });
  });

  test("again within a minute: 429 with Retry-After, and Discord is not asked; a minute later it is", async () => {
    const browser = await link(newUser());
    await sync(browser);
    const before = countOf("put_role_connection");
    janus.clock.advance(20);

    const soon = await sync(browser);
    const between = countOf("put_role_connection");
    janus.clock.advance(41);
    const later = await sync(browser);

    expect(soon.status).toBe(429);
    expect(Number(soon.headers.get("retry-after"))).toBeWithin(38, 42);
    expect(await soon.json()).toMatchObject({ code: "sync_too_soon" });
    expect(between).toBe(before);
    expect(later.status).toBe(200);
  });

  test("many at once: one is done", async () => {
    const browser = await link(newUser());
    const before = countOf("put_role_connection");

    const answers = await Promise.all(Array.from({ length: 10 }, () => sync(browser)));

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(9);
    expect(countOf("put_role_connection")).toBe(before + 1);
  });

  test("while Discord is down: 503, the link stays, and the push is due again", async () => {
    const browser = await link(newUser());
    janus.discord.failNext("put_role_connection", { status: 503 }, 3);

    const response = await sync(browser);

    expect(response.status).toBe(503);
    expect(await rowsOf("link")).toMatchObject([{ pushFailures: 1, pushDueAt: expect.any(Date) }]);
    janus.clock.advance(61);
    await runUpkeep(janus.deps);
    expect(await rowsOf("link")).toMatchObject([{ pushFailures: 0, pushDueAt: null }]);
  });

  test("without a link: 404; without a session: 401; from another origin: 403; nothing pushed", async () => {
    const browser = await signIn(janus, newUser());
    const linked = await link(newUser());
    const before = countOf("put_role_connection");

    const answers = [
      await sync(browser),
      await callApi(janus, "/api/link/sync", { method: "POST" }),
      await callApi(janus, "/api/link/sync", {
        browser: linked,
        method: "POST",
        origin: "https://other.example",
      }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([404, 401, 403]);
    expect(await answers[0]?.json()).toMatchObject({ code: "not_linked" });
    expect(countOf("put_role_connection")).toBe(before);
  });
});

describe("DELETE /api/link", () => {
  test("clears the role connection, then revokes at Discord and at the provider, then nothing is left", async () => {
    const user = newUser();
    const browser = await link(user);
    const second = await signIn(janus, user);
    const { sessionId, sessionKey } = secretsOf(janus, browser);
    const before = operations().length;

    const response = await unlink(browser);

    expect(await response.json()).toEqual({ ok: true, finished: true });
    expect(response.headers.getSetCookie().join()).toMatch(/sessionId=;.*sessionKey=;/);
    expect(operations().slice(before)).toEqual(["delete_role_connection", "revoke"]);
    expect(janus.provider.calls.filter((operation) => operation === "revoke")).toHaveLength(1);
    expect(janus.discord.roleConnection(user)).toBeUndefined();
    expect(janus.discord.grants(user)).toBe(0);
    for (const table of [
      "link",
      "session",
      "flow",
      "discord_token",
      "organisation_token",
      "organisation_account",
    ])
      expect(await rowsOf(table)).toEqual([]);
    expect(await rowsOf("discord_account")).toEqual([]);
    expect((await callApi(janus, "/api/userinfo", { browser: second })).status).toBe(401);
    const dump = await janus.database.dump();
    for (const secret of [sessionId, sessionKey]) expect(dump).not.toContain(secret);
    expect(await trail()).toEqual(
      expect.arrayContaining(["unlinked", "grant_ended", "provider_grant_ended"]),
    );
  });

  test("while Discord is down: link, claims and sessions go at once, and the end is finished later", async () => {
    const user = newUser();
    const browser = await link(user);
    janus.discord.failNext("delete_role_connection", { status: 503 }, 3);

    const response = await unlink(browser);
    const [token] = await rowsOf("discord_token");
    const during = [await rowsOf("link"), await rowsOf("session"), await rowsOf("organisation_account")];
    const grants = janus.discord.grants(user);
    const signedIn = await signIn(janus, user).then((again) =>
      callApi(janus, "/api/userinfo", { browser: again }),
    );
    janus.clock.advance(901);
    await runUpkeep(janus.deps);

    expect(await response.json()).toEqual({ ok: true, finished: false });
    expect(during).toEqual([[], [], []]);
    expect(token).toMatchObject({ endReason: "unlinked" });
    expect(grants).toBe(2);
    // A sign-in now would be ended together with the grant.
    expect(signedIn.status).toBe(401);
    expect(janus.discord.grants(user)).toBe(0);
    expect(janus.discord.roleConnection(user)).toBeUndefined();
    expect(await rowsOf("discord_token")).toEqual([]);
  });

  test("while the provider is down: the same, and its grant is ended later", async () => {
    const browser = await link(newUser());
    const [tokens] = await rowsOf("organisation_token");
    janus.provider.failNext("revoke", { status: 503 });

    const response = await unlink(browser);
    const during = await rowsOf("organisation_token");
    const claims = (await rowsOf("organisation_account")).map((account) => account.claims);
    janus.clock.advance(901);
    await runUpkeep(janus.deps);

    expect(await response.json()).toEqual({ ok: true, finished: false });
    expect(during).toMatchObject([
      { accessTokenSealed: tokens?.accessTokenSealed, endDueAt: expect.any(Date) },
    ]);
    expect(claims).toEqual([{}]);
    expect(janus.provider.calls.filter((operation) => operation === "revoke")).toHaveLength(2);
    expect(await rowsOf("organisation_token")).toEqual([]);
    expect(await rowsOf("organisation_account")).toEqual([]);
  });

  test("by a process that died on the way is finished by another", async () => {
    const user = newUser();
    await link(user);
    const now = janus.clock.now();
    const leasedUntil = new Date(now.getTime() + LEASE_SECONDS * 1_000);
    await janus.deps.queries.unlink({ discordUserId: user, requestId: "request", now, leasedUntil });

    await runUpkeep(janus.deps);
    const during = janus.discord.grants(user);
    janus.clock.advance(LEASE_SECONDS + 1);
    await runUpkeep(janus.deps);

    expect(during).toBe(2);
    expect(janus.discord.grants(user)).toBe(0);
    expect(await rowsOf("organisation_token")).toEqual([]);
  });

  test("a member who signs in at the provider again before its grant has ended keeps the new one", async () => {
    const own = await startJanusWithForger();
    const [first, second] = [newUser(), newUser()];
    const browser = createBrowser(own.url);
    await browser.get(await reachForgerCallback(browser, first));
    own.provider.failNext("revoke", { status: 503 });
    await callApi(own, "/api/link", { browser, method: "DELETE" });

    const again = createBrowser(own.url);
    const linked = await again.get(await reachForgerCallback(again, second));
    own.clock.advance(901);
    await runUpkeep(own.deps);

    expect(linked.status).toBe(200);
    expect(await own.database.rows("select end_due_at from organisation_token")).toEqual([
      { endDueAt: null },
    ]);
    await own.stop();
  });

  test("leaves other members alone", async () => {
    const [browser, other] = [await link(newUser()), await link(newUser())];

    await unlink(browser);

    expect(await rowsOf("link")).toHaveLength(1);
    expect((await callApi(janus, "/api/userinfo", { browser: other })).status).toBe(200);
  });

  test("without a link: 404; without a session: 401; from another origin: 403; nothing changes", async () => {
    const [signedIn, linked] = [await signIn(janus, newUser()), await link(newUser())];
    const before = await janus.database.dump();

    const answers = [
      await unlink(signedIn),
      await callApi(janus, "/api/link", { method: "DELETE" }),
      await callApi(janus, "/api/link", { browser: linked, method: "DELETE", origin: null }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([404, 401, 403]);
    expect(await janus.database.dump()).toBe(before);
  });
});

describe("the step of an unlink in the log", () => {
  const stepsOf = (response: Response) =>
    janus.logLines
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
      .filter(({ event, requestId }) => {
        return event === "flow_step" && requestId === response.headers.get("x-request-id");
      });

  test("is there, once, whether it is done or fails", async () => {
    const [signedIn, linked] = [await signIn(janus, newUser()), await link(newUser())];

    const [refused, done] = [await unlink(signedIn), await unlink(linked)];

    expect([refused.status, done.status]).toEqual([404, 200]);
    expect(stepsOf(refused)).toMatchObject([{ step: "unlink", outcome: "failed", code: "not_linked" }]);
    expect(stepsOf(done)).toMatchObject([{ step: "unlink", outcome: "unlinked" }]);
    expect(stepsOf(done)[0]).not.toContainKey("code");
  });
});

describe("an unlink that meets something under way", () => {
  test("a refresh: its new pair is ended as well, once it is stored", async () => {
    const user = newUser();
    const browser = await link(user);
    await janus.database.rows("update discord_token set expires_at = now() - interval '1 second'");
    const refresh = janus.discord.gate("token_refresh", "answer");
    const syncing = sync(browser);
    await refresh.arrived;

    const response = await unlink(browser);
    refresh.release();
    await syncing;
    janus.clock.advance(PUSH_LEASE_SECONDS + 1);
    await runUpkeep(janus.deps);

    expect(await response.json()).toEqual({ ok: true, finished: false });
    expect(janus.discord.grants(user)).toBe(0);
    expect(janus.discord.roleConnection(user)).toBeUndefined();
    expect(await rowsOf("discord_token")).toEqual([]);
  });

  test("a push: the role connection that it brings is cleared as well", async () => {
    const user = newUser();
    const browser = await link(user);
    janus.clock.advance(61);
    const push = janus.discord.gate("put_role_connection");
    const syncing = sync(browser);
    await push.arrived;

    const response = await unlink(browser);
    push.release();
    await syncing;
    janus.clock.advance(PUSH_LEASE_SECONDS + 1);
    await runUpkeep(janus.deps);

    expect(await response.json()).toEqual({ ok: true, finished: false });
    expect(janus.discord.roleConnection(user)).toBeUndefined();
    expect(janus.discord.grants(user)).toBe(0);
  });

  test("a flow: it comes to nothing", async () => {
    const user = newUser();
    const browser = await link(user);
    const other = createBrowser(janus.url);
    const callback = await reachForgerCallback(other, user);

    await unlink(browser);

    expect((await other.get(callback)).status).toBe(403);
    expect(await rowsOf("link")).toEqual([]);
  });

  test("an expired session while Discord is down: the member undoes the link all the same, and sees it before", async () => {
    const own = await startJanusWithForger();
    const user = newUser();
    const linked = createBrowser(own.url);
    await linked.get(await reachForgerCallback(linked, user));
    const browser = await signIn(own, user);
    await own.database.rows("update session set token_expires_at = now() - interval '1 second'");
    for (const operation of ["token_refresh", "get_current_authorization", "delete_role_connection"] as const)
      own.discord.failNext(operation, { status: 503 }, 20);

    const answers = [
      await callApi(own, "/account", { browser, headers: { accept: "text/html" } }),
      await callApi(own, "/api/sessions", { browser }),
      await callApi(own, "/api/me/export", { browser }),
      await callApi(own, "/api/link", { browser, method: "DELETE" }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await own.database.rows("select from link")).toEqual([]);
    await own.stop();
  });

  test("a role connection that Discord will not clear: the grant is revoked all the same, and the log says so", async () => {
    const user = newUser();
    const browser = await link(user);
    janus.discord.failNext("delete_role_connection", refusal(403, "Missing Access", 50_001));

    const response = await unlink(browser);

    expect(await response.json()).toEqual({ ok: true, finished: true });
    expect(janus.discord.grants(user)).toBe(0);
    expect(janus.logLines.join("")).toContain('"event":"role_connection_not_cleared"');
  });

  test("a revocation at the provider names the refresh token, by which all of the grant ends", async () => {
    const sent: URLSearchParams[] = [];
    const own = await startJanusWithForger({
      fetch: (url, init) => {
        if (url.endsWith("/revoke") && !url.includes("oauth2"))
          sent.push(new URLSearchParams(String(init.body)));
        return fetch(url, init);
      },
    });
    const browser = createBrowser(own.url);
    await browser.get(await reachForgerCallback(browser, newUser()));

    await callApi(own, "/api/link", { browser, method: "DELETE" });

    expect(sent.map((form) => form.get("token_type_hint"))).toEqual(["refresh_token"]);
    expect(own.provider.isLive(sent[0]?.get("token") ?? "")).toBe(false);
    await own.stop();
  });
});

describe("the form of an unlink", () => {
  test("asks first, and changes nothing until it is answered", async () => {
    const user = newUser();
    const browser = await link(user);
    const before = await janus.database.dump();

    const question = await browser.get("/account/unlink");
    const unchanged = (await janus.database.dump()) === before;
    const answer = await browser.post("/account/unlink", {});

    expect([question.status, unchanged, answer.status]).toEqual([200, true, 200]);
    expect(answer.headers.getSetCookie().join()).toMatch(/sessionId=;.*sessionKey=;/);
    expect(await rowsOf("link")).toEqual([]);
    expect((await browser.get("/account")).status).toBe(401);
  });

  test.each(["/account/unlink", "/account/sessions", "/api/link/sync", "/api/auth/logout"])(
    "%s from another origin is refused, and nothing changes",
    async (path) => {
      const browser = await link(newUser());
      const before = await janus.database.dump();

      const answers = [
        await browser.post(path, {}, "https://elsewhere.example.org"),
        await browser.post(path, {}, null),
      ];

      expect(answers.map(({ status }) => status)).toEqual([403, 403]);
      expect(lastCode(janus)).toBe("origin_refused");
      expect(await janus.database.dump()).toBe(before);
    },
  );
});

describe("GET /api/me/export", () => {
  test("is everything that is stored, secrets as present or absent, in one file", async () => {
    const user = newUser();
    const browser = await link(user);
    const secrets = secretsOf(janus, browser);

    const response = await callApi(janus, "/api/me/export", { browser });

    const text = await response.text();
    expect(response.headers.get("content-disposition")).toBe('attachment; filename="janus-export.json"');
    expect(JSON.parse(text)).toMatchObject({
      discord_account: { id: user },
      discord_grant: { access_token: "present", refresh_token: "present", ending: null },
      link: { pushed_metadata: { dsek_member: "1" } },
      organisation_account: { issuer: janus.provider.issuer, claims: expect.any(Object) },
      organisation_grant: { access_token: "present" },
      sessions: [{ access_token: "present" }],
      audit_trail: expect.arrayContaining([expect.objectContaining({ action: "linked" })]),
    });
    const rows = [
      ...(await rowsOf("discord_token")),
      ...(await rowsOf("organisation_token")),
      ...(await rowsOf("session")),
    ];
    const sealed = rows.flatMap((row) =>
      [row.accessTokenSealed, row.refreshTokenSealed].filter((value) => typeof value === "string"),
    );
    const tokens = janus.discord.tokens(user).map(({ token }) => token);
    for (const secret of [secrets.sessionId, secrets.sessionKey, ...sealed, ...tokens])
      expect(text).not.toContain(String(secret));
    expect(await trail()).toContain("data_exported");
  });

  test("names nobody else", async () => {
    const [user, other] = [newUser(), newUser()];
    const browser = await link(user);
    await link(other);

    expect(await (await callApi(janus, "/api/me/export", { browser })).text()).not.toContain(other);
  });
});

describe("GET /linked-role/another", () => {
  test("has both sides ask for the account: consent at Discord, a fresh sign-in at the provider", async () => {
    const browser = createBrowser(janus.url);
    const toDiscord = new URL(locationOf(await browser.get("/linked-role/another")));
    const callback = locationOf(await visit(toDiscord, createJar(), { user_id: newUser() }));

    const toProvider = new URL(locationOf(await browser.get(callback)));

    expect(toDiscord.searchParams.get("prompt")).toBe("consent");
    expect(toProvider.searchParams.getAll("prompt")).toEqual(["login"]);
  });
});

test("HEAD of the export is refused: it would be written down as one, and show nothing", async () => {
  const browser = await link(newUser());

  const response = await callApi(janus, "/api/me/export", { browser, method: "HEAD" });

  expect(response.status).toBe(405);
  expect(await trail()).not.toContain("data_exported");
});

describe("GET /account", () => {
  test("without a session says where to sign in, and forgets cookies that prove none", async () => {
    const response = await createBrowser(janus.url).get("/account");

    expect(response.status).toBe(401);
    expect(await response.text()).toContain('href="/login"');
  });

  test("while Discord is silent shows what is stored", async () => {
    const user = newUser();
    const browser = await link(user);
    janus.discord.failNext("get_current_authorization", { status: 503 }, 3);

    const response = await browser.get("/account");

    expect(response.status).toBe(200);
    expect(await response.text()).toContain(`user_${user}`);
  });

  test("that Discord says no to shows what is stored, too", async () => {
    const browser = await link(newUser());
    janus.discord.failNext("get_current_authorization", refusal(403, "Missing Access", 50_001));

    expect((await browser.get("/account")).status).toBe(200);
  });

  test("lets pictures come from Discord's CDN and from nowhere else", async () => {
    const response = await (await link(newUser())).get("/account");

    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toContain(`img-src data: ${janus.discord.cdnUrl};`);
    expect(policy).toContain("default-src 'none'");
  });

  test("a sync that comes too soon, or that Discord does not take, is told on the page", async () => {
    const browser = await link(newUser());
    const answers: string[] = [];
    // A browser that posts a form wants a page.
    const post = () =>
      callApi(janus, "/api/link/sync", { browser, method: "POST", headers: { accept: "text/html" } }).then(
        locationOf,
      );

    answers.push(await post(), await post());
    janus.clock.advance(61);
    janus.discord.failNext("put_role_connection", { status: 503 }, 3);
    answers.push(await post());

    expect(answers).toEqual([
      "/account?notice=synced",
      "/account?notice=sync_too_soon",
      "/account?notice=sync_failed",
    ]);
  });
});
