/** Grants that nothing needs any more: upkeep marks them, and until their end has begun a member may come back to them. */
import { describe, expect, spyOn, test } from "bun:test";
import { runUpkeep, startUpkeep } from "../../lib/server/upkeep.ts";
import { leaveGrants } from "../fixtures/backlog.ts";
import { useDatabase, useJanusForEach } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { discordTokenOf, rowsOf } from "../harness/rows.ts";
import { operationsOf } from "../harness/seen.ts";
import { callApi, signIn } from "../harness/sign_in.ts";
import { linkMember, newUser, walkDiscordLeg } from "../harness/walk.ts";

const HOUR_SECONDS = 3_600;

const database = useDatabase();
const janus = useJanusForEach(() => startJanusWithForger({ database }));

const hourAgo = (): Date => new Date(janus.clock.now().getTime() - HOUR_SECONDS * 1_000);
const mark = async (limit = 20) => {
  const { queries, now } = janus.deps;
  return (await queries.setDiscordAbandoned({ limit, obtainedBefore: hourAgo(), now: now() }))?.marked;
};
const markProvider = async () => {
  const { queries, now } = janus.deps;
  return (await queries.setProviderAbandoned({ limit: 20, seenBefore: hourAgo(), now: now() }))?.marked;
};

/** A member who went through the Discord leg two hours ago and no further, and whose flow is gone. */
async function abandon(): Promise<string> {
  const user = newUser();
  await walkDiscordLeg(janus, user);
  janus.clock.advance(2 * HOUR_SECONDS);
  await janus.deps.queries.deleteOldFlows({ createdBefore: hourAgo(), limit: 20 });
  return user;
}

describe("an abandoned grant", () => {
  test("is replaced by a new sign-in, which then makes a link", async () => {
    const user = await abandon();
    const marked = await mark();
    await linkMember(janus, user);
    await runUpkeep(janus.deps);

    expect(marked).toBe(1);
    expect(operationsOf(janus)).not.toContain("revoke");
    expect(await discordTokenOf(janus, user)).toMatchObject({ endReason: null, endDueAt: null });
  });

  test("stays while its member has a later session", async () => {
    const user = await abandon();
    const marked = await mark();
    const browser = await signIn(janus, user);
    await runUpkeep(janus.deps);
    const during = (await callApi(janus, "/api/userinfo", { browser })).status;
    const grants = janus.discord.grants(user);
    await callApi(janus, "/api/auth/logout", { browser, method: "POST" });
    await runUpkeep(janus.deps);

    expect({ marked, during, left: grants > 0 }).toEqual({ marked: 1, during: 200, left: true });
    expect(janus.discord.grants(user)).toBe(0);
  });

  test("ends in the next round of ends, with no second mark", async () => {
    const user = await abandon();

    const marked = [await mark(), await mark()];
    await runUpkeep(janus.deps);

    expect(marked).toEqual([1, 0]);
    expect(janus.discord.grants(user)).toBe(0);
  });

  test("is marked once by any number of processes, up to a limit", async () => {
    await leaveGrants(janus, 250);
    janus.clock.advance(2 * HOUR_SECONDS);

    const first = await mark(100);
    const atOnce = await Promise.all([mark(1_000), mark(1_000), mark(1_000)]);

    expect(first).toBe(100);
    expect(atOnce.reduce<number>((sum, marked) => sum + (marked ?? 0), 0)).toBe(150);
  });
});

test("a provider's abandoned grant stays when its account is linked after all", async () => {
  const user = newUser();
  await linkMember(janus, user);
  await janus.database.rows("delete from link");
  janus.clock.advance(2 * HOUR_SECONDS);
  const marked = await markProvider();
  await linkMember(janus, user);

  await runUpkeep(janus.deps);

  expect(marked).toBe(1);
  expect(await rowsOf(janus, "organisation_token")).toMatchObject([{ endDueAt: null }]);
});

test("startUpkeep() marks grants at once and each ten minutes, and ends them each 30 s", async () => {
  const asked: string[] = [];
  const { queries } = janus.deps;
  const watched = {
    ...queries,
    setDiscordAbandoned: (...values: Parameters<typeof queries.setDiscordAbandoned>) => {
      asked.push("marks");
      return queries.setDiscordAbandoned(...values);
    },
    setProviderAbandoned: (...values: Parameters<typeof queries.setProviderAbandoned>) => {
      asked.push("provider marks");
      return queries.setProviderAbandoned(...values);
    },
    claimEndDue: (...values: Parameters<typeof queries.claimEndDue>) => {
      asked.push("ends");
      return queries.claimEndDue(...values);
    },
    claimProviderEndDue: (...values: Parameters<typeof queries.claimProviderEndDue>) => {
      asked.push("provider ends");
      return queries.claimProviderEndDue(...values);
    },
  };
  const timers: { readonly fire: () => void; readonly ms: number }[] = [];
  const spy = spyOn(globalThis, "setInterval").mockImplementation(((fire: () => void, ms: number) => {
    timers.push({ fire, ms });
  }) as typeof setInterval);
  const upkeep = startUpkeep({ ...janus.deps, queries: watched });
  spy.mockRestore();
  const askedAfter = async (seconds: number) => {
    asked.length = 0;
    for (const { fire, ms } of timers) if (ms === seconds * 1_000) fire();
    const wanted = timers.filter(({ ms }) => ms === seconds * 1_000).length > 0 ? 2 : 0;
    while (asked.length < wanted) await Bun.sleep(5);
    return [...asked].sort();
  };

  while (asked.length < 2) await Bun.sleep(5);
  const atStart = [...asked].sort();
  const everyHalfMinute = await askedAfter(30);
  const everyTenMinutes = await askedAfter(600);
  await upkeep.stop();

  expect({ atStart, everyHalfMinute, everyTenMinutes }).toEqual({
    atStart: ["marks", "provider marks"],
    everyHalfMinute: ["ends", "provider ends"],
    everyTenMinutes: ["marks", "provider marks"],
  });
});
