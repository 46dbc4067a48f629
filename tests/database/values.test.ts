/** How values go into a statement and come out of it: the same on PostgreSQL and on the embedded database. */
import { expect, test } from "bun:test";
import type { Parameter } from "../../lib/database/run.ts";
import { createTestDatabase } from "../harness/database.ts";
import { useForAll } from "../harness/hooks.ts";

const database = useForAll(
  () => createTestDatabase({ migrated: false }),
  ({ drop }) => drop(),
);

const NOON = new Date("2026-03-04T12:00:00.123Z");

test.each<readonly [type: string, parameter: Parameter, value: unknown]>([
  ["text", "o'clock \u{1f552}\n\\", "o'clock \u{1f552}\n\\"],
  ["text", "", ""],
  ["text", null, null],
  ["boolean", true, true],
  ["boolean", false, false],
  ["smallint", -7, -7],
  ["integer", 2_147_483_647, 2_147_483_647],
  ["bigint", 7, "7"],
  ["bigint", "9007199254740993", "9007199254740993"],
  ["numeric", "0.10", "0.10"],
  ["double precision", 0.25, 0.25],
  ["timestamptz", NOON, NOON],
  ["timestamptz", null, null],
  ["text[]", "{a,NULL}", "{a,NULL}"],
  ["jsonb", { name: "x", groups: ["a", "b"], none: null }, { name: "x", groups: ["a", "b"], none: null }],
  ["jsonb", [{ name: 'a "b"' }, { name: "c" }], [{ name: 'a "b"' }, { name: "c" }]],
  ["jsonb", [], []],
  ["jsonb", '{"a":[1,true,null]}', { a: [1, true, null] }],
  ["jsonb", null, null],
  ["json", { a: "b" }, { a: "b" }],
])("query() takes a %s from %j", async (type, parameter, value) => {
  const prepared = await database.db.query(`select $1::${type} as value`, [parameter]);
  const again = await database.db.query(`select $1::${type} as value`, [parameter]);

  expect(prepared).toEqual([{ value }]);
  expect(again).toEqual([{ value }]);
});

test("query() gives columns in camelCase, in their order, with and without parameters", async () => {
  const columns = "1 as discord_user_id, 'a' as a, null::text as last_seen_at_utc";

  const rows = [
    ...(await database.db.query(`select ${columns}`)),
    ...(await database.db.query(`select ${columns} where $1`, [true])),
  ];

  expect(rows).toEqual(Array(2).fill({ discordUserId: 1, a: "a", lastSeenAtUtc: null }));
  expect(rows.map((row) => Object.keys(row as object))).toEqual(
    Array(2).fill(["discordUserId", "a", "lastSeenAtUtc"]),
  );
});

test("query() gives no rows of a statement that has none, and of one that finds none", async () => {
  const statements: readonly Parameters<typeof database.db.query>[] = [
    ["create table nothing (a integer)"],
    ["insert into nothing values ($1)", [1]],
    ["select a from nothing where a > $1", [1]],
    [""],
  ];

  for (const given of statements) expect([...(await database.db.query(...given))]).toEqual([]);
});

test("query() finds the settings that Janus depends on", async () => {
  const rows = await database.db.query(
    "select current_setting('TimeZone') as zone, split_part(current_setting('DateStyle'), ',', 1) as style, current_setting('transaction_isolation') as isolation",
  );

  expect(rows).toEqual([{ zone: "UTC", style: "ISO", isolation: "read committed" }]);
});
