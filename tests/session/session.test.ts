/** Login sessions, whose key is only in the cookie: how they begin, are proved, refresh their tokens, and end. */
import { describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp } from "../../index.ts";
import { createSealer, encodeBase64url, sha256Hex } from "../../lib/crypto.ts";
import { asJanusError } from "../../lib/errors.ts";
import { listen } from "../../lib/server/listener.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { openSession } from "../../lib/session/guard.ts";
import { findMember } from "../../lib/session/refresh.ts";
import {
  createSessionSecrets,
  openSessionToken,
  sealSessionToken,
  withHash,
} from "../../lib/session/secrets.ts";
import { createShared } from "../../lib/wiring.ts";
import { serve } from "../fixtures/command.ts";
import { onPostgres } from "../harness/database.ts";
import { useJanus } from "../harness/hooks.ts";
import type { Browser } from "../harness/janus.ts";
import {
  createBrowser,
  environmentFor,
  lastCode,
  locationOf,
  startJanusWithForger,
  UNHEARD,
  USERS,
} from "../harness/janus.ts";
import { discordTokenOf, rowsOf, rowsOfMember, sessionsOf, setTime } from "../harness/rows.ts";
import { countOf, operationsOf } from "../harness/seen.ts";
import { callApi, cookieOf, reachLoginCallback, secretsOf, signIn } from "../harness/sign_in.ts";
import {
  linkMember,
  moveStateIn,
  newUser,
  reachDiscordCallback,
  reachForgerCallback,
  walkDiscordLeg,
} from "../harness/walk.ts";
import { refusal } from "../standins/discord_faults.ts";

const DAY_SECONDS = 86_400;
const WEEK_SECONDS = 7 * DAY_SECONDS;

const janus = useJanus(() => startJanusWithForger({ forger: { freshSubjects: true } }));

const refreshesOf = (user: string) => countOf(janus, "token_refresh", user);
const userinfo = (browser: ReturnType<typeof createBrowser>) => callApi(janus, "/api/userinfo", { browser });

/** An answer without its request id and its date, which are new each time. */
async function plain(response: Response) {
  const { "x-request-id": _, date: __, ...headers } = Object.fromEntries(response.headers);
  return {
    status: response.status,
    headers,
    cookies: response.headers.getSetCookie(),
    body: await response.text(),
  };
}

describe("GET /login", () => {
  test("redirects to Discord for identify, with PKCE S256 and a state", async () => {
    const response = await createBrowser(janus.url).get("/login");

    const { searchParams } = new URL(locationOf(response));
    expect(searchParams.get("scope")).toBe("identify");
    expect(searchParams.get("code_challenge_method")).toBe("S256");
    expect(searchParams.get("code_challenge")).toMatch(/^[\w-]{43}$/);
    expect(searchParams.get("state")).toMatch(/^[\w-]{43}$/);
    expect(searchParams.get("redirect_uri")).toBe(`${janus.url}/login`);
    expect(response.headers.getSetCookie()).toHaveLength(1);
  });

  test("redirects a callback to /account with two cookies closed to scripts", async () => {
    const browser = createBrowser(janus.url);

    const response = await browser.get(await reachLoginCallback(browser, newUser()));

    expect(locationOf(response)).toBe("/account");
    const lines = response.headers.getSetCookie().filter((line) => line.startsWith("session"));
    expect(lines.map((line) => line.split("=")[0])).toEqual(["sessionId", "sessionKey"]);
    for (const line of lines) {
      const maxAge = /^session(?:Id|Key)=[\w-]{43}; Max-Age=(\d+); /.exec(line)?.[1];
      expect(Number(maxAge)).toBeWithin(30 * DAY_SECONDS - 60, 30 * DAY_SECONDS + 1);
      expect(line.split("; ").slice(1).sort()).toEqual(
        [`Max-Age=${maxAge}`, "Path=/", "HttpOnly", "SameSite=Lax"].sort(),
      );
    }
  });

  test("answers a callback with JSON and both cookies if JSON is accepted", async () => {
    const browser = createBrowser(janus.url);
    const callback = await reachLoginCallback(browser, newUser());
    const cookie = browser.jar.header(new URL(janus.url));

    const response = await fetch(callback, {
      headers: { accept: "application/json", cookie },
      redirect: "manual",
    });

    expect(await response.json()).toEqual({ ok: true });
    expect(response.headers.getSetCookie().filter((line) => /^session(Id|Key)=./.test(line))).toHaveLength(2);
  });

  test("redirects to /account in spite of another destination in the query", async () => {
    const browser = createBrowser(janus.url);
    const callback = new URL(await reachLoginCallback(browser, newUser()));
    callback.searchParams.set("redirect_to", "https://elsewhere.example.org/");
    callback.searchParams.set("next", "//elsewhere.example.org");

    expect(locationOf(await browser.get(callback.href))).toBe("/account");
  });

  test("signs nobody in and stores nothing when the member cancels at Discord", async () => {
    const browser = createBrowser(janus.url);
    const state = new URL(locationOf(await browser.get("/login"))).searchParams.get("state");
    const before = await janus.database.dump();

    const response = await browser.get(`/login?error=access_denied&state=${state}`);

    expect(response.status).toBe(200);
    expect(response.headers.getSetCookie().join()).not.toContain("sessionId");
    expect(await janus.database.dump()).toBe(before);
  });

  test.each([
    ["without a state", "code=abc", "callback_malformed", 400],
    ["with a state alone", `state=${"s".repeat(43)}`, "callback_malformed", 400],
    ["with a foreign state", `code=abc&state=${"s".repeat(43)}`, "state_mismatch", 403],
    ["with two codes", `code=a&code=b&state=${"s".repeat(43)}`, "callback_malformed", 400],
    ["with a code of 10,000 characters", `code=${"a".repeat(10_000)}&state=s`, "callback_malformed", 400],
  ])("refuses a callback %s, storing nothing", async (_, query, code, status) => {
    const before = await janus.database.dump();

    const response = await createBrowser(janus.url).get(`/login?${query}`);

    expect(response.status).toBe(status);
    expect(lastCode(janus)).toBe(code);
    expect(await janus.database.dump()).toBe(before);
  });

  test("accepts a callback once, in its browser, and none of a link flow", async () => {
    const [browser, other] = [createBrowser(janus.url), createBrowser(janus.url)];
    const callback = await reachLoginCallback(browser, newUser());
    const linkCallback = new URL(await reachDiscordCallback(other, newUser()));

    const foreign = await other.get(callback);
    const first = await browser.get(callback);
    const replayed = await browser.get(callback);
    const crossed = await other.get(`/login${linkCallback.search}`);

    expect([foreign.status, first.status, replayed.status, crossed.status]).toEqual([403, 302, 403, 403]);
  });

  test("answers HEAD with 405 and does not spend the code", async () => {
    const browser = createBrowser(janus.url);
    const callback = await reachLoginCallback(browser, newUser());
    const cookie = browser.jar.header(new URL(janus.url));

    const head = await fetch(callback, { method: "HEAD", headers: { cookie }, redirect: "manual" });

    expect(head.status).toBe(405);
    expect(locationOf(await browser.get(callback))).toBe("/account");
  });

  test("signs nobody in and stores nothing when Discord refuses the code", async () => {
    const browser = createBrowser(janus.url);
    const callback = new URL(await reachLoginCallback(browser, newUser()));
    callback.searchParams.set("code", "another");
    const before = await janus.database.dump();

    const response = await browser.get(callback.href);

    expect(response.status).toBe(400);
    expect(lastCode(janus)).toBe("code_rejected");
    expect(await janus.database.dump()).toBe(before);
  });

  test("replaces the session that the browser had before", async () => {
    const user = newUser();
    const browser = await signIn(janus, user);
    const before = secretsOf(janus, browser);

    await browser.get(await reachLoginCallback(browser, user));

    expect(await sessionsOf(janus, user)).toHaveLength(1);
    expect((await callApi(janus, "/api/sessions", { cookie: cookieOf(before) })).status).toBe(401);
    expect((await callApi(janus, "/api/sessions", { browser })).status).toBe(200);
  });
});

describe("a session's row", () => {
  test("holds the id's hash and tokens that no key of the operator opens", async () => {
    const user = newUser();
    const browser = await signIn(janus, user);
    const { sessionId, sessionKey } = secretsOf(janus, browser);
    const [row] = await sessionsOf(janus, user);
    const dump = await janus.database.dump();

    expect(row?.sessionIdHash).toBe(sha256Hex(sessionId));
    for (const secret of [sessionId, sessionKey, ...janus.discord.tokens(user).map(({ token }) => token)])
      expect(dump).not.toContain(secret);
    const sealed = [String(row?.accessTokenSealed), String(row?.refreshTokenSealed)];
    const [access] = janus.discord.tokens(user).filter(({ kind }) => kind === "access");
    expect(openSessionToken(withHash(sessionId, sessionKey), "access_token", sealed[0])).toBe(
      access?.token ?? "none",
    );

    // All that the operator or a thief of the database has: the keys, the cookie secrets, every stored value.
    const stored = [...dump.matchAll(/[\w-]{43,}/g)].map(([text]) =>
      Buffer.from(text, "base64url").subarray(0, 32),
    );
    const keys = [
      ...janus.config.tokenKeys.map(({ key }) => key),
      ...janus.config.cookieSecrets,
      ...stored.filter(({ length }) => length === 32),
      Buffer.from(String(row?.sessionIdHash), "hex"),
    ];
    expect(keys.length).toBeGreaterThan(5);
    expect(keys.flatMap((key) => sealed.map((value) => openWith(key, value, sessionId)))).toEqual(
      keys.flatMap(() => sealed.map(() => [])),
    );
  });

  /** Tries a key on a sealed value for every purpose and column, and gives all that opened. */
  function openWith(key: Uint8Array, sealed: string, sessionId: string): readonly string[] {
    const columns = ["access_token", "refresh_token"] as const;
    const context = (column: string) => `session.${column}:${sha256Hex(sessionId)}`;
    const sealers = ["session tokens", "link tokens", "flow cookies"].map((purpose) =>
      createSealer([{ id: "s", key }], purpose),
    );
    return columns
      .flatMap((column) => [
        ...sealers.map((sealer) => sealer.open(sealed, context(column))),
        openSessionToken(withHash(sessionId, encodeBase64url(key)), column, sealed),
      ])
      .filter((opened) => opened !== undefined);
  }

  test("does not open after its tokens changed columns or rows", async () => {
    const [user, other] = [newUser(), newUser()];
    const [browser, otherBrowser] = [await signIn(janus, user), await signIn(janus, other)];
    const [mine, theirs] = [(await sessionsOf(janus, user))[0], (await sessionsOf(janus, other))[0]];
    const set = (column: string, value: unknown, of: string) =>
      janus.database.rows(`update session set ${column} = '${value}' where discord_user_id = '${of}'`);

    await set("access_token_sealed", mine?.refreshTokenSealed, user);
    const swappedColumn = await userinfo(browser);
    await set("access_token_sealed", theirs?.accessTokenSealed, user);
    const swappedRow = await userinfo(browser);
    await set("access_token_sealed", mine?.accessTokenSealed, other);
    const swappedMember = await userinfo(otherBrowser);
    await set("access_token_sealed", mine?.accessTokenSealed, user);
    const restored = await userinfo(browser);

    expect([swappedColumn, swappedRow, swappedMember].map(({ status }) => status)).toEqual([401, 401, 401]);
    expect(restored.status).toBe(200);
  });

  test("does not open under another session's id, even with the same key", () => {
    const [one, other] = [createSessionSecrets(), createSessionSecrets()];
    const sealed = sealSessionToken(one, "access_token", "a token");

    expect(
      openSessionToken(withHash(other.sessionId, one.sessionKey), "access_token", sealed),
    ).toBeUndefined();
  });

  test("does not open with any one bit of a token flipped", () => {
    const secrets = createSessionSecrets();
    const sealed = sealSessionToken(secrets, "access_token", "a token of Discord's");
    const bytes = Buffer.from(sealed.slice(2), "base64url");

    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(openSessionToken(secrets, "access_token", `s.${flipped.toString("base64url")}`)).toBeUndefined();
    }
    expect(openSessionToken(secrets, "access_token", sealed)).toBe("a token of Discord's");
  });
});

describe("the session guard", () => {
  test("refuses unknown, foreign and malformed ones with equal bytes", async () => {
    const [one, other] = [await signIn(janus, newUser()), await signIn(janus, newUser())];
    const [mine, theirs] = [secretsOf(janus, one), secretsOf(janus, other)];
    const unknown = createSessionSecrets();
    const cookies = [
      cookieOf({ ...mine, sessionKey: theirs.sessionKey }),
      cookieOf({ ...mine, sessionId: unknown.sessionId }),
      cookieOf(unknown),
      `sessionId=${mine.sessionId}`,
      `sessionKey=${mine.sessionKey}`,
      cookieOf({ sessionId: "short", sessionKey: "x".repeat(5_000) }),
      "sessionId={}; sessionKey=[]",
    ];

    const answers = [];
    for (const cookie of cookies)
      answers.push(await plain(await callApi(janus, "/api/userinfo", { cookie })));

    const [first] = answers;
    expect(first?.status).toBe(401);
    expect(first?.headers["content-type"]).toBe("application/problem+json");
    expect(JSON.parse(first?.body ?? "")).toMatchObject({ status: 401, code: "unauthenticated" });
    expect(first?.cookies.map((line) => /^(\w+)=;.*Max-Age=0/.exec(line)?.[1])).toEqual([
      "sessionId",
      "sessionKey",
    ]);
    for (const answer of answers) expect(answer).toEqual(first ?? answer);
    expect((await userinfo(one)).status).toBe(200);
  });

  test("takes as long to refuse a wrong key as an unknown id", async () => {
    const mine = secretsOf(janus, await signIn(janus, newUser()));
    const wrongKey = withHash(mine.sessionId, createSessionSecrets().sessionKey);
    const wrongId = createSessionSecrets();
    const refuse = async (secrets: typeof mine): Promise<number> => {
      const from = performance.now();
      const error = await openSession(janus.deps, [secrets]).catch(asJanusError);
      expect(error).toMatchObject({ code: "unauthenticated" });
      return performance.now() - from;
    };
    const median = (times: number[]) => times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0;
    const [keys, ids]: [number[], number[]] = [[], []];

    for (let round = 0; round < 600; round++) {
      keys.push(await refuse(wrongKey));
      ids.push(await refuse(wrongId));
    }

    // The rest is noise: half the cost of a decryption would show.
    expect(median(keys.slice(100)) / median(ids.slice(100))).toBeWithin(0.75, 1.33);
  });

  test("stores a use once when two requests find that it is due", async () => {
    const user = newUser();
    const browser = await signIn(janus, user);
    await setTime(janus, "session", "last_used_at", -3_600, user);
    const { sessionIdHash, sessionKeyHash } = secretsOf(janus, browser);
    const now = janus.clock.now();

    await janus.deps.queries.setSessionUsed({
      sessionIdHash,
      sessionKeyHash,
      usedBefore: new Date(now.getTime() - 1_000),
      now,
    });
    const later = new Date(now.getTime() + 500);
    await janus.deps.queries.setSessionUsed({
      sessionIdHash,
      sessionKeyHash,
      usedBefore: new Date(now.getTime() - 1_000),
      now: later,
    });

    expect((await sessionsOf(janus, user))[0]?.lastUsedAt).toEqual(now);
  });

  test("ends a session after 7 days without use, or after 30 days", async () => {
    const own = await startJanusWithForger({
      forger: { freshSubjects: true },
      accessTokenSeconds: 60 * DAY_SECONDS,
    });
    const [idle, busy] = [await signIn(own, newUser()), await signIn(own, newUser())];
    const status = async (browser: typeof idle) => (await callApi(own, "/api/sessions", { browser })).status;

    own.clock.advance(WEEK_SECONDS - 60);
    const before = [await status(busy)];
    own.clock.advance(61);
    const after = [await status(idle), await status(busy)];
    for (let days = 7; days < 29; days += 1) {
      own.clock.advance(DAY_SECONDS);
      expect(await status(busy)).toBe(200);
    }
    own.clock.advance(DAY_SECONDS + 3_600);
    const old = await status(busy);
    await runUpkeep(own.deps);

    expect([before, after, old]).toEqual([[200], [401, 200], 401]);
    expect(await rowsOf(own, "session")).toEqual([]);
    await own.stop();
  });
});

describe("GET /api/userinfo with expiring tokens", () => {
  test("refreshes once for 20 requests", async () => {
    const user = newUser();
    const browser = await signIn(janus, user);
    const [before] = await sessionsOf(janus, user);
    await setTime(janus, "session", "token_expires_at", 60, user);

    const answers = await Promise.all(Array.from({ length: 20 }, () => userinfo(browser)));

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(refreshesOf(user)).toBe(1);
    const [after] = await sessionsOf(janus, user);
    expect(after?.accessTokenSealed).not.toBe(before?.accessTokenSealed);
    expect((await userinfo(browser)).status).toBe(200);
    expect(refreshesOf(user)).toBe(1);
  });

  test("refreshes once for 200 at two processes", async () => {
    const user = newUser();
    const browser = await signIn(janus, user);
    const cookie = browser.jar.header(new URL(janus.url));
    const second = await startSecondProcess();
    await setTime(janus, "session", "token_expires_at", -1, user);
    for (const { token } of janus.discord.tokens(user).filter(({ kind }) => kind === "access"))
      janus.discord.expireAccessToken(token);

    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const base = index % 2 === 0 ? janus.url : second.url;
        const response = await fetch(`${base}/api/userinfo`, { headers: { cookie } });
        return { status: response.status, body: (await response.json()) as { discord?: { id: string } } };
      }),
    );

    await second.stop();
    expect(answers.filter(({ status, body }) => status !== 200 || body.discord?.id !== user)).toEqual([]);
    expect(refreshesOf(user)).toBe(1);
  });

  test("answers 503 if Discord fails to refresh", async () => {
    const user = newUser();
    const browser = await signIn(janus, user);
    await setTime(janus, "session", "token_expires_at", -1, user);
    janus.discord.failNext("token_refresh", { status: 503 });

    const during = await userinfo(browser);
    const after = await userinfo(browser);

    expect([during.status, after.status]).toEqual([503, 200]);
    expect(Number(during.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await during.json()).toMatchObject({ code: "discord_unavailable" });
  });

  test("uses a token still valid if Discord fails", async () => {
    const user = newUser();
    const browser = await signIn(janus, user);
    await setTime(janus, "session", "token_expires_at", 60, user);
    janus.discord.failNext("token_refresh", { status: 503 });

    expect((await userinfo(browser)).status).toBe(200);
  });

  test("takes over from a process that died", async () => {
    const user = newUser();
    const browser = await signIn(janus, user);
    await setTime(janus, "session", "token_expires_at", -1, user);
    await setTime(janus, "session", "leased_until", -1, user);

    expect((await userinfo(browser)).status).toBe(200);
    expect(refreshesOf(user)).toBe(1);
  });

  test("ends the session after a final refusal", async () => {
    const user = newUser();
    const browser = await signIn(janus, user);
    await setTime(janus, "session", "token_expires_at", -1, user);
    janus.discord.endGrant(user);

    const response = await userinfo(browser);

    expect(response.status).toBe(401);
    expect(response.headers.getSetCookie().join()).toMatch(/sessionId=;.*sessionKey=;/);
    expect(await sessionsOf(janus, user)).toEqual([]);
    const requestId = response.headers.get("x-request-id") ?? "none";
    const lines = janus.logLines.filter((line) => line.includes(requestId));
    expect(lines.join("")).toMatch(/"code":"unauthenticated".*"causeCode":"grant_ended"/);
  });

  /** On PostgreSQL a process of its own. The embedded database allows only one, so there a second application. */
  async function startSecondProcess(): Promise<{ readonly url: string; readonly stop: () => unknown }> {
    const { discord, provider, config, database, clock } = janus;
    if (onPostgres) {
      const folder = await mkdtemp(join(tmpdir(), "janus-second-"));
      const environment = {
        ...environmentFor(janus.url, discord, provider.issuer),
        TOKEN_KEYS: config.tokenKeys.map(({ id, key }) => `${id}:${encodeBase64url(key)}`).join(),
        DATABASE_URL: database.config.url ?? "",
        PORT: "0",
      };
      const serving = await serve(folder, environment);
      return { url: serving.address, stop: () => serving.stop().then(() => rm(folder, { recursive: true })) };
    }
    const world = {
      fetch: (url: string, init: RequestInit) => fetch(url, init),
      now: clock.now,
      sleep: (ms: number) => Bun.sleep(ms),
      log: janus.shared.log,
      version: "0.0.0-test",
    };
    const app = createApp(createShared(janus.shared, database.db, world), UNHEARD);
    const listening = listen({ ...config, port: 0 }, app);
    return { url: listening.address, stop: listening.forceClose };
  }
});

describe("GET /api/userinfo", () => {
  test("gives Discord's answer about the member, with link and role", async () => {
    const browser = await linkMember(janus, USERS.anna.id);
    const before = janus.discord.calls.length;

    const response = await userinfo(browser);

    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      discord: {
        id: USERS.anna.id,
        username: USERS.anna.username,
        display_name: USERS.anna.globalName,
        avatar_url: `${janus.discord.cdnUrl}/avatars/${USERS.anna.id}/${USERS.anna.avatar}.png?size=128`,
      },
      link: { pushed_metadata: { dsek_member: "1" }, next_push_at: null, push_failures: 0 },
      role: { status: "discord_told" },
    });
    expect(operationsOf(janus, before)).toEqual(["get_current_authorization"]);
  });

  test("says that a member has no link", async () => {
    const response = await userinfo(await signIn(janus, newUser()));

    expect(await response.json()).toMatchObject({ link: null, role: { status: "not_linked" } });
  });

  test("answers 503 while Discord is down, and keeps the session", async () => {
    const browser = await signIn(janus, newUser());
    janus.discord.failNext("get_current_authorization", { status: 502 }, 3);

    const response = await userinfo(browser);

    expect(response.status).toBe(503);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await userinfo(browser)).status).toBe(200);
  });

  test("answers 401 and ends a session whose grant Discord has ended", async () => {
    const user = newUser();
    const browser = await signIn(janus, user);
    janus.discord.endGrant(user);

    const response = await userinfo(browser);

    expect(response.status).toBe(401);
    expect(response.headers.getSetCookie().join()).toMatch(/sessionId=;.*sessionKey=;/);
    expect(await sessionsOf(janus, user)).toEqual([]);
    const requestId = response.headers.get("x-request-id") ?? "none";
    const lines = janus.logLines.filter((line) => line.includes(requestId));
    expect(lines.join("")).toMatch(/"code":"unauthenticated".*"causeCode":"grant_ended"/);
  });
});

describe("findMember()", () => {
  test("fails with 502 if Discord names another member than the session's", async () => {
    let lie = false;
    const own = await startJanusWithForger({
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        if (!lie || !url.endsWith("/oauth2/@me")) return response;
        return new Response((await response.text()).replace(/"id":"3\d+"/, '"id":"999999999999999999"'));
      },
    });
    const browser = await signIn(own, newUser());
    lie = true;

    const during = await callApi(own, "/api/userinfo", { browser });
    lie = false;
    const after = await callApi(own, "/api/userinfo", { browser });

    expect([during.status, after.status]).toEqual([502, 200]);
    expect(await during.text()).not.toContain("999999999999999999");
    await own.stop();
  });

  test("fails with 502 and keeps the session when Discord answers 403", async () => {
    const browser = await signIn(janus, newUser());
    janus.discord.failNext("get_current_authorization", refusal(403, "Missing Access", 50_001));

    expect((await userinfo(browser)).status).toBe(502);
    expect((await userinfo(browser)).status).toBe(200);
  });

  test("keeps the session if Discord refuses a token replaced meanwhile", async () => {
    const user = newUser();
    const browser = await signIn(janus, user);
    const stale = await openSession(janus.deps, [secretsOf(janus, browser)]);
    await setTime(janus, "session", "token_expires_at", -1, user);
    const [old] = janus.discord.tokens(user).filter(({ kind }) => kind === "access");
    await userinfo(browser);
    janus.discord.expireAccessToken(old?.token ?? "");

    const member = await findMember(janus.request(), stale);

    expect(member.discordUserId).toBe(user);
    expect(await sessionsOf(janus, user)).toHaveLength(1);
  });

  test("waits for another process's refresh and does not repeat it", async () => {
    const user = newUser();
    const browser = await signIn(janus, user);
    await setTime(janus, "session", "token_expires_at", -1, user);
    const other = { ...janus.request(), queries: { ...janus.deps.queries } };
    const session = await openSession(janus.deps, [secretsOf(janus, browser)]);
    const gate = janus.discord.gate("token_refresh", "answer");
    const first = findMember(janus.request(), session);
    await gate.arrived;
    const waits = Promise.withResolvers<void>();
    const sleep = async () => {
      waits.resolve();
      await Bun.sleep(1);
    };

    const second = findMember({ ...other, sleep }, session);
    await waits.promise;
    gate.release();

    expect((await first).discordUserId).toBe(user);
    expect((await second).discordUserId).toBe(user);
    expect(refreshesOf(user)).toBe(1);
  });
});

describe("POST /api/auth/logout", () => {
  const logOut = (browser: ReturnType<typeof createBrowser> | undefined, origin?: string | null) =>
    callApi(janus, "/api/auth/logout", {
      method: "POST",
      ...(browser === undefined ? {} : { browser }),
      ...(origin === undefined ? {} : { origin }),
    });

  test("deletes row and cookies, and leaves the grant at Discord", async () => {
    const user = newUser();
    const browser = await signIn(janus, user);
    const grants = janus.discord.grants(user);

    const response = await logOut(browser);

    expect(await response.json()).toEqual({ ok: true });
    expect(response.headers.getSetCookie().map((line) => /^(\w+)=;/.exec(line)?.[1])).toEqual([
      "sessionId",
      "sessionKey",
    ]);
    for (const line of response.headers.getSetCookie())
      expect(line).toMatch(/Max-Age=0;.*Expires=Thu, 01 Jan 1970/);
    expect(await sessionsOf(janus, user)).toEqual([]);
    expect(janus.discord.grants(user)).toBe(grants);
    expect((await userinfo(browser)).status).toBe(401);
  });

  test("gives the same answer again, and without any session", async () => {
    const browser = await signIn(janus, newUser());

    const answers = [
      await plain(await logOut(browser)),
      await plain(await logOut(browser)),
      await plain(await logOut(undefined)),
    ];

    expect(answers[1]).toEqual(answers[0] ?? answers[1]);
    expect(answers[2]).toEqual(answers[0] ?? answers[2]);
  });

  test("does not end a session whose id comes with another key", async () => {
    const browser = await signIn(janus, newUser());
    const cookie = cookieOf({ ...secretsOf(janus, browser), sessionKey: createSessionSecrets().sessionKey });

    const response = await callApi(janus, "/api/auth/logout", { cookie, method: "POST" });

    expect(await response.json()).toEqual({ ok: true });
    expect((await userinfo(browser)).status).toBe(200);
  });

  test("redirects a browser's form to the start page", async () => {
    const browser = await signIn(janus, newUser());

    const response = await callApi(janus, "/api/auth/logout", {
      browser,
      method: "POST",
      headers: { accept: "text/html" },
    });

    expect(response.status).toBe(303);
    expect(locationOf(response)).toMatch(/^\/result\/[\w-]{16}$/);
  });

  test("is refused as GET with 405 and Allow", async () => {
    const response = await callApi(janus, "/api/auth/logout");

    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("POST");
    expect(await response.json()).toMatchObject({ code: "method_not_allowed" });
  });

  test.each([
    ["no Origin", null],
    ["an Origin of another host", "https://elsewhere.example.org"],
    ["an Origin of another port", "http://127.0.0.1:1"],
    ["an Origin that begins like ours", "ours and more"],
    ["an Origin of another scheme", "https://127.0.0.1"],
    ["an opaque Origin", "null"],
  ])("is refused with %s", async (_, origin) => {
    const browser = await signIn(janus, newUser());

    const response = await logOut(browser, origin === "ours and more" ? `${janus.url}.evil.example` : origin);

    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ code: "origin_refused" });
    expect((await userinfo(browser)).status).toBe(200);
  });
});

describe("/api/sessions", () => {
  type Listed = { readonly sessions: readonly { readonly handle: string; readonly current: boolean }[] };
  const list = async (browser: ReturnType<typeof createBrowser>) =>
    (await (await callApi(janus, "/api/sessions", { browser })).json()) as Listed;
  const end = (browser: ReturnType<typeof createBrowser>, handle: string) =>
    callApi(janus, `/api/sessions/${handle}`, { browser, method: "DELETE" });

  test("lists the member's own sessions, and ends one or all others", async () => {
    const user = newUser();
    const [here, there, elsewhere, stranger] = [
      await signIn(janus, user),
      await signIn(janus, user),
      await signIn(janus, user),
      await signIn(janus, newUser()),
    ];

    const { sessions } = await list(here);
    const [theirs] = (await list(there)).sessions.filter(({ current }) => current);
    const one = await end(here, theirs?.handle ?? "");
    const afterOne = [await userinfo(there), await userinfo(elsewhere)].map(({ status }) => status);
    const all = await end(here, "all");
    const afterAll = [await userinfo(elsewhere), await userinfo(here), await userinfo(stranger)];

    expect(sessions).toHaveLength(3);
    expect(sessions.filter(({ current }) => current)).toHaveLength(1);
    expect(await one.json()).toEqual({ ok: true, ended: 1 });
    expect(afterOne).toEqual([401, 200]);
    expect(await all.json()).toEqual({ ok: true, ended: 1 });
    expect(afterAll.map(({ status }) => status)).toEqual([401, 200, 200]);
  });

  const UNKNOWN = ["nobody-has-it", "AAAAAAAAAAAA", "..%2f", "a".repeat(2_000), "%00"];
  test.each(UNKNOWN.map((handle) => [handle.slice(0, 20), handle] as const))(
    "answers 404 for the unknown session %s",
    async (_, handle) => {
      const browser = await signIn(janus, newUser());
      const before = await rowsOf(janus, "session");

      const response = await end(browser, handle);

      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ code: "session_unknown" });
      expect(await rowsOf(janus, "session")).toHaveLength(before.length);
    },
  );

  test("does not end another member's session by its handle", async () => {
    const [browser, stranger] = [await signIn(janus, newUser()), await signIn(janus, newUser())];
    const [theirs] = (await list(stranger)).sessions;

    expect((await end(browser, theirs?.handle ?? "")).status).toBe(404);
    expect((await userinfo(stranger)).status).toBe(200);
  });
});

describe("POST /account/sessions", () => {
  const handleOf = async (browser: Browser) => {
    const { sessions } = (await (await callApi(janus, "/api/sessions", { browser })).json()) as {
      readonly sessions: readonly { readonly handle: string; readonly current: boolean }[];
    };
    return sessions.find(({ current }) => current)?.handle ?? "";
  };
  const statusOf = async (browser: Browser) => (await userinfo(browser)).status;

  test("ends the session of a handle alone, and leads back with a notice", async () => {
    const user = newUser();
    const [here, there, elsewhere] = [
      await signIn(janus, user),
      await signIn(janus, user),
      await signIn(janus, user),
    ];

    const answer = await here.post("/account/sessions", { session: await handleOf(there) });

    expect([answer.status, locationOf(answer)]).toEqual([303, "/account"]);
    expect([await statusOf(here), await statusOf(there), await statusOf(elsewhere)]).toEqual([200, 401, 200]);
  });

  test("ends every other session for `all`", async () => {
    const user = newUser();
    const [here, there, stranger] = [
      await signIn(janus, user),
      await signIn(janus, user),
      await signIn(janus, newUser()),
    ];

    const answer = await here.post("/account/sessions", { session: "all" });

    expect([answer.status, locationOf(answer)]).toEqual([303, "/account"]);
    expect([await statusOf(here), await statusOf(there), await statusOf(stranger)]).toEqual([200, 401, 200]);
  });

  test("answers 404 for no handle, a wrong, foreign or own one, changing nothing", async () => {
    const user = newUser();
    const [here, other, stranger] = [
      await signIn(janus, user),
      await signIn(janus, user),
      await signIn(janus, newUser()),
    ];
    const ended = await handleOf(other);
    await here.post("/account/sessions", { session: ended });
    const forms: readonly Record<string, string>[] = [
      { handle: "all" },
      { session: "" },
      { session: "ALL" },
      { session: "AAAAAAAAAAAA" },
      { session: "a".repeat(2_000) },
      { session: ended },
      { session: await handleOf(here) },
      { session: await handleOf(stranger) },
    ];
    const before = await janus.database.dump();

    for (const form of forms) {
      const answer = await here.post("/account/sessions", form);
      expect([form, answer.status, lastCode(janus)]).toEqual([form, 404, "session_unknown"]);
    }

    expect(await janus.database.dump()).toBe(before);
  });
});

describe("a link flow's session", () => {
  test("holds the access token alone and lives no longer than it", async () => {
    const user = newUser();
    const browser = createBrowser(janus.url);
    const authorizations = countOf(janus, "token_code");

    const response = await browser.getOnce(await reachForgerCallback(browser, user));

    const [row] = await sessionsOf(janus, user);
    const token = await discordTokenOf(janus, user);
    expect(row?.refreshTokenSealed).toBeNull();
    expect(row?.expiresAt).toEqual(token?.expiresAt ?? null);
    const maxAge = /sessionKey=[\w-]{43}; Max-Age=(\d+)/.exec(
      response.headers.getSetCookie().join("\n"),
    )?.[1];
    expect(Number(maxAge)).toBeWithin(WEEK_SECONDS - 60, WEEK_SECONDS + 1);
    expect((await userinfo(browser)).status).toBe(200);
    expect(countOf(janus, "token_code")).toBe(authorizations + 1);
  });

  test("also begins at a confirmed move, which ends the old ones", async () => {
    const own = await startJanusWithForger();
    const [first, second] = [newUser(), newUser()];
    const [before, after] = [createBrowser(own.url), createBrowser(own.url)];
    await before.get(await reachForgerCallback(before, first));
    const answer = await after.getOnce(await reachForgerCallback(after, second));
    const signedInBefore = answer.headers.getSetCookie().join().includes("sessionId");
    const conflict = await after.get(locationOf(answer));
    const state = moveStateIn(await conflict.text());

    await after.post("/link/move", { state });

    expect([conflict.status, signedInBefore]).toEqual([409, false]);
    expect((await callApi(own, "/api/userinfo", { browser: after })).status).toBe(200);
    expect((await callApi(own, "/api/userinfo", { browser: before })).status).toBe(401);
    await own.stop();
  });

  test("does not begin if no key opens the Discord leg's token", async () => {
    const user = newUser();
    const response = await walkDiscordLeg(janus, user);

    expect(response.headers.getSetCookie().join()).not.toContain("sessionId");
    expect(await sessionsOf(janus, user)).toEqual([]);
    const [flow] = await rowsOfMember(janus, "flow", user);
    for (const { key } of janus.config.tokenKeys) {
      const sealer = createSealer([{ id: "s", key }], "session tokens");
      expect(sealer.open(String(flow?.sessionAccessTokenSealed), "")).toBeUndefined();
    }
  });
});

test("runUpkeep() keeps the sign-in of a member whose grant it could not end before", async () => {
  const own = await startJanusWithForger({ forger: { freshSubjects: true } });
  const user = newUser();
  await walkDiscordLeg(own, user);
  own.clock.advance(2 * 3_600);
  own.discord.failNext("delete_role_connection", { status: 503 }, 3);
  await runUpkeep(own.deps);

  const browser = await signIn(own, user);
  own.clock.advance(900);
  await runUpkeep(own.deps);

  expect((await callApi(own, "/api/userinfo", { browser })).status).toBe(200);
  await own.stop();
});

test("a browser that was signed in before a link or a move has one session after it", async () => {
  const own = await startJanusWithForger();
  const [first, second] = [newUser(), newUser()];
  const [one, two] = [await signIn(own, first), await signIn(own, second)];
  await one.get(await reachForgerCallback(one, first));
  const afterLink = (await sessionsOf(own, first)).length;
  const conflict = await two.get(await reachForgerCallback(two, second));
  const state = moveStateIn(await conflict.text());
  await two.post("/link/move", { state });

  expect(afterLink).toBe(1);
  expect(await sessionsOf(own, second)).toHaveLength(1);
  // The grant of the account that lost its link ends, and its sessions with it.
  expect(await sessionsOf(own, first)).toEqual([]);
  await own.stop();
});

test("runUpkeep() ends an abandoned grant only after its member's session has ended", async () => {
  const own = await startJanusWithForger({ forger: { freshSubjects: true } });
  const user = newUser();
  await walkDiscordLeg(own, user);
  const browser = await signIn(own, user);

  own.clock.advance(2 * 3_600);
  await runUpkeep(own.deps);
  const during = [own.discord.grants(user), (await callApi(own, "/api/userinfo", { browser })).status];
  await callApi(own, "/api/auth/logout", { browser, method: "POST" });
  await runUpkeep(own.deps);

  expect(during).toEqual([4, 200]);
  expect(own.discord.grants(user)).toBe(0);
  expect(await rowsOf(own, "discord_account")).toEqual([]);
  await own.stop();
});
