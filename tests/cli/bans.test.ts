/** `janus bans` as a command: its options, its questions, its words and its exit codes. What bans do is in `link/bans.test.ts`. */
import { describe, expect, test } from "bun:test";
import { runProgram } from "../../lib/cli/program.ts";
import { listCommands } from "../../lib/cli/run.ts";
import { JanusError } from "../../lib/errors.ts";
import { runOnTerminal } from "../fixtures/command.ts";
import { environmentBeside } from "../fixtures/command_environment.ts";
import { addLinkOf } from "../fixtures/stored_link.ts";
import { onPostgres } from "../harness/database.ts";
import { useCommandHost, useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { linkOf } from "../harness/rows.ts";
import { linkMember, newUser, walkDiscordLeg } from "../harness/walk.ts";

const commands = listCommands(() => {
  throw new Error("no server is started here");
});
const ID = "80351110224678912";

describe("janus bans", () => {
  test.each([
    [["add", "--yes"], "Name one of --discord <id>, --subject <subject>, --member <member>"],
    [["add", "--discord", ID, "--member", "anna", "--yes"], "Name one of --discord"],
    [["add", "--discord", ID, "--issuer", "https://a.example", "--yes"], "--issuer goes with --subject"],
    [["add", "--discord", "anna", "--yes"], "Not a Discord user id: anna"],
    [["add", "--discord", "1".repeat(21), "--yes"], "Not a Discord user id"],
    [["add", "--subject", " a", "--yes"], "Not the name of an account"],
    [["add", "--subject", "a\u0000", "--yes"], "Not the name of an account"],
    [["add", "--subject", "a".repeat(256), "--yes"], "Not the name of an account"],
    [["add", "--subject", "a", "--issuer", "id.example", "--yes"], "Not an issuer: id.example"],
    [
      ["remove", "--subject", "a", "--issuer", "ftp://id.example", "--yes"],
      "Not an issuer: ftp://id.example",
    ],
    [["add", "--discord", ID, "--reason", " ", "--yes"], "A reason has 1 to 500 characters"],
    [["add", "--discord", ID, "--reason", "a\nb", "--yes"], "on one line"],
    [["add", "--discord", ID, "--reason", "a".repeat(501), "--yes"], "A reason has 1 to 500 characters"],
    [["add", "--discord", ID, "--json"], "asks before it changes anything. To agree beforehand, add --yes"],
    [["remove", "--yes"], "Name one of --discord <id>, --subject <subject>"],
    [["remove", "--discord", ID, "--json"], "asks before it changes anything"],
    [["add", "--subject", "a", "--until", "yesterday", "--yes"], "Not an end: yesterday"],
    [["add", "--subject", "a", "--until", "2020-01-01", "--yes"], "2020-01-01 is over already"],
    [["list", "--discord", ID, "--subject", "a"], "A ban is of one account"],
    [["list", "--discord", "anna"], "Not a Discord user id: anna"],
    [["list", "--limit", "0"], "Not a limit: 0"],
    [["list", "--after", "2"], "Not a place in the list: 2"],
    [["remove", "--member", "anna"], "unknown option '--member'"],
  ])("refuses %j", async (options, reason) => {
    const failing = runProgram(["bans", ...options], commands, false);

    const error = await failing.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(JanusError);
    expect(error).toMatchObject({ code: "usage", message: expect.stringContaining(reason) });
  });
});

// A command needs the database beside the server, which the embedded one does not allow.
describe.if(onPostgres)("janus bans on PostgreSQL", () => {
  const folder = useFolder("bans");
  const host = useCommandHost(folder);
  const database = useDatabase();
  const janus = useJanus(() => startJanusWithForger({ database }));

  const environment = () => environmentBeside(janus, database, "eva");
  const bans = (...words: readonly string[]) => host.run("index.ts", ["bans", ...words], environment());

  async function linked() {
    const user = newUser();
    janus.provider.signInAs({ sub: `subject-of-${user}`, preferred_username: "anna" });
    await linkMember(janus, user);
    return { user, subject: `subject-of-${user}` };
  }

  test("ends the link of a member, bans both accounts, and lists and lifts the bans", async () => {
    const { user, subject } = await linked();
    const { issuer } = janus.provider;

    const added = await bans(
      "add",
      "--member",
      user,
      "--reason",
      "sells roles",
      "--until",
      "2w",
      "--yes",
      "--json",
    );
    const [role, link, walked] = [
      janus.discord.roleConnection(user),
      await linkOf(janus, user),
      (await walkDiscordLeg(janus, user)).status,
    ];
    const listed = await bans("list", "--json");
    const table = await bans("list");
    const ofUser = await bans("list", "--discord", user, "--json");
    const first = await bans("list", "--limit", "1");
    const [, place = ""] = /--after (\S+)$/m.exec(first.stdout) ?? [];
    const second = await bans("list", "--limit", "1", "--after", place);
    const removed = await bans("remove", "--discord", user, "--yes");
    const again = await bans("remove", "--discord", user, "--yes", "--json");
    const subjectRemoved = await bans("remove", "--subject", subject, "--yes", "--json");

    expect([added.exitCode, added.stderr]).toEqual([0, ""]);
    expect(JSON.parse(added.stdout)).toEqual({
      discord_user_id: user,
      issuer,
      subject,
      until: expect.stringMatching(/^\d{4}-.*Z$/),
      reason: "sells roles",
      links_ended: [{ discord_user_id: user, discord_told: true, role_may_stay: false }],
    });
    expect([role, link, walked]).toEqual([undefined, undefined, 403]);
    const { bans: found, next } = JSON.parse(listed.stdout);
    expect(next).toBeNull();
    expect(JSON.parse(ofUser.stdout).bans).toMatchObject([{ discord_user_id: user, subject: null }]);
    expect(first.stdout).toMatch(/^1 ban, and there are more\. Go on with: the same command, and --after /m);
    expect(second.stdout).toMatch(/^1 ban\.$/m);
    expect((await bans("list", "--subject", "nobody")).stdout).toBe("No bans found.\n");
    expect(found).toContainEqual(expect.objectContaining({ discord_user_id: user, operator: "eva" }));
    expect(found).toContainEqual(expect.objectContaining({ issuer, subject, reason: "sells roles" }));
    expect(table.stdout).toMatch(/^account +since +until +operator +reason$/m);
    expect(table.stdout).toMatch(
      new RegExp(`^Discord ${user} +\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC .* UTC +eva +sells roles$`, "m"),
    );
    expect(removed).toMatchObject({ exitCode: 0, stdout: `Lifted: Discord ${user} may link again.\n` });
    expect([again.exitCode, JSON.parse(again.stdout).lifted]).toEqual([1, false]);
    expect([subjectRemoved.exitCode, JSON.parse(subjectRemoved.stdout).lifted]).toEqual([0, true]);
    const trail = await database.rows(
      `select action, operator, detail from audit_event where discord_user_id = '${user}' and operator = 'eva' order by audit_event_id`,
    );
    expect(trail.map(({ action }) => action)).toEqual(["banned", "ban_lifted"]);
    expect(JSON.stringify(trail)).not.toContain("sells roles");
  });

  test("says what it will do and asks, and does nothing after a no", async () => {
    const { user } = await linked();

    const no = await runOnTerminal(folder, ["bans", "add", "--discord", user], environment(), {
      shown: "Ban? [y/N]",
      keys: "n\n",
    });
    const kept = await linkOf(janus, user);
    const yes = await runOnTerminal(folder, ["bans", "add", "--discord", user], environment(), {
      shown: "Ban? [y/N]",
      keys: "y\n",
    });

    expect([no.exitCode, yes.exitCode]).toEqual([1, 0]);
    expect(no.stdout).toContain("Nothing was changed.");
    expect(no.stdout).toContain(`Discord ${user} may not link until you lift the ban.`);
    expect(no.stdout).toContain(
      "This link ends now, with the role, and the member is signed out everywhere:",
    );
    expect(kept).toBeDefined();
    expect(yes.stdout).toContain("Discord has been told.");
    expect(await linkOf(janus, user)).toBeUndefined();
  });

  test("says that Discord could not be told, and has ended the link", async () => {
    const { user } = await linked();
    janus.discord.failNext("delete_role_connection", { status: 503 }, 3);

    const added = await bans("add", "--discord", user, "--yes");

    expect([added.exitCode, added.stderr]).toEqual([0, ""]);
    expect(added.stdout).toContain("Discord could not be told yet: a server tells it as soon as it answers.");
    expect(await linkOf(janus, user)).toBeUndefined();
  });

  test("says of an imported member whose role may stay what is left to do", async () => {
    await addLinkOf(database, { discordUserId: ID, subject: "anna", pushed: { member: "1" } });
    // No key opens these tokens, so nobody can clear the role connection.
    await database.rows("update discord_token set scope = 'identify role_connections.write'");
    await database.rows(`
      with imported as (
        insert into organisation_account (issuer, subject, claims, claims_seen_at, created_at)
        select issuer || '#preferred_username', subject, claims, claims_seen_at, created_at
        from organisation_account where subject = 'anna'
        returning issuer
      )
      update link set issuer = imported.issuer from imported where discord_user_id = '${ID}'`);

    const added = await bans("add", "--member", ID, "--yes");

    expect(added.exitCode).toBe(1);
    expect(added.stderr).toContain("Everybody who signs in with that username is banned;");
    expect(added.stderr).toContain(`Janus could not clear the role connection of ${ID}.`);
    expect(added.stdout).toContain(`The link of ${ID} has ended.\n`);
    expect(added.stdout).not.toContain("has been told");
    expect(await linkOf(janus, ID)).toBeUndefined();
  });

  test("needs a terminal or --yes, a member who is linked, and an end that is to come", async () => {
    const [unasked, unknown, over] = [
      await bans("add", "--discord", ID, "--reason", "never"),
      await bans("add", "--member", "nobody", "--reason", "never", "--yes"),
      await bans("add", "--discord", ID, "--reason", "never", "--until", "2020-01-01", "--yes"),
    ];

    expect(unasked).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("add --yes") });
    expect([unknown.exitCode, unknown.stderr]).toEqual([2, expect.stringContaining("No linked member has")]);
    expect(unknown.stderr).toContain("To ban somebody without a link, name --discord <id> or --subject");
    expect(over).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("is over already") });
    expect(await database.rows("select from ban where reason = 'never'")).toEqual([]);
  });
});
