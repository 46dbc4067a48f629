/** `janus sync` as a command: its options, its words and its exit codes. What it does is in `operator/sync_run.test.ts`. */
import { describe, expect, test } from "bun:test";
import { runProgram } from "../../lib/cli/program.ts";
import { listCommands } from "../../lib/cli/run.ts";
import { JanusError } from "../../lib/errors.ts";
import { run } from "../fixtures/command.ts";
import { emptyDatabase, onPostgres } from "../harness/database.ts";
import { useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { createBrowser, environmentFor, startJanusWithForger } from "../harness/janus.ts";
import { newUser, reachForgerCallback } from "../harness/walk.ts";

const commands = listCommands(() => {
  throw new Error("no server is started here");
});

describe("janus sync", () => {
  test.each([
    [["--member", "anna", "--all"], "Name one of --member"],
    [["--release", "--all"], "--release goes with --yes alone"],
    [["--release", "--dry-run"], "--release goes with --yes alone"],
    [["--release", "--member", "anna"], "--release goes with --yes alone"],
    [["--yes"], "--yes is only for --release"],
  ])("refuses %j", async (options, reason) => {
    const failing = runProgram(["sync", ...options], commands, false);

    const error = await failing.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(JanusError);
    expect(error).toMatchObject({ code: "usage", message: expect.stringContaining(reason) });
  });
});

// A command needs the database beside the server, which the embedded one does not allow.
describe.if(onPostgres)("janus sync on PostgreSQL", () => {
  const folder = useFolder("sync");
  const database = useDatabase();
  const janus = useJanus(() => startJanusWithForger({ database }));

  const environment = (): Record<string, string> => ({
    ...environmentFor(janus.url, janus.discord, janus.provider.issuer),
    TOKEN_KEYS: janus.config.tokenKeys
      .map(({ id, key }) => `${id}:${key.toBase64({ alphabet: "base64url", omitPadding: true })}`)
      .join(),
    DATABASE_URL: database.config.url ?? "",
  });
  /** One member, and nobody else. */
  async function linkAlone(): Promise<void> {
    await emptyDatabase(database);
    const user = newUser();
    janus.provider.signInAs({ sub: `subject-of-${user}` });
    const browser = createBrowser(janus.url);
    await browser.get(await reachForgerCallback(browser, user));
  }
  const sync = (...options: readonly string[]) =>
    run(folder, "index.ts", ["sync", ...options], environment());

  test("does what is due, tells it as words and as JSON, and finds no member of that name", async () => {
    await linkAlone();

    const [told, dry, unknown] = [
      await sync("--all", "--json"),
      await sync("--dry-run"),
      await sync("--member", "nobody"),
    ];
    const released = await sync("--release");

    expect([told.exitCode, told.stderr]).toEqual([0, ""]);
    expect(JSON.parse(told.stdout)).toEqual({
      checked: 1,
      changed: 0,
      pushed: 0,
      unknown: 0,
      held: 0,
      ended: 0,
      failed: 0,
    });
    expect(dry).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("this was a dry run") });
    expect(unknown).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("No linked member has") });
    expect(released).toMatchObject({ exitCode: 0, stdout: "No loss waits.\n" });
  });

  test("names the losses that are held, and releases them only if somebody agrees", async () => {
    await linkAlone();
    await database.rows("update link set loss_found_at = now(), loss_due_at = now()");
    await database.rows("insert into brake (held_at) values (now())");

    const unanswered = await sync("--release");
    const agreed = await sync("--release", "--yes", "--json");

    expect(unanswered.exitCode).toBe(1);
    expect(unanswered.stdout).toContain("1 link would lose something.");
    expect(unanswered.stdout).toContain("janus sync --release --yes");
    expect([agreed.exitCode, JSON.parse(agreed.stdout)]).toEqual([0, { released: 1 }]);
  });
});
