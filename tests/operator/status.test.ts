/** The state of an installation: each figure by itself, and what makes it need attention. */
import { describe, expect, test } from "bun:test";
import { createSealer } from "../../lib/crypto.ts";
import { createQueries } from "../../lib/database/queries.ts";
import { sealDiscordTokens } from "../../lib/grants/sealing.ts";
import { noteBackup, readStatus } from "../../lib/operator/status.ts";
import { useDatabase } from "../harness/hooks.ts";

const NOW = new Date("2031-01-01T12:00:00Z");
const KEYS = [
  { id: "k2", key: new Uint8Array(32).fill(2) },
  { id: "k1", key: new Uint8Array(32).fill(1) },
];

const database = useDatabase();

const needsAt = (at = NOW) => ({ queries: createQueries(database.db), now: () => at });
const read = (keys: Parameters<typeof readStatus>[1] = KEYS) => readStatus(needsAt(), keys);
const at = (span: string): string => `timestamptz '${NOW.toISOString()}' + interval '${span}'`;

/** A link that is as it should be, and what a test changes of its rows. */
async function addLink(id: string, ...changes: readonly string[]): Promise<void> {
  const key = `'https://id.example', 'sub-${id}'`;
  const { accessTokenSealed, refreshTokenSealed } = sealDiscordTokens(
    { tokenSealer: createSealer(KEYS, "link tokens") },
    id,
    { accessToken: "a", refreshToken: "r" },
  );
  for (const statement of [
    `insert into discord_account values ('${id}', 'a', null, now(), now())`,
    `insert into discord_token (discord_user_id, access_token_sealed, refresh_token_sealed, scope, expires_at, obtained_at)
       values ('${id}', '${accessTokenSealed}', '${refreshTokenSealed}', 'identify', now(), now())`,
    `insert into organisation_account values (${key}, '{}', now(), now())`,
    `insert into link (discord_user_id, issuer, subject, linked_at, check_due_at, pushed_metadata, pushed_at)
       values ('${id}', ${key}, now(), ${at("1 day")}, '{"member": "1"}', now())`,
    ...changes.map((set) => `update link set ${set} where discord_user_id = '${id}'`),
  ])
    await database.rows(statement);
}

const LOSING = `loss_found_at = ${at("-5 minutes")}, loss_due_at = ${at("-5 minutes")}`;
const OVERDUE_LOSS = `loss_found_at = ${at("-2 hours")}, loss_due_at = ${at("-2 hours")}`;

describe("readStatus()", () => {
  test("says that all is well where nothing is stored", async () => {
    const status = await read();

    expect(status).toMatchObject({
      links: { all: 0, told: 0, waiting: 0, losing: 0, disconnected: 0, cleared: 0 },
      checks: { due: 0, overdue: 0, oldest: null },
      pushes: { due: 0, overdue: 0, oldest: null },
      brake: { heldSince: null, held: 0 },
      stops: [],
      keys: [],
      grantsEnded: { discord: 0, provider: 0 },
      backupAt: null,
      restoredAt: null,
      attention: [],
    });
    expect(status.database.kib).toBeGreaterThan(1_000);
    expect(status.database.version).toMatch(/^\d+/);
  });

  test.each([
    ["told", "pushed_at = now()"],
    ["waiting", "pushed_at = null, pushed_metadata = null"],
    ["waiting", `push_due_at = ${at("1 minute")}`],
    ["losing", LOSING],
    ["disconnected", "disconnected_at = now()"],
    ["cleared", "cleared_at = now(), clear_cause = 'not_admitted'"],
    ["cleared", `cleared_at = now(), clear_cause = 'grant_ended', disconnected_at = now(), ${LOSING}`],
  ] as const)("counts a link once, as %s: %s", async (state, change) => {
    await addLink("1", change);

    const { all, ...states } = (await read()).links;

    const expected = { told: 0, waiting: 0, losing: 0, disconnected: 0, cleared: 0, [state]: 1 };
    expect([all, states]).toEqual([1, expected]);
  });

  test("counts what is due, and what is overdue, with the oldest", async () => {
    await addLink("1", `check_due_at = ${at("-30 minutes")}`);
    await addLink("2", `check_due_at = ${at("-2 hours")}, push_due_at = ${at("-10 minutes")}`);
    await addLink("3", `push_due_at = ${at("-61 minutes")}`);

    const { checks, pushes, attention } = await read();

    const ago = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000);
    expect(checks).toEqual({ due: 2, overdue: 1, oldest: ago(120) });
    expect(pushes).toEqual({ due: 2, overdue: 1, oldest: ago(61) });
    expect(attention).toEqual([
      { kind: "check_overdue", count: 1 },
      { kind: "push_overdue", count: 1 },
    ]);
  });

  test("says how many losses the brake holds, apart from those that were released", async () => {
    await addLink("1", LOSING);
    await addLink("2", OVERDUE_LOSS);
    await database.rows(
      `insert into brake (held_at, released_at) values (${at("-1 minute")}, ${at("-1 hour")})`,
    );

    const { brake, attention } = await read();

    expect(brake).toEqual({ heldSince: new Date(NOW.getTime() - 60_000), held: 1 });
    expect(attention).toEqual([
      { kind: "loss_overdue", count: 1 },
      { kind: "losses_held", count: 1 },
    ]);
  });

  test("names a stop of upkeep", async () => {
    await database.rows(
      `insert into upstream_budget (upstream, free_at, refusals, refusals_since, blocks, blocked_since, blocked_until, block_cause)
         values ('discord', now(), 0, now(), 1, ${at("-1 minute")}, ${at("1 minute")}, 'address')`,
    );

    const { stops, attention } = await read();

    expect(stops).toMatchObject([{ upstream: "discord", code: "address_blocked" }]);
    expect(attention).toEqual([{ kind: "address_blocked", count: 1 }]);
  });

  test("names the keys that stored tokens need, and what they are to TOKEN_KEYS", async () => {
    await addLink("1");
    const [first, second] = KEYS;
    if (first === undefined || second === undefined) throw new Error("no keys");

    const states = async (keys: Parameters<typeof readStatus>[1]) => (await readStatus(needsAt(), keys)).keys;

    expect(await states([first, second])).toEqual([{ id: "k2", state: "active" }]);
    expect(await states([second, first])).toEqual([{ id: "k2", state: "kept" }]);
    expect(await states([second])).toEqual([{ id: "k2", state: "missing" }]);
    expect(await states(undefined)).toEqual([{ id: "k2", state: "untold" }]);
    expect((await read([second])).attention).toEqual([{ kind: "key_missing", count: 1 }]);
  });

  test("counts the grants that ended within a week", async () => {
    for (const id of ["1", "2", "3"]) await addLink(id);
    const end = (id: string, span: string) =>
      database.rows(
        `update discord_token set ended_at = ${at(span)}, end_cause = 'invalid_grant' where discord_user_id = '${id}'`,
      );
    await end("1", "-6 days");
    await end("2", "-8 days");
    await database.rows(
      `insert into organisation_token (issuer, subject, access_token_sealed, obtained_at, ended_at, end_cause)
         values ('https://id.example', 'sub-3', 'k2.x', now(), ${at("-1 day")}, 'invalid_grant')`,
    );

    expect((await read(undefined)).grantsEnded).toEqual({ discord: 1, provider: 1 });
  });

  test("knows of a backup once it was told, and asks for another after eight days", async () => {
    const daysAgo = (days: number) => new Date(NOW.getTime() - days * 86_400_000);

    await noteBackup(needsAt(daysAgo(9)));
    const old = await read();
    await noteBackup(needsAt(daysAgo(7)));
    const young = await read();
    await noteBackup(needsAt(new Date(daysAgo(7).getTime() - 600_000)));

    expect([old.backupAt, old.attention]).toEqual([daysAgo(9), [{ kind: "backup_old", count: 1 }]]);
    expect([young.backupAt, young.attention]).toEqual([daysAgo(7), []]);
    // Clocks differ by minutes: what another machine noted a moment later stays.
    expect((await read()).backupAt).toEqual(daysAgo(7));
  });

  test("changes nothing", async () => {
    await addLink("1", LOSING);
    const before = await database.dump();

    await read();

    expect(await database.dump()).toBe(before);
  });
});
