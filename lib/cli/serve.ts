/**
 * `janus serve`, and the world that the program lives in: the clock, the network, the log. Called by `cli.ts`; the
 * other commands take the world from here.
 */
import { setTimeout } from "node:timers/promises";
import { version } from "../../package.json" with { type: "json" };
import type { Environment } from "../config.ts";
import { readConfig } from "../config.ts";
import type { World } from "../deps.ts";
import type { LogLevel } from "../log.ts";
import { createLineWriter, createLog } from "../log.ts";
import type { CreateApp } from "../server.ts";
import { startServer } from "../server.ts";
import { exitWithStatus } from "./output.ts";

/** The clock of this machine. */
export const now = (): Date => new Date();

/** What comes from outside. `ref: false` waits without keeping alive a process that has nothing else to do: a server that was stopped. */
export function createWorld(level: LogLevel, { ref }: { readonly ref: boolean }): World {
  const log = createLog(level, createLineWriter(), now);
  const sleep = (ms: number): Promise<void> => setTimeout(ms, undefined, { ref });
  return { fetch: (url, init) => fetch(url, init), now, sleep, log, version };
}

/** Serves until a signal comes. */
export async function serve(createApp: CreateApp, environment?: Environment): Promise<undefined> {
  const config = readConfig(environment);
  const starting = startServer(config, createApp, createWorld(config.logLevel, { ref: false }));
  // From now on: a signal that comes while the server starts stops it as well.
  const stop = async (): Promise<void> => {
    process.off("SIGTERM", stop).off("SIGINT", stop);
    await exitWithStatus(async () => void (await (await starting).stop()));
    // What could still keep the process is a socket to a database that has fallen silent: there is nothing to wait for.
    process.exit();
  };
  process.on("SIGTERM", stop).on("SIGINT", stop);
  await starting;
}
