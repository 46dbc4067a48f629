/** `janus register` and `janus metadata show` before a Discord that has records already: what is shown, asked and kept. */
import { beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { formatChanges, formatRecords } from "../../lib/cli/record_table.ts";
import { compareRecords } from "../../lib/operator/record_difference.ts";
import type { Environment } from "../fixtures/command.ts";
import { runOnTerminal } from "../fixtures/command.ts";
import { DEFAULT_RECORDS } from "../fixtures/default_records.ts";
import { recordOf } from "../fixtures/rules.ts";
import { useCommandHost, useFolder, useForEach } from "../harness/hooks.ts";
import { CANARY, DISCORD_CLIENT_ID } from "../harness/janus.ts";
import type { MetadataRecord } from "../standins/discord.ts";
import { startDiscord } from "../standins/discord.ts";

const folder = useFolder("register");
/** `processes.test.ts` registers in processes of their own, which take half a second each. */
const host = useCommandHost(folder);
const discord = useForEach(
  async () =>
    startDiscord({
      clientId: DISCORD_CLIENT_ID,
      clientSecret: "unused",
      botToken: CANARY.botToken,
      redirectUris: [],
      users: [],
    }),
  async (standin) => {
    await standin.stop();
    expect(standin.unexpected).toEqual([]);
  },
);
let environment: Environment = {};
beforeEach(() => {
  environment = {
    DISCORD_CLIENT_ID,
    DISCORD_API_URL: discord.apiUrl,
    DISCORD_BOT_TOKEN: CANARY.botToken,
  };
});

const [MEMBER] = DEFAULT_RECORDS;
if (MEMBER === undefined) throw new Error("Janus has no record.");
const OLD = { key: "old", type: 3, name: "Old \u202e", description: "Goes" };
/** As a janus register of another file has left it. */
const RETYPED = { ...MEMBER, type: 8, name: "Was" };

const has = async (records: readonly object[]): Promise<void> => {
  await fetch(`${discord.apiUrl}/applications/${DISCORD_CLIENT_ID}/role-connections/metadata`, {
    method: "PUT",
    headers: {
      authorization: `Bot ${CANARY.botToken}`,
      "user-agent": "DiscordBot (https://example.org, 1)",
      "content-type": "application/json",
    },
    body: JSON.stringify(records),
  });
  discord.calls.length = 0;
};
const register = (...options: readonly string[]) =>
  host.run("index.ts", ["register", ...options], environment);
const operations = (): readonly string[] => discord.calls.map(({ operation }) => operation);
const keysOf = (records: readonly MetadataRecord[]): readonly string[] => records.map(({ key }) => key);

test("formatRecords() and formatChanges() let nothing of Discord act on the terminal", () => {
  const hostile = { key: "k\u001b[2J", type: 3, name: "n\u202e", description: "d\n" };

  const shown = [formatRecords([hostile]), formatChanges(compareRecords([hostile], []))];

  for (const text of shown) {
    expect(text).toContain("k\\u{1b}[2J");
    for (const char of ["\u001b", "\u202e", "\n"]) expect(text).not.toContain(char);
  }
});

describe("janus register", () => {
  test("shows each change, warns of losses, and without a terminal applies nothing", async () => {
    await has([RETYPED, OLD]);

    const told = await register();

    expect(told.exitCode).toBe(1);
    expect(told.stdout).toContain(
      "What would change at Discord:\n!  retyped  dsek_member  boolean_not_equal -> boolean_equal",
    );
    expect(told.stdout).toContain('name: "Was" -> "Member"');
    expect(told.stdout).toContain("-  removed  old          integer_equal");
    expect(told.stdout).toContain('"Old \\u{202e}"');
    expect(told.stdout).toEndWith("Nothing was changed.\n");
    expect(told.stderr.match(/warning: the record (dsek_member|old) .*members lose the roles/g)).toHaveLength(
      2,
    );
    expect(told.stderr).toContain("janus register --yes");
    expect(operations()).toEqual(["get_metadata"]);
  });

  test("has the same as JSON, with what Discord has now and an error", async () => {
    await has([OLD]);

    const told = await register("--json");

    const lines = told.stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(told.exitCode).toBe(1);
    expect(JSON.parse(told.stdout)).toMatchObject({
      registered: ["old"],
      applied: false,
      changes: [
        { key: "dsek_member", change: "added", before: null, after: { type: "boolean_equal" }, parts: [] },
        { key: "old", change: "removed", before: { type: "integer_equal", name: OLD.name }, after: null },
      ],
    });
    expect(lines).toMatchObject([
      { warning: expect.any(String) },
      { error: { code: "registration_unconfirmed" } },
    ]);
  });

  test("changes nothing with --dry-run, and has nothing to do once the records are there", async () => {
    const dry = await register("--dry-run");
    const both = await register("--dry-run", "--yes");
    await has(DEFAULT_RECORDS);
    const again = await register();

    expect([dry.exitCode, both.exitCode, again.exitCode]).toEqual([0, 2, 0]);
    expect(dry.stdout).toMatch(/^\+ {2}added {2}dsek_member[\s\S]*dry run\.\n/m);
    expect(again.stdout).toContain("Discord has the records already:");
    expect(again.stdout).toContain("Nothing to change.");
    expect(operations()).toEqual(["get_metadata"]);
  });

  test("registers the records of RULES_FILE, and nothing if the file has a fault", async () => {
    const records = recordOf("true", "boolean_equal", "one") + recordOf("1", "integer_equal", "two");
    await Bun.write(join(folder, "rules.toml"), records);
    await Bun.write(join(folder, "bad.toml"), records.replace("integer_equal", "integer"));
    const token = environment;

    environment = { ...token, RULES_FILE: "rules.toml" };
    const good = await register("--yes", "--json");
    environment = { ...token, RULES_FILE: "bad.toml" };
    const bad = await register("--yes");

    expect([good.exitCode, bad.exitCode, bad.stdout]).toEqual([0, 2, ""]);
    expect(JSON.parse(good.stdout)).toMatchObject({ registered: ["one", "two"], applied: true });
    expect(discord.records().map(({ key, type }) => [key, type])).toEqual([
      ["one", 7],
      ["two", 3],
    ]);
    expect(bad.stderr).toContain("bad.toml:");
    expect(operations()).toHaveLength(3);
  });

  test.each([
    ["y\n", 0, ["dsek_member"]],
    ["n\n", 1, ["old"]],
    ["yesterday\n", 1, ["old"]],
    ["", 1, ["old"]],
    ["\u0003", 130, ["old"]],
  ] as const)("asks on a terminal, and does what is answered: %j", async (keys, exitCode, kept) => {
    await has([OLD]);

    const ended = await runOnTerminal(folder, ["register"], environment, { shown: "[y/N]", keys });

    expect(ended.stdout).toContain("Apply? [y/N]");
    expect(ended.exitCode).toBe(exitCode);
    expect(keysOf(discord.records())).toEqual([...kept]);
  });

  test("asks nobody with --json, also on a terminal", async () => {
    const ended = await runOnTerminal(folder, ["register", "--json"], environment, {
      shown: "[y/N]",
      keys: "y\n",
    });

    expect(ended.exitCode).toBe(1);
    expect(ended.stdout).not.toContain("Apply?");
    expect(operations()).toEqual(["get_metadata"]);
  });

  const withName = (name: string) => ({ status: 200, body: [{ ...MEMBER, name }] });
  test.each([
    ["writes a name in another way", withName("member"), 0, /warning: .*kept other records.*dsek_member/],
    [
      "has not kept a record",
      { status: 200, body: null },
      1,
      /kept other records than were put \(dsek_member\)/,
    ],
    ["has kept another type", { status: 200, body: [RETYPED] }, 1, /kept other records than were put/],
    [
      "does not show what it kept",
      { status: 401, body: { message: "401: Unauthorized", code: 0 } },
      0,
      /did not show/,
    ],
  ])("looks at what Discord kept, and says if it %s", async (_, answer, exitCode, why) => {
    discord.failNext("get_metadata", {});
    discord.failNext("get_metadata", answer);

    const ended = await register("--yes");

    expect([ended.exitCode, operations()]).toEqual([
      exitCode,
      ["get_metadata", "put_metadata", "get_metadata"],
    ]);
    expect(ended.stderr).toMatch(why);
    expect(ended.stdout + ended.stderr).not.toContain("canary");
  });
});

describe("janus metadata show", () => {
  const show = (...options: readonly string[]) =>
    host.run("index.ts", ["metadata", "show", ...options], environment);

  test("prints what Discord has, for people and for programs", async () => {
    const none = await show();
    await has([MEMBER, OLD]);
    const table = await show();
    const json = await show("--json");

    expect(none).toMatchObject({
      exitCode: 0,
      stdout: "Discord has no metadata records: run janus register.\n",
    });
    expect(table.stdout).toMatch(/^dsek_member {2}boolean_equal {2}"Member" .*\nold .*"Old \\u\{202e\}"/);
    expect(JSON.parse(json.stdout)).toEqual({
      records: [
        { ...MEMBER, type: "boolean_equal" },
        { ...OLD, type: "integer_equal", name_localizations: null, description_localizations: null },
      ],
    });
    expect([table.exitCode, table.stderr, json.stderr]).toEqual([0, "", ""]);
    expect(operations()).toEqual(["get_metadata", "get_metadata"]);
  });

  test("shows a type that it does not know, and says why Discord shows nothing", async () => {
    discord.failNext("get_metadata", { status: 200, body: [{ ...OLD, type: 9 }] });
    const newer = await show();
    environment = { ...environment, DISCORD_BOT_TOKEN: "canary-wrong" };
    const refused = await show("--json");
    const { DISCORD_BOT_TOKEN: _token, ...incomplete } = environment;
    environment = incomplete;
    const unset = await show();

    expect(newer.stdout).toMatch(/^old {2}type 9 /);
    expect([refused.exitCode, refused.stdout]).toEqual([1, ""]);
    expect(JSON.parse(refused.stderr).error.message).toContain("check DISCORD_BOT_TOKEN");
    expect(refused.stderr).not.toContain("canary");
    expect([unset.exitCode, unset.stderr]).toEqual([
      2,
      expect.stringContaining("DISCORD_BOT_TOKEN is missing"),
    ]);
  });
});
