/**
 * Pushes: the record is in the database before the answer that tells of the push leaves, and what becomes due while a push
 * runs is pushed after it.
 */
import { describe, expect, test } from "bun:test";
import { createApp } from "../../index.ts";
import { STATEMENTS } from "../../lib/database/queries.ts";
import { databaseUnavailable } from "../../lib/errors.ts";
import { PUSH_LEASE_SECONDS, pushDueLinks } from "../../lib/sync/push.ts";
import { createShared } from "../../lib/wiring.ts";
import type { TestDatabase } from "../harness/database.ts";
import { useDatabase, useJanus } from "../harness/hooks.ts";
import type { Browser } from "../harness/janus.ts";
import { createBrowser, startJanusWithForger, UNHEARD } from "../harness/janus.ts";
import { linkOf } from "../harness/rows.ts";
import { callApi } from "../harness/sign_in.ts";
import { linkMember, newUser, reachForgerCallback } from "../harness/walk.ts";
import { refusal, UNAUTHORIZED } from "../standins/discord_faults.ts";

/** How late every record of a push is: longer than another process takes to ask. */
const LATE_MS = 150;

const database = useDatabase();
const janus = useJanus(() => {
  const query: TestDatabase["db"]["query"] = async (text, ...rest) => {
    if (text === STATEMENTS.setPushed.text) await Bun.sleep(LATE_MS);
    return database.db.query(text, ...rest);
  };
  const { config, dump, rows, drop } = database;
  const late = { config, dump, rows, drop, db: { ...database.db, query } };
  return startJanusWithForger({ database: late, forger: { freshSubjects: true } });
});

/** What another process answers now, which has never seen the member. */
async function askOther(browser: Browser, path: string): Promise<Response> {
  const world = {
    fetch: (url: string, init: RequestInit) => fetch(url, init),
    now: janus.clock.now,
    sleep: (ms: number) => Bun.sleep(ms),
    log: janus.shared.log,
    version: "0.0.0-test",
  };
  const app = createApp(createShared(janus.shared, database.db, world), UNHEARD);
  const headers = { cookie: browser.jar.header(new URL(janus.url)) };
  return app.fetch(new Request(new URL(path, janus.url), { headers }));
}

async function linkAs(user: string): Promise<Browser> {
  return linkMember(janus, user);
}

const link = (): Promise<Browser> => linkAs(newUser());

/** The link of another Discord account, moved here. */
async function move(): Promise<Browser> {
  const [first, browser] = [createBrowser(janus.url), createBrowser(janus.url)];
  const user = newUser();
  await first.get(await reachForgerCallback(first, user));
  const question = await browser.get(await reachForgerCallback(browser, user));
  const [, state = ""] = /name="state" value="([^"]+)"/.exec(await question.text()) ?? [];
  expect((await browser.post("/link/move", { state })).status).toBe(200);
  return browser;
}

async function sync(): Promise<Browser> {
  const browser = await link();
  await database.rows("update link set pushed_at = null, pushed_metadata = null");
  const answer = await callApi(janus, "/api/link/sync", { browser, method: "POST" });
  expect(await answer.json()).toEqual({ ok: true, result: "changed" });
  return browser;
}

describe("any process can read a push once", () => {
  test.each([
    ["the page after a link", link],
    ["the page after a move", move],
    ["POST /api/link/sync", sync],
  ])("%s leaves", async (_, push) => {
    const browser = await push();

    const userinfo = await (await askOther(browser, "/api/userinfo")).json();
    const exported = await (await askOther(browser, "/api/me/export")).json();

    expect(userinfo).toMatchObject({
      role: { status: "discord_told" },
      link: { pushed_metadata: { dsek_member: "1" }, next_push_at: null },
    });
    expect(exported).toMatchObject({ link: { pushed_metadata: { dsek_member: "1" } } });
    expect(exported.audit_trail).toContainEqual(
      expect.objectContaining({ action: "role_connection_pushed" }),
    );
  });
});

describe("a push due while another runs", () => {
  const linkOf = async (user: string) => {
    const rows = await database.rows(`select * from link where discord_user_id = '${user}'`);
    return rows[0];
  };
  const becomeDue = (user: string, at: Date) =>
    database.rows(
      `update link set push_due_at = '${at.toISOString()}', push_failures = 0 where discord_user_id = '${user}'`,
    );

  /** A round of upkeep whose push waits at Discord until `release`. */
  async function pushHeld(failures = 0) {
    const user = newUser();
    await linkAs(user);
    await becomeDue(user, janus.clock.now());
    janus.discord.failNext("put_role_connection", { status: 500 }, failures);
    const gate = janus.discord.gate("put_role_connection");
    const pushed = pushDueLinks(janus.deps);
    await gate.arrived;
    const due = new Date(janus.clock.now().getTime() + 5);
    await becomeDue(user, due);
    janus.clock.advance(1);
    return { user, due, pushed, release: gate.release };
  }

  test("stays due after the first, and is pushed then", async () => {
    const { user, due, pushed, release } = await pushHeld();

    const meanwhile = await pushDueLinks(janus.deps);
    release();
    await pushed;
    const between = await linkOf(user);
    const after = await pushDueLinks(janus.deps);

    expect(meanwhile.claimed).toBe(0);
    expect(between).toMatchObject({ pushDueAt: due, pushLeasedUntil: null, pushFailures: 0 });
    expect(after).toMatchObject({ claimed: 1, done: 1 });
    expect(await linkOf(user)).toMatchObject({ pushDueAt: null, pushLeasedUntil: null });
  });

  test("stays due when the first fails, without its wait", async () => {
    const { user, due, pushed, release } = await pushHeld(3);

    release();
    await pushed;
    const between = await linkOf(user);
    const after = await pushDueLinks(janus.deps);

    expect(between).toMatchObject({ pushDueAt: due, pushLeasedUntil: null, pushFailures: 1 });
    expect(after).toMatchObject({ claimed: 1, done: 1 });
  });

  test("is pushed after the lease if the first died", async () => {
    const user = newUser();
    await linkAs(user);
    const now = janus.clock.now();
    await becomeDue(user, now);
    const leasedUntil = new Date(now.getTime() + PUSH_LEASE_SECONDS * 1_000);
    await janus.deps.queries.claimPushDue({ limit: 20, leasedUntil, now });
    await becomeDue(user, now);

    const during = await pushDueLinks(janus.deps);
    janus.clock.advance(PUSH_LEASE_SECONDS + 1);
    const after = await pushDueLinks(janus.deps);

    expect(during.claimed).toBe(0);
    expect(after).toMatchObject({ claimed: 1, done: 1 });
  });
});

describe("pushDueLinks()", () => {
  test("counts a push that is not recorded as done, and logs it", async () => {
    await linkAs(newUser());
    await database.rows(`update link set push_due_at = '${janus.clock.now().toISOString()}'`);
    const from = janus.logLines.length;
    const setPushed = () => Promise.reject(databaseUnavailable("not now"));

    const round = await pushDueLinks({ ...janus.deps, queries: { ...janus.deps.queries, setPushed } });

    expect(round.done).toBe(round.claimed);
    const events = janus.logLines.slice(from).map((line) => JSON.parse(line));
    expect(events).toContainEqual(
      expect.objectContaining({ level: "warn", event: "push_not_recorded", code: "database_unavailable" }),
    );
  });
});

describe("a push that fails", () => {
  const failureOf = async (user: string) => {
    const { pushFailures, pushFailedCode } = (await linkOf(janus, user)) ?? {};
    const trail = await database.rows(
      `select detail from audit_event where action = 'push_failed' and discord_user_id = '${user}' order by audit_event_id`,
    );
    return { pushFailures, pushFailedCode, trail: trail.map(({ detail }) => detail) };
  };
  async function pushAgain(user: string): Promise<void> {
    janus.clock.advance(3_600);
    await database.rows(
      `update link set push_due_at = '${janus.clock.now().toISOString()}' where discord_user_id = '${user}'`,
    );
    await pushDueLinks(janus.deps);
  }

  test.each([
    ["does not respond", { status: 500 }, 3, "discord_unavailable"],
    ["refuses the values", refusal(400, "Invalid Form Body", 50_035), 1, "discord_refused"],
    ["refuses a new token", UNAUTHORIZED, 2, "grant_ended"],
  ])(
    "keeps its code with the link and in the trail where Discord %s, until one works",
    async (_, fault, times, code) => {
      const user = newUser();
      await linkAs(user);

      janus.discord.failNext("put_role_connection", fault, times);
      await pushAgain(user);
      const failed = await failureOf(user);
      await pushAgain(user);

      expect(failed).toEqual({ pushFailures: 1, pushFailedCode: code, trail: [{ code }] });
      expect(await failureOf(user)).toEqual({ pushFailures: 0, pushFailedCode: null, trail: [{ code }] });
    },
  );

  test("is counted by its code with failed checks, a link once for each code", async () => {
    await database.rows("update link set push_failures = 0, check_failures = 0");
    const [one, both, same, old, over] = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const user = newUser();
        await linkAs(user);
        return user;
      }),
    );
    const fail = (user: string | undefined, set: string) =>
      database.rows(`update link set ${set} where discord_user_id = '${user}'`);
    const push = "push_failures = 2, push_failed_code = 'grant_ended'";
    await fail(one, push);
    await fail(both, `${push}, check_failures = 1, check_failed_code = 'provider_unavailable'`);
    await fail(same, `${push}, check_failures = 1, check_failed_code = 'grant_ended'`);
    await fail(old, "push_failures = 1, push_failed_code = null");
    await fail(over, "push_failures = 0, push_failed_code = 'discord_refused'");

    expect([...(await janus.deps.queries.countFailing({ limit: 20 }))]).toEqual([
      { code: "grant_ended", links: 3 },
      { code: "provider_unavailable", links: 1 },
      { code: "unknown", links: 1 },
    ]);
  });
});

describe("an unlink", () => {
  const unlink = (discordUserId: string) => {
    const now = janus.clock.now();
    const leasedUntil = new Date(now.getTime() + 1_000);
    return janus.deps.queries.unlink({
      discordUserId,
      requestId: "request",
      now,
      leasedUntil,
      onlyBanned: false,
      operator: null,
      detail: null,
    });
  };

  test.each([
    ["waits for a push that runs", "put_role_connection", true],
    ["does not wait for a push that failed and is due again later", undefined, false],
  ] as const)("%s", async (_, held, isInUse) => {
    const user = newUser();
    await linkAs(user);
    const now = janus.clock.now();
    await database.rows(
      `update link set push_due_at = '${now.toISOString()}' where discord_user_id = '${user}'`,
    );
    if (held === undefined) janus.discord.failNext("put_role_connection", { status: 500 }, 3);
    const gate = held === undefined ? undefined : janus.discord.gate(held, "answer");
    const pushed = pushDueLinks(janus.deps);
    if (gate === undefined) await pushed;
    await gate?.arrived;

    const removed = await unlink(user);
    gate?.release();
    await pushed;

    expect(removed?.isInUse).toBe(isInUse);
  });
});
