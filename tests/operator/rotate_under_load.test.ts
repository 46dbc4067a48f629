/**
 * A rotation that is killed half-way and resumed, while two servers sign members in, refresh tokens and push. ROTATED_ROWS is
 * how many rows nobody else touches: 100,000 take a minute or two.
 */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { createQueries } from "../../lib/database/queries.ts";
import { findKeyUse } from "../../lib/operator/key_use.ts";
import type { Environment } from "../fixtures/command.ts";
import { run, serve } from "../fixtures/command.ts";
import { leaveDueLinks, POINTS_RULES } from "../fixtures/due_links.ts";
import { writeRules } from "../fixtures/rules_file.ts";
import { addSealedLinks, ISSUER, makeRingKey, sealerOf, textOfRing } from "../fixtures/sealed_rows.ts";
import { ROOT } from "../fixtures/source.ts";
import { onPostgres } from "../harness/database.ts";
import { useDatabase, useFolder } from "../harness/hooks.ts";
import type { Browser } from "../harness/janus.ts";
import { createBrowser, discordClient, environmentFor, providerClient } from "../harness/janus.ts";
import { freePort } from "../harness/ports.ts";
import { newUser, reachForgerCallback } from "../harness/walk.ts";
import { startDiscord } from "../standins/discord.ts";
import { createKey, startForger } from "../standins/forger.ts";

const ROWS = Number(process.env.ROTATED_ROWS ?? 6_000);
/** Each link is two rows. */
const LINKS = ROWS / 2;
const DUE_LINKS = ROWS > 50_000 ? 2_000 : 200;
const LIMIT_MS = 240_000 + ROWS * 10;
const SERVER = [process.execPath, "run", join(ROOT, "tests/fixtures/busy_server.ts")];
/** Upkeep shares Discord's limit with members, and has what they leave. */
const [SIGN_IN_EVERY_MS, USE_EVERY_MS] = [200, 100];
const [K1, K2] = [makeRingKey("k1"), makeRingKey("k2")];
const BOTH = [K2, K1];

const folder = useFolder("rotation");

describe.if(onPostgres)("janus keys rotate under two servers", () => {
  const database = useDatabase();

  /** Both servers with both keys, members whose links are due, and many rows that nobody else touches. */
  async function setScene() {
    await using started = new AsyncDisposableStack();
    const port = freePort();
    const url = `http://127.0.0.1:${port}`;
    const discord = startDiscord({ ...discordClient(url), users: [], acceptAnyUser: true });
    started.defer(discord.stop);
    const provider = startForger({ ...providerClient(url), key: createKey("ES256") });
    started.defer(provider.stop);
    const environment: Environment = {
      ...environmentFor(url, discord, provider.issuer),
      ...(await writeRules(folder, POINTS_RULES)),
      SYNC_PROVIDER_PER_SECOND: "1000",
      DATABASE_URL: database.config.url ?? "",
      TOKEN_KEYS: textOfRing(BOTH),
    };
    await addSealedLinks({ database }, [K1], LINKS);
    await leaveDueLinks(
      {
        query: database.db.query,
        discord,
        provider,
        environment: { ...environment, TOKEN_KEYS: textOfRing([K1]) },
      },
      DUE_LINKS,
      (index, preferred_username) => ({
        before: { preferred_username, points: 0 },
        now: { preferred_username, points: index + 1 },
      }),
    );
    const servers = await Promise.all(
      [port, freePort()].map((own, index) =>
        serve(
          folder,
          { ...environment, PORT: String(own), PROCESS: `server ${index}`, LOG_LEVEL: "info" },
          { entry: SERVER },
        ),
      ),
    );
    for (const server of servers) started.defer(async () => void (await server.stop("SIGKILL")));
    const kept = started.move();
    return { url, discord, provider, environment, servers, [Symbol.asyncDispose]: () => kept.disposeAsync() };
  }
  type Scene = Awaited<ReturnType<typeof setScene>>;

  /** Members sign in at the first server, and their sessions are used at the second, until it is told to stop. */
  function startMembers({ url, provider, servers }: Scene) {
    const failed: string[] = [];
    const browsers: Browser[] = [];
    let [isOver, answered] = [false, 0];
    const note = (what: string, status: number): void => {
      answered += 1;
      if (status !== 200) failed.push(`${what}: ${status}`);
    };
    const signIn = async (): Promise<void> => {
      while (!isOver) {
        const user = newUser();
        provider.signInAs({ sub: `sub-of-${user}`, preferred_username: "new", points: 5 });
        const browser = createBrowser(url);
        note("sign-in", (await browser.get(await reachForgerCallback(browser, user))).status);
        browsers.push(browser);
        await Bun.sleep(SIGN_IN_EVERY_MS);
      }
    };
    const useSessions = async (): Promise<void> => {
      for (let turn = 0; !isOver; turn += 1) {
        const browser = browsers[turn % Math.max(1, browsers.length)];
        const cookie = browser?.jar.header(new URL(url));
        await Bun.sleep(USE_EVERY_MS);
        if (cookie !== undefined) {
          const answer = await fetch(`${servers[1]?.address}/api/userinfo`, { headers: { cookie } });
          note("userinfo", answer.status);
          await answer.arrayBuffer();
        }
      }
    };
    const running = Promise.all([signIn(), useSessions()]);
    return {
      stop: async () => {
        isOver = true;
        await running;
        return { failed, answered };
      },
    };
  }

  const sealedAgain = (table: string) =>
    database.rows(
      `select md5(string_agg(access_token_sealed, '' order by access_token_sealed)) as sum, count(*)::integer as count
       from ${table} join link using (${table === "discord_token" ? "discord_user_id" : "issuer, subject"})
       where issuer = '${ISSUER}' and access_token_sealed like 'k2.%'`,
    );
  const hasBegunSecondTable = async (): Promise<boolean> =>
    (
      await database.rows(
        `select 1 as one from organisation_token where issuer = '${ISSUER}' and access_token_sealed like 'k2.%' limit 1`,
      )
    ).length > 0;
  /** Tokens of links that do not open under the new key alone. */
  async function findUnopened(): Promise<number> {
    const sealer = sealerOf([K2]);
    const rows = (await database.rows(
      `select 'discord_token.access_token:' || discord_user_id as context, access_token_sealed as sealed from discord_token
       union all select 'discord_token.refresh_token:' || discord_user_id, refresh_token_sealed from discord_token
       union all select 'organisation_token.access_token:["' || issuer || '","' || subject || '"]', access_token_sealed
         from organisation_token
       union all select 'organisation_token.refresh_token:["' || issuer || '","' || subject || '"]', refresh_token_sealed
         from organisation_token where refresh_token_sealed is not null`,
    )) as { context: string; sealed: string }[];
    return rows.filter(({ context, sealed }) => sealer.open(sealed, context) === undefined).length;
  }

  test(
    "loses no token and fails no request, though it is killed half-way and resumed",
    async () => {
      await using scene = await setScene();
      const members = startMembers(scene);
      const rotate = (onStart?: (pid: number) => void) =>
        run(folder, "index.ts", ["keys", "rotate", "--yes", "--json"], scene.environment, undefined, onStart);

      // Half-way: the first of two tables is done.
      const pid = Promise.withResolvers<number>();
      const killed = rotate(pid.resolve);
      const rotating = await pid.promise;
      while (!(await hasBegunSecondTable())) await Bun.sleep(ROWS / 2_000);
      process.kill(rotating, "SIGKILL");
      const { stdout: toldBefore } = await killed;
      const [byFirst] = (await sealedAgain("discord_token")) as { sum: string; count: number }[];
      const from = performance.now();
      const resumed = await rotate();
      const seconds = (performance.now() - from) / 1_000;
      const [afterSecond] = (await sealedAgain("discord_token")) as { sum: string; count: number }[];
      const { failed, answered } = await members.stop();
      // What the servers do next with the tokens that were sealed again.
      await database.rows(`update link set check_due_at = now() where issuer <> '${ISSUER}'`);
      const undone = "select 1 as one from link where check_due_at <= now() + interval '1 hour'";
      while ((await database.rows(undone)).length > 0) await Bun.sleep(100);
      // A row that a server was using is left for the next run.
      const last = await rotate();

      expect(toldBefore).toBe("");
      expect(byFirst?.count).toBe(LINKS);
      expect(afterSecond).toEqual(byFirst);
      expect(resumed.exitCode).toBe(0);
      expect(JSON.parse(resumed.stdout)).toMatchObject({ left: 0, unreadable: 0 });
      expect(JSON.parse(resumed.stdout).resealed).toBeWithin(1, ROWS);
      expect(JSON.parse(last.stdout)).toMatchObject({ resealed: 0, left: 0, unreadable: 0 });
      expect(failed).toEqual([]);
      expect(answered).toBeGreaterThan(10);
      expect(await findUnopened()).toBe(0);
      const use = await findKeyUse({ queries: createQueries(database.db) }, BOTH);
      expect(use.map(({ keyId, state }) => [keyId, state])).toEqual([
        ["k2", "seals"],
        ["k1", "unused"],
      ]);
      const ended =
        "select 1 as one from organisation_token where ended_at is not null or replaced_tokens <> '[]' and issuer <> '" +
        `${ISSUER}' union all select 1 from discord_token where ended_at is not null`;
      expect(await database.rows(ended)).toEqual([]);
      expect(scene.provider.sentAgain).toEqual([]);
      if (process.env.ROTATED_ROWS)
        console.info(
          `${JSON.parse(resumed.stdout).resealed} rows in ${seconds.toFixed(1)} s; ${answered} requests`,
        );
    },
    LIMIT_MS,
  );
});
