/** `janus links list` and `show`, and `janus members find`, as commands: words, JSON, exit codes, and mistakes. */
import { describe, expect, test } from "bun:test";
import { runInShell, runOnTerminal } from "../fixtures/command.ts";
import { addLinkOf } from "../fixtures/stored_link.ts";
import { onPostgres } from "../harness/database.ts";
import { useCommandHost, useDatabase, useFolder } from "../harness/hooks.ts";

const folder = useFolder("links");
const host = useCommandHost(folder);

describe("wrong usage", () => {
  test.each([
    [["links"], "links needs a command: list, show, sync, unlink, export"],
    [["links", "list", "--state", "gone"], "told, waiting, losing, disconnected, cleared"],
    [["links", "list", "--record", "=1"], "Not a name: =1."],
    [["links", "list", "--older-than", "yesterday"], "Not an age: yesterday."],
    [["links", "list", "--error", "nonsense"], "No error has the code nonsense."],
    [["links", "list", "--limit", "0"], "Not a limit: 0."],
    [["links", "list", "--limit", "10001"], "Not a limit: 10001."],
    [["links", "list", "--after", "anna"], "Not a Discord user id: anna."],
    [["links", "show"], "missing required argument 'member'"],
    [["members", "find", " "], "Give a text of 1 to 200 characters"],
  ])("of %j is told with exit code 2", async (args, reason) => {
    const ended = await host.run("index.ts", args, {});

    expect(ended).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining(reason) });
  });
});

test.each([[["links", "list"]], [["links", "show", "anna"]], [["members", "find", "anna"]]])(
  "janus %j says so where there is no database, and makes none",
  async (args) => {
    const ended = await host.run("index.ts", args, {});

    expect(ended).toMatchObject({
      exitCode: 1,
      stdout: "",
      stderr: expect.stringContaining("there is no database in ./data yet"),
    });
  },
);

test.each(["list", "show", "sync", "unlink", "export"])(
  "janus links %s --help has an example",
  async (name) => {
    const { exitCode, stdout } = await host.run("index.ts", ["links", name, "--help"], {});

    expect([exitCode, stdout]).toEqual([0, expect.stringContaining(`Examples:\n  janus links ${name}`)]);
  },
);

// A command needs the database beside this test, which the embedded one does not allow.
describe.if(onPostgres)("on PostgreSQL", () => {
  const database = useDatabase();
  const environment = (): Record<string, string> => ({ DATABASE_URL: database.config.url ?? "" });
  const janus = (...args: readonly string[]) => host.run("index.ts", args, environment());

  const addTwo = async () => {
    await addLinkOf(database, {
      discordUserId: "11",
      username: "anna",
      claims: { preferred_username: "anna.a" },
      pushed: { member: "1" },
    });
    await addLinkOf(database, { discordUserId: "12", username: "ev\u001b[31mil", subject: "anna" });
  };

  test("janus links list shows links as a table and as JSON, without what acts on a terminal", async () => {
    await addTwo();

    const [told, json] = [
      await janus("links", "list"),
      await janus("links", "list", "--limit", "1", "--json"),
    ];

    expect([told.exitCode, told.stderr, json.exitCode]).toEqual([0, "", 0]);
    const lines = told.stdout.split("\n").map((line) => line.split(/ {2,}/));
    expect(lines[1]?.slice(0, 5)).toEqual(["11", "@anna", "anna.a", "told", "member=1"]);
    expect(told.stdout).not.toContain("\u001b");
    expect(told.stdout).toEndWith("2 links.\n");
    expect(JSON.parse(json.stdout)).toMatchObject({
      links: [{ discord_user_id: "11", records: { member: "1" }, organisation_name: "anna.a" }],
      next: "11",
    });
  });

  test("janus links list goes on after a list, and says so where no link fits", async () => {
    await addTwo();

    const [more, rest, none] = await Promise.all([
      janus("links", "list", "--limit", "1"),
      janus("links", "list", "--after", "11", "--json"),
      janus("links", "list", "--record", "nonsense"),
    ]);

    expect(more.stdout).toEndWith(
      "1 link, and there are more. Go on with: the same command, and --after 11\n",
    );
    expect(JSON.parse(rest.stdout)).toMatchObject({ links: [{ discord_user_id: "12" }], next: null });
    expect(none).toEqual({ exitCode: 0, stdout: "No links found.\n", stderr: "" });
  });

  test("janus links show shows one member, and lists those who may be meant", async () => {
    await addTwo();
    await addLinkOf(database, { discordUserId: "13", username: "bo" });
    await addLinkOf(database, { discordUserId: "14", username: "bo" });

    const [shown, json, several, nobody] = await Promise.all([
      janus("links", "show", "11"),
      janus("links", "show", "anna", "--json"),
      janus("links", "show", "bo"),
      janus("links", "show", "cecilia", "--json"),
    ]);

    expect([shown.exitCode, shown.stderr]).toEqual([0, ""]);
    expect(shown.stdout).toMatch(/^discord +11 {2}@anna$/m);
    expect(shown.stdout).toMatch(/^tokens +discord: obtained .*, with a refresh token$/m);
    // A subject wins over a username.
    expect(JSON.parse(json.stdout)).toMatchObject({ discord_user_id: "12", tokens: { provider: null } });
    expect(several).toMatchObject({ exitCode: 2, stdout: "" });
    expect(several.stderr).toContain("bo may be any of these. Name one by the Discord user id:");
    expect([nobody.exitCode, JSON.parse(nobody.stderr).error.code]).toEqual([2, "usage"]);
  });

  test("janus links show says nothing of a refresh token that has ended, and counts one as one", async () => {
    await addTwo();
    await database.rows(
      "update discord_token set ended_at = now(), end_cause = 'unanswered' where discord_user_id = '11'",
    );
    await database.rows(
      "update link set check_failures = 1, check_failed_code = 'provider_unavailable' where discord_user_id = '11'",
    );

    const { stdout } = await janus("links", "show", "11");

    expect(stdout).toMatch(/^tokens +discord: obtained [^,]*, expires [^,]*, ended [^,]* \(unanswered\)$/m);
    expect(stdout).toMatch(/failed 1 time, with provider_unavailable$/m);
  });

  test("janus members find finds by a part of a name, and exits with 1 for nobody", async () => {
    await addTwo();

    const [found, more, nobody] = await Promise.all([
      janus("members", "find", "ANNA", "--json"),
      janus("members", "find", "anna", "--limit", "1"),
      janus("members", "find", "%"),
    ]);

    expect(JSON.parse(found.stdout).links).toHaveLength(2);
    expect(more.stdout).toContain("there are more");
    expect(nobody).toEqual({ exitCode: 1, stdout: "No links found.\n", stderr: "" });
  });

  test("a list whose reader goes away is no failure", async () => {
    await database.rows(
      "insert into discord_account select n::text, 'name', null, now(), now() from generate_series(1, 5000) as n",
    );
    await database.rows(`insert into discord_token (discord_user_id, access_token_sealed, refresh_token_sealed, scope, expires_at,
      obtained_at) select n::text, 'a', 'r', 'identify', now(), now() from generate_series(1, 5000) as n`);
    await database.rows(
      "insert into organisation_account select 'https://id.example', 's' || n, '{}', now(), now() from generate_series(1, 5000) as n",
    );
    await database.rows(
      "insert into link (discord_user_id, issuer, subject, linked_at) select n::text, 'https://id.example', 's' || n, now() from generate_series(1, 5000) as n",
    );

    const lines = [
      "links list --limit 5000",
      "links list --limit 5000 --json",
      "links export",
      "links export --format json",
    ];
    for (const line of lines) {
      const ended = await runInShell(folder, `janus ${line} | head -c 10 > /dev/null`, environment());

      expect({ line, ...ended }).toEqual({ line, exitCode: 0, stdout: "", stderr: "" });
    }
  });

  test("shows the same on a terminal", async () => {
    await addTwo();
    const typed = { shown: "never shown", keys: "" };

    const { exitCode, stdout } = await runOnTerminal(folder, ["links", "list"], environment(), typed);

    expect([exitCode, stdout]).toEqual([0, expect.stringContaining("2 links.")]);
  });
});
