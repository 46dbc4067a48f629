/** `janus sync` without its command line: what it does, what it counts, and what a dry run leaves alone. */
import { beforeEach, describe, expect, test } from "bun:test";
import { countScope, runDry, runSync } from "../../lib/operator/sync_run.ts";
import { MEMBER_RECORD, writeRules } from "../fixtures/rules_file.ts";
import { TABLES } from "../harness/database.ts";
import { useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { linkNewMember } from "../harness/walk.ts";

const RULES = MEMBER_RECORD;

const folder = useFolder("sync_run");
const database = useDatabase();
const janus = useJanus(async () =>
  startJanusWithForger({ database, environment: await writeRules(folder, RULES) }),
);
beforeEach(async () => {
  janus.provider.reset();
  // After an outage a process makes a pause.
  janus.clock.advance(3_601);
  for (const table of ["link", "brake"]) await database.rows(`delete from ${table}`);
});

const waiting = () => ({ stop: new AbortController().signal, onProgress: () => Promise.resolve() });
const says = (user: string, groups: readonly string[]): void =>
  janus.provider.setIdentity({ sub: `subject-of-${user}`, groups });

async function linkMembers(count: number): Promise<readonly string[]> {
  const users: string[] = [];
  for (let member = 0; member < count; member += 1) {
    users.push(await linkNewMember(janus, { groups: ["members"] }));
  }
  return users;
}

const memberValues = (users: readonly string[]) =>
  users.map((user) => janus.discord.roleConnection(user)?.metadata.member);
const NOTHING = { checked: 0, changed: 0, pushed: 0, unknown: 0, held: 0, ended: 0, failed: 0 };

describe("runSync()", () => {
  test("does nothing before anything is due, and then all of it", async () => {
    const users = await linkMembers(25);
    for (const user of users.slice(0, 2)) says(user, []);
    const early = await runSync(janus.deps, { kind: "due" }, waiting());
    janus.clock.advance(28 * 3_600);

    const due = await countScope(janus.deps, { kind: "due" });
    const { counts, codes } = await runSync(janus.deps, { kind: "due" }, waiting());

    expect(early.counts).toEqual(NOTHING);
    expect(due).toBe(25);
    expect({ counts, codes }).toEqual({
      counts: { ...NOTHING, checked: 25, changed: 2, pushed: 2 },
      codes: [],
    });
    expect(memberValues(users)).toEqual(["0", "0", ...Array(23).fill("1")]);
  });

  test("checks every link with all, and one with member", async () => {
    const users = await linkMembers(3);
    for (const user of users) says(user, []);
    const [first = ""] = users;

    const one = await runSync(janus.deps, { kind: "member", discordUserId: first }, waiting());
    const after = memberValues(users);
    const all = await runSync(janus.deps, { kind: "all" }, waiting());

    expect(one.counts).toEqual({ ...NOTHING, checked: 1, changed: 1, pushed: 1 });
    expect(after).toEqual(["0", "1", "1"]);
    expect(all.counts).toEqual({ ...NOTHING, checked: 3, changed: 2, pushed: 2 });
    expect(memberValues(users)).toEqual(["0", "0", "0"]);
  });

  test("counts the one member alone, whatever else is due or fails", async () => {
    const users = await linkMembers(3);
    const [first = "", second = "", third = ""] = users;
    says(second, []);
    await database.rows(`update link set push_due_at = now() - interval '1 day', pushed_metadata = '{}'
      where discord_user_id in ('${second}', '${third}')`);
    janus.discord.failNext("put_role_connection", { status: 500, body: "{}" });

    const { counts, codes } = await runSync(janus.deps, { kind: "member", discordUserId: first }, waiting());

    expect({ counts, codes }).toEqual({ counts: { ...NOTHING, checked: 1 }, codes: [] });
  });

  test("holds what the brake holds, and says how many", async () => {
    const users = await linkMembers(20);
    for (const user of users.slice(0, 12)) says(user, []);

    const { counts } = await runSync(janus.deps, { kind: "all" }, waiting());

    expect(counts).toEqual({ ...NOTHING, checked: 20, changed: 12, held: 12 });
    expect(memberValues(users)).toEqual(Array(20).fill("1"));

    const [losing = "", keeping = ""] = [users[0], users[19]];
    for (const [discordUserId, held] of [
      [losing, 1],
      [keeping, 0],
    ] as const) {
      const one = await runSync(janus.deps, { kind: "member", discordUserId }, waiting());
      expect(one.counts).toMatchObject({ checked: 1, held });
    }
  });

  test("stops at an outage with what it has tried, and takes nothing", async () => {
    const users = await linkMembers(30);
    janus.provider.failNext("token_refresh", { status: 503, body: "" });

    const { counts, codes } = await runSync(janus.deps, { kind: "all" }, waiting());

    expect(counts).toEqual({ ...NOTHING, failed: 1 });
    expect(codes).toEqual(["provider_unavailable"]);
    expect(memberValues(users)).toEqual(Array(30).fill("1"));
  });

  test("stops between two rounds if it is told to", async () => {
    await linkMembers(45);
    const stopping = new AbortController();
    const done: number[] = [];

    await runSync(
      janus.deps,
      { kind: "all" },
      {
        stop: stopping.signal,
        onProgress: (count) => {
          done.push(count);
          stopping.abort();
          return Promise.resolve();
        },
      },
    );

    expect(done).toEqual([20]);
  });
});

/** Whatever a server is asked counts. */
const KEPT = TABLES.filter((table) => table !== "upstream_budget");

describe("runDry()", () => {
  test("says what would change, and changes nothing anywhere", async () => {
    const users = await linkMembers(3);
    for (const user of users.slice(0, 2)) says(user, []);
    const before = await database.dump(KEPT);
    const told = janus.discord.calls.length;
    const sent = janus.provider.sentRefreshTokens.length;

    const { counts } = await runDry(janus.deps, { kind: "all" }, waiting());
    janus.clock.advance(2 * 3_600);
    const later = await runDry(janus.deps, { kind: "all" }, waiting());

    expect(counts).toEqual({ ...NOTHING, checked: 3, changed: 2, held: 2 });
    // The access tokens have run out, and no refresh token is spent.
    expect(later.counts).toEqual({ ...NOTHING, checked: 3, unknown: 3 });
    expect(janus.provider.sentRefreshTokens).toHaveLength(sent);
    expect(janus.discord.calls.length).toBe(told);
    expect(await database.dump(KEPT)).toBe(before);
  });
});
