/** Groups with more members than one statement writes, and what a process that dies leaves to others. */
import { beforeEach, describe, expect, test } from "bun:test";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { newName, SCIM_TOKEN, scimClient } from "../fixtures/scim.ts";
import { addLinkOf } from "../fixtures/stored_link.ts";
import { useDatabase, useJanus } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";

/** Three pages of members, and a part of one. */
const MANY = 340;
const ISSUER = "https://id.example";

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
const idsTo = (most: number): readonly string[] =>
  Array.from({ length: most }, (_, index) => idOf(index + 1));
const listOf = (ids: readonly string[]) => ids.map((value) => ({ value }));
const membersOf = async (group: string): Promise<readonly string[]> => {
  const { members } = await client().read(`/Groups/${group}`);
  return (members as readonly { readonly value: string }[]).map(({ value }) => value);
};

/** Many users. The first, one in the middle and the last are linked. */
const LINKED = [1, 170, MANY];
async function addUsers(): Promise<void> {
  await database.rows(`insert into scim_user
    select lpad(n::text, 8, '0') || '-0000-7000-8000-000000000000', 'sub-9' || n, 'n' || n, 'n' || n, true, now(), now()
    from generate_series(1, ${MANY}) as n`);
  for (const number of LINKED)
    if (
      (await database.rows(`select from discord_account where discord_user_id = '9${number}'`)).length === 0
    )
      await addLinkOf(database, { discordUserId: `9${number}` });
    else
      await database.rows(`insert into link (discord_user_id, issuer, subject, linked_at)
        values ('9${number}', '${ISSUER}', 'sub-9${number}', now())`);
  await settle();
}
const settle = () => database.rows("update link set check_due_at = now() + interval '1 year'");
const dueOf = async (): Promise<readonly unknown[]> => {
  const now = janus.clock.now().toISOString();
  const rows = await database.rows(
    `select discord_user_id from link where check_due_at <= '${now}' order by length(discord_user_id), discord_user_id`,
  );
  return rows.map(({ discordUserId }) => discordUserId);
};
const ALL = LINKED.map((number) => `9${number}`);

describe("a group of many members", () => {
  test("gets all of them, loses all but one, and makes due those whom that concerns", async () => {
    await addUsers();
    const group = await client().createGroup({ displayName: newName("all") });
    const path = `/Groups/${group}`;

    await client().patch(path, { op: "add", path: "members", value: listOf(idsTo(MANY)) });
    const [added, dueByAdding] = [await membersOf(group), await dueOf()];
    await settle();
    await client().patch(path, { op: "add", path: "members", value: listOf(idsTo(MANY)) });
    const dueByRepeating = await dueOf();
    await client().patch(path, { op: "replace", path: "members", value: listOf([idOf(170)]) });

    expect(added).toEqual([...idsTo(MANY)]);
    expect(dueByAdding).toEqual(ALL);
    expect(dueByRepeating).toEqual([]);
    expect(await membersOf(group)).toEqual([idOf(170)]);
    expect(await dueOf()).toEqual([`9${LINKED[0]}`, `9${LINKED[2]}`]);
  });

  test("that is renamed and deleted makes all of them due", async () => {
    await addUsers();
    const group = await client().createGroup({
      displayName: newName("all"),
      members: listOf(idsTo(MANY)),
    });
    await settle();

    await client().patch(`/Groups/${group}`, { op: "replace", value: { displayName: newName("renamed") } });
    const renamed = await dueOf();
    await settle();
    await client().send("DELETE", `/Groups/${group}`);

    expect(renamed).toEqual(ALL);
    expect(await dueOf()).toEqual(ALL);
    expect(await database.rows("select from scim_member")).toEqual([]);
    expect(await database.rows("select from scim_group")).toEqual([]);
  });

  test("answers a PATCH with what it is asked for", async () => {
    await addUsers();
    const displayName = newName("all");
    const group = await client().createGroup({ displayName, members: listOf(idsTo(MANY)) });

    const { status, body } = await client().patch(`/Groups/${group}?attributes=displayName`, {
      op: "remove",
      path: `members[value eq "${idOf(1)}"]`,
    });

    expect(status).toBe(200);
    expect(body).toEqual({ schemas: expect.any(Array), id: group, displayName });
  });

  test("is listed with its members in short pages, and without them in long ones", async () => {
    for (let made = 0; made < 12; made += 1) await client().createGroup({ displayName: newName("group") });

    expect(await client().list("/Groups")).toMatchObject({ totalResults: 12, itemsPerPage: 10 });
    expect(await client().list("/Groups?startIndex=11")).toMatchObject({ itemsPerPage: 2, startIndex: 11 });
    expect(await client().list("/Groups?excludedAttributes=members")).toMatchObject({ itemsPerPage: 12 });
  });
});

describe("upkeep", () => {
  test.each([
    ["renamed", "settled_until = ''"],
    ["renamed, with a part of them done", `settled_until = '${idOf(1)}'`],
    ["deleted", "settled_until = '', deleted_at = now()"],
  ])("finishes a group that was %s by a process that died", async (what, left) => {
    await addUsers();
    const group = await client().createGroup({
      displayName: newName("all"),
      members: listOf(idsTo(MANY)),
    });
    await settle();
    await database.rows(`update scim_group set ${left}`);

    await runUpkeep(janus.deps);

    // No check of a provider that does not exist has come to anything, so what was due is still due, or was tried.
    const tried = await database.rows(
      "select discord_user_id from link where check_due_at < now() + interval '200 days'",
    );
    const isPartial = what.includes("part");
    expect(tried).toHaveLength(isPartial ? ALL.length - 1 : ALL.length);
    const groups = await database.rows("select settled_until from scim_group");
    expect(groups).toEqual(what === "deleted" ? [] : [{ settledUntil: null }]);
    expect((await client().send("GET", `/Groups/${group}`)).status).toBe(what === "deleted" ? 404 : 200);
  });
});
