/** `janus links sync` and `janus links unlink` as commands: they ask, name mistakes, and keep who did it. */
import { describe, expect, test } from "bun:test";
import { runOnTerminal } from "../fixtures/command.ts";
import { environmentBeside } from "../fixtures/command_environment.ts";
import { emptyDatabase, onPostgres } from "../harness/database.ts";
import { useCommandHost, useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { linkNewMember } from "../harness/walk.ts";

const folder = useFolder("links_change");
const host = useCommandHost(folder);

test.each([
  [["anna"], "janus links unlink asks before it changes anything. To agree beforehand, add --yes."],
  [["anna", "--json"], "janus links unlink asks before it changes anything."],
  [["anna", "--yes", "--reason", " "], "A reason has 1 to 200 characters, on one line."],
  [["anna", "--yes", "--reason", "has\nleft"], "A reason has 1 to 200 characters, on one line."],
  [["anna", "--yes", "--reason", "x".repeat(201)], "A reason has 1 to 200 characters, on one line."],
  [["--yes"], "missing required argument 'member'"],
])("janus links unlink %j is wrong usage", async (options, reason) => {
  const ended = await host.run("index.ts", ["links", "unlink", ...options], {});

  expect(ended).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining(reason) });
});

// A command needs the database beside the server, which the embedded one does not allow.
describe.if(onPostgres)("on PostgreSQL", () => {
  const database = useDatabase();
  const janus = useJanus(() => startJanusWithForger({ database }));
  const environment = () => environmentBeside(janus, database, "anna");
  const links = (...args: readonly string[]) => host.run("index.ts", ["links", ...args], environment());

  async function link(): Promise<string> {
    await emptyDatabase(database);
    return linkNewMember(janus);
  }
  const count = async () => Number((await database.rows("select count(*)::integer as n from link"))[0]?.n);
  const trailOf = (user: string) =>
    database.rows(
      `select action, operator, detail from audit_event where discord_user_id = '${user}' and operator is not null`,
    );

  test("janus links unlink undoes a link, tells Discord, and keeps who did it and why", async () => {
    const user = await link();

    const ended = await links("unlink", user, "--yes", "--json", "--reason", "has left");

    expect([ended.exitCode, ended.stderr]).toEqual([0, ""]);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      unlinked: user,
      discord_told: true,
      role_may_stay: false,
    });
    expect(await count()).toBe(0);
    expect(janus.discord.roleConnection(user)).toBeUndefined();
    expect(await trailOf(user)).toEqual([
      { action: "unlinked", operator: "anna", detail: { reason: "has left" } },
    ]);
  });

  test("janus links unlink shows whom it means and asks on a terminal, and changes nothing after a no", async () => {
    const user = await link();
    const answer = (keys: string) =>
      runOnTerminal(folder, ["links", "unlink", user], environment(), { shown: "[y/N]", keys });

    const refused = await answer("n\n");
    const kept = await count();
    const agreed = await answer("y\n");

    expect([refused.exitCode, kept]).toEqual([1, 1]);
    expect(refused.stdout).toContain(`${user}  @user_${user}  subject-of-${user} at `);
    expect(refused.stdout).toContain("Nothing was changed.");
    expect([agreed.exitCode, await count()]).toEqual([0, 0]);
    expect(agreed.stdout).toContain(`The link of ${user} is gone.\n`);
  });

  test("janus links unlink says if the member may keep the role", async () => {
    const user = await link();
    // No key opens these tokens, so nobody can clear the role connection.
    await database.rows("update discord_token set access_token_sealed = 'a', refresh_token_sealed = 'r'");

    const ended = await links("unlink", user, "--yes");

    expect(ended.exitCode).toBe(1);
    expect(ended.stdout).toContain("Janus could not clear the role connection. Remove the role in Discord");
    expect(await count()).toBe(0);
  });

  test("janus links unlink and sync name nobody by mistake", async () => {
    await link();
    const before = await database.dump();

    const ended = await Promise.all([links("unlink", "nobody", "--yes"), links("sync", "nobody")]);

    for (const { exitCode, stderr } of ended)
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining("No linked member has")]);
    expect(await database.dump()).toBe(before);
  });

  test("janus links sync does what janus sync --member does, and keeps who asked", async () => {
    const user = await link();

    const [dry, synced] = [
      await links("sync", user, "--dry-run", "--json"),
      await links("sync", user, "--json"),
    ];

    expect([dry.exitCode, JSON.parse(dry.stdout).checked]).toEqual([0, 1]);
    expect([synced.exitCode, JSON.parse(synced.stdout)]).toMatchObject([0, { checked: 1, failed: 0 }]);
    expect(await trailOf(user)).toEqual([
      { action: "sync_asked", operator: "anna", detail: { scope: "member" } },
    ]);
  });
});
