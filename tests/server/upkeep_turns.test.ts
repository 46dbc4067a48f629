/** How much upkeep does in a run: it works off a backlog within its budget, in turns, and stops at an outage. */
import { describe, expect, test } from "bun:test";
import type { WorkDeps } from "../../lib/deps.ts";
import { upkeepDepsOf } from "../../lib/deps.ts";
import { databaseUnavailable } from "../../lib/errors.ts";
import type { Round } from "../../lib/grants/round.ts";
import { runUpkeep, startUpkeep } from "../../lib/server/upkeep.ts";
import type { Duty } from "../../lib/server/upkeep_turns.ts";
import { DISCORD_PER_SECOND } from "../../lib/sync/budget.ts";
import type { UpkeepStep } from "../../lib/telemetry/events.ts";
import { createShared } from "../../lib/wiring.ts";
import { leaveDuePushes, leaveGrants } from "../fixtures/backlog.ts";
import { onPostgres } from "../harness/database.ts";
import { useDatabase, useJanusForEach } from "../harness/hooks.ts";
import { createBrowser, startJanusWithForger } from "../harness/janus.ts";
import { rowsOf } from "../harness/rows.ts";
import { countOf, linesOf } from "../harness/seen.ts";
import { callApi } from "../harness/sign_in.ts";
import { newUser, reachForgerCallback } from "../harness/walk.ts";
import { refusal } from "../standins/discord_faults.ts";

/** The most rows that a round takes. */
const ROUND = 20;
const RATE_LIMITED = { status: 429, body: { message: "slow down", retry_after: 60, global: true } } as const;

const database = useDatabase();
const janus = useJanusForEach(() => startJanusWithForger({ database, forger: { freshSubjects: true } }));

const pushes = () => countOf(janus, "put_role_connection");
const stillDue = async () =>
  (await database.rows("select from link where push_due_at is not null and push_failures = 0")).length;

/** Another process, with a clock that moves only while it waits; `onWait` is called at each wait. */
function withOwnTime(onWait: (elapsedSeconds: number) => unknown = () => undefined) {
  const beginMs = janus.clock.now().getTime();
  let nowMs = beginMs;
  const elapsed = () => (nowMs - beginMs) / 1_000;
  const shared = createShared(janus.shared, database.db, {
    fetch: (url, init) => fetch(url, init),
    now: () => new Date(nowMs),
    sleep: async (ms) => {
      await onWait(elapsed());
      nowMs += ms;
    },
    log: janus.shared.log,
    version: "0.0.0-test",
  });
  const skip = (seconds: number) => {
    nowMs += seconds * 1_000;
  };
  return { deps: upkeepDepsOf(shared), elapsed, skip };
}

/** A duty with this many rows, all of which succeed; calls `onRound` in each round. */
function createDuty(
  name: UpkeepStep,
  rows: number,
  onRound: () => unknown = () => undefined,
  asks: Duty["asks"] = ["discord"],
): Duty {
  let left = rows;
  const run = async (): Promise<Round> => {
    await onRound();
    const claimed = Math.min(left, ROUND);
    left -= claimed;
    return { claimed, isFull: claimed === ROUND, done: claimed, metOutage: false };
  };
  return { name, everySeconds: 30, asks, run };
}

describe("runUpkeep() with many pushes due", () => {
  test("makes 400 in one run, no faster than its budget", async () => {
    await leaveDuePushes(janus, 400);
    const most: number[] = [];
    const { deps, elapsed } = withOwnTime((seconds) =>
      most.push(pushes() - 1 - seconds * DISCORD_PER_SECOND),
    );

    await runUpkeep(deps);

    expect([pushes(), await stillDue()]).toEqual([400, 0]);
    expect(Math.max(...most)).toBeLessThanOrEqual(0);
    expect(Math.round(elapsed())).toBe(400 / DISCORD_PER_SECOND);
  });

  test("stops at a global rate limit, and makes the rest when it is over", async () => {
    await leaveDuePushes(janus, 100);
    const { deps, skip } = withOwnTime();
    janus.discord.failNext("put_role_connection", RATE_LIMITED);

    await runUpkeep(deps);
    const before = pushes();
    expect([before <= ROUND, await stillDue()]).toEqual([true, 100 - ROUND]);

    skip(30);
    await runUpkeep(deps);
    expect(pushes()).toBe(before);

    skip(31);
    await runUpkeep(deps);
    expect(await stillDue()).toBe(0);
  });

  test("stops after one round when Discord is down", async () => {
    await leaveDuePushes(janus, 100);
    // Each is tried three times.
    janus.discord.failNext("put_role_connection", { status: 502 }, 3 * ROUND);

    await runUpkeep(withOwnTime().deps);

    expect([pushes(), await stillDue()]).toEqual([3 * ROUND, 100 - ROUND]);
  });

  test("goes on after one refusal, not after a round", async () => {
    await leaveDuePushes(janus, 100);
    janus.discord.failNext("put_role_connection", refusal(403));
    await runUpkeep(withOwnTime().deps);
    expect([pushes(), await stillDue()]).toEqual([100, 0]);

    await database.rows("update link set push_failures = 0, push_due_at = linked_at");
    janus.discord.failNext("put_role_connection", refusal(403), 100);
    await runUpkeep(withOwnTime().deps);

    expect([pushes(), await stillDue()]).toEqual([100 + ROUND, 100 - ROUND]);
  });

  test("lets members link and read their data meanwhile", async () => {
    await leaveDuePushes(janus, 100);
    const statuses: number[] = [];
    let waits = 0;
    const { deps } = withOwnTime(async () => {
      waits += 1;
      if (waits % ROUND > 0) return;
      const browser = createBrowser(janus.url);
      statuses.push((await browser.get(await reachForgerCallback(browser, newUser()))).status);
      statuses.push((await callApi(janus, "/api/userinfo", { browser })).status);
    });

    await runUpkeep(deps);

    expect(statuses.length).toBeGreaterThan(2);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    expect(await stillDue()).toBe(0);
  });

  test("makes each once when two processes share them", async () => {
    await leaveDuePushes(janus, 200);

    await Promise.all([runUpkeep(withOwnTime().deps), runUpkeep(withOwnTime().deps)]);

    expect([pushes(), await stillDue()]).toEqual([200, 0]);
  });
});

describe("runUpkeep() with many grants to end", () => {
  test("ends all of them and removes their accounts", async () => {
    await leaveGrants(janus, 100);
    janus.clock.advance(2 * 3_600);

    await runUpkeep(withOwnTime().deps);

    expect(await rowsOf(janus, "discord_token")).toEqual([]);
    expect(await rowsOf(janus, "discord_account")).toEqual([]);
  });

  test("stops after one round at a rate limit", async () => {
    await leaveGrants(janus, 100);
    janus.clock.advance(2 * 3_600);
    janus.discord.failNext("delete_role_connection", RATE_LIMITED);

    await runUpkeep(withOwnTime().deps);

    expect((await database.rows("select from discord_token where end_failures = 0")).length).toBe(80);
  });
});

describe("upkeep", () => {
  test("gives every duty one round before a busy duty has another", async () => {
    const rounds: string[] = [];
    const duty = (name: UpkeepStep, rows: number) => createDuty(name, rows, () => rounds.push(name));

    await runUpkeep(withOwnTime().deps, [
      duty("push_due_links", 70),
      duty("end_due_grants", 30),
      duty("refresh_due_grants", 3),
    ]);

    expect(rounds).toEqual([
      "push_due_links",
      "end_due_grants",
      "refresh_due_grants",
      "push_due_links",
      "end_due_grants",
      "push_due_links",
      "push_due_links",
    ]);
  });

  test("stops all that asks Discord while it may not, and nothing else", async () => {
    const { deps } = withOwnTime();
    const rounds: string[] = [];
    const duty = (name: UpkeepStep, asks: Duty["asks"]) => createDuty(name, 1, () => rounds.push(name), asks);
    await database.rows(`insert into upstream_budget values
      ('discord', '-infinity', 0, '-infinity', '${deps.now().toISOString()}'::timestamptz + interval '1 minute', 'global', 0)`);

    await runUpkeep(deps, [
      duty("push_due_links", ["discord"]),
      duty("end_due_provider_grants", ["provider"]),
      duty("settle_stray_tokens", ["provider", "discord"]),
      duty("delete_old_flows", []),
    ]);

    expect(rounds).toEqual(["end_due_provider_grants", "delete_old_flows"]);
  });

  test("begins nothing that asks Discord without the database", async () => {
    const from = janus.logLines.length;
    const mayBegin = () => Promise.reject(databaseUnavailable("away"));
    let rounds = 0;
    const duty = createDuty("push_due_links", 1, () => (rounds += 1));

    await runUpkeep({ ...janus.deps, upstreamBudgets: { ...janus.deps.upstreamBudgets, mayBegin } }, [duty]);

    const lines = linesOf({ logLines: janus.logLines.slice(from) }, "upkeep_failed");
    expect(lines).toMatchObject([{ step: "push_due_links", code: "database_unavailable" }]);
    expect(rounds).toBe(0);
  });

  test("returns to a small duty while another one has endless work", async () => {
    let seldom = 0;
    const seen = Promise.withResolvers<void>();
    // Endless work: each round is full.
    const much: Duty = {
      name: "delete_old_flows",
      everySeconds: 0.001,
      asks: [],
      run: async () => {
        await Bun.sleep(1);
        return { claimed: ROUND, isFull: true, done: ROUND, metOutage: false };
      },
    };
    const little = createDuty("refresh_due_grants", 0, () => {
      seldom += 1;
      if (seldom === 3) seen.resolve();
    });

    const upkeep = startUpkeep(janus.deps, [much, { ...little, everySeconds: 0.001 }]);
    await seen.promise;
    await upkeep.stop();

    expect(seldom).toBeGreaterThanOrEqual(3);
  });

  test.each([
    ["its own stop", (stop: () => Promise<void>) => stop()],
    ["the end of the server", () => Promise.resolve(janus.stopping.abort())],
  ])("ends after the running round at %s, with endless work", async (_, end) => {
    let rounds = 0;
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const endless: Duty = {
      name: "settle_stray_tokens",
      everySeconds: 0.001,
      asks: [],
      run: async () => {
        rounds += 1;
        begun.resolve();
        await gate.promise;
        return { claimed: ROUND, isFull: true, done: ROUND, metOutage: false };
      },
    };

    const upkeep = startUpkeep(janus.deps, [endless], { stopping: janus.stopping.signal });
    await begun.promise;
    const ended = end(upkeep.stop);
    gate.resolve();
    await ended;
    await upkeep.stop();

    expect(rounds).toBe(1);
  });
});

describe("the deletions of upkeep", () => {
  const OLD = "now() - interval '2 days'";

  /** This many rows of each kind that upkeep deletes. */
  async function leaveRows(count: number): Promise<void> {
    const series = `from generate_series(1, ${count}) as n`;
    const hash = (kind: string) => `encode(sha256(('${kind}' || n)::bytea), 'hex')`;
    await database.rows(`insert into discord_account (discord_user_id, username, created_at, updated_at)
      select n, 'old', ${OLD}, ${OLD} ${series}`);
    await database.rows(`insert into flow (flow_id_hash, discord_user_id, created_at, expires_at)
      select ${hash("flow")}, n, ${OLD}, ${OLD} ${series}`);
    await database.rows(`insert into session (session_id_hash, session_handle, discord_user_id, access_token_sealed,
      token_expires_at, created_at, last_used_at, expires_at)
      select ${hash("session")}, n, n, 'sealed', ${OLD}, ${OLD}, ${OLD}, ${OLD} ${series}`);
    await database.rows(`insert into organisation_account (issuer, subject, claims, claims_seen_at, created_at)
      select 'https://old.example', n, '{}', ${OLD}, ${OLD} ${series}`);
  }
  const left = async () => {
    const tables = ["flow", "session", "discord_account", "organisation_account"];
    const counts = tables.map((table) => `(select count(*) from ${table})::integer as ${table}`);
    return (await database.rows(`select ${counts.join()}`))[0];
  };

  test("clear a backlog in one run, by at most 1,000 rows each", async () => {
    await leaveRows(2_500);
    let most = 0;
    const db: WorkDeps["db"] = {
      ...janus.deps.db,
      query: async (...statement) => {
        const rows = await janus.deps.db.query(...statement);
        const [row] = rows as readonly { readonly deleted?: number }[];
        most = Math.max(most, row?.deleted ?? 0);
        return rows;
      },
    };
    const { createQueries } = await import("../../lib/database/queries.ts");

    await runUpkeep({ ...withOwnTime().deps, queries: createQueries(db) });

    expect(await left()).toEqual({ flow: 0, session: 0, discordAccount: 0, organisationAccount: 0 });
    expect(most).toBe(1_000);
  });

  test.skipIf(!onPostgres)("skip rows that another transaction has locked", async () => {
    await leaveRows(3);
    await database.db.transaction(async (query) => {
      for (const table of ["flow", "session", "discord_account", "organisation_account"])
        await query(
          `select from ${table} where ${table === "organisation_account" ? "subject" : "discord_user_id"} = '1' for update`,
        );

      await runUpkeep(withOwnTime().deps);

      expect(await left()).toEqual({ flow: 1, session: 1, discordAccount: 1, organisationAccount: 1 });
    });
    await runUpkeep(withOwnTime().deps);

    expect(await left()).toEqual({ flow: 0, session: 0, discordAccount: 0, organisationAccount: 0 });
  });
});
