/**
 * A table that somebody locks, and statements that are cancelled: what waits is bounded, in time and in connections, and
 * everything works when the lock goes. On PostgreSQL and behind PgBouncer.
 */
import { describe, expect, test } from "bun:test";
import postgres from "postgres";
import { type Database, openDatabase } from "../../lib/database/open.ts";
import { asJanusError } from "../../lib/errors.ts";
import { createTestDatabase, onPostgres, type TestDatabase } from "../harness/database.ts";
import { findPgBouncer, startPgBouncer } from "../harness/pgbouncer.ts";

const hasPooler = onPostgres && (findPgBouncer() !== undefined || Boolean(process.env.CI));
const POOL_CONNECTIONS = 10;
/** Longer than two deadlines of a statement: whatever piles up has done so by then. */
const LOCK_MS = 12_000;

const open = (url: string): Promise<Database> => openDatabase({ url, prepare: true, dataDir: "unused" });
const outcomeOf = (statement: Promise<unknown>): Promise<string> =>
  statement.then(
    () => "done",
    (error: unknown) => asJanusError(error).code,
  );

/** Somebody else, on a connection of their own. */
function createOperator({ config }: TestDatabase) {
  const connect = () => postgres(config.url ?? "", { max: 1, onnotice: () => undefined });
  const [locker, watcher] = [connect(), connect()];
  const count = async (which = "true"): Promise<number> => {
    const [row] = await watcher.unsafe(
      `select count(*)::integer as count from pg_stat_activity where datname = current_database() and application_name = 'janus' and ${which}`,
    );
    return row?.count;
  };
  return {
    lock: () => locker.unsafe("begin; lock table link in access exclusive mode"),
    unlock: () => locker.unsafe("rollback"),
    /** How many connections Janus has. */
    count,
    /** Until those of others have gone, which are not meant. */
    untilNone: async (): Promise<void> => {
      while ((await count()) > 0) await Bun.sleep(10);
    },
    rows: (text: string) => watcher.unsafe(text),
    end: () => Promise.all([locker.end({ timeout: 0 }), watcher.end({ timeout: 0 })]),
  };
}

/** Members who ask for what is locked, and go on asking; how many connections that made, at most. */
async function askWhileLocked(db: Database, operator: ReturnType<typeof createOperator>, which?: string) {
  await operator.lock();
  const until = performance.now() + LOCK_MS;
  const outcomes = new Set<string>();
  let most = 0;
  const ask = async () => {
    while (performance.now() < until) outcomes.add(await outcomeOf(db.query("select count(*) from link")));
  };
  const asking = Array.from({ length: 40 }, ask);
  while (performance.now() < until) {
    most = Math.max(most, await operator.count(which));
    await Bun.sleep(20);
  }
  await operator.unlock();
  await Promise.all(asking);
  return { most, outcomes: [...outcomes] };
}

describe.if(onPostgres)("a table that is locked", () => {
  test("costs no more connections than agreed, and works at once when the lock goes", async () => {
    const database = await createTestDatabase();
    const operator = createOperator(database);
    await database.db.close();
    await operator.untilNone();
    const db = await open(database.config.url ?? "");

    const { most, outcomes } = await askWhileLocked(db, operator);
    const after = await Promise.all(
      Array.from({ length: 30 }, () => outcomeOf(db.query("select count(*) from link"))),
    );
    const left = await operator.count("state <> 'idle'");
    await Promise.all([db.close(), operator.end()]);
    await database.drop();

    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(POOL_CONNECTIONS);
    expect(outcomes.filter((outcome) => outcome !== "done")).toEqual(["database_unavailable"]);
    expect(after).toEqual(Array(30).fill("done"));
    expect(left).toBe(0);
  });

  test("leaves those alone who ask for something else", async () => {
    const database = await createTestDatabase();
    const operator = createOperator(database);
    const db = await open(database.config.url ?? "");
    await operator.lock();
    const blocked = Array.from({ length: 5 }, () => outcomeOf(db.query("select count(*) from link")));
    let isOver = false;
    const others = async () => {
      const outcomes: string[] = [];
      while (!isOver) outcomes.push(await outcomeOf(db.query("select pg_sleep(0.01)")));
      return outcomes;
    };
    const asking = [others(), others(), others()];

    const late = await Promise.all(blocked);
    // What is done about the late ones is done by now.
    await Bun.sleep(2_500);
    isOver = true;
    const outcomes = (await Promise.all(asking)).flat();
    await operator.unlock();
    await Promise.all([db.close(), operator.end()]);
    await database.drop();

    expect(late).toEqual(Array(5).fill("database_unavailable"));
    expect(outcomes.length).toBeGreaterThan(50);
    expect(new Set(outcomes)).toEqual(new Set(["done"]));
  });

  test.if(hasPooler)(
    "the same behind a pooler that takes no settings, where the role has no time limit",
    async () => {
      const database = await createTestDatabase();
      const operator = createOperator(database);
      await database.rows(
        `alter database ${new URL(database.config.url ?? "").pathname.slice(1)} set statement_timeout = 0`,
      );
      await database.db.close();
      await operator.untilNone();
      await using pooler = await startPgBouncer(database.config.url ?? "", { servers: 50 });
      const db = await open(pooler.through(database.config.url ?? ""));

      // One that is being cancelled the pooler uses for nobody, and opens another meanwhile.
      const { most, outcomes } = await askWhileLocked(db, operator, "state <> 'idle'");
      const after = await Promise.all(
        Array.from({ length: 30 }, () => outcomeOf(db.query("select count(*) from link"))),
      );
      await Promise.all([db.close(), operator.end()]);
      await database.drop();

      expect(most).toBeGreaterThan(1);
      expect(most).toBeLessThanOrEqual(POOL_CONNECTIONS);
      expect(outcomes.filter((outcome) => outcome !== "done")).toEqual(["database_unavailable"]);
      expect(after).toEqual(Array(30).fill("done"));
    },
  );
});

describe.if(onPostgres)("a statement that was given up, and did nothing, is sent again", () => {
  const withTable = async () => {
    const database = await createTestDatabase();
    await database.rows("create table thing (id integer)");
    return database;
  };

  test("after an operator cancelled it", async () => {
    const database = await withTable();
    const operator = createOperator(database);
    const statement = outcomeOf(
      database.db.query("insert into thing select $1::integer from pg_sleep(1)", [1]),
    );
    let cancelled = 0;
    while (cancelled === 0) {
      const rows = await operator.rows(
        "select pg_cancel_backend(pid) from pg_stat_activity where query like 'insert into thing%' and state = 'active'",
      );
      cancelled = rows.length;
      await Bun.sleep(10);
    }

    const outcome = await statement;
    const rows = await database.rows("select id from thing");
    await operator.end();
    await database.drop();

    expect(outcome).toBe("done");
    expect(rows).toEqual([{ id: 1 }]);
  });

  test.each([
    ["lock_timeout", "lock_timeout=100"],
    ["statement_timeout", "statement_timeout=100"],
  ])("after %s of DATABASE_URL ended it, while a table was locked for a second", async (_, parameter) => {
    const database = await createTestDatabase();
    const operator = createOperator(database);
    const db = await open(`${database.config.url}?${parameter}`);
    await operator.lock();

    const statement = outcomeOf(db.query("select count(*) from link"));
    await Bun.sleep(1_000);
    await operator.unlock();
    const outcome = await statement;
    await Promise.all([db.close(), operator.end()]);
    await database.drop();

    expect(outcome).toBe("done");
  });

  test("after the database was full of connections for a moment", async () => {
    const database = await createTestDatabase();
    const name = new URL(database.config.url ?? "").pathname.slice(1);
    const role = `janus_role_${crypto.randomUUID().slice(0, 8)}`;
    await database.rows(`create role ${role} login connection limit 1`);
    await database.rows(`grant all on database ${name} to ${role}`);
    const url = Object.assign(new URL(database.config.url ?? ""), { username: role }).href;
    const other = postgres(url, { max: 1, onnotice: () => undefined });
    await other.unsafe("select 1");
    const db = await open(url);

    const statement = outcomeOf(db.query("select 1"));
    await Bun.sleep(500);
    await other.end();
    const outcome = await statement;
    await db.close();
    await database.rows(`revoke all on database ${name} from ${role}`);
    await database.rows(`drop role ${role}`);
    await database.drop();

    expect(outcome).toBe("done");
  });

  test("else it is database_unavailable, with what the database said last", async () => {
    const database = await createTestDatabase();
    const operator = createOperator(database);
    const db = await open(`${database.config.url}?lock_timeout=100`);
    await operator.lock();

    const failure = await db.query("select count(*) from link").catch(asJanusError);
    await operator.unlock();
    await Promise.all([db.close(), operator.end()]);
    await database.drop();

    expect(failure).toMatchObject({
      code: "database_unavailable",
      message: "the database gave a statement up (55P03)",
    });
  });
});
