/** A server process starts and stops: it waits for its database, finishes requests, and cuts off late ones. */
import { describe, expect, test } from "bun:test";
import { waitForDatabase } from "../../lib/database/wait.ts";
import { databaseUnavailable } from "../../lib/errors.ts";
import type { Environment, Serving } from "../fixtures/command.ts";
import { run, serve } from "../fixtures/command.ts";
import { startProxy } from "../fixtures/proxy.ts";
import { createTestDatabase, onPostgres } from "../harness/database.ts";
import { useFolder, useForAll } from "../harness/hooks.ts";
import {
  CANARY,
  createBrowser,
  DISCORD_CLIENT_ID,
  environmentFor,
  OIDC_CLIENT_ID,
  USERS,
} from "../harness/janus.ts";
import { freePort, NOBODY } from "../harness/ports.ts";
import { rejection } from "../harness/rejection.ts";
import { reachDiscordCallback } from "../harness/walk.ts";
import { startDiscord } from "../standins/discord.ts";
import { startForger } from "../standins/forger.ts";

const folder = useFolder("life");
const port = freePort();
const url = `http://127.0.0.1:${port}`;

const discord = useForAll(
  async () =>
    startDiscord({
      clientId: DISCORD_CLIENT_ID,
      clientSecret: CANARY.discordClientSecret,
      botToken: "",
      redirectUris: [`${url}/discord-oauth-callback`],
      users: Object.values(USERS),
    }),
  ({ stop }) => stop(),
);
const forger = useForAll(
  async () =>
    startForger({ clientId: OIDC_CLIENT_ID, clientSecret: CANARY.oidcClientSecret, redirectUris: [] }),
  ({ stop }) => stop(),
);

/** A configuration without a database: the requests of these tests need none. */
const environment = (more: Environment = {}): Environment => ({
  ...environmentFor(url, discord, forger.issuer),
  DATABASE_URL: `postgres://${NOBODY}/janus`,
  PORT: String(port),
  ...more,
});

/** It says how long it really waited, which is longer on a busy machine. */
const WAITED = "waited \\d+ seconds for the database: the database cannot be reached \\(ECONNREFUSED\\)";

type Line = Readonly<Record<string, unknown>>;
const eventsOf = ({ lines }: Pick<Serving, "lines">): Line[] => lines.map((line) => JSON.parse(line) as Line);

/** Asks until the answer has this status. */
async function until(server: Serving, path: string, status: number): Promise<string> {
  for (;;) {
    const answer = await server.get(path);
    if (answer.status === status) return answer.text;
    await Bun.sleep(20);
  }
}

/** A callback that Janus is answering, since Discord does not answer it. */
async function holdRequest() {
  const browser = createBrowser(url);
  const callback = await reachDiscordCallback(browser, USERS.anna.id);
  const gate = discord.gate("get_current_authorization");
  const answer = browser.get(callback).then(
    ({ status }) => status,
    () => "cut off",
  );
  await gate.arrived;
  return { answer, release: gate.release };
}

describe("janus serve on a stop signal", () => {
  test("fails /readyz, keeps serving, then finishes open requests", async () => {
    const server = await serve(folder, environment({ DRAIN_SECONDS: "6", SHUTDOWN_SECONDS: "600" }));
    const held = await holdRequest();

    const stopping = server.stop();
    // Without a database /readyz answered 503 before, too.
    while (!server.lines.some((line) => line.includes('"stopping"'))) await Bun.sleep(10);
    const ready = await server.get("/readyz");
    const during = await fetch(`${url}/linked-role`, { redirect: "manual" });
    const takesMore = () =>
      fetch(`${url}/healthz`, { keepalive: false }).then(
        () => true,
        () => false,
      );
    while (await takesMore()) await Bun.sleep(50);
    const closedAt = Date.now();
    held.release();
    const [status, ended] = await Promise.all([held.answer, stopping]);

    expect([ready.status, JSON.parse(ready.text)]).toEqual([503, { status: "stopping" }]);
    expect(during.status).toBe(302);
    expect(during.headers.get("connection")).toBe("close");
    const [stopped] = eventsOf(server).filter(({ event }) => event === "stopping");
    expect(closedAt - Date.parse(String(stopped?.time))).toBeGreaterThan(5_900);
    // The database does not answer, so the member gets an error page, but the request is answered.
    expect(status).toBe(503);
    expect(ended.exitCode).toBe(0);
    expect(eventsOf(server).filter(({ event }) => event === "requests_cut_off")).toEqual([]);
    expect(eventsOf(server).at(-1)).toMatchObject({ event: "stopped" });
  });

  test("cuts off requests that outlast SHUTDOWN_SECONDS", async () => {
    const server = await serve(folder, environment({ SHUTDOWN_SECONDS: "1" }));
    const held = await holdRequest();

    const ended = await server.stop();
    held.release();

    expect(await held.answer).toBe("cut off");
    expect(ended.exitCode).toBe(0);
    expect(eventsOf(server).slice(-2)).toMatchObject([
      { event: "requests_cut_off", level: "warn", count: 1 },
      { event: "stopped" },
    ]);
  });

  test("logs tokens as lost that the database never stored", async () => {
    const server = await serve(folder, environment());
    const held = await holdRequest();
    held.release();
    await held.answer;

    await server.stop();

    expect(eventsOf(server).filter(({ event }) => event === "tokens_lost")).toMatchObject([
      { level: "error", step: "stray_tokens", reason: "Janus stopped before the database had stored them" },
    ]);
  });

  test("exits with 1 at once when a second signal comes", async () => {
    const server = await serve(folder, environment({ SHUTDOWN_SECONDS: "600", DRAIN_SECONDS: "300" }));

    const first = server.stop("SIGINT");
    while (!server.lines.some((line) => line.includes('"stopping"'))) await Bun.sleep(10);
    const second = await server.stop("SIGINT");
    await first;

    expect(second.exitCode).toBe(1);
    expect(eventsOf(server).filter(({ event }) => event === "stopped")).toEqual([]);
  });
});

describe("waitForDatabase()", () => {
  test("retries until its time is over, and reports its real wait", async () => {
    let ms = 0;
    const tries: number[] = [];
    const work = async (): Promise<never> => {
      tries.push(ms);
      ms += 300;
      throw databaseUnavailable("the database cannot be reached (ECONNREFUSED)");
    };

    const failure = await rejection(
      waitForDatabase(work, {
        seconds: 2,
        now: () => new Date(ms),
        sleep: async (pause) => {
          ms += pause;
        },
        onWait: () => undefined,
      }),
    );

    // The second try ended before the two seconds were over, so there is a third.
    expect(tries).toEqual([0, 1_300, 2_600]);
    expect(failure.message).toStartWith("waited 3 seconds for the database: ");
  });
});

describe("an unreachable database", () => {
  test("makes janus serve wait, say why, and exit with 1", async () => {
    const password = CANARY.botToken;
    const DATABASE_URL = `postgres://janus:${password}@${NOBODY}/janus`;

    const ended = await run(
      folder,
      "index.ts",
      [],
      environment({
        DATABASE_URL,
        DATABASE_WAIT_SECONDS: "4",
        DRAIN_SECONDS: "300",
        SHUTDOWN_SECONDS: "600",
      }),
    );

    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toMatch(new RegExp(`^janus: ${WAITED}\n$`));
    expect(eventsOf({ lines: ended.stdout.trim().split("\n") })).toContainEqual(
      expect.objectContaining({
        level: "error",
        event: "start_failed",
        code: "database_unavailable",
        reason: expect.stringMatching(new RegExp(`^${WAITED}$`)),
        causeCode: "ECONNREFUSED",
      }),
    );
    const waits = ended.stdout.split("\n").filter((line) => line.includes("waiting_for_database"));
    expect(waits.length).toBeGreaterThanOrEqual(2);
    expect(JSON.parse(waits[0] ?? "")).toMatchObject({
      level: "warn",
      code: "database_unavailable",
      reason: "the database cannot be reached (ECONNREFUSED)",
    });
    expect(ended.stdout + ended.stderr).not.toContain(password);
    // No request ever reached this process, so it does not drain.
    const [stopping, stopped] = eventsOf({ lines: ended.stdout.trim().split("\n") }).slice(-2);
    expect([stopping?.event, stopped?.event]).toEqual(["stopping", "stopped"]);
    expect(Date.parse(String(stopped?.time)) - Date.parse(String(stopping?.time))).toBeLessThan(300_000);
  });

  test("leaves pages that need none, and makes /readyz not_ready", async () => {
    const server = await serve(folder, environment({ DATABASE_WAIT_SECONDS: "3600" }));
    await until(server, "/readyz", 503);

    const answers = await Promise.all(
      ["/healthz", "/", "/linked-role", "/readyz"].map((path) => fetch(url + path, { redirect: "manual" })),
    );
    const ended = await server.stop();

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 302, 503]);
    expect(await answers[3]?.json()).toMatchObject({ status: "not_ready", database: "database_unavailable" });
    expect(ended.exitCode).toBe(0);
  });

  test("makes janus migrate wait, say so once, and exit with 1", async () => {
    const { exitCode, stdout, stderr } = await run(folder, "sql/migrate.ts", [], {
      DATABASE_URL: `postgres://${NOBODY}/janus`,
      DATABASE_WAIT_SECONDS: "4",
    });

    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toMatch(
      new RegExp(
        "^janus: waiting for the database: the database cannot be reached \\(ECONNREFUSED\\)\n" +
          `janus: ${WAITED}\n$`,
      ),
    );
  });
});

describe.if(onPostgres)("a database that comes up later", () => {
  test("lets a waiting migrate and serve go on", async () => {
    const database = await createTestDatabase({ migrated: false });
    const target = new URL(database.config.url ?? "");
    const late = new URL(target);
    const latePort = freePort();
    late.host = `127.0.0.1:${latePort}`;
    const settings = { DATABASE_URL: late.href, DATABASE_WAIT_SECONDS: "3600" };

    const waiting = Promise.withResolvers<void>();
    const migrating = run(folder, "sql/migrate.ts", ["--json"], settings, () => waiting.resolve());
    const server = await serve(folder, environment(settings));
    await until(server, "/readyz", 503);
    await Promise.race([waiting.promise, migrating]);
    const proxy = await startProxy(
      { hostname: target.hostname, port: Number(target.port || 5432) },
      latePort,
    );
    const migrated = await migrating;
    const ready = await until(server, "/readyz", 200);
    await server.stop();
    await proxy.stop();
    await database.drop();

    expect(migrated.exitCode).toBe(0);
    expect(migrated.stderr).toStartWith('{"warning":"waiting for the database: ');
    expect(JSON.parse(ready)).toMatchObject({ status: "ready" });
  });
});
