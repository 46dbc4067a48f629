/** A provider that announces offline_access and does not give it to this client: members are linked without it. */
import { afterEach, describe, expect, test } from "bun:test";
import { stopJanus, useDatabase } from "../harness/hooks.ts";
import type { Browser } from "../harness/janus.ts";
import { createBrowser, lastCode, locationOf, startJanusWithForger } from "../harness/janus.ts";
import { linkOf } from "../harness/rows.ts";
import { linesOf } from "../harness/seen.ts";
import { moveStateIn, newUser } from "../harness/walk.ts";
import { createJar, visit } from "../standins/member.ts";

type Janus = Awaited<ReturnType<typeof startJanusWithForger>>;

const database = useDatabase();
const started: Janus[] = [];
afterEach(async () => {
  for (const janus of started.splice(0)) await stopJanus(janus);
});

/** A new process, which knows of no refusal, with a provider that refuses offline_access unless told otherwise. */
async function start(
  environment: Readonly<Record<string, string>> = {},
  refusedScopes: readonly string[] = ["offline_access"],
): Promise<Janus> {
  const janus = await startJanusWithForger({ database, environment, forger: { freshSubjects: true } });
  started.push(janus);
  janus.provider.override({ refusedScopes });
  return janus;
}

/** Walks through the Discord leg, to the departure to the provider. */
async function depart(janus: Janus, browser: Browser, start = "/linked-role") {
  const discordUserId = newUser();
  const authorizationUrl = locationOf(await browser.get(start));
  const callback = locationOf(await visit(authorizationUrl, createJar(), { user_id: discordUserId }));
  return { discordUserId, departure: locationOf(await browser.get(callback)), janus };
}

/** The provider's answer to an authorization request, without any page: the callback at Janus. */
const answerTo = async (departure: string) => locationOf(await fetch(departure, { redirect: "manual" }));

const parametersOf = (address: string) => Object.fromEntries(new URL(address).searchParams);
const scopeOf = (departure: string) => parametersOf(departure).scope;

/** A member who is refused with offline_access, and linked without it. */
async function comeThrough(janus: Janus): Promise<void> {
  const browser = createBrowser(janus.url);
  const back = locationOf(await browser.get(await answerTo((await depart(janus, browser)).departure)));
  expect((await browser.get(await answerTo(back))).status).toBe(200);
}

const warnings = (janus: Janus) => linesOf(janus, "offline_access_left_out");

const isLinked = async (discordUserId: string) => (await linkOf({ database }, discordUserId)) !== undefined;

describe("a refused offline_access", () => {
  test("is left out at once, and the member ends linked", async () => {
    const janus = await start();
    const browser = createBrowser(janus.url);
    const { discordUserId, departure } = await depart(janus, browser);
    expect(scopeOf(departure)).toBe("openid profile offline_access");
    const refusal = await answerTo(departure);
    expect(parametersOf(refusal).error).toBe("invalid_scope");
    const before = await database.dump();

    const back = locationOf(await browser.get(refusal));

    expect(scopeOf(back)).toBe("openid profile");
    for (const name of ["state", "nonce", "code_challenge"]) {
      expect(parametersOf(back)[name]).toMatch(/^[\w-]{43}$/);
      expect(parametersOf(back)[name]).not.toBe(parametersOf(departure)[name]);
    }
    expect(await database.dump()).toBe(before);
    const finished = await browser.get(await answerTo(back));
    expect(finished.status).toBe(200);
    expect(await isLinked(discordUserId)).toBe(true);
    expect(janus.discord.roleConnection(discordUserId)?.metadata).toEqual({ dsek_member: "1" });
    expect(browser.jar.header(new URL(janus.url))).not.toContain("janus_flow");
  });

  test("is warned of once in the log, with the remedy", async () => {
    const janus = await start();
    for (const browser of [createBrowser(janus.url), createBrowser(janus.url)]) {
      const { departure } = await depart(janus, browser);
      const callback = await answerTo(departure);
      const response = await browser.get(callback);
      if (response.status === 302) await browser.get(await answerTo(locationOf(response)));
    }

    expect(warnings(janus)).toHaveLength(1);
    expect(warnings(janus)[0]).toMatchObject({ level: "warn" });
    expect(warnings(janus)[0]?.reason).toContain("OIDC_SCOPES");
  });

  test("is left out for the members who come next", async () => {
    const janus = await start();
    await comeThrough(janus);

    for (const at of ["/linked-role", "/linked-role/another"]) {
      const browser = createBrowser(janus.url);
      const { departure, discordUserId } = await depart(janus, browser, at);
      expect(scopeOf(departure)).toBe("openid profile");
      expect((await browser.get(await answerTo(departure))).status).toBe(200);
      expect(await isLinked(discordUserId)).toBe(true);
    }
  });

  // Any member can write the refusal into a callback of their own, and end linked.
  test("is asked for again after an hour", async () => {
    const janus = await start();
    await comeThrough(janus);
    const scopeNow = async () => scopeOf((await depart(janus, createBrowser(janus.url))).departure);

    janus.clock.advance(3_500);
    expect(await scopeNow()).toBe("openid profile");
    janus.clock.advance(101);
    expect(await scopeNow()).toBe("openid profile offline_access");
  });

  test.each([
    ["in order", [0, 1, 2]],
    ["in reverse order", [2, 1, 0]],
  ])("is left out in three tabs under way, %s", async (_, order) => {
    const janus = await start();
    const browser = createBrowser(janus.url);
    const tabs = [await depart(janus, browser), await depart(janus, browser), await depart(janus, browser)];
    const refusals = await Promise.all(tabs.map(({ departure }) => answerTo(departure)));

    const backs: string[] = [];
    for (const tab of order) backs.push(locationOf(await browser.get(refusals[tab] ?? "")));
    const callbacks = await Promise.all(backs.map(answerTo));
    const answers = [];
    for (const callback of callbacks) answers.push((await browser.get(callback)).status);

    expect(backs.map(scopeOf)).toEqual(Array(3).fill("openid profile"));
    expect(answers).toEqual([200, 200, 200]);
    for (const { discordUserId } of tabs) expect(await isLinked(discordUserId)).toBe(true);
    expect(warnings(janus)).toHaveLength(1);
  });

  test("is left out in a second tab while the first comes back", async () => {
    const janus = await start();
    const browser = createBrowser(janus.url);
    const early = await depart(janus, browser);
    const back = locationOf(await browser.get(await answerTo(early.departure)));
    const late = await depart(janus, browser);

    const lateBack = locationOf(await browser.get(await answerTo(late.departure)));
    expect(scopeOf(lateBack)).toBe("openid profile");
    for (const { departure, discordUserId } of [
      { ...late, departure: lateBack },
      { ...early, departure: back },
    ]) {
      expect((await browser.get(await answerTo(departure))).status).toBe(200);
      expect(await isLinked(discordUserId)).toBe(true);
    }
  });

  test("keeps the member's wish for another account", async () => {
    const janus = await start();
    const browser = createBrowser(janus.url);
    const { departure } = await depart(janus, browser, "/linked-role/another");

    const back = locationOf(await browser.get(await answerTo(departure)));

    expect([parametersOf(departure).prompt, parametersOf(back).prompt]).toEqual(["login", "login"]);
    expect((await browser.get(await answerTo(back))).status).toBe(200);
  });

  test("still asks about a move, which can be confirmed", async () => {
    const janus = await startJanusWithForger({ database });
    started.push(janus);
    janus.provider.signInAs({ sub: "sub-of-two", preferred_username: "two", groups: ["members"] });
    janus.provider.override({ refusedScopes: ["offline_access"] });
    const walk = async () => {
      const browser = createBrowser(janus.url);
      const { discordUserId, departure } = await depart(janus, browser);
      const callback = await answerTo(departure);
      const isRefusal = parametersOf(callback).error !== undefined;
      const last = isRefusal ? await answerTo(locationOf(await browser.get(callback))) : callback;
      return { browser, discordUserId, response: await browser.get(last) };
    };
    await walk();

    const second = await walk();

    expect(second.response.status).toBe(409);
    const state = moveStateIn(await second.response.text());
    expect((await second.browser.post("/link/move", { state })).status).toBe(200);
    expect(await isLinked(second.discordUserId)).toBe(true);
  });
});

describe("the callback with the refusal", () => {
  test("is refused the second time in the same browser", async () => {
    const janus = await start();
    const browser = createBrowser(janus.url);
    const refusal = await answerTo((await depart(janus, browser)).departure);
    await browser.get(refusal);
    const before = await database.dump();

    const again = await browser.get(refusal);

    expect([again.status, lastCode(janus)]).toEqual([403, "state_mismatch"]);
    expect(await database.dump()).toBe(before);
  });

  test("replayed with the old cookie makes one link", async () => {
    const janus = await start();
    const browser = createBrowser(janus.url);
    const { departure, discordUserId } = await depart(janus, browser);
    const refusal = await answerTo(departure);
    const cookie = browser.jar.header(new URL(janus.url));
    const before = await database.dump();

    const first = locationOf(await browser.get(refusal));
    janus.clock.advance(5);
    const replayed = locationOf(await fetch(refusal, { headers: { cookie }, redirect: "manual" }));

    expect(replayed).toBe(first);
    expect(await database.dump()).toBe(before);
    const callbacks = [await answerTo(first), await answerTo(replayed)];
    const kept = browser.jar.header(new URL(janus.url));
    const statuses = [];
    for (const callback of callbacks)
      statuses.push((await fetch(callback, { headers: { cookie: kept }, redirect: "manual" })).status);
    expect(statuses).toEqual([303, 403]);
    expect(lastCode(janus)).toBe("flow_finished");
    expect(await isLinked(discordUserId)).toBe(true);
    // The refused request's flow is finished as well: it was the same one.
    const late = await fetch(refusal.replace("error=invalid_scope", "code=late"), {
      headers: { cookie },
      redirect: "manual",
    });
    expect([late.status, lastCode(janus)]).toEqual([400, "code_rejected"]);
  });

  test("sent twice at once leads to the same departure", async () => {
    const janus = await start();
    const browser = createBrowser(janus.url);
    const refusal = await answerTo((await depart(janus, browser)).departure);

    const answers = await Promise.all([browser.get(refusal), browser.get(refusal)]);

    const [first = "", second] = answers.map(locationOf);
    expect(second).toBe(first);
    expect((await browser.get(await answerTo(first))).status).toBe(200);
  });

  test("is refused from another browser", async () => {
    const janus = await start();
    const refusal = await answerTo((await depart(janus, createBrowser(janus.url))).departure);

    expect((await createBrowser(janus.url).get(refusal)).status).toBe(403);
    expect(warnings(janus)).toEqual([]);
  });

  test("leads to a departure that lasts for ten minutes", async () => {
    const janus = await start();
    const browser = createBrowser(janus.url);
    const back = locationOf(await browser.get(await answerTo((await depart(janus, browser)).departure)));
    janus.clock.advance(601);

    expect((await browser.get(await answerTo(back))).status).toBe(403);
    expect(lastCode(janus)).toBe("flow_expired");
  });
});

describe("invalid_scope", () => {
  test("is authorization_rejected the second time, not an endless circle", async () => {
    const janus = await start({}, ["openid"]);
    const browser = createBrowser(janus.url);
    const back = locationOf(await browser.get(await answerTo((await depart(janus, browser)).departure)));
    expect(scopeOf(back)).toBe("openid profile");

    const response = await browser.get(await answerTo(back));

    expect([response.status, lastCode(janus)]).toEqual([400, "authorization_rejected"]);
    // It was not offline_access: the next one is asked for it as well.
    const { departure } = await depart(janus, createBrowser(janus.url));
    expect(scopeOf(departure)).toBe("openid profile offline_access");
    expect(warnings(janus)).toEqual([]);
  });

  test("in a made-up callback leaves the scopes of others alone", async () => {
    const janus = await start({}, []);
    const browser = createBrowser(janus.url);
    const callback = new URL(await answerTo((await depart(janus, browser)).departure));
    callback.searchParams.delete("code");
    callback.searchParams.set("error", "invalid_scope");

    const back = locationOf(await browser.get(callback.href));
    const { departure } = await depart(janus, createBrowser(janus.url));

    expect(scopeOf(back)).toBe("openid profile");
    expect(scopeOf(departure)).toBe("openid profile offline_access");
    expect(warnings(janus)).toEqual([]);
  });

  test.each([
    ["OIDC_SCOPES asks for offline_access", { OIDC_SCOPES: "openid profile offline_access" }, undefined],
    ["OIDC_SCOPES asks for another scope", { OIDC_SCOPES: "openid groups" }, undefined],
    ["offline_access is not announced", {}, ["openid", "profile"]],
  ])("is authorization_rejected when %s", async (_, environment, announced) => {
    const janus = await start(environment, ["offline_access", "groups", "openid"]);
    if (announced !== undefined)
      janus.provider.override({ discovery: (right) => ({ ...right, scopes_supported: announced }) });
    const browser = createBrowser(janus.url);

    const response = await browser.get(await answerTo((await depart(janus, browser)).departure));

    expect([response.status, lastCode(janus)]).toEqual([400, "authorization_rejected"]);
    expect(warnings(janus)).toEqual([]);
  });

  test.each([
    ["invalid_request", 400],
    ["unauthorized_client", 400],
    ["server_error", 503],
  ])("differs from %s, which sends nobody back", async (error, status) => {
    const janus = await start({}, []);
    const browser = createBrowser(janus.url);
    const { state = "" } = parametersOf((await depart(janus, browser)).departure);
    const query = new URLSearchParams({ error, state, iss: janus.provider.issuer });

    expect((await browser.get(`/dsek-oauth-callback?${query}`)).status).toBe(status);
    expect(warnings(janus)).toEqual([]);
  });

  test("is refused from another issuer and changes no scopes", async () => {
    const janus = await start({}, []);
    const browser = createBrowser(janus.url);
    const { state = "" } = parametersOf((await depart(janus, browser)).departure);
    const query = new URLSearchParams({ error: "invalid_scope", state, iss: "https://attacker.example" });

    expect((await browser.get(`/dsek-oauth-callback?${query}`)).status).toBe(403);
    expect(warnings(janus)).toEqual([]);
    expect(scopeOf((await depart(janus, createBrowser(janus.url))).departure)).toContain("offline_access");
  });

  test("from Discord is authorization_rejected, without a warning", async () => {
    const janus = await start({}, []);
    const browser = createBrowser(janus.url);
    const { state = "" } = parametersOf(locationOf(await browser.get("/linked-role")));

    const response = await browser.get(`/discord-oauth-callback?error=invalid_scope&state=${state}`);

    expect([response.status, lastCode(janus)]).toEqual([400, "authorization_rejected"]);
    expect(warnings(janus)).toEqual([]);
  });
});
