/** What browsers, their add-ons and what stands between do to requests and answers, without the member's doing. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createBrowser, lastCode, startJanusWithForger } from "./harness/janus.ts";
import { callApi, reachLoginCallback, signIn } from "./harness/sign_in.ts";
import { newUser, reachDiscordCallback, reachForgerCallback } from "./harness/walk.ts";

setDefaultTimeout(30_000);

let janus: Awaited<ReturnType<typeof startJanusWithForger>>;
beforeAll(async () => {
  janus = await startJanusWithForger({ forger: { freshSubjects: true } });
});
afterAll(() => janus.stop());

describe("an answer", () => {
  /** Cloudflare and the like rewrite pages: a name that is an e-mail address becomes "[email protected]". RFC 9111 5.2.2.6 */
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
  ])("that is %s is kept by nobody and changed by nobody on the way", async (_, path) => {
    const response = await fetch(janus.url + path, { redirect: "manual" });

    expect(response.headers.get("cache-control")).toBe(UNTOUCHED);
  });

  test("is changed by nobody on the pages that name accounts: the link, the account, the question of a move", async () => {
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

  test("to a form is kept and changed by nobody either", async () => {
    const browser = await signIn(janus, newUser());

    const response = await callApi(janus, "/api/auth/logout", { browser, method: "POST" });

    expect(response.headers.get("cache-control")).toBe(UNTOUCHED);
  });
});

describe("a form whose Origin was taken away", () => {
  /** Every route that changes something, and what says that it was taken. */
  const ROUTES = [
    ["POST", "/api/link/sync", 200],
    ["POST", "/account/sessions", 303],
    ["DELETE", "/api/sessions/all", 200],
    ["POST", "/api/auth/logout", 200],
    ["POST", "/account/unlink", 200],
    ["DELETE", "/api/link", 200],
  ] as const;

  async function linkedBrowser() {
    const browser = createBrowser(janus.url);
    await browser.get(await reachForgerCallback(browser, newUser()));
    return browser;
  }

  test.each(ROUTES)(
    "is the member's own where Sec-Fetch-Site says same-origin: %s %s",
    async (method, path, status) => {
      const browser = await linkedBrowser();

      const response = await callApi(janus, path, {
        ...{ browser, method, origin: "null" },
        headers: { "sec-fetch-site": "same-origin" },
      });

      expect(response.status).toBe(status);
    },
  );

  test("moves a link too", async () => {
    const own = await startJanusWithForger();
    const [first, second] = [createBrowser(own.url), createBrowser(own.url)];
    await first.get(await reachForgerCallback(first, newUser()));
    const conflict = await second.get(await reachForgerCallback(second, newUser()));
    const state = /name="state" value="([^"]+)"/.exec(await conflict.text())?.[1] ?? "";
    const move = (site: string) =>
      fetch(`${own.url}/link/move`, {
        method: "POST",
        headers: { origin: "null", "sec-fetch-site": site, cookie: second.jar.header(new URL(own.url)) },
        body: new URLSearchParams({ state }),
      });

    const answers = [await move("cross-site"), await move("same-origin")];

    expect(answers.map(({ status }) => status)).toEqual([403, 200]);
    await own.stop();
  });

  test.each([
    ["no Sec-Fetch-Site, as from an older browser", "null", undefined],
    ["a sandboxed frame", "null", "cross-site"],
    ["another site of the domain", "null", "same-site"],
    ["the address bar", "null", "none"],
    ["a doubled header", "null", "same-origin, cross-site"],
    ["a header that is there twice", "null", "same-origin, same-origin"],
    ["another spelling", "null", "Same-Origin"],
    ["an empty header", "null", ""],
    ["a doubled Origin", "null, null", "same-origin"],
    ["another spelling of null", "NULL", "same-origin"],
    ["an Origin that is another site's", "https://elsewhere.example.org", "same-origin"],
    ["an empty Origin", "", "same-origin"],
    // A browser that sends Sec-Fetch-Site sends Origin with every POST: something else made this request. Fetch 3.2
    ["no Origin at all", null, "same-origin"],
  ])("is refused on every route with %s", async (_, origin, site) => {
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

describe("a page that a browser asks for before its member does", () => {
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

  describe.each(LEGS)("at the end of %s", (_, reach) => {
    test.each(HEADERS)(
      "spends no code with %s: %s, and the member's own request works",
      async (...header) => {
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
      },
    );
  });

  test.each(["/linked-role", "/linked-role/another", "/login"])(
    "begins no flow at %s, which would push out one that is under way",
    async (path) => {
      const early = await fetch(janus.url + path, {
        headers: { "sec-purpose": "prefetch" },
        redirect: "manual",
      });
      const asked = await fetch(janus.url + path, { redirect: "manual" });

      expect(early.status).toBe(403);
      expect(early.headers.getSetCookie()).toEqual([]);
      expect(asked.status).toBe(302);
    },
  );

  test("leaves no trace of a download that nobody wanted", async () => {
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
  ])("is not one with %s: %p", async (name, value) => {
    const response = await fetch(`${janus.url}/linked-role`, {
      headers: { [name]: value },
      redirect: "manual",
    });

    expect(response.status).toBe(302);
  });

  test("is no fault: the log has it at info", async () => {
    const response = await fetch(`${janus.url}/login`, {
      headers: { "sec-purpose": "prefetch" },
      redirect: "manual",
    });

    const requestId = response.headers.get("x-request-id") ?? "none";
    const lines = janus.logLines.filter((line) => line.includes(requestId)).map((line) => JSON.parse(line));
    expect(lines.map(({ event, level }) => ({ event, level }))).toEqual([
      { event: "request failed", level: "info" },
      { event: "request", level: "info" },
    ]);
  });
});
