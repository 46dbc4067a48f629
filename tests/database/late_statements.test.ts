/**
 * A statement that is late, and several hosts: it is no reason to give up the statements of others that the server goes
 * on with. Each host is behind a proxy that does not pass requests to cancel on, as one does that restarts.
 */
import { describe, expect, test } from "bun:test";
import { type Database, openDatabase } from "../../lib/database/open.ts";
import { asJanusError } from "../../lib/errors.ts";
import { startCancelEater } from "../fixtures/refusing_server.ts";
import { createTestDatabase, onPostgres } from "../harness/database.ts";
import { useForEach } from "../harness/hooks.ts";

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

describe.if(onPostgres)("of two hosts, the first has a statement that is late", () => {
  const database = useForEach(
    () => createTestDatabase(),
    ({ drop }) => drop(),
  );

  /** Both hosts are the same database. */
  async function openBehind(does: "resets" | "is silent", parameters = "") {
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
      },
    };
  }

  test.each(REACTIONS)("what cancels it %s: others that are half-way are answered", async (does) => {
    await using behind = await openBehind(does);
    const { db } = behind;
    const late = sleep(db, 9);
    await sleep(db, 3.5);

    const others = await many(3, () => sleep(db, 4));

    expect(await late).toBe("database_unavailable");
    expect(behind.eaten()).toBe(1);
    expect(others).toEqual(Array(3).fill("done"));
  });

  test.each(REACTIONS)("what cancels it %s, and it was sent late: the server has its time", async (does) => {
    await using behind = await openBehind(does);
    const { db } = behind;
    const before = many(POOL_CONNECTIONS, () => sleep(db, 3.5));
    // It waits for a place, and has been on its way for a second and a half when nobody waits for it any more.
    const late = sleep(db, 9);
    await before;

    const others = await many(3, () => sleep(db, 4));

    expect(await late).toBe("database_unavailable");
    expect(behind.eaten()).toBe(1);
    expect(others).toEqual(Array(3).fill("done"));
  });

  test.each(REACTIONS)(
    "what cancels it %s, and the server has no time limit: it is there while it answers others",
    async (does) => {
      await using behind = await openBehind(does, NO_TIME_LIMIT);
      const { db } = behind;
      const late = sleep(db, 9);
      await sleep(db, 3.5);

      const short = sleep(db, 2);
      const others = await many(3, () => sleep(db, 4));

      expect(await late).toBe("database_unavailable");
      expect(await short).toBe("done");
      expect(behind.eaten()).toBe(1);
      expect(others).toEqual(Array(3).fill("done"));
    },
  );
});
