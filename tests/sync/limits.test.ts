/** What limits of Discord's do to upkeep of all processes, and that members go on. */
import { beforeEach, describe, expect, test } from "bun:test";
import type { WorkDeps } from "../../lib/deps.ts";
import { upkeepDepsOf } from "../../lib/deps.ts";
import { refreshDueGrants } from "../../lib/grants/refresh_due.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { createShared } from "../../lib/wiring.ts";
import { leaveDuePushes, leaveGrants } from "../fixtures/backlog.ts";
import { useDatabase, useJanusForEach } from "../harness/hooks.ts";
import { createBrowser, startJanusWithForger } from "../harness/janus.ts";
import { setTime } from "../harness/rows.ts";
import { countOf, linesOf } from "../harness/seen.ts";
import { callApi } from "../harness/sign_in.ts";
import { linkMember, newUser, reachForgerCallback } from "../harness/walk.ts";
import { refusal } from "../standins/discord_faults.ts";
import type { FaultAnswer } from "../standins/faults.ts";

const PUSHES = 60;
/** The most rows that a round takes. */
const ROUND = 20;
const PAGE: FaultAnswer = {
  status: 429,
  headers: { server: "cloudflare", "content-type": "text/html; charset=UTF-8" },
  body: "<!doctype html><title>Access denied</title>error code: 1015",
};
const OF_ONE_MEMBER: FaultAnswer = {
  status: 429,
  headers: { "x-ratelimit-scope": "user", "retry-after": "900" },
  body: { message: "You are being rate limited.", retry_after: 900, global: false },
};

const database = useDatabase();
const janus = useJanusForEach(() => startJanusWithForger({ database, forger: { freshSubjects: true } }));
let other: WorkDeps;

beforeEach(() => {
  const { shared, clock } = janus;
  const world = {
    fetch: (url: string, init: RequestInit) => fetch(url, init),
    now: clock.now,
    sleep: () => Promise.resolve(),
    log: shared.log,
    version: "0.0.0-test",
  };
  other = upkeepDepsOf(createShared(shared, database.db, world));
});

const pushes = () => countOf(janus, "put_role_connection");
const left = async () => (await database.rows("select from link where push_due_at is not null")).length;
const stops = () => linesOf(janus, "upstream_stopped").map(({ code }) => code);

/** How many pushes both processes make now. */
async function pushWithBoth(): Promise<number> {
  const before = pushes();
  await runUpkeep(janus.deps);
  await runUpkeep(other);
  return pushes() - before;
}

/** Cloudflare answers all pushes with its page, until it lets them through. */
const blockAddress = () =>
  janus.discord.direct({
    choose: ({ operation }) => (operation === "put_role_connection" ? PAGE : undefined),
    done: () => undefined,
  });
const letThrough = () => janus.discord.direct(undefined);

/** A member links, reads their data and asks for a push. */
async function useJanusAsMember(): Promise<readonly number[]> {
  const browser = createBrowser(janus.url);
  const linked = await browser.get(await reachForgerCallback(browser, newUser()));
  const read = await callApi(janus, "/api/userinfo", { browser });
  const pushed = await callApi(janus, "/api/link/sync", { browser, method: "POST" });
  return [linked.status, read.status, pushed.status];
}

describe("a page of Cloudflare's", () => {
  test("stops the upkeep of both processes for a minute, then for two, and no member", async () => {
    await leaveDuePushes(janus, PUSHES);
    blockAddress();
    await runUpkeep(janus.deps);
    const met = pushes();
    letThrough();

    expect([met <= ROUND, await pushWithBoth()]).toEqual([true, 0]);
    expect(await useJanusAsMember()).toEqual([200, 200, 200]);

    janus.clock.advance(61);
    blockAddress();
    expect(await pushWithBoth()).toBeLessThanOrEqual(ROUND);
    letThrough();
    janus.clock.advance(61);
    expect(await pushWithBoth()).toBe(0);
    janus.clock.advance(300);
    await pushWithBoth();

    expect(await left()).toBe(0);
    expect(new Set(stops())).toEqual(new Set(["address_blocked"]));
  });

  test("that a member meets stops upkeep, too", async () => {
    await leaveDuePushes(janus, 1);
    const browser = createBrowser(janus.url);
    const callback = await reachForgerCallback(browser, newUser());
    janus.discord.failNext("put_role_connection", PAGE);
    expect((await browser.get(callback)).status).toBe(200);

    await runUpkeep(janus.deps);

    expect(await pushWithBoth()).toBe(0);
    expect(stops()).toContain("address_blocked");
  });
});

test("the global limit stops the upkeep of both processes for as long as Discord says", async () => {
  await leaveDuePushes(janus, PUSHES);
  janus.discord.failNext("put_role_connection", {
    status: 429,
    headers: { "x-ratelimit-global": "true", "x-ratelimit-scope": "global", "retry-after": "40" },
    body: { message: "You are being rate limited.", retry_after: 40, global: true },
  });
  await runUpkeep(janus.deps);

  expect(await pushWithBoth()).toBe(0);
  expect(await useJanusAsMember()).toEqual([200, 200, 200]);
  janus.clock.advance(41);
  expect(await pushWithBoth()).toBe(PUSHES - ROUND);
  expect(stops()).toEqual(["global_limit", "global_limit"]);
});

describe("a limit of one member", () => {
  test("puts off their push for as long as Discord says, and no other", async () => {
    await leaveDuePushes(janus, PUSHES);
    janus.discord.failNext("put_role_connection", OF_ONE_MEMBER);

    await runUpkeep(janus.deps);

    expect([pushes(), await left()]).toEqual([PUSHES, 1]);
    janus.clock.advance(890);
    expect(await pushWithBoth()).toBe(0);
    janus.clock.advance(11);
    expect([await pushWithBoth(), await left()]).toEqual([1, 0]);
    expect(stops()).toEqual([]);
  });

  test("puts off the end of their grant, and no other", async () => {
    await leaveGrants(janus, PUSHES);
    janus.clock.advance(2 * 3_600);
    janus.discord.failNext("delete_role_connection", OF_ONE_MEMBER);

    await runUpkeep(janus.deps);

    expect((await database.rows("select from discord_token")).length).toBe(1);
  });

  test("puts off the clearing of what their earlier grant left, and no other", async () => {
    await leaveGrants(janus, PUSHES);
    await database.rows(`update discord_token set clear_due_at = obtained_at`);
    janus.discord.failNext("delete_role_connection", OF_ONE_MEMBER);

    await runUpkeep(janus.deps);

    expect((await database.rows("select from discord_token where clear_due_at is not null")).length).toBe(1);
  });
});

describe("a limit of one member's refresh", () => {
  const WEEK_SECONDS = 7 * 86_400;
  const refreshes = () => countOf(janus, "token_refresh");

  /** Upkeep of either process comes every half minute. */
  async function passSeconds(seconds: number): Promise<void> {
    for (let passed = 0; passed < seconds; passed += 60) {
      janus.clock.advance(30);
      await runUpkeep(janus.deps);
      janus.clock.advance(30);
      await runUpkeep(other);
    }
  }

  test.each([
    ["their push", "update link set push_due_at = linked_at", "put_role_connection"],
    [
      "the clearing of what their earlier grant left",
      "update discord_token set clear_due_at = obtained_at, obtained_at = expires_at",
      "delete_role_connection",
    ],
    [
      "the end of their grant",
      "update discord_token set end_reason = 'unlinked', end_due_at = obtained_at",
      "delete_role_connection",
    ],
  ] as const)("puts off %s for as long as Discord says", async (_, makeDue, operation) => {
    await leaveDuePushes(janus, 1);
    await database.rows("update link set push_due_at = null");
    janus.clock.advance(WEEK_SECONDS + 60);
    janus.discord.failNext("token_refresh", OF_ONE_MEMBER);
    await refreshDueGrants(janus.deps);
    if (operation === "delete_role_connection") await database.rows("delete from link");
    await database.rows(makeDue);

    await runUpkeep(other);
    await passSeconds(14 * 60);
    const early = [refreshes(), countOf(janus, operation)];
    await passSeconds(5 * 60);

    expect(early).toEqual([1, 0]);
    expect([refreshes(), countOf(janus, operation)]).toEqual([2, 1]);
    expect(linesOf(janus, "grant_given_up")).toEqual([]);
  });

  test("puts off no push of anybody else", async () => {
    await leaveDuePushes(janus, PUSHES);
    await database.rows(`update discord_token set expires_at = obtained_at,
      refresh_retry_at = obtained_at + interval '15 minutes' where discord_user_id in
        (select discord_user_id from discord_token order by discord_user_id limit ${ROUND})`);

    expect(await pushWithBoth()).toBe(PUSHES - ROUND);
    expect(refreshes()).toBe(0);
  });

  test("does not keep the member from asking for a push", async () => {
    const user = newUser();
    const browser = await linkMember(janus, user);
    janus.clock.advance(61);
    await setTime(janus, "discord_token", "expires_at", -1, user);
    janus.discord.failNext("token_refresh", OF_ONE_MEMBER);
    await refreshDueGrants(janus.deps);

    const pushed = await callApi(janus, "/api/link/sync", { browser, method: "POST" });

    expect([pushed.status, refreshes()]).toEqual([200, 2]);
  });
});

test("1,500 refusals of both processes stop upkeep until they are old, and no member", async () => {
  await leaveDuePushes(janus, PUSHES);
  await janus.deps.queries.claimCalls({
    upstream: "discord",
    calls: 0,
    perSecond: 40,
    memberCalls: 0,
    refusals: 1_499,
    goodAt: null,
    pageAt: null,
    globalUntil: null,
    now: janus.clock.now(),
  });
  expect(await pushWithBoth()).toBe(PUSHES);
  await database.rows("update link set push_due_at = linked_at");
  janus.discord.failNext("put_role_connection", refusal(403));

  const browser = createBrowser(janus.url);
  await browser.get(await reachForgerCallback(browser, newUser()));
  const before = pushes();
  await runUpkeep(janus.deps);

  expect([pushes() - before, await pushWithBoth()]).toEqual([0, 0]);
  expect(await useJanusAsMember()).toEqual([200, 200, 200]);
  expect(linesOf(janus, "upstream_stopped")).toMatchObject([
    { level: "error", code: "too_many_refusals" },
    { level: "error", code: "too_many_refusals" },
  ]);
  janus.clock.advance(16 * 60);
  await pushWithBoth();
  expect(await left()).toBe(0);
});
