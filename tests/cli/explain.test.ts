/** `janus explain`: of a set of claims without any database, of one member, and of all links. */
import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { runProgram } from "../../lib/cli/program.ts";
import { describeProgress } from "../../lib/cli/progress.ts";
import { listCommands } from "../../lib/cli/run.ts";
import { JanusError } from "../../lib/errors.ts";
import { run, runInShell, runOnTerminal } from "../fixtures/command.ts";
import { recordOf } from "../fixtures/rules.ts";
import { addLinkOf, ISSUER } from "../fixtures/stored_link.ts";
import { onPostgres } from "../harness/database.ts";
import { useCommandHost, useDatabase, useFolder } from "../harness/hooks.ts";

const folder = useFolder("explain");
/** For all but one command of a kind: a process of its own takes half a second. */
const host = useCommandHost(folder);
const pathOf = (name: string): string => join(folder, name);
const environment = { RULES_FILE: "rules.toml", PLATFORM_NAME: "Guild" };

const RULES = `platform_username = "claims.preferred_username"
[admit]
when = '!has(claims.banned) || !claims.banned'
message.en = "No."
[admin]
when = '"board" in claims.groups'
${recordOf('"m" in claims.groups', "boolean_equal", "member")}
${recordOf("claims.points", "integer_equal", "points")}
${recordOf('discord.username.startsWith("a") && issuer != ""', "boolean_equal", "account")}`;
const ANNA = { iss: ISSUER, sub: "anna", preferred_username: "anna", groups: ["m", "\u202e\n"], unread: 1 };

beforeAll(async () => {
  await Bun.write(pathOf("rules.toml"), RULES);
  await Bun.write(pathOf("anna.json"), JSON.stringify(ANNA));
});

const explain = (...options: readonly string[]) => host.run("index.ts", ["explain", ...options], environment);

describe("janus explain --claims", () => {
  test("prints what would be pushed and why as JSON, with no other configuration", async () => {
    const told = await explain("--claims", "anna.json", "--json");

    expect([told.exitCode, told.stderr]).toEqual([0, ""]);
    expect(JSON.parse(told.stdout)).toEqual({
      admitted: true,
      administers: false,
      platform_username: "anna",
      metadata: { member: "1" },
      records: [
        { key: "member", outcome: "value", value: "1", claims_read: ["groups"], reason: null },
        {
          key: "points",
          outcome: "unknown",
          value: null,
          claims_read: ["points"],
          reason: "claims.points is not known",
        },
        {
          key: "account",
          outcome: "unknown",
          value: null,
          claims_read: [],
          reason: expect.stringContaining("discord"),
        },
      ],
    });
  });

  test("shows each rule with the claims that it read, made harmless, and the body", async () => {
    const { exitCode, stdout } = await explain("--claims", "anna.json");

    expect(exitCode).toBe(0);
    expect(stdout).toContain(
      'record member\n  rule   "m" in claims.groups\n  reads  claims.groups = ["m","\\u202e\\n"]\n  value  "1"\n',
    );
    expect(stdout).toMatch(
      /record points\n {2}rule +claims\.points\n {2}reads +claims\.points is absent\n {2}unknown {2}claims\.points/,
    );
    expect(stdout).toContain("admit\n");
    expect(stdout).toMatch(/admin\n {2}rule +"board" in claims\.groups\n[\s\S]*? {2}value +false/);
    expect(stdout).toContain(
      'A push tells Discord:\n{\n  "platform_name": "Guild",\n  "platform_username": "anna"',
    );
    expect(stdout).not.toContain("unread");
  });

  test("reads standard input, and exits with 1 if a rule is in error", async () => {
    const line = `echo '{"groups": 7, "points": 3}' | janus explain --claims - --json --issuer ${ISSUER} --discord-id 1 --discord-username anna`;

    const { exitCode, stdout } = await runInShell(folder, line, environment);

    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      admitted: true,
      platform_username: null,
      metadata: { points: "3", account: "1" },
      records: [
        { key: "member", outcome: "error", value: null, reason: expect.stringContaining("claims.groups is") },
        { key: "points", outcome: "value", value: "3" },
        { key: "account", outcome: "value", value: "1" },
      ],
    });
  });

  test("says that nothing is pushed if the member is not admitted", async () => {
    await Bun.write(pathOf("banned.json"), JSON.stringify({ ...ANNA, banned: true }));

    const told = await explain("--claims", "banned.json");
    const json = await explain("--claims", "banned.json", "--json");

    expect(told.stdout).toEndWith("Nothing is linked or pushed: the member is not admitted.\n");
    expect(JSON.parse(json.stdout)).toMatchObject({ admitted: false, platform_username: null, metadata: {} });
    expect([told.exitCode, json.exitCode]).toEqual([0, 0]);
  });

  test("exits with 2 for rules that have faults, and explains nothing", async () => {
    await Bun.write(pathOf("bad.toml"), recordOf("claims.x", "boolean", "member"));

    const ended = await run(folder, "index.ts", ["explain", "--claims", "anna.json"], {
      RULES_FILE: "bad.toml",
    });

    expect([ended.exitCode, ended.stdout]).toEqual([2, ""]);
    expect(ended.stderr).toContain("bad.toml:3:8");
  });
});

describe("janus explain", () => {
  const COMMANDS = listCommands(() => {
    throw new Error("No test here starts a server.");
  });
  const refusalOf = async (args: readonly string[]): Promise<JanusError | undefined> => {
    try {
      await runProgram(["explain", ...args], COMMANDS);
    } catch (error) {
      if (error instanceof JanusError) return error;
      throw error;
    }
    return undefined;
  };
  beforeAll(async () => {
    const files = {
      "cut.json": '{\n  "groups": ["m"\n}\n',
      "list.json": "[]",
      "null.json": "null",
      "empty.json": "",
      "deep.json": `{"a": ${"[".repeat(100_000)}`,
      "long.json": `{"a": "${"a".repeat(256 * 1024)}"}`,
    };
    for (const [name, text] of Object.entries(files)) await Bun.write(pathOf(name), text);
    await Bun.write(pathOf("latin1.json"), new Uint8Array([0x7b, 0xe5, 0x7d]));
  });

  test.each([
    [[], "Name one of --claims <file>, --member <member> and --all."],
    [["--all", "--member", "a"], "Name one of"],
    [["--claims", "a", "--all"], "Name one of"],
    [["--all", "--sources", "a"], "--sources is only for --claims."],
    [["--member", "a", "--subject", "b"], "--subject is only for --claims."],
    [["--claims", "-", "--sources", "-"], "Standard input can be"],
    [["--claims", "a", "--discord-id", "anna"], "Not a Discord user id: anna."],
    [["--claims", "a", "--linked-at", "yesterday"], "Not a time: yesterday."],
    [["--claims", "a", "--linked-at", "2026-13-01"], "Not a time"],
    [["--claims", "a", "--linked-at", "2026-02-30"], "Not a time"],
    [["--claims", "a", "--linked-at", "2026-02-30T12:00:00+02:00"], "Not a time"],
    [["--claims", pathOf("cut.json")], "cut.json:3:1: not JSON: "],
    [["--claims", pathOf("list.json")], "list.json must be a JSON object"],
    [["--claims", pathOf("null.json")], "null.json must be a JSON object"],
    [["--claims", pathOf("empty.json")], "empty.json:1:1: not JSON: the text ends"],
    [["--claims", pathOf("deep.json")], "deep.json:1:100007: not JSON"],
    [["--claims", pathOf("long.json")], "long.json is over 256 KB."],
    [["--claims", pathOf("latin1.json")], "latin1.json is not text in UTF-8."],
    [["--claims", pathOf("nowhere.json")], "nowhere.json: is its name right?"],
    [["--claims", folder], "is a folder: name a file in it."],
    [["--claims", pathOf("anna.json"), "--sources", pathOf("cut.json")], "cut.json:3:1: not JSON"],
  ] as const)("refuses %j", async (args, why) => {
    const refused = await refusalOf(args);

    expect(refused?.message).toContain(why);
    expect([refused?.code, refused?.exitStatus]).toEqual(["usage", 2]);
  });
});

test.each([[["--all"]], [["--member", "anna"]]])("janus explain %j makes no database", async (options) => {
  await Bun.write(join(folder, "empty", "rules.toml"), RULES);

  const told = await run(join(folder, "empty"), "index.ts", ["explain", ...options], environment);

  expect([told.exitCode, told.stdout]).toEqual([1, ""]);
  expect(told.stderr).toContain("there is no database in ./data yet");
  expect(existsSync(join(folder, "empty", "data"))).toBe(false);
});

test.each([
  [0, 0, "[##############################] 100 %  0 of 0 links"],
  [0, 9, "[..............................] 0 %  0 of 9 links"],
  [5, 9, "[################..............] 55 %  5 of 9 links"],
  [10, 9, "[##############################] 100 %  10 of 10 links"],
])("describeProgress() shows %d of %d", (done, total, line) => {
  expect(describeProgress(done, total, "links")).toBe(line);
});

describe.skipIf(!onPostgres)("janus explain with a database", () => {
  const database = useDatabase();
  const stored = (...options: readonly string[]) =>
    host.run("index.ts", ["explain", ...options], {
      ...environment,
      DATABASE_URL: database.config.url ?? "",
    });
  const addAll = async (): Promise<void> => {
    const pushed = { member: "0", points: "3", old: "1" };
    await addLinkOf(database, {
      discordUserId: "1",
      username: "anna",
      claims: { banned: null, ...ANNA },
      pushed,
    });
    await addLinkOf(database, {
      discordUserId: "2",
      username: "b\u202e",
      claims: { banned: null, preferred_username: "anna2" },
    });
    await addLinkOf(database, {
      discordUserId: "3",
      username: "anna2",
      claims: { banned: true },
      isCleared: true,
    });
  };

  test("explains a linked member, and keeps what was pushed where a rule is unknown", async () => {
    await addAll();
    const before = await database.dump();

    const told = await stored("--member", "anna");
    const json = await stored("--member", "1", "--json");

    expect(told.stdout).toStartWith(`1  @anna  sub-1 at ${ISSUER}\n\nadmit\n`);
    expect(JSON.parse(json.stdout)).toMatchObject({
      admitted: true,
      metadata: { member: "1", points: "3", account: "1" },
      records: [
        { outcome: "value" },
        { key: "points", outcome: "unknown", value: null },
        { outcome: "value" },
      ],
    });
    expect([told.exitCode, told.stderr, json.exitCode, json.stderr]).toEqual([0, "", 0, ""]);
    expect(await database.dump()).toBe(before);
  });

  test("lists the members whom a username may mean, and exits with 2", async () => {
    await addAll();

    const several = await stored("--member", "anna2");
    const none = await stored("--member", "nobody\u202e", "--json");

    expect([several.exitCode, several.stdout, none.exitCode, none.stdout]).toEqual([2, "", 2, ""]);
    expect(several.stderr).toContain(
      `  2  @b\\u{202e}  sub-2 at ${ISSUER}\n  3  @anna2  sub-3 at ${ISSUER}\n`,
    );
    expect(JSON.parse(none.stderr).error.message).toContain("nobody\\u{202e}");
  });

  test("counts who gains and loses what, warns of keys that go, and changes nothing", async () => {
    await addAll();
    const before = await database.dump();

    const json = await stored("--all", "--json");
    const told = await stored("--all");

    const none = { gain: 0, lose: 0, change: 0, stay: 0, unknown: 0, error: 0 };
    expect([json.exitCode, told.exitCode]).toEqual([0, 0]);
    expect(JSON.parse(json.stdout)).toEqual({
      links: 3,
      admitted: { gain: 0, lose: 0, stay: 3, unknown: 0 },
      records: {
        member: { ...none, gain: 1, stay: 1, unknown: 1 },
        points: { ...none, stay: 1, unknown: 2 },
        account: { ...none, gain: 1, stay: 2 },
      },
    });
    expect(JSON.parse(json.stderr).warning).toContain("Discord has a value of old for 1 link");
    expect(told.stdout).toMatch(
      /^3 links, .*\n\n +gain +lose +change +stay +unknown +error\nadmitted +0 +0 +3 +0\n/,
    );
    expect(await database.dump()).toBe(before);
  });

  test("shows how far it is on a terminal, and ends with 130 on Ctrl+C, also while it waits", async () => {
    await addAll();
    const { promise: isOver, resolve: end } = Promise.withResolvers<void>();
    const own = { ...environment, DATABASE_URL: database.config.url ?? "" };

    const whole = await runOnTerminal(folder, ["explain", "--all"], own, { shown: "never shown", keys: "" });
    const held = database.db.transaction(async (query) => {
      await query("lock table organisation_account in access exclusive mode");
      await isOver;
    });
    const stopped = await runOnTerminal(folder, ["explain", "--all"], own, { shown: "0 %", keys: "\u0003" });
    end();
    await held;

    expect(whole.stdout).toContain("[##############################] 100 %  3 of 3 links");
    expect(whole.exitCode).toBe(0);
    expect(stopped.exitCode).toBe(130);
    expect(stopped.stdout).toContain("janus: stopped before the last link: there is no result");
    expect(stopped.stdout).not.toContain("admitted");
  });
});
