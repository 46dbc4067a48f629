/** The record of a push: it is in the database before the answer that tells of the push leaves. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createApp } from "../../index.ts";
import { STATEMENTS } from "../../lib/database/queries.ts";
import { createShared } from "../../lib/deps.ts";
import { createPushRecorder, type DonePush } from "../../lib/sync/push_records.ts";
import { createLog } from "../../lib/telemetry/log.ts";
import { createTestDatabase, type TestDatabase } from "../harness/database.ts";
import { useJanus } from "../harness/hooks.ts";
import { type Browser, createBrowser, startJanusWithForger, UNHEARD } from "../harness/janus.ts";
import { callApi } from "../harness/sign_in.ts";
import { linkMember, moveStateIn, newUser, reachForgerCallback } from "../harness/walk.ts";

/** How late every record of a push is: longer than another process takes to ask. */
const LATE_MS = 150;

const janus = useJanus(async () => {
  const real = await createTestDatabase();
  const query: TestDatabase["db"]["query"] = async (text, ...rest) => {
    if (text === STATEMENTS.setPushed.text) await Bun.sleep(LATE_MS);
    return real.db.query(text, ...rest);
  };
  const database = { ...real, db: { ...real.db, query } };
  const started = await startJanusWithForger({ database, forger: { freshSubjects: true } });
  return { ...started, real, stop: () => started.stop().then(real.drop) };
});

/** What another process answers now, which has never seen the member. */
async function askOther(browser: Browser, path: string): Promise<Response> {
  const world = {
    fetch: (url: string, init: RequestInit) => fetch(url, init),
    now: janus.clock.now,
    sleep: (ms: number) => Bun.sleep(ms),
    log: janus.deps.log,
    version: "0.0.0-test",
  };
  const app = createApp(createShared(janus.config, janus.real.db, world), UNHEARD);
  const headers = { cookie: browser.jar.header(new URL(janus.url)) };
  return app.fetch(new Request(new URL(path, janus.url), { headers }));
}

async function link(): Promise<Browser> {
  return linkMember(janus, newUser());
}

/** The link of another Discord account, moved here. */
async function move(): Promise<Browser> {
  const [user, browser] = [newUser(), createBrowser(janus.url)];
  await linkMember(janus, user);
  const question = await browser.get(await reachForgerCallback(browser, user));
  const state = moveStateIn(await question.text());
  expect((await browser.post("/link/move", { state })).status).toBe(200);
  return browser;
}

async function sync(): Promise<Browser> {
  const browser = await link();
  await janus.database.rows("update link set pushed_at = null, pushed_metadata = null");
  const answer = await callApi(janus, "/api/link/sync", { browser, method: "POST" });
  expect(await answer.json()).toEqual({ ok: true });
  return browser;
}

describe("an answer that tells of a push", () => {
  test.each([
    ["the page after a link", link],
    ["the page after a move", move],
    ["POST /api/link/sync", sync],
  ])("%s leaves when any process can read it: role, page and export", async (_, push) => {
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

describe("createPushRecorder()", () => {
  const pushOf = (count: number): DonePush => ({
    discordUserId: String(count),
    leasedUntil: new Date(0),
    requestId: null,
    pushedMetadata: {},
    pushedAt: new Date(0),
  });

  /** A recorder whose statements stay under way until they are told to end. */
  function createHeld() {
    const statements: { readonly users: readonly unknown[]; readonly end: PromiseWithResolvers<void> }[] = [];
    const lines: string[] = [];
    const setPushed = ({ pushes }: { readonly pushes: unknown }) => {
      const users = (pushes as readonly Record<string, unknown>[]).map((row) => row.discord_user_id);
      const end = Promise.withResolvers<void>();
      statements.push({ users, end });
      return end.promise;
    };
    const log = createLog(
      "warn",
      (line) => void lines.push(line),
      () => new Date(0),
    );
    const recordPush = createPushRecorder({ queries: { setPushed }, log });
    return { statements, lines, record: (count: number) => recordPush(pushOf(count)) };
  }
  const isSettled = async (promise: Promise<void>): Promise<boolean> => {
    await Bun.sleep(0);
    return Bun.peek.status(promise) === "fulfilled";
  };

  test("records a push at once where no statement is under way", async () => {
    const { statements, record } = createHeld();

    const first = record(1);
    await Bun.sleep(0);
    statements[0]?.end.resolve();
    await first;
    const second = record(2);
    await Bun.sleep(0);
    statements[1]?.end.resolve();
    await second;

    expect(statements.map(({ users }) => users)).toEqual([["1"], ["2"]]);
  });

  test("records those that come meanwhile together, and each waits for its own record", async () => {
    const { statements, record } = createHeld();

    const first = record(1);
    await Bun.sleep(0);
    const others = [record(2), record(3), record(4)];
    await Bun.sleep(0);
    expect(statements.map(({ users }) => users)).toEqual([["1"]]);
    statements[0]?.end.resolve();
    await first;

    for (const other of others) expect(await isSettled(other)).toBe(false);
    expect(statements.map(({ users }) => users)).toEqual([["1"], ["2", "3", "4"]]);
    statements[1]?.end.resolve();
    await Promise.all(others);
  });

  test("goes on after a statement that failed, and says in the log how many it lost", async () => {
    const { statements, lines, record } = createHeld();

    const first = record(1);
    await Bun.sleep(0);
    const second = record(2);
    statements[0]?.end.reject(new Error("canary"));
    await first;
    await Bun.sleep(0);
    statements[1]?.end.resolve();
    await second;

    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ event: "pushes_not_recorded", count: 1 }]);
    expect(lines.join("")).not.toContain("canary");
  });

  test("records every push once and in order, by one statement at a time, whenever they come", async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 1, max: 30 }), async (s, count) => {
        const recorded: unknown[] = [];
        let underWay = 0;
        const setPushed = async ({ pushes }: { readonly pushes: unknown }) => {
          underWay += 1;
          expect(underWay).toBe(1);
          await s.schedule(Promise.resolve());
          recorded.push(
            ...(pushes as readonly Record<string, unknown>[]).map((row) => Number(row.discord_user_id)),
          );
          underWay -= 1;
        };
        const recordPush = createPushRecorder({ queries: { setPushed }, log: janus.deps.log });
        const come = async (index: number) => {
          await s.schedule(Promise.resolve());
          order.push(index);
          await recordPush(pushOf(index));
          expect(recorded).toContain(index);
        };
        const order: number[] = [];

        const all = Promise.all(Array.from({ length: count }, (_, index) => come(index)));
        await s.waitFor(all);

        expect(recorded).toEqual(order);
      }),
    );
  });
});
