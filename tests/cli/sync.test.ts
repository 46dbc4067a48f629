/** `janus sync` as a command: its options, its words and its exit codes. What it does is in `operator/sync_run.test.ts`. */
import { describe, expect, test } from "bun:test";
import { runProgram } from "../../lib/cli/program.ts";
import { listCommands } from "../../lib/cli/run.ts";
import { JanusError } from "../../lib/errors.ts";
import { run, runOnTerminal } from "../fixtures/command.ts";
import { environmentBeside } from "../fixtures/command_environment.ts";
import { emptyDatabase, onPostgres } from "../harness/database.ts";
import { useCommandHost, useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { linkNewMember } from "../harness/walk.ts";

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
  const host = useCommandHost(folder);
  const database = useDatabase();
  const janus = useJanus(() => startJanusWithForger({ database }));

  const environment = () => environmentBeside(janus, database, "anna");
  const link = (): Promise<string> => linkNewMember(janus);
  /** One member, and nobody else. */
  async function linkAlone(): Promise<void> {
    await emptyDatabase(database);
    await link();
  }
  const sync = (...options: readonly string[]) => host.run("index.ts", ["sync", ...options], environment());

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
    expect(
      await database.rows("select operator, detail from audit_event where action = 'losses_released'"),
    ).toEqual([{ operator: "anna", detail: { links: 1 } }]);
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("finishes what it has begun after %s, and loses no token", async (signal, exitCode) => {
    await linkAlone();
    await link();
    const refresh = janus.provider.gate("token_refresh", "answer");
    const started = Promise.withResolvers<number>();
    const onError = (stderr: string) => {
      if (stderr.includes("stopping as soon as")) refresh.release();
    };

    const ending = run(
      folder,
      "index.ts",
      ["sync", "--all", "--json"],
      environment(),
      onError,
      started.resolve,
    );
    await refresh.arrived;
    process.kill(await started.promise, signal);
    const ended = await ending;
    const [left] = await database.rows(`select
      (select count(*)::integer from link where check_leased_until is not null) as leased,
      (select count(*)::integer from organisation_token where refresh_unanswered_since is not null) as unanswered`);
    const again = await sync("--all", "--json");

    expect([ended.exitCode, left]).toEqual([exitCode, { leased: 0, unanswered: 0 }]);
    expect(
      ended.stderr
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { warning: expect.stringMatching(/^stopping as soon as/) },
      { warning: expect.stringMatching(/^stopped before the last link/) },
    ]);
    expect(JSON.parse(ended.stdout)).toMatchObject({ failed: 0 });
    expect([again.exitCode, JSON.parse(again.stdout)]).toMatchObject([0, { checked: 2, failed: 0 }]);
  });

  test("shows on a terminal how far it is, from the beginning, and then the result alone", async () => {
    await linkAlone();

    const { exitCode, stdout } = await runOnTerminal(folder, ["sync", "--all"], environment(), {
      shown: "0 of 1 links",
      keys: "",
    });

    expect(exitCode).toBe(0);
    expect(stdout).toContain(`[${".".repeat(30)}] 0 %  0 of 1 links`);
    expect(stdout).toContain(`[${"#".repeat(30)}] 100 %  1 of 1 links`);
    expect(stdout.split("\r\u001b[K").at(-1)).toMatch(/^ +1 {2}checked$/m);
  });

  test("says that Discord may not be asked, since when, until when, and why", async () => {
    await linkAlone();
    await database.rows(`insert into upstream_budget (upstream, free_at, refusals, refusals_since, blocks, blocked_since,
      blocked_until, block_cause) values ('discord', now(), 0, now(), 0, now() - interval '1 minute',
      now() + interval '10 minutes', 'address')
      on conflict (upstream) do update set blocked_since = excluded.blocked_since,
        blocked_until = excluded.blocked_until, block_cause = excluded.block_cause`);

    const ended = await sync("--all");

    expect(ended.exitCode).toBe(1);
    expect(ended.stdout).toMatch(/^ +0 {2}checked$/m);
    expect(ended.stderr).toMatch(
      /^janus: Discord is asked for nothing by upkeep, since 2\S+Z and until 2\S+Z: a page came in place/,
    );
  });
});
