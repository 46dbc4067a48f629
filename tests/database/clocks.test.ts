/** Processes whose clocks differ share one database: within the tolerance nothing is lost, and no time from the future is believed. */
import { beforeEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import * as v from "valibot";
import { createApp } from "../../index.ts";
import { syncOf, syncSchema } from "../../lib/config/sync_settings.ts";
import { createClockWatch } from "../../lib/database/clock_watch.ts";
import type { Deps, WorkDeps } from "../../lib/deps.ts";
import { upkeepDepsOf } from "../../lib/deps.ts";
import { databaseUnavailable } from "../../lib/errors.ts";
import { LEASE_SECONDS } from "../../lib/grants/refresh_lease.ts";
import { runUpkeep, startUpkeep } from "../../lib/server/upkeep.ts";
import { deleteExpiredSessions } from "../../lib/session/ending.ts";
import { SESSION_TTL_SECONDS } from "../../lib/session/secrets.ts";
import { nextCheckAt } from "../../lib/sync/check.ts";
import { PUSH_LEASE_SECONDS } from "../../lib/sync/push.ts";
import type { Log } from "../../lib/telemetry/log.ts";
import { NO_LOG } from "../../lib/telemetry/log.ts";
import { CLOCK_TOLERANCE_SECONDS } from "../../lib/time.ts";
import { createShared } from "../../lib/wiring.ts";
import { emptyDatabase } from "../harness/database.ts";
import { useJanus } from "../harness/hooks.ts";
import { createBrowser, startJanusWithForger, UNHEARD } from "../harness/janus.ts";
import { cookieOf, secretsOf, signIn } from "../harness/sign_in.ts";
import { newUser, reachForgerCallback } from "../harness/walk.ts";

const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 86_400;
/** How far ahead a check may be due. The longest time between two checks is less, so the limit leaves some room. */
const CHECK_SECONDS = 41 * DAY_SECONDS - CLOCK_TOLERANCE_SECONDS;
/** What is under way while a lease holds, at most. */
const WORK_SECONDS = LEASE_SECONDS - CLOCK_TOLERANCE_SECONDS;

const janus = useJanus(() => startJanusWithForger());
beforeEach(() => emptyDatabase(janus.database));

const after = (seconds: number): Date => new Date(janus.clock.now().getTime() + seconds * 1_000);

/** Another process on the same database, whose clock is that many seconds ahead. */
function processAhead(seconds: number) {
  const world = {
    fetch: (url: string, init: RequestInit) => fetch(url, init),
    now: () => after(seconds),
    sleep: (ms: number) => Bun.sleep(ms),
    log: janus.shared.log,
    version: "0.0.0-test",
  };
  const shared = createShared(janus.shared, janus.database.db, world);
  const deps = upkeepDepsOf(shared);
  const tried = Promise.withResolvers<void>();
  const claimSessionRefresh: Deps["queries"]["claimSessionRefresh"] = async (values) => {
    const claimed = await deps.queries.claimSessionRefresh(values);
    tried.resolve();
    return claimed;
  };
  const app = createApp({ ...shared, queries: { ...deps.queries, claimSessionRefresh } }, UNHEARD);
  const ask = async (path: string, cookie: string) =>
    app.fetch(new Request(new URL(path, janus.url), { headers: { cookie, accept: "application/json" } }));
  /** `hasTried` settles once it has claimed a refresh, or was refused. */
  return { deps, ask, hasTried: tried.promise };
}

/** A member with a link, a session, a flow under way, and an account at the provider that nobody has linked. */
const ROWS = `
insert into discord_account values ('1', 'name', null, $now, $now);
insert into discord_token values ('1', 'at', 'rt', 'identify', $now, $now);
insert into organisation_account values ('i', 's', '{}', $now, $now), ('i', 'unlinked', '{}', $now, $now);
insert into organisation_token values ('i', 's', 'pt', null, null, $now), ('i', 'unlinked', 'pt', null, null, $now);
insert into link values ('1', 'i', 's', $now);
insert into session values (repeat('a', 64), 'handle', '1', 'st', 'sr', $now, null, $now, $now, $now)`;
/** Makes the member's grant one that is to end, or that nothing needs. */
const UNLINKED = "delete from link";
const UNNEEDED = `${UNLINKED}; delete from session`;
const ENDING = `${UNLINKED}; update discord_token set end_reason = 'unlinked', end_due_at = $now`;
/** An end that keeps no member out any more, unless it is tried at this moment. */
const FAILING = `${ENDING}, end_failures = 5`;

const run = async (statements: string): Promise<void> => {
  const now = `timestamptz '${janus.clock.now().toISOString()}'`;
  for (const statement of statements.split(";")) await janus.database.rows(statement.replaceAll("$now", now));
};

type Kind = {
  readonly column: string;
  /** How far ahead it may lie by the clock that wrote it. */
  readonly aheadSeconds: number;
  readonly where?: string;
  readonly before?: string;
  /** Whether it was claimed, now. */
  readonly claim: (deps: WorkDeps, now: Date) => Promise<boolean>;
};

const lease = (now: Date, seconds = LEASE_SECONDS) => ({
  limit: 20,
  leasedUntil: new Date(now.getTime() + seconds * 1_000),
  now,
});
const hourBefore = (now: Date): Date => new Date(now.getTime() - HOUR_SECONDS * 1_000);
const claimRefresh: Kind["claim"] = async ({ queries }, now) =>
  (await queries.claimRefresh({ discordUserId: "1", ...lease(now), isAwaited: false })) !== undefined;
const claimSessionRefresh: Kind["claim"] = async ({ queries }, now) => {
  const session = { sessionIdHash: "a".repeat(64), accessTokenSealed: "st" };
  return (await queries.claimSessionRefresh({ ...session, ...lease(now) })) !== undefined;
};
const claimEnd: Kind["claim"] = async ({ queries }, now) => {
  return (await queries.claimEndDue({ ...lease(now), onlyDiscordUserId: null })).length === 1;
};
const claimProviderEnd: Kind["claim"] = async ({ queries }, now) =>
  (await queries.claimProviderEndDue(lease(now))).length === 1;
const markAbandoned: Kind["claim"] = async ({ queries }, now) =>
  (await queries.setDiscordAbandoned({ limit: 20, obtainedBefore: hourBefore(now), now }))?.marked === 1;
const markProviderAbandoned: Kind["claim"] = async ({ queries }, now) =>
  (await queries.setProviderAbandoned({ limit: 20, seenBefore: hourBefore(now), now }))?.marked === 1;
const claimClear: Kind["claim"] = async ({ queries }, now) =>
  (await queries.claimClearDue(lease(now))).length === 1;
const claimPush: Kind["claim"] = async ({ queries }, now) =>
  (await queries.claimPushDue(lease(now, PUSH_LEASE_SECONDS))).length === 1;
const claimCheck: Kind["claim"] = async ({ queries }, now) =>
  (await queries.claimCheckDue({ ...lease(now), isAwaited: false })).length === 1;
const claimSync: Kind["claim"] = async ({ queries }, now) => {
  const askedBefore = new Date(now.getTime() - 60_000);
  const values = { discordUserId: "1", askedBefore, operator: null, ...lease(now) };
  return (await queries.setSyncAsked(values))?.isAsked === true;
};

/** What a sign-in brings, by either flow. */
const broughtBy = (now: Date) => ({
  discordUserId: "1",
  username: "name",
  globalName: null,
  scope: "identify",
  accessTokenSealed: "new",
  refreshTokenSealed: "new",
  requestId: "r",
  now,
});
const beginFlow: Kind["claim"] = async ({ queries }, now) => {
  const flow = {
    flowIdHash: "b".repeat(64),
    flowExpiresAt: now,
    expiresAt: now,
    sessionAccessTokenSealed: "s",
  };
  return (await queries.finishDiscordLeg({ ...broughtBy(now), ...flow })) !== undefined;
};
const beginSession: Kind["claim"] = async ({ queries }, now) => {
  const { scope: _, ...brought } = broughtBy(now);
  const session = { sessionIdHash: "b".repeat(64), sessionHandle: "b", userAgent: null, tokenExpiresAt: now };
  const keys = {
    sessionKeyHash: "c".repeat(64),
    replacedSessionKeyHashes: null,
    replacedSessionIdHashes: null,
  };
  return (await queries.logIn({ ...brought, ...session, ...keys, expiresAt: now })) !== undefined;
};

const provider = {
  before: "update organisation_token set end_due_at = $now where subject = 's'",
  where: "subject = 's'",
};
const KINDS: readonly Kind[] = [
  { column: "link.push_due_at", aheadSeconds: 6 * HOUR_SECONDS, claim: claimPush },
  {
    column: "link.push_leased_until",
    aheadSeconds: PUSH_LEASE_SECONDS,
    before: "update link set push_due_at = $now",
    claim: claimPush,
  },
  { column: "link.check_due_at", aheadSeconds: CHECK_SECONDS, claim: claimCheck },
  {
    column: "link.check_leased_until",
    aheadSeconds: LEASE_SECONDS,
    before: "update link set check_due_at = $now",
    claim: claimCheck,
  },
  { column: "link.sync_asked_at", aheadSeconds: 0, claim: claimSync },
  { column: "session.leased_until", aheadSeconds: LEASE_SECONDS, claim: claimSessionRefresh },
  { column: "discord_token.leased_until", aheadSeconds: LEASE_SECONDS, claim: claimRefresh },
  { column: "discord_token.leased_until", aheadSeconds: LEASE_SECONDS, before: ENDING, claim: claimEnd },
  { column: "discord_token.end_due_at", aheadSeconds: HOUR_SECONDS, before: ENDING, claim: claimEnd },
  { column: "discord_token.leased_until", aheadSeconds: LEASE_SECONDS, before: FAILING, claim: beginFlow },
  { column: "discord_token.leased_until", aheadSeconds: LEASE_SECONDS, before: FAILING, claim: beginSession },
  {
    column: "discord_token.obtained_at",
    aheadSeconds: 0,
    before: UNNEEDED,
    claim: markAbandoned,
  },
  {
    column: "discord_token.leased_until",
    aheadSeconds: LEASE_SECONDS,
    before: `${UNNEEDED}; update discord_token set obtained_at = $now - interval '2 hours'`,
    claim: markAbandoned,
  },
  { column: "discord_token.clear_due_at", aheadSeconds: HOUR_SECONDS, before: UNLINKED, claim: claimClear },
  {
    column: "organisation_token.leased_until",
    aheadSeconds: LEASE_SECONDS,
    ...provider,
    claim: claimProviderEnd,
  },
  {
    column: "organisation_token.end_due_at",
    aheadSeconds: HOUR_SECONDS,
    ...provider,
    claim: claimProviderEnd,
  },
  {
    column: "organisation_account.claims_seen_at",
    aheadSeconds: 0,
    before: "update organisation_token set obtained_at = $now - interval '2 hours'",
    where: "subject = 'unlinked'",
    claim: markProviderAbandoned,
  },
  {
    column: "organisation_token.leased_until",
    aheadSeconds: LEASE_SECONDS,
    before: `update organisation_account set claims_seen_at = $now - interval '2 hours';
      update organisation_token set obtained_at = $now - interval '2 hours'`,
    where: "subject = 'unlinked'",
    claim: markProviderAbandoned,
  },
  {
    column: "organisation_token.obtained_at",
    aheadSeconds: 0,
    before: "update organisation_account set claims_seen_at = $now - interval '2 hours'",
    where: "subject = 'unlinked'",
    claim: markProviderAbandoned,
  },
];

test.each(KINDS.map((kind) => [kind.claim.name, kind.column, kind] as const))(
  "%s trusts %s within limits",
  async (_claim, _column, kind) => {
    const { column, aheadSeconds, where = "true", before = "select 1", claim } = kind;
    const [table = "", name = ""] = column.split(".");
    const claimedAt = async (seconds: number): Promise<boolean> => {
      await emptyDatabase(janus.database);
      await run(`${ROWS}; ${before}`);
      await janus.database.rows(
        `update ${table} set ${name} = '${after(seconds).toISOString()}' where ${where}`,
      );
      return claim(janus.deps, janus.clock.now());
    };

    const within = await claimedAt(aheadSeconds + CLOCK_TOLERANCE_SECONDS - 1);
    const dayAhead = await claimedAt(aheadSeconds + DAY_SECONDS);
    const yearAhead = await claimedAt(365 * DAY_SECONDS);

    expect({ within, dayAhead, yearAhead }).toEqual({ within: false, dayAhead: true, yearAhead: true });
  },
);

test("nextCheckAt() stays within what claimCheckDue() trusts, however seldom checks are", () => {
  const longest = 720;
  const hours = (count: number) => syncOf(v.parse(syncSchema, { SYNC_EVERY_HOURS: String(count) }));
  const config = { ...janus.config, sync: hours(longest) };

  const due = Array.from({ length: 500 }, () => nextCheckAt({ config }, janus.clock.now()));

  expect(() => hours(longest + 1)).toThrow();
  expect(Math.max(...due.map(Number))).toBeLessThan(after(CHECK_SECONDS).getTime());
});

describe("a time in the future", () => {
  test("does not keep a member from Sync now", async () => {
    const browser = createBrowser(janus.url);
    await browser.get(await reachForgerCallback(browser, newUser()));
    await run(
      "update link set sync_asked_at = $now + interval '1 day', push_due_at = $now + interval '1 day'",
    );
    const asked = await fetch(new URL("/api/link/sync", janus.url), {
      method: "POST",
      headers: { cookie: browser.jar.header(new URL(janus.url)), origin: janus.url },
    });

    expect(asked.status).toBe(200);
  });

  test("makes no session last: it ends a week later", async () => {
    const user = newUser();
    await signIn(janus, user);
    await run(`update session set created_at = $now + interval '1 year', last_used_at = $now + interval '1 year',
      expires_at = $now + interval '13 months'`);
    const find = async (seconds: number) => {
      const sessions = await janus.database.rows("select session_id_hash, session_key_hash from session");
      const [now, idleSince] = [after(seconds), after(seconds - 7 * DAY_SECONDS)];
      return janus.deps.queries.findSession({
        sessionIdHash: String(sessions[0]?.sessionIdHash),
        sessionKeyHashes: String(sessions[0]?.sessionKeyHash),
        now,
        idleSince,
      });
    };

    await deleteExpiredSessions(janus.deps, 100);
    const [row] = await janus.database.rows("select created_at, last_used_at, expires_at from session");
    const found = [await find(0), await find(7 * DAY_SECONDS + 60)].map((session) => session !== undefined);

    expect(found).toEqual([true, false]);
    const latest = Object.values(row ?? {}).map((time) =>
      Math.round(((time as Date).getTime() - janus.clock.now().getTime()) / 1_000),
    );
    expect(latest.map((seconds, index) => seconds <= (index === 2 ? SESSION_TTL_SECONDS : 0))).toEqual([
      true,
      true,
      true,
    ]);
  });

  test("of a session is left alone within the tolerance", async () => {
    await signIn(janus, newUser());
    await run(`update session set last_used_at = $now + interval '299 seconds',
      expires_at = $now + interval '30 days 299 seconds'`);
    const before = await janus.database.rows("select last_used_at, expires_at from session");

    await deleteExpiredSessions(janus.deps, 100);

    expect(await janus.database.rows("select last_used_at, expires_at from session")).toEqual(before);
  });

  test("makes no flow last, unless within the tolerance", async () => {
    const begin = async () => {
      const browser = createBrowser(janus.url);
      await reachForgerCallback(browser, newUser());
    };
    await begin();
    await run("update flow set created_at = $now + interval '1 day', expires_at = $now + interval '1 day'");
    await begin();
    await run(
      "update flow set created_at = $now + interval '299 seconds' where created_at < $now + interval '1 hour'",
    );

    await runUpkeep(janus.deps);

    expect(await janus.database.rows("select created_at from flow")).toHaveLength(1);
  });

  test("does not change the order of the trail", async () => {
    const discordUserId = newUser();
    const values = { action: "data_exported", discordUserId } as const;
    for (const [requestId, seconds] of [
      ["first", 200],
      ["second", 0],
      ["third", -200],
    ] as const)
      await janus.deps.queries.insertAuditEvent({ ...values, requestId, now: after(seconds) });

    const trail = await janus.deps.queries.listAuditEvents({ discordUserId });

    expect(trail.map(({ requestId }) => requestId)).toEqual(["third", "second", "first"]);
  });
});

describe("a lease", () => {
  const skew = fc.integer({ min: 0, max: CLOCK_TOLERANCE_SECONDS });

  test.each([
    ["a member's tokens", "discord_token", claimRefresh],
    ["a session's tokens", "session", claimSessionRefresh],
  ] as const)("on %s outlasts its work, on any tolerated clock", async (_, table, claim) => {
    await run(ROWS);
    const begun = janus.clock.now().getTime();
    const at = (seconds: number) => new Date(begun + seconds * 1_000);
    await fc.assert(
      fc.asyncProperty(skew, skew, fc.nat({ max: WORK_SECONDS - 1 }), async (first, second, later) => {
        await run(`update ${table} set leased_until = null`);

        expect(await claim(janus.deps, at(first))).toBe(true);
        expect(await claim(janus.deps, at(second + later))).toBe(false);
      }),
      { numRuns: 30 },
    );
  });

  test.each([
    ["ahead", DAY_SECONDS],
    ["behind", -DAY_SECONDS],
  ] as const)("of a process that died, a day %s, is over within the hour", async (_, seconds) => {
    for (const claim of [claimRefresh, claimSessionRefresh]) {
      await emptyDatabase(janus.database);
      await run(ROWS);

      expect(await claim(janus.deps, after(seconds))).toBe(true);
      expect(await claim(janus.deps, after(HOUR_SECONDS))).toBe(true);
    }
  });
});

/** A member who is signed in, with tokens that have run out for every clock. */
async function expiredSession() {
  const user = newUser();
  const browser = await signIn(janus, user);
  await run(
    `update session set token_expires_at = $now - interval '1 day' where discord_user_id = '${user}'`,
  );
  for (const { token } of janus.discord.tokens(user).filter(({ kind }) => kind === "access"))
    janus.discord.expireAccessToken(token);
  return { user, cookie: cookieOf(secretsOf(janus, browser)) };
}

describe("two processes whose clocks differ", () => {
  const refreshes = () => janus.discord.calls.filter(({ operation }) => operation === "token_refresh").length;

  /** Both are asked for the member at the same moment, while the first refreshes. */
  async function askBoth(seconds: readonly [number, number]) {
    const { cookie } = await expiredSession();
    const before = refreshes();
    const refresh = janus.discord.gate("token_refresh", "answer");
    const first = processAhead(seconds[0]).ask("/api/userinfo", cookie);
    await refresh.arrived;
    const second = processAhead(seconds[1]);
    const answer = second.ask("/api/userinfo", cookie);
    await second.hasTried;
    refresh.release();
    const answers = await Promise.all([first, answer]);
    return { statuses: answers.map(({ status }) => status), refreshes: refreshes() - before };
  }

  test.each([
    [0, 120],
    [120, 0],
    [-150, 149],
    [149, -150],
  ] as const)("by %i and %i seconds refresh a session once", async (one, other) => {
    for (let time = 0; time < 5; time++)
      expect(await askBoth([one, other])).toEqual({ statuses: [200, 200], refreshes: 1 });
  });

  test("by anything tolerated refresh a session once", async () => {
    const skew = fc.integer({ min: -CLOCK_TOLERANCE_SECONDS / 2, max: CLOCK_TOLERANCE_SECONDS / 2 });
    await fc.assert(
      fc.asyncProperty(skew, skew, async (one, other) => {
        expect(await askBoth([one, other])).toEqual({ statuses: [200, 200], refreshes: 1 });
      }),
      { numRuns: 15 },
    );
  });
});

describe("createClockWatch()", () => {
  /** What it says of a clock, and of the same clock so much later. */
  async function watch(seconds: number, laterSeconds: readonly number[] = [], failures = 0) {
    const lines: (readonly [string, string | undefined])[] = [];
    const warn: Log["warn"] = (event, { reason } = {}) => void lines.push([event, reason]);
    let [time, left] = [seconds, failures];
    const look = createClockWatch({
      now: () => after(time),
      readDatabaseClock: async () => {
        left -= 1;
        if (left >= 0) throw databaseUnavailable("not now");
        return janus.clock.now();
      },
      log: { ...NO_LOG, warn },
    });
    await look();
    for (const later of laterSeconds) {
      time = seconds + later;
      await look();
    }
    return lines;
  }

  test.each([0, 149, -149])("says nothing of %i seconds", async (seconds) => {
    expect(await watch(seconds)).toEqual([]);
  });

  test.each([
    [152, "this clock is 152 seconds ahead of the database's"],
    [-200, "this clock is 200 seconds behind the database's"],
    [86_400, "this clock is 86400 seconds ahead of the database's"],
  ])("warns of %i seconds", async (seconds, words) => {
    const [line, ...others] = await watch(seconds);

    expect(line?.[0]).toBe("clock_differs");
    expect(line?.[1]).toStartWith(words);
    expect(others).toEqual([]);
  });

  test("warns again after an hour, and not before", async () => {
    expect(await watch(200, [30, 1_800, 3_599])).toHaveLength(1);
    expect(await watch(200, [30, 3_601, 3_700])).toHaveLength(2);
  });

  test("looks again soon where the database gave no answer", async () => {
    const events = (await watch(200, [30], 1)).map(([event]) => event);

    expect(events).toEqual(["clock_not_compared", "clock_differs"]);
  });
});

test("startUpkeep() warns at once of a clock that differs from the database's", async () => {
  const from = janus.logLines.length;

  await startUpkeep(processAhead(200).deps).stop();

  const events = janus.logLines.slice(from).map((line) => JSON.parse(line));
  expect(events).toMatchObject([{ level: "warn", event: "clock_differs" }]);
});
