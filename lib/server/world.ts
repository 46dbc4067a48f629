/**
 * The world outside the program: the clock of this machine, its network, and how to wait. Nothing else in `lib/` reads the
 * clock. Nothing else has the global `fetch`, except for `janus healthcheck`. Tests make a world of their own.
 */
import { setTimeout } from "node:timers/promises";
import { version as ownVersion } from "../../package.json" with { type: "json" };
import type { MainLog } from "../telemetry/log.ts";
import type { World } from "../wiring.ts";

/** The release. */
export const version = ownVersion;

/** The clock of this machine. */
export const now = (): Date => new Date();

/** Makes the world. With `ref: false` a wait does not keep a process alive that has nothing else to do. */
export function createWorld(log: MainLog, { ref }: { readonly ref: boolean }): World {
  const sleep = (ms: number): Promise<void> => setTimeout(ms, undefined, { ref });
  return { fetch: (url, init) => fetch(url, init), now, sleep, log, version };
}
