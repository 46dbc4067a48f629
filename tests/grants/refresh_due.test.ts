/** Refreshing the tokens of links before they expire: what an outage may cost, and what must not stand in the way. */
import { expect, test } from "bun:test";
import { freshAccessToken } from "../../lib/grants/discord_grant.ts";
import { refreshDueGrants } from "../../lib/grants/refresh_due.ts";
import { createBudget } from "../../lib/oauth/budget.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { leaveDuePushes } from "../fixtures/backlog.ts";
import { useDatabase, useJanusForEach } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { rejection } from "../harness/rejection.ts";
import { rowsOf, setTime } from "../harness/rows.ts";
import { countOf } from "../harness/seen.ts";
import { useStillTime } from "../harness/still_time.ts";
import type { Behaviour } from "../standins/faults.ts";

/** What a call may take within a request. */
const DEADLINE_MS = 5_000;
const NEARLY_A_WEEK_SECONDS = 6.5 * 86_400;

const database = useDatabase();
const time = useStillTime();
const janus = useJanusForEach(() => startJanusWithForger({ database, deadlineMs: DEADLINE_MS }));

/** Links that share one refresh token, so that all refreshes after the first answer invalid_grant. */
async function leaveDue(count: number): Promise<void> {
  await leaveDuePushes(janus, count);
  await database.rows("update link set push_due_at = null");
  janus.clock.advance(NEARLY_A_WEEK_SECONDS);
}
const refreshes = () => countOf(janus, "token_refresh");
const tokens = () => rowsOf(janus, "discord_token");
/** Those whose refresh got no answer. */
const unanswered = async () => (await tokens()).filter((row) => row.refreshUnansweredSince !== null);

test.each<[string, Behaviour]>([
  ["is lost", "lost"],
  ["does not come", "drop"],
  ["is a gateway's", { status: 502, body: "<!doctype html>" }],
])("an outage in which every answer %s costs a few links, not hundreds", async (_, behaviour) => {
  await leaveDue(100);
  janus.discord.failNext("token_refresh", behaviour, 1_000);

  for (let minute = 0; minute < 60; minute += 0.5) {
    await runUpkeep(janus.deps);
    janus.clock.advance(30);
  }

  expect((await unanswered()).length).toBeLessThan(8);
  expect(refreshes()).toBeLessThan(8);
});

test("runUpkeep() refreshes all grants once Discord answers again", async () => {
  await leaveDue(100);
  janus.discord.failNext("token_refresh", { status: 503 });
  await runUpkeep(janus.deps);
  janus.clock.advance(130);

  await runUpkeep(janus.deps);

  // The one that met the outage waits for its own turn.
  expect(refreshes()).toBeGreaterThanOrEqual(100);
});

test("grants that are dead do not keep the others waiting", async () => {
  await leaveDue(100);

  await runUpkeep(janus.deps);

  expect(refreshes()).toBe(100);
  expect((await tokens()).filter((row) => row.refreshRetryAt !== null)).toHaveLength(99);
});

test("tokens that no key opens are put off, not taken for a lost answer", async () => {
  await leaveDue(40);
  await janus.database.rows(`update discord_token set refresh_token_sealed = 'k9.x' || discord_user_id,
    expires_at = expires_at - interval '1 hour' where discord_user_id < '400000000000000020'`);

  await runUpkeep(janus.deps);

  expect(refreshes()).toBe(20);
  const sealed = (await tokens()).filter(({ discordUserId }) => String(discordUserId) < "400000000000000020");
  expect(sealed).toHaveLength(20);
  for (const row of sealed) {
    expect(row).toMatchObject({
      leasedUntil: null,
      refreshUnansweredSince: null,
      refreshRetryAt: expect.any(Date),
    });
  }
});

test.each<[string, Behaviour | undefined]>([
  ["was never sent, for want of time", undefined],
  ["was turned away by a rate limit", { status: 429, headers: { "retry-after": "30" } }],
])("a refresh that %s is not taken for a lost answer", async (_, behaviour) => {
  await leaveDue(1);
  const [row] = await tokens();
  const held = {
    discordUserId: String(row?.discordUserId),
    accessTokenSealed: String(row?.accessTokenSealed),
    discordExpiresAt: new Date(0),
  };
  await setTime(janus, "discord_token", "expires_at", -1);
  if (behaviour !== undefined) janus.discord.failNext("token_refresh", behaviour);
  let elapsedMs = 0;
  const budget = createBudget(9_000, () => elapsedMs);
  const discord = janus.shared.bindDiscord({ requestId: "request", budget });
  const claimRefresh: typeof janus.deps.queries.claimRefresh = async (values) => {
    const claimed = await janus.deps.queries.claimRefresh(values);
    if (behaviour === undefined) elapsedMs = 5_000;
    return claimed;
  };
  const deps = { ...janus.deps, discord, queries: { ...janus.deps.queries, claimRefresh } };

  const error = await rejection(freshAccessToken(deps, held));

  expect(error.code).toBe("discord_unavailable");
  expect(refreshes()).toBe(behaviour === undefined ? 0 : 1);
  expect(await unanswered()).toEqual([]);
});

test("a refresh for which nobody waits gets longer than one in a request", async () => {
  await leaveDue(1);
  const refresh = janus.discord.gate("token_refresh", "answer");

  const refreshing = refreshDueGrants(janus.deps);
  await refresh.arrived;
  time.pass(2 * DEADLINE_MS);
  refresh.release();
  const round = await refreshing;

  expect(round).toMatchObject({ claimed: 1, done: 1, metOutage: false });
  expect(await unanswered()).toEqual([]);
});
