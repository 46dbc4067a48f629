/** What is left of `janus backup`, `janus restore` and `janus database move` if a signal ends them half-way. */
import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { migrateUp, TABLE_NAMES } from "../../lib/database/migrations.ts";
import { openDatabase } from "../../lib/database/open.ts";
import { run } from "../fixtures/command.ts";
import { fillDatabase } from "../fixtures/full_database.ts";
import type { TestDatabase } from "../harness/database.ts";
import { createTestDatabase, onPostgres } from "../harness/database.ts";
import { useDatabase, useFolder } from "../harness/hooks.ts";

const folder = useFolder("backup_killed");
/** Long before the end of what is killed. */
const MOMENTS_MS = [0, 20, 150];
/** Enough rows for half a second of work. */
const MANY_ROWS = `insert into audit_event (occurred_at, action, detail)
  select now(), 'linked', jsonb_build_object('of', repeat(md5(n::text), 20)) from generate_series(1, 15000) as n`;
/** Another session's transaction that has written. */
const WRITING = `select pid from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid() and backend_xid is not null`;
/** It only ends what hangs: on a busy machine each start takes many seconds. */
const LIMIT_MS = 600_000;

type Environment = Readonly<Record<string, string>>;
type StopSignal = "SIGKILL" | "SIGTERM";

const environmentOf = ({ config }: TestDatabase): Environment => ({
  DATABASE_URL: config.url ?? "",
  PATH: process.env.PATH ?? "",
});
const janus = (args: readonly string[], environment: Environment) =>
  run(folder, "index.ts", args, environment);

/** Runs a command, and sends it a signal so many milliseconds after something has begun. */
async function interrupted(
  args: readonly string[],
  environment: Environment,
  isBegun: () => boolean | Promise<boolean>,
  [signal, ms]: readonly [StopSignal, number],
) {
  const started = Promise.withResolvers<number>();
  const ended = run(folder, "index.ts", args, environment, undefined, started.resolve);
  const pid = await started.promise;
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  while (!isOver && !(await isBegun())) await Bun.sleep(1);
  if (!isOver) await Bun.sleep(ms);
  if (!isOver) process.kill(pid, signal);
  return ended;
}

describe.if(onPostgres)("on PostgreSQL", () => {
  const database = useDatabase();
  // Once, since the trail stays from one test to the next.
  beforeAll(() => database.rows(MANY_ROWS));
  const withEmpty = async (work: (target: TestDatabase) => Promise<void>): Promise<void> => {
    const target = await createTestDatabase({ migrated: false });
    await work(target).finally(target.drop);
  };
  const isWritten = (target: TestDatabase) => async () => (await target.rows(WRITING)).length > 0;
  /** Once its transaction is over, too. */
  async function isEmpty(target: TestDatabase): Promise<unknown> {
    while ((await target.rows(WRITING)).length > 0) await Bun.sleep(10);
    return (await target.rows("select to_regclass('link') is null as is_empty"))[0]?.isEmpty;
  }

  test.each([[[]], [["--own-form"]]])(
    "janus backup %j that is killed leaves no file of that name",
    async (options) => {
      for (const ms of MOMENTS_MS) {
        const path = join(folder, `${options.length}-${ms}.backup`);
        const isBegun = () => readdirSync(folder).some((name) => name.startsWith(`${basename(path)}.`));

        const { exitCode } = await interrupted(
          ["backup", ...options, path],
          environmentOf(database),
          isBegun,
          ["SIGKILL", ms],
        );

        expect([exitCode === 0, existsSync(path)]).toEqual([false, false]);
      }
      expect(await database.rows("select taken_at from backup")).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    "janus backup that is told to stop leaves no file at all",
    async () => {
      const path = join(folder, "stopped.backup");
      const isBegun = () => readdirSync(folder).some((name) => name.startsWith(basename(path)));

      const { exitCode, stderr } = await interrupted(["backup", path], environmentOf(database), isBegun, [
        "SIGTERM",
        0,
      ]);

      expect([exitCode, stderr.includes("error")]).toEqual([143, false]);
      expect(isBegun()).toBe(false);
    },
    LIMIT_MS,
  );

  test(
    "janus restore that is killed or told to stop leaves the database without a table",
    () =>
      withEmpty(async (target) => {
        const path = join(folder, "whole.backup");
        expect((await janus(["backup", path], environmentOf(database))).exitCode).toBe(0);
        const restore = ["restore", "--yes", path];

        for (const ms of MOMENTS_MS) {
          await interrupted(restore, environmentOf(target), isWritten(target), ["SIGKILL", ms]);
          expect(await isEmpty(target)).toBe(true);
        }
        const stopped = await interrupted(restore, environmentOf(target), isWritten(target), ["SIGTERM", 0]);
        expect([stopped.exitCode, await isEmpty(target)]).toEqual([143, true]);
        expect((await janus(restore, environmentOf(target))).exitCode).toBe(0);
      }),
    LIMIT_MS,
  );

  test(
    "janus restore into an embedded database that is killed can be repeated in the same folder",
    async () => {
      const [path, dataDir] = [join(folder, "embedded.backup"), join(folder, "restored")];
      expect((await janus(["backup", "--own-form", path], environmentOf(database))).exitCode).toBe(0);
      const restore = ["restore", "--yes", path];
      const isMade = () => existsSync(join(dataDir, "postgres"));

      for (const ms of [100, 1_500]) {
        const { exitCode } = await interrupted(restore, { DATA_DIR: dataDir }, isMade, ["SIGKILL", ms]);
        expect(exitCode).not.toBe(0);
      }
      const whole = await janus(restore, { DATA_DIR: dataDir });
      const again = await janus([...restore, "--json"], { DATA_DIR: dataDir });

      expect([whole.exitCode, again.exitCode]).toEqual([0, 1]);
      expect(JSON.parse(again.stderr).error.code).toBe("database_not_empty");
    },
    LIMIT_MS,
  );

  test(
    "janus database move that is killed leaves PostgreSQL without a table, and the folder as it was",
    () =>
      withEmpty(async (target) => {
        const dataDir = join(folder, "data");
        const source = await openDatabase({ url: undefined, prepare: true, dataDir });
        await migrateUp(source, () => new Date());
        const rows = async (text: string) => (await source.query(text)) as readonly Record<string, unknown>[];
        await fillDatabase({ db: source, rows });
        await source.query(MANY_ROWS);
        await source.close();
        const environment = { ...environmentOf(target), DATA_DIR: dataDir };
        const move = ["database", "move", "--yes", "--json"];

        for (const ms of MOMENTS_MS) {
          await interrupted(move, environment, isWritten(target), ["SIGKILL", ms]);
          expect(await isEmpty(target)).toBe(true);
          expect(existsSync(join(dataDir, "janus.moved"))).toBe(false);
        }
        const moved = await janus(move, environment);
        const again = await janus(move, environment);
        const old = await janus(["audit"], { DATA_DIR: dataDir });

        expect([moved.exitCode, JSON.parse(moved.stdout)]).toEqual([
          0,
          { moved: expect.any(Number), tables: TABLE_NAMES.length },
        ]);
        expect([again.exitCode, old.exitCode]).toEqual([2, 2]);
        expect(old.stderr).toContain("was moved to PostgreSQL");
        expect(existsSync(join(dataDir, "janus.moved"))).toBe(true);
      }),
    LIMIT_MS,
  );
});
