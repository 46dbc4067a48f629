/** The brake: losses of many members at once are held, and those of a few are not. */
import { beforeEach, expect, test } from "bun:test";
import { releaseLosses } from "../../lib/operator/release_losses.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { findBrake } from "../../lib/sync/brake.ts";
import { checkDueLinks } from "../../lib/sync/check_round.ts";
import { pushDueLosses } from "../../lib/sync/losses.ts";
import { MEMBER_RECORD, POINTS_RECORD, writeRules } from "../fixtures/rules_file.ts";
import { useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { linkOf } from "../harness/rows.ts";
import { linesOf } from "../harness/seen.ts";
import { linkNewMember } from "../harness/walk.ts";

const RULES = MEMBER_RECORD + POINTS_RECORD;

const HOUR_SECONDS = 3_600;
const MEMBERS = 100;

const folder = useFolder("brake");
const database = useDatabase();
const janus = useJanus(async () =>
  startJanusWithForger({ database, environment: await writeRules(folder, RULES) }),
);
beforeEach(async () => {
  janus.provider.reset();
  for (const table of ["link", "brake"]) await database.rows(`delete from ${table}`);
});

const says = (user: string, claims: object): void =>
  janus.provider.setIdentity({ sub: `subject-of-${user}`, groups: ["members"], points: 1, ...claims });

/** Members who have linked, all at about the same time. */
async function linkMembers(count = MEMBERS): Promise<readonly string[]> {
  const users: string[] = [];
  for (let member = 0; member < count; member += 1) {
    users.push(await linkNewMember(janus, { groups: ["members"], points: 1 }));
  }
  return users;
}

/** A day and more, in steps in which the checks of a few links come due. What one round begins, the next goes on with. */
async function passDay(stepSeconds = 2 * HOUR_SECONDS): Promise<void> {
  for (let seconds = 0; seconds < 28 * HOUR_SECONDS; seconds += stepSeconds) {
    janus.clock.advance(stepSeconds);
    await runUpkeep(janus.deps);
    janus.clock.advance(31);
    await runUpkeep(janus.deps);
  }
}

const memberValues = (users: readonly string[]) =>
  users.map((user) => janus.discord.roleConnection(user)?.metadata.member);
const pointsOf = (user: string | undefined) => janus.discord.roleConnection(user ?? "")?.metadata.points;

test("30 of 100 who lose their group at once keep the role until the operator releases them", async () => {
  const users = await linkMembers();
  const losers = users.slice(0, 30);
  for (const user of losers) says(user, { groups: [] });
  says(users[40] ?? "", { points: 8 });
  says(losers[0] ?? "", { groups: [], points: 8 });
  const before = linesOf(janus, "losses_held").length;

  await passDay();
  const held = memberValues(users);
  const brake = await findBrake(janus.deps);
  await releaseLosses(janus.deps, "anna", janus.clock.now());
  janus.clock.advance(31);
  await runUpkeep(janus.deps);

  expect(held).toEqual(Array(MEMBERS).fill("1"));
  expect([pointsOf(users[40]), pointsOf(losers[0])]).toEqual(["8", "8"]);
  expect(brake).toMatchObject({ waiting: 30, heldAt: expect.any(Date) });
  expect(linesOf(janus, "losses_held")).toHaveLength(before + 1);
  expect(memberValues(losers)).toEqual(Array(30).fill("0"));
  expect(memberValues(users.slice(30))).toEqual(Array(70).fill("1"));
  expect(await findBrake(janus.deps)).toBeUndefined();
});

test("5 of 100 lose the role without a brake", async () => {
  const users = await linkMembers();
  const losers = users.slice(0, 5);
  for (const user of losers) says(user, { groups: [] });
  const before = linesOf(janus, "losses_held").length;

  await passDay();

  expect(memberValues(losers)).toEqual(Array(5).fill("0"));
  expect(linesOf(janus, "losses_held")).toHaveLength(before);
});

test("the brake lets go by itself once the groups are back, and only who still loses does", async () => {
  const users = await linkMembers();
  for (const user of users.slice(0, 30)) says(user, { groups: [] });
  await passDay();
  const during = memberValues(users);
  for (const user of users.slice(4, 30)) says(user, {});

  await passDay();

  expect(during).toEqual(Array(MEMBERS).fill("1"));
  expect(memberValues(users)).toEqual([...Array(4).fill("0"), ...Array(96).fill("1")]);
  expect(linesOf(janus, "losses_let_go").length).toBeGreaterThan(0);
});

test("others are read for a loss when it can be told, and not while it waits for its next try", async () => {
  const [user = "", ...others] = await linkMembers(4);
  says(user, { groups: [] });
  janus.discord.direct({
    choose: ({ operation }) => (operation === "put_role_connection" ? { status: 503 } : undefined),
    done: () => undefined,
  });
  // Until the tries are six hours apart.
  await passDay();
  const before = janus.provider.sentRefreshTokens.length;

  await passDay();
  janus.discord.direct(undefined);

  // A try reads the member's own claims first, and then those of all.
  const [dailyChecks, tries] = [2, 6];
  const most = 4 * dailyChecks + (1 + 4) * tries;
  expect(janus.provider.sentRefreshTokens.length - before).toBeLessThanOrEqual(most);
  expect(memberValues([user, ...others])).toEqual(["1", "1", "1", "1"]);
  expect(await findBrake(janus.deps)).toMatchObject({ waiting: 1 });
  expect((await linkOf(janus, user))?.pushFailures).toBeGreaterThan(6);
});

test.each([
  ["every hour", HOUR_SECONDS],
  ["every five hours", 5 * HOUR_SECONDS],
  ["once a day", 24 * HOUR_SECONDS],
])("a loss is told in the round that finds it, although upkeep comes only %s", async (_, seconds) => {
  const users = await linkMembers(20);
  const losers = users.slice(0, 3);
  for (const user of losers) says(user, { groups: [] });

  for (let passed = 0; passed < 28 * HOUR_SECONDS; passed += seconds) {
    janus.clock.advance(seconds);
    await runUpkeep(janus.deps);
    const waiting = await database.rows("select from link where loss_due_at is not null");
    expect(waiting).toEqual([]);
  }

  expect(memberValues(losers)).toEqual(Array(3).fill("0"));
});

test("a loss of a member of another provider is told by the claims that there are", async () => {
  const [user = ""] = await linkMembers(1);
  janus.clock.advance(2 * HOUR_SECONDS);
  const at = `timestamptz '${janus.clock.now().toISOString()}'`;
  await database.rows(`update organisation_account set claims = '{"groups": [], "points": 1}'`);
  await database.rows(`update link set loss_found_at = ${at}, loss_due_at = ${at}`);
  const { config } = janus.deps;
  const oidc = { ...config.oidc, issuer: "https://later.example" };

  await pushDueLosses({ ...janus.deps, config: { ...config, oidc } });
  await pushDueLosses({ ...janus.deps, config: { ...config, oidc } });

  expect(memberValues([user])).toEqual(["0"]);
});

test("losses of many are held in the round that finds them, and told once they are released", async () => {
  const users = await linkMembers(20);
  const losers = users.slice(0, 12);
  for (const user of losers) says(user, { groups: [] });
  janus.clock.advance(28 * HOUR_SECONDS);
  await runUpkeep(janus.deps);
  const held = memberValues(losers);
  await releaseLosses(janus.deps, "anna", janus.clock.now());
  const releasedAt = janus.clock.now().getTime();
  await runUpkeep(janus.deps);

  // What the operator has released counts for no brake.
  says(users[15] ?? "", { groups: [] });
  for (let day = 0; day < 2; day += 1) {
    janus.clock.advance(20 * HOUR_SECONDS);
    await runUpkeep(janus.deps);
  }

  expect(held).toEqual(Array(12).fill("1"));
  expect(memberValues(losers)).toEqual(Array(12).fill("0"));
  expect(memberValues(users.slice(15, 16))).toEqual(["0"]);
  for (const user of losers) {
    const { lossCountedAt, lostAt } = (await linkOf(janus, user)) ?? {};
    expect(lossCountedAt).toBeNull();
    expect((lostAt as Date).getTime()).toBeGreaterThanOrEqual(releasedAt);
  }
});

test("two processes hold the same, whichever of them finds the losses", async () => {
  const users = await linkMembers();
  for (const user of users.slice(0, 30)) says(user, { groups: [] });
  // A process has its own pauses, by its own statements.
  const other = { ...janus.deps, queries: { ...janus.deps.queries } };
  janus.clock.advance(28 * HOUR_SECONDS);

  for (let round = 0; round < 8; round += 1) {
    janus.clock.advance(30);
    await Promise.all([checkDueLinks(janus.deps), pushDueLosses(other), checkDueLinks(other)]);
    await Promise.all([pushDueLosses(janus.deps), pushDueLosses(other)]);
  }

  expect(memberValues(users)).toEqual(Array(MEMBERS).fill("1"));
  expect(await findBrake(other)).toMatchObject({ waiting: 30, heldAt: expect.any(Date) });
});
