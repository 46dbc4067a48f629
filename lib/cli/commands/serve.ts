/** `janus serve`: the server in this process, its signals and its log. How a server starts and stops is in `server/`. */
import { isatty } from "node:tty";
import { readConfig } from "../../config/load.ts";
import type { Source } from "../../config/sources.ts";
import { mergeSources } from "../../config/sources.ts";
import { startServer } from "../../server/lifecycle.ts";
import type { CreateApp } from "../../server/listener.ts";
import { createWorld, now } from "../../server/world.ts";
import { createLineWriter } from "../../telemetry/line_writer.ts";
import type { Log } from "../../telemetry/log.ts";
import { createLog, describeError } from "../../telemetry/log.ts";
import { exitWithStatus } from "../output.ts";

const STDOUT = 1;

/** Serves until a signal comes; a second one does not wait for what the first has begun. */
export async function serve(createApp: CreateApp, sources: readonly Source[]): Promise<undefined> {
  const config = readConfig(mergeSources(sources));
  const writer = await createLineWriter(config.logFormat, isatty(STDOUT), (count) =>
    log.warn("log_lines_dropped", { count }),
  );
  const log = createLog(config.logLevel, writer.write, now);
  const world = createWorld(log, { ref: false });
  const starting = startServer(config, createApp, world);
  void starting.then(
    () => logUnwise(log, sources),
    () => undefined,
  );
  const end = async (code?: number): Promise<never> => {
    await writer.end();
    // What could still keep the process is a socket to a database that has fallen silent: there is nothing to wait for.
    return process.exit(code);
  };
  const cutShort = (): void => void end(1);
  // A defect that nothing caught: its message may quote input, and is not for the log.
  const crash = (error: unknown): void => {
    log.error("crashed", describeError(error));
    void end(1);
  };
  process.on("uncaughtException", crash).on("unhandledRejection", crash);
  const isReady = exitWithStatus(async () => {
    try {
      await (await starting).ready;
    } catch (error) {
      // On standard error as well, for whoever reads no log.
      log.error("start_failed", describeError(error));
      throw error;
    }
    return undefined;
  });
  const stopStarted = async (): Promise<void> => {
    const server = await starting.catch(() => undefined);
    // One that does not even listen has nothing to stop, and tells why.
    if (server === undefined) await isReady;
    await exitWithStatus(async () => void (await server?.stop()));
    await end();
  };
  // From now on: a signal that comes while the server starts stops it as well.
  const stop = async (): Promise<void> => {
    process.off("SIGTERM", stop).off("SIGINT", stop).on("SIGTERM", cutShort).on("SIGINT", cutShort);
    await stopStarted();
  };
  process.on("SIGTERM", stop).on("SIGINT", stop);
  if (!(await isReady)) await stopStarted();
}

/** Logs the unwise settings once the server listens: finding them takes time, and the first answer does not wait. */
async function logUnwise(log: Log, sources: readonly Source[]): Promise<void> {
  try {
    const { findAtStart } = await import("../../config/warnings.ts");
    for (const reason of findAtStart(sources)) log.warn("configuration_unwise", { reason });
  } catch (error) {
    // Advice is not worth a server: it serves without.
    log.warn("configuration_not_looked_at", describeError(error));
  }
}
