/** Errors of Discord and of the provider: a page tells the member, and a line in the log tells the operator. */
import { afterEach, describe, expect, test } from "bun:test";
import type { JanusError } from "../../lib/errors.ts";
import {
  notFound,
  providerUnavailable,
  scopeMissing,
  syncTooSoon,
  tooBusy,
  tooManyRequests,
  unauthenticated,
} from "../../lib/errors.ts";
import { errorResponse } from "../../lib/http/error_response.ts";
import { en } from "../../lib/pages/texts/en.ts";
import { useJanus } from "../harness/hooks.ts";
import { linksOf } from "../harness/html.ts";
import { createBrowser, locationOf, startJanusWithForger } from "../harness/janus.ts";
import { discordTokenOf, linkOf, setTime } from "../harness/rows.ts";
import { reachLoginCallback, signIn } from "../harness/sign_in.ts";
import { linkMember, newUser, reachDiscordCallback, reachForgerCallback } from "../harness/walk.ts";
import { createJar, visit } from "../standins/member.ts";

type Line = Readonly<Record<string, unknown>>;

const janus = useJanus(() => startJanusWithForger({ forger: { freshSubjects: true } }));
afterEach(() => janus.provider.reset());

/** The lines that Janus logs during a step of a test. */
async function linesOf(work: () => Promise<unknown>, own = janus): Promise<readonly Line[]> {
  const before = own.logLines.length;
  await work();
  return own.logLines.slice(before).map((line) => JSON.parse(line) as Line);
}

const failuresOf = (lines: readonly Line[]) => lines.filter(({ event }) => event === "request_failed");

/** The text of a page as a reader sees it. */
const plain = (html: string): string =>
  (html.match(/<main>(.*)<\/main>/s)?.[1] ?? "").replaceAll(/<\/?bdi[^>]*>/g, "").replaceAll("&#39;", "'");

/** A text of the pages as this organisation's members read it. */
const filled = (text: string): string => text.replaceAll(/\{(platform|contact)\}/g, "D-sektionen");

describe("a token endpoint's error", () => {
  const WORDS = [
    [400, "not_allowed"],
    [403, "access_denied"],
    [400, "vendor.Word-7"],
  ] as const;

  test.each(WORDS)("with %d %s at the provider rejects the flow", async (status, error) => {
    const browser = createBrowser(janus.url);
    const user = newUser();
    const callback = await reachForgerCallback(browser, user);
    const body = { error, error_description: "canary: Offline tokens not allowed for the user or client" };
    janus.provider.failNext("token", { status, body });
    let response = new Response();
    let page = "";

    const lines = await linesOf(async () => {
      response = await browser.get(callback);
      page = plain(await response.text());
    });

    expect(response.status).toBe(400);
    expect(response.headers.get("retry-after")).toBeNull();
    expect(page).toContain(en.errors.authorization_rejected.title);
    expect(page).not.toContain("canary");
    expect(failuresOf(lines)).toMatchObject([
      { level: "info", code: "authorization_rejected", reason: `token_code: answered ${status} ${error}` },
    ]);
    expect(await linkOf(janus, user)).toBeUndefined();
  });

  test.each(WORDS)("with %d %s at Discord rejects either flow", async (status, error) => {
    const before = await janus.database.dump();

    for (const reach of [reachDiscordCallback, reachLoginCallback]) {
      const browser = createBrowser(janus.url);
      const callback = await reach(browser, newUser());
      janus.discord.failNext("token_code", { status, body: { error } });

      const lines = await linesOf(() => browser.get(callback));

      expect(failuresOf(lines)).toMatchObject([
        { status: 400, code: "authorization_rejected", reason: `token_code: answered ${status} ${error}` },
      ]);
    }
    expect(await janus.database.dump()).toBe(before);
  });

  test("at a refresh ends neither grant, session, link nor role", async () => {
    const user = newUser();
    await linkMember(janus, user);
    const browser = await signIn(janus, user);
    const kept = async () => {
      const { refreshTokenSealed, endDueAt } = (await discordTokenOf(janus, user)) ?? {};
      return { refreshTokenSealed, endDueAt };
    };
    const before = await kept();
    await setTime(janus, "session", "token_expires_at", -1);
    await setTime(janus, "discord_token", "expires_at", -1);
    janus.discord.failNext("token_refresh", { status: 400, body: { error: "not_allowed" } }, 4);

    const sync = await browser.post("/api/link/sync", {});
    const page = await browser.get("/account");

    expect(await sync.json()).toMatchObject({ status: 503, code: "discord_unavailable" });
    expect(page.status).toBe(200);
    expect(await kept()).toEqual(before);
    expect(await linkOf(janus, user)).toBeDefined();
    expect(janus.discord.roleConnection(user)).toBeDefined();
    expect(janus.logLines.join("")).toContain("token_refresh: answered 400 not_allowed");
  });

  test("that repeats the code stays out of the log", async () => {
    const browser = createBrowser(janus.url);
    const callback = await reachForgerCallback(browser, newUser());
    const code = new URL(callback).searchParams.get("code") ?? "";
    janus.provider.failNext("token", { status: 400, body: { error: code } });

    const lines = await linesOf(() => browser.get(callback));

    expect(code.length).toBeGreaterThan(16);
    expect(failuresOf(lines)).toMatchObject([{ reason: "token_code: answered 400 an unlisted error" }]);
    expect(JSON.stringify(lines)).not.toContain(code);
  });
});

describe("a provider that does not decode Basic credentials", () => {
  const start = (
    clientId: string,
    clientSecret: string,
    environment: Readonly<Record<string, string>> = {},
  ) =>
    startJanusWithForger({
      database: janus.database,
      forger: { clientId, clientSecret, decodesBasic: false },
      environment: { OIDC_CLIENT_ID: clientId, OIDC_CLIENT_SECRET: clientSecret, ...environment },
    });
  type Own = Awaited<ReturnType<typeof start>>;

  async function tryToLink(own: Own) {
    const browser = createBrowser(own.url);
    const callback = await reachForgerCallback(browser, newUser());
    let status = 0;
    const lines = await linesOf(async () => {
      ({ status } = await browser.get(callback));
    }, own);
    return { status, lines };
  }

  test.each([
    ["a secret with signs", "janus", "a+b/c=%"],
    ["a secret with a space", "janus", "with a space"],
    ["a client id with signs", "https://janus.example/client", "plain-secret_1.~"],
  ])("refuses %s", async (_, id, secret) => {
    const own = await start(id, secret);
    const cured = await start(id, secret, { OIDC_TOKEN_AUTH_METHOD: "client_secret_post" });
    try {
      const refused = await tryToLink(own);

      expect(refused.status).toBe(502);
      const [failure] = failuresOf(refused.lines);
      expect(failure).toMatchObject({ level: "error", code: "provider_client_rejected" });
      expect(failure?.reason).toStartWith(
        "token_code: answered 401 invalid_client; the client id or the secret has",
      );
      expect(failure?.reason).toEndWith("set OIDC_TOKEN_AUTH_METHOD=client_secret_post");
      expect(own.logLines.join("")).not.toContain(secret);
      expect((await tryToLink(cured)).status).toBe(200);
    } finally {
      await Promise.all([own.stop(), cured.stop()]);
    }
  });

  test("is not blamed without need", async () => {
    const own = await start("janus", "plain-secret");
    try {
      own.provider.failNext("token", { status: 401, body: { error: "invalid_client" } });

      const { lines } = await tryToLink(own);

      expect(failuresOf(lines)).toMatchObject([{ reason: "token_code: answered 401 invalid_client" }]);
    } finally {
      await own.stop();
    }
  });
});

/** A browser with a flow at a leg, and the callback with an error in place of the code. */
async function reachError(leg: "discord" | "provider" | "login", query: Readonly<Record<string, string>>) {
  const browser = createBrowser(janus.url);
  const reach = { discord: reachDiscordCallback, provider: reachForgerCallback, login: reachLoginCallback }[
    leg
  ];
  const callback = new URL(await reach(browser, newUser()));
  callback.searchParams.delete("code");
  for (const [name, value] of Object.entries(query)) callback.searchParams.set(name, value);
  return { browser, callback: callback.href };
}

const stepsOf = (lines: readonly Line[]) => lines.filter(({ event }) => event === "flow_step");

describe("a provider's refusal", () => {
  test.each([
    ["access_denied", "User is not assigned"],
    ["access_denied", "canary <b>policy</b>"],
    ["access_denied", ""],
    ["consent_required", "AADSTS65001: canary"],
    ["login_required", "canary"],
    ["interaction_required", "canary"],
    ["account_selection_required", "canary"],
    ["unmet_authentication_requirements", "canary"],
    ["unauthorized", "user is blocked"],
  ])("by %s (%s) is explained", async (error, said) => {
    const { browser, callback } = await reachError("provider", { error, error_description: said });
    const before = await janus.database.dump();
    let answer = new Response();

    const lines = await linesOf(async () => {
      answer = await browser.getOnce(callback);
    });

    const response = await browser.get(locationOf(answer));
    const html = await response.text();
    const page = plain(html);
    expect(response.status).toBe(200);
    expect(page).toContain(filled(en.cancelled.providerTitle));
    expect(page).toContain(filled(en.cancelled.providerWhy));
    expect(page).toContain(filled(en.cancelled.providerNow));
    expect(page).toContain(answer.headers.get("x-request-id") ?? "none");
    expect(html).toContain('href="/linked-role"');
    if (said !== "") expect(page).not.toContain(said);
    expect(await janus.database.dump()).toBe(before);
    expect(failuresOf(lines)).toEqual([]);
    expect(stepsOf(lines)).toMatchObject([
      {
        level: "info",
        step: "provider",
        outcome: "cancelled",
        reason: `provider: the authorization endpoint answered ${error}`,
      },
    ]);
    // The flow is over.
    expect((await browser.get(callback)).status).toBe(403);
  });

  test.each(["discord", "login"] as const)("is not assumed from access_denied at the leg %s", async (leg) => {
    const { browser, callback } = await reachError(leg, {
      error: "access_denied",
      error_description: "canary",
    });

    const response = await browser.get(callback);

    expect(response.status).toBe(200);
    expect(plain(await response.text())).toContain(en.cancelled.discordTitle);
  });
});

describe("an expired sign-in page", () => {
  const EXPIRED = [
    { error: "temporarily_unavailable", error_description: "authentication_expired" },
    {
      error: "request_unauthorized",
      error_description:
        "The request could not be authorized. The login request has expired. Please try again.",
    },
    { error: "authentication_session_invalid", error_description: "canary" },
  ];

  test.each(EXPIRED)("with $error leads to the start", async (query) => {
    const { browser, callback } = await reachError("provider", query);
    const before = await janus.database.dump();
    let response = new Response();

    const lines = await linesOf(async () => {
      response = await browser.get(callback);
    });

    const html = await response.text();
    expect(response.status).toBe(403);
    expect(response.headers.get("retry-after")).toBeNull();
    expect(plain(html)).toContain(en.errors.flow_expired.title);
    expect(html).toContain('href="/linked-role"');
    expect(await janus.database.dump()).toBe(before);
    expect(failuresOf(lines)).toMatchObject([
      { level: "info", code: "flow_expired", reason: "provider: the sign-in page had expired" },
    ]);
    expect(lines.filter(({ level }) => level === "error" || level === "warn")).toEqual([]);
  });

  test.each([
    ["temporarily_unavailable", { error: "temporarily_unavailable" }],
    ["another description", { error: "temporarily_unavailable", error_description: "canary: we are down" }],
    ["server_error", { error: "server_error", error_description: "authentication expired" }],
  ])("is not assumed from %s", async (_, query) => {
    const { browser, callback } = await reachError("provider", query);
    let response = new Response();

    const lines = await linesOf(async () => {
      response = await browser.get(callback);
    });

    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("30");
    expect(failuresOf(lines)).toMatchObject([{ level: "error", code: "provider_unavailable" }]);
  });
});

describe("an error's button", () => {
  /** Where the buttons lead, without the second one to a link that may already be made. */
  const beginningsOf = async (html: string) => (await linksOf(html)).filter((path) => path !== "/account");
  /** Where the links lead on the page of an error at a route. */
  const linksAt = async (route: string, error: JanusError) => {
    const request = new Request(new URL(route, janus.url), { headers: { accept: "text/html" } });
    const response = errorResponse(
      janus.request(),
      { request, route, requestId: "id-of-a-request", isStopping: false, peerAddress: () => undefined },
      error,
    );
    return linksOf(await response.text());
  };
  const later = providerUnavailable("for a test");
  const again = scopeMissing("for a test");

  test.each([
    ["/login", "/login", "/login"],
    ["/linked-role", "/linked-role", "/linked-role"],
    ["/linked-role/another", "/linked-role/another", "/linked-role/another"],
    ["/discord-oauth-callback", "/linked-role", "/linked-role"],
    ["/dsek-oauth-callback", "/linked-role", "/linked-role"],
    ["/link/move", "/linked-role", "/linked-role"],
    // There the approval at Discord has ended, or its tokens. A new link brings both.
    ["/account", "/account", "/linked-role"],
    ["/account/unlink", "/account", "/linked-role"],
    ["/account/sessions", "/account", "/linked-role"],
    ["/api/link/sync", "/account", "/linked-role"],
    ["/api/userinfo", "/account", "/linked-role"],
    ["/api/auth/logout", "/account", "/linked-role"],
    ["/account/another", "/account/another", "/linked-role/another"],
    ["/", "/", "/linked-role"],
    ["/openapi.json", "/", "/linked-role"],
    ["unknown", "/", "/linked-role"],
  ])("at %s leads to its place", async (route, toTryAgain, toStartAgain) => {
    expect(await linksAt(route, later)).toEqual([toTryAgain]);
    expect(await linksAt(route, tooBusy())).toEqual([toTryAgain]);
    expect(await linksAt(route, again)).toEqual([toStartAgain]);
  });

  test.each([
    ["not_found", notFound(), "/"],
    ["too_many_requests", tooManyRequests(7), "/"],
    ["unauthenticated", unauthenticated("for a test"), "/login"],
    ["sync_too_soon", syncTooSoon(7), "/account"],
  ] as const)("leads where %s says from every route", async (_, error, place) => {
    for (const route of ["/login", "/account", "/linked-role"])
      expect(await linksAt(route, error)).toEqual([place]);
  });

  test("leads back to each route, also during a flood", async () => {
    for (const route of ["/login", "/linked-role", "/account", "/login", "/", "/linked-role"]) {
      const [place] = await linksAt(route, tooBusy());
      expect(place).toBe(route);
    }
  });

  test("is not in the problem that a program gets", async () => {
    const bodies = ["/login", "/account", "/linked-role"].map(async (route) => {
      const headers = { accept: "application/json" };
      const request = new Request(`${janus.url}${route}`, { headers });
      return errorResponse(
        janus.request(),
        { request, route, requestId: "id-of-a-request", isStopping: false, peerAddress: () => undefined },
        later,
      ).text();
    });

    expect(new Set(await Promise.all(bodies)).size).toBe(1);
  });

  test.each([
    ["access_denied", { error: "access_denied" }, 200],
    ["temporarily_unavailable", { error: "temporarily_unavailable" }, 503],
    [
      "authentication_expired",
      { error: "temporarily_unavailable", error_description: "authentication_expired" },
      403,
    ],
    ["invalid_scope", { error: "invalid_scope" }, 400],
    ["a state of nobody", { error: "access_denied", state: "a-state-of-nobody" }, 403],
    ["a code of nobody", { code: "no-such-code" }, 400],
  ])("leads to /login after %s", async (_, query, status) => {
    const { browser, callback } = await reachError("login", query);

    const response = await browser.get(callback);

    expect(response.status).toBe(status);
    expect(await beginningsOf(await response.text())).toEqual(["/login"]);
  });

  test("leads to /login after a sign-in that fails or is late", async () => {
    const late = createBrowser(janus.url);
    const callback = await reachLoginCallback(late, newUser());
    const unlucky = createBrowser(janus.url);
    const other = await reachLoginCallback(unlucky, newUser());
    janus.discord.failNext("token_code", { status: 503 });

    const stateless = await createBrowser(janus.url).get("/login?code=x");
    const outage = await unlucky.get(other);
    janus.clock.advance(601);
    const pages = [stateless, outage, await late.get(callback)];

    expect(pages.map(({ status }) => status)).toEqual([400, 503, 403]);
    for (const page of pages) expect(await beginningsOf(await page.text())).toEqual(["/login"]);
  });

  describe.each([
    ["/linked-role", "/linked-role"],
    ["/linked-role/another", "/linked-role/another"],
  ])("from %s", (start, place) => {
    async function reachLegs() {
      const browser = createBrowser(janus.url);
      const toDiscord = locationOf(await browser.get(start));
      const discord = locationOf(await visit(toDiscord, createJar(), { user_id: newUser() }));
      return { browser, discord };
    }
    async function reachProviderLeg() {
      const { browser, discord } = await reachLegs();
      const toProvider = locationOf(await browser.get(discord));
      return { browser, provider: locationOf(await fetch(toProvider, { redirect: "manual" })) };
    }
    const withError = (callback: string, error: string) => {
      const url = new URL(callback);
      url.searchParams.delete("code");
      url.searchParams.set("error", error);
      return url.href;
    };

    test.each(["access_denied", "server_error", "unauthorized_client"])(
      `leads back after %s`,
      async (error) => {
        const first = await reachLegs();
        const second = await reachProviderLeg();

        const pages = [
          await first.browser.get(withError(first.discord, error)),
          await second.browser.get(withError(second.provider, error)),
        ];

        for (const page of pages) expect(await beginningsOf(await page.text())).toEqual([place]);
      },
    );

    test("leads back after outage or expiry", async () => {
      const { browser, provider } = await reachProviderLeg();
      janus.provider.failNext("token", { status: 503 });
      const outage = await browser.get(provider);
      const old = await reachProviderLeg();
      janus.clock.advance(601);
      const late = await old.browser.get(old.provider);
      const fresh = await reachProviderLeg();

      expect([outage.status, late.status]).toEqual([503, 403]);
      for (const page of [outage, late]) expect(await beginningsOf(await page.text())).toEqual([place]);
      expect((await fresh.browser.get(fresh.provider)).status).toBe(200);
    });
  });
});
