/** `janus doctor` as an operator meets it: the report, its exit codes, and the address of `--login`. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { createApp } from "../../index.ts";
import { formatReport, statusOf } from "../../lib/cli/doctor_report.ts";
import { putMetadataRecords } from "../../lib/discord/metadata_records.ts";
import { readConfiguration } from "../../lib/operator/configuration.ts";
import type { Check, CheckState } from "../../lib/operator/doctor/check.ts";
import { CHECK_GROUPS } from "../../lib/operator/doctor/check.ts";
import { openToken } from "../../lib/operator/doctor/token.ts";
import { startServer } from "../../lib/server/lifecycle.ts";
import { createWorld } from "../../lib/server/world.ts";
import { NO_LOG } from "../../lib/telemetry/log.ts";
import { run, runOnTerminal } from "../fixtures/command.ts";
import { DEFAULT_RECORDS } from "../fixtures/default_records.ts";
import { createTestDatabase, onPostgres } from "../harness/database.ts";
import { useFolder } from "../harness/hooks.ts";
import { CANARY, discordClient, environmentFor, providerClient, randomKey, USERS } from "../harness/janus.ts";
import { freePort } from "../harness/ports.ts";
import { startDiscord } from "../standins/discord.ts";
import { startForger } from "../standins/forger.ts";

const folder = useFolder("doctor-cli");
const IDS = Object.values(CHECK_GROUPS).flat();

const checkOf = (state: CheckState, change: Partial<Check> = {}): Check => ({
  id: "rules",
  state,
  detail: "seen",
  remedy: state === "ok" ? null : "do",
  ...change,
});

describe("statusOf()", () => {
  test.each([
    [["ok", "ok"], 0],
    [["ok", "warning"], 1],
    [["ok", "unknown"], 1],
    [["unknown", "warning", "fault"], 2],
  ] as const)("is for %j %d", (states, status) => {
    expect(statusOf(states.map((state) => checkOf(state)))).toBe(status);
  });
});

describe("formatReport()", () => {
  test("can be read without colours, which say nothing more", () => {
    const checks = (["ok", "warning", "fault", "unknown"] as const).map((state) => checkOf(state));

    const [plain, coloured] = [formatReport(checks, false), formatReport(checks, true)];

    for (const mark of ["✓", "!", "✗", "?"]) expect(plain).toContain(`  ${mark} rules`);
    expect(plain).toContain("→ do");
    expect(plain).toEndWith("Found: 1 fault, 1 warning, 1 check without an answer.");
    expect(Bun.stripANSI(coloured)).toBe(plain);
    expect(coloured).not.toBe(plain);
  });

  test("lets nothing from outside act on the terminal", () => {
    const report = formatReport(
      [checkOf("fault", { detail: "a\u001b[2Jb\u202ec", remedy: "d\u0007" })],
      false,
    );

    for (const char of ["\u001b", "\u202e", "\u0007"]) expect(report).not.toContain(char);
  });
});

describe("janus doctor", () => {
  // Without PostgreSQL the server holds its embedded database, and speaks for it.
  test("finds all well beside a running server", async () => {
    const database = onPostgres ? await createTestDatabase() : undefined;
    const port = freePort();
    const url = `http://127.0.0.1:${port}`;
    const discord = startDiscord({ ...discordClient(url), users: Object.values(USERS) });
    const provider = startForger(providerClient(url));
    const environment = {
      ...environmentFor(url, discord, provider.issuer),
      DISCORD_BOT_TOKEN: CANARY.botToken,
      PORT: String(port),
      DATA_DIR: join(folder, "data"),
      ...(database?.config.url === undefined ? {} : { DATABASE_URL: database.config.url }),
    };
    const world = createWorld(NO_LOG, { ref: true });
    const application = { ...world, ...discordClient(url), publicUrl: url, apiUrl: discord.apiUrl };
    await putMetadataRecords(application, CANARY.botToken, DEFAULT_RECORDS);
    const server = await startServer(await readConfiguration(environment), createApp, world);
    await server.ready;

    const ended = await run(folder, "index.ts", ["doctor", "--json"], environment);
    await server.stop();
    await Promise.all([discord.stop(), provider.stop(), database?.drop()]);

    const { checks, ...rest }: { readonly checks: readonly Check[] } = JSON.parse(ended.stdout);
    expect(checks.filter(({ state }) => state !== "ok")).toEqual([]);
    expect(checks.map((check) => Object.keys(check))).toEqual(
      IDS.map(() => ["id", "state", "detail", "remedy"]),
    );
    expect(rest).toEqual({});
    expect(ended).toMatchObject({ exitCode: 0, stderr: "" });
  });

  test("exits with 2 without any configuration, and colours nothing in a file", async () => {
    const { exitCode, stdout, stderr } = await run(folder, "index.ts", ["doctor"], {});

    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: "" });
    expect(stdout).toContain("✗ configuration ");
    expect(stdout).toMatch(/Found: 1 fault/);
    expect(stdout).not.toContain("\u001b");
  });

  test("colours its marks on a terminal that shows colours, unless NO_COLOR says no", async () => {
    const red = "\u001b[31m✗";
    const on = async (environment: Readonly<Record<string, string>>): Promise<boolean> =>
      (
        await runOnTerminal(folder, ["doctor"], environment, { shown: "never shown", keys: "" })
      ).stdout.includes(red);

    expect(await on({ TERM: "xterm" })).toBe(true);
    expect(await on({ TERM: "xterm", NO_COLOR: "1" })).toBe(false);
    expect(await on({ TERM: "dumb" })).toBe(false);
  });

  test("prints an address for --login, and nothing without its secret", async () => {
    const environment = { PUBLIC_URL: "https://janus.example.org", COOKIE_SECRET: randomKey() };

    const [invited, refused] = await Promise.all([
      run(folder, "index.ts", ["doctor", "--login"], environment),
      run(folder, "index.ts", ["doctor", "--login"], { PUBLIC_URL: environment.PUBLIC_URL }),
    ]);

    const [, ticket = ""] =
      /^https:\/\/janus\.example\.org\/doctor\?ticket=(\S+)$/m.exec(invited.stdout) ?? [];
    const secrets = { cookieSecrets: [new Uint8Array(Buffer.from(environment.COOKIE_SECRET, "base64url"))] };
    expect(openToken(secrets, "login", ticket)).toBeDefined();
    expect(invited.stdout).not.toContain(environment.COOKIE_SECRET);
    expect(refused).toMatchObject({ exitCode: 2, stdout: "" });
  });
});
