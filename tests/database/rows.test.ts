/**
 * Whose rows a member gets, whatever happens to the connections: on PostgreSQL and behind PgBouncer, while columns
 * change, statements are forgotten and servers are killed.
 */
import { afterAll, describe, expect, test } from "bun:test";
import postgres from "postgres";
import type { Database } from "../../lib/database/open.ts";
import { openDatabase } from "../../lib/database/open.ts";
import type { Crowd } from "../fixtures/crowd.ts";
import { findSwapped, gather } from "../fixtures/crowd.ts";
import { startGate } from "../fixtures/refusing_server.ts";
import type { TestDatabase } from "../harness/database.ts";
import { createTestDatabase, onPostgres } from "../harness/database.ts";
import { createBrowser, lastCode, startJanusWithForger } from "../harness/janus.ts";
import type { PgBouncer } from "../harness/pgbouncer.ts";
import { findPgBouncer, NO_PGBOUNCER, startPgBouncer } from "../harness/pgbouncer.ts";
import { callApi, secretsOf } from "../harness/sign_in.ts";
import { newUser, reachForgerCallback } from "../harness/walk.ts";

/** `bun run soak` lives with it for as long as this: a column changes every minute. */
const SOAK_MINUTES = Number(process.env.SOAK_MINUTES ?? 0);
const LIMIT_MS = 120_000 + SOAK_MINUTES * 90_000;

const isPoolerMissing = findPgBouncer() === undefined;
// In CI it is a fault.
const hasPooler = onPostgres && (!isPoolerMissing || Boolean(process.env.CI));
if (onPostgres && isPoolerMissing) console.warn(`The tests behind a pooler are skipped. ${NO_PGBOUNCER}`);

const disposables: AsyncDisposable[] = [];
afterAll(async () => {
  for (const one of disposables) await one[Symbol.asyncDispose]();
});

const setUp = async () => {
  const database = await createTestDatabase({ migrated: false });
  await database.db.query("create table thing (id integer, note varchar(10), facts jsonb)");
  await database.db.query("insert into thing select n, 'note ' || n, '{}' from generate_series(1, 40) as n");
  return database;
};

/** Asks for many rows at once, each again and again; how many answers were right, and those that were not. */
async function askAtOnce(db: Database, disturb: (round: number) => Promise<unknown>) {
  const wrong: unknown[] = [];
  let [right, isOver] = [0, false];
  const ask = async (id: number) => {
    while (!isOver) {
      try {
        const rows = await db.query("select id, note, facts from thing where id = $1", [id]);
        if (rows.length === 1 && (rows[0] as { id: number }).id === id) right += 1;
        else wrong.push(rows);
      } catch (error) {
        if ((error as { code?: string }).code !== "database_unavailable") wrong.push(error);
      }
    }
  };
  const asking = Array.from({ length: 40 }, (_, index) => ask(index + 1));
  for (let round = 1; round <= 10; round += 1) {
    const [before, enough] = [right, right + 400];
    while (right < enough && wrong.length === 0) await Bun.sleep(5);
    await disturb(round);
    expect(right).toBeGreaterThan(before);
  }
  isOver = true;
  await Promise.all(asking);
  return { right, wrong };
}

describe.if(onPostgres)("openDatabase()", () => {
  test.each([
    [
      "a column's type changes",
      (round: number) => `alter table thing alter column note type varchar(${10 + round})`,
    ],
    ["a column comes", (round: number) => `alter table thing add column more_${round} text`],
    ["all statements are forgotten", () => "discard all"],
    ["one statement each is forgotten", () => "deallocate all"],
    [
      "other connections are killed",
      () =>
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
    ],
  ])("gives each its own answer while %s", async (_, statementOf) => {
    const database = await setUp();

    const { wrong } = await askAtOnce(database.db, (round) =>
      database.db.query(statementOf(round)).catch(() => undefined),
    );
    await database.drop();

    expect(wrong).toEqual([]);
  });

  test("stores what a repeated statement was given", async () => {
    const database = await setUp();
    const { db } = database;
    const facts = { groups: ["a", 'b"'], name: "\\" };
    const store = () => db.query("update thing set facts = $2, note = $3 where id = $1", [1, facts, "n"]);
    // On each connection, so that each has it prepared.
    await Promise.all(Array.from({ length: 20 }, store));
    await db.query("alter table thing alter column facts type jsonb using to_jsonb(facts)");
    await db.query("alter table thing alter column note type varchar(99)");

    await Promise.all(Array.from({ length: 20 }, store));
    const rows = await database.rows("select facts, jsonb_typeof(facts) as type from thing where id = 1");
    await database.drop();

    expect(rows).toEqual([{ facts, type: "object" }]);
  });

  test.each([
    ["boolean", [true, false]],
    ["timestamptz", [new Date(0), new Date("2026-11-27T12:00:00.123Z")]],
    ["integer", [0, -7]],
    ["text", ["", "t", "{}", "2026-11-27"]],
    ["jsonb", [{ a: ["b"] }, {}]],
  ] as const)("stores a %s as given when it is sent again", async (type, values) => {
    const database = await createTestDatabase({ migrated: false });
    await database.db.query(`create table kept (id integer, value ${type})`);
    await database.db.query("insert into kept values (1, null)");
    for (const value of values) {
      const store = () =>
        database.db.query("update kept set value = $2 where id = $1 returning value", [1, value]);
      await Promise.all(Array.from({ length: 20 }, store));
      // Each connection forgets what it has prepared.
      await Promise.all(Array.from({ length: 20 }, () => database.db.query("deallocate all")));

      expect(await store()).toEqual([{ value }]);
    }
    await database.drop();
  });

  test("opens no connections for callers whose time is up", async () => {
    const database = await createTestDatabase({ migrated: false });
    using gate = startGate(database.config.url ?? "");
    const db = await openDatabase({ ...database.config, url: gate.url });

    const answers = await Promise.allSettled(
      Array.from({ length: 200 }, () => db.query("select pg_sleep(20)")),
    );
    const opened = gate.opened();
    const [after] = await db.query("select 1 as one");
    await db.close();
    await database.drop();

    expect(answers.filter(({ status }) => status === "fulfilled")).toEqual([]);
    expect(opened).toBeLessThanOrEqual(20);
    expect(after).toEqual({ one: 1 });
  });

  test("fails a parameter that cannot be sent, and no other", async () => {
    const database = await setUp();
    const { db } = database;
    const ask = (id: number) =>
      db.query("select id from thing where id = $1 and $2::timestamptz is not null", [id, new Date(0)]);
    const spoil = () =>
      db.query("select id from thing where $1::timestamptz is not null", [new Date(Number.NaN)]);
    await ask(1);

    const answers = await Promise.allSettled(
      Array.from({ length: 60 }, (_, index) => (index % 3 === 0 ? spoil() : ask((index % 40) + 1))),
    );
    await database.drop();

    const fulfilled = answers.map((answer) => (answer.status === "fulfilled" ? answer.value : undefined));
    expect(fulfilled).toEqual(
      Array.from({ length: 60 }, (_, index) => (index % 3 === 0 ? undefined : [{ id: (index % 40) + 1 }])),
    );
  });
});

describe.if(hasPooler)("openDatabase() behind PgBouncer", () => {
  const setUpPooled = async (prepare: boolean, more: readonly string[] = []) => {
    const database = await setUp();
    const pooler = await startPgBouncer(database.config.url ?? "", { servers: 3, more });
    disposables.push(pooler);
    const said: string[] = [];
    const url = pooler.through(database.config.url ?? "");
    const db = await openDatabase({ ...database.config, url, prepare }, (reason) => said.push(reason));
    const end = async () => {
      await db.close();
      await database.drop();
    };
    return { database, db, said, end };
  };

  test.each([
    ["prepared", true],
    ["unprepared", false],
  ])("gives each question its own answer, %s", async (_, prepare) => {
    const { database, db, said, end } = await setUpPooled(prepare);

    const { wrong } = await askAtOnce(db, (round) =>
      database.db.query(`alter table thing alter column note type varchar(${10 + round})`),
    );
    await end();

    expect(wrong).toEqual([]);
    const settings = "a pooler takes no settings: those of the role hold";
    const statements = "a pooler loses prepared statements: set DATABASE_PREPARE=false";
    expect(said).toEqual(prepare ? [settings, statements] : [settings]);
  });

  test("takes settings that are passed over, silently", async () => {
    const ignored = "default_transaction_isolation,statement_timeout,lock_timeout,idle_session_timeout";
    const { db, said, end } = await setUpPooled(false, [`ignore_startup_parameters = ${ignored}`]);

    const rows = await db.query("select 1 as one");
    await end();

    expect(rows).toEqual([{ one: 1 }]);
    expect(said).toEqual([]);
  });
});

describe("an answer to another question", () => {
  /** A Janus whose database answers about somebody else, once `swap` says about whom. */
  async function startConfused() {
    const database = await createTestDatabase();
    const swaps = new Map<string, string>();
    const query: Database["query"] = (text, parameters = [], isAnswer) => {
      const asked = parameters.map((value) =>
        typeof value === "string" ? (swaps.get(value) ?? value) : value,
      );
      return database.db.query(text, asked, isAnswer);
    };
    const janus = await startJanusWithForger({
      database: { ...database, db: { ...database.db, query } },
      forger: { freshSubjects: true },
    });
    const end = async () => {
      await janus.stop();
      await database.drop();
    };
    return { database, janus, swap: (ours: string, theirs: string) => swaps.set(ours, theirs), end };
  }

  test.each(["/api/sessions", "/api/me/export", "/api/userinfo"])(
    "at %s shows no rows, ends no session",
    async (path) => {
      const { janus, swap, end } = await startConfused();
      const [anna, bo] = [createBrowser(janus.url), createBrowser(janus.url)];
      await anna.get(await reachForgerCallback(anna, newUser()));
      await bo.get(await reachForgerCallback(bo, newUser()));
      const [ofAnna, ofBo] = [secretsOf(janus, anna), secretsOf(janus, bo)];
      swap(ofAnna.sessionIdHash, ofBo.sessionIdHash);
      swap(ofAnna.sessionKeyHash, ofBo.sessionKeyHash);

      const response = await callApi(janus, path, { browser: anna });
      const code = lastCode(janus);
      await end();

      expect(response.status).toBe(503);
      expect(response.headers.getSetCookie()).toEqual([]);
      expect(code).toBe("database_unavailable");
    },
  );

  test("at the end of a flow pushes nothing to anybody", async () => {
    const { database, janus, swap, end } = await startConfused();
    const [hers, his] = [newUser(), newUser()];
    const anna = createBrowser(janus.url);
    const callback = await reachForgerCallback(anna, hers);
    await reachForgerCallback(createBrowser(janus.url), his);
    const rows = await database.rows("select flow_id_hash, discord_user_id from flow");
    const flowOf = (id: string) => String(rows.find((row) => row.discordUserId === id)?.flowIdHash);
    swap(flowOf(hers), flowOf(his));

    const page = await anna.get(callback);
    const pushed = [hers, his].map((id) => janus.discord.roleConnection(id));
    await end();

    expect(page.status).toBe(503);
    expect(page.headers.getSetCookie().filter((line) => line.startsWith("session"))).toEqual([]);
    expect(pushed).toEqual([undefined, undefined]);
  });
});

/** Lets a crowd be while something happens to the database, again and again. */
async function disturbCrowd(crowd: Crowd, disturb: (round: number) => Promise<unknown>) {
  const { tally } = crowd;
  const isUnharmed = () => tally.foreign.length + tally.signedOut.length === 0;
  for (let round = 1; round <= (SOAK_MINUTES || 4) && isUnharmed(); round += 1) {
    const enough = tally.right + 300;
    if (SOAK_MINUTES > 0) await Bun.sleep(60_000);
    while (tally.right < enough && isUnharmed()) await Bun.sleep(10);
    await disturb(round);
  }
  await crowd.leave();
}

describe.if(onPostgres)("many members at once", () => {
  const COLUMNS = ["session.user_agent", "discord_account.username", "organisation_account.subject"];
  /** As an operator does it: one after the other, each for as long as it takes, and again where it met statements. */
  const alter = async (sql: postgres.Sql, round: number) => {
    for (const [table, column] of COLUMNS.map((name) => name.split("."))) {
      const text = `alter table ${table} alter column ${column} type varchar(${300 + round})`;
      while (!(await isDone(sql.unsafe(text)))) await Bun.sleep(10);
    }
  };
  const isDone = (statement: Promise<unknown>): Promise<boolean> =>
    statement.then(
      () => true,
      (error: { readonly code?: string }) => {
        if (error.code !== "40P01") throw error;
        return false;
      },
    );

  const live = async (database: TestDatabase, janusDatabase: TestDatabase) => {
    const janus = await startJanusWithForger({
      database: janusDatabase,
      forger: { freshSubjects: true },
    });
    // Nobody reads it, and it would fill the memory.
    const forgetting = setInterval(() => janus.logLines.splice(0), 1_000);
    const crowd = await gather(janus, { signedIn: 40, linking: 10 });
    const operator = postgres(database.config.url ?? "", { max: 1, onnotice: () => undefined });
    await disturbCrowd(crowd, (round) => alter(operator, round));
    await operator.end();
    clearInterval(forgetting);
    const swapped = await findSwapped(janus, crowd.tally);
    await janus.stop();
    const { right, foreign, signedOut, failed, linked } = crowd.tally;
    if (SOAK_MINUTES > 0) console.log({ right, linked: linked.size, failed });
    expect({ foreign, signedOut, swapped }).toEqual({ foreign: [], signedOut: [], swapped: [] });
    expect(Object.keys(failed).filter((status) => status !== "503")).toEqual([]);
    expect(linked.size).toBeGreaterThan(0);
  };

  test(
    "keep their own rows and sessions while three columns change",
    async () => {
      const database = await createTestDatabase();

      await live(database, database);
      await database.drop();
    },
    LIMIT_MS,
  );

  test.if(hasPooler).each([
    ["without DATABASE_PREPARE=false", true],
    ["with DATABASE_PREPARE=false", false],
  ])(
    "the same behind PgBouncer %s",
    async (_, prepare) => {
      const database = await createTestDatabase();
      const pooler: PgBouncer = await startPgBouncer(database.config.url ?? "");
      disposables.push(pooler);
      const url = pooler.through(database.config.url ?? "");
      const db = await openDatabase({ ...database.config, url, prepare });

      await live(database, { ...database, db });
      await db.close();
      await database.drop();
    },
    LIMIT_MS,
  );
});
