/** A session is proved by its id and its key together. Either alone finds, loads and ends nothing. */
import { describe, expect, test } from "bun:test";
import { createApp } from "../../index.ts";
import { createQueries } from "../../lib/database/queries.ts";
import type { Deps } from "../../lib/deps.ts";
import { createSessionSecrets } from "../../lib/session/secrets.ts";
import { GROUP_RULES, writeRules } from "../fixtures/rules_file.ts";
import { useFolder, useJanus } from "../harness/hooks.ts";
import type { Browser } from "../harness/janus.ts";
import { createBrowser, locationOf, startJanusWithForger, UNHEARD } from "../harness/janus.ts";
import { sessionsOf, setTime } from "../harness/rows.ts";
import { callApi, cookieOf, reachLoginCallback, secretsOf, signIn } from "../harness/sign_in.ts";
import { moveStateIn, newUser, reachForgerCallback } from "../harness/walk.ts";
import type { Identity } from "../standins/forger_state.ts";

const GROUPS = 13_000;

const folder = useFolder("proof");
const janus = useJanus(async () =>
  startJanusWithForger({ environment: await writeRules(folder, GROUP_RULES) }),
);

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

/** Leaves the session's row as an earlier release wrote it, without a hash of the key. */
const forgetKeyHash = (user: string) =>
  janus.database.rows(`update session set session_key_hash = null where discord_user_id = '${user}'`);

/** Walks to the last callback of a link, signed in at the provider as a stranger or as this identity. */
function reachAs(browser: Browser, user: string, identity: Partial<Identity> = {}): Promise<string> {
  janus.provider.signInAs({ sub: crypto.randomUUID(), groups: [], ...identity });
  return reachForgerCallback(browser, user);
}

/** Walks to the question whether to move a link. Gives the state in its form. */
async function reachQuestion(browser: Browser, user: string): Promise<string> {
  const sub = crypto.randomUUID();
  const holder = createBrowser(janus.url);
  await holder.get(await reachAs(holder, newUser(), { sub }));
  const question = await browser.get(await reachAs(browser, user, { sub }));
  expect(question.status).toBe(409);
  return moveStateIn(await question.text());
}

/** Every way to sign a browser in. Each ends the sessions that the browser proves. */
const SIGN_INS: readonly (readonly [string, (browser: Browser, planted: string) => Promise<Response>])[] = [
  [
    "GET /login",
    async (browser, planted) => getWith(browser, await reachLoginCallback(browser, newUser()), planted),
  ],
  [
    "GET /dsek-oauth-callback",
    async (browser, planted) => getWith(browser, await reachAs(browser, newUser()), planted),
  ],
  [
    "POST /link/move",
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
  test("does not end a session whose id comes with another key", async () => {
    const user = newUser();
    const victim = secretsOf(janus, await signIn(janus, user));

    const response = await finish(createBrowser(janus.url), cookieOf(anotherKey(victim)));

    expect([302, 303]).toContain(response.status);
    expect(response.headers.getSetCookie().join()).toMatch(/sessionId=[\w-]{43}/);
    expect(await statusOf(cookieOf(victim))).toBe(200);
  });

  test("ends no session for an id alone or with another's key", async () => {
    const [one, other] = [
      secretsOf(janus, await signIn(janus, newUser())),
      secretsOf(janus, await signIn(janus, newUser())),
    ];
    const mixed = cookieOf({ sessionId: one.sessionId, sessionKey: other.sessionKey });

    await finish(createBrowser(janus.url), `sessionId=${one.sessionId}`);
    await finish(createBrowser(janus.url), mixed);

    expect([await statusOf(cookieOf(one)), await statusOf(cookieOf(other))]).toEqual([200, 200]);
  });

  test("ends all proved sessions, also beside an unknown pair", async () => {
    const [one, other] = [
      secretsOf(janus, await signIn(janus, newUser())),
      secretsOf(janus, await signIn(janus, newUser())),
    ];
    const planted = [cookieOf(createSessionSecrets()), cookieOf(one), cookieOf(other)].join("; ");

    await finish(createBrowser(janus.url), planted);

    expect([await statusOf(cookieOf(one)), await statusOf(cookieOf(other))]).toEqual([401, 401]);
  });

  test("ends an earlier release's session by its own key alone", async () => {
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

/** The application, with a record of its statements and of the rows that each gave. */
function watched() {
  const given: { readonly text: string; readonly rows: readonly unknown[] }[] = [];
  const query: Deps["db"]["query"] = async (text, ...rest) => {
    const rows = await janus.deps.db.query(text, ...rest);
    given.push({ text, rows });
    return rows;
  };
  const db = { ...janus.deps.db, query };
  const app = createApp({ ...janus.shared, db, queries: createQueries(db) }, UNHEARD);
  /** The one route that needs a form reads it, and the others drop it. */
  const ask = async (path: string, cookie: string, method = "GET"): Promise<Response> => {
    const body = method === "GET" ? null : new URLSearchParams({ session: "all" });
    return app.fetch(new Request(janus.url + path, { method, body, headers: { cookie, origin: janus.url } }));
  };
  return { given, ask };
}

describe("a session's row", () => {
  test.each([
    ["a wrong key", (real: Secrets) => cookieOf(anotherKey(real))],
    ["a wrong id", (real: Secrets) => cookieOf({ ...createSessionSecrets(), sessionKey: real.sessionKey })],
    [
      "four wrong keys",
      (real: Secrets) => Array.from({ length: 4 }, () => cookieOf(anotherKey(real))).join("; "),
    ],
  ])("is not loaded for %s, by one statement", async (_, header) => {
    const real = secretsOf(janus, await signIn(janus, newUser()));
    const { given, ask } = watched();

    const response = await ask("/api/sessions", header(real));

    expect(response.status).toBe(401);
    expect(given.map(({ rows }) => rows)).toEqual([[]]);
  });

  test("holds neither the key nor its plain SHA-256, but another hash", async () => {
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

  test("of an earlier release is proved by its tokens, then gets a hash", async () => {
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

  test("opens nothing if the key fits its hash and not its tokens", async () => {
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

describe(`for a member of ${GROUPS} groups`, () => {
  /** More than a session needs of its member, and far less than the claims. */
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
    ["GET", "/account/unlink", 200],
    ["GET", "/api/sessions", 200],
    ["DELETE", "/api/sessions/all", 200],
    ["POST", "/account/sessions", 303],
    ["POST", "/api/auth/logout", 200],
    ["POST", "/account/unlink", 303],
    ["DELETE", "/api/link", 200],
  ])("%s %s does not read the groups", async (method, path, status) => {
    const cookie = await linkedWithGroups();
    const { given, ask } = watched();

    const response = await ask(path, cookie, method);

    expect(response.status).toBe(status);
    expect(sizes(given).length).toBeGreaterThan(0);
    expect(Math.max(...sizes(given))).toBeLessThan(MAX_ROW_BYTES);
  });

  test("GET /account and /api/userinfo name the account", async () => {
    const cookie = await linkedWithGroups();

    const userinfo = await callApi(janus, "/api/userinfo", { cookie });
    const account = await callApi(janus, "/account", { cookie, headers: { accept: "text/html" } });

    expect(JSON.stringify(await userinfo.json())).toContain("anna@example.org");
    expect(await account.text()).toContain("anna@example.org");
  });

  test("GET /dsek-oauth-callback asks without the groups", async () => {
    const user = newUser();
    const [first, second] = [createBrowser(janus.url), createBrowser(janus.url)];
    await first.get(await reachAs(first, user, { name: "Anna Andersson", groups: groups() }));
    const callback = new URL(await reachAs(second, user));
    const { given, ask } = watched();

    const response = await ask(callback.pathname + callback.search, second.jar.header(new URL(janus.url)));
    second.jar.keep(new URL(janus.url), response);

    const question = await second.get(locationOf(response));
    expect(question.status).toBe(409);
    expect(await question.text()).toContain("Anna Andersson");
    expect(Math.max(...sizes(given))).toBeLessThan(MAX_ROW_BYTES);
  });
});
