/**
 * A full disk under PostgreSQL: members are asked to try again, no confirmed link is lost, and once there is room again
 * Janus goes on by itself. The disk is a small one in memory, which only root can make.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { migrateUp } from "../../lib/database/migrations.ts";
import { openDatabase } from "../../lib/database/open.ts";
import type { Serving } from "../fixtures/command.ts";
import { serve } from "../fixtures/command.ts";
import type { Cluster } from "../harness/cluster.ts";
import { findInitdb, startCluster } from "../harness/cluster.ts";
import { onPostgres } from "../harness/database.ts";
import { useFolder } from "../harness/hooks.ts";
import { createBrowser, discordClient, environmentFor, providerClient } from "../harness/janus.ts";
import { freePort } from "../harness/ports.ts";
import { callApi } from "../harness/sign_in.ts";
import { newUser, reachDiscordCallback, reachForgerCallback } from "../harness/walk.ts";
import type { DiscordStandin } from "../standins/discord.ts";
import { startDiscord } from "../standins/discord.ts";
import type { ForgerStandin } from "../standins/forger.ts";
import { startForger } from "../standins/forger.ts";

const DISK = "24m";
const WALKERS = 8;
/** More flows than fit into the pages that the tables already have. */
const FLOWS_AT_MOST = 2_000;

const isSkipped = !onPostgres || findInitdb() === undefined || !(await canMount());
if (onPostgres && isSkipped)
  console.warn("The full disk is skipped: it needs PostgreSQL's initdb, and root's right to mount.");

const folder = useFolder("full");
const disk = join(folder, "disk");

describe.if(!isSkipped)("a full disk under PostgreSQL", () => {
  const url = `http://127.0.0.1:${freePort()}`;
  let cluster: Cluster;
  let operator: postgres.Sql;
  let discord: DiscordStandin;
  let forger: ForgerStandin;
  let server: Serving;

  beforeAll(async () => {
    const password = join(folder, "password");
    await Bun.write(password, "secret");
    await sh("chmod", "755", folder);
    await sh("mkdir", disk);
    await sh("mount", "-t", "tmpfs", "-o", `size=${DISK}`, "tmpfs", disk);
    await sh("install", "-d", "-o", "postgres", "-m", "700", join(disk, "rows"));
    cluster = await startCluster(password);
    operator = postgres(`postgres://janus:secret@127.0.0.1:${cluster.port}/postgres`, { max: 1 });
    await operator.unsafe(`create tablespace small location '${join(disk, "rows")}'`);
    await operator.unsafe("create database rows tablespace small");
    const databaseUrl = `postgres://janus:secret@127.0.0.1:${cluster.port}/rows`;
    const db = await openDatabase({ url: databaseUrl, dataDir: "unused", prepare: true });
    await migrateUp(db, () => new Date());
    await db.close();
    discord = startDiscord({
      ...discordClient(url),
      users: [],
      acceptAnyUser: true,
    });
    forger = startForger({
      ...providerClient(url),
      freshSubjects: true,
    });
    const environment = { DATABASE_URL: databaseUrl, PORT: new URL(url).port };
    server = await serve(folder, { ...environmentFor(url, discord, forger.issuer), ...environment });
    while ((await server.get("/readyz")).status !== 200) await Bun.sleep(20);
  });
  afterAll(async () => {
    if (isSkipped) return;
    await server?.stop();
    await Promise.all([discord?.stop(), forger?.stop(), operator?.end()]);
    await cluster?.[Symbol.asyncDispose]();
    await sh("umount", disk);
  });

  test("makes Janus answer 503 until there is room again", async () => {
    const [anna, annas] = [createBrowser(url), newUser()];
    const linked = await anna.get(await reachForgerCallback(anna, annas));
    const ballast = join(disk, "ballast");
    await sh("fallocate", "--length", await freeBytes(disk), ballast);

    const met = await walkUntilRefused(url);
    const [alive, hers] = [
      await server.get("/healthz"),
      await callApi({ url }, "/api/userinfo", { browser: anna }),
    ];
    await rm(ballast);
    const [bo, bos] = [createBrowser(url), newUser()];
    const after = await bo.get(await reachForgerCallback(bo, bos));
    const links = await linksOf(cluster.port);

    expect([linked.status, alive.status, hers.status, after.status]).toEqual([200, 200, 200, 200]);
    expect(met.statuses).toEqual(new Set([200, 503]));
    expect(server.lines.some((line) => line.includes("database_unavailable") && line.includes("53100"))).toBe(
      true,
    );
    expect(links).toEqual(expect.arrayContaining([annas, bos, ...met.linked]));
  });
});

/** Root in a container often cannot. */
async function canMount(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  const place = await mkdtemp(join(tmpdir(), "janus-mount-"));
  try {
    await sh("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place);
    await sh("umount", place);
    return true;
  } catch {
    return false;
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

/** Members who link, until one of them is told that it cannot be done. */
async function walkUntilRefused(url: string) {
  const statuses = new Set<number>();
  const linked: string[] = [];
  let begun = 0;
  const walk = async (): Promise<void> => {
    while (!statuses.has(503) && begun < FLOWS_AT_MOST) {
      begun += 1;
      const [browser, id] = [createBrowser(url), newUser()];
      const first = await browser.get(await reachDiscordCallback(browser, id));
      const location = first.headers.get("location");
      const last = location === null ? first : await browser.get(await goThrough(location));
      statuses.add(last.status);
      if (last.status === 200) linked.push(id);
    }
  };
  await Promise.all(Array.from({ length: WALKERS }, walk));
  return { statuses, linked };
}

/** The forger asks nobody. */
const goThrough = async (address: string): Promise<string> =>
  (await fetch(address, { redirect: "manual" })).headers.get("location") ?? "";

async function linksOf(port: number): Promise<readonly string[]> {
  const sql = postgres(`postgres://janus:secret@127.0.0.1:${port}/rows`, { max: 1 });
  const rows = await sql<{ discord_user_id: string }[]>`select discord_user_id from link`;
  await sql.end();
  return rows.map((row) => row.discord_user_id);
}

async function freeBytes(path: string): Promise<string> {
  const text = await sh("df", "--output=avail", "--block-size=1", path);
  return text.trim().split("\n").at(-1) ?? "0";
}

async function sh(...command: string[]): Promise<string> {
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0) throw new Error(`${command[0]} failed: ${stderr}`);
  return stdout;
}
