/** What a SCIM client tells, from its request to what Discord has. */
import { beforeEach, describe, expect, test } from "bun:test";
import { EventEmitter, once } from "node:events";
import { runUpkeep, startUpkeep } from "../../lib/server/upkeep.ts";
import { writeRules } from "../fixtures/rules_file.ts";
import { newName, SCIM_TOKEN, scimClient } from "../fixtures/scim.ts";
import { useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { linkOf, setOfLink, trailOf } from "../harness/rows.ts";
import { linesOf } from "../harness/seen.ts";
import { linkMember, newUser, subjectOf } from "../harness/walk.ts";

const RULES = `
[[record]]
key = "staff"
type = "boolean_equal"
name = "Staff"
description = "Is in the group staff"
value = '"staff" in sources.scim.groups'
[[record]]
key = "member"
type = "boolean_equal"
name = "Member"
description = "Has signed in"
value = 'claims.preferred_username == "anna"'
`;

/** Hears of each push that Janus sends. */
const pushes = new EventEmitter<{ sent: [body: string] }>();
const folder = useFolder("scim-effects");
const database = useDatabase();
const janus = useJanus(async () =>
  startJanusWithForger({
    database,
    environment: { SCIM_TOKEN, ...(await writeRules(folder, RULES)) },
    fetch: (address, init) => {
      if (init.method === "PUT") pushes.emit("sent", String(init.body));
      return fetch(address, init);
    },
  }),
);
beforeEach(async () => {
  janus.provider.reset();
  await database.rows("delete from link");
  for (const table of ["scim_member", "scim_group", "scim_user"]) await database.rows(`delete from ${table}`);
});

const client = () => scimClient(janus);
const heldBy = (user: string) => janus.discord.roleConnection(user)?.metadata;

async function signIn(user: string): Promise<void> {
  janus.provider.signInAs({ sub: subjectOf(user), preferred_username: "anna" });
  await linkMember(janus, user);
}

/** A member as a client provisions one before they link. */
async function provision(user: string, more: Record<string, unknown> = {}): Promise<string> {
  return client().createUser({ externalId: subjectOf(user), userName: newName("user"), ...more });
}

const addTo = (group: string, ...users: readonly string[]) =>
  client().patch(`/Groups/${group}`, {
    op: "add",
    path: "members",
    value: users.map((value) => ({ value })),
  });
const setActive = (user: string, value: unknown) =>
  client().patch(`/Users/${user}`, { op: "replace", path: "active", value });
const upkeep = () => runUpkeep(janus.deps);

/** A member who is linked, provisioned and in no group. */
async function linked(): Promise<{ readonly user: string; readonly id: string }> {
  const user = newUser();
  const id = await provision(user);
  await signIn(user);
  await upkeep();
  return { user, id };
}

describe("a group", () => {
  test("of a member who is provisioned before they link counts at the link", async () => {
    const user = newUser();
    const id = await provision(user);
    await addTo(await client().createGroup({ displayName: "staff" }), id);

    await signIn(user);

    expect(heldBy(user)).toEqual({ staff: "1", member: "1" });
  });

  test("that a member joins and leaves is told to Discord by the next round", async () => {
    const { user, id } = await linked();
    const group = await client().createGroup({ displayName: "staff" });
    expect(heldBy(user)).toEqual({ staff: "0", member: "1" });

    await addTo(group, id);
    await upkeep();
    const joined = heldBy(user);
    await client().patch(`/Groups/${group}`, { op: "remove", path: `members[value eq "${id}"]` });
    await upkeep();

    expect(joined).toEqual({ staff: "1", member: "1" });
    expect(heldBy(user)).toEqual({ staff: "0", member: "1" });
    expect((await trailOf(janus, user)).filter((action) => action === "recheck_asked")).toHaveLength(2);
    expect(linesOf(janus, "event_received")).toContainEqual(
      expect.objectContaining({ source: "scim", outcome: "rechecked", discordUserId: user }),
    );
  });

  test("that gets another name, or is deleted, is told for all its members", async () => {
    const [one, other] = [await linked(), await linked()];
    const group = await client().createGroup({ displayName: "board" });
    await addTo(group, one.id, other.id);
    await upkeep();

    await client().patch(`/Groups/${group}`, { op: "replace", value: { displayName: "staff" } });
    await upkeep();
    const renamed = [heldBy(one.user)?.staff, heldBy(other.user)?.staff];
    await client().send("DELETE", `/Groups/${group}`);
    await upkeep();

    expect(renamed).toEqual(["1", "1"]);
    expect([heldBy(one.user)?.staff, heldBy(other.user)?.staff]).toEqual(["0", "0"]);
    expect(await database.rows("select * from scim_group")).toEqual([]);
    expect(await database.rows("select * from scim_member")).toEqual([]);
  });

  test("counts for a member without a refresh token, and for one whose provider is silent", async () => {
    const [without, silent] = [await linked(), await linked()];
    await setOfLink(
      janus,
      "organisation_token",
      "refresh_token_sealed = null, expires_at = null",
      without.user,
    );
    await setOfLink(janus, "organisation_token", "ended_at = now(), end_cause = 'unanswered'", without.user);
    const group = await client().createGroup({ displayName: "staff" });
    janus.provider.failNext("token_refresh", { status: 503 });

    await addTo(group, silent.id);
    await upkeep();
    await addTo(group, without.id);
    const [whileSilent, failed] = [heldBy(silent.user), await linkOf(janus, silent.user)];
    janus.provider.reset();
    janus.clock.advance(7_200);
    await upkeep();
    await upkeep();

    expect(whileSilent).toEqual({ staff: "1", member: "1" });
    expect(failed).toMatchObject({ checkFailedCode: "provider_unavailable" });
    expect(heldBy(without.user)).toEqual({ staff: "1", member: "1" });
  });

  test("that a client told of while the member signed in counts within a minute", async () => {
    const { user, id } = await linked();
    const group = await client().createGroup({ displayName: "staff" });
    // The client's request did not find the link, which was not stored yet.
    await signIn(user);
    await database.rows(`insert into scim_member values ('${group}', '${id}')`);

    janus.clock.advance(61);
    await upkeep();

    expect(heldBy(user)).toEqual({ staff: "1", member: "1" });
  });

  test("of a user that the client takes back is not known: Discord keeps what it had", async () => {
    const { user, id } = await linked();
    await addTo(await client().createGroup({ displayName: "staff" }), id);
    await upkeep();

    await database.rows("delete from scim_member");
    await database.rows("delete from scim_user");
    await database.rows("update link set check_due_at = linked_at");
    await upkeep();

    expect(heldBy(user)).toEqual({ staff: "1", member: "1" });
    expect(JSON.stringify(await database.rows("select sources from organisation_account"))).not.toContain(
      "staff",
    );
  });
});

describe("a membership", () => {
  test.each([
    ["deactivated", (id: string) => setActive(id, "False")],
    ["deleted", (id: string) => client().send("DELETE", `/Users/${id}`)],
  ])("of a user that is %s has ended at once", async (_, end) => {
    const { user, id } = await linked();

    await end(id);
    await upkeep();

    expect(heldBy(user)).toBeUndefined();
    expect(await linkOf(janus, user)).toMatchObject({
      goneSource: "scim",
      clearCause: "membership_ended",
    });
    expect(await trailOf(janus, user)).toContain("membership_ended");
    expect(linesOf(janus, "event_received")).toContainEqual(
      expect.objectContaining({ source: "scim", outcome: "ended", discordUserId: user }),
    );
  });

  test("goes on when the user is active again, or provisioned again", async () => {
    const { user, id } = await linked();

    await setActive(id, false);
    await upkeep();
    await setActive(id, true);
    await upkeep();
    const again = heldBy(user);
    await client().send("DELETE", `/Users/${id}`);
    await upkeep();
    await provision(user);
    await upkeep();

    expect(again).toEqual({ staff: "0", member: "1" });
    expect(heldBy(user)).toEqual({ staff: "0", member: "1" });
    expect(await linkOf(janus, user)).toMatchObject({ goneAt: null, goneSource: null });
    expect((await trailOf(janus, user)).filter((action) => action === "membership_restored")).toHaveLength(2);
  });

  test("whose end is taken back before Discord was told takes nothing", async () => {
    const { user, id } = await linked();
    const before = janus.discord.calls.length;

    await setActive(id, false);
    await setActive(id, true);
    await upkeep();

    const operations = janus.discord.calls.slice(before).map(({ operation }) => operation);
    expect(operations).not.toContain("delete_role_connection");
    expect(await linkOf(janus, user)).toMatchObject({ goneAt: null, lossFoundAt: null, lossDueAt: null });
  });

  test("that has ended does not begin again with a sign-in while the user is inactive", async () => {
    const { user, id } = await linked();
    await setActive(id, false);
    await upkeep();

    await signIn(user);
    await upkeep();
    const inactive = heldBy(user);
    await client().send("DELETE", `/Users/${id}`);
    await signIn(user);

    expect(inactive).toBeUndefined();
    expect(heldBy(user)?.member).toBe("1");
  });

  test("of an inactive user who links for the first time has ended", async () => {
    const user = newUser();
    await provision(user, { active: false });

    await signIn(user);

    expect(heldBy(user)).toBeUndefined();
    expect(await linkOf(janus, user)).toMatchObject({ goneSource: "scim" });
  });

  test("of which Janus has missed the end ends with the next check", async () => {
    const { user, id } = await linked();
    await setActive(id, false);
    await database.rows("update link set gone_at = null, gone_source = null, check_due_at = linked_at");

    await upkeep();

    expect(heldBy(user)).toBeUndefined();
    expect(await linkOf(janus, user)).toMatchObject({ goneSource: "scim" });
    expect((await trailOf(janus, user)).filter((action) => action === "membership_ended")).toHaveLength(2);
  });

  test("moves to the subject that the user has now", async () => {
    const [one, other] = [await linked(), newUser()];
    await signIn(other);
    const externalId = subjectOf(other);
    await setActive(one.id, false);
    await upkeep();

    await client().patch(`/Users/${one.id}`, { op: "replace", path: "externalId", value: externalId });
    await upkeep();

    expect(heldBy(other)).toBeUndefined();
    expect(await linkOf(janus, other)).toMatchObject({ goneSource: "scim" });
  });
});

describe("a request that changes nothing", () => {
  test("makes nothing due, and is counted as repeated", async () => {
    const { user, id } = await linked();
    const before = await linkOf(janus, user);
    const { userName } = await client().read(`/Users/${id}`);

    await client().send("PUT", `/Users/${id}`, { userName, externalId: subjectOf(user), active: true });

    expect(await linkOf(janus, user)).toEqual(before);
    expect(linesOf(janus, "event_received").at(-1)).toMatchObject({ outcome: "repeated" });
  });
});

test.each([
  ["deactivates", (id: string) => setActive(id, false)],
  ["deletes", (id: string) => client().send("DELETE", `/Users/${id}`)],
])("a client that %s a user ends the membership while the provider keeps checks waiting", async (_, end) => {
  const [gone, other] = [await linked(), await linked()];
  const group = await client().createGroup({ displayName: "staff" });
  const checks = janus.provider.gate("token_refresh");
  const clearing = janus.discord.gate("delete_role_connection");
  const running = startUpkeep(janus.deps);
  await addTo(group, other.id);
  await checks.arrived;

  await end(gone.id);
  await clearing.arrived;
  clearing.release();
  checks.release();
  await running.stop();

  expect(heldBy(gone.user)).toBeUndefined();
});

test("upkeep that runs tells Discord without waiting for its next round", async () => {
  const { user, id } = await linked();
  const group = await client().createGroup({ displayName: "staff" });
  const running = startUpkeep(janus.deps);

  const pushed = once(pushes, "sent");
  await addTo(group, id);
  await pushed;
  await running.stop();

  expect(heldBy(user)).toEqual({ staff: "1", member: "1" });
});
