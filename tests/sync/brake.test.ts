/** The brake: losses of many members at once are held, and those of a few are not. */
import { beforeEach, expect, test } from "bun:test";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { findBrake } from "../../lib/sync/brake.ts";
import { checkDueLinks } from "../../lib/sync/check.ts";
import { pushDueLosses } from "../../lib/sync/losses.ts";
import { writeRules } from "../fixtures/rules_file.ts";
import { useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { createBrowser, startJanusWithForger } from "../harness/janus.ts";
import { linkOf } from "../harness/rows.ts";
import { linesOf } from "../harness/seen.ts";
import { newUser, reachForgerCallback } from "../harness/walk.ts";

const RULES = `
[[record]]
key = "member"
type = "boolean_equal"
name = "Member"
description = "Is a member"
value = '"members" in claims.groups'
[[record]]
key = "points"
type = "integer_greater_than_or_equal"
name = "Points"
description = "Has points"
value = 'claims.points'
`;

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
    const user = newUser();
    janus.provider.signInAs({ sub: `subject-of-${user}`, groups: ["members"], points: 1 });
    const browser = createBrowser(janus.url);
    await browser.get(await reachForgerCallback(browser, user));
    users.push(user);
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
  await janus.deps.queries.setReleased({ now: janus.clock.now() });
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
  janus.discord.endGrant(user);
  // Until the tries are six hours apart.
  await passDay();
  const before = janus.provider.sentRefreshTokens.length;

  await passDay();

  // A try reads the member's own claims first, and then those of all.
  const [dailyChecks, tries] = [2, 6];
  const most = 4 * dailyChecks + (1 + 4) * tries;
  expect(janus.provider.sentRefreshTokens.length - before).toBeLessThanOrEqual(most);
  expect(memberValues([user, ...others])).toEqual(["1", "1", "1", "1"]);
  expect(await findBrake(janus.deps)).toMatchObject({ waiting: 1 });
  expect((await linkOf(janus, user))?.pushFailures).toBeGreaterThan(6);
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
