/** Commands that were answered before their look was done, when the process stops: it waits for them, and no longer. */
import { describe, expect, test } from "bun:test";
import { openDatabase } from "../../lib/database/open.ts";
import { createLateLooks } from "../../lib/interactions/late.ts";
import { serve } from "../fixtures/command.ts";
import { DISCORD_PUBLIC_KEY } from "../fixtures/discord_events.ts";
import { GUILD, sendInteraction, status, whois } from "../fixtures/interactions.ts";
import { onPostgres } from "../harness/database.ts";
import { useDatabase, useFolder, useForAll } from "../harness/hooks.ts";
import { CANARY, DISCORD_CLIENT_ID, environmentFor, OIDC_CLIENT_ID, USERS } from "../harness/janus.ts";
import { freePort } from "../harness/ports.ts";
import { startDiscord } from "../standins/discord.ts";
import { startForger } from "../standins/forger.ts";

describe("createLateLooks()", () => {
  test("counts looks until they are done, and waits also for those that come meanwhile", async () => {
    const looks = createLateLooks();
    const [first, second, third] = [1, 2, 3].map(() => Promise.withResolvers<void>());
    let isSettled = false;
    await looks.settled();

    looks.add(first?.promise ?? Promise.resolve());
    looks.add(second?.promise ?? Promise.resolve());
    const settled = looks.settled().then(() => {
      isSettled = true;
    });
    looks.add(third?.promise ?? Promise.resolve());
    const counts = [looks.count()];
    first?.resolve();
    second?.reject(new Error("the database is gone"));
    while (looks.count() > 1) await Promise.resolve();
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    counts.push(looks.count());
    const before = isSettled;
    third?.resolve();
    await settled;

    expect([counts, before, looks.count()]).toEqual([[3, 1], false, 0]);
  });
});

describe.if(onPostgres)("janus serve on a stop signal, after commands that were answered late", () => {
  const folder = useFolder("late");
  const database = useDatabase();
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const clock = { now: () => new Date() };
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

  /** A process that has answered two commands, while somebody else holds the table that both looks read. */
  async function answerLate(shutdownSeconds: string) {
    const server = await serve(folder, {
      ...environmentFor(url, discord, forger.issuer),
      DATABASE_URL: database.config.url ?? "",
      PORT: String(port),
      ...{ DISCORD_PUBLIC_KEY, DISCORD_GUILD_IDS: GUILD, SYNC: "off" },
      SHUTDOWN_SECONDS: shutdownSeconds,
    });
    while ((await server.get("/readyz")).status !== 200) await Bun.sleep(20);
    const other = await openDatabase(database.config);
    const [locked, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const holding = other.transaction(async (query) => {
      await query("lock table link in access exclusive mode");
      locked.resolve();
      await release.promise;
    });
    await locked.promise;
    const answers = await Promise.all(
      [whois("1", { by: "2" }), status({ by: "1" })].map((payload) =>
        sendInteraction({ url, clock }, payload),
      ),
    );
    expect(answers.map((answer) => answer.status)).toEqual([200, 200]);
    const free = async (): Promise<void> => {
      release.resolve();
      await holding;
      await other.close();
    };
    const linesOf = (name: string) =>
      server.lines.map((line) => JSON.parse(line)).filter(({ event }) => event === name);
    return { server, free, linesOf };
  }

  test("counts them, and waits for them", async () => {
    const { server, free, linesOf } = await answerLate("600");

    const stopping = server.stop();
    while (linesOf("stopping").length === 0) await Bun.sleep(10);
    await free();
    const { exitCode } = await stopping;

    expect(linesOf("stopping")).toMatchObject([{ count: 2 }]);
    expect([exitCode, linesOf("requests_cut_off"), linesOf("stopped").length]).toEqual([0, [], 1]);
  }, 60_000);

  test("waits for SHUTDOWN_SECONDS at most, and says how many it cut off", async () => {
    const { server, free, linesOf } = await answerLate("1");

    const { exitCode } = await server.stop();
    await free();

    expect([exitCode, linesOf("requests_cut_off")]).toMatchObject([0, [{ level: "warn", count: 2 }]]);
  }, 60_000);
});
