/**
 * The soak of flows: SOAK_FLOWS members link and unlink at one process, which then has no more memory, descriptors or
 * connections to the database than before. `bun run soak:flows` runs 50,000; without SOAK_FLOWS it is skipped.
 */
import { expect, test } from "bun:test";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../fixtures/source.ts";
import type { TestDatabase } from "../harness/database.ts";
import { createTestDatabase, onPostgres } from "../harness/database.ts";
import { createBrowser, discordClient, environmentFor, providerClient } from "../harness/janus.ts";
import { freePort } from "../harness/ports.ts";
import { callApi } from "../harness/sign_in.ts";
import { newUser, reachForgerCallback } from "../harness/walk.ts";
import { startDiscord } from "../standins/discord.ts";
import { startForger } from "../standins/forger.ts";

const FLOWS = Number(process.env.SOAK_FLOWS ?? 0);
const WALKERS = 16;
const LOOKS = 10;
/** The time without requests before the last look. */
const QUIET_MS = 5_000;
/** How much more memory the process may have in the end than in the middle: garbage that is not collected yet. */
const SPARE_MB = 64;
const POOL_CONNECTIONS = 10;
/** Clients and servers keep connections open, as many at each time; some are about to close. */
const SPARE_DESCRIPTORS = 8;
/** As slow as a busy machine is. */
const LIMIT_MS = 120_000 + FLOWS * 200;

const isAsked = onPostgres && FLOWS > 0;
if (!isAsked) console.warn("The soak of flows is skipped. It runs with TEST_DATABASE_URL and SOAK_FLOWS.");

type Look = {
  readonly flows: number;
  readonly mb: number;
  readonly descriptors: number;
  readonly connections: number;
};

test.if(isAsked)(
  "Janus needs no more memory, descriptors or connections after many flows",
  async () => {
    const url = `http://127.0.0.1:${freePort()}`;
    const [folder, database] = [await mkdtemp(join(tmpdir(), "janus-soak-")), await createTestDatabase()];
    const discord = startDiscord({
      ...discordClient(url),
      users: [],
      acceptAnyUser: true,
    });
    const forger = startForger({
      ...providerClient(url),
      freshSubjects: true,
    });
    const environment = {
      ...environmentFor(url, discord, forger.issuer),
      DATABASE_URL: database.config.url ?? "",
      PORT: new URL(url).port,
    };
    const own = await countConnections(database);
    // Its log would fill the memory of this process.
    const server = Bun.spawn([process.execPath, "run", join(ROOT, "index.ts")], {
      cwd: folder,
      env: environment,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "inherit",
      timeout: LIMIT_MS,
    });
    while ((await fetch(`${url}/readyz`).catch(() => undefined))?.status !== 200) await Bun.sleep(50);
    // No test reads the calls that the stand-ins keep, and they would fill the memory of this process.
    const forgetting = setInterval(() => {
      discord.calls.splice(0);
      forger.calls.splice(0);
    }, 1_000);

    const lookNow = async (flows: number) => look(server, (await countConnections(database)) - own, flows);
    const before = await lookNow(0);
    const looks = await walkAll({ url }, lookNow);
    await Bun.sleep(QUIET_MS);
    const after = await lookNow(FLOWS);
    const rows = await leftRows(database);
    clearInterval(forgetting);
    server.kill();
    await server.exited;
    await Promise.all([discord.stop(), forger.stop(), database.drop()]);
    await rm(folder, { recursive: true, force: true });

    console.table([before, ...looks, after]);
    const most = (what: "mb" | "descriptors") =>
      Math.max(...looks.slice(0, LOOKS / 2).map((one) => one[what]));
    expect(after.mb).toBeLessThan(most("mb") + SPARE_MB);
    expect(after.descriptors).toBeLessThanOrEqual(most("descriptors") + SPARE_DESCRIPTORS);
    expect(Math.max(...looks.map(({ connections }) => connections))).toBeLessThanOrEqual(POOL_CONNECTIONS);
    expect(rows).toEqual([{ links: 0, sessions: 0, flows: 0, tokens: 0, accounts: 0 }]);
  },
  LIMIT_MS,
);

/** All flows, by walkers each of whom begins the next when one is finished. Looks now and then. */
async function walkAll(at: { readonly url: string }, lookNow: (flows: number) => Promise<Look>) {
  const looks: Look[] = [];
  let begun = 0;
  let done = 0;
  const walk = async (): Promise<void> => {
    while (begun < FLOWS) {
      begun += 1;
      await linkAndUnlink(at);
      done += 1;
      if (done % Math.ceil(FLOWS / LOOKS) === 0) looks.push(await lookNow(done));
    }
  };
  await Promise.all(Array.from({ length: WALKERS }, walk));
  return looks;
}

async function linkAndUnlink(at: { readonly url: string }): Promise<void> {
  const browser = createBrowser(at.url);
  const page = await browser.get(await reachForgerCallback(browser, newUser()));
  await page.text();
  const unlinked = await callApi(at, "/api/link", { browser, method: "DELETE" });
  await unlinked.text();
  if (page.status !== 200 || unlinked.status !== 200)
    throw new Error(`a flow ended with ${page.status}, then ${unlinked.status}`);
}

async function look({ pid }: Bun.Subprocess, connections: number, flows: number): Promise<Look> {
  const status = await Bun.file(`/proc/${pid}/status`).text();
  const descriptors = await readdir(`/proc/${pid}/fd`);
  const mb = Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024);
  return { flows, mb, descriptors: descriptors.length, connections };
}

async function countConnections({ rows }: TestDatabase): Promise<number> {
  const [row] = await rows(
    "select count(*)::integer as count from pg_stat_activity where datname = current_database()",
  );
  return Number(row?.count);
}

const leftRows = ({ rows }: TestDatabase) =>
  rows(`
    select
      (select count(*)::integer from link) as links,
      (select count(*)::integer from session) as sessions,
      (select count(*)::integer from flow) as flows,
      (select count(*)::integer from discord_token) as tokens,
      (select count(*)::integer from discord_account) as accounts`);
