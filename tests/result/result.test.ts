/** Results and notices at the whole server: what a callback answers, what its page asks of whom, and what others can do to it. */
import { describe, expect, test } from "bun:test";
import { createApp } from "../../index.ts";
import { readConfig } from "../../lib/config/load.ts";
import type { Shared } from "../../lib/deps.ts";
import { TEXTS } from "../../lib/pages/texts/languages.ts";
import { createShared } from "../../lib/wiring.ts";
import { useJanusForEach } from "../harness/hooks.ts";
import type { Browser } from "../harness/janus.ts";
import {
  CANARY,
  createBrowser,
  environmentFor,
  lastCode,
  locationOf,
  randomKey,
  startJanusWithForger,
  UNHEARD,
} from "../harness/janus.ts";
import { callApi, reachLoginCallback, secretsOf } from "../harness/sign_in.ts";
import { countStatements } from "../harness/statements.ts";
import { moveStateIn, newUser, reachForgerCallback } from "../harness/walk.ts";
import { createJar, denyDiscord, visit } from "../standins/member.ts";

const { en } = TEXTS;
const secrets = new Set<string>(Object.values(CANARY));
const janus = useJanusForEach(() =>
  startJanusWithForger({
    fetch: async (address, init) => {
      const response = await fetch(address, init);
      const text = await response.clone().text();
      for (const [, token = ""] of text.matchAll(/"(?:access_token|refresh_token|id_token)":"([^"]+)"/g))
        secrets.add(token);
      return response;
    },
  }),
);

const HOME = () => new URL(janus.url);

/** The result cookies of a browser, by name. */
const resultsOf = (browser: Browser): ReadonlyMap<string, string> =>
  new Map(
    [...browser.jar.header(HOME()).matchAll(/janus_result_([\w-]+)=([^;]+)/g)].map(
      ([, name = "", value = ""]) => [name, value] as const,
    ),
  );

let lastSubject = 0;
const newSubject = () => `subject-${++lastSubject}`;

/** To the last callback, not yet visited. */
async function reach(browser: Browser, user: string, sub = newSubject()): Promise<string> {
  janus.provider.signInAs({ sub, preferred_username: `name-of-${sub}`, groups: ["members"] });
  return reachForgerCallback(browser, user);
}

/** Links a new member; the browser, and the answer of the last callback. */
async function finish(browser = createBrowser(janus.url), sub = newSubject()) {
  const user = newUser();
  const callback = await reach(browser, user, sub);
  const answer = await browser.getOnce(callback);
  return { browser, user, callback, answer, path: locationOf(answer) };
}

/** Two members of one account of the organisation: the second is asked. */
async function reachQuestion(sub: string) {
  const first = await finish(undefined, sub);
  const second = await finish(undefined, sub);
  const question = await second.browser.get(second.path);
  expect(question.status).toBe(409);
  return { first, second, state: moveStateIn(await question.text()) };
}

/** The same Janus without a database, with another clock, or with other settings. */
const appWith = (changed: Partial<Shared>) => createApp({ ...janus.shared, ...changed }, UNHEARD);

describe("the answer of a callback", () => {
  test("is 303 to a page that its cookie fills, and keeps code and state out", async () => {
    const { browser, callback, answer, path } = await finish();

    const { searchParams } = new URL(callback);
    const [line = ""] = answer.headers.getSetCookie().filter((one) => one.startsWith("janus_result_"));
    expect([answer.status, await answer.text()]).toEqual([303, ""]);
    expect(path).toMatch(/^\/result\/[\w-]{16}$/);
    expect(searchParams.get("state")).not.toContain(path.slice("/result/".length));
    expect(line).toMatch(/^janus_result_[\w-]{16}=[\w.-]+; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(answer.headers.get("cache-control")).toContain("no-store");
    const pages = [await browser.get(path), await browser.get(path)];
    expect(pages.map(({ status }) => status)).toEqual([200, 200]);
    for (const page of pages) expect(page.headers.getSetCookie()).toEqual([]);
  });

  test("is Secure and __Host- on https", async () => {
    const { shared } = janus;
    const publicUrl = "https://janus.example.org";
    const app = appWith({ config: { ...shared.config, publicUrl } });
    const headers = { origin: publicUrl, accept: "text/html" };

    const answer = await app.fetch(new Request(`${janus.url}/api/auth/logout`, { method: "POST", headers }));
    const [line = ""] = answer.headers.getSetCookie().filter((one) => one.includes("janus_result_"));
    expect(line).toMatch(
      /^__Host-janus_result_[\w-]{16}=[\w.-]+; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    const [name = "", value = ""] = /^__Host-janus_result_([\w-]+)=([^;]+)/.exec(line)?.slice(1) ?? [];
    const page = (prefix: string) =>
      app.fetch(
        new Request(`${janus.url}/result/${name}`, {
          headers: { cookie: `${prefix}janus_result_${name}=${value}` },
        }),
      );
    expect((await page("__Host-")).status).toBe(200);
    // Another site of the domain can set this one.
    expect((await page("")).status).toBe(303);
  });

  test("of a cancelled sign-in quotes the request of the callback", async () => {
    const browser = createBrowser(janus.url);
    const callback = await denyDiscord(locationOf(await browser.get("/linked-role/another")));
    const answer = await browser.getOnce(callback);

    const page = await (await browser.get(locationOf(answer))).text();

    expect(page).toContain(en.cancelled.discordTitle);
    expect(page).toContain('href="/linked-role/another"');
    expect((await browser.getOnce(callback)).status).toBe(403);
  });

  test("is an error itself where there is one: a page or a problem document", async () => {
    const { browser, callback } = await finish();
    const bad = `${janus.url}/dsek-oauth-callback?state=x`;

    const answers = [await browser.getOnce(callback), await browser.getOnce(bad)];
    const problem = await fetch(bad, { headers: { accept: "application/json" }, redirect: "manual" });

    expect(answers.map(({ status }) => status)).toEqual([403, 400]);
    for (const answer of answers) expect(await answer.text()).toContain("<h1>");
    expect([problem.status, problem.headers.get("content-type")]).toEqual([400, "application/problem+json"]);
  });

  test("holds no secret and no id of a member, also for those who can read it", async () => {
    const { second } = await reachQuestion("canary-subject");
    const { user, browser } = second;
    const { sessionId, sessionKey } = secretsOf(janus, (await finish()).browser);
    const read = [...resultsOf(browser)].map(
      ([name, sealed]) => janus.shared.cookieSealer.open(sealed, `result ${name}`) ?? "",
    );

    expect(read.join()).toContain("name-of-canary-subject");
    expect(secrets.size).toBeGreaterThan(8);
    // The name says the subject in this test, as the username says the id.
    const plain = read.join().replaceAll("name-of-canary-subject", "").replaceAll(`user_${user}`, "");
    for (const secret of [...secrets, sessionId, sessionKey, "canary-subject", user])
      expect(plain.includes(secret)).toBe(false);
  });

  test("has a head that a proxy takes, with the longest names and many planted cookies", async () => {
    const name = "😀".repeat(32);
    await finish(undefined, "long");
    janus.provider.signInAs({ sub: "long", preferred_username: "😀".repeat(50), groups: [] });
    const browser = createBrowser(janus.url);
    const callback = await reachForgerCallback(browser, newUser());
    await janus.database.rows(`update discord_account set global_name = '${name}'`);
    const planted = Array.from(
      { length: 100 },
      (_, index) => `janus_result_${String(index).padStart(16, "x")}=x`,
    );
    const cookie = [browser.jar.header(HOME()), ...planted].join("; ");

    const answer = await fetch(callback, { headers: { cookie }, redirect: "manual" });

    const head = [...answer.headers].map((line) => line.join(": ")).join("\r\n");
    expect(answer.status).toBe(303);
    expect(head).toContain("janus_flow_");
    // nginx's proxy_buffer_size, where nobody has raised it.
    expect(head.length).toBeLessThan(4_096);
  });
});

describe("GET /result/{name}", () => {
  test("asks neither the database nor another server", async () => {
    const { browser, path } = await finish();
    const before = janus.discord.calls.length + janus.provider.calls.length;
    const { ask, statements } = countStatements(janus);

    const page = await ask(path, browser.jar.header(HOME()));

    expect(page.status).toBe(200);
    expect(statements).toEqual([]);
    expect(janus.discord.calls.length + janus.provider.calls.length).toBe(before);
  });

  test("leads to the account without its cookie, and with one that is not its own", async () => {
    const [{ browser, path }, other] = [await finish(), await finish()];
    const [[name = "", sealed = ""] = []] = resultsOf(browser);
    const [[, foreign = ""] = []] = resultsOf(other.browser);
    const cookies = [
      "",
      other.browser.jar.header(HOME()),
      `janus_result_${name}=${foreign}`,
      `janus_result_${name}=${sealed.slice(0, -2)}AA`,
      `janus_result_${name}=x`,
      `__Host-janus_result_${name}=${sealed}`,
      `janus_notice=${sealed}`,
    ];

    for (const cookie of cookies) {
      const answer = await fetch(janus.url + path, { headers: { cookie }, redirect: "manual" });
      expect({ cookie, to: locationOf(answer) }).toEqual({ cookie, to: "/account" });
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
    const statuses = [];
    for (const address of ["/result/%00", `/result/${"x".repeat(2_000)}`, "/result/", `/result/${name}/x`])
      statuses.push((await browser.getOnce(address)).status);
    expect(statuses).toEqual([303, 303, 404, 404]);
  });

  test("finds its own cookie beside others of the same name", async () => {
    const { browser, path } = await finish();
    const [[name = "", sealed = ""] = []] = resultsOf(browser);

    for (const cookie of [
      `janus_result_${name}=planted; janus_result_${name}=${sealed}`,
      `janus_result_${name}=${sealed}; janus_result_${name}=planted`,
    ])
      expect((await fetch(janus.url + path, { headers: { cookie }, redirect: "manual" })).status).toBe(200);
  });

  test("shows nothing after ten minutes, if a browser keeps the cookie longer", async () => {
    const { browser, path } = await finish();
    const before = await browser.getOnce(path);
    janus.clock.advance(601);

    const after = await browser.getOnce(path);

    expect([before.status, after.status, locationOf(after)]).toEqual([200, 303, "/account"]);
  });

  test("opens while the secret that sealed it is in the ring", async () => {
    const { browser, path } = await finish();
    const cookie = browser.jar.header(HOME());
    const environment = environmentFor(janus.url, janus.discord, janus.provider.issuer);
    const old = Buffer.from(janus.config.cookieSecrets[0] ?? new Uint8Array()).toString("base64url");
    const statusWith = async (secret: string) => {
      const config = readConfig({ ...environment, COOKIE_SECRET: secret });
      const { shared } = janus;
      const { cookieSealer } = createShared({ ...shared, config }, shared.db, { ...shared, fetch });
      const request = new Request(janus.url + path, { headers: { cookie } });
      return (await appWith({ cookieSealer }).fetch(request)).status;
    };

    expect(await statusWith(`${randomKey()},${old}`)).toBe(200);
    expect(await statusWith(randomKey())).toBe(303);
  });

  test("changes nothing for a HEAD, a prefetch or a link from another site", async () => {
    const { browser, path } = await finish();
    const cookie = browser.jar.header(HOME());
    const before = await janus.database.dump();

    const answers = [
      await fetch(janus.url + path, { method: "HEAD", headers: { cookie } }),
      await fetch(janus.url + path, { headers: { cookie, "sec-purpose": "prefetch" } }),
      await fetch(janus.url + path, { headers: { cookie, "sec-fetch-site": "cross-site" } }),
    ];

    for (const answer of answers) expect([answer.status, answer.headers.getSetCookie()]).toEqual([200, []]);
    expect(await answers[0]?.text()).toBe("");
    expect(await janus.database.dump()).toBe(before);
    expect((await browser.get(path)).status).toBe(200);
  });

  test("leaves the question alone when its flow is gone or was forgotten", async () => {
    const { second } = await reachQuestion("gone");
    const cookie = browserCookieWithoutFlows(second.browser);

    const answer = await fetch(janus.url + second.path, { headers: { cookie }, redirect: "manual" });
    janus.clock.advance(601);
    const late = await second.browser.getOnce(second.path);

    expect(locationOf(answer)).toBe("/account");
    expect([late.status, lastCode(janus)]).toEqual([403, "flow_expired"]);
  });
});

const browserCookieWithoutFlows = ({ jar }: Browser): string =>
  jar
    .header(HOME())
    .split("; ")
    .filter((pair) => !pair.startsWith("janus_flow_"))
    .join("; ");

describe("the results of a browser", () => {
  test("are three at most after ten flows, and each says what is true of its own", async () => {
    const browser = createBrowser(janus.url);
    const walks = [];
    for (let count = 0; count < 10; count += 1) walks.push(await finish(browser));

    const kept = resultsOf(browser);
    const answers = [];
    for (const { path, user } of walks) {
      const answer = await browser.getOnce(path);
      answers.push(answer.status);
      if (answer.status === 200) expect(await answer.text()).toContain(`user_${user}`);
    }

    expect(kept.size).toBe(3);
    expect(answers).toEqual([...Array(7).fill(303), 200, 200, 200]);
  });

  test("of ten flows that end at once each have their page, and the next flow clears up", async () => {
    const browser = createBrowser(janus.url);
    const callbacks = [];
    for (let count = 0; count < 10; count += 1) {
      // A browser has five flows at most, so each comes from a jar of its own.
      const own = createBrowser(janus.url);
      callbacks.push({ callback: await reach(own, newUser()), cookie: own.jar.header(HOME()) });
    }

    const answers = await Promise.all(
      callbacks.map(({ callback, cookie }) => fetch(callback, { headers: { cookie }, redirect: "manual" })),
    );
    for (const answer of answers) browser.jar.keep(HOME(), answer);
    const pages = await Promise.all(answers.map((answer) => browser.getOnce(locationOf(answer))));
    await finish(browser);
    await finish(browser);

    expect(pages.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(resultsOf(browser).size).toBe(3);
  });

  test("are all forgotten by an unlink and by a sign-out, for programs too", async () => {
    const ends: readonly (readonly [string, string, string])[] = [
      ["POST", "/account/unlink", "text/html"],
      ["DELETE", "/api/link", "application/json"],
      ["POST", "/api/auth/logout", "text/html"],
      ["POST", "/api/auth/logout", "application/json"],
    ];
    for (const [method, path, accept] of ends) {
      const browser = createBrowser(janus.url);
      const walks = [await finish(browser), await finish(browser)];

      const answer = await callApi(janus, path, { browser, method, headers: { accept } });
      browser.jar.keep(HOME(), answer);

      const isPage = accept === "text/html" || path === "/account/unlink";
      expect({ method, path, accept, left: resultsOf(browser).size }).toEqual({
        method,
        path,
        accept,
        left: isPage ? 1 : 0,
      });
      for (const walk of walks) expect(locationOf(await browser.getOnce(walk.path))).toBe("/account");
    }
  });

  test("no longer say that somebody is signed out, or that nothing is linked", async () => {
    const { browser } = await finish();
    const signedOut = await callApi(janus, "/api/auth/logout", {
      browser,
      method: "POST",
      headers: { accept: "text/html" },
    });
    browser.jar.keep(HOME(), signedOut);
    const out = locationOf(signedOut);
    await browser.get(await reachLoginCallback(browser, newUser()));
    const afterSignIn = await browser.getOnce(out);
    const { browser: linked } = await finish();
    const gone = locationOf(await linked.postOnce("/account/unlink", {}));
    await finish(linked);

    const afterLink = await linked.getOnce(gone);

    expect([locationOf(afterSignIn), locationOf(afterLink)]).toEqual(["/account", "/account"]);
  });
});

describe("POST /link/keep", () => {
  test("forgets question and flow, and sends no statement", async () => {
    const { first, second, state } = await reachQuestion("kept");
    const { ask, statements } = countStatements(janus);
    const before = await janus.database.dump();

    const answer = await ask("/link/keep", second.browser.jar.header(HOME()), {
      method: "POST",
      headers: { origin: janus.url },
      body: new URLSearchParams({ state }),
    });
    second.browser.jar.keep(HOME(), answer);

    expect([answer.status, locationOf(answer)]).toEqual([303, second.path]);
    expect(statements).toEqual([]);
    expect(await janus.database.dump()).toBe(before);
    expect(await (await second.browser.get(second.path)).text()).toContain(en.kept.title);
    expect(second.browser.jar.header(HOME())).not.toContain("janus_flow_");
    expect((await second.browser.postOnce("/link/move", { state })).status).toBe(403);
    expect(janus.discord.roleConnection(first.user)?.metadata).toEqual({ dsek_member: "1" });
    expect(janus.logLines.join("")).toContain('"step":"move","outcome":"kept"');
  });

  test("is refused from elsewhere, without a flow, and with a bad form", async () => {
    const { second, state } = await reachQuestion("refused");
    const { browser } = second;
    const bad = (body: BodyInit, type?: string) =>
      fetch(`${janus.url}/link/keep`, {
        method: "POST",
        headers: {
          origin: janus.url,
          cookie: browser.jar.header(HOME()),
          ...(type === undefined ? {} : { "content-type": type }),
        },
        body,
        redirect: "manual",
      });

    const answers = [
      await browser.postOnce("/link/keep", { state }, "https://elsewhere.example.org"),
      await browser.postOnce("/link/keep", { state }, null),
      await createBrowser(janus.url).postOnce("/link/keep", { state }),
      await browser.postOnce("/link/keep", { state: `${state.slice(0, -1)}_` }),
      await browser.postOnce("/link/keep", {}),
      await bad(`state=${state}&state=${state}`, "application/x-www-form-urlencoded"),
      await bad(JSON.stringify({ state }), "application/json"),
    ];

    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403, 400, 400, 400]);
    expect((await browser.getOnce(second.path)).status).toBe(409);
    expect((await browser.getOnce("/link/keep")).status).toBe(405);
    expect((await browser.postOnce("/link/move", { state })).status).toBe(303);
  });
});

describe("a notice", () => {
  const noticeOf = async (response: Response) =>
    /role="status"[^>]*>([^<]*)/.exec(await response.text())?.[1];

  async function synced() {
    const { browser } = await finish();
    const page = await browser.post("/account/sessions", { session: "all" });
    const [line = ""] = page.headers.getSetCookie();
    return { browser, line };
  }

  test("is one short-lived cookie, shown once", async () => {
    const { browser, line } = await synced();

    const [first, second] = [await browser.get("/account"), await browser.get("/account")];

    expect(line).toMatch(/^janus_notice=[\w.-]+; Max-Age=60; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(first.headers.getSetCookie().join()).toStartWith("janus_notice=; Max-Age=0");
    expect(await noticeOf(first)).toBe(en.notices.sessions_ended);
    expect(await noticeOf(second)).toBeUndefined();
    expect(second.headers.getSetCookie()).toEqual([]);
  });

  test("is not taken by a HEAD or a prefetch", async () => {
    const { browser } = await synced();
    const cookie = browser.jar.header(HOME());

    const answers = [
      await fetch(`${janus.url}/account`, { method: "HEAD", headers: { cookie } }),
      await fetch(`${janus.url}/account`, { headers: { cookie, "sec-purpose": "prefetch" } }),
    ];

    for (const answer of answers) expect(answer.headers.getSetCookie()).toEqual([]);
    expect(await answers[1]?.text()).not.toContain(en.notices.sessions_ended);
    expect(await noticeOf(await browser.get("/account"))).toBe(en.notices.sessions_ended);
  });

  test("is not shown from the address, altered, too late, or to the next member", async () => {
    const { browser, line } = await synced();
    const session = browser.jar
      .header(HOME())
      .split("; ")
      .filter((pair) => pair.startsWith("session"))
      .join("; ");
    const sealed = /^janus_notice=([^;]*)/.exec(line)?.[1] ?? "";
    const [[, result = ""] = []] = resultsOf((await finish()).browser);
    const shown = (cookie: string, query = "") =>
      fetch(`${janus.url}/account${query}`, { headers: { cookie: `${session}; ${cookie}` } }).then(noticeOf);

    expect(await shown("", "?notice=sessions_ended")).toBeUndefined();
    for (const value of ["", "sessions_ended", `${sealed.slice(0, -2)}AA`, result])
      expect(await shown(`janus_notice=${value}`)).toBeUndefined();
    expect(await shown(`janus_notice=x; janus_notice=${sealed}`)).toBe(en.notices.sessions_ended);
    const signedOut = await fetch(`${janus.url}/account`, { headers: { cookie: `janus_notice=${sealed}` } });
    expect([signedOut.status, await noticeOf(signedOut.clone())]).toEqual([401, undefined]);
    expect(signedOut.headers.getSetCookie().join()).toContain("janus_notice=; Max-Age=0");
    janus.clock.advance(61);
    expect(await shown(`janus_notice=${sealed}`)).toBeUndefined();
  });
});

test("a flow sends two statements and four upstream calls, and its page none", async () => {
  await finish();
  const browser = createBrowser(janus.url);
  const { ask, statements } = countStatements(janus);
  const before = janus.discord.calls.length + janus.provider.calls.length;
  const go = async (address: string) => {
    const answer = await ask(address, browser.jar.header(HOME()));
    browser.jar.keep(HOME(), answer);
    return answer;
  };

  janus.provider.signInAs({ sub: newSubject(), preferred_username: "anna", groups: [] });
  const atDiscord = locationOf(await go("/linked-role"));
  const callback = locationOf(await visit(atDiscord, createJar(), { user_id: newUser() }));
  const atProvider = locationOf(await go(callback));
  const last = locationOf(await fetch(atProvider, { redirect: "manual" }));
  const page = await go(locationOf(await go(last)));

  expect(page.status).toBe(200);
  // The push is recorded by one statement for many flows. docs/decisions/0011
  expect(statements.filter((name) => !name.startsWith("setPush"))).toEqual([
    "finishDiscordLeg",
    "finishProviderLeg",
  ]);
  // The stand-in also counts its authorization page, which the browser asks for.
  expect(janus.discord.calls.length + janus.provider.calls.length - before).toBe(5);
});
