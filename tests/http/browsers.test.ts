/** Browsers, add-ons and proxies change requests and answers on their own. Members can use Janus nonetheless. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createApp } from "../../index.ts";
import { createSessionSecrets } from "../../lib/session/secrets.ts";
import { useJanus } from "../harness/hooks.ts";
import { createBrowser, lastCode, locationOf, startJanusWithForger, UNHEARD } from "../harness/janus.ts";
import { linkOf, sessionsOf } from "../harness/rows.ts";
import { callApi, cookieOf, reachLoginCallback, secretsOf, signIn } from "../harness/sign_in.ts";
import {
  linkMember,
  moveStateIn,
  newUser,
  reachDiscordCallback,
  reachForgerCallback,
} from "../harness/walk.ts";

const janus = useJanus(() => startJanusWithForger({ forger: { freshSubjects: true } }));

describe("Cache-Control", () => {
  /** Cloudflare and others rewrite pages: a name that is an e-mail address becomes "[email protected]". RFC 9111 5.2.2.6 */
  const UNTOUCHED = "no-store, no-transform";

  test.each([
    ["a page", "/"],
    ["an error page", "/nowhere"],
    ["the page to sign in", "/account"],
    ["a problem document", "/api/userinfo"],
    ["JSON", "/healthz"],
    ["the API's description", "/openapi.json"],
    ["a redirect to Discord", "/linked-role"],
    ["a callback that is refused", "/dsek-oauth-callback"],
  ])("forbids storing and transforming %s", async (_, path) => {
    const response = await fetch(janus.url + path, { redirect: "manual" });

    expect(response.headers.get("cache-control")).toBe(UNTOUCHED);
  });

  test("forbids storing and transforming whatever names accounts", async () => {
    const own = await startJanusWithForger();
    own.provider.signInAs({ sub: "elin", preferred_username: "elin@example.org", groups: [] });
    const [first, second] = [createBrowser(own.url), createBrowser(own.url)];
    const linked = await first.get(await reachForgerCallback(first, newUser()));
    const account = await first.get("/account");
    const unlink = await first.get("/account/unlink");
    const conflict = await second.get(await reachForgerCallback(second, newUser()));
    const data = await first.get("/api/me/export");

    const pages = [linked, account, unlink, conflict, data];

    expect(pages.map(({ status }) => status)).toEqual([200, 200, 200, 409, 200]);
    for (const page of pages) {
      expect(page.headers.get("cache-control")).toBe(UNTOUCHED);
      expect(await page.text()).toContain("elin@example.org");
    }
    await own.stop();
  });

  test("forbids storing and transforming the answer to a form", async () => {
    const browser = await signIn(janus, newUser());

    const response = await callApi(janus, "/api/auth/logout", { browser, method: "POST" });

    expect(response.headers.get("cache-control")).toBe(UNTOUCHED);
  });
});

describe("a form without a usable Origin", () => {
  /** Every route that changes something, and its status of success. */
  const ROUTES = [
    ["POST", "/api/link/sync", 200],
    ["POST", "/account/sessions", 303],
    ["DELETE", "/api/sessions/all", 200],
    ["POST", "/api/auth/logout", 200],
    ["POST", "/account/unlink", 303],
    ["DELETE", "/api/link", 200],
  ] as const;

  async function linkedBrowser() {
    const browser = await linkMember(janus, newUser());
    return browser;
  }

  test.each(ROUTES)("from here is accepted: %s %s", async (method, path, status) => {
    const browser = await linkedBrowser();

    const response = await callApi(janus, path, {
      browser,
      method,
      origin: "null",
      headers: { "sec-fetch-site": "same-origin" },
      // The one route that needs a form reads it, and the others drop it.
      form: { session: "all" },
    });

    expect(response.status).toBe(status);
  });

  test("is accepted by POST /link/move from here alone", async () => {
    const own = await startJanusWithForger();
    const [first, second] = [createBrowser(own.url), createBrowser(own.url)];
    await first.get(await reachForgerCallback(first, newUser()));
    const conflict = await second.get(await reachForgerCallback(second, newUser()));
    const state = moveStateIn(await conflict.text());
    const move = (site: string) =>
      fetch(`${own.url}/link/move`, {
        method: "POST",
        headers: { origin: "null", "sec-fetch-site": site, cookie: second.jar.header(new URL(own.url)) },
        body: new URLSearchParams({ state }),
        redirect: "manual",
      });

    const answers = [await move("cross-site"), await move("same-origin")];

    expect(answers.map(({ status }) => status)).toEqual([403, 303]);
    await own.stop();
  });

  test.each([
    ["no site (an older browser)", "null", undefined],
    ["cross-site (a sandboxed frame)", "null", "cross-site"],
    ["same-site (another host)", "null", "same-site"],
    ["none (the address bar)", "null", "none"],
    ["two values in Sec-Fetch-Site", "null", "same-origin, cross-site"],
    ["the same value twice", "null", "same-origin, same-origin"],
    ["another spelling of same-origin", "null", "Same-Origin"],
    ["an empty Sec-Fetch-Site", "null", ""],
    ["a doubled Origin", "null, null", "same-origin"],
    ["another spelling of null", "NULL", "same-origin"],
    ["another site's Origin", "https://elsewhere.example.org", "same-origin"],
    ["an empty Origin", "", "same-origin"],
    // A browser that sends Sec-Fetch-Site sends Origin with every POST: something else made this request. Fetch 3.2
    ["no Origin at all", null, "same-origin"],
  ])("is refused with %s", async (_, origin, site) => {
    const browser = await linkedBrowser();
    const before = await janus.database.dump();
    const headers: Record<string, string> = site === undefined ? {} : { "sec-fetch-site": site };

    for (const [method, path] of ROUTES) {
      const response = await callApi(janus, path, { browser, method, origin, headers });
      expect({ path, status: response.status }).toEqual({ path, status: 403 });
      expect(lastCode(janus)).toBe("origin_refused");
    }

    expect(await janus.database.dump()).toBe(before);
  });
});

describe("a prefetch", () => {
  const HEADERS: readonly (readonly [string, string])[] = [
    ["sec-purpose", "prefetch"],
    ["sec-purpose", "prefetch;prerender"],
    ["sec-purpose", "prefetch;anonymous-client-ip"],
    ["sec-purpose", "prefetch; prerender, prefetch"],
    ["sec-purpose", "Prefetch"],
    ["purpose", "prefetch"],
    ["purpose", "preview"],
    ["x-purpose", "preview"],
    ["x-purpose", "prefetch"],
    ["x-moz", "prefetch"],
    ["x-moz", "PREFETCH"],
  ];
  const LEGS = [
    ["the Discord leg", reachDiscordCallback],
    ["the provider leg", reachForgerCallback],
    ["a sign-in", reachLoginCallback],
  ] as const;

  describe.each(LEGS)("at %s", (_, reach) => {
    test.each(HEADERS)("spends no code with %s: %s", async (...header) => {
      const browser = createBrowser(janus.url);
      const callback = await reach(browser, newUser());
      const cookie = browser.jar.header(new URL(janus.url));
      const before = await janus.database.dump();
      const calls = janus.discord.calls.length + janus.provider.calls.length;

      const early = await fetch(callback, {
        headers: { accept: "text/html", cookie, ...Object.fromEntries([header]) },
        redirect: "manual",
      });

      // No success: so it is never shown, and the browser asks again. WHATWG HTML 7.6.2
      expect(early.status).toBe(403);
      expect(lastCode(janus)).toBe("prefetch_refused");
      expect(early.headers.get("cache-control")).toContain("no-store");
      expect(early.headers.getSetCookie()).toEqual([]);
      expect(await janus.database.dump()).toBe(before);
      expect(janus.discord.calls.length + janus.provider.calls.length).toBe(calls);
      expect([200, 302]).toContain((await browser.get(callback)).status);
    });
  });

  test.each(["/linked-role", "/linked-role/another", "/login"])("begins no flow at %s", async (path) => {
    const early = await fetch(janus.url + path, {
      headers: { "sec-purpose": "prefetch" },
      redirect: "manual",
    });
    const asked = await fetch(janus.url + path, { redirect: "manual" });

    expect(early.status).toBe(403);
    expect(early.headers.getSetCookie()).toEqual([]);
    expect(asked.status).toBe(302);
  });

  test("of GET /api/me/export is refused and leaves no audit event", async () => {
    const user = newUser();
    const browser = await signIn(janus, user);
    const headers = { "sec-purpose": "prefetch" };
    const before = await janus.database.dump();

    const early = await callApi(janus, "/api/me/export", { browser, headers });

    expect(early.status).toBe(403);
    expect(await early.json()).toMatchObject({ status: 403, code: "prefetch_refused" });
    expect(await janus.database.dump()).toBe(before);
    expect((await callApi(janus, "/api/me/export", { browser })).status).toBe(200);
  });

  test.each(["/", "/account", "/account/another"])("may read %s, which changes nothing", async (path) => {
    const browser = await signIn(janus, newUser());

    const response = await callApi(janus, path, { browser, headers: { "sec-purpose": "prefetch" } });

    expect(response.status).toBe(200);
  });

  test.each([
    ["sec-purpose", ""],
    ["purpose", "navigate"],
    ["x-purpose", "no-prefetching-here"],
  ])("is not assumed from %s: %p", async (name, value) => {
    const response = await fetch(`${janus.url}/linked-role`, {
      headers: { [name]: value },
      redirect: "manual",
    });

    expect(response.status).toBe(302);
  });

  test("is logged at the level info", async () => {
    const response = await fetch(`${janus.url}/login`, {
      headers: { "sec-purpose": "prefetch" },
      redirect: "manual",
    });

    const requestId = response.headers.get("x-request-id") ?? "none";
    const lines = janus.logLines.filter((line) => line.includes(requestId)).map((line) => JSON.parse(line));
    expect(lines.map(({ event, level }) => ({ event, level }))).toEqual([
      { event: "request_failed", level: "info" },
      { event: "request", level: "info" },
    ]);
  });
});

describe("cookies named like ours", () => {
  type Secrets = { readonly sessionId: string; readonly sessionKey: string };
  const other = createSessionSecrets();

  /** Where they stand in the header, and how they look. A browser sends longer paths and older cookies first. */
  const HEADERS: readonly (readonly [string, (real: Secrets) => string])[] = [
    ["an id before", (real) => `sessionId=of-another-app; ${cookieOf(real)}`],
    ["a key before", (real) => `sessionKey=of-another-app; ${cookieOf(real)}`],
    ["both before", (real) => `sessionId=s%3Aabc.def; sessionKey=1; ${cookieOf(real)}`],
    ["both after", (real) => `${cookieOf(real)}; sessionId=s%3Aabc.def; sessionKey=1`],
    ["an empty id before", (real) => `sessionId=; ${cookieOf(real)}`],
    ["JSON before", (real) => `sessionId={"id":1}; sessionKey=[1,2]; ${cookieOf(real)}`],
    ["an id of our form before", (real) => `sessionId=${other.sessionId}; ${cookieOf(real)}`],
    ["a pair of our form before", (real) => `${cookieOf(other)}; ${cookieOf(real)}`],
    ["a pair of our form after", (real) => `${cookieOf(real)}; ${cookieOf(other)}`],
    [
      "a pair of our form between",
      (real) => `sessionId=${real.sessionId}; ${cookieOf(other)}; sessionKey=${real.sessionKey}`,
    ],
    // As many as are tried.
    [
      "three pairs of our form",
      (real) => `${[1, 2, 3].map(() => cookieOf(createSessionSecrets())).join("; ")}; ${cookieOf(real)}`,
    ],
    [
      "a hundred that cannot be ours",
      (real) => `${"sessionId=x; sessionKey=y; ".repeat(50)}${cookieOf(real)}`,
    ],
    ["the same pair again", (real) => `${cookieOf(real)}; ${cookieOf(real)}`],
    ["other spacing", (real) => `sessionId=of-another-app;${cookieOf(real).replace("; ", ";  ")} ;`],
  ];

  async function linked() {
    const user = newUser();
    const browser = await linkMember(janus, user);
    return { user, real: secretsOf(janus, browser) };
  }

  test.each(HEADERS)("let a member unlink, with %s", async (_, header) => {
    const { user, real } = await linked();
    const cookie = header(real);

    const asked = await callApi(janus, "/api/userinfo", { cookie });
    const page = await callApi(janus, "/account", { cookie });
    const sync = await callApi(janus, "/api/link/sync", { cookie, method: "POST" });
    const others = await callApi(janus, "/api/sessions/all", { cookie, method: "DELETE" });
    const undone = await callApi(janus, "/api/link", { cookie, method: "DELETE" });

    expect([asked, page, sync, others, undone].map(({ status }) => status)).toEqual([
      200, 200, 200, 200, 200,
    ]);
    expect(await asked.json()).toMatchObject({ discord: { id: user } });
    for (const answer of [asked, page, sync, others]) expect(answer.headers.getSetCookie()).toEqual([]);
    expect(await linkOf(janus, user)).toBeUndefined();
  });

  test.each(HEADERS)("let a member log out, with %s", async (_, header) => {
    const user = newUser();
    const real = secretsOf(janus, await signIn(janus, user));

    const response = await callApi(janus, "/api/auth/logout", { cookie: header(real), method: "POST" });

    expect(response.status).toBe(200);
    expect(await sessionsOf(janus, user)).toEqual([]);
  });

  test.each(HEADERS)("let a member sign in, with %s", async (_, header) => {
    const user = newUser();
    const browser = await signIn(janus, user);
    const before = secretsOf(janus, browser);
    const callback = await reachLoginCallback(browser, user);
    const [flow] = browser.jar
      .header(new URL(janus.url))
      .split("; ")
      .filter((pair) => pair.includes("flow"));

    const response = await fetch(callback, {
      headers: { accept: "text/html", cookie: `${header(before)}; ${flow}` },
      redirect: "manual",
    });

    expect(locationOf(response)).toBe("/account");
    expect(await sessionsOf(janus, user)).toHaveLength(1);
    expect((await callApi(janus, "/api/sessions", { cookie: cookieOf(before) })).status).toBe(401);
  });

  test("do not keep a logout from ending every proved session", async () => {
    const [one, two] = [newUser(), newUser()];
    const cookies = [];
    for (const user of [one, two]) cookies.push(cookieOf(secretsOf(janus, await signIn(janus, user))));

    await callApi(janus, "/api/auth/logout", { cookie: cookies.join("; "), method: "POST" });

    expect([...(await sessionsOf(janus, one)), ...(await sessionsOf(janus, two))]).toEqual([]);
  });

  test("do not hide the real pair, in any order", async () => {
    const [mine, theirs] = [newUser(), newUser()];
    const [real, foreign] = [
      secretsOf(janus, await signIn(janus, mine)),
      secretsOf(janus, await signIn(janus, theirs)),
    ];
    const junk = fc.oneof(
      fc.string({ maxLength: 50 }).map((text) => text.replaceAll(/[^\x20-\x3a\x3c-\x7e]/g, "")),
      fc.constantFrom("", "=", "{}", '"', "%", real.sessionId.slice(1), `${real.sessionId}A`),
    );
    const pair = fc
      .tuple(fc.constantFrom("sessionId", "sessionKey", "sessionid", "xsessionId", "a"), junk)
      .map(([name, value]) => `${name}=${value}`);
    const ours = fc.constantFrom<(string | undefined)[]>(
      [real.sessionId, real.sessionKey],
      [real.sessionId, undefined],
      [undefined, real.sessionKey],
      [real.sessionId, foreign.sessionKey],
      [foreign.sessionId, real.sessionKey],
      [other.sessionId, other.sessionKey],
    );
    const headers = fc.tuple(ours, fc.array(pair, { maxLength: 12 }), fc.infiniteStream(fc.nat()));

    await fc.assert(
      fc.asyncProperty(headers, async ([[id, key], around, places]) => {
        const cookies = [id && `sessionId=${id}`, key && `sessionKey=${key}`].filter((part) => part);
        const cookie = scatter([...around], cookies, places).join("; ");

        const response = await callApi(janus, "/api/userinfo", { cookie });

        const isReal = id === real.sessionId && key === real.sessionKey;
        expect(response.status).toBe(isReal ? 200 : 401);
        if (isReal) expect(await response.json()).toMatchObject({ discord: { id: mine } });
      }),
      { numRuns: 150 },
    );
  });

  /** Puts each part somewhere among the others. */
  function scatter(among: string[], parts: readonly (string | undefined)[], places: Iterator<number>) {
    for (const part of parts) among.splice((places.next().value ?? 0) % (among.length + 1), 0, part ?? "");
    return among;
  }

  /** The status of a request with these cookies, and how often it looked for a session. */
  async function look(cookie: string) {
    let looks = 0;
    const findSession: typeof janus.deps.queries.findSession = (values) => {
      looks += 1;
      return janus.deps.queries.findSession(values);
    };
    const app = createApp({ ...janus.shared, queries: { ...janus.deps.queries, findSession } }, UNHEARD);
    const response = await app.fetch(new Request(`${janus.url}/api/sessions`, { headers: { cookie } }));
    return { status: response.status, looks };
  }

  test("cost at most four look-ups, none if they cannot be ours", async () => {
    const real = secretsOf(janus, await signIn(janus, newUser()));
    const many = Array.from({ length: 100 }, () => cookieOf(createSessionSecrets())).join("; ");

    expect(await look(cookieOf(real))).toEqual({ status: 200, looks: 1 });
    expect(await look(cookieOf(other))).toEqual({ status: 401, looks: 1 });
    expect(await look(`sessionId=of-another-app; sessionId=x; ${cookieOf(real)}`)).toEqual({
      status: 200,
      looks: 1,
    });
    expect(await look("sessionId=of-another-app; sessionKey=x")).toEqual({ status: 401, looks: 0 });
    expect(await look(`${cookieOf(real)}; sessionKey=${other.sessionKey}`)).toEqual({
      status: 200,
      looks: 1,
    });
    expect(await look(`${cookieOf(other)}; ${cookieOf(real)}`)).toEqual({ status: 200, looks: 2 });
    expect(await look(many)).toEqual({ status: 401, looks: 4 });
  });

  test("get 401 alone, and the next sign-in works beside them", async () => {
    const user = newUser();
    const refused = await callApi(janus, "/api/sessions", {
      cookie: `sessionId=of-another-app; ${cookieOf(other)}`,
    });

    const real = secretsOf(janus, await signIn(janus, user));
    const later = await callApi(janus, "/api/userinfo", { cookie: `${cookieOf(other)}; ${cookieOf(real)}` });

    expect(refused.status).toBe(401);
    expect(refused.headers.getSetCookie().join()).toMatch(/sessionId=;.*sessionKey=;/);
    expect(later.status).toBe(200);
  });

  describe("as flow cookies", () => {
    const LEGS = [
      ["the Discord leg", reachDiscordCallback],
      ["the provider leg", reachForgerCallback],
      ["a sign-in", reachLoginCallback],
    ] as const;
    const name = (index: number) => `janus_flow_${String(index).padStart(16, "x")}`;

    test.each(LEGS)("do not break %s", async (_, reach) => {
      const planted: readonly ((real: string) => string)[] = [
        (real) => `${real.split("=")[0]}=planted; ${real}`,
        (real) => `${real}; ${real.split("=")[0]}=planted`,
        (real) => `${real.split("=")[0]}=discord.${Date.now().toString(36)}.${"s".repeat(43)}; ${real}`,
        (real) => `${`${real.split("=")[0]}=planted; `.repeat(50)}${real}`,
        (real) => `${Array.from({ length: 7 }, (_, index) => `${name(index)}=x`).join("; ")}; ${real}`,
        (real) => `${Array.from({ length: 200 }, (_, index) => `${name(index)}=x`).join("; ")}; ${real}`,
      ];
      for (const plant of planted) {
        const browser = createBrowser(janus.url);
        const callback = await reach(browser, newUser());
        const cookie = plant(browser.jar.header(new URL(janus.url)));

        const response = await fetch(callback, {
          headers: { cookie, accept: "text/html" },
          redirect: "manual",
        });

        expect([302, 303]).toContain(response.status);
      }
    });

    test("make no answer too large for a proxy", async () => {
      const cookie = Array.from({ length: 400 }, (_, index) => `${name(index)}=x`).join("; ");

      for (const path of ["/linked-role", "/linked-role/another", "/login"]) {
        const response = await fetch(janus.url + path, { headers: { cookie }, redirect: "manual" });
        const head = [...response.headers].map((line) => line.join(": ")).join("\r\n");

        expect(response.status).toBe(302);
        // nginx's proxy_buffer_size, where nobody has raised it.
        expect(head.length).toBeLessThan(4_096);
      }
    });
  });
});
