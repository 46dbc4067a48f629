/**
 * `janus serve`: runs the server in this process until a signal comes. How a server starts, works and stops is in
 * `server/`; here are the process, its signals and its log.
 */
import { isatty } from "node:tty";
import type { Command } from "commander";
import type { Config } from "../../config/load.ts";
import type { Source } from "../../config/sources.ts";
import { mergeSources } from "../../config/sources.ts";
import { findAtStart } from "../../config/warnings.ts";
import { usage } from "../../errors.ts";
import type { Configuration } from "../../operator/configuration.ts";
import { findUntold, readConfiguration } from "../../operator/configuration.ts";
import type { RunningServer } from "../../server/lifecycle.ts";
import { startServer } from "../../server/lifecycle.ts";
import type { CreateApp } from "../../server/listener.ts";
import { createWorld, now, version } from "../../server/world.ts";
import type { Instruments } from "../../telemetry/instruments.ts";
import { openInstruments } from "../../telemetry/instruments.ts";
import { createLineWriter } from "../../telemetry/line_writer.ts";
import type { Log } from "../../telemetry/log.ts";
import { createLog, describeError } from "../../telemetry/log.ts";
import { examples, readCommon, readSourcesFor } from "../command.ts";
import { exitWithStatus } from "../output.ts";

const STDIN = 0;
const STDOUT = 1;

/** Adds the command. */
export function addServe(program: Command, createApp: CreateApp): void {
  program
    .command("serve")
    .description("run the server (the default)")
    .addHelpText("after", examples("janus serve", "janus serve --env-file /etc/janus.env"))
    .action(async (_: unknown, command: Command) => {
      if (readCommon(command).json)
        throw usage("The server has no result to print: for a log in JSON set LOG_FORMAT=json.");
      await serve(createApp, await readSourcesFor(command));
    });
}

/** Serves until a signal comes. A second signal ends the process at once. Throws config_invalid. */
export async function serve(createApp: CreateApp, sources: readonly Source[]): Promise<void> {
  const environment = mergeSources(sources);
  const configuration = await readConfiguration(environment);
  const instruments = await openInstruments(configuration.config, version, ({ count, causeCode }) =>
    log.warn("traces_not_sent", { count, causeCode }),
  );
  const { log, end } = await openLog(configuration.config, instruments);
  // A defect that nothing caught. Its message may quote input, so the log gets its class and place alone.
  const crash = (error: unknown): void => {
    log.error("crashed", describeError(error));
    void end(1);
  };
  process.on("uncaughtException", crash).on("unhandledRejection", crash);
  const world = { ...createWorld(log, { ref: false }), instruments };
  const starting = startServer(configuration, createApp, world, environment);
  void starting.then(
    () => logWarnings(log, sources, configuration),
    () => undefined,
  );
  const isReady = exitWithStatus(() => waitUntilReady(starting, log));
  const stop = async (): Promise<void> => {
    const server = await starting.catch(() => undefined);
    // A server that does not listen has nothing to stop. It says why it does not.
    if (server === undefined) await isReady;
    await exitWithStatus(async () => server?.stop());
    await end();
  };
  stopOnSignal(stop, () => end(1));
  reloadOnSignal(starting);
  if (!(await isReady)) await stop();
}

/** The log on standard output. `end` writes its last lines and ends the process. */
async function openLog({ logFormat, logLevel }: Config, { metrics, tracer }: Instruments) {
  const writer = await createLineWriter(logFormat, isatty(STDOUT), (count) =>
    log.warn("log_lines_dropped", { count }),
  );
  const log = createLog(logLevel, writer.write, now, {
    onEvent: metrics?.countEvent,
    traceId: tracer?.traceId,
  });
  const end = async (code?: number): Promise<never> => {
    await writer.end();
    // A socket to a database that fell silent would keep the process alive.
    return process.exit(code);
  };
  return { log, end };
}

/** Logs warnings about the configuration once the server listens, so that the first answer does not wait for them. */
function logWarnings(log: Log, sources: readonly Source[], { rules }: Configuration): void {
  try {
    for (const reason of [...findAtStart(sources), ...findUntold(rules, mergeSources(sources))])
      log.warn("configuration_unwise", { reason });
  } catch (error) {
    // A server can do without advice.
    log.warn("configuration_not_checked", describeError(error));
  }
}

async function waitUntilReady(starting: Promise<RunningServer>, log: Log): Promise<void> {
  try {
    await (await starting).ready;
  } catch (error) {
    // The error is thrown as well, so that standard error tells those who do not read the log.
    log.error("start_failed", describeError(error));
    throw error;
  }
}

/** SIGHUP reads the secrets again. On a terminal it means that the terminal is gone, and ends the process. */
function reloadOnSignal(starting: Promise<RunningServer>): void {
  if (isatty(STDIN)) return;
  process.on("SIGHUP", async () => {
    // A server that does not start says why by itself.
    const server = await starting.catch(() => undefined);
    await server?.reloadSecrets();
  });
}

/** The first signal stops the server, also while it starts; the second does not wait for that. */
function stopOnSignal(stop: () => Promise<void>, endAtOnce: () => Promise<never>): void {
  const cutShort = (): void => void endAtOnce();
  const onFirst = async (): Promise<void> => {
    process.off("SIGTERM", onFirst).off("SIGINT", onFirst).on("SIGTERM", cutShort).on("SIGINT", cutShort);
    await stop();
  };
  process.on("SIGTERM", onFirst).on("SIGINT", onFirst);
}
