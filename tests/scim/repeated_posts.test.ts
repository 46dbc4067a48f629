/**
 * A POST whose answer never came. The client sends it again, which RFC 7644 3.3 has answered with 409, and looks for what is
 * there in its own way. Of a group it finds all that it sent, or the POST is carried out now.
 */
import { beforeEach, describe, expect, test } from "bun:test";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import type { Resource } from "../fixtures/scim.ts";
import { newName, SCIM_TOKEN, scimClient } from "../fixtures/scim.ts";
import { addLinkOf } from "../fixtures/stored_link.ts";
import { startReplicaBeside } from "../fixtures/year_replica.ts";
import { onPostgres } from "../harness/database.ts";
import { useDatabase, useJanus } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";

/** Two pages of members, and a part of one. */
const MANY = 220;
const LINKED = [1, 150];
const ISSUER = "https://id.example";
/** More than any POST takes. */
const MOST_STEPS = 60;
const LIMIT_MS = 120_000;

const database = useDatabase();
const janus = useJanus(() =>
  startJanusWithForger({ database, environment: { SCIM_TOKEN, SYNC: "off", OIDC_ISSUER: ISSUER } }),
);
beforeEach(async () => {
  for (const table of ["scim_member", "scim_group", "scim_user", "link"])
    await database.rows(`delete from ${table}`);
});

const client = () => scimClient(janus);
const idOf = (number: number): string => `${String(number).padStart(8, "0")}-0000-7000-8000-000000000000`;
const ALL = Array.from({ length: MANY }, (_, index) => idOf(index + 1));
const listOf = (ids: readonly string[]) => ids.map((value) => ({ value }));
const membersOf = ({ members }: Resource): readonly string[] =>
  (members as readonly { readonly value: string }[]).map(({ value }) => value);
const find = async (attribute: string, value: string): Promise<readonly Resource[]> =>
  (await client().list(`/Groups?filter=${encodeURIComponent(`${attribute} eq "${value}"`)}`)).Resources;

const addUsers = () =>
  database.rows(`insert into scim_user
    select lpad(n::text, 8, '0') || '-0000-7000-8000-000000000000', 'sub-8' || n, 'n' || n, 'n' || n, true, now(), now()
    from generate_series(1, ${MANY}) as n`);
const settleLinks = () => database.rows("update link set check_due_at = now() + interval '1 year'");
const dueLinks = () =>
  database.rows(`select from link where check_due_at <= '${janus.clock.now().toISOString()}'`);
const newGroup = () => ({
  schemas: ["urn:ietf:params:scim:schemas:core:2.0:Group"],
  displayName: newName("group"),
  externalId: newName("pk"),
});

describe("a group whose POST is repeated", () => {
  test("is found by Microsoft Entra before it sends another, by either attribute", async () => {
    const one = newGroup();
    const id = await client().createGroup(one);

    for (const [attribute, value] of Object.entries({
      displayName: one.displayName,
      externalId: one.externalId,
    })) {
      const filter = encodeURIComponent(`${attribute} eq "${value}"`);
      const found = await client().list(`/Groups?excludedAttributes=members&filter=${filter}`);
      expect(found).toMatchObject({ totalResults: 1, Resources: [{ id, ...one }] });
    }
    const member = await client().createUser({ userName: newName("user") });
    await client().patch(`/Groups/${id}`, {
      op: "Add",
      path: "members",
      value: [{ $ref: null, value: member }],
    });
    expect(membersOf(await client().read(`/Groups/${id}`))).toEqual([member]);
  });

  test("is answered 409 to Okta, which imports the groups and links its own to the one of that name", async () => {
    const member = await client().createUser({ userName: newName("user") });
    const one = { ...newGroup(), members: listOf([member]) };
    const id = await client().createGroup(one);

    const again = await client().send("POST", "/Groups", one);
    const imported = await client().list("/Groups?startIndex=1&count=100");

    expect(again).toMatchObject({ status: 409, body: { status: "409", scimType: "uniqueness" } });
    const found = imported.Resources.find(({ displayName }) => displayName === one.displayName);
    expect(found).toMatchObject({ id, members: [{ value: member }] });
    const pushed = await client().patch(
      `/Groups/${id}`,
      { op: "replace", value: { id, displayName: one.displayName } },
      { op: "replace", path: "members", value: listOf([]) },
    );
    expect(pushed.status).toBe(204);
    expect(membersOf(await client().read(`/Groups/${id}`))).toEqual([]);
  });

  test("is the first that Authentik finds, though another has its name in another case", async () => {
    const one = newGroup();
    const other = { ...newGroup(), displayName: one.displayName.toUpperCase() };
    await client().createGroup(other);
    const id = await client().createGroup(one);

    const again = await client().send("POST", "/Groups", one);
    const found = await find("displayName", one.displayName);

    expect(again).toMatchObject({ status: 409, body: { scimType: "uniqueness" } });
    expect(found.map((group) => group.id)).toEqual([id, expect.any(String)]);
    expect((await find("displayName", other.displayName))[0]).toMatchObject(other);
  });
});

describe("a group that was begun by a process that died", () => {
  const begin = async (): Promise<void> => {
    await addUsers();
    await client().createGroup({ ...newGroup(), displayName: "begun", members: listOf(ALL) });
    await database.rows("update scim_group set deleted_at = created_at, settled_until = null");
  };

  test("is nowhere to be seen, and holds no name", async () => {
    await begin();

    expect(await client().list("/Groups")).toMatchObject({ totalResults: 0, Resources: [] });
    expect((await client().send("POST", "/Groups", { displayName: "begun" })).status).toBe(201);
  });

  test("is left alone for an hour, while its process may still be at it, and then removed", async () => {
    await begin();

    await runUpkeep(janus.deps);
    expect(await database.rows("select from scim_member")).toHaveLength(MANY);
    janus.clock.advance(3_601);
    await runUpkeep(janus.deps);

    expect(await database.rows("select from scim_member")).toEqual([]);
    expect(await database.rows("select from scim_group")).toEqual([]);
  });
});

test("Of two equal groups that are sent at once, one is created, and nothing is left of the other", async () => {
  await addUsers();
  const one = { ...newGroup(), members: listOf(ALL) };

  const answers = await Promise.all([1, 2, 3].map(() => client().send("POST", "/Groups", one)));

  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
  expect(membersOf((await find("externalId", one.externalId))[0] as Resource)).toEqual(ALL);
  expect(await database.rows("select from scim_group")).toHaveLength(1);
  expect(await database.rows("select from scim_member")).toHaveLength(MANY);
});

// Only PostgreSQL has two replicas.
test.if(onPostgres)(
  "A POST of a group whose replica is killed at any step leaves all of it or nothing",
  async () => {
    await addUsers();
    for (const number of LINKED) await addLinkOf(database, { discordUserId: `8${number}` });
    const replica = () => startReplicaBeside(janus, database);
    const wrong: unknown[] = [];
    const seen = new Set<number>();
    let isSpared = false;
    for (let steps = 0; !isSpared && steps < MOST_STEPS; steps += 1) {
      await settleLinks();
      const one = { ...newGroup(), members: listOf(ALL) };
      const request = () =>
        new Request(`${janus.url}/scim/v2/Groups`, {
          method: "POST",
          headers: { authorization: `Bearer ${SCIM_TOKEN}`, "content-type": "application/scim+json" },
          body: JSON.stringify(one),
        });
      const [killed, other] = [replica(), replica()];

      killed.killAfter(steps);
      await killed.ask(request());
      isSpared = !killed.isDead();
      const [left, ...more] = await find("displayName", one.displayName);
      const answer = await other.ask(request());
      const [found] = await find("externalId", one.externalId);
      await runUpkeep(janus.deps);

      const status = answer?.status ?? 0;
      seen.add(status);
      const isWhole = left === undefined ? status === 201 : membersOf(left).length === MANY && status === 409;
      const isFound = found !== undefined && membersOf(found).length === MANY;
      const unsettled = await database.rows("select from scim_group where settled_until is not null");
      const isTold = (await dueLinks()).length === LINKED.length && unsettled.length === 0;
      if (!isWhole || more.length > 0 || !isFound || !isTold) wrong.push({ steps, status });
    }

    expect(wrong).toEqual([]);
    expect([...seen].sort()).toEqual([201, 409]);
    expect(isSpared).toBe(true);
  },
  LIMIT_MS,
);

test("A group is told to the links of its members once it is known", async () => {
  await addUsers();
  for (const number of LINKED) await addLinkOf(database, { discordUserId: `8${number}` });
  await settleLinks();

  await client().createGroup({ ...newGroup(), members: listOf(ALL) });

  expect(await dueLinks()).toHaveLength(LINKED.length);
});
