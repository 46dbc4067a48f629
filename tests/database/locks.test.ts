/**
 * A locked table, and statements that are cancelled: statements that wait are bounded in time and in connections, and
 * everything works when the lock is released. On PostgreSQL and behind PgBouncer. The tests mostly wait, each in a
 * database of its own, so they do that at the same time.
 */
import { describe, expect, test } from "bun:test";
import postgres from "postgres";
import type { Database } from "../../lib/database/open.ts";
import { openDatabase } from "../../lib/database/open.ts";
import { asJanusError } from "../../lib/errors.ts";
import type { TestDatabase } from "../harness/database.ts";
import { createTestDatabase, onPostgres } from "../harness/database.ts";
import { findPgBouncer, startPgBouncer } from "../harness/pgbouncer.ts";

const hasPooler = onPostgres && (findPgBouncer() !== undefined || Boolean(process.env.CI));
const POOL_CONNECTIONS = 10;
/** Longer than two deadlines of a statement: anything that piles up has done so by then. */
const LOCK_MS = 12_000;

const open = (url: string): Promise<Database> => openDatabase({ url, prepare: true, dataDir: "unused" });
const outcomeOf = (statement: Promise<unknown>): Promise<string> =>
  statement.then(
    () => "done",
    (error: unknown) => asJanusError(error).code,
  );

/** An operator, on connections of their own. */
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
    /** Waits until connections of other users, which must not be counted, have gone. */
    untilNone: async (): Promise<void> => {
      while ((await count()) > 0) await Bun.sleep(10);
    },
    rows: (text: string) => watcher.unsafe(text),
    end: () => Promise.all([locker.end({ timeout: 0 }), watcher.end({ timeout: 0 })]),
  };
}

/** Members ask for the locked table again and again. Gives the most connections at a time, and the outcomes. */
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

describe.if(onPostgres)("a locked table", () => {
  test.concurrent("costs at most ten connections, and works again once unlocked", async () => {
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

  test.concurrent("does not disturb statements that do not need it", async () => {
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
    // By now Janus has ended the late ones.
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

  test.concurrent.if(hasPooler)("costs at most ten connections behind a pooler without a limit", async () => {
    const database = await createTestDatabase();
    const operator = createOperator(database);
    await database.rows(
      `alter database ${new URL(database.config.url ?? "").pathname.slice(1)} set statement_timeout = 0`,
    );
    await database.db.close();
    await operator.untilNone();
    await using pooler = await startPgBouncer(database.config.url ?? "", { servers: 50 });
    const db = await open(pooler.through(database.config.url ?? ""));

    // The pooler does not reuse a connection that is being cancelled, and opens another one meanwhile.
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
  });
});

describe.if(onPostgres)("a statement that was given up", () => {
  const withTable = async () => {
    const database = await createTestDatabase();
    await database.rows("create table thing (id integer)");
    return database;
  };

  test.concurrent("is sent again after an operator cancelled it", async () => {
    const database = await withTable();
    const operator = createOperator(database);
    const statement = outcomeOf(
      database.db.query("insert into thing select $1::integer from pg_sleep(1)", [1]),
    );
    let cancelled = 0;
    while (cancelled === 0) {
      const rows = await operator.rows(
        "select pg_cancel_backend(pid) from pg_stat_activity where datname = current_database() and query like 'insert into thing%' and state = 'active'",
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

  test.concurrent.each([
    ["lock_timeout", "lock_timeout=100"],
    ["statement_timeout", "statement_timeout=100"],
  ])("is sent again after %s ended it", async (_, parameter) => {
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

  test.concurrent("is sent again if the role lacked a connection", async () => {
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

  test.concurrent("fails as database_unavailable while the lock stays", async () => {
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
