/** Bad input at every route gets a clear 4xx page without a stack or a secret, and changes no row. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { useJanus } from "../harness/hooks.ts";
import type { Browser } from "../harness/janus.ts";
import { CANARY, createBrowser, lastCode, locationOf, startJanusWithForger } from "../harness/janus.ts";
import { newUser, reachDiscordCallback, reachForgerCallback } from "../harness/walk.ts";
import { createJar } from "../standins/member.ts";

// Scopes of its own: otherwise a provider that refuses a scope is asked once more, as refused_scope.test.ts shows.
const environment = { OIDC_SCOPES: "openid profile" };
const janus = useJanus(() => startJanusWithForger({ environment, forger: { freshSubjects: true } }));

const CALLBACKS = ["/discord-oauth-callback", "/dsek-oauth-callback"] as const;
type Path = (typeof CALLBACKS)[number];

/** A browser with a flow at this leg, and the callback that would finish the leg. */
async function atLeg(path: Path): Promise<{ browser: Browser; callback: URL }> {
  const browser = createBrowser(janus.url);
  const reach = path === "/discord-oauth-callback" ? reachDiscordCallback : reachForgerCallback;
  return { browser, callback: new URL(await reach(browser, newUser())) };
}

/** Expects the promises of every refusal. */
async function expectRefusal(response: Response, statuses: readonly number[], before: string): Promise<void> {
  const page = await response.text();
  expect(statuses).toContain(response.status);
  expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(response.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  expect(response.headers.get("cache-control")).toBe("no-store, no-transform");
  expect(page).toContain("<h1>");
  expect(page).toContain(response.headers.get("x-request-id") ?? "none");
  expect(page).not.toMatch(/\bat .+\.tsx?:\d+|Error:|node_modules|valibot/);
  for (const secret of Object.values(CANARY)) expect(page).not.toContain(secret);
  expect(await janus.database.dump()).toBe(before);
}

const MALFORMED: readonly (readonly [string, (query: URLSearchParams) => string])[] = [
  ["no parameters", () => ""],
  ["no state", (query) => without(query, "state")],
  ["no code", (query) => without(query, "code")],
  ["an empty code", (query) => changed(query, "code", "")],
  ["an empty state", (query) => changed(query, "state", "")],
  ["two codes", (query) => `${query}&code=another`],
  ["the same code twice", (query) => `${query}&code=${query.get("code")}`],
  ["two states", (query) => `${query}&state=another`],
  ["the same state twice", (query) => `${query}&state=${query.get("state")}`],
  ["code and error", (query) => `${query}&error=access_denied`],
  ["two errors", (query) => `${without(query, "code")}&error=access_denied&error=server_error`],
  ["a code of 5,000 characters", (query) => changed(query, "code", "c".repeat(5_000))],
  ["a state of 5,000 characters", (query) => changed(query, "state", "s".repeat(5_000))],
  ["a binary code", (query) => `${without(query, "code")}&code=%00%01%ff%fe`],
  ["a binary state", (query) => `${without(query, "state")}&state=%00%ff`],
  ["a code with a line break", (query) => `${without(query, "code")}&code=a%0d%0aSet-Cookie:%20x=y`],
  ["broken percent-encoding", (query) => `${without(query, "code")}&code=%E0%A4%A`],
  ["JSON as state", (query) => changed(query, "state", "{}")],
  ["array syntax", (query) => `code[]=a&state[]=${query.get("state")}`],
  ["markup as code", (query) => changed(query, "code", "<script>å</script>")],
];

const without = (query: URLSearchParams, name: string) =>
  new URLSearchParams([...query].filter(([key]) => key !== name)).toString();
const changed = (query: URLSearchParams, name: string, value: string) =>
  new URLSearchParams([...query].map(([key, old]) => [key, key === name ? value : old])).toString();

describe.each(CALLBACKS)("%s", (path) => {
  test.each(MALFORMED)("answers 400 to a query with %s", async (_, spoil) => {
    const { browser, callback } = await atLeg(path);
    const before = await janus.database.dump();
    const calls = janus.discord.calls.length + janus.provider.calls.length;

    const response = await browser.get(`${path}?${spoil(callback.searchParams)}`);

    await expectRefusal(response, [400], before);
    expect(janus.discord.calls.length + janus.provider.calls.length).toBe(calls);
    const proper = await browser.get(callback.href);
    expect([200, 302]).toContain(proper.status);
  });

  test("refuses the state of another browser", async () => {
    const { browser, callback } = await atLeg(path);
    const foreign = await atLeg(path);
    const before = await janus.database.dump();
    callback.searchParams.set("state", foreign.callback.searchParams.get("state") ?? "");

    await expectRefusal(await browser.get(callback.href), [403], before);
  });

  test("refuses a callback without its cookie", async () => {
    const { callback } = await atLeg(path);
    const before = await janus.database.dump();

    await expectRefusal(await createBrowser(janus.url).get(callback.href), [403], before);
  });

  test("refuses a cookie with one bit altered in any character", async () => {
    const { browser, callback } = await atLeg(path);
    const before = await janus.database.dump();
    const cookie = browser.jar.header(callback);
    const value = cookie.indexOf("=") + 1;
    expect(cookie.slice(value).length).toBeGreaterThan(40);

    for (let index = value; index < cookie.length; index++) {
      const bit = 1 << (index % 7);
      const altered = String.fromCharCode(cookie.charCodeAt(index) ^ bit);
      // A browser cannot send these in a cookie's value.
      if (!/[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]/.test(altered)) continue;
      const header = cookie.slice(0, index) + altered + cookie.slice(index + 1);
      const response = await fetch(callback, { headers: { cookie: header }, redirect: "manual" });
      expect(response.status).toBe(403);
    }

    expect(await janus.database.dump()).toBe(before);
  });

  test("refuses a flow that is older than its lifetime", async () => {
    const { browser, callback } = await atLeg(path);
    const before = await janus.database.dump();
    janus.clock.advance(601);

    await expectRefusal(await browser.get(callback.href), [403], before);
  });

  test("refuses a replay from the browser that finished the leg", async () => {
    const { browser, callback } = await atLeg(path);
    await browser.get(callback.href);
    const before = await janus.database.dump();

    await expectRefusal(await browser.get(callback.href), [403], before);
  });

  test("refuses a replay with the old cookie restored", async () => {
    const { browser, callback } = await atLeg(path);
    const cookie = browser.jar.header(callback);
    await browser.get(callback.href);
    const before = await janus.database.dump();

    const response = await fetch(callback, { headers: { cookie }, redirect: "manual" });

    await expectRefusal(response, [400, 403], before);
  });

  test("refuses the cookie of the other leg", async () => {
    const other = await atLeg(path === CALLBACKS[0] ? CALLBACKS[1] : CALLBACKS[0]);
    const before = await janus.database.dump();
    other.callback.pathname = path;

    await expectRefusal(await other.browser.get(other.callback.href), [403], before);
  });

  test.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])(
    "answers %s with 405 and Allow",
    async (method) => {
      const { browser, callback } = await atLeg(path);
      const before = await janus.database.dump();
      const headers = { cookie: browser.jar.header(callback) };

      const response = await fetch(callback, { method, headers, redirect: "manual" });

      expect(response.headers.get("allow")).toBe("GET");
      await expectRefusal(response, [405], before);
    },
  );

  test("answers HEAD with 405 and does not spend the code", async () => {
    const { browser, callback } = await atLeg(path);
    const headers = { cookie: browser.jar.header(callback) };

    const response = await fetch(callback, { method: "HEAD", headers, redirect: "manual" });

    expect(response.status).toBe(405);
    expect([200, 302]).toContain((await browser.get(callback.href)).status);
  });

  test("refuses a body of 1 MB", async () => {
    const { callback } = await atLeg(path);
    const body = "x".repeat(1_000_000);

    for (const method of ["POST", "PUT"]) {
      const response = await fetch(callback, { method, body, redirect: "manual" });
      expect([405, 413]).toContain(response.status);
    }
  });

  test("refuses headers of 1 MB", async () => {
    const { callback } = await atLeg(path);

    const response = await fetch(callback, {
      headers: { "x-much": "x".repeat(1_000_000) },
      redirect: "manual",
    });

    expect(response.status).toBe(431);
  });

  test("gives each authorization error a status of its kind", async () => {
    for (const [error, status] of [
      ["server_error", 503],
      ["temporarily_unavailable", 503],
      ["invalid_scope", 400],
      ["<script>alert(1)</script>", 400],
      ["access_denied", 200],
    ] as const) {
      const { browser, callback } = await atLeg(path);
      const before = await janus.database.dump();
      const query = new URLSearchParams({
        error,
        state: callback.searchParams.get("state") ?? "",
        iss: janus.provider.issuer,
      });

      const response = await browser.get(`${path}?${query}`);

      expect(response.status).toBe(status);
      expect(await response.text()).not.toContain("alert(1)");
      expect(await janus.database.dump()).toBe(before);
    }
  });

  test("answers any query with 400 or 403 and changes nothing", async () => {
    const { browser } = await atLeg(path);
    const before = await janus.database.dump();
    const parameter = fc.tuple(
      fc.oneof(fc.constantFrom("code", "state", "iss", "error"), fc.string({ maxLength: 8 })),
      fc.string({ unit: "binary", maxLength: 64 }),
    );

    await fc.assert(
      fc.asyncProperty(fc.array(parameter, { maxLength: 6 }), async (parameters) => {
        const query = parameters.map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&");
        const response = await browser.get(`${path}?${query}`);
        expect([400, 403]).toContain(response.status);
      }),
      { numRuns: 60 },
    );

    expect(await janus.database.dump()).toBe(before);
  });
});

const encode = (text: string): string => encodeURIComponent(text.toWellFormed());

describe("at the other routes", () => {
  test("an unknown path gets a 404 page in the member's language", async () => {
    const response = await fetch(`${janus.url}/nowhere`, {
      headers: { "accept-language": "sv-SE, en;q=0.5" },
    });

    expect(response.status).toBe(404);
    expect(lastCode(janus)).toBe("not_found");
    expect(response.headers.get("content-language")).toBe("sv");
    expect(await response.text()).toContain('<html lang="sv">');
  });

  test.each([
    ["/linked-role", "POST", "GET"],
    ["/link/move", "GET", "POST"],
    ["/link/keep", "GET", "POST"],
    ["/result/x", "POST", "GET"],
    ["/", "DELETE", "GET"],
    ["/healthz", "POST", "GET"],
    ["/readyz", "PUT", "GET"],
  ])("%s answers %s with 405 and Allow", async (path, method, allowed) => {
    const response = await fetch(janus.url + path, { method, redirect: "manual" });

    expect(response.status).toBe(405);
    expect(lastCode(janus)).toBe("method_not_allowed");
    expect(response.headers.get("allow")).toContain(allowed);
  });

  test.each(["", "?state={}", "?code=a&code=b", "?%00", "?__proto__=1"])(
    "GET /linked-role%s starts a flow as without it",
    async (query) => {
      const response = await fetch(`${janus.url}/linked-role${query}`, { redirect: "manual" });

      expect(new URL(locationOf(response)).origin).toBe(janus.discord.url);
    },
  );

  test("GET /linked-role ignores the Host and X-Forwarded headers", async () => {
    const headers = {
      host: "evil.example",
      "x-forwarded-host": "evil.example",
      "x-forwarded-proto": "https",
    };

    const response = await fetch(`${janus.url}/linked-role`, { headers, redirect: "manual" });

    expect(locationOf(response)).not.toContain("evil");
    expect(response.headers.getSetCookie().join()).not.toContain("Domain");
  });

  test("GET /linked-role leaves a browser its five newest flows", async () => {
    const browser = createBrowser(janus.url);
    const states: string[] = [];
    for (let count = 0; count < 7; count++) {
      janus.clock.advance(1);
      states.push(new URL(locationOf(await browser.get("/linked-role"))).searchParams.get("state") ?? "");
    }

    const kept = browser.jar.header(new URL(janus.url)).split("; ");

    expect(kept).toHaveLength(5);
    for (const state of states.slice(-5)) expect(kept.join()).toContain(state.slice(0, 16));
  });

  test("GET /discord-oauth-callback logs no unlisted error", async () => {
    const { browser, callback } = await atLeg("/discord-oauth-callback");
    const state = callback.searchParams.get("state") ?? "";

    const response = await browser.get(`/discord-oauth-callback?error=a_word_from_outside&state=${state}`);

    expect(response.status).toBe(400);
    expect(janus.logLines.join("")).not.toContain("a_word_from_outside");
  });

  test.each(["[[[", "a b"])("a malformed Host (%p) is answered with 4xx", async (host) => {
    for (const path of ["/discord-oauth-callback?code=a&state=b", "/nowhere"]) {
      const status = await sendRaw(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
    }
  });

  test.each(["/link/move", "/link/keep"])(
    "POST %s refuses a long, malformed or foreign form",
    async (path) => {
      const origin = janus.url;
      const send = (body: string, type: string) =>
        fetch(janus.url + path, { method: "POST", body, headers: { origin, "content-type": type } });

      expect((await send(`state=${"s".repeat(5_000)}`, "application/x-www-form-urlencoded")).status).toBe(
        413,
      );
      expect(lastCode(janus)).toBe("request_too_large");
      expect((await send('{"state":"s"}', "application/json")).status).toBe(400);
      expect((await send("", "application/x-www-form-urlencoded")).status).toBe(400);
      // Without a question nothing of the form is read.
      expect((await send("state=a&state=b", "application/x-www-form-urlencoded")).status).toBe(403);
      expect((await send("state=unknown", "application/x-www-form-urlencoded")).status).toBe(403);
    },
  );

  test("GET / sets a strict policy that also forbids framing", async () => {
    const response = await fetch(janus.url);

    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  });

  test("GET /linked-role works beside malformed foreign cookies", async () => {
    const jar = createJar();
    const response = await fetch(`${janus.url}/linked-role`, {
      headers: { cookie: 'a={"json":true}; __proto__=x; janus_flow_=; janus_flow_x=%E0%A4%A; b' },
      redirect: "manual",
    });
    jar.keep(new URL(janus.url), response);

    expect(response.status).toBe(302);
  });
});

/** The status of the answer to bytes that no client library would send. */
async function sendRaw(request: string): Promise<number> {
  const answer = Promise.withResolvers<string>();
  const { hostname, port } = new URL(janus.url);
  await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      open: (socket) => void socket.write(request),
      data: (_, data) => answer.resolve(data.toString()),
      close: () => answer.resolve(""),
    },
  });
  return Number((await answer.promise).split(" ")[1]);
}
