/**
 * A backup while members sign in, of the embedded database as of PostgreSQL: who was linked before it is in it as they are,
 * nobody is in it half, and no member notices.
 */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { readKeysConfig } from "../../lib/config/load.ts";
import type { Database } from "../../lib/database/open.ts";
import { openDatabase } from "../../lib/database/open.ts";
import type { Environment } from "../fixtures/command.ts";
import { run, serve } from "../fixtures/command.ts";
import { sealerOf } from "../fixtures/sealed_rows.ts";
import { createTestDatabase, onPostgres } from "../harness/database.ts";
import { useFolder } from "../harness/hooks.ts";
import { CANARY, createBrowser, discordClient, environmentFor, providerClient } from "../harness/janus.ts";
import { freePort } from "../harness/ports.ts";
import { newUser, reachForgerCallback } from "../harness/walk.ts";
import { startDiscord } from "../standins/discord.ts";
import { createKey, startForger } from "../standins/forger.ts";

const folder = useFolder("backup_load");
const LIMIT_MS = 300_000;
const MEMBERS_BEFORE = 5;
const EMBEDDED = { url: undefined, prepare: true };

/** A server, and members who link their accounts one after the other until they are told to stop. */
async function startScene(database: Environment) {
  await using started = new AsyncDisposableStack();
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const discord = startDiscord({ ...discordClient(url), users: [], acceptAnyUser: true });
  started.defer(discord.stop);
  const provider = startForger({ ...providerClient(url), key: createKey("ES256") });
  started.defer(provider.stop);
  const environment: Environment = {
    ...environmentFor(url, discord, provider.issuer),
    ...database,
    PORT: String(port),
    PATH: process.env.PATH ?? "",
  };
  const server = await serve(folder, environment);
  started.defer(async () => void (await server.stop("SIGKILL")));
  while ((await server.get("/readyz")).status !== 200) await Bun.sleep(50);

  const [linked, failed]: [string[], string[]] = [[], []];
  let [isOver, begun] = [false, ""];
  const running = (async () => {
    while (!isOver) {
      begun = newUser();
      provider.signInAs({ sub: `sub-of-${begun}`, preferred_username: "new" });
      const browser = createBrowser(url);
      const { status } = await browser.get(await reachForgerCallback(browser, begun));
      (status === 200 ? linked : failed).push(begun);
    }
  })();
  const kept = started.move();
  return {
    environment,
    server,
    linked,
    untilLinked: async (count: number) => {
      while (linked.length < count && failed.length === 0) await Bun.sleep(5);
    },
    stop: async () => {
      isOver = true;
      await running;
      await server.stop();
      return failed;
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** What a link is made of, by its member. */
async function linksIn(db: Database): Promise<ReadonlyMap<string, string>> {
  const rows = (await db.query(
    `select link.discord_user_id,
       to_jsonb(array[to_jsonb(discord_account), to_jsonb(organisation_account)])::text as parts,
       discord_token.access_token_sealed || organisation_token.access_token_sealed as tokens
     from link
     inner join discord_account using (discord_user_id)
     inner join discord_token using (discord_user_id)
     inner join organisation_account using (issuer, subject)
     inner join organisation_token using (issuer, subject)`,
  )) as readonly { discordUserId: string; parts: string; tokens: string }[];
  return new Map(rows.map(({ discordUserId, parts, tokens }) => [discordUserId, parts + tokens]));
}

/** Tokens as they are stored, and as they are. */
async function tokensIn(db: Database, environment: Environment) {
  const { tokenKeys } = readKeysConfig(environment);
  const sealer = sealerOf(tokenKeys);
  const rows = (await db.query(
    "select discord_user_id, access_token_sealed from discord_token",
  )) as readonly {
    discordUserId: string;
    accessTokenSealed: string;
  }[];
  return rows.map(({ discordUserId, accessTokenSealed: sealed }) => ({
    sealed,
    token: sealer.open(sealed, `discord_token.access_token:${discordUserId}`),
  }));
}

async function using<Result>(db: Database, work: (db: Database) => Promise<Result>): Promise<Result> {
  return work(db).finally(db.close);
}

/** Takes a backup while members come, restores it into an empty folder, and compares the two. */
async function backUpAndCompare(
  database: Environment,
  options: readonly string[],
  open: () => Promise<Database>,
) {
  const path = join(folder, `${crypto.randomUUID()}.backup`);
  await using scene = await startScene(database);
  await scene.untilLinked(MEMBERS_BEFORE);
  const before = [...scene.linked];
  const made = await run(folder, "index.ts", ["backup", "--json", ...options, path], scene.environment);
  const after = scene.linked.length;
  await scene.untilLinked(after + MEMBERS_BEFORE);
  const during = scene.linked.slice(0, after + 1);
  const status = await run(folder, "index.ts", ["healthcheck", "--ready"], scene.environment);
  const failed = await scene.stop();

  const target = join(folder, crypto.randomUUID());
  const restored = await run(folder, "index.ts", ["restore", "--yes", path], {
    DATA_DIR: target,
    PATH: process.env.PATH ?? "",
  });
  const [live, copy, known] = [
    await using(await open(), linksIn),
    await using(await openDatabase({ ...EMBEDDED, dataDir: target }), linksIn),
    await using(await open(), (db) => db.query("select taken_at from backup")),
  ];

  expect([made.exitCode, made.stderr, status.exitCode, failed]).toEqual([0, "", 0, []]);
  expect(restored.exitCode).toBe(0);
  expect(known).toHaveLength(1);
  expect(before.filter((user) => !copy.has(user))).toEqual([]);
  expect([...copy.keys()].filter((user) => !during.includes(user))).toEqual([]);
  for (const [user, parts] of copy) expect(parts).toBe(live.get(user) ?? "missing");
  return { path, environment: scene.environment };
}

describe("a backup under load", () => {
  test.if(!onPostgres)(
    "of the embedded database comes from the server that has it open",
    async () => {
      const dataDir = join(folder, "data");
      const open = () => openDatabase({ ...EMBEDDED, dataDir });

      const { path, environment } = await backUpAndCompare({ DATA_DIR: dataDir }, [], open);

      const text = gunzipSync(readFileSync(path)).toString();
      const tokens = await using(await open(), (db) => tokensIn(db, environment));
      expect(tokens.filter(({ sealed }) => text.includes(sealed)).length).toBeGreaterThan(MEMBERS_BEFORE);
      expect(tokens.filter(({ token }) => token === undefined || text.includes(token))).toEqual([]);
      for (const secret of Object.values(CANARY)) expect(text).not.toContain(secret);
      expect(readdirSync(dataDir).sort()).toEqual(["janus.lock", "postgres"]);
    },
    LIMIT_MS,
  );

  test.if(!onPostgres)(
    "of the embedded database is refused while another command has it open",
    async () => {
      const dataDir = join(folder, "held");
      const held = await openDatabase({ ...EMBEDDED, dataDir });

      const ended = await run(folder, "index.ts", ["backup", "--json", join(folder, "held.backup")], {
        DATA_DIR: dataDir,
      });
      await held.close();

      expect([ended.exitCode, JSON.parse(ended.stderr).error.code]).toEqual([1, "data_dir_locked"]);
    },
    LIMIT_MS,
  );

  test.if(onPostgres).each([[[]], [["--own-form"]]])(
    "of PostgreSQL with %j leaves servers alone",
    async (options) => {
      const database = await createTestDatabase();
      const url = database.config.url ?? "";

      await backUpAndCompare({ DATABASE_URL: url }, options, () => openDatabase({ ...database.config, url }));

      await database.drop();
    },
    LIMIT_MS,
  );
});
