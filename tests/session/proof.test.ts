/** What proves a session: its id and its key together. Either alone finds, loads and ends nothing. */
import { describe, expect, test } from "bun:test";
import { createApp } from "../../index.ts";
import { createQueries } from "../../lib/database/queries.ts";
import type { Deps } from "../../lib/deps.ts";
import { createSessionSecrets } from "../../lib/session/secrets.ts";
import { useJanus } from "../harness/hooks.ts";
import { type Browser, createBrowser, startJanusWithForger, UNHEARD } from "../harness/janus.ts";
import { sessionsOf, setTime } from "../harness/rows.ts";
import { callApi, cookieOf, reachLoginCallback, secretsOf, signIn } from "../harness/sign_in.ts";
import { moveStateIn, newUser, reachForgerCallback } from "../harness/walk.ts";
import type { Identity } from "../standins/forger-state.ts";

const GROUPS = 13_000;

const janus = useJanus(() => startJanusWithForger());

type Secrets = { readonly sessionId: string; readonly sessionKey: string };

const anotherKey = (secrets: Secrets): Secrets => ({
  sessionId: secrets.sessionId,
  sessionKey: createSessionSecrets().sessionKey,
});
const statusOf = async (cookie: string): Promise<number> =>
  (await callApi(janus, "/api/sessions", { cookie })).status;

/** A browser's GET, with cookies planted among its own. */
const getWith = (browser: Browser, address: string, planted: string): Promise<Response> =>
  fetch(address, {
    headers: { accept: "text/html", cookie: `${planted}; ${browser.jar.header(new URL(janus.url))}` },
    redirect: "manual",
  });

/** As an earlier release leaves it. */
const forgetKeyHash = (user: string) =>
  janus.database.rows(`update session set session_key_hash = null where discord_user_id = '${user}'`);

/** To the last callback, as somebody at the provider: by default a stranger. */
function reachAs(browser: Browser, user: string, identity: Partial<Identity> = {}): Promise<string> {
  janus.provider.signInAs({ sub: crypto.randomUUID(), groups: [], ...identity });
  return reachForgerCallback(browser, user);
}

/** To the question of a move, in a browser; the form's one field. */
async function reachQuestion(browser: Browser, user: string): Promise<string> {
  const sub = crypto.randomUUID();
  const holder = createBrowser(janus.url);
  await holder.get(await reachAs(holder, newUser(), { sub }));
  const question = await browser.get(await reachAs(browser, user, { sub }));
  expect(question.status).toBe(409);
  return moveStateIn(await question.text());
}

/** Every way in which a browser is signed in: each ends the session that the browser proves. */
const SIGN_INS: readonly (readonly [string, (browser: Browser, planted: string) => Promise<Response>])[] = [
  [
    "a login",
    async (browser, planted) => getWith(browser, await reachLoginCallback(browser, newUser()), planted),
  ],
  [
    "the end of the link flow",
    async (browser, planted) => getWith(browser, await reachAs(browser, newUser()), planted),
  ],
  [
    "a move",
    async (browser, planted) => {
      const state = await reachQuestion(browser, newUser());
      return fetch(`${janus.url}/link/move`, {
        method: "POST",
        headers: { origin: janus.url, cookie: `${planted}; ${browser.jar.header(new URL(janus.url))}` },
        body: new URLSearchParams({ state }),
        redirect: "manual",
      });
    },
  ],
];

describe.each(SIGN_INS)("%s", (_, finish) => {
  test("with the id of somebody's session and another key ends nothing", async () => {
    const user = newUser();
    const victim = secretsOf(janus, await signIn(janus, user));

    const response = await finish(createBrowser(janus.url), cookieOf(anotherKey(victim)));

    expect([200, 302]).toContain(response.status);
    expect(response.headers.getSetCookie().join()).toMatch(/sessionId=[\w-]{43}/);
    expect(await statusOf(cookieOf(victim))).toBe(200);
  });

  test("with the id alone, or with the id and the key of two sessions, ends neither", async () => {
    const [one, other] = [
      secretsOf(janus, await signIn(janus, newUser())),
      secretsOf(janus, await signIn(janus, newUser())),
    ];
    const mixed = cookieOf({ sessionId: one.sessionId, sessionKey: other.sessionKey });

    await finish(createBrowser(janus.url), `sessionId=${one.sessionId}`);
    await finish(createBrowser(janus.url), mixed);

    expect([await statusOf(cookieOf(one)), await statusOf(cookieOf(other))]).toEqual([200, 200]);
  });

  test("with both ends every session that they prove, whatever stands beside them", async () => {
    const [one, other] = [
      secretsOf(janus, await signIn(janus, newUser())),
      secretsOf(janus, await signIn(janus, newUser())),
    ];
    const planted = [cookieOf(createSessionSecrets()), cookieOf(one), cookieOf(other)].join("; ");

    await finish(createBrowser(janus.url), planted);

    expect([await statusOf(cookieOf(one)), await statusOf(cookieOf(other))]).toEqual([401, 401]);
  });

  test("ends no session that an earlier release began, until it was used: nothing proves it", async () => {
    const user = newUser();
    const secrets = secretsOf(janus, await signIn(janus, user));
    await forgetKeyHash(user);

    await finish(createBrowser(janus.url), cookieOf(anotherKey(secrets)));
    const unproved = await statusOf(cookieOf(secrets));
    await setTime(janus, "session", "last_used_at", -3_600, user);
    const used = await statusOf(cookieOf(secrets));
    await finish(createBrowser(janus.url), cookieOf(secrets));

    expect([unproved, used, await statusOf(cookieOf(secrets))]).toEqual([200, 200, 401]);
  });
});

/** The application with its statements under watch: what each gave, in turn. */
function watched() {
  const given: { readonly text: string; readonly rows: readonly unknown[] }[] = [];
  const query: Deps["db"]["query"] = async (text, ...rest) => {
    const rows = await janus.deps.db.query(text, ...rest);
    given.push({ text, rows });
    return rows;
  };
  const db = { ...janus.deps.db, query };
  const app = createApp({ ...janus.shared, db, queries: createQueries(db) }, UNHEARD);
  const ask = (path: string, cookie: string, method = "GET"): Promise<Response> =>
    Promise.resolve(
      app.fetch(new Request(janus.url + path, { method, headers: { cookie, origin: janus.url } })),
    );
  return { given, ask };
}

describe("a session's row", () => {
  test.each([
    ["a wrong key", (real: Secrets) => cookieOf(anotherKey(real))],
    ["a wrong id", (real: Secrets) => cookieOf({ ...createSessionSecrets(), sessionKey: real.sessionKey })],
    [
      "wrong keys of every number",
      (real: Secrets) => Array.from({ length: 4 }, () => cookieOf(anotherKey(real))).join("; "),
    ],
  ])("is not loaded for %s: one statement, and nothing comes back", async (_, header) => {
    const real = secretsOf(janus, await signIn(janus, newUser()));
    const { given, ask } = watched();

    const response = await ask("/api/sessions", header(real));

    expect(response.status).toBe(401);
    expect(given.map(({ rows }) => rows)).toEqual([[]]);
  });

  test("holds a hash of the key that opens nothing, differs for each id, and is not the key's alone", async () => {
    const user = newUser();
    const { sessionKey } = secretsOf(janus, await signIn(janus, user));
    const [row] = await sessionsOf(janus, user);

    expect(String(row?.sessionKeyHash)).toMatch(/^[0-9a-f]{64}$/);
    expect(await janus.database.dump()).not.toContain(sessionKey);
    for (const guess of [sessionKey, Buffer.from(sessionKey, "base64url")])
      expect(new Bun.CryptoHasher("sha256").update(guess).digest("hex")).not.toBe(
        String(row?.sessionKeyHash),
      );
  });

  test("that an earlier release wrote is proved by its tokens, and has the hash once it was used", async () => {
    const user = newUser();
    const secrets = secretsOf(janus, await signIn(janus, user));
    const [before] = await sessionsOf(janus, user);
    await forgetKeyHash(user);
    await setTime(janus, "session", "last_used_at", -3_600, user);

    const wrong = await statusOf(cookieOf(anotherKey(secrets)));
    const [unproved] = await sessionsOf(janus, user);
    const right = await statusOf(cookieOf(secrets));
    const [proved] = await sessionsOf(janus, user);

    expect([wrong, right]).toEqual([401, 200]);
    expect(unproved?.sessionKeyHash).toBeNull();
    expect(proved?.sessionKeyHash).toBe(before?.sessionKeyHash);
  });

  test("that says one thing by its hash and another by its tokens opens nothing: the tokens are the proof", async () => {
    const [user, other] = [newUser(), newUser()];
    const secrets = secretsOf(janus, await signIn(janus, user));
    await signIn(janus, other);
    const [row] = await sessionsOf(janus, other);
    await janus.database.rows(
      `update session set access_token_sealed = '${row?.accessTokenSealed}' where discord_user_id = '${user}'`,
    );

    expect(await statusOf(cookieOf(secrets))).toBe(401);
  });
});

describe(`a member of ${GROUPS} groups`, () => {
  /** More than any session needs to know of its member, and far less than the claims. */
  const MAX_ROW_BYTES = 4_096;
  const groups = () => Array.from({ length: GROUPS }, (_, index) => `group-${index}`);
  const sizes = (given: readonly { readonly rows: readonly unknown[] }[]): readonly number[] =>
    given.map(({ rows }) => JSON.stringify(rows).length);

  async function linkedWithGroups(): Promise<string> {
    const browser = createBrowser(janus.url);
    const identity = { preferred_username: "anna@example.org", groups: groups() };
    await browser.get(await reachAs(browser, newUser(), identity));
    return cookieOf(secretsOf(janus, browser));
  }

  test.each([
    ["GET", "/api/userinfo", 200],
    ["GET", "/account", 200],
    ["GET", "/account/unlink", 200],
    ["GET", "/api/sessions", 200],
    ["DELETE", "/api/sessions/all", 200],
    ["POST", "/account/sessions", 303],
    ["POST", "/api/auth/logout", 200],
    ["POST", "/account/unlink", 200],
    ["DELETE", "/api/link", 200],
  ])("costs %s %s no more than another: no statement gives the groups", async (method, path, status) => {
    const cookie = await linkedWithGroups();
    const { given, ask } = watched();

    const response = await ask(path, cookie, method);

    expect(response.status).toBe(status);
    expect(sizes(given).length).toBeGreaterThan(0);
    expect(Math.max(...sizes(given))).toBeLessThan(MAX_ROW_BYTES);
  });

  test("is named on the pages and in the API as before", async () => {
    const cookie = await linkedWithGroups();

    const userinfo = await callApi(janus, "/api/userinfo", { cookie });
    const account = await callApi(janus, "/account", { cookie, headers: { accept: "text/html" } });

    expect(JSON.stringify(await userinfo.json())).toContain("anna@example.org");
    expect(await account.text()).toContain("anna@example.org");
  });

  test("is named in the question of a move, whose statement gives no groups of the account that holds the link", async () => {
    const user = newUser();
    const [first, second] = [createBrowser(janus.url), createBrowser(janus.url)];
    await first.get(await reachAs(first, user, { name: "Anna Andersson", groups: groups() }));
    const callback = new URL(await reachAs(second, user));
    const { given, ask } = watched();

    const response = await ask(callback.pathname + callback.search, second.jar.header(new URL(janus.url)));

    expect(response.status).toBe(409);
    expect(await response.text()).toContain("Anna Andersson");
    expect(Math.max(...sizes(given))).toBeLessThan(MAX_ROW_BYTES);
  });
});
