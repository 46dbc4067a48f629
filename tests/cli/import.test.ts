/** `janus import` as a command: its options, its words, its exit codes, and that it goes on after a kill. */
import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run, runOnTerminal } from "../fixtures/command.ts";
import { EARLIER_TABLES, rowsOfEarlier, writeEarlierFile } from "../fixtures/earlier_service.ts";
import { makeRingKey, textOfRing } from "../fixtures/sealed_rows.ts";
import { createTestDatabase, onPostgres } from "../harness/database.ts";
import { useCommandHost, useDatabase, useFolder } from "../harness/hooks.ts";

const folder = useFolder("import");
const host = useCommandHost(folder);
const K1 = makeRingKey("k1");
const SETTINGS = { TOKEN_KEYS: textOfRing([K1]), OIDC_ISSUER: "https://id.example.org" };
const CANARY = "canary-token-of-discord";
let lastId = 300_000_000_000_000_000n;
/** An id that no other test imports: the trail stays, and of whom it tells nobody is imported again. */
const newId = (): string => String(++lastId);

function write(...lines: readonly string[]): string {
  const path = join(folder, `${crypto.randomUUID()}.csv`);
  writeFileSync(path, `discord_user_id,subject,refresh_token\n${lines.join("\n")}\n`);
  return path;
}

describe("janus import", () => {
  test.each([
    [[], "Name one of --csv"],
    [["--csv", "a.csv", "--sqlite", "a.db", "--yes"], "Name one of --csv"],
    [["--csv", "a.csv"], "add --yes"],
    [["--csv", "a.csv", "--json"], "add --yes"],
    [["--postgres", "--yes"], "IMPORT_DATABASE_URL"],
    [["--csv", "none.csv", "--yes"], "There is no file none.csv: is its name right?"],
    [
      ["--sqlite", "none.db", "--dry-run"],
      "none.db cannot be read (SQLITE_CANTOPEN). There is no such file.",
    ],
  ])("refuses %j", async (options, reason) => {
    const ended = await host.run("index.ts", ["import", ...options], SETTINGS);

    expect(ended).toMatchObject({ exitCode: 2, stdout: "" });
    expect(ended.stderr).toContain(reason);
  });

  test("needs TOKEN_KEYS, OIDC_ISSUER and a database that is there", async () => {
    const path = write(`${newId()},anna,`);
    const [bare, empty] = await Promise.all([
      host.run("index.ts", ["import", "--csv", path, "--yes"], {}),
      host.run("index.ts", ["import", "--csv", path, "--yes"], SETTINGS),
    ]);

    expect(bare.exitCode).toBe(2);
    expect(bare.stderr).toMatch(/OIDC_ISSUER is missing[\s\S]*TOKEN_KEYS is missing|TOKEN_KEYS is missing/);
    expect(empty).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("there is no database in ./data yet"),
    });
  });

  test("takes the address of a database from one place, and from a file", async () => {
    const address = join(folder, "address");
    writeFileSync(address, "postgres://user:canary@127.0.0.1:1/old\n");
    const ask = (environment: Readonly<Record<string, string>>) =>
      host.run("index.ts", ["import", "--postgres", "--yes"], { ...SETTINGS, ...environment });

    const [file, both, none] = await Promise.all([
      ask({ IMPORT_DATABASE_URL_FILE: address }),
      ask({ IMPORT_DATABASE_URL_FILE: address, IMPORT_DATABASE_URL: "postgres://localhost/old" }),
      ask({ IMPORT_DATABASE_URL_FILE: join(folder, "nothing") }),
    ]);

    expect(file.stderr).toContain("The database of IMPORT_DATABASE_URL cannot be read");
    expect(both.stderr).toContain("is set twice");
    expect(none.stderr).toContain("cannot be read (ENOENT)");
    for (const { exitCode, stderr } of [file, both, none]) {
      expect(exitCode).toBe(2);
      expect(stderr).not.toContain("canary");
    }
  });
});

// The test and the command need the database at the same time, which the embedded one does not allow.
describe.if(onPostgres)("janus import on PostgreSQL", () => {
  const database = useDatabase();
  const environment = () => ({
    ...SETTINGS,
    DATABASE_URL: database.config.url ?? "",
    JANUS_OPERATOR: "Anna Admin",
  });
  const importWith = (...options: readonly string[]) =>
    host.run("index.ts", ["import", ...options], environment());
  const countOf = async (what: string): Promise<number> => {
    const [row] = await database.rows(`select count(*)::integer as count from ${what}`);
    return Number(row?.count);
  };

  test("tells what it has done as words and as JSON, and finds it done the second time", async () => {
    const id = newId();
    const path = write(`${id},anna,${CANARY}`, "12,bo,", `${newId()},cleo,`);
    const dry = await importWith("--csv", path, "--dry-run");
    const links = await countOf("link");
    const told = await importWith("--csv", path, "--yes");
    const again = await importWith("--csv", path, "--yes", "--json");

    expect([dry.exitCode, links]).toEqual([1, 0]);
    expect(dry.stdout).toContain("2 links would be imported. Nothing was changed: this was a dry run.");
    expect(told).toEqual({
      exitCode: 1,
      stdout: [
        "1 row is left out, and nothing is changed for it:",
        "  line 3: its Discord user id is not 17 to 20 digits",
        "1 member needs to do nothing: the servers tell Discord.",
        "1 member has no Discord refresh token there: Discord is told once they follow the link again.",
        "2 links imported.",
        "",
      ].join("\n"),
      stderr: "",
    });
    expect(again.exitCode).toBe(1);
    expect(JSON.parse(again.stdout)).toEqual({
      dry_run: false,
      imported: 0,
      already: 2,
      repeated: 0,
      unfinished: 0,
      by_username: 0,
      without_tokens: 0,
      left_out: 1,
      rows: [{ line: 3, discord_user_id: null, reason: "discord_user_id" }],
    });
    expect(
      await database.rows(
        `select operator from audit_event where action = 'imported' and discord_user_id = '${id}'`,
      ),
    ).toEqual([{ operator: "Anna Admin" }]);
  });

  test("shows no token anywhere, and stores none that is not sealed", async () => {
    const path = write(
      `${newId()},anna,${CANARY}`,
      `${newId()},bo,${CANARY}\u00e5`,
      `${newId()},"cleo",${CANARY}`,
    );
    const runs = [
      await importWith("--csv", path, "--yes", "--json"),
      await importWith("--csv", write(`${newId()},"dan"x,${CANARY}`), "--yes"),
    ];

    expect(runs.map(({ exitCode }) => exitCode)).toEqual([1, 2]);
    expect(JSON.stringify(runs)).not.toContain(CANARY);
    expect(await database.dump()).not.toContain(CANARY);
    expect(await countOf("link")).toBe(2);
  });

  test("imports the earlier service from SQLite and from PostgreSQL alike", async () => {
    const tokens = {
      accessToken: CANARY,
      refreshToken: CANARY,
      expiresAt: new Date(Date.now() + 86_400_000),
    };
    const members = [
      { discordUserId: newId(), stilId: "an1", discordUsername: "anna", name: "Anna", tokens },
      { discordUserId: newId(), stilId: "bo2", discordUsername: "bo", name: "Bo" },
      { discordUserId: newId(), discordUsername: "cleo", tokens },
    ];
    const path = join(folder, "earlier.db");
    writeEarlierFile(path, members);
    const old = await createTestDatabase({ migrated: false });
    for (const table of EARLIER_TABLES) await old.rows(table);
    for (const member of members)
      for (const [table, ...values] of rowsOfEarlier(member))
        await old.rows(`insert into ${table} values (${values.map((value) => `'${value}'`).join()})`);
    const [before, file] = [await old.rows("select * from discord_tokens"), readFileSync(path)];

    const fromSqlite = await importWith("--sqlite", path, "--yes", "--json");
    const fromPostgres = await host.run("index.ts", ["import", "--postgres", "--yes", "--json"], {
      ...environment(),
      IMPORT_DATABASE_URL: old.config.url ?? "",
    });

    const result = { unfinished: 1, left_out: 0 };
    expect(fromSqlite.stderr + fromPostgres.stderr).toBe("");
    expect(JSON.parse(fromSqlite.stdout)).toMatchObject({
      ...result,
      imported: 2,
      by_username: 2,
      without_tokens: 1,
    });
    expect(JSON.parse(fromPostgres.stdout)).toMatchObject({ ...result, imported: 0, already: 2 });
    expect([fromSqlite.exitCode, fromPostgres.exitCode]).toEqual([0, 0]);
    expect(await old.rows("select * from discord_tokens")).toEqual(before);
    expect(readFileSync(path)).toEqual(file);
    await old.drop();
  });

  test("asks on a terminal, shows how far it is, and changes nothing after a no", async () => {
    const path = write(`${newId()},anna,`, `${newId()},anna,`, `${newId()},bo,`);
    const answer = (keys: string) =>
      runOnTerminal(folder, ["import", "--csv", path], environment(), { shown: "[y/N]", keys });

    const refused = await answer("n\n");
    const links = await countOf("link");
    const agreed = await answer("y\n");

    expect([refused.exitCode, links]).toEqual([1, 0]);
    expect(refused.stdout).toContain("2 rows are left out");
    expect(refused.stdout).toContain("Import 1 link to https://id.example.org from");
    expect(refused.stdout).toContain("Nothing was changed.");
    expect(agreed.exitCode).toBe(1);
    expect(agreed.stdout).toContain("1 of 1 rows");
    expect(agreed.stdout).toContain("1 link imported.");
    expect(await countOf("link")).toBe(1);
  });

  test("goes on where a kill has ended it, and imports nobody twice", async () => {
    const rows = 20_000;
    const path = write(
      ...Array.from({ length: rows }, (_, index) => `${newId()},sub-${index},${CANARY}${index}`),
    );
    const started = Promise.withResolvers<number>();
    const ending = run(
      folder,
      "index.ts",
      ["import", "--csv", path, "--yes", "--json"],
      environment(),
      undefined,
      started.resolve,
    );
    const pid = await started.promise;
    while ((await countOf("link")) < 500) await Bun.sleep(5);
    process.kill(pid, "SIGKILL");
    await ending;
    // The statement that it had sent may still run.
    let [left, seen] = [await countOf("link"), -1];
    while (left !== seen) {
      seen = left;
      await Bun.sleep(200);
      left = await countOf("link");
    }

    const { exitCode, stdout } = await importWith("--csv", path, "--yes", "--json");

    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(rows);
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([
      0,
      { imported: rows - left, already: left, left_out: 0 },
    ]);
    expect(await countOf("link")).toBe(rows);
    expect(await countOf("audit_event where action = 'imported' and subject like 'sub-%'")).toBe(rows);
  }, 120_000);

  test("ends after the batch under way on Ctrl+C, and says how to go on", async () => {
    const path = write(...Array.from({ length: 20_000 }, (_, index) => `${newId()},other-${index},`));
    const started = Promise.withResolvers<number>();
    const ending = run(
      folder,
      "index.ts",
      ["import", "--csv", path, "--yes", "--json"],
      environment(),
      undefined,
      started.resolve,
    );
    const pid = await started.promise;
    while ((await countOf("link")) < 500) await Bun.sleep(5);
    process.kill(pid, "SIGINT");

    const ended = await ending;

    expect(ended.exitCode).toBe(130);
    expect(ended.stderr).toContain("the same command goes on from there");
    expect(JSON.parse(ended.stdout).imported).toBe(await countOf("link"));
  }, 120_000);
});
