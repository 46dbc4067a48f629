/** The budget that all processes share at Discord and at the provider: the row, and the calls that wait for their turn. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Queries } from "../../lib/database/queries.ts";
import { createQueries } from "../../lib/database/queries.ts";
import { databaseUnavailable, discordUnavailable, providerUnavailable } from "../../lib/errors.ts";
import type { Answer, Upstream } from "../../lib/oauth/upstream.ts";
import { createUpstreamBudgets, DISCORD_PER_SECOND } from "../../lib/sync/budget.ts";
import type { Budgeted } from "../../lib/sync/stops.ts";
import type { Log } from "../../lib/telemetry/log.ts";
import { NO_LOG } from "../../lib/telemetry/log.ts";
import { CLOCK_TOLERANCE_SECONDS } from "../../lib/time.ts";
import { createVirtualTime } from "../fixtures/virtual_time.ts";
import { emptyDatabase } from "../harness/database.ts";
import { useDatabase } from "../harness/hooks.ts";
import { rejection } from "../harness/rejection.ts";

const NOW = new Date("2031-05-06T07:08:09Z");
const MINUTE_SECONDS = 60;
const DAY_SECONDS = 86_400;
/** In which Discord counts. */
const WINDOW_SECONDS = 600;
const MOST_REFUSALS = 1_500;
/** How long a refusal of NOW counts, whose minute began nine seconds before. */
const COUNTED_SECONDS = 16 * 60 - 9;
const after = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1_000);

const database = useDatabase();

type Given = Parameters<Queries["claimCalls"]>[0];
const NOTHING: Given = {
  upstream: "discord",
  calls: 0,
  perSecond: 40,
  memberCalls: 0,
  refusals: 0,
  goodAt: null,
  pageAt: null,
  globalUntil: null,
  now: NOW,
};

/** What the row says after a reservation, with times in seconds from NOW. */
async function claim(given: Partial<Given>) {
  const row = await createQueries(database.db).claimCalls({ ...NOTHING, ...given });
  const seconds = (time: Date | null | undefined) =>
    time === null || time === undefined ? time : (time.getTime() - NOW.getTime()) / 1_000;
  return {
    free: seconds(row?.freeAt),
    since: seconds(row?.blockedSince),
    until: seconds(row?.blockedUntil),
    cause: row?.blockCause,
  };
}

describe("claimCalls() reserves", () => {
  test("calls one after the other, at the rate", async () => {
    const free = [
      (await claim({ calls: 20 })).free,
      (await claim({ calls: 20 })).free,
      (await claim({ calls: 10, now: after(0.6) })).free,
      (await claim({ calls: 10, now: after(5) })).free,
    ];

    expect(free).toEqual([0.5, 1, 1.25, 5.25]);
  });

  test("each upstream by itself, at a rate of its own", async () => {
    await claim({ calls: 20 });

    expect((await claim({ upstream: "provider", calls: 5, perSecond: 10 })).free).toBe(0.5);
  });

  test("after the calls of members", async () => {
    await claim({ calls: 20 });

    expect((await claim({ calls: 10, memberCalls: 20 })).free).toBe(0.5 + 0.5 + 0.25);
  });

  test("each call once when processes meet", async () => {
    await claim({});

    const rows = await Promise.all(Array.from({ length: 20 }, () => claim({ calls: 2 })));

    const free = rows.map((row) => row.free ?? 0).sort((one, other) => one - other);
    expect(free).toEqual(Array.from({ length: 20 }, (_, index) => ((index + 1) * 2) / 40));
  });

  test("from now on where a time is beyond what a correct clock can write", async () => {
    await claim({ calls: 20, now: after(CLOCK_TOLERANCE_SECONDS) });
    expect((await claim({ calls: 20 })).free).toBe(CLOCK_TOLERANCE_SECONDS + 1);

    await claim({ calls: 20, now: after(CLOCK_TOLERANCE_SECONDS + 2 * MINUTE_SECONDS) });
    expect((await claim({ calls: 20 })).free).toBe(0.5);
  });
});

describe("claimCalls() and a page of Cloudflare's", () => {
  const NOT_BLOCKED = { since: null, until: null, cause: null };

  test("stop work for a minute, and reserve nothing meanwhile", async () => {
    expect(await claim({ calls: 20 })).toMatchObject(NOT_BLOCKED);
    const blocked = { free: 0.5, since: 0, until: MINUTE_SECONDS, cause: "address" } as const;

    expect(await claim({ calls: 20, pageAt: NOW })).toEqual(blocked);
    expect(await claim({ calls: 20 })).toEqual(blocked);
    expect(await claim({ calls: 20, now: after(60) })).toMatchObject({ free: 60.5 });
  });

  test("stop work no longer for more pages of the same block", async () => {
    await claim({ pageAt: NOW });

    expect((await claim({ pageAt: after(30), now: after(30) })).until).toBe(60);
    expect((await claim({ pageAt: after(59), now: after(59) })).until).toBe(60);
  });

  test("stop work for twice as long each time, up to an hour", async () => {
    const minutes: number[] = [];
    let at = 0;
    for (let block = 0; block < 9; block++) {
      const { until } = await claim({ pageAt: after(at), now: after(at) });
      minutes.push(((until ?? 0) - at) / 60);
      at = (until ?? 0) + 1;
    }

    expect(minutes).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
  });

  test("begin with a minute again after a good answer", async () => {
    await claim({ pageAt: NOW });
    await claim({ pageAt: after(61), now: after(61) });
    await claim({ goodAt: after(190), now: after(190) });

    expect((await claim({ pageAt: after(200), now: after(200) })).until).toBe(260);
  });

  test("take no good answer during a block for its end", async () => {
    await claim({ pageAt: NOW });

    expect((await claim({ goodAt: after(10), now: after(10) })).until).toBe(60);
    expect((await claim({ pageAt: after(61), now: after(61) })).until).toBe(61 + 120);
  });

  test("stop nothing by a time that no correct clock can have written", async () => {
    await claim({ pageAt: after(2 * 3_600), now: after(2 * 3_600) });

    expect(await claim({ calls: 20 })).toEqual({ free: 0.5, ...NOT_BLOCKED });
  });

  test("concern one upstream", async () => {
    await claim({ pageAt: NOW });

    expect(await claim({ upstream: "provider" })).toMatchObject(NOT_BLOCKED);
  });
});

test("claimCalls() stops work for as long as the global limit lasts, and not for less", async () => {
  const first = await claim({ globalUntil: after(30) });
  const shorter = await claim({ globalUntil: after(5) });
  const page = await claim({ pageAt: after(1), now: after(1) });
  const longer = await claim({ globalUntil: after(90), now: after(2) });

  expect(first).toMatchObject({ until: 30, cause: "global" });
  expect(shorter).toMatchObject({ until: 30, cause: "global" });
  expect(page).toMatchObject({ until: 61, cause: "address" });
  expect(longer).toMatchObject({ until: 90, cause: "global" });
});

describe("claimCalls() and refusals", () => {
  test("stop work at 1,500, until those that are too many are a quarter of an hour old", async () => {
    await claim({ refusals: 500 });
    await claim({ refusals: 998, now: after(110) });
    const before = await claim({ refusals: 1, now: after(200) });
    const stopped = await claim({ refusals: 1, now: after(300) });
    const more = await claim({ calls: 20, refusals: 500, now: after(599) });
    const over = await claim({ calls: 20, now: after(COUNTED_SECONDS + 60) });

    expect([before.until, before.cause]).toEqual([null, null]);
    // The first 500 were stored in the minute that began nine seconds before.
    expect(stopped).toMatchObject({ since: 300, until: COUNTED_SECONDS, cause: "refusals" });
    // With 500 more, those of the minute after the first have to go as well.
    expect(more).toMatchObject({ since: 300, until: COUNTED_SECONDS + 60, free: 599 });
    expect(over).toMatchObject({ since: null, free: COUNTED_SECONDS + 60 + 0.5 });
  });

  test("are dropped minute by minute once they do not count", async () => {
    for (let minute = 0; minute < 40; minute++) await claim({ refusals: 90, now: after(minute * 60) });

    const [row] = await database.rows("select refusals, refusal_minutes from upstream_budget");
    expect(Object.keys(row?.refusalMinutes ?? {})).toHaveLength(16);
    expect(row?.refusals).toBe(16 * 90);
  });

  test("count as of now where their minute is beyond what a correct clock can write", async () => {
    await claim({ refusals: MOST_REFUSALS - 1, now: after(DAY_SECONDS) });
    const stopped = await claim({ refusals: 1 });
    const over = await claim({ now: after(COUNTED_SECONDS) });

    expect(stopped).toMatchObject({ until: COUNTED_SECONDS, cause: "refusals" });
    expect((over.until ?? 0) > COUNTED_SECONDS).toBe(false);
  });

  test("of the sync are never more than 2,000 in any ten minutes, on any tolerated clocks", async () => {
    const processes = 3;
    const mostCalls = 100;
    const step = fc.record({
      process: fc.nat({ max: processes - 1 }),
      // Bursts with long pauses between them.
      pauseSeconds: fc.oneof(
        { weight: 12, arbitrary: fc.nat({ max: 3 }) },
        { weight: 1, arbitrary: fc.integer({ min: 100, max: 560 }) },
      ),
      calls: fc.integer({ min: 60, max: mostCalls }),
      ofMembers: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.nat({ max: 100 })),
    });
    const skews = fc.array(fc.nat({ max: CLOCK_TOLERANCE_SECONDS }), {
      minLength: processes,
      maxLength: processes,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 40, maxLength: 80 }), skews, async (steps, ahead) => {
        await emptyDatabase(database);
        const refused: { readonly at: number; readonly calls: number }[] = [];
        const untold = Array<number>(processes).fill(0);
        let at = 0;
        for (const { process, pauseSeconds, calls, ofMembers } of steps) {
          at += pauseSeconds;
          const now = after(at + (ahead[process] ?? 0));
          const refusals = (untold[process] ?? 0) + ofMembers;
          const { until } = await claim({ calls, perSecond: 1_000, refusals, now });
          const isStopped = (until ?? 0) > at + (ahead[process] ?? 0);
          // Each call that may be made is refused at once, and told at the next chance.
          untold[process] = isStopped ? 0 : calls;
          if (!isStopped) refused.push({ at, calls });
        }

        const most = Math.max(
          0,
          ...refused.map(({ at: from }) =>
            refused
              .filter((other) => other.at >= from && other.at <= from + WINDOW_SECONDS)
              .reduce((sum, { calls }) => sum + calls, 0),
          ),
        );
        expect(most).toBeLessThanOrEqual(MOST_REFUSALS + processes * mostCalls);
        expect(most).toBeLessThanOrEqual(2_000);
      }),
      { numRuns: 30 },
    );
  });

  test("stop no work while fewer than 1,500 count", async () => {
    const step = fc.record({ pauseSeconds: fc.nat({ max: 120 }), refusals: fc.nat({ max: 300 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        await emptyDatabase(database);
        const told: { readonly minute: number; readonly refusals: number }[] = [];
        let at = 0;
        for (const { pauseSeconds, refusals } of steps) {
          at += pauseSeconds;
          const minute = Math.floor(after(at).getTime() / 60_000);
          told.push({ minute, refusals });
          const counted = told.filter((other) => other.minute >= minute - 15);
          const sum = counted.reduce((total, other) => total + other.refusals, 0);

          const { until } = await claim({ refusals, now: after(at) });

          expect((until ?? 0) > at).toBe(sum >= MOST_REFUSALS);
        }
      }),
      { numRuns: 30 },
    );
  });
});

type Line = { readonly event: string; readonly code?: string | undefined; readonly level: string };

/** A process with a clock and a wait of its own; `claimCalls` may be replaced. */
function startProcess(
  world: { readonly now: () => Date; readonly sleep: (ms: number) => Promise<void> },
  wrap: (claimCalls: Queries["claimCalls"]) => Queries["claimCalls"] = (claimCalls) => claimCalls,
  providerPerSecond = 10,
) {
  const lines: Line[] = [];
  const at =
    (level: string): Log["info"] =>
    (event, { code } = {}) =>
      void lines.push({ event, code, level });
  const log = { ...NO_LOG, warn: at("warn"), error: at("error") };
  const { claimCalls } = createQueries(database.db);
  const budgets = createUpstreamBudgets({
    ...world,
    queries: { claimCalls: wrap(claimCalls) },
    log,
    providerPerSecond,
  });
  const clientOf = (name: Budgeted, waitsForTurn: boolean): Upstream => ({
    name,
    fetch: () => Promise.reject(new Error("nothing is sent")),
    log: NO_LOG,
    deadlineMs: 1,
    userAgent: "",
    unavailable: name === "discord" ? discordUnavailable : providerUnavailable,
    clientRejected: discordUnavailable,
    waitsForTurn,
  });
  const call = (name: Budgeted = "discord") => budgets[name].meter.admit(clientOf(name, true), "put");
  const callForMember = () => budgets.discord.meter.admit(clientOf("discord", false), "put");
  const note = (status: number, text: string, headers: Readonly<Record<string, string>> = {}) => {
    const answer: Answer = { status, text, headers: new Headers(headers) };
    budgets.discord.meter.note(answer);
  };
  return { budgets, call, callForMember, note, lines };
}

const PAGE = "<!doctype html><title>Access denied</title>";

/** A clock that stands, and waits that are only counted. */
function standStill() {
  const waits: number[] = [];
  let nowMs = NOW.getTime();
  return {
    waits,
    world: { now: () => new Date(nowMs), sleep: async (ms: number) => void waits.push(ms) },
    skip: (seconds: number) => {
      nowMs += seconds * 1_000;
    },
  };
}

describe("calls that wait for their turn", () => {
  test("are in any second no more than the rate, whatever the order", async () => {
    const arrival = fc.record({
      process: fc.nat({ max: 2 }),
      atMs: fc.nat({ max: 3_000 }),
      calls: fc.integer({ min: 1, max: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(arrival, { minLength: 1, maxLength: 8 }),
        fc.constantFrom(1, 7, 10, 40),
        async (arrivals, perSecond) => {
          await emptyDatabase(database);
          const time = createVirtualTime(NOW.getTime());
          const wrap = (claimCalls: Queries["claimCalls"]) => (given: Given) =>
            time.duringWork(claimCalls(given));
          const processes = [0, 1, 2].map(() => startProcess(time, wrap, perSecond));
          const sent: number[] = [];
          const put: unknown[] = [];
          const callOnce = async (index: number) => {
            try {
              await processes[index]?.call("provider");
              sent.push(time.now().getTime());
            } catch (error) {
              put.push(error);
            }
          };

          await time.run(
            Promise.all(
              arrivals.map(async ({ process, atMs, calls }) => {
                await time.sleep(atMs);
                await Promise.all(Array.from({ length: calls }, () => callOnce(process)));
              }),
            ),
          );

          expect(sent.length + put.length).toBe(arrivals.reduce((sum, { calls }) => sum + calls, 0));
          // The first call of a second, and the one that is one too many for it. Times are in whole milliseconds.
          const spans = sent.slice(perSecond).map((at, index) => at - (sent[index] ?? 0));
          expect(Math.min(1_000, ...spans)).toBeGreaterThanOrEqual(998);
        },
      ),
      { numRuns: 25 },
    );
  });

  test("of processes two minutes apart are all sent or put off, and for a moment at twice the rate at most", async () => {
    const perSecond = 10;
    const arrival = fc.record({
      process: fc.nat({ max: 1 }),
      atMs: fc.nat({ max: 200_000 }),
      calls: fc.integer({ min: 1, max: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(arrival, { minLength: 4, maxLength: 16 }), async (arrivals) => {
        await emptyDatabase(database);
        const time = createVirtualTime(NOW.getTime());
        const wrap = (claimCalls: Queries["claimCalls"]) => (given: Given) =>
          time.duringWork(claimCalls(given));
        const processes = [0, 120].map((ahead) => {
          const now = () => new Date(time.now().getTime() + ahead * 1_000);
          return startProcess({ now, sleep: time.sleep }, wrap, perSecond);
        });
        const sent: number[] = [];
        const codes: string[] = [];
        const callOnce = (index: number) =>
          processes[index]?.call("provider").then(
            () => void sent.push(time.now().getTime()),
            ({ code }: { readonly code: string }) => void codes.push(code),
          );

        await time.run(
          Promise.all(
            arrivals.map(async ({ process, atMs, calls }) => {
              await time.sleep(atMs);
              await Promise.all(Array.from({ length: calls }, () => callOnce(process)));
            }),
          ),
        );

        expect(sent.length + codes.length).toBe(arrivals.reduce((sum, { calls }) => sum + calls, 0));
        expect(codes.filter((code) => code !== "provider_unavailable")).toEqual([]);
        sent.sort((one, other) => one - other);
        const spans = sent.slice(2 * perSecond).map((at, index) => at - (sent[index] ?? 0));
        expect(Math.min(1_000, ...spans)).toBeGreaterThanOrEqual(998);
      }),
      { numRuns: 15 },
    );
  });

  test("wait a quarter of a second at most for those that a killed process has reserved", async () => {
    const time = createVirtualTime(NOW.getTime());
    const wrap = (claimCalls: Queries["claimCalls"]) => (given: Given) => time.duringWork(claimCalls(given));
    await claim({ calls: DISCORD_PER_SECOND / 4 });
    const { call } = startProcess(time, wrap);

    await time.run(call());

    expect(time.now().getTime() - NOW.getTime()).toBeLessThanOrEqual(250);
  });

  test("are not sent later than a lease allows", async () => {
    const time = createVirtualTime(NOW.getTime());
    const wrap = (claimCalls: Queries["claimCalls"]) => (given: Given) => time.duringWork(claimCalls(given));
    const { call } = startProcess(time, wrap);
    await claim({ calls: DISCORD_PER_SECOND * 31, now: NOW });

    const failed = rejection(call());
    await time.run(failed);

    expect(await failed).toMatchObject({ code: "discord_unavailable", isUntaken: true, limit: "global" });
  });

  test("are not sent either after many short waits that were too long together", async () => {
    const time = createVirtualTime(NOW.getTime());
    const wrap = (claimCalls: Queries["claimCalls"]) => async (given: Given) => {
      await time.sleep(12_000);
      return time.duringWork(claimCalls(given));
    };
    const { call } = startProcess(time, wrap, 1);
    const results: string[] = [];
    const callOnce = async () => {
      const failure = await call("provider").then(
        () => "sent",
        ({ code }: { readonly code: string }) => code,
      );
      results.push(failure);
    };

    await time.run(Promise.all(Array.from({ length: 5 }, callOnce)));

    expect(results).toEqual(["sent", "sent", "sent", "provider_unavailable", "provider_unavailable"]);
  });

  test("make room for the calls of members, which wait for nothing", async () => {
    const { world } = standStill();
    const { call, callForMember } = startProcess(world);
    for (let count = 0; count < 80; count++) await callForMember();

    await call();

    expect((await claim({})).free).toBe((80 + 1) / DISCORD_PER_SECOND);
  });

  test("make no room for calls that members made long ago", async () => {
    const { world, skip } = standStill();
    const { call, callForMember } = startProcess(world);
    for (let count = 0; count < 80; count++) await callForMember();
    skip(3);

    await call();

    expect((await claim({})).free).toBe(3 + 1 / DISCORD_PER_SECOND);
  });

  test("fail without the database, as calls that were not sent", async () => {
    const { world } = standStill();
    const cause = databaseUnavailable("away");
    const { call } = startProcess(world, () => () => Promise.reject(cause));

    const failures = await Promise.all([rejection(call()), rejection(call())]);

    expect(failures).toMatchObject([
      { code: "discord_unavailable", isUntaken: true, cause },
      { code: "discord_unavailable", isUntaken: true, cause },
    ]);
  });

  test("wait no longer than their turn asks when the clock is put back", async () => {
    let nowMs = NOW.getTime();
    const waits: number[] = [];
    const sleep = async (ms: number) => {
      waits.push(ms);
      nowMs += waits.length === 3 ? -3_600_000 : ms;
    };
    const { call } = startProcess({ now: () => new Date(nowMs), sleep });

    await Promise.all(Array.from({ length: 10 }, () => call()));

    expect(waits.length).toBeGreaterThan(5);
    expect(Math.max(...waits)).toBeLessThanOrEqual(1_000 / DISCORD_PER_SECOND);
  });
});

describe("work that is stopped", () => {
  test("begins in no process, and ends in those that have begun, after a page of Cloudflare's", async () => {
    const { world, skip } = standStill();
    const [first, second] = [startProcess(world), startProcess(world)];
    expect(await second.budgets.mayBegin(["discord"])).toBe(true);
    first.note(429, "error code: 1015");

    const inSameRound = await rejection(first.call());
    await first.budgets.report();
    skip(2);
    const begins = [
      await first.budgets.mayBegin(["discord"]),
      await second.budgets.mayBegin(["discord", "provider"]),
      await second.budgets.mayBegin(["provider"]),
    ];
    const inOtherRound = await rejection(second.call());
    await second.callForMember();

    expect(begins).toEqual([false, false, true]);
    expect(inSameRound).toMatchObject({ limit: "address", retryAfterSeconds: 60, isUntaken: true });
    expect(inOtherRound).toMatchObject({ limit: "address", retryAfterSeconds: 58, isUntaken: true });
    skip(58);
    expect(await second.budgets.mayBegin(["discord"])).toBe(true);
    await second.call();
  });

  test("is announced once in each process, with its cause", async () => {
    const { world, skip } = standStill();
    const { budgets, note, lines } = startProcess(world);
    note(403, PAGE);
    for (let look = 0; look < 3; look++) {
      await budgets.report();
      await budgets.mayBegin(["discord"]);
      skip(5);
    }
    skip(60);
    note(429, JSON.stringify({ retry_after: 30, global: true, message: "slow down" }));
    await budgets.report();

    expect(lines).toEqual([
      { event: "upstream_stopped", code: "address_blocked", level: "warn" },
      { event: "upstream_stopped", code: "global_limit", level: "warn" },
    ]);
  });

  test.each([
    ["a day", '{"retry_after": 86400, "global": true}', 3_600],
    ["more than any number", '{"retry_after": 1e999, "global": true}', 3_600],
    ["less than nothing", '{"retry_after": -5, "global": true}', 60],
    ["no number", '{"retry_after": "soon", "global": true}', 60],
  ])("waits within an hour for a global limit that asks for %s", async (_, text, seconds) => {
    const { world } = standStill();
    const { budgets, call, note } = startProcess(world);
    note(429, text);
    await budgets.report();

    const failure = await rejection(call());

    expect(failure).toMatchObject({ retryAfterSeconds: seconds, limit: "global", isUntaken: true });
    expect(budgets.listStops()).toEqual([
      { upstream: "discord", code: "global_limit", since: NOW, until: after(seconds) },
    ]);
  });

  test("begins again when a short global limit is over, without a failure", async () => {
    let nowMs = NOW.getTime();
    const sleep = async (ms: number) => {
      nowMs += ms;
    };
    const { call, note } = startProcess({ now: () => new Date(nowMs), sleep });
    note(429, JSON.stringify({ retry_after: 2, global: true, message: "slow down" }));

    await call();

    expect(nowMs - NOW.getTime()).toBe(2_000);
  });

  test("is not stopped by a limit of one member's", async () => {
    const { world } = standStill();
    const { budgets, call, note } = startProcess(world);
    note(429, JSON.stringify({ retry_after: 900, global: false, message: "slow down" }), {
      "x-ratelimit-scope": "user",
    });
    await budgets.report();

    expect(await budgets.mayBegin(["discord"])).toBe(true);
    await call();
  });

  test("counts refusals of all processes, members' too, and stops at 1,500", async () => {
    const { world } = standStill();
    const processes = Array.from({ length: 4 }, () => startProcess(world));
    for (const { note, budgets } of processes) {
      for (let count = 0; count < MOST_REFUSALS / 4; count++)
        note(403, JSON.stringify({ message: "no", code: 50_001 }));
      await budgets.report();
    }

    const failure = await rejection(processes[0]?.call() ?? Promise.resolve());

    expect(failure).toMatchObject({ retryAfterSeconds: COUNTED_SECONDS, isUntaken: true });
    expect(processes.map(({ lines }) => lines.map(({ code }) => code))).toEqual([
      ["too_many_refusals"],
      [],
      [],
      ["too_many_refusals"],
    ]);
  });

  test("loses nothing that the database did not store", async () => {
    const { world } = standStill();
    let isAway = true;
    const { budgets, note } = startProcess(
      world,
      (claimCalls) => (given) => (isAway ? Promise.reject(databaseUnavailable("away")) : claimCalls(given)),
    );
    note(403, PAGE);
    note(401, JSON.stringify({ message: "401: Unauthorized", code: 0 }));
    await rejection(budgets.report());
    isAway = false;

    await budgets.report();

    expect(await database.rows("select refusals, blocks, block_cause from upstream_budget")).toEqual([
      { refusals: 2, blocks: 1, blockCause: "address" },
    ]);
  });
});
