/** Members sync, undo and export their own link, or use another account. Nobody else can do it for them. */
import { describe, expect, test } from "bun:test";
import { LEASE_SECONDS } from "../../lib/grants/refresh_lease.ts";
import { TEXTS } from "../../lib/pages/texts/languages.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { PUSH_LEASE_SECONDS } from "../../lib/sync/push.ts";
import { WITHOUT_STRAYS } from "../harness/database.ts";
import { useDatabase, useJanusForEach } from "../harness/hooks.ts";
import { linksOf } from "../harness/html.ts";
import type { Browser } from "../harness/janus.ts";
import { createBrowser, lastCode, locationOf, startJanusWithForger } from "../harness/janus.ts";
import { rowsOf, setTime, trailOf } from "../harness/rows.ts";
import { countOf, linesOf, operationsOf } from "../harness/seen.ts";
import { callApi, secretsOf, signIn } from "../harness/sign_in.ts";
import { linkMember, newUser, reachForgerCallback } from "../harness/walk.ts";
import { refusal } from "../standins/discord_faults.ts";
import { createJar, visit } from "../standins/member.ts";

const database = useDatabase();
const janus = useJanusForEach(() => startJanusWithForger({ database, forger: { freshSubjects: true } }));

const link = (user: string) => linkMember(janus, user);

const pushes = () => countOf(janus, "put_role_connection");
const sync = (browser: Browser) => callApi(janus, "/api/link/sync", { browser, method: "POST" });
const unlink = (browser: Browser) => callApi(janus, "/api/link", { browser, method: "DELETE" });

describe("POST /api/link/sync", () => {
  test("pushes at once and answers when Discord has taken the push", async () => {
    const browser = await link(newUser());
    const before = pushes();
    const [earlier] = await rowsOf(janus, "link");
    janus.clock.advance(5);

    const response = await sync(browser);

    expect(await response.json()).toEqual({ ok: true, result: "up_to_date" });
    expect(pushes()).toBe(before + 1);
    const [later] = await rowsOf(janus, "link");
    expect(Number(later?.pushedAt)).toBeGreaterThan(Number(earlier?.pushedAt));
    expect(later).toMatchObject({ pushDueAt: null, pushFailures: 0 });
  });

  test("answers 429 within a minute, without asking Discord", async () => {
    const browser = await link(newUser());
    await sync(browser);
    const before = pushes();
    janus.clock.advance(20);

    const soon = await sync(browser);
    const between = pushes();
    janus.clock.advance(41);
    const later = await sync(browser);

    expect(soon.status).toBe(429);
    expect(Number(soon.headers.get("retry-after"))).toBeWithin(38, 42);
    expect(await soon.json()).toMatchObject({ code: "sync_too_soon" });
    expect(between).toBe(before);
    expect(later.status).toBe(200);
  });

  test("pushes once for ten requests at once", async () => {
    const browser = await link(newUser());
    const before = pushes();

    const answers = await Promise.all(Array.from({ length: 10 }, () => sync(browser)));

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(9);
    expect(pushes()).toBe(before + 1);
  });

  test("answers 503 while Discord is down, and upkeep pushes later", async () => {
    const browser = await link(newUser());
    janus.discord.failNext("put_role_connection", { status: 503 }, 3);

    const response = await sync(browser);

    expect(response.status).toBe(503);
    expect(await rowsOf(janus, "link")).toMatchObject([{ pushFailures: 1, pushDueAt: expect.any(Date) }]);
    janus.clock.advance(61);
    await runUpkeep(janus.deps);
    expect(await rowsOf(janus, "link")).toMatchObject([{ pushFailures: 0, pushDueAt: null }]);
  });

  test("pushes nothing without link or session, or from elsewhere", async () => {
    const browser = await signIn(janus, newUser());
    const linked = await link(newUser());
    const before = pushes();

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
    expect(pushes()).toBe(before);
  });
});

describe("DELETE /api/link", () => {
  test("clears the role connection, ends both grants, deletes the rows", async () => {
    const user = newUser();
    const browser = await link(user);
    const second = await signIn(janus, user);
    const { sessionId, sessionKey } = secretsOf(janus, browser);
    const before = janus.discord.calls.length;
    // The audit trail names no member for the provider's grant.
    const providerEnds = async () =>
      (await rowsOf(janus, "audit_event")).filter(({ action }) => action === "provider_grant_ended").length;
    const endsBefore = await providerEnds();

    const response = await unlink(browser);

    expect(await response.json()).toEqual({ ok: true, finished: true });
    expect(response.headers.getSetCookie().join()).toMatch(/sessionId=;.*sessionKey=;/);
    expect(operationsOf(janus, before)).toEqual(["delete_role_connection", "revoke"]);
    expect(janus.provider.calls.filter((operation) => operation === "revoke")).toHaveLength(1);
    expect(janus.discord.roleConnection(user)).toBeUndefined();
    expect(janus.discord.grants(user)).toBe(0);
    for (const table of WITHOUT_STRAYS.filter((name) => name !== "audit_event"))
      expect([table, await rowsOf(janus, table)]).toEqual([table, []]);
    expect((await callApi(janus, "/api/userinfo", { browser: second })).status).toBe(401);
    const dump = await janus.database.dump();
    for (const secret of [sessionId, sessionKey]) expect(dump).not.toContain(secret);
    expect(await trailOf(janus, user)).toEqual(expect.arrayContaining(["unlinked", "grant_ended"]));
    expect(await providerEnds()).toBe(endsBefore + 1);
  });

  test("deletes the rows at once, and the grant when Discord is back", async () => {
    const user = newUser();
    const browser = await link(user);
    janus.discord.failNext("delete_role_connection", { status: 503 }, 3);

    const response = await unlink(browser);
    const [token] = await rowsOf(janus, "discord_token");
    const during = [
      await rowsOf(janus, "link"),
      await rowsOf(janus, "session"),
      await rowsOf(janus, "organisation_account"),
    ];
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
    expect(await rowsOf(janus, "discord_token")).toEqual([]);
  });

  test("deletes claims at once, the provider's grant when it is back", async () => {
    const browser = await link(newUser());
    const [tokens] = await rowsOf(janus, "organisation_token");
    janus.provider.failNext("revoke", { status: 503 });

    const response = await unlink(browser);
    const during = await rowsOf(janus, "organisation_token");
    const claims = (await rowsOf(janus, "organisation_account")).map((account) => account.claims);
    janus.clock.advance(901);
    await runUpkeep(janus.deps);

    expect(await response.json()).toEqual({ ok: true, finished: false });
    expect(during).toMatchObject([
      { accessTokenSealed: tokens?.accessTokenSealed, endDueAt: expect.any(Date) },
    ]);
    expect(claims).toEqual([{}]);
    expect(janus.provider.calls.filter((operation) => operation === "revoke")).toHaveLength(2);
    expect(await rowsOf(janus, "organisation_token")).toEqual([]);
    expect(await rowsOf(janus, "organisation_account")).toEqual([]);
  });

  test("is finished by upkeep if its process died on the way", async () => {
    const user = newUser();
    await link(user);
    const now = janus.clock.now();
    const leasedUntil = new Date(now.getTime() + LEASE_SECONDS * 1_000);
    await janus.deps.queries.unlink({
      discordUserId: user,
      requestId: "request",
      now,
      leasedUntil,
      onlyBanned: false,
      operator: null,
      detail: null,
    });

    await runUpkeep(janus.deps);
    const during = janus.discord.grants(user);
    janus.clock.advance(LEASE_SECONDS + 1);
    await runUpkeep(janus.deps);

    expect(during).toBe(2);
    expect(janus.discord.grants(user)).toBe(0);
    expect(await rowsOf(janus, "organisation_token")).toEqual([]);
  });

  test("spares the new grant of a member who links meanwhile", async () => {
    const own = await startJanusWithForger();
    const [first, second] = [newUser(), newUser()];
    const browser = await linkMember(own, first);
    own.provider.failNext("revoke", { status: 503 });
    await callApi(own, "/api/link", { browser, method: "DELETE" });

    const again = createBrowser(own.url);
    const linked = await again.get(await reachForgerCallback(again, second));
    own.clock.advance(901);
    await runUpkeep(own.deps);

    expect(linked.status).toBe(200);
    expect(await rowsOf(own, "organisation_token")).toMatchObject([{ endDueAt: null }]);
    await own.stop();
  });

  test("leaves other members alone", async () => {
    const [browser, other] = [await link(newUser()), await link(newUser())];

    await unlink(browser);

    expect(await rowsOf(janus, "link")).toHaveLength(1);
    expect((await callApi(janus, "/api/userinfo", { browser: other })).status).toBe(200);
  });

  test("changes nothing without a link, a session or an Origin", async () => {
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
    linesOf(janus, "flow_step").filter(({ requestId }) => requestId === response.headers.get("x-request-id"));

  test("is written once, whether it succeeds or fails", async () => {
    const [signedIn, linked] = [await signIn(janus, newUser()), await link(newUser())];

    const [refused, done] = [await unlink(signedIn), await unlink(linked)];

    expect([refused.status, done.status]).toEqual([404, 200]);
    expect(stepsOf(refused)).toMatchObject([{ step: "unlink", outcome: "failed", code: "not_linked" }]);
    expect(stepsOf(done)).toMatchObject([{ step: "unlink", outcome: "unlinked" }]);
    expect(stepsOf(done)[0]).not.toContainKey("code");
  });
});

describe("an unlink", () => {
  test("also ends the tokens of a refresh that was under way", async () => {
    const user = newUser();
    const browser = await link(user);
    await setTime(janus, "discord_token", "expires_at", -1);
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
    expect(await rowsOf(janus, "discord_token")).toEqual([]);
  });

  test("also clears the role connection of a push that was under way", async () => {
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

  test("makes a link flow that was under way fail with 403", async () => {
    const user = newUser();
    const browser = await link(user);
    const other = createBrowser(janus.url);
    const callback = await reachForgerCallback(other, user);

    await unlink(browser);

    expect((await other.get(callback)).status).toBe(403);
    expect(await rowsOf(janus, "link")).toEqual([]);
  });

  test("works, as do page and export, with an expired token and Discord down", async () => {
    const own = await startJanusWithForger();
    const user = newUser();
    await linkMember(own, user);
    const browser = await signIn(own, user);
    await setTime(own, "session", "token_expires_at", -1);
    for (const operation of ["token_refresh", "get_current_authorization", "delete_role_connection"] as const)
      own.discord.failNext(operation, { status: 503 }, 20);

    const answers = [
      await callApi(own, "/account", { browser, headers: { accept: "text/html" } }),
      await callApi(own, "/api/sessions", { browser }),
      await callApi(own, "/api/me/export", { browser }),
      await callApi(own, "/api/link", { browser, method: "DELETE" }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await rowsOf(own, "link")).toEqual([]);
    await own.stop();
  });

  test("revokes the grant if Discord will not clear the role, and logs it", async () => {
    const user = newUser();
    const browser = await link(user);
    janus.discord.failNext("delete_role_connection", refusal(403, "Missing Access", 50_001));

    const response = await unlink(browser);

    expect(await response.json()).toEqual({ ok: true, finished: true });
    expect(janus.discord.grants(user)).toBe(0);
    expect(janus.logLines.join("")).toContain('"event":"role_connection_not_cleared"');
  });

  test("revokes the provider's grant by its refresh token", async () => {
    const sent: URLSearchParams[] = [];
    const own = await startJanusWithForger({
      fetch: (url, init) => {
        if (url.endsWith("/revoke") && !url.includes("oauth2"))
          sent.push(new URLSearchParams(String(init.body)));
        return fetch(url, init);
      },
    });
    const browser = await linkMember(own, newUser());

    await callApi(own, "/api/link", { browser, method: "DELETE" });

    expect(sent.map((form) => form.get("token_type_hint"))).toEqual(["refresh_token"]);
    expect(own.provider.isLive(sent[0]?.get("token") ?? "")).toBe(false);
    await own.stop();
  });
});

describe("the forms of the account page", () => {
  test("undo a link by POST /account/unlink, not by GET", async () => {
    const user = newUser();
    const browser = await link(user);
    const before = await janus.database.dump();

    const question = await browser.get("/account/unlink");
    const unchanged = (await janus.database.dump()) === before;
    const answer = await browser.postOnce("/account/unlink", {});

    expect([question.status, unchanged, answer.status]).toEqual([200, true, 303]);
    expect(answer.headers.getSetCookie().join()).toMatch(/sessionId=;.*sessionKey=;/);
    expect(await rowsOf(janus, "link")).toEqual([]);
    expect((await browser.get("/account")).status).toBe(401);
  });

  test.each(["/account/unlink", "/account/sessions", "/api/link/sync", "/api/auth/logout"])(
    "are refused from elsewhere: POST %s",
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
  test("gives all that is stored, without secrets, and is audited", async () => {
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
      ...(await rowsOf(janus, "discord_token")),
      ...(await rowsOf(janus, "organisation_token")),
      ...(await rowsOf(janus, "session")),
    ];
    const sealed = rows.flatMap((row) =>
      [row.accessTokenSealed, row.refreshTokenSealed].filter((value) => typeof value === "string"),
    );
    const tokens = janus.discord.tokens(user).map(({ token }) => token);
    for (const secret of [secrets.sessionId, secrets.sessionKey, ...sealed, ...tokens])
      expect(text).not.toContain(String(secret));
    expect(await trailOf(janus, user)).toContain("data_exported");
  });

  test.each([
    ["en", "contains everything that Janus has saved about you", "All times are in UTC."],
    ["sv", "innehåller allt som Janus har sparat om dig", "Alla tider är i UTC."],
    ["de", "enthält alles, was Janus über dich gespeichert hat", "Alle Zeiten sind in UTC."],
  ])("explains itself first, in %s, and is indented", async (language, what, times) => {
    const browser = await link(newUser());

    const response = await callApi(janus, "/api/me/export", {
      browser,
      headers: { "accept-language": language },
    });

    const text = await response.text();
    const stored = JSON.parse(text) as { readonly about: readonly string[] };
    expect(text).toBe(`${JSON.stringify(stored, null, 2)}\n`);
    expect(Object.keys(stored)[0]).toBe("about");
    expect(stored.about.join(" ")).toContain(what);
    expect(stored.about.join(" ")).toContain("D-sektionen");
    expect(stored.about.join(" ")).toContain('"present"');
    expect(stored.about.at(-1)).toBe(times);
    expect(response.headers.get("content-language")).toBe(language);
    expect(response.headers.get("vary")).toBe("accept-language");
  });

  test("names no other member", async () => {
    const [user, other] = [newUser(), newUser()];
    const browser = await link(user);
    await link(other);

    expect(await (await callApi(janus, "/api/me/export", { browser })).text()).not.toContain(other);
  });
});

describe("GET /linked-role/another", () => {
  test("asks Discord for consent and the provider for a login", async () => {
    const browser = createBrowser(janus.url);
    const toDiscord = new URL(locationOf(await browser.get("/linked-role/another")));
    const callback = locationOf(await visit(toDiscord, createJar(), { user_id: newUser() }));

    const toProvider = new URL(locationOf(await browser.get(callback)));

    expect(toDiscord.searchParams.get("prompt")).toBe("consent");
    expect(toProvider.searchParams.getAll("prompt")).toEqual(["login"]);
  });
});

test("HEAD /api/me/export is answered 405 and leaves no audit event", async () => {
  const user = newUser();
  const browser = await link(user);

  const response = await callApi(janus, "/api/me/export", { browser, method: "HEAD" });

  expect(response.status).toBe(405);
  expect(await trailOf(janus, user)).not.toContain("data_exported");
});

describe("GET /account", () => {
  test("answers 401 without a session and links to the sign-in", async () => {
    const response = await createBrowser(janus.url).get("/account");

    expect(response.status).toBe(401);
    expect(await response.text()).toContain('href="/login"');
  });

  test("shows stored data while Discord is down", async () => {
    const user = newUser();
    const browser = await link(user);
    janus.discord.failNext("get_current_authorization", { status: 503 }, 3);

    const response = await browser.get("/account");

    expect(response.status).toBe(200);
    expect(await response.text()).toContain(`user_${user}`);
  });

  test("answers 200 when Discord answers 403", async () => {
    const browser = await link(newUser());
    janus.discord.failNext("get_current_authorization", refusal(403, "Missing Access", 50_001));

    expect((await browser.get("/account")).status).toBe(200);
  });

  test("leads to Discord's website and its app, unless Discord is a stand-in", async () => {
    const environment = { DISCORD_AUTHORIZE_URL: "https://discord.com/oauth2/authorize" };
    const own = await startJanusWithForger({ forger: { freshSubjects: true }, environment });
    const browser = createBrowser(own.url);
    /** From Discord's own address to the stand-in, which answers in its place. */
    const approve = async (address: string) => {
      const atStandin = new URL(new URL(address).search, own.discord.authorizeUrl);
      return locationOf(await visit(atStandin, createJar(), { user_id: newUser() }));
    };

    const atProvider = locationOf(
      await browser.get(await approve(locationOf(await browser.get("/linked-role")))),
    );
    const linked = await browser.get(locationOf(await visit(atProvider, createJar())));
    const account = await browser.get("/account");
    const ofStandin = await (await link(newUser())).get("/account");

    for (const page of [linked, account])
      expect((await linksOf(await page.text())).slice(0, 2)).toEqual([
        "https://discord.com/channels/@me",
        "discord://-/channels/@me",
      ]);
    expect((await linksOf(await ofStandin.text()))[0]).toBe(`${janus.discord.url}/channels/@me`);
    expect(account.headers.get("content-security-policy")).not.toContain("discord:");
    await own.stop();
  });

  test("allows pictures only from Discord's CDN and data URLs", async () => {
    const response = await (await link(newUser())).get("/account");

    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toContain(`img-src data: ${janus.discord.cdnUrl};`);
    expect(policy).toContain("default-src 'none'");
  });

  test("is where POST /api/link/sync sends a browser, with a notice", async () => {
    const browser = await link(newUser());
    const { notices } = TEXTS.en;
    const noticeAfterSync = async () => {
      // A browser that posts a form wants a page.
      const headers = { accept: "text/html" };
      const answer = await callApi(janus, "/api/link/sync", { browser, method: "POST", headers });
      browser.jar.keep(new URL(janus.url), answer);
      expect([answer.status, locationOf(answer)]).toEqual([303, "/account"]);
      const page = await (await browser.get("/account")).text();
      return Object.values(notices).filter((notice) => page.includes(notice));
    };

    const said = [await noticeAfterSync(), await noticeAfterSync()];
    janus.clock.advance(61);
    janus.discord.failNext("put_role_connection", { status: 503 }, 3);
    said.push(await noticeAfterSync());

    expect(said).toEqual([[notices.synced], [notices.sync_too_soon], [notices.sync_failed]]);
  });
});
