/** Bans as they are stored: listed page by page, replaced, ended by themselves and removed. */
import { beforeEach, describe, expect, test } from "bun:test";
import type { BanFilter, BanList, BannedAccounts } from "../../lib/operator/bans.ts";
import { addBan, findBanPlace, listBans, removeBan } from "../../lib/operator/bans.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { useDatabase, useJanus } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { rowsOf } from "../harness/rows.ts";
import { newUser } from "../harness/walk.ts";

const database = useDatabase();
const janus = useJanus(() => startJanusWithForger({ database }));
beforeEach(() => database.rows("delete from ban"));

const discord = (discordUserId: string): BannedAccounts => ({ discordUserId, issuer: null, subject: null });
const inSeconds = (seconds: number): Date => new Date(janus.clock.now().getTime() + seconds * 1_000);
const ban = (accounts: BannedAccounts, reason: string | null = null, expiresAt: Date | null = null) =>
  addBan(janus.deps, { ...accounts, expiresAt, reason, operator: "eva" });
const list = async () => (await listBans(janus.deps, {}, { limit: 10_000 })).bans;

describe("addBan()", () => {
  test("takes the place of an earlier ban of the same account", async () => {
    const user = newUser();
    await ban(discord(user), "first", inSeconds(60));

    await ban(discord(user), "second");

    expect(await list()).toMatchObject([{ discordUserId: user, reason: "second", expiresAt: null }]);
  });

  test("stores both accounts of a member, each as a ban of its own", async () => {
    const user = newUser();
    const both = { discordUserId: user, issuer: "https://provider.example", subject: "anna" };

    await ban(both, "both");
    const stored = await list();
    const isLifted = await removeBan(janus.deps, discord(user), "eva");

    expect(stored.map(({ discordUserId, subject }) => [discordUserId, subject]).sort()).toEqual(
      [
        [user, null],
        [null, "anna"],
      ].sort(),
    );
    expect(isLifted).toBe(true);
    expect(await list()).toMatchObject([{ subject: "anna" }]);
  });
});

describe("listBans()", () => {
  test("lists every ban once, the newest first, over several pages", async () => {
    await database.rows(`
      insert into ban (ban_id, discord_user_id, banned_at, operator)
      select gen_random_uuid()::text, (80000000000000000 + n)::text,
        date_trunc('milliseconds', now()) + (n % 40) * interval '1 second', 'eva'
      from generate_series(1, 1203) as n`);
    const pages: BanList[] = [];

    for (let next: string | null = ""; next !== null; next = pages.at(-1)?.next ?? null)
      pages.push(await listBans(janus.deps, {}, { limit: 500, after: findBanPlace(next) }));
    const bans = pages.flatMap((page) => page.bans);

    expect(pages.map((page) => page.bans.length)).toEqual([500, 500, 203]);
    expect(new Set(bans.map(({ discordUserId }) => discordUserId)).size).toBe(1_203);
    const times = bans.map(({ bannedAt }) => bannedAt.getTime());
    expect(times).toEqual(times.toSorted((a, b) => b - a));
  });

  test("ends a page that is just full", async () => {
    for (const user of [newUser(), newUser()]) await ban(discord(user), null);

    const [whole, first] = [
      await listBans(janus.deps, {}, { limit: 2 }),
      await listBans(janus.deps, {}, { limit: 1 }),
    ];

    expect([whole.bans.length, whole.next]).toEqual([2, null]);
    expect(first.next).not.toBeNull();
  });

  test("lists those of an account or of a provider alone", async () => {
    const user = newUser();
    const [one, other] = ["https://one.example", "https://other.example"];
    await ban(discord(user), null);
    await ban({ discordUserId: null, issuer: one, subject: "anna" }, null);
    await ban({ discordUserId: null, issuer: other, subject: "anna" }, null);
    await ban({ discordUserId: null, issuer: other, subject: "bo" }, null);
    const found = async (filter: BanFilter) =>
      (await listBans(janus.deps, filter, { limit: 10 })).bans.map(
        ({ discordUserId, issuer, subject }) => discordUserId ?? `${subject} at ${issuer}`,
      );

    expect(await found({ discordUserId: user })).toEqual([user]);
    expect((await found({ subject: "anna" })).sort()).toEqual([`anna at ${one}`, `anna at ${other}`]);
    expect((await found({ issuer: other })).sort()).toEqual([`anna at ${other}`, `bo at ${other}`]);
    expect(await found({ issuer: one, subject: "bo" })).toEqual([]);
  });

  test.each(["", "1", "1.", ".a", "x.a", "1.a b", "1234567890123456.a", "999999999999999.a"])(
    "has no place %j",
    (word) => {
      expect(findBanPlace(word)).toBeUndefined();
    },
  );

  test("leaves out a ban that has ended, which upkeep removes a day later", async () => {
    await ban(discord(newUser()), null, inSeconds(60));
    const before = await list();

    janus.clock.advance(61);
    const ended = await list();
    await runUpkeep(janus.deps);
    const kept = await rowsOf(janus, "ban");
    janus.clock.advance(86_400);
    await runUpkeep(janus.deps);

    expect([before.length, ended.length, kept.length]).toEqual([1, 0, 1]);
    expect(await rowsOf(janus, "ban")).toEqual([]);
  });
});

test("removeBan() lifts nothing that is not in force, and tells the trail nothing", async () => {
  const [never, ended] = [newUser(), newUser()];
  await ban(discord(ended), null, inSeconds(60));
  janus.clock.advance(61);

  const lifted = [
    await removeBan(janus.deps, discord(never), "eva"),
    await removeBan(janus.deps, discord(ended), "eva"),
  ];

  expect(lifted).toEqual([false, false]);
  expect(
    await database.rows(
      `select from audit_event where action = 'ban_lifted' and discord_user_id in ('${never}', '${ended}')`,
    ),
  ).toEqual([]);
});
