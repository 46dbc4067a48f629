/** `janus backup` and `janus restore` as commands on PostgreSQL. */
import { describe, expect, test } from "bun:test";
import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TABLE_NAMES } from "../../lib/database/migrations.ts";
import { findProgram } from "../../lib/database/pg_programs.ts";
import { run, runInShell, runOnTerminal } from "../fixtures/command.ts";
import { fillDatabase } from "../fixtures/full_database.ts";
import type { TestDatabase } from "../harness/database.ts";
import { createTestDatabase, onPostgres } from "../harness/database.ts";
import { useCommandHost, useDatabase, useFolder } from "../harness/hooks.ts";
import { rejection } from "../harness/rejection.ts";

const PASSWORD = "canary-database-password";
const folder = useFolder("backup");
const host = useCommandHost(folder);
const PATH = process.env.PATH ?? "";

let files = 0;
const newPath = (): string => {
  files += 1;
  return join(folder, `${files}.backup`);
};

test.each(["restore", "database move"])(
  "janus %s asks, and names --yes where nobody can answer",
  async (name) => {
    const words = [...name.split(" "), ...(name === "restore" ? ["a.backup"] : [])];

    const ended = await run(folder, "index.ts", words, {});

    expect(ended).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining("add --yes") });
  },
);

describe.if(onPostgres)("on PostgreSQL", () => {
  const database = useDatabase();
  const environmentOf = ({ config }: TestDatabase) => ({
    DATABASE_URL: config.url ?? "",
    DATABASE_PASSWORD: PASSWORD,
    JANUS_OPERATOR: "anna",
    PATH,
  });
  const janus = (...args: readonly string[]) => host.run("index.ts", args, environmentOf(database));
  const withEmpty = async (work: (target: TestDatabase) => Promise<void>): Promise<void> => {
    const target = await createTestDatabase({ migrated: false });
    await work(target).finally(target.drop);
  };
  const accountsOf = ({ dump }: TestDatabase) =>
    dump(["discord_account", "organisation_account", "scim_user"]);
  const backupAt = async () => (await database.rows("select taken_at from backup"))[0]?.takenAt;

  test.each([
    ["pg_dump", []],
    ["janus", ["--own-form"]],
  ] as const)(
    "janus backup makes a whole file in the form of %s, and janus restore restores it",
    (form, options) =>
      withEmpty(async (target) => {
        await fillDatabase(database);
        const [path, before] = [newPath(), await accountsOf(database)];

        const made = await janus("backup", "--json", ...options, path);
        const restored = await run(
          folder,
          "index.ts",
          ["restore", "--yes", "--json", path],
          environmentOf(target),
        );

        expect(made).toMatchObject({ exitCode: 0, stderr: "" });
        expect(JSON.parse(made.stdout)).toMatchObject({ file: path, form, tables: TABLE_NAMES.length });
        expect(await backupAt()).toEqual(expect.any(Date));
        expect(restored).toMatchObject({ exitCode: 0, stderr: "" });
        expect(JSON.parse(restored.stdout)).toMatchObject({
          restored: JSON.parse(made.stdout).rows,
          sessions_ended: expect.any(Number),
        });
        expect(await accountsOf(target)).toBe(before);
        expect(
          await target.rows("select operator from audit_event where action = 'database_restored'"),
        ).toEqual([{ operator: "anna" }]);
      }),
  );

  test.each([[[]], [["--own-form"]]])(
    "janus backup %j - writes to a pipe, and warns of nothing else",
    (options) =>
      withEmpty(async (target) => {
        await fillDatabase(database);
        const path = newPath();

        const piped = await runInShell(
          folder,
          `janus backup ${options.join(" ")} - >'${path}'`,
          environmentOf(database),
        );
        const restored = await host.run("index.ts", ["restore", "--yes", path], environmentOf(target));

        expect(piped).toMatchObject({
          exitCode: 0,
          stderr: expect.stringContaining("TOKEN_KEYS is not in it"),
        });
        expect(restored.exitCode).toBe(0);
      }),
  );

  test.each(["| true", "> /dev/full"])(
    "janus backup - %s says that what came out is not whole, and nothing else",
    async (end) => {
      await fillDatabase(database);
      const before = await backupAt();

      const piped = await runInShell(folder, `janus backup - ${end}`, environmentOf(database));

      expect(piped).toEqual({
        exitCode: 1,
        stdout: "",
        stderr: "janus: standard output takes no more: what has come out is not whole\n",
      });
      expect(await backupAt()).toEqual(before);
    },
  );

  test("janus restore asks on a terminal, and changes nothing after a no", () =>
    withEmpty(async (target) => {
      const path = newPath();
      await janus("backup", path);

      const answer = (keys: string) =>
        runOnTerminal(folder, ["restore", path], environmentOf(target), { shown: "[y/N]", keys });
      const refused = await answer("n\n");
      const [none] = await target.rows("select to_regclass('link') as link");
      const agreed = await answer("y\n");

      expect([refused.exitCode, agreed.exitCode]).toEqual([1, 0]);
      expect(refused.stdout).toContain("is a whole backup of");
      expect(refused.stdout).toContain("Nothing was changed.");
      expect(refused.stdout).not.toContain(PASSWORD);
      expect(agreed.stdout).toContain("Members keep their roles.");
      expect(none).toEqual({ link: null });
    }));

  test("janus restore refuses a database with tables, and a dump of another database", async () => {
    const path = newPath();
    await janus("backup", path);
    const other = newPath();
    const dumped = Bun.spawn([
      "pg_dump",
      "--format=custom",
      `--file=${other}`,
      `--dbname=${process.env.TEST_DATABASE_URL}`,
    ]);
    expect(await dumped.exited).toBe(0);

    const full = await janus("restore", "--yes", "--json", path);
    const foreign = await janus("restore", "--yes", "--json", other);

    const codeOf = ({ stderr }: { readonly stderr: string }): unknown => JSON.parse(stderr).error.code;
    expect([full.exitCode, codeOf(full)]).toEqual([1, "database_not_empty"]);
    expect([foreign.exitCode, codeOf(foreign)]).toEqual([1, "backup_unreadable"]);
  });

  test("janus restore leaves out what another program has in the same schema, and says so", () =>
    withEmpty(async (target) => {
      await database.rows('create table "odd; table" (a integer)');
      await database.rows('insert into "odd; table" values (1), (2)');
      const path = newPath();
      const made = await janus("backup", "--json", path);
      await database.rows('drop table "odd; table"');

      const restored = await host.run("index.ts", ["restore", "--yes", path], environmentOf(target));

      expect([made.exitCode, restored.exitCode]).toEqual([0, 0]);
      expect(JSON.parse(made.stdout)).toMatchObject({ form: "pg_dump", tables: TABLE_NAMES.length });
      expect(restored.stderr).toContain("left out, since they are no tables of Janus: odd;");
    }));

  test("janus restore refuses a dump that was cut off anywhere", async () => {
    await fillDatabase(database);
    const [path, cut] = [newPath(), newPath()];
    await janus("backup", path);
    const whole = readFileSync(path);

    for (const share of [0.01, 0.2, 0.4, 0.6, 0.8, 0.95]) {
      writeFileSync(cut, whole.subarray(0, Math.floor(whole.length * share)));
      const ended = await janus("restore", "--yes", "--json", cut);
      expect([share, ended.exitCode, JSON.parse(ended.stderr).error.code]).toEqual([
        share,
        1,
        "backup_unreadable",
      ]);
    }
  });

  test("janus backup names a pg_dump that is older than the server, and takes --own-form instead", async () => {
    const programs = join(folder, "programs");
    await Bun.write(join(programs, "pg_dump"), "#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.1'\n");
    chmodSync(join(programs, "pg_dump"), 0o755);
    const environment = { ...environmentOf(database), PATH: programs };

    const { message } = await rejection(findProgram("pg_dump", programs, 99));
    const own = await host.run("index.ts", ["backup", "--own-form", newPath()], environment);

    expect(message).toStartWith(
      `pg_dump of PostgreSQL 99 or later is needed, and ${programs}/pg_dump is of version 9`,
    );
    expect(own.exitCode).toBe(0);
  });

  test("janus backup shows its password in no command line, output or file, and leaves no certificate", async () => {
    await fillDatabase(database);
    const path = newPath();
    const seen = new Set<string>();
    let isOver = false;
    const watching = (async () => {
      while (!isOver) {
        for (const line of listCommandLines()) seen.add(line);
        await Bun.sleep(1);
      }
    })();

    const made = await janus("backup", path);
    isOver = true;
    await watching;

    const told = [made.stdout, made.stderr, ...seen].join("\n");
    expect(
      [...seen].filter((line) => line.includes("pg_dump") && line.includes("--format=custom")),
    ).not.toEqual([]);
    expect(told).not.toContain(PASSWORD);
    expect(readFileSync(path).includes(PASSWORD)).toBe(false);
  });
});

/** What every user of the machine can see. */
function listCommandLines(): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(join("/proc", pid, "cmdline"), "utf8").replaceAll("\0", " ")];
      } catch {
        return [];
      }
    });
}
