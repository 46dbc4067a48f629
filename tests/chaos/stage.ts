/** All that the kill test plays on: two servers that misbehave, a database that fails, two processes, and a fast clock. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { startProxy } from "../fixtures/proxy.ts";
import { createTestDatabase } from "../harness/database.ts";
import { discordClient, environmentFor, providerClient } from "../harness/janus.ts";
import { freePort } from "../harness/ports.ts";
import { startDiscord } from "../standins/discord.ts";
import { startProvider } from "../standins/provider.ts";
import { accountsOf } from "./accounts.ts";
import { createFastClock, wallClock } from "./fast_clock.ts";
import type { Breakable } from "./faults.ts";
import { createWeather } from "./faults.ts";
import { createJournal } from "./journal.ts";
import { createReplicas } from "./replicas.ts";

/** Life of an access token at Discord, by the fast clock: links outlive it. */
const ACCESS_TOKEN_SECONDS = 50;
/** Longer than an answer takes: what is a moment to the machine is seconds here. */
const LEEWAY_SECONDS = 20;

export type Stage = Awaited<ReturnType<typeof setStage>>;

/** Builds it. Nothing runs yet but the two servers. */
export async function setStage(seed: number, persons: number) {
  const startedAt = wallClock();
  const clock = createFastClock(startedAt);
  // The certified provider reads the clock of its process.
  Date.now = () => clock.now().getTime();
  const url = `http://127.0.0.1:${freePort()}`;
  const { users, organisation } = accountsOf(persons);
  const discord = startDiscord({
    ...discordClient(url),
    users,
    now: clock.now,
    accessTokenSeconds: ACCESS_TOKEN_SECONDS,
    leewaySeconds: LEEWAY_SECONDS,
  });
  const provider = await startProvider({
    ...providerClient(url),
    users: organisation,
  });
  const [database, folder] = [await createTestDatabase(), await mkdtemp(join(tmpdir(), "janus-chaos-"))];
  const breakable = await makeBreakable(database.config.url ?? "");
  const environment = {
    ...environmentFor(url, discord, provider.issuer),
    // With that scope the provider gives refresh tokens.
    OIDC_SCOPES: "openid profile offline_access",
    DATABASE_URL: breakable.url,
  };
  const journal = createJournal();
  const replicas = createReplicas(folder, environment, startedAt, journal);
  return {
    ...{
      seed,
      url,
      startedAt,
      clock,
      discord,
      provider,
      database,
      breakable,
      environment,
      journal,
      replicas,
    },
    accessTokenSeconds: ACCESS_TOKEN_SECONDS,
    weather: createWeather(seed, journal, { discord, provider }),
    [Symbol.asyncDispose]: async () => {
      Date.now = wallClock;
      await Promise.all([replicas.kill("a"), replicas.kill("b")]);
      await Promise.all([discord.stop(), provider.stop(), breakable.stop()]);
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A way to a database that can be broken. */
async function makeBreakable(databaseUrl: string) {
  const target = new URL(databaseUrl);
  const proxy = await startProxy({ hostname: target.hostname, port: Number(target.port || 5432) });
  const operator = postgres(databaseUrl, { max: 1, onnotice: () => undefined });
  const url = new URL(databaseUrl);
  url.hostname = "127.0.0.1";
  url.port = String(proxy.port);
  const breakable: Breakable = {
    endConnections: async () => {
      await operator`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`;
    },
    blink: async (ms) => {
      await proxy.stop();
      await Bun.sleep(ms);
      await proxy.mend();
    },
  };
  return {
    ...breakable,
    url: url.href,
    stop: async () => {
      await proxy.stop();
      await operator.end();
    },
  };
}
