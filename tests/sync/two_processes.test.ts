/**
 * Two processes on one PostgreSQL read the claims of many links again and tell Discord, while they are killed one after
 * the other and while the primary is replaced by its standby; directly, and behind PgBouncer in transaction mode.
 * SYNC_LINKS is how many links there are: 5,000 take some minutes.
 */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { migrateUp } from "../../lib/database/migrations.ts";
import type { Database } from "../../lib/database/open.ts";
import { openDatabase } from "../../lib/database/open.ts";
import { asJanusError } from "../../lib/errors.ts";
import { LEASE_SECONDS } from "../../lib/grants/refresh_lease.ts";
import type { Environment } from "../fixtures/command.ts";
import { leaveDueLinks, POINTS_RULES } from "../fixtures/due_links.ts";
import { writeRules } from "../fixtures/rules_file.ts";
import { createSkippingClock } from "../fixtures/skipping_clock.ts";
import type { SyncPair } from "../fixtures/sync_pair.ts";
import { startSyncPair } from "../fixtures/sync_pair.ts";
import type { Answered, SyncWatch } from "../fixtures/sync_watch.ts";
import { watchSync } from "../fixtures/sync_watch.ts";
import { findInitdb, NO_INITDB, startCluster } from "../harness/cluster.ts";
import { createTestDatabase, onPostgres } from "../harness/database.ts";
import { useFolder } from "../harness/hooks.ts";
import { discordClient, environmentFor, providerClient } from "../harness/janus.ts";
import { findPgBouncer, NO_PGBOUNCER, startPgBouncer } from "../harness/pgbouncer.ts";
import { freePort } from "../harness/ports.ts";
import { startDiscord } from "../standins/discord.ts";
import { createKey, startForger } from "../standins/forger.ts";

const LINKS = Number(process.env.SYNC_LINKS ?? 200);
const IS_LONG = LINKS > 1_000;
/** One process is killed each time that so many refreshes and pushes were answered: every few seconds. */
const ANSWERS_A_KILL = IS_LONG ? 400 : LINKS / 2;
/** The primary stops when so many links have been read. */
const LINKS_BEFORE_STOP = LINKS / 3;
/** A claim may be that much older than the call that it is for, which waits for its turn. */
const WAIT_SECONDS = 30;
/** After an outage nothing is tried again sooner. */
const SHORTEST_PAUSE_SECONDS = 100;
/** As slow as a busy machine is. */
const LIMIT_MS = 240_000 + LINKS * 100;

const isWithout = (program: string | undefined, why: string): boolean => {
  if (onPostgres && program === undefined && !process.env.CI) console.warn(`Some tests are skipped. ${why}`);
  return !onPostgres || (program === undefined && !process.env.CI);
};
const withoutInitdb = isWithout(findInitdb(), NO_INITDB);
const withoutPgBouncer = isWithout(findPgBouncer(), NO_PGBOUNCER);

const folder = useFolder("two-processes");

/** Nobody has the points of another. */
const pointsOf = (index: number): number => index + 1;

/** Both servers, and links at a database whose claims are to be read again. */
async function setScene(databaseUrl: string, more: Environment) {
  await using started = new AsyncDisposableStack();
  const url = `http://127.0.0.1:${freePort()}`;
  const clock = createSkippingClock();
  const { now } = clock;
  const discord = startDiscord({ ...discordClient(url), users: [], now });
  started.defer(discord.stop);
  const provider = startForger({ ...providerClient(url), key: createKey("ES256"), now });
  started.defer(provider.stop);
  // A process that is killed cannot store what it was answered.
  provider.override({ forgivesLostAnswers: true });
  const environment = {
    ...environmentFor(url, discord, provider.issuer),
    ...(await writeRules(folder, POINTS_RULES)),
    SYNC_PROVIDER_PER_SECOND: "1000",
    DATABASE_URL: databaseUrl,
    ...more,
  };
  const db = await openDatabase({ url: databaseUrl, prepare: false, dataDir: "unused" });
  started.defer(db.close);
  const links = await leaveDueLinks(
    { query: db.query, discord, provider, environment },
    LINKS,
    (index, preferred_username) => ({
      before: { preferred_username, points: 0 },
      now: { preferred_username, points: pointsOf(index) },
    }),
  );
  const kept = started.move();
  return {
    clock,
    discord,
    provider,
    links,
    rows: (text: string) => readRows(db, text),
    environmentOf: (): Environment => ({ ...environment, PORT: String(freePort()) }),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

type Scene = Awaited<ReturnType<typeof setScene>>;

/** Reads rows. While there is no primary, it tries again. */
async function readRows(db: Database, text: string): Promise<readonly Record<string, unknown>[]> {
  for (;;) {
    try {
      return (await db.query(text)) as readonly Record<string, unknown>[];
    } catch (error) {
      if (asJanusError(error).code !== "database_unavailable") throw error;
    }
  }
}

/** What moves while a process works. */
async function describeScene({ discord, provider, rows }: Scene): Promise<string> {
  const [row] = await rows(
    "select md5(string_agg(link::text, '' order by discord_user_id)) as sum from link",
  );
  return `${discord.calls.length} ${provider.calls.length} ${row?.sum}`;
}

/** Links that are not done: claims that are those of before, a push that Discord has not taken, or a lease. */
const UNDONE = `
  select from link join organisation_account using (issuer, subject)
  where claims ->> 'points' = '0' or push_due_at is not null or check_leased_until is not null`;

/** What must not be in the end: links that are gone, or of which Discord has something else. */
async function findWrong({ discord, links, rows }: Scene): Promise<readonly string[]> {
  const kept = new Set((await rows("select discord_user_id from link")).map((row) => row.discordUserId));
  return links.flatMap(({ discordUserId, subject }, index) => {
    const has = discord.roleConnection(discordUserId);
    const isTold = has?.metadata.points === String(pointsOf(index)) && has.platform_username === subject;
    return kept.has(discordUserId) && isTold ? [] : [`${discordUserId}: ${JSON.stringify(has)}`];
  });
}

/** Lets two processes sync all links. `onAnswered` may do something to them at each call that was answered. */
async function syncAll(
  scene: Scene,
  apartSeconds: number,
  onAnswered: (answered: Answered, pair: SyncPair) => void | Promise<void>,
) {
  let started: SyncPair | undefined;
  const watch = watchSync(scene, apartSeconds, (answered) => started && onAnswered(answered, started));
  await using pair = await startSyncPair(folder, scene.clock, scene.environmentOf);
  started = pair;
  await pair.finish(
    () => describeScene(scene),
    async () => (await scene.rows(UNDONE)).length === 0,
  );
  const names = await pair.stop();
  return { watch, killed: pair.killed, names };
}

/** Kills the process that has just been answered: by turns its new tokens and its push are not recorded. */
function createKiller() {
  let [answered, kills] = [0, 0];
  return async ({ operation, process }: Answered, pair: SyncPair): Promise<void> => {
    if (operation !== "token_refresh" && operation !== "put_role_connection") return;
    answered += 1;
    const isTurn = operation === (kills % 2 === 0 ? "token_refresh" : "put_role_connection");
    if (!isTurn || answered < (kills + 1) * ANSWERS_A_KILL) return;
    if (await pair.kill(process)) kills += 1;
  };
}

/** Members whose refresh token was sent again after it was spent, though nobody was killed who had sent it. */
const findSpentTwice = (
  { provider }: Scene,
  watch: SyncWatch,
  killed: ReadonlySet<string>,
): readonly string[] =>
  provider.sentRefreshTokens
    .filter(({ token }) => provider.sentAgain.includes(token))
    .map(({ sub = "" }) => sub)
    .filter(
      (sub) =>
        !watch
          .refreshesOf(sub)
          .slice(0, -1)
          .every(({ process }) => killed.has(process)),
    );

/** A database of PostgreSQL of its own. */
async function createDatabase() {
  const { config, drop } = await createTestDatabase();
  return { url: config.url ?? "", [Symbol.asyncDispose]: drop };
}

/** A primary with a standby that follows it, by one address: of both, or of a pooler before the one that is the primary. */
async function createServers(isPooled: boolean) {
  await using started = new AsyncDisposableStack();
  const passwordFile = join(folder, "password");
  await Bun.write(passwordFile, "secret\n");
  const primary = started.use(await startCluster(passwordFile));
  const standby = started.use(await primary.startStandby());
  const addressOf = (hosts: string) => `postgres://janus:secret@${hosts}/postgres`;
  const [own, other] = [`127.0.0.1:${primary.port}`, `127.0.0.1:${standby.port}`];
  const pooler = isPooled ? started.use(await startPgBouncer(addressOf(own))) : undefined;
  const url =
    pooler?.through(addressOf(own)) ?? `${addressOf(`${own},${other}`)}?target_session_attrs=primary`;
  const db = await openDatabase({ url, prepare: false, dataDir: "unused" });
  await migrateUp(db, () => new Date());
  await db.close();
  const kept = started.move();
  return {
    url,
    /** In good order, so that the standby has all that the primary has confirmed. */
    replacePrimary: async (): Promise<void> => {
      await primary.rest();
      await standby.promote();
      await pooler?.pointTo(addressOf(other));
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

const BEHIND = [
  ["PostgreSQL", false],
  ["PgBouncer", true],
] as const;

describe.each(BEHIND)("two processes that sync behind %s", (_, isPooled) => {
  test.skipIf(isPooled ? withoutPgBouncer : !onPostgres)(
    "sync each link though one is killed again and again",
    async () => {
      await using database = await createDatabase();
      await using pooler = isPooled ? await startPgBouncer(database.url) : undefined;
      const url = pooler?.through(database.url) ?? database.url;
      await using scene = await setScene(url, isPooled ? { DATABASE_PREPARE: "false" } : {});

      const { watch, killed } = await syncAll(scene, LEASE_SECONDS - WAIT_SECONDS, createKiller());

      if (IS_LONG)
        console.log(
          `${LINKS} links, ${killed.size} kills, ${scene.provider.sentAgain.length} tokens sent again`,
        );
      expect(killed.size).toBeGreaterThan(0);
      expect(watch.faults).toEqual([]);
      expect(await findWrong(scene)).toEqual([]);
      // Only a process that is dead has not stored what it was answered.
      expect(findSpentTwice(scene, watch, killed)).toEqual([]);
    },
    LIMIT_MS,
  );

  test.skipIf(isPooled ? withoutPgBouncer || withoutInitdb : withoutInitdb)(
    "go on by themselves when a standby takes the primary's place",
    async () => {
      await using servers = await createServers(isPooled);
      await using scene = await setScene(servers.url, isPooled ? { DATABASE_PREPARE: "false" } : {});
      let reads = 0;
      let replacing: Promise<void> | undefined;

      const { watch, names } = await syncAll(scene, SHORTEST_PAUSE_SECONDS, ({ operation }) => {
        if (operation === "token_refresh") reads += 1;
        if (reads > LINKS_BEFORE_STOP) replacing ??= servers.replacePrimary();
      });
      await replacing;

      expect(replacing).toBeDefined();
      expect(names.toSorted()).toEqual(["process 1", "process 2"]);
      expect(watch.faults).toEqual([]);
      expect(await findWrong(scene)).toEqual([]);
      expect(scene.provider.sentAgain).toEqual([]);
    },
    LIMIT_MS,
  );
});
