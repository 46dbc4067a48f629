/** `janus keys rotate` and `janus keys status` as commands. What they do is in `operator/rotate_keys.test.ts`. */
import { describe, expect, test } from "bun:test";
import { run, runOnTerminal } from "../fixtures/command.ts";
import { addSealedLinks, makeRingKey, openAll, sealerOf, textOfRing } from "../fixtures/sealed_rows.ts";
import { onPostgres } from "../harness/database.ts";
import { useCommandHost, useDatabase, useFolder } from "../harness/hooks.ts";

const folder = useFolder("keys_rotate");
const host = useCommandHost(folder);
const [K1, K2] = [makeRingKey("k1"), makeRingKey("k2")];

test.each([[["--json"]], [[]]])(
  "janus keys rotate %j asks on a terminal alone, and names --yes otherwise",
  async (options) => {
    const ended = await host.run("index.ts", ["keys", "rotate", ...options], {
      TOKEN_KEYS: textOfRing([K2, K1]),
    });

    expect(ended).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining("add --yes") });
  },
);

test.each(["rotate", "status"])("janus keys %s needs TOKEN_KEYS and a database", async (command) => {
  const options = command === "rotate" ? ["--yes"] : [];
  const [keyless, empty] = await Promise.all([
    host.run("index.ts", ["keys", command, ...options], {}),
    host.run("index.ts", ["keys", command, ...options], { TOKEN_KEYS: textOfRing([K1]) }),
  ]);

  expect(keyless).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("TOKEN_KEYS is missing") });
  expect(empty).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("there is no database in ./data yet"),
  });
});

// The test and the command need the database at the same time, which the embedded one does not allow.
describe.if(onPostgres)("on PostgreSQL", () => {
  const database = useDatabase();
  const environment = (ring = [K2, K1]) => ({
    TOKEN_KEYS: textOfRing(ring),
    DATABASE_URL: database.config.url ?? "",
    JANUS_OPERATOR: "anna",
  });
  const keys = (...args: readonly string[]) => host.run("index.ts", ["keys", ...args], environment());
  const trail = () =>
    database.rows(
      "select operator, detail from audit_event where action = 'keys_rotated' order by audit_event_id",
    );

  test("janus keys rotate says what it does, leaves a row in the trail, and then has nothing to do", async () => {
    await addSealedLinks({ database }, [K1], 3);
    const before = (await trail()).length;

    const told = await keys("rotate", "--yes");
    const again = await keys("rotate", "--yes", "--json");

    expect(told).toEqual({
      exitCode: 0,
      stdout: "6 rows sealed again with k2.\nEvery token is sealed with k2. See janus keys status.\n",
      stderr: "",
    });
    expect(again.exitCode).toBe(0);
    expect(JSON.parse(again.stdout)).toEqual({
      key: "k2",
      resealed: 0,
      left: 0,
      unreadable: 0,
      unreadable_rows: [],
    });
    expect((await trail()).slice(before)).toEqual([{ operator: "anna", detail: { key: "k2", rows: 6 } }]);
    expect(await openAll({ database }, [K2])).toMatchObject({ wrong: [] });
  });

  test("janus keys rotate asks on a terminal, and changes nothing after a no", async () => {
    await addSealedLinks({ database }, [K1], 1);
    const before = (await trail()).length;
    const answer = (keys: string) =>
      runOnTerminal(folder, ["keys", "rotate"], environment(), { shown: "[y/N]", keys });

    const refused = await answer("n\n");
    const none = await openAll({ database }, [K1]);
    const agreed = await answer("y\n");

    expect(refused.exitCode).toBe(1);
    expect(refused.stdout).toContain("2 rows are to be sealed again with k2");
    expect(refused.stdout).toContain("Nothing was changed.");
    expect([none.wrong, (await trail()).length - before]).toEqual([[], 1]);
    expect(agreed).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("2 rows sealed again with k2."),
    });
    expect(await openAll({ database }, [K2])).toMatchObject({ wrong: [] });
  });

  test("janus keys rotate lists rows that no key opens, and exits with 1", async () => {
    const [id = ""] = await addSealedLinks({ database }, [K1], 1);
    const lost = sealerOf([makeRingKey("k0")]).seal("lost", `discord_token.access_token:${id}`);
    await database.rows(`update discord_token set access_token_sealed = '${lost}'`);

    const [told, json] = [await keys("rotate", "--yes"), await keys("rotate", "--yes", "--json")];

    expect(told.exitCode).toBe(1);
    expect(told.stdout).toContain(
      "1 row has a token that no key of TOKEN_KEYS opens, and that stays as it is.",
    );
    expect(told.stdout).toContain(`\n  discord_token ${id}\n`);
    expect(told.stdout).not.toContain(lost);
    expect([json.exitCode, JSON.parse(json.stdout)]).toEqual([
      1,
      { key: "k2", resealed: 0, left: 0, unreadable: 1, unreadable_rows: [`discord_token ${id}`] },
    ]);
  });

  test("janus keys rotate claims nothing for a first key that has the id of another", async () => {
    await addSealedLinks({ database }, [K1], 1);

    const { exitCode, stdout } = await run(
      folder,
      "index.ts",
      ["keys", "rotate", "--yes"],
      environment([makeRingKey("k1")]),
    );

    expect([exitCode, stdout]).toEqual([
      1,
      "0 rows sealed again with k1.\nSome tokens name k1, and k1 of TOKEN_KEYS does not open them. See janus keys status.\n",
    ]);
  });

  test("janus keys status shows each key, and exits with 1 where one is missing", async () => {
    await addSealedLinks({ database }, [K1], 2);

    const [told, json] = [await keys("status"), await keys("status", "--json")];
    const missing = await host.run("index.ts", ["keys", "status"], environment([K2]));

    const lines = told.stdout.split("\n").map((line) => line.split(/ {2,}/));
    expect([told.exitCode, told.stderr]).toEqual([0, ""]);
    expect(lines.slice(0, 3)).toEqual([
      ["key", "discord_token", "organisation_token", "stray_token"],
      ["k2", "0", "0", "0", "seals what is stored from now on"],
      ["k1", "2", "2", "0", "needed: see janus keys rotate"],
    ]);
    expect(JSON.parse(json.stdout).keys[1]).toEqual({
      key: "k1",
      state: "opens",
      rows: 4,
      discord_token: 2,
      organisation_token: 2,
      stray_token: 0,
    });
    expect(missing).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("missing in TOKEN_KEYS") });
  });

  test("janus keys rotate ends after the page under way on Ctrl+C", async () => {
    await addSealedLinks({ database }, [K1], 10_000);
    const started = Promise.withResolvers<number>();
    const ending = run(
      folder,
      "index.ts",
      ["keys", "rotate", "--yes", "--json"],
      environment(),
      undefined,
      started.resolve,
    );
    const pid = await started.promise;
    const resealed = () =>
      database.rows("select 1 as one from discord_token where access_token_sealed like 'k2.%' limit 1");
    while ((await resealed()).length === 0) await Bun.sleep(5);
    process.kill(pid, "SIGINT");

    const ended = await ending;

    const { byKey, wrong } = await openAll({ database }, [K2, K1]);
    expect([ended.exitCode, wrong]).toEqual([130, []]);
    expect(JSON.parse(ended.stdout).left).toBe(0);
    expect([byKey.k1 ?? 0, byKey.k2 ?? 0].every((count) => count > 0)).toBe(true);
  });
});
