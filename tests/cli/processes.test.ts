/** The commands as an operator meets them: processes of their own, their output and their exit codes. */
import { beforeAll, describe, expect, test } from "bun:test";
import { cp, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { VARIABLES } from "../../lib/config/load.ts";
import { openEmbedded } from "../../lib/database/embedded/open.ts";
import { MIGRATIONS } from "../../lib/database/migrations.ts";
import type { Database } from "../../lib/database/open.ts";
import { openDatabase } from "../../lib/database/open.ts";
import { createQueries } from "../../lib/database/queries.ts";
import type { CommandErrorCode } from "../../lib/error_codes.ts";
import { JanusError } from "../../lib/errors.ts";
import { rememberRecords } from "../../lib/operator/setup_questions.ts";
import { DEFAULT_RULES } from "../../lib/rules/rule_set.ts";
import packageJson from "../../package.json" with { type: "json" };
import type { Environment, Serving } from "../fixtures/command.ts";
import { run, serve } from "../fixtures/command.ts";
import { DEFAULT_RECORDS } from "../fixtures/default_records.ts";
import { startProxy } from "../fixtures/proxy.ts";
import { createTurns } from "../fixtures/turns.ts";
import type { TestDatabase } from "../harness/database.ts";
import { createTestDatabase, findTemplate, onPostgres } from "../harness/database.ts";
import { useCommandHost, useFolder, useForAll } from "../harness/hooks.ts";
import {
  CANARY,
  createBrowser,
  DISCORD_CLIENT_ID,
  environmentFor,
  OIDC_CLIENT_ID,
  startJanus,
  USERS,
} from "../harness/janus.ts";
import { freePort, NOBODY } from "../harness/ports.ts";
import { linkAccounts, reachDiscordCallback } from "../harness/walk.ts";
import { startDiscord } from "../standins/discord.ts";
import { startForger } from "../standins/forger.ts";

/** How many databases may be in use at once: each embedded one is a PostgreSQL of its own to start, several times. */
const turns = createTurns(onPostgres ? 4 : 2);

/** The exit code of a command that ends with this. */
const exitCodeOf = (code: CommandErrorCode): number => new JanusError(code, "").exitStatus;

const LABELS = MIGRATIONS.map(({ version, name }) => `${String(version).padStart(4, "0")}_${name}`);
const FIRST_ROW = "insert into discord_account values ('1', 'anna', null, now(), now())";

/** Every process starts here: an empty folder, without a `.env`. */
const folder = useFolder("cli");
const redirectUris = ["http://127.0.0.1/unused"];
const discord = useForAll(
  async () =>
    startDiscord({
      clientId: DISCORD_CLIENT_ID,
      clientSecret: CANARY.discordClientSecret,
      botToken: CANARY.botToken,
      redirectUris,
      users: Object.values(USERS),
    }),
  ({ stop }) => stop(),
);
const forger = useForAll(
  async () => startForger({ clientId: OIDC_CLIENT_ID, clientSecret: CANARY.oidcClientSecret, redirectUris }),
  ({ stop }) => stop(),
);

/** What the embedded databases of the tests are copies of. */
const templateFolder = (migrated: boolean): string => join(folder, migrated ? "migrated" : "empty");

/** For what a command says of faults like those that another one meets in a process of its own. */
const host = useCommandHost(folder);

beforeAll(async () => {
  if (onPostgres) return;
  for (const migrated of [false, true]) {
    // Held in memory: Bun.Archive does not read from a file.
    const template = new Blob([await (await findTemplate(migrated)).bytes()]);
    const db = await openEmbedded({ dataDir: templateFolder(migrated), template });
    await db.close();
  }
});

/** Where a process of the program has its database; `await using` gives it back. */
type Place = AsyncDisposable & {
  readonly environment: Environment;
  /** Looks into it while no process of the program has it open. */
  readonly inspect: <Result>(work: (db: Database) => Promise<Result>) => Promise<Result>;
};

/** An empty database, or a migrated one, that processes can open. */
async function createPlace(options: { readonly migrated: boolean }): Promise<Place> {
  await turns.take();
  const { environment, inspect, remove } = onPostgres
    ? placeOn(await createTestDatabase(options))
    : await placeInFolder(options.migrated);
  const dispose = async (): Promise<void> => {
    await remove();
    turns.give();
  };
  return { environment, inspect, [Symbol.asyncDispose]: dispose };
}

type OpenPlace = Pick<Place, "environment" | "inspect"> & { readonly remove: () => Promise<void> };

function placeOn(database: TestDatabase): OpenPlace {
  return {
    environment: { DATABASE_URL: database.config.url ?? "" },
    inspect: (work) => work(database.db),
    remove: database.drop,
  };
}

async function placeInFolder(migrated: boolean): Promise<OpenPlace> {
  const dataDir = await mkdtemp(join(folder, "data-"));
  await cp(templateFolder(migrated), dataDir, { recursive: true });
  return {
    environment: { DATA_DIR: dataDir },
    inspect: (work) => inspectFolder(dataDir, work),
    remove: () => rm(dataDir, { recursive: true, force: true }),
  };
}

async function inspectFolder<Result>(
  dataDir: string,
  work: (db: Database) => Promise<Result>,
): Promise<Result> {
  const db = await openDatabase({ url: undefined, prepare: true, dataDir });
  return work(db).finally(() => db.close());
}

/** The server's environment, on a port that is free. */
function serverEnvironment(more: Environment, publicUrl = "http://127.0.0.1:3000"): Environment {
  return { ...environmentFor(publicUrl, discord, forger.issuer), PORT: "0", ...more };
}

const registration = (more: Environment = {}): Environment => ({
  DISCORD_CLIENT_ID,
  DISCORD_API_URL: discord.apiUrl,
  DISCORD_BOT_TOKEN: CANARY.botToken,
  ...more,
});

/** Asks until the answer has the status. */
async function poll(get: () => Promise<{ status: number; text: string }>, status: number) {
  let answer = await get();
  while (answer.status !== status) answer = await get();
  return answer;
}

/**
 * What /readyz says of a database that answers. On a busy machine it may give up its look at one, and says so: it is to
 * be asked again.
 */
async function readinessOf(server: Serving) {
  let answer = await server.get("/readyz");
  while (JSON.parse(answer.text).database === "database_unavailable") answer = await server.get("/readyz");
  return answer;
}

const REQUIRED = VARIABLES.filter(({ name, required }) => required && name !== "DISCORD_BOT_TOKEN");

describe("janus", () => {
  test.concurrent("exits with 2 without configuration, and names every variable", async () => {
    const { exitCode, stdout, stderr } = await run(folder, "index.ts", [], {});

    expect({ exitCode, stdout }).toEqual({ exitCode: exitCodeOf("config_invalid"), stdout: "" });
    expect(stderr).toStartWith("janus: The configuration has");
    for (const { name } of REQUIRED) expect(stderr).toContain(`  ${name} is missing: `);
    expect(stderr.trimEnd().split("\n")).toHaveLength(REQUIRED.length + 2);
    expect(stderr).toContain("Copy example.env");
  });

  test.concurrent("exits with 2 for a malformed secret, and prints no part of it", async () => {
    const environment = serverEnvironment({ TOKEN_KEYS: CANARY.botToken, PORT: CANARY.botToken });

    const { exitCode, stdout, stderr } = await host.run("index.ts", ["serve"], environment);

    expect(exitCode).toBe(2);
    expect(stderr).toContain("TOKEN_KEYS must be");
    expect(stderr).toContain("PORT must be");
    expect(stdout + stderr).not.toContain("canary");
  });

  const everything = [
    "serve",
    "migrate",
    "register",
    "metadata",
    "explain",
    "healthcheck",
    "audit",
    "config",
    "keys",
    "--setup",
  ];
  test.concurrent.each([
    ["index.ts", "-h", everything],
    ["sql/migrate.ts", "--help", ["migrate", "up", "status"]],
  ] as const)("prints only its help for %s %s", async (entry, option, words) => {
    const { exitCode, stdout, stderr } = await host.run(entry, [option], {});

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    for (const word of ["Usage:", "--json", "--env-file", "Examples:", ...words]) {
      expect(stdout).toContain(word);
    }
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });

  test.concurrent.each([
    ["index.ts", "-v"],
    ["sql/migrate.ts", "--version"],
  ] as const)("prints only its version for: bun run %s %s", async (entry, option) => {
    const environment = { DATABASE_URL: `postgres://${NOBODY}/nobody` };

    const ended = await run(folder, entry, [option], environment);

    expect(ended).toEqual({ exitCode: 0, stdout: `${packageJson.version}\n`, stderr: "" });
  });

  const nobody = () => ({
    ...serverEnvironment({}),
    ...registration({ DISCORD_API_URL: `http://${NOBODY}/api` }),
    DATABASE_URL: `postgres://${NOBODY}/nobody`,
  });
  const expectMisuse = ({ exitCode, stdout, stderr }: Awaited<ReturnType<typeof run>>): void => {
    expect({ exitCode, stdout }).toEqual({ exitCode: exitCodeOf("usage"), stdout: "" });
    expect(stderr).toMatch(/^janus: .+\n.*(See janus( serve| migrate)? --help\.|Use janus migrate)/);
    expect(stderr).not.toContain("    at ");
  };

  test.concurrent("exits with 2, doing nothing, for a command that does not exist", async () => {
    expectMisuse(await run(folder, "index.ts", ["nonsense"], nobody()));
  });

  test.concurrent.each([
    ["sql/migrate.ts", ["down"]],
    ["index.ts", ["serve", "now"]],
    ["index.ts", ["migrate", "down"]],
    ["index.ts", ["--nonsense"]],
    ["index.ts", ["--json=maybe"]],
    ["index.ts", ["--register", "--setup"]],
    ["index.ts", ["serve", "--register"]],
    ["sql/migrate.ts", ["--register"]],
  ] as const)("ends with 2, doing nothing, for %s %j", async (entry, args) => {
    expectMisuse(await host.run(entry, args, nobody()));
  });
});

describe("janus migrate", () => {
  test.concurrent("lists what is pending, applies it, and then has nothing to do", async () => {
    await using place = await createPlace({ migrated: false });
    const { environment } = place;

    const pending = await host.run("sql/migrate.ts", ["status"], environment);
    const first = await run(folder, "sql/migrate.ts", [], environment);
    const applied = await host.run("index.ts", ["migrate", "status"], environment);
    const second = await host.run("index.ts", ["migrate", "up"], environment);

    const all = [pending, first, applied, second];
    expect(all.map(({ exitCode, stderr }) => ({ exitCode, stderr }))).toEqual(
      all.map(() => ({ exitCode: 0, stderr: "" })),
    );
    expect(pending.stdout).toStartWith(LABELS.map((label) => `pending  ${label}\n`).join(""));
    expect(first.stdout).toStartWith(LABELS.map((label) => `applied  ${label}\n`).join(""));
    for (const label of LABELS) {
      expect(applied.stdout).toMatch(new RegExp(`applied  ${label}  \\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z\n`));
    }
    expect(second.stdout).toContain("up to date");
    expect(second.stdout).not.toContain("applied");
  });

  test.concurrent("says with status that a folder has no database, and makes none", async () => {
    const place = await mkdtemp(join(folder, "none-"));
    const dataDir = join(place, "data");
    const begun = join(place, "begun");
    await mkdir(join(begun, "postgres.new"), { recursive: true });

    const [plain, json, ofBegun] = await Promise.all([
      run(place, "sql/migrate.ts", ["status"], {}),
      host.run("index.ts", ["migrate", "status", "--json"], { DATA_DIR: dataDir }),
      host.run("index.ts", ["migrate", "status"], { DATA_DIR: begun }),
    ]);

    const pending = LABELS.map((label) => `pending  ${label}\n`).join("");
    const absent = (where: string) =>
      `There is no database in ${where} yet: "janus migrate" creates it, and so does the server when it ` +
      "starts. To use another database, set DATABASE_URL.\n";
    expect(plain).toEqual({ exitCode: 0, stdout: pending + absent("./data"), stderr: "" });
    expect(ofBegun).toEqual({ exitCode: 0, stdout: pending + absent(begun), stderr: "" });
    expect(JSON.parse(json.stdout)).toEqual({ applied: [], pending: LABELS, noDatabaseIn: dataDir });
    expect(json).toMatchObject({ exitCode: 0, stderr: "" });
    const left = await readdir(place, { recursive: true });
    expect(left.toSorted()).toEqual(["begun", "begun/postgres.new"]);
  });

  test.concurrent("does the same for -s and --setup, and removes nothing", async () => {
    await using place = await createPlace({ migrated: false });
    const { environment, inspect } = place;

    const first = await run(folder, "index.ts", ["-s", "--json"], environment);
    await inspect((db) => db.query(FIRST_ROW));
    const second = await host.run("index.ts", ["--setup"], environment);
    const status = await host.run("index.ts", ["migrate", "status", "--json"], environment);

    expect(JSON.parse(first.stdout)).toEqual({ applied: LABELS });
    expect(second).toMatchObject({ exitCode: 0, stderr: "" });
    expect(second.stdout).toContain("up to date");
    expect(JSON.parse(status.stdout)).toEqual({ applied: LABELS, pending: [] });
    const rows = await inspect((db) => db.query("select username from discord_account"));
    expect(rows.map((row): unknown => row)).toEqual([{ username: "anna" }]);
  });

  test.concurrent.each([
    [
      "a newer Janus has migrated",
      "database_newer",
      "insert into schema_migration values (9999, 'from_the_future', 'x', now())",
      /^janus: The database has migration 9999 \(from_the_future\), which this Janus does not know: .* newer one\./,
    ],
    [
      "has applied what was edited since",
      "migration_edited",
      "update schema_migration set checksum = 'x' where version = 3",
      /^janus: Migration 3 \(create_link\) was edited after this database applied it\. Restore the file/,
    ],
  ] as const)("exits with 1 on a database that %s", async (_, code, statement, why) => {
    await using place = await createPlace({ migrated: true });
    const { environment, inspect } = place;
    await inspect((db) => db.query(statement));

    const ended = [
      await host.run("sql/migrate.ts", [], environment),
      await host.run("index.ts", ["migrate", "status"], environment),
      await run(folder, "index.ts", ["serve"], serverEnvironment({ ...environment, LOG_LEVEL: "silent" })),
    ];

    for (const { exitCode, stdout, stderr } of ended) {
      expect({ exitCode, stdout }).toEqual({ exitCode: exitCodeOf(code), stdout: "" });
      expect(stderr).toMatch(why);
      expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    }
  });

  test.concurrent("exits with 1 if no database answers, and hides the password", async () => {
    const DATABASE_URL = `postgres://janus:${CANARY.botToken}@${NOBODY}/janus`;
    const environment = { DATABASE_URL, DATABASE_WAIT_SECONDS: "0" };

    const { exitCode, stdout, stderr } = await host.run("sql/migrate.ts", [], environment);

    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toBe("janus: the database cannot be reached (ECONNREFUSED)\n");
  });

  test.concurrent("exits with 1 if none of several hosts answers", async () => {
    const environment = {
      DATABASE_URL: `postgres://${NOBODY},127.0.0.1:2/janus?target_session_attrs=primary`,
      DATABASE_WAIT_SECONDS: "0",
    };

    const { exitCode, stderr } = await host.run("sql/migrate.ts", [], environment);

    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^janus: .*database|no answer within/);
  });
});

describe.if(onPostgres)("a refusing PostgreSQL", () => {
  test.concurrent.each([
    [
      "a database that does not exist",
      (url: URL) => Object.assign(url, { pathname: "/janus_no_such_database" }),
      "has no database of this name (3D000): create it",
    ],
    [
      "a role that does not exist",
      (url: URL) => Object.assign(url, { username: "janus_nobody" }),
      "has no such role, or the role may not log in (28000): create it",
    ],
    [
      "a role that may not",
      (url: URL) => Object.assign(url, { search: "?role=pg_monitor" }),
      "lacks a right on schema public (42501): make it the owner of the database, or grant it",
    ],
  ])("makes janus exit with 1 for %s", async (_, change, code) => {
    const url = change(new URL(process.env.TEST_DATABASE_URL ?? ""));
    url.password = CANARY.botToken;

    const { exitCode, stdout, stderr } = await host.run("sql/migrate.ts", [], {
      DATABASE_URL: url.href,
      DATABASE_WAIT_SECONDS: "600",
    });

    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toMatch(/database/i);
    expect(stderr).toContain(code);
    expect(stderr).not.toContain("canary");
  });
});

test.concurrent.if(onPostgres)(
  "janus on PostgreSQL says only the name and code of an error that is not its own",
  async () => {
    const database = await createTestDatabase({ migrated: false });
    await database.db.query(
      "create view schema_migration as select 1 / 0 as version, 'canary' as name, '' as checksum, now() as applied_at",
    );
    const environment = { DATABASE_URL: database.config.url ?? "" };

    const { exitCode, stdout, stderr } = await run(folder, "sql/migrate.ts", ["status"], environment);
    await database.drop();

    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toBe("janus: unexpected failure (PostgresError 22012)\n");
  },
);

describe("janus register", () => {
  const keys = DEFAULT_RECORDS.map(({ key }) => key);
  const said = DEFAULT_RECORDS.map(({ key, name }) => `registered  ${key}  (${name})\n`).join("");
  const installUrl = `https://discord.com/oauth2/authorize?client_id=${DISCORD_CLIENT_ID}&scope=applications.commands`;
  test.concurrent.each([
    ["register", [], said],
    ["register", ["-y"], said],
    [
      "register",
      ["--json"],
      `{"registered":${JSON.stringify(keys)},"install_url":"${installUrl}","applied":true,`,
    ],
  ] as const)("puts the records at Discord and exits with 0: %s %j", async (name, more, output) => {
    const standin = startDiscord({
      clientId: DISCORD_CLIENT_ID,
      clientSecret: "unused",
      botToken: CANARY.botToken,
      redirectUris: [],
      users: [],
    });

    const environment = registration({ DISCORD_API_URL: standin.apiUrl });
    const { exitCode, stdout, stderr } = await host.run("index.ts", [name, "--yes", ...more], environment);
    await standin.stop();

    expect(exitCode).toBe(0);
    expect(stderr).toContain("the database of the server was not told (there is no database in ./data yet)");
    expect(stdout).toContain(output);
    expect(stdout).toContain(installUrl);
    expect(standin.records().map(({ key }) => key)).toEqual(keys);
    expect(standin.calls.map(({ operation }) => operation)).toEqual([
      "get_metadata",
      "put_metadata",
      "get_metadata",
    ]);
    expect(standin.unexpected).toEqual([]);
  });

  test.concurrent.each([
    ["of Discord's own", "https://discord.com/oauth2/authorize"],
    ["of a proxy of one's own, with a query", "https://discord.example.org/authorize?via=proxy"],
  ])("prints the address %s", async (_, authorizeUrl) => {
    const standin = startDiscord({
      clientId: DISCORD_CLIENT_ID,
      clientSecret: "unused",
      botToken: CANARY.botToken,
      redirectUris: [],
      users: [],
    });
    const environment = registration({
      DISCORD_API_URL: standin.apiUrl,
      DISCORD_AUTHORIZE_URL: authorizeUrl,
    });

    const { stdout } = await host.run("index.ts", ["register", "--yes", "--json"], environment);
    await standin.stop();

    const { install_url } = JSON.parse(stdout) as { readonly install_url: string };
    expect(install_url).toStartWith(authorizeUrl);
    expect([...new URL(install_url).searchParams].filter(([name]) => name !== "via")).toEqual([
      ["client_id", DISCORD_CLIENT_ID],
      ["scope", "applications.commands"],
    ]);
  });

  test.concurrent("tells the database, so that a server knows that it was done", async () => {
    await using place = await createPlace({ migrated: true });
    const { environment, inspect } = place;
    const registered = () =>
      inspect((db) => db.query("select application_id, records_hash from registration"));
    const standin = startDiscord({
      clientId: DISCORD_CLIENT_ID,
      clientSecret: CANARY.discordClientSecret,
      botToken: CANARY.botToken,
      redirectUris: [],
      users: [],
    });
    const own = { ...environment, DISCORD_API_URL: standin.apiUrl };

    const first = await run(folder, "index.ts", ["register", "--yes"], registration(own));
    const rows = await registered();
    const again = await host.run("index.ts", ["register", "--yes"], registration(own));
    const server = await serve(folder, serverEnvironment(own));
    const ready = await poll(() => server.get("/readyz"), 200);
    await server.stop();
    await standin.stop();

    expect([first, again].map(({ exitCode, stderr }) => ({ exitCode, stderr }))).toEqual([
      { exitCode: 0, stderr: "" },
      { exitCode: 0, stderr: "" },
    ]);
    expect(rows).toEqual([
      { applicationId: DISCORD_CLIENT_ID, recordsHash: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
    expect(await registered()).toEqual(rows);
    expect(JSON.parse(ready.text).warnings ?? []).not.toContain("records_not_registered");
  });

  test.concurrent.each([
    ["a database that is down", { DATABASE_URL: `postgres://${NOBODY}/janus` }, "cannot be reached"],
    ["a malformed DATABASE_URL", { DATABASE_URL: "canary" }, "DATABASE_URL must be the URL"],
    ["no folder", { DATA_DIR: "/nowhere/janus" }, "there is no database in /nowhere/janus yet"],
  ])("registers anyway beside %s, and says so", async (_, more, why) => {
    const { exitCode, stdout, stderr } = await host.run(
      "index.ts",
      ["register", "--yes", "--json"],
      registration(more),
    );

    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout).registered).toEqual(keys);
    expect(JSON.parse(stderr).warning).toContain(`was not told (`);
    expect(JSON.parse(stderr).warning).toContain(why);
    expect(stderr).not.toContain("canary");
  });

  test.concurrent.if(onPostgres)("on PostgreSQL registers before janus migrate, and says so", async () => {
    await using place = await createPlace({ migrated: false });

    const { exitCode, stderr } = await host.run(
      "index.ts",
      ["register", "--yes"],
      registration(place.environment),
    );

    expect(exitCode).toBe(0);
    expect(stderr).toContain("was not told (the database lacks what the program needs");
  });

  test.concurrent("exits with 2 without a bot token, and names the variable", async () => {
    const { exitCode, stdout, stderr } = await host.run("index.ts", ["register"], { DISCORD_CLIENT_ID });

    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain("DISCORD_BOT_TOKEN is missing");
  });

  test.concurrent("exits with 2 for a bot token that no header can hold", async () => {
    const environment = registration({ DISCORD_BOT_TOKEN: "canary\u2028wrong\n" });

    const { exitCode, stdout, stderr } = await host.run("index.ts", ["register"], environment);

    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain("DISCORD_BOT_TOKEN");
    expect(stderr).not.toContain("canary");
  });

  test.concurrent("warns of a bot token in quotes, and exits with 1", async () => {
    const environment = registration({ DISCORD_BOT_TOKEN: `"${CANARY.botToken}"` });

    const { exitCode, stderr } = await host.run("index.ts", ["register"], environment);

    expect(exitCode).toBe(exitCodeOf("registration_failed"));
    expect(stderr).toStartWith("janus: warning: DISCORD_BOT_TOKEN is wrapped in quotes");
    expect(stderr).toContain("does not accept the bot token");
    expect(stderr).not.toContain("canary");
  });

  test.concurrent.each([
    [
      "a wrong bot token",
      { DISCORD_BOT_TOKEN: "canary-wrong" },
      /does not accept the bot token: check DISCORD_BOT_TOKEN/,
    ],
    ["another application's id", { DISCORD_CLIENT_ID: "999999999999999999" }, /DISCORD_CLIENT_ID/],
    ["Discord down", { DISCORD_API_URL: `http://${NOBODY}/api/v10` }, /Discord did not answer.*Try again/],
  ])("exits with 1 and no token if it meets %s", async (_, change, why) => {
    const { exitCode, stdout, stderr } = await host.run(
      "index.ts",
      ["register", "--yes"],
      registration(change),
    );

    expect({ exitCode, stdout }).toEqual({ exitCode: exitCodeOf("registration_failed"), stdout: "" });
    expect(stderr).toMatch(why);
    expect(stderr).toStartWith("janus: ");
    expect(stdout + stderr).not.toContain("canary");
    expect(stdout + stderr).not.toContain("    at ");
  });
});

test("JanusError.exitStatus is 2 for wrong use and configuration, else 1", () => {
  const codes: readonly CommandErrorCode[] = [
    "usage",
    "config_invalid",
    "registration_failed",
    "database_newer",
  ];

  expect(codes.map(exitCodeOf)).toEqual([2, 2, 1, 1]);
});

describe("janus serve", () => {
  test.concurrent("answers each method and path as its route says", async () => {
    await using place = await createPlace({ migrated: true });
    const server = await serve(folder, serverEnvironment(place.environment));
    await poll(() => server.get("/readyz"), 200);
    const asked: readonly (readonly [string, string, number, string | null])[] = [
      ["GET", "/linked-role", 302, null],
      ["GET", "/linked-role/", 302, null],
      ["HEAD", "/linked-role", 302, null],
      ["GET", "/linked-role?x=1", 302, null],
      ["POST", "/linked-role", 405, "GET"],
      ["GET", "/link/move", 405, "POST"],
      ["POST", "/link/move", 403, null],
      ["GET", "/api/auth/logout", 405, "POST"],
      ["GET", "/api/sessions/a", 405, "DELETE"],
      ["DELETE", "/api/sessions/a", 403, null],
      ["GET", "/api/userinfo", 401, null],
      ["OPTIONS", "/api/userinfo", 405, "GET"],
      ["GET", "/nowhere", 404, null],
    ];

    const answers = await Promise.all(
      asked.map(async ([method, path]) => {
        const response = await fetch(server.address + path, { method, redirect: "manual" });
        return [method, path, response.status, response.headers.get("allow")] as const;
      }),
    );
    await server.stop();

    expect(answers).toEqual([...asked]);
  });

  test.concurrent("is alive at once, ready when the provider is, and stops", async () => {
    await using place = await createPlace({ migrated: true });
    const { environment } = place;
    const provider = startForger({
      clientId: OIDC_CLIENT_ID,
      clientSecret: CANARY.oidcClientSecret,
      redirectUris: [],
    });
    const gate = provider.gate("discovery");
    const asked = provider.gate("token", "answer");
    await place.inspect((db) =>
      rememberRecords(
        { queries: createQueries(db), rules: DEFAULT_RULES, now: () => new Date() },
        DISCORD_CLIENT_ID,
      ),
    );

    const server = await serve(folder, serverEnvironment({ ...environment, OIDC_ISSUER: provider.issuer }));
    await gate.arrived;
    const health = await server.get("/healthz");
    const early = await readinessOf(server);
    gate.release();
    const late = await poll(() => server.get("/readyz"), 200);
    await asked.arrived;
    asked.release();
    const ended = await server.stop();
    await provider.stop();

    expect(server.address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const lines = ended.stdout.split("\n").map((line): Record<string, unknown> => JSON.parse(line));
    expect(lines.filter(({ address }) => address !== undefined)).toMatchObject([
      { level: "info", event: "listening", address: server.address, version: packageJson.version },
    ]);
    // The questions about the setup are asked at the same time, and nothing waits for them.
    const loud = lines.filter(({ level, operation }) => level !== "debug" && operation !== "client_check");
    expect(loud.map(({ event, operation }) => operation ?? event)).toEqual([
      "listening",
      "rules_in_force",
      "serving",
      "discovery",
      "stopping",
      "stopped",
    ]);
    expect(health).toEqual({ status: 200, text: '{"status":"alive"}' });
    expect(early.status).toBe(503);
    expect(JSON.parse(early.text)).toEqual({
      status: "not_ready",
      database: "ready",
      provider: "discovery_not_loaded",
    });
    expect(late.status).toBe(200);
    expect(JSON.parse(late.text)).toEqual({ status: "ready", database: "ready", provider: "ready" });
    expect({ exitCode: ended.exitCode, stderr: ended.stderr }).toEqual({ exitCode: 0, stderr: "" });
  });

  test.concurrent("lets a request in progress finish when it stops", async () => {
    await using place = await createPlace({ migrated: true });
    const { environment } = place;
    const port = freePort();
    const url = `http://127.0.0.1:${port}`;
    const standin = startDiscord({
      clientId: DISCORD_CLIENT_ID,
      clientSecret: CANARY.discordClientSecret,
      botToken: "",
      redirectUris: [`${url}/discord-oauth-callback`],
      users: Object.values(USERS),
    });
    const server = await serve(folder, {
      ...environmentFor(url, standin, forger.issuer),
      ...environment,
      PORT: String(port),
    });
    const browser = createBrowser(url);
    const callback = await reachDiscordCallback(browser, USERS.anna.id);
    const gate = standin.gate("get_current_authorization");

    const answering = browser.get(callback);
    await gate.arrived;
    const stopping = server.stop();
    gate.release();
    const [answer, ended] = await Promise.all([answering, stopping]);
    await standin.stop();

    expect(answer.status).toBe(302);
    expect(answer.headers.get("location")).toStartWith(forger.issuer);
    expect(ended.exitCode).toBe(0);
  });

  test.concurrent("exits with 1 if its port is taken, and logs that", async () => {
    const database = { DATABASE_URL: `postgres://${NOBODY}/janus` };
    const first = await serve(folder, serverEnvironment(database));
    const taken = new URL(first.address).port;

    const ended = await run(folder, "index.ts", [], serverEnvironment({ ...database, PORT: taken }));
    await first.stop();

    expect(ended.exitCode).toBe(exitCodeOf("address_in_use"));
    expect(ended.stderr).toBe(
      `janus: Cannot listen on 127.0.0.1:${taken} (EADDRINUSE): set HOST and PORT to an address of this machine that is free.\n`,
    );
    expect(ended.stdout.split("\n").filter((line) => line !== "")).toHaveLength(1);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      level: "error",
      event: "start_failed",
      code: "address_in_use",
      causeCode: "EADDRINUSE",
    });
  });

  test.concurrent("exits with 2 and listens nowhere if the rules have faults", async () => {
    const rules = join(folder, "faulty_rules.toml");
    await Bun.write(rules, '[[record]]\nkey = "member"\ntype = "boolean"\nvalue = "claims.a =="\n');

    const ended = await host.run("index.ts", [], serverEnvironment({ RULES_FILE: rules }));

    expect(ended.exitCode).toBe(exitCodeOf("config_invalid"));
    expect(ended.stdout).toBe("");
    expect(ended.stderr).toContain(`${rules}:3:8: record "member": "boolean" is not a type of Discord`);
    expect(ended.stderr).toContain(`${rules}:4:21: record "member": the expression ends too early`);
  });

  test.concurrent("is alive but not ready while nothing answers it, and stops on SIGINT soon", async () => {
    const environment = serverEnvironment({
      DATABASE_URL: `postgres://janus:${CANARY.botToken}@${NOBODY}/janus`,
      DATABASE_WAIT_SECONDS: "3600",
      OIDC_ISSUER: `http://${NOBODY}`,
    });
    const server = await serve(folder, environment);

    const ready = await server.get("/readyz");
    const health = await server.get("/healthz");
    const ended = await server.stop("SIGINT");

    expect(ready.status).toBe(503);
    expect(JSON.parse(ready.text)).toMatchObject({ status: "not_ready", database: "database_unavailable" });
    expect(health.status).toBe(200);
    expect({ exitCode: ended.exitCode, stderr: ended.stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(ended.stdout + ended.stderr).not.toContain("canary");
  });

  test.concurrent("is alive but not ready before the migrations", async () => {
    await using place = await createPlace({ migrated: false });
    const { environment } = place;
    const server = await serve(folder, serverEnvironment(environment));

    const before = await readinessOf(server);
    // The embedded database is migrated at the start; PostgreSQL when the operator says.
    const migrated = onPostgres ? await host.run("sql/migrate.ts", [], environment) : { exitCode: 0 };
    const after = await poll(() => server.get("/readyz"), 200);
    await server.stop();

    expect(JSON.parse(before.text)).toMatchObject({
      database: onPostgres ? "database_not_migrated" : "ready",
    });
    expect(migrated.exitCode).toBe(0);
    expect(after.status).toBe(200);
  });
});

describe.if(onPostgres)("janus serve on PostgreSQL", () => {
  test.concurrent("survives a database that falls silent for a while", async () => {
    await using place = await createPlace({ migrated: true });
    const { environment } = place;
    const url = new URL(environment.DATABASE_URL ?? "");
    const proxy = await startProxy({ hostname: url.hostname, port: Number(url.port || 5432) });
    url.host = `127.0.0.1:${proxy.port}`;
    const server = await serve(folder, serverEnvironment({ DATABASE_URL: url.href }));
    const database = async (): Promise<unknown> =>
      server.get("/readyz").then(
        ({ text }) => JSON.parse(text).database,
        () => "the server is gone",
      );
    const inParallel = () => Promise.all(Array.from({ length: 10 }, database));

    while ((await inParallel()).some((state) => state !== "ready")) await Bun.sleep(20);
    await proxy.cut();
    const during = await inParallel();
    const { port } = new URL(server.address);
    const check = () => host.run("index.ts", ["healthcheck", "--ready"], { PORT: port });
    let told = await check();
    // The check has a deadline of its own, which a busy machine may miss.
    while (told.stderr.includes("no answer within")) told = await check();
    const health = await server
      .get("/healthz")
      .catch((error: unknown) => ({ status: 0, text: String(error) }));
    await proxy.mend();
    let after: unknown = "";
    while (after !== "ready" && health.status === 200) after = await database();
    const ended = await server.stop();
    await proxy.stop();

    expect(new Set(during)).toEqual(new Set(["database_unavailable"]));
    expect(told.stderr).toBe(`janus: http://127.0.0.1:${port}/readyz: database: database_unavailable\n`);
    expect(health.status).toBe(200);
    expect(after).toBe("ready");
    expect(ended.exitCode).toBe(0);
    expect(ended.stderr).toBe("");
  });

  test.concurrent("becomes ready twice on one database, migrated once", async () => {
    await using place = await createPlace({ migrated: false });
    const { environment } = place;

    const migrated = await Promise.all(
      Array.from({ length: 3 }, () => run(folder, "sql/migrate.ts", ["--json"], environment)),
    );
    const servers = await Promise.all([1, 2].map(() => serve(folder, serverEnvironment(environment))));
    const ready = await Promise.all(servers.map((server) => poll(() => server.get("/readyz"), 200)));
    await Promise.all(servers.map((server) => server.stop()));

    expect(migrated.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    expect(migrated.flatMap(({ stdout }) => JSON.parse(stdout).applied)).toEqual(LABELS);
    expect(ready.map(({ status }) => status)).toEqual([200, 200]);
  });
});

describe.if(onPostgres)("DATABASE_PREPARE", () => {
  /** Every connection of the pool, and how many prepared statements it has. */
  async function preparedStatements({ db }: TestDatabase): Promise<readonly number[]> {
    const counts = await Promise.all(
      Array.from({ length: 20 }, () =>
        db.query("select count(*)::integer as count from pg_prepared_statements"),
      ),
    );
    return (counts.flat() as { count: number }[]).map(({ count }) => count);
  }

  test.each([
    ["false", 0],
    ["true", 1],
  ] as const)("%s works for the whole flow, and prepares what it should", async (value, least) => {
    const database = await createTestDatabase({ prepare: value === "true" });
    const janus = await startJanus({ database, environment: { DATABASE_PREPARE: value } });

    const response = await linkAccounts(janus, USERS.anna.id, "anna");
    const again = await linkAccounts(janus, USERS.anna.id, "anna");

    expect(janus.config.database.prepare).toBe(value === "true");
    expect([response.status, again.status]).toEqual([200, 200]);
    expect(janus.discord.roleConnection(USERS.anna.id)?.metadata).toEqual({ dsek_member: "1" });
    const most = Math.max(...(await preparedStatements(database)));
    if (least === 0) expect(most).toBe(0);
    else expect(most).toBeGreaterThanOrEqual(least);
    await janus.stop();
    await database.drop();
  });
});
