/** Every process tells at /readyz that upkeep is stopped, whichever process met the cause, and asks for that by upkeep alone. */
import { beforeEach, describe, expect, test } from "bun:test";
import { STATEMENTS } from "../../lib/database/queries.ts";
import { runUpkeep, startUpkeep } from "../../lib/server/upkeep.ts";
import type { TestDatabase } from "../harness/database.ts";
import { emptyDatabase } from "../harness/database.ts";
import { useDatabase, useJanus } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { linesOf } from "../harness/seen.ts";

const asked: string[] = [];
const database = useDatabase((made): TestDatabase => {
  const query: TestDatabase["db"]["query"] = (text, ...rest) => {
    asked.push(text);
    return made.db.query(text, ...rest);
  };
  return { ...made, db: { ...made.db, query } };
});
const syncing = useJanus(() => startJanusWithForger({ database }));
/** A replica that serves members only. */
const serving = useJanus(() => startJanusWithForger({ database, environment: { SYNC: "off" } }));

/** For both, whose clocks stay together. What a process has just read it does not read again. */
const passTime = (seconds: number): void => {
  for (const { clock } of [syncing, serving]) clock.advance(seconds);
};

/** Nothing is stopped, and both know it. */
beforeEach(async () => {
  passTime(3_600);
  await emptyDatabase(database);
  for (const { deps } of [syncing, serving]) await runUpkeep(deps);
  await Promise.all([syncing, serving].map(({ deps }) => deps.oidc.prepare()));
});

const PAGE = "<!doctype html><title>Access denied</title>";

/** One process meets a page of Cloudflare's. */
async function meetPage(): Promise<void> {
  syncing.deps.upstreamBudgets.discord.meter.note({ status: 403, text: PAGE, headers: new Headers() });
  await runUpkeep(syncing.deps);
}

async function readyz({ url }: { readonly url: string }) {
  const response = await fetch(`${url}/readyz`);
  const body = (await response.json()) as Readonly<
    Record<"warnings" | "stops", readonly unknown[] | undefined>
  > & {
    readonly status: string;
  };
  const { status, warnings = [], stops = [] } = body;
  return { http: response.status, status, warnings, stops };
}

const WELL = { http: 200, status: "ready", warnings: [], stops: [] };
/** The stop as the database has it. */
async function storedStop() {
  const [row] = await database.rows(
    "select blocked_since, blocked_until from upstream_budget where upstream = 'discord'",
  );
  const [since, until] = [row?.blockedSince as Date, row?.blockedUntil as Date];
  expect(until.getTime() - since.getTime()).toBeWithin(50_000, 60_001);
  return {
    upstream: "discord",
    code: "address_blocked",
    since: since.toISOString(),
    until: until.toISOString(),
  };
}

describe("GET /readyz", () => {
  test("tells of a stop in each process, with 200, until it is over", async () => {
    const from = { syncing: syncing.logLines.length, serving: serving.logLines.length };
    const before = await Promise.all([readyz(syncing), readyz(serving)]);

    await meetPage();
    const stops = [await storedStop()];
    const first = await Promise.all([readyz(syncing), readyz(serving)]);
    passTime(5);
    await runUpkeep(serving.deps);
    const second = await readyz(serving);
    passTime(60);
    const over = await Promise.all([readyz(syncing), readyz(serving)]);
    for (const { deps } of [syncing, serving]) await runUpkeep(deps);

    const stopped = { http: 200, status: "ready", warnings: ["upstream_stopped"], stops };
    expect({ before, first, second, over }).toEqual({
      before: [WELL, WELL],
      first: [stopped, WELL],
      second: stopped,
      over: [WELL, WELL],
    });
    for (const [janus, index] of [
      [syncing, from.syncing],
      [serving, from.serving],
    ] as const) {
      const lines = { logLines: janus.logLines.slice(index) };
      expect(linesOf(lines, "upstream_stopped")).toMatchObject([{ level: "warn", code: "address_blocked" }]);
      expect(linesOf(lines, "upstream_resumed")).toMatchObject([{ level: "info", code: "address_blocked" }]);
    }
  });

  test("knows of a stop at once when upkeep starts, and reads nothing of it for a request", async () => {
    await meetPage();
    passTime(5);
    const from = asked.length;
    const unread = await readyz(serving);
    const byRequest = asked.slice(from).filter((text) => text.includes("upstream_budget"));

    const upkeep = startUpkeep(serving.deps);
    while ((await readyz(serving)).warnings.length === 0) await Bun.sleep(1);
    await upkeep.stop();

    expect([unread, byRequest]).toEqual([WELL, []]);
    // Discord's, and the provider's.
    expect(asked.slice(from).filter((text) => text === STATEMENTS.claimCalls.text)).toHaveLength(2);
  });
});
