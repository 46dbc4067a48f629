/** `janus sessions` as a command: it asks, ends what was named, and prints nothing that opens a session. */
import { describe, expect, test } from "bun:test";
import { runOnTerminal } from "../fixtures/command.ts";
import { onPostgres } from "../harness/database.ts";
import { useCommandHost, useDatabase, useFolder } from "../harness/hooks.ts";

const folder = useFolder("sessions");
const host = useCommandHost(folder);

test.each([
  [["purge"], "Name --member <member>, --all or --older-than <age>."],
  [["purge", "--all", "--member", "anna", "--yes"], "Name one of --member <member> and --all."],
  [
    ["purge", "--all"],
    "janus sessions purge asks before it changes anything. To agree beforehand, add --yes.",
  ],
  [["purge", "--all", "--json"], "To agree beforehand, add --yes."],
  [["purge", "--older-than", "3", "--yes"], "Not an age: 3."],
  [["list", "--limit", "many"], "Not a limit: many."],
  [["list", "--after", "the last one"], "Not a session: the last one."],
])("janus sessions %j is wrong usage", async (args, reason) => {
  const ended = await host.run("index.ts", ["sessions", ...args], {});

  expect(ended).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining(reason) });
});

// A command needs the database beside this test, which the embedded one does not allow.
describe.if(onPostgres)("janus sessions on PostgreSQL", () => {
  const database = useDatabase();
  const environment = (): Record<string, string> => ({
    DATABASE_URL: database.config.url ?? "",
    JANUS_OPERATOR: "anna",
  });
  const sessions = (...args: readonly string[]) => host.run("index.ts", ["sessions", ...args], environment());
  const ID = "80351110224678912";

  async function addSessions(): Promise<void> {
    await database.rows(
      `insert into discord_account values ('${ID}', 'anna', null, now(), now()), ('2', 'bo', null, now(), now())`,
    );
    await database.rows(`insert into session (session_id_hash, session_handle, discord_user_id, access_token_sealed,
        token_expires_at, created_at, last_used_at, expires_at)
      select repeat(n::text, 64), 'handle-' || n, case n when 3 then '2' else '${ID}' end, 'canary', now(), now(),
        now() - n * interval '1 day', now() + interval '10 days'
      from generate_series(1, 3) as n`);
  }
  const left = async () => (await database.rows("select from session")).length;

  test("list shows whose they are, as a table and as JSON, and no secret", async () => {
    await addSessions();

    const [told, json, own] = [
      await sessions("list"),
      await sessions("list", "--limit", "2", "--json"),
      await sessions("list", "--member", ID, "--json"),
    ];

    expect(told).toMatchObject({ exitCode: 0, stderr: "", stdout: expect.stringContaining("3 sessions.") });
    expect(JSON.parse(json.stdout)).toMatchObject({
      sessions: [{ discord_user_id: ID }, { discord_user_id: ID }],
      next: "handle-2",
    });
    expect(JSON.parse(own.stdout).sessions).toHaveLength(2);
    expect(told.stdout + json.stdout).not.toMatch(/canary|1{64}/);
  });

  test("purge ends a member's sessions, and those of all that were not used lately", async () => {
    await addSessions();

    const old = await sessions("purge", "--older-than", "60h", "--yes");
    const own = await sessions("purge", "--member", ID, "--yes", "--json");
    const none = await sessions("purge", "--all", "--yes");
    const [trail] = await database.rows(
      `select operator, detail from audit_event where action = 'sessions_purged' and discord_user_id = '${ID}'`,
    );

    expect(old).toEqual({ exitCode: 0, stdout: "1 session ended.\n", stderr: "" });
    expect([own.exitCode, JSON.parse(own.stdout)]).toEqual([0, { ended: 2 }]);
    expect(none).toMatchObject({ exitCode: 0, stdout: "0 sessions ended.\n" });
    expect(trail).toEqual({ operator: "anna", detail: { sessions: 2 } });
  });

  test("purge asks on a terminal, changes nothing after a no, and names mistakes", async () => {
    await addSessions();
    const answer = (keys: string) =>
      runOnTerminal(folder, ["sessions", "purge", "--all"], environment(), { shown: "[y/N]", keys });

    const refused = await answer("n\n");
    const unknown = await sessions("purge", "--member", "nobody", "--yes");
    const kept = await left();
    const agreed = await answer("y\n");

    expect([refused.exitCode, unknown.exitCode, kept]).toEqual([1, 2, 3]);
    expect(refused.stdout).toContain("3 sessions would end.");
    expect(unknown.stderr).toContain("No linked member has");
    expect([agreed.exitCode, await left()]).toEqual([0, 0]);
  });
});
