/** `janus status` as a command: its screen, its JSON, its exit codes, and that it tells no secret. */
import { describe, expect, test } from "bun:test";
import { describeStatus } from "../../lib/cli/status_view.ts";
import { LINK_STATES } from "../../lib/database/statements/link_view.ts";
import type { Status } from "../../lib/operator/status.ts";
import { runOnTerminal } from "../fixtures/command.ts";
import { onPostgres } from "../harness/database.ts";
import { useCommandHost, useDatabase, useFolder } from "../harness/hooks.ts";
import { randomKey } from "../harness/janus.ts";

const NOW = new Date("2031-01-01T12:00:00Z");
const ago = (seconds: number): Date => new Date(NOW.getTime() - seconds * 1_000);

/** As full as a screen gets. */
const CROWDED: Status = {
  version: "0.1.0",
  schema: 22,
  database: { version: `17.2 ${"x".repeat(100)}\u001b[31m`, kib: 5_000_000 },
  links: {
    all: 1_234_567,
    told: 1_000_000,
    waiting: 200_000,
    losing: 34_000,
    disconnected: 500,
    cleared: 67,
  },
  checks: { due: 200_000, overdue: 150_000, oldest: ago(7 * 86_400) },
  pushes: { due: 3, overdue: 1, oldest: ago(7_300) },
  brake: { heldSince: ago(86_400), held: 34_000 },
  stops: [
    { upstream: "discord", code: "too_many_refusals", since: ago(60), until: NOW },
    { upstream: "provider", code: "address_blocked", since: ago(60), until: NOW },
  ],
  keys: ["k10", "k11", "k12", "k13", "k14", "k15"].map((id) => ({ id, state: "kept" })),
  grantsEnded: { discord: 12, provider: 345 },
  backupAt: ago(20 * 86_400),
  restoredAt: ago(3 * 86_400),
  attention: [
    ...["check_overdue", "push_overdue", "loss_overdue", "losses_held", "key_missing"],
    ...["too_many_refusals", "address_blocked", "backup_old"],
  ].map((kind) => ({ kind, count: 150_000 })),
};

describe("describeStatus()", () => {
  test("fits on a screen of 80 columns and 24 lines, however much there is", () => {
    const lines = describeStatus(CROWDED, NOW).split("\n");

    expect(lines.filter((line) => line.length > 79)).toEqual([]);
    expect(lines.length).toBeLessThanOrEqual(22);
    expect(lines.join("\n")).not.toContain("\u001b");
  });

  test("says what holds, how old it is, and where to read on", () => {
    const text = describeStatus(CROWDED, NOW);

    expect(text).toMatch(/^checks +200000 due, 150000 of them overdue, the oldest for 7 days$/m);
    expect(text).toMatch(/^ +1000000 {2}told: Discord has what it was told$/m);
    for (const state of LINK_STATES) expect(text).toMatch(new RegExp(`^ +\\d+ {2}${state}: `, "m"));
    expect(text).toMatch(/^brake +holds 34000 losses since 2030-12-31 12:00 UTC$/m);
    expect(text).toMatch(/^backup +2030-12-12 12:00 UTC, 20 days ago, restored 2030-12-29 12:00 UTC$/m);
    expect(text).toEndWith("janus audit says what to do.");
  });

  test("leads to the document where a backup alone is missing", () => {
    const text = describeStatus({ ...CROWDED, attention: [{ kind: "backup_old", count: 1 }] }, NOW);

    expect(text).toEndWith("Needs attention:\nbackup_old 1\nMake a backup: see docs/database.md.");
  });
});

describe("janus status", () => {
  const folder = useFolder("status");
  const host = useCommandHost(folder);

  test("says so where there is no database, and makes none", async () => {
    const { exitCode, stdout, stderr } = await host.run("index.ts", ["status"], { DATA_DIR: "nowhere" });

    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toStartWith("janus: there is no database in nowhere yet");
  });

  test("refuses an option that it does not know", async () => {
    const { exitCode, stderr } = await host.run("index.ts", ["status", "--backup"], {});

    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("--backup")]);
  });
});

// A command needs the database beside this test, which the embedded one does not allow.
describe.if(onPostgres)("janus status on PostgreSQL", () => {
  const folder = useFolder("status-on-postgres");
  const host = useCommandHost(folder);
  const database = useDatabase();
  const environment = (): Record<string, string> => ({ DATABASE_URL: database.config.url ?? "" });
  const status = (...args: readonly string[]) => host.run("index.ts", ["status", ...args], environment());

  async function addOverdueLink(): Promise<void> {
    for (const statement of [
      "insert into discord_account values ('1', 'canary name', null, now(), now())",
      `insert into discord_token (discord_user_id, access_token_sealed, refresh_token_sealed, scope, expires_at, obtained_at)
         values ('1', 'k1.canary', 'k1.canary', 'identify', now(), now())`,
      "insert into organisation_account values ('https://id.example', 'canary', '{}', now(), now())",
      `insert into link (discord_user_id, issuer, subject, linked_at, check_due_at)
         values ('1', 'https://id.example', 'canary', now(), now() - interval '2 hours')`,
    ])
      await database.rows(statement);
  }

  test("ends with 0 while all is well, in words and as JSON", async () => {
    const [words, json] = await Promise.all([status(), status("--json")]);

    expect([words.exitCode, words.stderr]).toEqual([0, ""]);
    expect(words.stdout).toEndWith("\nAll is well.\n");
    expect([json.exitCode, JSON.parse(json.stdout)]).toMatchObject([
      0,
      {
        links: { all: 0 },
        keys: [],
        grants_ended: { days: 7 },
        backup_at: null,
        restored_at: null,
        attention: [],
      },
    ]);
  });

  test("ends with 1 if something needs attention, and tells no name and no token", async () => {
    await addOverdueLink();

    const [words, json] = await Promise.all([status(), status("--json")]);

    expect([words.exitCode, json.exitCode]).toEqual([1, 1]);
    expect(words.stdout).toContain("Needs attention:\ncheck_overdue 1\njanus audit says what to do.");
    expect(JSON.parse(json.stdout).attention).toEqual([{ kind: "check_overdue", count: 1 }]);
    expect(words.stdout + json.stdout).not.toContain("canary");
  });

  test("says that a key is missing, with the keys that it is given", async () => {
    await addOverdueLink();

    const { exitCode, stdout } = await host.run("index.ts", ["status"], {
      ...environment(),
      TOKEN_KEYS: `k2:${randomKey()}`,
    });

    expect([exitCode, stdout]).toEqual([1, expect.stringMatching(/^keys +k1 \(missing\)$/m)]);
  });

  test("remembers a backup, and shows it", async () => {
    const noted = await status("--backed-up");
    const shown = await status();

    expect([noted.exitCode, noted.stdout]).toEqual([0, expect.stringContaining("remembers a backup")]);
    expect(shown.stdout).toMatch(/^backup +[-0-9]{10} [:0-9]{5} UTC, .*minutes? ago$/m);
  });

  test("shows the same on a terminal", async () => {
    const typed = { shown: "never shown", keys: "" };

    const { exitCode, stdout } = await runOnTerminal(folder, ["status"], environment(), typed);

    expect([exitCode, stdout]).toEqual([0, expect.stringContaining("All is well.")]);
  });
});
