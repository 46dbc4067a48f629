/** Migrations: each applied once, all or none, and never one that is newer or was edited. */
import { beforeEach, describe, expect, test } from "bun:test";
import { basename } from "node:path";
import type { Migration } from "../../lib/database/migrations.ts";
import {
  MIGRATIONS,
  migrateUp,
  readMigrationStatus,
  requireMigrated,
  TABLE_NAMES,
} from "../../lib/database/migrations.ts";
import { openDatabase } from "../../lib/database/open.ts";
import { asJanusError } from "../../lib/errors.ts";
import { listFiles, readText } from "../fixtures/source.ts";
import { createTestDatabase, onPostgres, TABLES } from "../harness/database.ts";
import { useForAll } from "../harness/hooks.ts";

const NOW = new Date("2026-11-22T12:00:00.000Z");
const now = () => NOW;
const PROCESSES = 20;

const FILES = listFiles("sql/migrations/*.sql");

/** One database for the file, since making one takes a while; every test begins by putting it where it needs it. */
const database = useForAll(
  () => createTestDatabase({ migrated: false }),
  ({ drop }) => drop(),
);

async function becomeEmpty(): Promise<void> {
  await database.rows("drop schema public cascade; create schema public");
}

async function becomeMigrated(): Promise<void> {
  await becomeEmpty();
  await migrateUp(database.db, now);
}

/** A migration of a test's own, after the program's. */
function later(text: string, version = MIGRATIONS.length + 1): Migration {
  return { version, name: `test_${version}`, text };
}

/** The error that a migration ends with. */
async function failureOf(work: Promise<unknown>) {
  try {
    await work;
  } catch (error) {
    return asJanusError(error);
  }
  throw new Error("it did not fail");
}

/** Tables, columns, indexes, constraints and triggers, and what was recorded: all that a migration may change. */
async function stateOf(): Promise<string> {
  const { rows } = database;
  const [columns, indexes, constraints, triggers] = await Promise.all([
    rows(
      "select table_name, column_name, data_type from information_schema.columns where table_schema = 'public' order by 1, 2",
    ),
    rows("select indexname, indexdef from pg_indexes where schemaname = 'public' order by 1"),
    rows(
      "select conname, pg_get_constraintdef(oid) as definition from pg_constraint where connamespace = 'public'::regnamespace order by 1",
    ),
    rows("select tgname from pg_trigger where not tgisinternal order by 1"),
  ]);
  const applied = columns.length === 0 ? [] : await rows("select * from schema_migration order by version");
  return JSON.stringify({ columns, indexes, constraints, triggers, applied });
}

describe("MIGRATIONS", () => {
  test("lists every file with its number, name and text, without a gap", async () => {
    const listed = MIGRATIONS.map(({ version, name }) => `${String(version).padStart(4, "0")}_${name}.sql`);

    expect(FILES.map((path) => basename(path))).toEqual(listed);
    expect(MIGRATIONS.map(({ version }) => version)).toEqual(MIGRATIONS.map((_, index) => index + 1));
    for (const [index, path] of FILES.entries()) expect(MIGRATIONS[index]?.text).toBe(await readText(path));
  });

  test("make the tables that TABLE_NAMES has, and no other", () => {
    expect([...TABLE_NAMES].sort()).toEqual([...TABLES].sort());
  });

  test.each(FILES.map((path) => [basename(path), path] as const))(
    "%s has a verb and a full header",
    async (name, path) => {
      const header = /^(--.*\n)+/.exec(await readText(path))?.[0] ?? "";

      expect(name).toMatch(/^\d{4}_[a-z]+(_[a-z]+)+\.sql$/);
      expect(header).toMatch(/^-- [A-Z]/);
      expect(header).toMatch(/\bLock: \w/);
      expect(header).toMatch(/\bThe previous release\b/);
      expect(header.split("\n").length).toBeGreaterThan(2);
    },
  );
});

describe("migrateUp() on an empty database", () => {
  beforeEach(becomeEmpty);

  test("applies all migrations once, and records them", async () => {
    const before = await readMigrationStatus(database.db);
    const notYet = await failureOf(requireMigrated(database.db));
    const first = await migrateUp(database.db, now);
    const state = await stateOf();
    const second = await migrateUp(database.db, () => new Date());
    const after = await readMigrationStatus(database.db);

    expect(before).toEqual({ applied: [], pending: MIGRATIONS });
    expect(notYet).toMatchObject({ code: "database_not_migrated", status: 503 });
    expect(first).toEqual(MIGRATIONS);
    expect(second).toEqual([]);
    expect(await stateOf()).toBe(state);
    expect(after.pending).toEqual([]);
    expect(after.applied).toMatchObject(
      MIGRATIONS.map(({ version, name }) => ({ version, name, appliedAt: NOW })),
    );
    expect(await requireMigrated(database.db)).toBeUndefined();
    const checksums = await database.rows("select checksum from schema_migration order by version");
    expect(checksums).toEqual(
      MIGRATIONS.map(({ text }) => ({ checksum: new Bun.CryptoHasher("sha256").update(text).digest("hex") })),
    );
  });
});

describe("a migrated database", () => {
  beforeEach(becomeMigrated);

  test("has the tables that the tests know, and no other", async () => {
    const tables = await database.rows(
      "select tablename from pg_tables where schemaname = 'public' order by 1",
    );

    expect(tables.map(({ tablename }) => tablename)).toEqual([...TABLES, "schema_migration"].sort());
  });

  test("has no constraint that PostgreSQL had to name", async () => {
    const texts = [
      ...(await Promise.all(FILES.map(readText))),
      await readText("sql/schema_migration/create.sql"),
    ];
    const given = new Set([...texts.join("\n").matchAll(/\bconstraint (\w+)/g)].map(([, name]) => name));

    // PostgreSQL 18 keeps `not null` there too, as 'n'.
    const constraints = await database.rows(
      "select conname from pg_constraint where connamespace = 'public'::regnamespace and contype <> 'n' order by 1",
    );

    expect(constraints.length).toBeGreaterThan(10);
    expect(constraints.filter(({ conname }) => !given.has(String(conname)))).toEqual([]);
  });

  test.each([
    ["update", "update audit_event set action = 'linked'"],
    ["delete", "delete from audit_event"],
    ["truncate", "truncate audit_event"],
    ["truncate with others", "truncate link, audit_event cascade"],
  ])("audit_event refuses %s and keeps its row", async (_, statement) => {
    await database.rows(
      "insert into audit_event (occurred_at, action, discord_user_id) select now(), 'push_failed', '1' " +
        "where not exists (select from audit_event)",
    );
    const before = await database.rows("select * from audit_event");

    const failure = await database.rows(statement).catch((error: unknown) => error);

    expect(failure).toMatchObject({ code: "23001", message: expect.stringContaining("append-only") });
    expect(before).toHaveLength(1);
    expect(await database.rows("select * from audit_event")).toEqual(before);
  });

  test("stays as it was when a later migration fails", async () => {
    const good = later("create table first_half (id integer)");
    const bad = later("create table second_half (id integer); select 1 / 0", MIGRATIONS.length + 2);
    const before = await stateOf();

    const failure = await failureOf(migrateUp(database.db, now, [...MIGRATIONS, good, bad]));

    expect(failure).toMatchObject({ code: "migration_failed", exitStatus: 1 });
    expect(failure.message).toContain(
      `Migration ${bad.version} (${bad.name}) failed, and nothing was applied`,
    );
    expect(failure.message).toContain("division by zero");
    expect(await stateOf()).toBe(before);
  });
});

describe.each([
  [
    "a newer database",
    "database_newer",
    "insert into schema_migration values (9999, 'from_the_future', 'x', now())",
  ],
  ["an edited migration", "migration_edited", "update schema_migration set checksum = 'x' where version = 2"],
])("%s", (_, code, statement) => {
  beforeEach(async () => {
    await becomeMigrated();
    await database.rows(statement);
  });

  test(`is refused with ${code} by all three, unchanged`, async () => {
    const pending = later("create table must_not_come (id integer)");
    const before = await stateOf();

    const failures = [
      await failureOf(migrateUp(database.db, now, [...MIGRATIONS, pending])),
      await failureOf(readMigrationStatus(database.db)),
      await failureOf(requireMigrated(database.db)),
    ];

    expect(failures.map((failure): string => failure.code)).toEqual([code, code, code]);
    for (const { message } of failures) {
      expect(message).toContain(
        code === "database_newer" ? "9999 (from_the_future)" : "2 (create_organisation_account)",
      );
    }
    expect(await stateOf()).toBe(before);
  });
});

test(`migrateUp() in ${PROCESSES} places at once applies each once, and every place ends well`, async () => {
  await becomeEmpty();
  // Each place has connections of its own; the embedded database is of one process, which here calls often.
  const open = () => (onPostgres ? openDatabase(database.config) : database.db);
  const places = await Promise.all(Array.from({ length: PROCESSES }, open));

  const applied = await Promise.all(places.map((place) => migrateUp(place, now)));
  if (onPostgres) await Promise.all(places.map((place) => place.close()));

  expect(applied.flat()).toEqual([...MIGRATIONS]);
  expect(applied.filter(({ length }) => length > 0)).toHaveLength(1);
  expect((await readMigrationStatus(database.db)).applied).toHaveLength(MIGRATIONS.length);
});

describe("0011_split_push_due_at", () => {
  const after = (seconds: number): Date => new Date(Date.now() + seconds * 1_000);
  const at = (time: Date | null): string => (time === null ? "null" : `timestamptz '${time.toISOString()}'`);
  const [RUNNING, LATER] = [after(420), after(14_400)];

  /** A link of the previous release, with the writes that it makes. */
  const addLink = (user: string, pushDueAt: Date | null, pushFailures = 0) =>
    database.rows(`
      with account as (
        insert into discord_account values ('${user}', 'name', null, now(), now()) returning discord_user_id
      ), token as (
        insert into discord_token (discord_user_id, access_token_sealed, refresh_token_sealed, scope, expires_at, obtained_at)
        select discord_user_id, 'at', 'rt', 'identify', now(), now() from account returning discord_user_id
      ), organisation as (
        insert into organisation_account values ('i', '${user}', '{}', now(), now()) returning issuer, subject
      )
      insert into link (discord_user_id, issuer, subject, linked_at, push_due_at, push_failures)
      select discord_user_id, issuer, subject, now(), ${at(pushDueAt)}, ${pushFailures} from token, organisation`);
  const pushesOf = async () => {
    const links = await database.rows(
      "select discord_user_id, push_due_at, push_leased_until from link order by discord_user_id",
    );
    return links.map((link) => [link.discordUserId, link.pushDueAt, link.pushLeasedUntil]);
  };
  const claim = (leasedUntil: Date) =>
    database.rows(`update link set push_due_at = ${at(leasedUntil)} where discord_user_id = '1'`);
  const record = () => database.rows("update link set push_due_at = null, push_failures = 0");
  const recordFailure = (pushDueAt: Date) =>
    database.rows(`update link set push_due_at = ${at(pushDueAt)}, push_failures = push_failures + 1`);
  const claimHere = (leasedUntil: Date) =>
    database.rows(`update link set push_due_at = ${at(leasedUntil)}, push_leased_until = ${at(leasedUntil)}`);

  test("makes a lease of each push that runs, and of no other", async () => {
    const past = after(-60);
    await becomeEmpty();
    await migrateUp(database.db, now, MIGRATIONS.slice(0, 10));
    await addLink("1", null);
    await addLink("2", past);
    await addLink("3", RUNNING);
    await addLink("4", LATER, 3);

    await migrateUp(database.db, now);

    expect(await pushesOf()).toEqual([
      ["1", null, null],
      ["2", past, null],
      ["3", RUNNING, RUNNING],
      ["4", LATER, null],
    ]);
  });

  describe("keeps leases right", () => {
    beforeEach(becomeMigrated);

    test("when the previous release links", async () => {
      await addLink("1", RUNNING);
      const linked = await pushesOf();
      await record();

      expect(linked).toEqual([["1", RUNNING, RUNNING]]);
      expect(await pushesOf()).toEqual([["1", null, null]]);
    });

    test("when the previous release's push fails", async () => {
      await addLink("1", null);
      await claim(after(-1));
      await claim(RUNNING);
      const claimed = await pushesOf();
      await recordFailure(LATER);

      expect(claimed).toEqual([["1", RUNNING, RUNNING]]);
      expect(await pushesOf()).toEqual([["1", LATER, null]]);
    });

    test("when a push becomes due during another", async () => {
      const due = after(0);
      await addLink("1", RUNNING);
      await claim(due);
      const duringTheirs = await pushesOf();
      await claimHere(LATER);
      await claim(due);

      expect(duringTheirs).toEqual([["1", due, RUNNING]]);
      expect(await pushesOf()).toEqual([["1", due, LATER]]);
    });

    test("when a claim made here has run out", async () => {
      await addLink("1", null);
      await claimHere(after(-1));
      await claim(RUNNING);

      expect(await pushesOf()).toEqual([["1", RUNNING, RUNNING]]);
    });
  });
});

describe("0015_evaluate_rules", () => {
  beforeEach(becomeMigrated);

  const addCleared = () =>
    database.rows(`
      with account as (
        insert into discord_account values ('1', 'name', null, now(), now()) returning discord_user_id
      ), token as (
        insert into discord_token (discord_user_id, access_token_sealed, refresh_token_sealed, scope, expires_at, obtained_at)
        select discord_user_id, 'at', 'rt', 'identify', now(), now() from account returning discord_user_id
      ), organisation as (
        insert into organisation_account (issuer, subject, claims, sources, claims_seen_at, created_at)
        values ('i', 's', '{"name": "n"}', '{"graph": []}', now(), now()) returning issuer, subject
      )
      insert into link (discord_user_id, issuer, subject, linked_at, pushed_metadata, pushed_at, cleared_at)
      select discord_user_id, issuer, subject, now(), '{}', now() - interval '1 hour', now() from token, organisation`);
  const linkNow = async () => (await database.rows("select cleared_at, pushed_metadata from link"))[0];
  const accountNow = async () => (await database.rows("select claims, sources from organisation_account"))[0];

  test("ends a clearing when the previous release pushes, and not when it only claims", async () => {
    await addCleared();
    await database.rows("update link set push_due_at = now()");
    const claimed = await linkNow();
    await database.rows(`update link set pushed_metadata = '{"dsek_member": "1"}', pushed_at = now()`);

    expect(claimed).toMatchObject({ clearedAt: expect.any(Date) });
    expect(await linkNow()).toEqual({ clearedAt: null, pushedMetadata: { dsek_member: "1" } });
  });

  test("forgets the sources when the previous release unlinks, and not when a member signs in", async () => {
    await addCleared();
    await database.rows(
      "update organisation_account set claims = '{}', claims_seen_at = now() + interval '1 second'",
    );
    const signedIn = await accountNow();
    await database.rows("update organisation_account set claims = '{}'");

    expect(signedIn).toEqual({ claims: {}, sources: { graph: [] } });
    expect(await accountNow()).toEqual({ claims: {}, sources: {} });
  });

  test("allows every action of the trail that it allowed before", async () => {
    const actions = [
      "role_connection_not_cleared",
      "grant_not_revoked",
      "not_admitted",
      "role_connection_cleared",
    ];

    for (const action of actions)
      await database.rows(`insert into audit_event (occurred_at, action) values (now(), '${action}')`);

    expect(
      await database.rows("select action from audit_event order by audit_event_id desc limit 4"),
    ).toHaveLength(4);
  });
});
