/** Secrets never leave: not to the log, not to a page, not unsealed into the database. */
import { expect, test } from "bun:test";
import { useJanus } from "../harness/hooks.ts";
import { CANARY, createBrowser, startJanusWithForger } from "../harness/janus.ts";
import { callApi, reachLoginCallback } from "../harness/sign_in.ts";
import { newUser, reachDiscordCallback, reachForgerCallback } from "../harness/walk.ts";

/** Everything that crossed the network and must stay between those who sent and received it. */
const secrets = new Set<string>(Object.values(CANARY));
const pages: string[] = [];

const janus = useJanus(() =>
  startJanusWithForger({
    fetch: async (address, init) => {
      const response = await fetch(address, init);
      const text = await response.clone().text();
      for (const match of text.matchAll(/"(?:access_token|refresh_token|id_token)":"([^"]+)"/g))
        secrets.add(match[1] ?? "");
      for (const [name, value] of new URLSearchParams(String(init.body ?? ""))) {
        if (/code|token|secret|verifier/.test(name) && value.length > 8 && name !== "token_type_hint")
          secrets.add(value);
      }
      const authorization = new Headers(init.headers).get("authorization");
      if (authorization !== null) secrets.add(authorization.replace(/^\w+ /, ""));
      return response;
    },
  }),
);

async function walkWith(fault: () => void): Promise<void> {
  const browser = createBrowser(janus.url);
  const user = newUser();
  const callback = await reachForgerCallback(browser, user);
  remember(callback, browser);
  fault();
  pages.push(await (await browser.get(callback)).text());
  const second = createBrowser(janus.url);
  const first = await reachDiscordCallback(second, user);
  remember(first, second);
  janus.discord.failNext("token_code", {
    status: 400,
    body: { error: "invalid_grant", error_description: "canary" },
  });
  pages.push(await (await second.get(first)).text());
}

function remember(callback: string, browser: { jar: { header: (url: URL) => string } }): void {
  const url = new URL(callback);
  for (const name of ["code", "state"]) secrets.add(url.searchParams.get(name) ?? "");
  for (const cookie of browser.jar.header(url).split("; "))
    secrets.add(cookie.slice(cookie.indexOf("=") + 1));
}

test("no secret is in a log line, on a page, or readable in the database", async () => {
  secrets.add(process.env.TOKEN_KEYS ?? "canary-unset");
  for (const key of janus.config.tokenKeys) secrets.add(Buffer.from(key.key).toString("base64url"));
  for (const key of janus.config.cookieSecrets) secrets.add(Buffer.from(key).toString("base64url"));
  await walkWith(() => undefined);
  await walkWith(() =>
    janus.discord.failNext("put_role_connection", {
      status: 403,
      body: { message: "canary-body <b>", code: 50_001 },
    }),
  );
  await walkWith(() => janus.provider.failNext("token", { status: 500, body: "canary-body" }));
  await walkWith(() => janus.provider.override({ idToken: () => "canary.id.token" }));
  janus.provider.reset();

  expect(secrets.size).toBeGreaterThan(30);
  expect(janus.logLines.length).toBeGreaterThan(20);
  await expectNoneOutside();
});

test("no secret of a session is in a log line, whatever a member does with it", async () => {
  const user = newUser();
  const linked = createBrowser(janus.url);
  const callback = await reachForgerCallback(linked, user);
  remember(callback, linked);
  await linked.get(callback);
  const browser = createBrowser(janus.url);
  const login = await reachLoginCallback(browser, user);
  remember(login, browser);
  await browser.get(login);
  for (const holder of [linked, browser]) remember(login, holder);
  const before = janus.logLines.length;

  for (const path of ["/account", "/account/unlink", "/account/another", ...READS])
    for (const accept of ["text/html", "application/json"])
      await keep(callApi(janus, path, { browser, headers: { accept } }));
  janus.discord.failNext("get_current_authorization", { status: 500, body: "canary-body" }, 3);
  await keep(callApi(janus, "/api/userinfo", { browser }));
  await keep(callApi(janus, "/api/link/sync", { browser, method: "POST", origin: "https://canary.example" }));
  await keep(callApi(janus, "/api/link/sync", { browser, method: "POST" }));
  await janus.database.rows("update session set token_expires_at = now()");
  janus.discord.failNext("token_refresh", { status: 500, body: "canary-body" });
  await keep(callApi(janus, "/api/userinfo", { browser }));
  await keep(callApi(janus, "/api/userinfo", { browser }));
  await keep(callApi(janus, "/api/userinfo", { cookie: "sessionId=canary; sessionKey=canary" }));
  await keep(callApi(janus, "/api/sessions/canary", { browser, method: "DELETE" }));
  janus.provider.failNext("revoke", { status: 500, body: "canary-body" });
  await keep(callApi(janus, "/api/link", { browser, method: "DELETE" }));
  await keep(callApi(janus, "/api/auth/logout", { browser: linked, method: "POST" }));

  expect(janus.logLines.length).toBeGreaterThan(before + 10);
  await expectNoneOutside();
});

const READS = ["/api/userinfo", "/api/sessions", "/api/me/export", "/openapi.json"];

async function keep(response: Promise<Response>): Promise<void> {
  pages.push(await (await response).text());
}

async function expectNoneOutside(): Promise<void> {
  const log = janus.logLines.join("");
  const rows = await janus.database.dump();
  for (const secret of [...secrets].filter((value) => value.length > 4)) {
    for (const [place, text] of [
      ["log", log],
      ["database", rows],
      ["pages", pages.join("\n")],
    ] as const) {
      if (place === "pages" && isFormState(secret)) continue;
      expect({ place, secret, found: text.includes(secret) }).toEqual({ place, secret, found: false });
    }
  }
  expect(log).not.toContain("canary");
  expect(log).not.toContain("?");
}

/** The one state that a page shows on purpose: the form that confirms a move must send it back. */
const isFormState = (secret: string): boolean =>
  pages.some((page) => page.includes(`name="state" value="${secret}"`));
