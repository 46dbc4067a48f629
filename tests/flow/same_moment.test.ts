/** Two callbacks of one flow in the same millisecond: a double press, a second code, a browser that retries. */
import { describe, expect, test } from "bun:test";
import { createApp } from "../../index.ts";
import type { Table } from "../harness/database.ts";
import { useJanus } from "../harness/hooks.ts";
import type { Browser } from "../harness/janus.ts";
import { createBrowser, locationOf, startJanusWithForger, UNHEARD } from "../harness/janus.ts";
import { rowsOfMember } from "../harness/rows.ts";
import { linesOf, operationsOf } from "../harness/seen.ts";
import { moveStateIn, newUser, reachForgerCallback } from "../harness/walk.ts";
import { createJar, visit } from "../standins/member.ts";

const TIMES = 40;

const janus = useJanus(() => startJanusWithForger());

/** Janus with a clock that stands still: all requests come in one millisecond. */
function atOneMoment() {
  const moment = janus.clock.now();
  const app = createApp({ ...janus.shared, now: () => moment }, UNHEARD);
  return async (browser: Browser, address: string, form?: Readonly<Record<string, string>>) => {
    const headers = {
      accept: "text/html",
      cookie: browser.jar.header(new URL(janus.url)),
      origin: janus.url,
    };
    const sent = form === undefined ? {} : { method: "POST", body: new URLSearchParams(form) };
    return app.fetch(new Request(new URL(address, janus.url), { headers, ...sent }));
  };
}

/** Says yes at Discord for these accounts, on one authorization page: a code of its own for each. */
async function codesOf(browser: Browser, path: string, users: readonly string[]): Promise<readonly string[]> {
  const authorizationUrl = locationOf(await browser.get(path));
  const codes: string[] = [];
  for (const user of users)
    codes.push(locationOf(await visit(authorizationUrl, createJar(), { user_id: user })));
  return codes;
}

/** Signs in at the provider twice, on one authorization page. */
async function providerCodesOf(departure: string, sub: string, times = 2): Promise<readonly string[]> {
  const codes: string[] = [];
  for (let count = 0; count < times; count++) {
    janus.provider.signInAs({ sub, preferred_username: sub, groups: ["members"] });
    codes.push(locationOf(await fetch(departure, { redirect: "manual" })));
  }
  return codes;
}

let lastSubject = 0;
const newSubject = (): string => `twice-${++lastSubject}`;

/** Prepares many walks, one after the other. */
async function prepare<Walk>(walk: () => Promise<Walk>): Promise<readonly Walk[]> {
  const walks: Walk[] = [];
  for (let count = 0; count < TIMES; count++) walks.push(await walk());
  return walks;
}

/** The two callbacks of a walk meet, beside those of a few others: more would only wait for the database. */
const AT_ONCE = 5;

async function aFewAtOnce<Walk, Answer>(
  walks: readonly Walk[],
  ask: (walk: Walk) => Promise<Answer>,
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  for (let at = 0; at < walks.length; at += AT_ONCE)
    answers.push(...(await Promise.all(walks.slice(at, at + AT_ONCE).map(ask))));
  return answers;
}

/** What an answer makes the browser keep. A result is sealed again in each answer, so only its name counts. */
const keptBy = ({ headers }: Response): string =>
  headers
    .getSetCookie()
    .map((line) => line.replace(/^(janus_result_[\w-]+)=[^;]*/, "$1"))
    .sort()
    .join();

const outcomes = (answers: readonly (readonly Response[])[]) =>
  answers.map((pair) => pair.map(({ status }) => status).sort((a, b) => a - b));
const codesSince = (from: number) =>
  linesOf({ logLines: janus.logLines.slice(from) }, "request_failed").map(({ code }) => code);
const ofMember = (table: Table, user: string) => rowsOfMember(janus, table, user);

describe("a repeated callback", () => {
  test("at the Discord leg spends one code and leads to one place", async () => {
    const [browser, user] = [createBrowser(janus.url), newUser()];
    const [callback = ""] = await codesOf(browser, "/linked-role", [user]);
    const from = janus.discord.calls.length;
    const ask = atOneMoment();

    const pair = await Promise.all([ask(browser, callback), ask(browser, callback)]);

    const [first, second] = pair.map(locationOf);
    expect(second).toBe(first as string);
    expect(operationsOf(janus, from)).toEqual(["token_code", "get_current_authorization"]);
  });

  test("at the provider leg spends one code and shows one link", async () => {
    const [browser, user] = [createBrowser(janus.url), newUser()];
    janus.provider.signInAs({ sub: newSubject(), preferred_username: "double", groups: ["members"] });
    const callback = await reachForgerCallback(browser, user);
    const from = janus.provider.calls.length;
    const ask = atOneMoment();

    const pair = await Promise.all([ask(browser, callback), ask(browser, callback), ask(browser, callback)]);

    expect(pair.map(({ status }) => status)).toEqual([303, 303, 303]);
    expect(new Set(pair.map(locationOf)).size).toBe(1);
    expect(new Set(pair.map(keptBy)).size).toBe(1);
    expect(janus.provider.calls.slice(from).filter((call) => call === "token")).toHaveLength(1);
    expect(await ofMember("link", user)).toHaveLength(1);
    expect(await ofMember("session", user)).toHaveLength(1);
  });

  test("signs the browser in to one session at /login", async () => {
    const [browser, user] = [createBrowser(janus.url), newUser()];
    const [callback = ""] = await codesOf(browser, "/login", [user]);
    const ask = atOneMoment();

    const pair = await Promise.all([ask(browser, callback), ask(browser, callback)]);

    expect(pair.map(locationOf)).toEqual(["/account", "/account"]);
    expect(new Set(pair.map(({ headers }) => headers.getSetCookie().sort().join())).size).toBe(1);
    expect(await ofMember("session", user)).toHaveLength(1);
  });

  test("is refused from another browser, without the flow's cookie", async () => {
    const [browser, user] = [createBrowser(janus.url), newUser()];
    janus.provider.signInAs({ sub: newSubject(), preferred_username: "alone", groups: ["members"] });
    const callback = await reachForgerCallback(browser, user);
    const ask = atOneMoment();

    const [own, foreign] = await Promise.all([
      ask(browser, callback),
      ask(createBrowser(janus.url), callback),
    ]);

    expect([own.status, foreign.status]).toEqual([303, 403]);
    expect(foreign.headers.getSetCookie()).toEqual([]);
  });
});

describe("two codes of one state", () => {
  test("for one account at Discord lead to one flow and one link", async () => {
    const walks = await prepare(async () => {
      const [browser, user] = [createBrowser(janus.url), newUser()];
      return { browser, user, codes: await codesOf(browser, "/linked-role", [user, user]) };
    });
    const ask = atOneMoment();

    const answers = await aFewAtOnce(walks, ({ browser, codes }) =>
      Promise.all(codes.map((code) => ask(browser, code))),
    );

    expect(outcomes(answers)).toEqual(walks.map(() => [302, 302]));
    for (const [index, [one, two]] of answers.entries()) {
      const { browser, user } = walks[index] ?? walks[0] ?? expect.unreachable();
      if (one === undefined || two === undefined) return expect.unreachable();
      expect(locationOf(one)).toBe(locationOf(two));
      expect(one.headers.getSetCookie()).toEqual(two.headers.getSetCookie());
      expect(await ofMember("flow", user)).toHaveLength(1);
      browser.jar.keep(new URL(janus.url), two);
      const [callback = ""] = await providerCodesOf(locationOf(two), newSubject(), 1);
      expect((await browser.get(callback)).status).toBe(200);
      expect((await browser.get("/account")).status).toBe(200);
      expect(await ofMember("link", user)).toHaveLength(1);
    }
  });

  test("for two accounts at Discord link one and refuse the other", async () => {
    const walks = await prepare(async () => {
      const [browser, users] = [createBrowser(janus.url), [newUser(), newUser()]];
      return { browser, users, codes: await codesOf(browser, "/linked-role", users) };
    });
    const from = janus.logLines.length;
    const ask = atOneMoment();

    const answers = await aFewAtOnce(walks, ({ browser, codes }) =>
      Promise.all(codes.map((code) => ask(browser, code))),
    );

    expect(outcomes(answers)).toEqual(walks.map(() => [302, 403]));
    expect(new Set(codesSince(from))).toEqual(new Set(["flow_finished"]));
    for (const [index, pair] of answers.entries()) {
      const { browser, users } = walks[index] ?? expect.unreachable();
      const winner = pair.findIndex(({ status }) => status === 302);
      const departure = pair[winner] ?? expect.unreachable();
      // No token is lost: the other one is stored too, and ended in an hour like every grant that nobody uses.
      for (const user of users) expect(await ofMember("discord_token", user)).toHaveLength(1);
      browser.jar.keep(new URL(janus.url), departure);
      const [callback = ""] = await providerCodesOf(locationOf(departure), newSubject(), 1);
      expect((await browser.get(callback)).status).toBe(200);
      expect(await ofMember("link", users[winner] ?? "")).toHaveLength(1);
      expect(await ofMember("link", users[1 - winner] ?? "")).toEqual([]);
    }
  });

  test("at the provider leg make one link, and one is refused", async () => {
    const walks = await prepare(async () => {
      const [browser, user] = [createBrowser(janus.url), newUser()];
      const [code = ""] = await codesOf(browser, "/linked-role", [user]);
      const departure = locationOf(await browser.get(code));
      return { browser, user, codes: await providerCodesOf(departure, newSubject()) };
    });
    const from = janus.logLines.length;
    const ask = atOneMoment();

    const answers = await aFewAtOnce(walks, ({ browser, codes }) =>
      Promise.all(codes.map((code) => ask(browser, code))),
    );

    expect(outcomes(answers)).toEqual(walks.map(() => [303, 403]));
    expect(new Set(codesSince(from))).toEqual(new Set(["flow_finished"]));
    for (const { user } of walks) {
      expect(await ofMember("link", user)).toHaveLength(1);
      expect(await ofMember("session", user)).toHaveLength(1);
    }
  });

  test("a moment apart at Discord make one link and one session", async () => {
    const walks = await prepare(async () => {
      const [browser, user, subject] = [createBrowser(janus.url), newUser(), newSubject()];
      const codes = await codesOf(browser, "/linked-role", [user, user]);
      const callbacks: string[] = [];
      const cookie = browser.jar.header(new URL(janus.url));
      for (const code of codes) {
        const departure = await fetch(code, { headers: { cookie }, redirect: "manual" });
        janus.clock.advance(1);
        browser.jar.keep(new URL(janus.url), departure);
        callbacks.push(...(await providerCodesOf(locationOf(departure), subject, 1)));
      }
      return { browser, user, codes: callbacks };
    });
    const ask = atOneMoment();

    const answers = await aFewAtOnce(walks, ({ browser, codes }) =>
      Promise.all(codes.map((code) => ask(browser, code))),
    );
    const later = await aFewAtOnce(walks, ({ browser, codes }) => ask(browser, codes[0] ?? ""));

    expect(outcomes(answers)).toEqual(walks.map(() => [303, 303]));
    for (const { status } of later) expect([400, 403]).toContain(status);
    for (const [index, pair] of answers.entries()) {
      const { browser, user } = walks[index] ?? expect.unreachable();
      expect(await ofMember("link", user)).toHaveLength(1);
      expect(await ofMember("session", user)).toHaveLength(1);
      browser.jar.keep(new URL(janus.url), pair[0] ?? expect.unreachable());
      expect((await browser.get("/account")).status).toBe(200);
    }
  });

  test("that both meet a conflict ask once, and move once", async () => {
    const walks = await prepare(async () => {
      const subjects = [newSubject(), newSubject()];
      for (const subject of subjects) {
        const holder = createBrowser(janus.url);
        janus.provider.signInAs({ sub: subject, preferred_username: subject, groups: [] });
        await holder.get(await reachForgerCallback(holder, newUser()));
      }
      const [browser, user] = [createBrowser(janus.url), newUser()];
      const codes = await codesOf(browser, "/linked-role", [user, user]);
      const cookie = browser.jar.header(new URL(janus.url));
      const callbacks: string[] = [];
      for (const [index, code] of codes.entries()) {
        const departure = await fetch(code, { headers: { cookie }, redirect: "manual" });
        janus.clock.advance(1);
        browser.jar.keep(new URL(janus.url), departure);
        callbacks.push(...(await providerCodesOf(locationOf(departure), subjects[index] ?? "", 1)));
      }
      return { browser, user, subjects, codes: callbacks };
    });
    const ask = atOneMoment();

    const answers = await aFewAtOnce(walks, ({ browser, codes }) =>
      Promise.all(codes.map((code) => ask(browser, code))),
    );

    expect(outcomes(answers)).toEqual(walks.map(() => [303, 403]));
    for (const [index, pair] of answers.entries()) {
      const { browser, user, subjects } = walks[index] ?? expect.unreachable();
      const asked = pair.findIndex(({ status }) => status === 303);
      const answer = pair[asked] ?? expect.unreachable();
      browser.jar.keep(new URL(janus.url), answer);
      const question = await browser.get(locationOf(answer));
      expect(question.status).toBe(409);
      const page = await question.text();
      const state = moveStateIn(page);
      const moves = await Promise.all([1, 2].map(() => ask(browser, "/link/move", { state })));
      expect(outcomes([moves])).toEqual([[303, 403]]);
      expect(await ofMember("link", user)).toMatchObject([{ subject: subjects[asked] }]);
      expect(page).toContain(subjects[asked] ?? "none");
    }
  });

  test("at /login both sign the browser in", async () => {
    const walks = await prepare(async () => {
      const [browser, user] = [createBrowser(janus.url), newUser()];
      return { browser, user, codes: await codesOf(browser, "/login", [user, user]) };
    });
    const ask = atOneMoment();

    const answers = await aFewAtOnce(walks, ({ browser, codes }) =>
      Promise.all(codes.map((code) => ask(browser, code))),
    );

    expect(outcomes(answers)).toEqual(walks.map(() => [302, 302]));
    for (const [index, pair] of answers.entries()) {
      const { browser } = walks[index] ?? expect.unreachable();
      for (const answer of pair) browser.jar.keep(new URL(janus.url), answer);
      expect((await browser.get("/account")).status).toBe(200);
    }
  });
});

describe(`a callback repeated in ${TIMES} browsers`, () => {
  test.each(["/linked-role", "/login"])("at Discord leads on for %s", async (path) => {
    const ask = atOneMoment();
    const walks = await prepare(async () => {
      const browser = createBrowser(janus.url);
      return { browser, codes: await codesOf(browser, path, [newUser()]) };
    });

    const answers = await aFewAtOnce(walks, ({ browser, codes: [code = ""] }) =>
      Promise.all([ask(browser, code), ask(browser, code)]),
    );

    expect(outcomes(answers)).toEqual(walks.map(() => [302, 302]));
  });

  test("at the provider shows the link both times", async () => {
    const walks = await prepare(async () => {
      const browser = createBrowser(janus.url);
      janus.provider.signInAs({ sub: newSubject(), groups: [] });
      return { browser, callback: await reachForgerCallback(browser, newUser()) };
    });
    const ask = atOneMoment();

    const answers = await aFewAtOnce(walks, ({ browser, callback }) =>
      Promise.all([ask(browser, callback), ask(browser, callback)]),
    );

    expect(outcomes(answers)).toEqual(walks.map(() => [303, 303]));
    for (const { browser, callback } of walks.slice(0, 3)) {
      const later = await ask(browser, callback);
      expect([400, 403]).toContain(later.status);
      expect(await later.text()).toContain('href="/account"');
    }
  });
});
