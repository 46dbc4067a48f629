/** What a role may do, asked without doing it. */
import { describe, expect, test } from "bun:test";
import type { Rights } from "../../lib/database/migrations.ts";
import { readRights } from "../../lib/database/migrations.ts";
import { useDatabase } from "../harness/hooks.ts";

const database = useDatabase();

const DONE = new Error("undone again");

/** The rights of a new role that gets these. All is undone, the role included. */
async function rightsAfter(...grants: readonly string[]): Promise<Rights> {
  const found: Rights[] = [];
  const work = database.db.transaction(async (query) => {
    await query("create role janus_rights_test");
    for (const grant of grants) await query(`${grant} to janus_rights_test`);
    await query("set local role janus_rights_test");
    found.push(await readRights({ ...database.db, query }));
    throw DONE;
  });
  await work.catch((error: unknown) => expect(error).toBe(DONE));
  const [rights] = found;
  if (rights === undefined) throw new Error("nothing was read");
  return rights;
}

const ALL = "grant select, insert, update, delete on all tables in schema public";

describe("readRights()", () => {
  test("gives the owner every right", async () => {
    expect(await readRights(database.db)).toMatchObject({
      encoding: "UTF8",
      creates: true,
      alters: true,
      refused: "",
    });
  });

  test("tells a role that may use the tables and not alter them", async () => {
    expect(await rightsAfter(ALL)).toMatchObject({
      role: "janus_rights_test",
      creates: false,
      alters: false,
      refused: "",
    });
  });

  test("names each table that the role may not use whole", async () => {
    const { refused } = await rightsAfter(
      "grant select, insert on all tables in schema public",
      "grant update, delete on link",
    );

    expect(refused.split(", ")).toContain("flow");
    // Nobody deletes from the trail or from the migrations.
    expect(refused.split(", ")).not.toContain("link");
    expect(refused.split(", ")).not.toContain("audit_event");
    expect(refused.split(", ")).not.toContain("schema_migration");
  });

  test("tells a role that may make tables and not alter those that are there", async () => {
    expect(await rightsAfter("grant create on schema public")).toMatchObject({
      creates: true,
      alters: false,
    });
  });
});
