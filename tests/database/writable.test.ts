/**
 * A database that is read-only for a while, or whose disk is full: members are served as soon as it can be written
 * again, and `/readyz` tells the two apart.
 */
import { describe, expect, test } from "bun:test";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrateUp } from "../../lib/database/migrations.ts";
import { openDatabase } from "../../lib/database/open.ts";
import { asJanusError } from "../../lib/errors.ts";
import { findInitdb, startCluster } from "../harness/cluster.ts";
import type { TestDatabase } from "../harness/database.ts";
import { createTestDatabase, onPostgres } from "../harness/database.ts";
import { startJanusWithForger } from "../harness/janus.ts";

const NOT_READY = { http: 503, status: "not_ready", provider: "ready" };
const nameOf = ({ config }: TestDatabase): string => new URL(config.url ?? "").pathname.slice(1);
const outcomeOf = (statement: Promise<unknown>): Promise<string> =>
  statement.then(
    () => "done",
    (error: unknown) => asJanusError(error).code,
  );

/** A Janus on this database, to ask its `/readyz`. */
async function startProbe(database: TestDatabase) {
  const janus = await startJanusWithForger({ database });
  await janus.deps.oidc.prepare();
  const readiness = async () => {
    const response = await fetch(`${janus.url}/readyz`);
    return { http: response.status, ...(await response.json()) };
  };
  return { readiness, stop: janus.stop };
}

describe.if(onPostgres)("a read-only database", () => {
  test("accepts all writes soon after it becomes writable", async () => {
    const database = await createTestDatabase();
    await database.rows("create table thing (id integer)");
    const write = () => outcomeOf(database.db.query("insert into thing values ($1)", [1]));
    await database.rows(`alter database ${nameOf(database)} set default_transaction_read_only = on`);
    const db = await openDatabase(database.config);
    const writeAsMembers = (count: number) =>
      Promise.all(
        Array.from({ length: count }, () =>
          outcomeOf(db.query("insert into thing select $1 from pg_sleep(0.1)", [1])),
        ),
      );
    const during = await writeAsMembers(20);

    await database.rows(
      `set default_transaction_read_only = off; alter database ${nameOf(database)} reset default_transaction_read_only`,
    );
    let after = await writeAsMembers(20);
    while (after.some((outcome) => outcome !== "done")) after = await writeAsMembers(20);
    await db.close();
    const own = await write();
    await database.drop();

    expect(during).toEqual(Array(20).fill("database_unavailable"));
    expect(own).toBe("done");
  });

  test("accepts writes at once although ten connections only read", async () => {
    const database = await createTestDatabase();
    await database.rows("create table thing (id integer)");
    await database.rows(`alter database ${nameOf(database)} set default_transaction_read_only = on`);
    const db = await openDatabase(database.config);
    // Ten used connections, opened so long ago that the server itself no longer counts as read-only.
    await Promise.all(Array.from({ length: 10 }, () => db.query("select pg_sleep(0.3)")));
    await Bun.sleep(1_500);
    await database.rows(
      `set default_transaction_read_only = off; alter database ${nameOf(database)} reset default_transaction_read_only`,
    );

    const outcomes: string[] = [];
    for (let member = 0; member < 10; member += 1)
      outcomes.push(await outcomeOf(db.query("insert into thing values ($1)", [member])));
    await db.close();
    const rows = await database.rows("select id from thing order by id");
    await database.drop();

    expect(outcomes).toEqual(Array(10).fill("done"));
    expect(rows).toHaveLength(10);
  });

  test("gets no new connection for each statement that it refuses", async () => {
    const database = await createTestDatabase();
    await database.rows("create table thing (id integer)");
    await database.rows(`alter database ${nameOf(database)} set default_transaction_read_only = on`);
    const db = await openDatabase(database.config);
    const pids = new Set<unknown>();

    for (let member = 0; member < 100; member += 1) {
      await outcomeOf(db.query("insert into thing values ($1)", [member]));
      const [row] = await db.query("select pg_backend_pid() as pid");
      pids.add((row as { pid: number }).pid);
    }
    await db.close();
    await database.rows("set default_transaction_read_only = off");
    await database.drop();

    expect(pids.size).toBeLessThan(30);
  });

  test("makes /readyz say database_read_only, and ready afterwards", async () => {
    const database = await createTestDatabase();
    await database.rows(`alter database ${nameOf(database)} set default_transaction_read_only = on`);
    const db = await openDatabase(database.config);
    const probe = await startProbe({ ...database, db });

    const during = await probe.readiness();
    await database.rows(
      `set default_transaction_read_only = off; alter database ${nameOf(database)} reset default_transaction_read_only`,
    );
    let after = await probe.readiness();
    while (after.http !== 200) {
      await Bun.sleep(50);
      after = await probe.readiness();
    }
    await probe.stop();
    await db.close();
    await database.drop();

    expect(during).toEqual({ ...NOT_READY, database: "database_read_only" });
    expect(after).toMatchObject({ status: "ready", database: "ready" });
  });
});

/** A disk of a few megabytes. Only root can make one; undefined for other users. */
async function mountSmallDisk(): Promise<(AsyncDisposable & { readonly folder: string }) | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "janus-disk-"));
  const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=24m,mode=0777", "tmpfs", folder]);
  if (mounted.exitCode !== 0) {
    await rm(folder, { recursive: true, force: true });
    return undefined;
  }
  return {
    folder,
    [Symbol.asyncDispose]: async () => {
      Bun.spawnSync(["umount", folder]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

describe.if(onPostgres && findInitdb() !== undefined)("a database whose disk is full", () => {
  test("makes writes fail, and /readyz say database_full", async () => {
    await using disk = await mountSmallDisk();
    if (disk === undefined)
      return console.warn("The test of a full disk is skipped: it takes root to make one.");
    const passwordFile = `${disk.folder}-password`;
    await Bun.write(passwordFile, "secret");
    await using cluster = await startCluster(passwordFile);
    const space = join(disk.folder, "space");
    Bun.spawnSync(["install", "-d", "-o", "postgres", "-m", "700", space]);
    await chmod(disk.folder, 0o777);
    const url = `postgres://janus:secret@127.0.0.1:${cluster.port}`;
    const admin = await openDatabase({ url: `${url}/postgres`, prepare: true, dataDir: "unused" });
    await admin.query(`create tablespace small location '${space}'`);
    await admin.query("create database small tablespace small");
    const db = await openDatabase({ url: `${url}/small`, prepare: true, dataDir: "unused" });
    await migrateUp(db, () => new Date());
    await db.query("create table thing (id integer)");
    const database = await createTestDatabase({ migrated: false });
    const probe = await startProbe({ ...database, db });
    const write = () => outcomeOf(db.query("insert into thing select generate_series(1, 20000)"));

    const before = await probe.readiness();
    const filler = join(disk.folder, "filler");
    Bun.spawnSync(["dd", "if=/dev/zero", `of=${filler}`, "bs=4k", "status=none"]);
    const unnoticed = await probe.readiness();
    const refused = await write();
    const during = [await probe.readiness(), await probe.readiness()];
    await rm(filler);
    const after = await probe.readiness();
    const written = await write();
    await probe.stop();
    await Promise.all([db.close(), admin.close(), database.drop()]);
    await rm(passwordFile);

    expect([before.http, unnoticed.http]).toEqual([200, 200]);
    expect(refused).toBe("database_unavailable");
    expect(during).toEqual(Array(2).fill({ ...NOT_READY, database: "database_full" }));
    expect(after).toMatchObject({ status: "ready", database: "ready" });
    expect(written).toBe("done");
  });
});
