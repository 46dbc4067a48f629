/** Bans as they are stored: listed page by page, replaced, ended by themselves and removed. */
import { beforeEach, describe, expect, test } from "bun:test";
import type { BannedAccounts } from "../../lib/operator/bans.ts";
import { addBan, listBans, removeBan } from "../../lib/operator/bans.ts";
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
const list = async () => (await Array.fromAsync(listBans(janus.deps))).flat();

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

    const bans = await list();

    expect(new Set(bans.map(({ discordUserId }) => discordUserId)).size).toBe(1_203);
    expect(bans).toHaveLength(1_203);
    const times = bans.map(({ bannedAt }) => bannedAt.getTime());
    expect(times).toEqual(times.toSorted((a, b) => b - a));
  });

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
