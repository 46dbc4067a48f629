/** `janus audit-log` and `janus stats` as commands: words, JSON, exit codes, and mistakes. */
import { describe, expect, test } from "bun:test";
import { onPostgres } from "../harness/database.ts";
import { useCommandHost, useDatabase, useFolder } from "../harness/hooks.ts";

const folder = useFolder("audit_log");
const host = useCommandHost(folder);

test.each([
  [
    ["audit-log", "--action", "nonsense"],
    "The trail has no action nonsense.\nIt has these: discord_authorized,",
  ],
  [
    ["audit-log", "--since", "yesterday"],
    "Not a time: yesterday.\nWrite it as 2026-01-31, 2026-01-31T12:00:00Z, or 7d",
  ],
  [["audit-log", "--since", "1d", "--until", "2d"], "--since must be before --until."],
  [["audit-log", "--before", "anna"], "Not the id of an event: anna."],
  [["stats", "--weeks", "0"], "Not a number of weeks: 0."],
  [["stats", "--weeks", "105"], "It is a number from 1 to 104."],
])("janus %j is wrong usage", async (args, reason) => {
  const ended = await host.run("index.ts", args, {});

  expect(ended).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining(reason) });
});

// A command needs the database beside this test, which the embedded one does not allow.
describe.if(onPostgres)("on PostgreSQL", () => {
  const database = useDatabase();
  const environment = (): Record<string, string> => ({ DATABASE_URL: database.config.url ?? "" });
  const janus = (...args: readonly string[]) => host.run("index.ts", args, environment());
  const ID = "80351110224678912";

  test("janus audit-log shows the newest event first, with the operator, and goes on", async () => {
    await database.rows(`insert into audit_event (occurred_at, action, discord_user_id, operator, detail) values
      ('2026-01-01Z', 'linked', '${ID}', null, null),
      ('2026-01-02Z', 'unlinked', '${ID}', E'an\u001bna', '{"reason": "has left"}')`);

    const told = await janus("audit-log", "--member", ID);
    const first = JSON.parse((await janus("audit-log", "--limit", "1", "--json")).stdout);
    const rest = JSON.parse((await janus("audit-log", "--before", first.next, "--json")).stdout);
    const [none, unknown] = [
      await janus("audit-log", "--until", "2025-01-01"),
      await janus("audit-log", "--member", "nobody"),
    ];

    const lines = told.stdout.split("\n").map((line) => line.split(/ {2,}/));
    expect([told.exitCode, told.stderr]).toEqual([0, ""]);
    expect(lines[1]).toEqual(["2026-01-02 00:00:00", "unlinked", ID, "an\\u{1b}na", '{"reason":"has left"}']);
    expect(lines[2]?.slice(0, 4)).toEqual(["2026-01-01 00:00:00", "linked", ID, "-"]);
    expect(first.events).toMatchObject([{ action: "unlinked", discord_user_id: ID }]);
    expect(rest).toMatchObject({ events: [{ action: "linked", operator: null }], next: null });
    expect(none).toEqual({ exitCode: 0, stdout: "No events found.\n", stderr: "" });
    expect([unknown.exitCode, unknown.stderr]).toEqual([2, expect.stringContaining("No linked member has")]);
    expect(unknown.stderr).toContain("Somebody without a link is found by the Discord user id alone.");
  });

  test("janus stats prints figures as words and as JSON, and names nobody", async () => {
    await database.rows("insert into discord_account values ('7', 'canary', null, now(), now())");
    await database.rows(`insert into session (session_id_hash, session_handle, discord_user_id, access_token_sealed,
        token_expires_at, user_agent, created_at, last_used_at, expires_at)
      values (repeat('7', 64), 'canary', '7', 'canary', now(), 'Firefox on Linux', now(), now(), now() + interval '1 day')`);

    const [told, json] = [await janus("stats"), await janus("stats", "--weeks", "2", "--json")];

    expect([told.exitCode, told.stderr, json.exitCode]).toEqual([0, "", 0]);
    expect(told.stdout).toMatch(/^ {2}1 {2}Firefox on Linux$/m);
    expect(told.stdout).toMatch(/^ {2}week +begun +finished +not admitted/m);
    expect(JSON.parse(json.stdout)).toMatchObject({
      links: { all: 0 },
      weeks: [{ not_admitted: 0 }, { begun: 0 }],
      browsers: [{ user_agent: "Firefox on Linux", sessions: 1 }],
      events: { days: 7 },
    });
    expect(told.stdout + json.stdout).not.toContain("canary");
  });
});
