/** With --json a command speaks JSON alone: its result on standard output, its errors and warnings on standard error. */
import { describe, expect, test } from "bun:test";
import packageJson from "../../package.json" with { type: "json" };
import { run } from "../fixtures/command.ts";
import { useCommandHost, useFolder } from "../harness/hooks.ts";
import { randomKey } from "../harness/janus.ts";
import { NOBODY } from "../harness/ports.ts";

const folder = useFolder("json");
/** For all but one command of a kind: a process of its own takes half a second. */
const host = useCommandHost(folder);

type Said = Readonly<Record<string, unknown>>;
const linesOf = (text: string): readonly Said[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Said);

const NO_DATABASE = { DATABASE_URL: `postgres://${NOBODY}/janus`, DATABASE_WAIT_SECONDS: "0" };
const REGISTRATION = {
  DISCORD_CLIENT_ID: "1111111111111111111",
  DISCORD_API_URL: `http://${NOBODY}/api/v10`,
  DISCORD_BOT_TOKEN: "canary",
};

describe("janus --json", () => {
  test.each([
    [["--json"], {}, "usage", 2],
    [["serve", "--json"], {}, "usage", 2],
    [["--json", "serve"], {}, "usage", 2],
    [["migarte", "--json"], {}, "usage", 2],
    [["--json", "migarte"], {}, "usage", 2],
    [["--json", "--nonsense"], {}, "usage", 2],
    [["migrate", "down", "--json"], {}, "usage", 2],
    [["--register", "--setup", "--json"], {}, "usage", 2],
    [["keys", "--json"], {}, "usage", 2],
    [["help", "migarte", "--json"], {}, "usage", 2],
    [["audit", "--json", "--resolved", "anna"], {}, "usage", 2],
    [["--env-file", "/nowhere/.env", "--json", "migrate"], {}, "config_invalid", 2],
    [["config", "check", "--json"], {}, "config_invalid", 2],
    [["register", "--json"], {}, "config_invalid", 2],
    [["keys", "generate", "--rotate", "--json"], {}, "config_invalid", 2],
    [["--json", "-r"], REGISTRATION, "registration_failed", 1],
    [["migrate", "--json"], NO_DATABASE, "database_unavailable", 1],
    [["--json", "migrate", "status"], NO_DATABASE, "database_unavailable", 1],
    [["audit", "--json"], NO_DATABASE, "database_unavailable", 1],
  ] as const)("makes the error of %j JSON on standard error", async (args, environment, code, exitCode) => {
    const ended = await host.run("index.ts", args, environment);

    expect({ exitCode: ended.exitCode, stdout: ended.stdout }).toEqual({ exitCode, stdout: "" });
    expect(linesOf(ended.stderr)).toEqual([{ error: { code, message: expect.stringMatching(/\S/) } }]);
    expect(ended.stderr).not.toContain("canary");
  });

  test.each([
    [["migarte", "--json"], {}, "usage", 2],
    [["--json", "-r"], REGISTRATION, "registration_failed", 1],
  ] as const)(
    "makes the error of a process of its own for %j JSON",
    async (args, environment, code, exitCode) => {
      const ended = await run(folder, "index.ts", args, environment);

      expect({ exitCode: ended.exitCode, stdout: ended.stdout }).toEqual({ exitCode, stdout: "" });
      expect(linesOf(ended.stderr)).toEqual([{ error: { code, message: expect.stringMatching(/\S/) } }]);
    },
  );

  test("also for bun run sql/migrate.ts", async () => {
    const ended = await run(folder, "sql/migrate.ts", ["down", "--json"], {});

    expect(ended).toMatchObject({ exitCode: 2, stdout: "" });
    expect(linesOf(ended.stderr)).toMatchObject([{ error: { code: "usage" } }]);
  });

  test("keeps the result of a health check beside its error", async () => {
    const [, port = ""] = NOBODY.split(":");

    const ended = await host.run("index.ts", ["healthcheck", "--json"], { PORT: port });

    expect(ended.exitCode).toBe(1);
    expect(linesOf(ended.stdout)).toMatchObject([{ healthy: false }]);
    expect(linesOf(ended.stderr)).toMatchObject([{ error: { code: "unhealthy" } }]);
  });

  test("makes warnings JSON as well", async () => {
    const environment = { ...NO_DATABASE, DATABASE_WAIT_SECONDS: "1" };

    const [keys, waiting, quoted] = await Promise.all([
      host.run("index.ts", ["keys", "generate", "--json"], { TOKEN_KEYS: `k1:${randomKey()}` }),
      host.run("index.ts", ["migrate", "--json"], environment),
      host.run("index.ts", ["register", "--json"], { ...REGISTRATION, DISCORD_BOT_TOKEN: '"canary"' }),
    ]);

    expect(linesOf(keys.stderr)).toEqual([{ warning: expect.stringContaining("TOKEN_KEYS is set already") }]);
    expect(linesOf(waiting.stderr)).toMatchObject([
      { warning: expect.stringContaining("waiting for the database") },
      { error: { code: "database_unavailable" } },
    ]);
    expect(linesOf(quoted.stderr)).toMatchObject([
      { warning: expect.stringMatching(/^DISCORD_BOT_TOKEN is wrapped in quotes/) },
      { error: { code: "registration_failed" } },
    ]);
  });

  test.each([[["--version", "--json"]], [["--json", "-v"]], [["migrate", "--json", "--version"]]] as const)(
    "makes the version JSON for %j",
    async (args) => {
      const ended = await host.run("index.ts", args, {});

      expect(ended).toMatchObject({ exitCode: 0, stderr: "" });
      expect(linesOf(ended.stdout)).toEqual([{ version: packageJson.version }]);
    },
  );

  test.each([[["--help", "--json"]], [["help", "migrate", "--json"]]] as const)(
    "makes the help JSON for %j",
    async (args) => {
      const ended = await host.run("index.ts", args, {});

      expect(ended).toMatchObject({ exitCode: 0, stderr: "" });
      expect(linesOf(ended.stdout)).toEqual([{ help: expect.stringContaining("Usage: janus") }]);
    },
  );
});
