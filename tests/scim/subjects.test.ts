/** Which user a member is: by which attribute, and by which claim. And what a member reads of it. */
import { beforeEach, describe, expect, test } from "bun:test";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { writeRules } from "../fixtures/rules_file.ts";
import { newName, SCIM_TOKEN, scimClient } from "../fixtures/scim.ts";
import { useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { createBrowser, startJanusWithForger } from "../harness/janus.ts";
import { linkOf, trailOf } from "../harness/rows.ts";
import { linesOf } from "../harness/seen.ts";
import { linkMember, newUser, reachForgerCallback } from "../harness/walk.ts";

const RULES = `
[[record]]
key = "staff"
type = "boolean_equal"
name = "Staff"
description = "Is in the group staff"
value = '"staff" in sources.scim.groups'
`;

const folder = useFolder("scim-subjects");
const start = async (environment: Record<string, string>, rules = RULES) =>
  startJanusWithForger({
    database,
    environment: { SCIM_TOKEN, ...environment, ...(await writeRules(folder, rules)) },
  });
const database = useDatabase();
const plain = useJanus(() => start({}));
const admitting = useJanus(() =>
  start({}, `[admit]\nwhen = 'sources.scim.active'\nmessage.en = "Only active members can link."\n${RULES}`),
);
const byClaim = useJanus(() => start({ SCIM_CLAIM: "oid" }));
const byName = useJanus(() => start({ SCIM_SUBJECT: "userName" }));
beforeEach(async () => {
  for (const table of ["scim_member", "scim_group", "scim_user"]) await database.rows(`delete from ${table}`);
});

type Janus = typeof plain;

async function signIn(janus: Janus, user: string, claims: Record<string, unknown> = {}) {
  janus.provider.signInAs({ sub: `subject-of-${user}`, preferred_username: "anna", ...claims });
  return linkMember(janus, user);
}
const staffOf = (janus: Janus, user: string) => janus.discord.roleConnection(user)?.metadata.staff;
/** A user who is in the group staff. */
async function addStaff(janus: Janus, user: Record<string, unknown>): Promise<string> {
  const id = await scimClient(janus).createUser({ userName: newName("user"), ...user });
  await scimClient(janus).createGroup({ displayName: "staff", members: [{ value: id }] });
  return id;
}

describe("a member is the user", () => {
  test("whose external id is the subject", async () => {
    const user = newUser();
    await addStaff(plain, { externalId: `subject-of-${user}` });

    await signIn(plain, user);

    expect(staffOf(plain, user)).toBe("1");
  });

  test("whose name is the subject, in the same case, if SCIM_SUBJECT says so", async () => {
    const [user, other] = [newUser(), newUser()];
    await addStaff(byName, { userName: `subject-of-${user}`, externalId: `subject-of-${other}` });
    await scimClient(byName).createUser({ userName: `SUBJECT-OF-${other}` });

    await signIn(byName, user);
    await signIn(byName, other);

    expect(staffOf(byName, user)).toBe("1");
    expect(staffOf(byName, other)).toBeUndefined();
  });

  test("whose external id is the claim that SCIM_CLAIM names, and nobody without it", async () => {
    const [user, other] = [newUser(), newUser()];
    const oid = crypto.randomUUID();
    const id = await addStaff(byClaim, { externalId: oid });
    await scimClient(byClaim).createUser({ userName: newName("user"), externalId: `subject-of-${other}` });

    await signIn(byClaim, user, { oid });
    await signIn(byClaim, other);
    await scimClient(byClaim).patch(`/Users/${id}`, { op: "replace", path: "active", value: "False" });
    await runUpkeep(byClaim.deps);

    expect(staffOf(byClaim, other)).toBeUndefined();
    expect(byClaim.discord.roleConnection(user)).toBeUndefined();
    expect(await linkOf(byClaim, user)).toMatchObject({ goneSource: "scim" });
    expect(await linkOf(byClaim, other)).toMatchObject({ goneSource: null });
  });
});

describe("accounts that share the claim of SCIM_CLAIM", () => {
  /** A person with two accounts at the provider and two at Discord, as after a change of OIDC_CLIENT_ID at Entra. */
  async function linkedTwice() {
    const [oid, users] = [crypto.randomUUID(), [newUser(), newUser()]];
    const id = await scimClient(byClaim).createUser({ userName: newName("user"), externalId: oid });
    for (const user of users) await signIn(byClaim, user, { oid });
    return { id, users, oid };
  }
  const sourcesOf = async (users: readonly string[]) =>
    (await Promise.all(users.map((user) => linkOf(byClaim, user)))).map((link) => link?.goneSource);
  const setActive = (id: string, value: boolean) =>
    scimClient(byClaim).patch(`/Users/${id}`, { op: "replace", path: "active", value });
  const endings = async (user: string) =>
    (await trailOf(byClaim, user)).filter((action) => action === "membership_ended");

  test("all end with the user, and go on with it", async () => {
    const { id, users } = await linkedTwice();
    const before = linesOf(byClaim, "event_received").length;

    await setActive(id, false);
    const ended = await sourcesOf(users);
    const told = linesOf(byClaim, "event_received").slice(before);
    await runUpkeep(byClaim.deps);
    const held = users.map((user) => byClaim.discord.roleConnection(user));
    await setActive(id, true);
    await runUpkeep(byClaim.deps);

    expect([ended, held]).toEqual([
      ["scim", "scim"],
      [undefined, undefined],
    ]);
    expect(told.map(({ outcome, discordUserId }) => [outcome, discordUserId]).sort()).toEqual(
      users.map((user) => ["ended", user]).sort(),
    );
    expect(await Promise.all(users.map(endings))).toMatchObject([["membership_ended"], ["membership_ended"]]);
    expect(await sourcesOf(users)).toEqual([null, null]);
    expect(users.map((user) => byClaim.discord.roleConnection(user))).not.toContain(undefined);
  });

  test("all end with a user that is deleted, and go on with one that is created again", async () => {
    const [{ id, users, oid }, { users: others }] = [await linkedTwice(), await linkedTwice()];

    await scimClient(byClaim).send("DELETE", `/Users/${id}`);
    const deleted = [await sourcesOf(users), await sourcesOf(others)];
    await scimClient(byClaim).createUser({ userName: newName("user"), externalId: oid });

    expect(deleted).toEqual([
      ["scim", "scim"],
      [null, null],
    ]);
    expect(await sourcesOf(users)).toEqual([null, null]);
  });

  test("all end with a request that is repeated because it had no answer", async () => {
    const { id, users } = await linkedTwice();
    await setActive(id, false);
    const [last] = users.toSorted().toReversed();
    // As a process that dies after the first part leaves it.
    await database.rows(
      `update link set gone_at = null, gone_source = null where discord_user_id = '${last}'`,
    );

    await setActive(id, false);

    expect(await sourcesOf(users)).toEqual(["scim", "scim"]);
  });

  test("all end with a POST that is repeated, though the user is there already", async () => {
    const { id, users, oid } = await linkedTwice();
    const one = { userName: newName("user"), externalId: oid, active: false };
    await scimClient(byClaim).send("DELETE", `/Users/${id}`);
    await scimClient(byClaim).createUser(one);
    const [last] = users.toSorted().toReversed();
    // As a process that dies after the first part leaves it.
    await database.rows(
      `update link set gone_at = null, gone_source = null where discord_user_id = '${last}'`,
    );

    const other = await scimClient(byClaim).send("POST", "/Users", { ...one, externalId: newName("other") });
    const untold = (await sourcesOf(users)).toSorted();
    const again = await scimClient(byClaim).send("POST", "/Users", one);

    expect([other.status, again.status]).toEqual([409, 409]);
    expect(untold).toEqual([null, "scim"]);
    expect(await sourcesOf(users)).toEqual(["scim", "scim"]);
  });
});

describe("admit", () => {
  test.each([
    ["an inactive user", { active: false }, 0],
    ["an active user", { active: true }, 1],
    ["somebody of whom no client has told", undefined, 0],
  ])("that reads sources.scim decides on %s", async (_, provisioned, links) => {
    const user = newUser();
    const externalId = `subject-of-${user}`;
    if (provisioned !== undefined)
      await scimClient(admitting).createUser({ userName: newName("user"), externalId, ...provisioned });

    admitting.provider.signInAs({ sub: externalId, preferred_username: "anna" });
    const browser = createBrowser(admitting.url);
    await browser.get(await reachForgerCallback(browser, user));

    expect(await database.rows(`select from link where discord_user_id = '${user}'`)).toHaveLength(links);
  });
});

test("GET /api/me/export has what a client has told of the member", async () => {
  const user = newUser();
  const externalId = `subject-of-${user}`;
  await addStaff(plain, { externalId, userName: `name-of-${user}` });
  const browser = await signIn(plain, user);

  const response = await browser.get(`${plain.url}/api/me/export`);

  expect(await response.json()).toMatchObject({
    scim_user: { external_id: externalId, user_name: `name-of-${user}`, active: true, groups: ["staff"] },
  });
});
