/**
 * A late statement, and several hosts: Janus must not give up other statements on which the server still works. Each
 * host is behind a proxy that does not pass on cancel requests, like a proxy that is restarting. The tests mostly wait,
 * each in a database of its own, so they do that at the same time.
 */
import { describe, expect, test } from "bun:test";
import type { Database } from "../../lib/database/open.ts";
import { openDatabase } from "../../lib/database/open.ts";
import { asJanusError } from "../../lib/errors.ts";
import { startCancelEater } from "../fixtures/refusing_server.ts";
import { createTestDatabase, onPostgres } from "../harness/database.ts";

const POOL_CONNECTIONS = 10;
const NO_TIME_LIMIT = "&statement_timeout=0";
const REACTIONS = ["resets", "is silent"] as const;

const sleep = async (db: Database, seconds: number): Promise<string> =>
  db.query("select pg_sleep($1)", [seconds]).then(
    () => "done",
    (error: unknown) => asJanusError(error).code,
  );
const many = (count: number, statement: () => Promise<string>): Promise<string[]> =>
  Promise.all(Array.from({ length: count }, statement));

describe.if(onPostgres)("a late statement", () => {
  /** Both hosts are the same database. */
  async function openBehind(does: "resets" | "is silent", parameters = "") {
    const database = await createTestDatabase();
    const url = database.config.url ?? "";
    const [first, second] = [startCancelEater(url, does), startCancelEater(url, does)];
    const through = new URL(url);
    const { username, password, pathname } = through;
    const account = password === "" ? username : `${username}:${password}`;
    const hosts = `${first.host},${second.host}`;
    const db = await openDatabase({
      url: `postgres://${account}@${hosts}${pathname}?sslmode=disable${parameters}`,
      prepare: true,
      dataDir: "unused",
    });
    return {
      db,
      eaten: () => first.eaten() + second.eaten(),
      [Symbol.asyncDispose]: async () => {
        await db.close();
        first[Symbol.dispose]();
        second[Symbol.dispose]();
        await database.drop();
      },
    };
  }

  test.concurrent.each(REACTIONS)("leaves others running when the first host's proxy %s", async (does) => {
    await using behind = await openBehind(does);
    const { db } = behind;
    const late = sleep(db, 9);
    await sleep(db, 3);

    const others = await many(3, () => sleep(db, 3));

    expect(await late).toBe("database_unavailable");
    expect(behind.eaten()).toBe(1);
    expect(others).toEqual(Array(3).fill("done"));
  });

  test.concurrent.each(REACTIONS)("sent late leaves others running when the proxy %s", async (does) => {
    await using behind = await openBehind(does);
    const { db } = behind;
    const before = many(POOL_CONNECTIONS, () => sleep(db, 3));
    // It first waits for a connection, so it has run for only two seconds when its deadline ends.
    const late = sleep(db, 9);
    await before;

    const others = await many(3, () => sleep(db, 3));

    expect(await late).toBe("database_unavailable");
    expect(behind.eaten()).toBe(1);
    expect(others).toEqual(Array(3).fill("done"));
  });

  test.concurrent.each(REACTIONS)("without a limit leaves others running when the proxy %s", async (does) => {
    await using behind = await openBehind(does, NO_TIME_LIMIT);
    const { db } = behind;
    const late = sleep(db, 9);
    await sleep(db, 3);

    const short = sleep(db, 2);
    const others = await many(3, () => sleep(db, 3));

    expect(await late).toBe("database_unavailable");
    expect(await short).toBe("done");
    expect(behind.eaten()).toBe(1);
    expect(others).toEqual(Array(3).fill("done"));
  });
});
