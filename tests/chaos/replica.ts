/**
 * Janus as a process of its own, with the world of the kill test: its clock is fast, its upkeep comes often, what it
 * sends says who sent it and when, and it tells its parent which tokens have arrived. All else is what `janus serve` runs.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { createApp } from "../../index.ts";
import { sha256Hex } from "../../lib/crypto.ts";
import { readConfiguration } from "../../lib/operator/configuration.ts";
import { startServer } from "../../lib/server/lifecycle.ts";
import type { CreateApp } from "../../lib/server/listener.ts";
import { createWorld } from "../../lib/server/world.ts";
import { createLineWriter } from "../../lib/telemetry/line_writer.ts";
import { createLog } from "../../lib/telemetry/log.ts";
import type { World } from "../../lib/wiring.ts";
import { BUDGET_MS, createFastClock, DEADLINE_MS, SPEED, UPKEEP_SECONDS, wallClock } from "./fast_clock.ts";

/**
 * What a replica tells its parent: the hash of a refresh token that it has in its hands, and for which request; and that a
 * request is over.
 */
export type Report =
  | { readonly arrived: string; readonly request: number | undefined }
  | { readonly done: number };

const requests = new AsyncLocalStorage<number>();

if (import.meta.main) await run(process.env);

async function run({ REPLICA = "", STARTED_AT, ...environment }: NodeJS.ProcessEnv): Promise<void> {
  const clock = createFastClock(Number(STARTED_AT));
  const writer = await createLineWriter("json", false, () => undefined);
  const log = createLog("info", writer.write, clock.now);
  const real = createWorld(log, { ref: false });
  const world: World = {
    ...real,
    fetch: signedBy(REPLICA),
    now: clock.now,
    sleep: (ms) => real.sleep(ms / SPEED),
    deadlineMs: DEADLINE_MS,
    budgetMs: BUDGET_MS,
    upkeepSeconds: UPKEEP_SECONDS,
  };
  const server = await startServer(await readConfiguration(environment), createNumberedApp, world);
  const stop = async (): Promise<void> => {
    await server.stop();
    await writer.end();
    process.exit(0);
  };
  // Without its parent it has nobody to serve.
  process.on("SIGTERM", stop).on("disconnect", () => process.exit(1));
}

/** The app, which gives each request a number. */
function createNumberedApp(...values: Parameters<CreateApp>): ReturnType<CreateApp> {
  const app = createApp(...values);
  let last = 0;
  return {
    fetch: async (request) => {
      last += 1;
      const number = last;
      try {
        return await requests.run(number, () => app.fetch(request));
      } finally {
        report({ done: number });
      }
    },
  };
}

function report(what: Report): void {
  process.send?.(what);
}

/** The global `fetch`, under a name. */
function signedBy(replica: string): World["fetch"] {
  return async (url, init) => {
    const headers = new Headers(init.headers);
    headers.set("x-replica", replica);
    headers.set("x-sent-at", String(wallClock()));
    const answer = await fetch(url, { ...init, headers });
    if (!new URL(url).pathname.endsWith("/token") || !answer.ok) return answer;
    const text = await answer.text();
    const { refresh_token: token } = JSON.parse(text) as { readonly refresh_token?: string };
    if (token !== undefined) report({ arrived: sha256Hex(token), request: requests.getStore() });
    return new Response(text, { status: answer.status, headers: answer.headers });
  };
}
