/** What members and operators are told when PostgreSQL or a pooler refuses, or has unusual settings. */
import { beforeAll, describe, expect, test } from "bun:test";
import postgres from "postgres";
import { isRefusal } from "../../lib/database/failures.ts";
import { migrateUp, readMigrationStatus, requireMigrated } from "../../lib/database/migrations.ts";
import { openDatabase } from "../../lib/database/open.ts";
import type { JanusError } from "../../lib/errors.ts";
import { asJanusError } from "../../lib/errors.ts";
import type { Refusal } from "../fixtures/refusing_server.ts";
import { startGate, startRefusingServer, startSilentServer } from "../fixtures/refusing_server.ts";
import type { TestDatabase } from "../harness/database.ts";
import { createTestDatabase, onPostgres } from "../harness/database.ts";
import { useForAll } from "../harness/hooks.ts";
import { createBrowser, startJanusWithForger } from "../harness/janus.ts";
import { findPgBouncer, startPgBouncer } from "../harness/pgbouncer.ts";
import { newUser, reachForgerCallback } from "../harness/walk.ts";

const hasPooler = onPostgres && (findPgBouncer() !== undefined || Boolean(process.env.CI));
const now = () => new Date();
const rejectionOf = async (work: Promise<unknown>): Promise<JanusError> => {
  try {
    await work;
  } catch (error) {
    return asJanusError(error);
  }
  throw new Error("it did not fail");
};
const open = (url: string, more: { readonly prepare?: boolean } = {}) =>
  openDatabase({ url, prepare: true, dataDir: "unused", ...more });

describe("a refusal", () => {
  const refusals: readonly Refusal[] = [
    { code: "XX000", severity: "FATAL" },
    { code: "XX000" },
    { code: "08P01" },
    { code: "08P01", message: "unsupported startup parameter: canary" },
    { code: "0A000", severity: "FATAL" },
    { code: "58000", severity: "FATAL" },
    { code: "42601", severity: "FATAL" },
    { code: "P0001", severity: "FATAL" },
    { code: "XX000", severity: "ERROR" },
    { code: "42601", severity: "ERROR" },
  ];
  test.each(refusals.map((refusal) => [Object.values(refusal).join(" "), refusal] as const))(
    "with %s names a pooler",
    async (_, refusal) => {
      using server = startRefusingServer(refusal);
      const db = await open(server.url);

      const { code, message, cause } = await rejectionOf(db.query("select 1"));
      await db.close();

      expect(code).toBe("database_unavailable");
      expect(message).toBe(
        `the database, or a pooler before it, refuses the connection (${refusal.code}): see its log`,
      );
      expect(isRefusal(cause)).toBe(false);
    },
  );

  test.concurrent.each([
    [
      "28P01",
      "the database refuses the password of this role (28P01): check the user and the password",
      true,
    ],
    ["28000", "the database does not let this role in from here (28000): see pg_hba.conf", true],
    ["3D000", "the database server has no database of this name (3D000): create it, or correct", true],
    ["42501", "may not connect in this way (42501): grant it connect on the database", true],
    ["42704", "does not take a setting of this role or of DATABASE_URL (42704)", true],
    ["53300", "the database cannot be reached (53300)", false],
    ["57P03", "the database cannot be reached (57P03)", false],
  ] as const)("with %s names the fault, without the text of the server", async (code, said, isFinal) => {
    using server = startRefusingServer({ code, severity: "FATAL" });
    const db = await open(server.url);

    const failure = await rejectionOf(db.query("select 1"));
    await db.close();

    expect(failure.code).toBe("database_unavailable");
    expect(failure.message).toContain(said);
    expect(failure.message).not.toContain("canary");
    expect(isRefusal(failure.cause)).toBe(isFinal);
  });

  test.each([
    [
      "a pooler at its limit",
      true,
      { code: "08P01", message: "no more connections allowed (max_client_conn)" },
    ],
    ["a server at its limit", true, { code: "53300", message: "too many connections" }],
    [
      "one unknown setting",
      false,
      { code: "08P01", message: "unsupported startup parameter: statement_timeout" },
    ],
    ["unknown settings", false, { code: "08P01", message: "unsupported startup parameters" }],
  ])("by %s lets the next one keep settings: %s", async (_, keeps, refusal) => {
    const database = await createTestDatabase({ migrated: false });
    if (database.config.url === undefined) return database.drop();
    using gate = startGate(database.config.url, refusal);
    const said: string[] = [];
    const db = await openDatabase({ url: gate.url, prepare: true, dataDir: "unused" }, (reason) =>
      said.push(reason),
    );

    await db.query("select 1").catch(() => undefined);
    const [row] = await db.query("select current_setting('statement_timeout') as timeout");
    await db.close();
    await database.drop();

    expect(row).toEqual({ timeout: keeps ? "6s" : "0" });
    expect(said).toHaveLength(keeps ? 0 : 1);
  });

  test.if(hasPooler)("by a full pooler is database_unavailable", async () => {
    const database = await createTestDatabase({ migrated: false });
    await using pooler = await startPgBouncer(database.config.url ?? "", {
      more: [
        "max_client_conn = 1",
        "ignore_startup_parameters = default_transaction_isolation,statement_timeout,lock_timeout,idle_session_timeout",
      ],
    });
    const db = await open(pooler.through(database.config.url ?? ""));
    const isTaken = () =>
      db.query("select 1").then(
        () => true,
        () => false,
      );
    // The pooler may still count the connection that found it listening.
    while (!(await isTaken())) await Bun.sleep(10);

    const answers = await Promise.allSettled(Array.from({ length: 5 }, () => db.query("select 1")));
    await db.close();
    await database.drop();

    const codes = answers.map((answer) =>
      answer.status === "rejected" ? asJanusError(answer.reason).code : "ok",
    );
    expect(new Set(codes)).toEqual(new Set(["ok", "database_unavailable"]));
  });
});

describe.if(onPostgres)("several servers", () => {
  test("are tried in turn when the first one is silent", async () => {
    const database = await createTestDatabase({ migrated: false });
    using silent = startSilentServer();
    const url = (database.config.url ?? "").replace("@", `@127.0.0.1:${silent.port},`);
    const db = await open(url);

    await db.query("select 1").catch(() => undefined);
    const rows = await db.query("select 1 as one");
    await db.close();
    await database.drop();

    expect(rows).toEqual([{ one: 1 }]);
  });
});

describe.if(onPostgres)("a role without a right", () => {
  const role = `janus_role_${crypto.randomUUID().slice(0, 8)}`;
  const database = useForAll(
    () => createTestDatabase(),
    async ({ rows, drop }) => {
      await rows(`drop owned by ${role}`);
      await drop();
    },
  );
  const admin = useForAll(
    () => createTestDatabase({ migrated: false }),
    async ({ db, drop }) => {
      await db.query(`drop owned by ${role}`);
      await db.query(`drop role ${role}`);
      await drop();
    },
  );
  const roleUrl = (): string => Object.assign(new URL(database.config.url ?? ""), { username: role }).href;

  beforeAll(async () => {
    await admin.db.query(`create role ${role} login`);
  });

  test("on the schema is named by migrateUp()", async () => {
    const empty = await createTestDatabase({ migrated: false });
    await empty.db.query(
      `grant all on database ${new URL(empty.config.url ?? "").pathname.slice(1)} to ${role}`,
    );
    const db = await open(Object.assign(new URL(empty.config.url ?? ""), { username: role }).href);

    const failure = await rejectionOf(migrateUp(db, now));
    await db.close();
    await empty.drop();

    expect(failure.code).toBe("database_unavailable");
    expect(failure.message).toStartWith("the role in DATABASE_URL lacks a right on schema public (42501)");
    expect(isRefusal(failure.cause)).toBe(true);
  });

  test("on any schema makes migrateUp() say that it finds none", async () => {
    const empty = await createTestDatabase({ migrated: false });
    await empty.db.query("revoke all on schema public from public");
    const db = await open(Object.assign(new URL(empty.config.url ?? ""), { username: role }).href);

    const failure = await rejectionOf(migrateUp(db, now));
    await db.close();
    await empty.drop();

    expect(failure.message).toStartWith("the role in DATABASE_URL finds no schema that it may use (3F000)");
    expect(isRefusal(failure.cause)).toBe(true);
  });

  test("on a table gets a failure that names the table", async () => {
    await database.rows(`revoke all on all tables in schema public from ${role}`);
    const db = await open(roleUrl());
    const asked = await rejectionOf(db.query("select 1 from link"));
    const written = await rejectionOf(db.query("delete from audit_event where request_id = $1", ["none"]));
    await db.close();

    expect(asked.message).toStartWith("the role in DATABASE_URL lacks a right on table link (42501)");
    expect(written.message).toStartWith(
      "the role in DATABASE_URL lacks a right on table audit_event (42501)",
    );
  });

  test("to alter a table makes a later migrateUp() name the table", async () => {
    await database.rows(`grant all on all tables in schema public to ${role}`);
    await database.rows(`grant create on schema public to ${role}`);
    const db = await open(roleUrl());
    const text = "alter table link add column later text";

    const failure = await rejectionOf(
      migrateUp(db, now, [
        ...(await import("../../lib/database/migrations.ts")).MIGRATIONS,
        { version: 900, name: "later", text },
      ]),
    );
    await db.close();

    expect(failure.code).toBe("database_unavailable");
    expect(failure.message).toStartWith("the role in DATABASE_URL lacks a right on table link (42501)");
  });

  test("to connect gets a failure that says so", async () => {
    const closed = await createTestDatabase({ migrated: false });
    const url = new URL(closed.config.url ?? "");
    await closed.db.query(`revoke connect on database ${url.pathname.slice(1)} from public`);
    const db = await open(Object.assign(url, { username: role }).href);

    const failure = await rejectionOf(db.query("select 1"));
    await db.close();
    await closed.drop();

    expect(failure.message).toContain("may not connect in this way (42501)");
  });
});

describe.if(onPostgres)("the database encoding", () => {
  const withEncoding = async (encoding: string) => {
    const outer = await createTestDatabase({ migrated: false });
    const name = `janus_test_${crypto.randomUUID().replaceAll("-", "")}`;
    await outer.db.query(
      `create database ${name} encoding '${encoding}' lc_collate 'C' lc_ctype 'C' template template0`,
    );
    const url = Object.assign(new URL(outer.config.url ?? ""), { pathname: `/${name}` }).href;
    const db = await open(url);
    const drop = async () => {
      await db.close();
      await outer.db.query(`drop database ${name} with (force)`);
      await outer.drop();
    };
    return { outer, db, url, drop };
  };

  test.each(["LATIN1", "WIN1252", "EUC_JP"])(
    "%s is refused by all that read or write migrations",
    async (encoding) => {
      const { db, drop } = await withEncoding(encoding);

      const failures = await Promise.all([
        rejectionOf(migrateUp(db, now)),
        rejectionOf(readMigrationStatus(db)),
        rejectionOf(requireMigrated(db)),
      ]);
      const [tables] = await db.query(
        "select count(*)::integer as count from information_schema.tables where table_schema = 'public'",
      );
      await drop();

      expect(failures.map(({ code }) => code)).toEqual(Array(3).fill("database_unsupported"));
      expect(failures[0]?.message).toContain(`the encoding ${encoding}`);
      expect(failures[0]?.message).toContain("encoding 'UTF8'");
      expect(tables).toEqual({ count: 0 });
    },
  );

  test("SQL_ASCII gives back Unicode text unchanged", async () => {
    const { db, drop } = await withEncoding("SQL_ASCII");
    await migrateUp(db, now);
    const [row] = await db.query("select $1::jsonb as claims, $2::text as name", [
      { name: "Zoë 🎓" },
      "Zoë 🎓",
    ]);
    await drop();

    expect(row).toEqual({ claims: { name: "Zoë 🎓" }, name: "Zoë 🎓" });
  });
});

describe.if(onPostgres)("unusual settings of the database", () => {
  const STRANGE = {
    default_transaction_isolation: "'serializable'",
    statement_timeout: "1",
    lock_timeout: "1",
    idle_session_timeout: "50",
    datestyle: "'German, DMY'",
    timezone: "'Asia/Kolkata'",
  };
  const setAll = async (database: TestDatabase, settings: Readonly<Record<string, string>>) => {
    const name = new URL(database.config.url ?? "").pathname.slice(1);
    for (const [setting, value] of Object.entries(settings))
      await database.rows(`alter database ${name} set ${setting} = ${value}`);
  };
  /** Many members link at once; the statuses of their last pages. */
  const linkAtOnce = async (database: TestDatabase, count: number) => {
    const janus = await startJanusWithForger({ database, forger: { freshSubjects: true } });
    const pages = await Promise.all(
      Array.from({ length: count }, async () => {
        const browser = createBrowser(janus.url);
        return (await browser.get(await reachForgerCallback(browser, newUser()))).status;
      }),
    );
    await janus.stop();
    return pages;
  };

  test("change nothing for members", async () => {
    const database = await createTestDatabase();
    await setAll(database, STRANGE);
    const db = await openDatabase(database.config);

    const [row] = await db.query(
      "select $1::timestamptz as time, current_setting('transaction_isolation') as level",
      [new Date(0)],
    );
    const pages = await linkAtOnce({ ...database, db }, 50);
    await db.close();
    await database.drop();

    expect(row).toEqual({ time: new Date(0), level: "read committed" });
    expect(pages).toEqual(Array(50).fill(200));
  });

  test.if(hasPooler)("change nothing for members behind a pooler", async () => {
    const database = await createTestDatabase();
    await setAll(database, { default_transaction_isolation: "'serializable'", datestyle: "'German, DMY'" });
    await using pooler = await startPgBouncer(database.config.url ?? "", { servers: 10 });
    const db = await openDatabase({ ...database.config, url: pooler.through(database.config.url ?? "") });

    // Statements that meet are sent again until their deadline. On a busy machine many more would not get through.
    const pages = await linkAtOnce({ ...database, db }, 15);
    await db.close();
    await database.drop();

    expect(pages).toEqual(Array(15).fill(200));
  });

  test.concurrent.if(hasPooler).each([
    ["statement_timeout", "57014", "select 1", "select pg_sleep(5)"],
    ["lock_timeout", "55P03", "begin; lock table link", "select 1 from link"],
  ] as const)("end a statement by a pooler's %s", async (setting, code, before, text) => {
    const database = await createTestDatabase();
    await setAll(database, { [setting]: "300" });
    await using pooler = await startPgBouncer(database.config.url ?? "");
    const other = postgres(database.config.url ?? "", { max: 1, onnotice: () => undefined });
    await other.unsafe(before);
    const db = await open(pooler.through(database.config.url ?? ""));

    const failure = await rejectionOf(db.query(text));
    await db.close();
    await other.end({ timeout: 0 });
    await database.drop();

    expect(failure.code).toBe("database_unavailable");
    expect(failure.message).toBe(`the database gave a statement up (${code})`);
  });
});
