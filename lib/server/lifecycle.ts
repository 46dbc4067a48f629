/**
 * The server's life: start, upkeep, stop. This room owns the process that serves:
 *
 *   GET /healthz, GET /readyz     showHealth, showReadiness, in `handlers.ts`
 *
 *   GET /metrics                  on a port of its own, in `metrics.ts`
 *
 * The socket is in `listener.ts`, the table of upkeep in `upkeep.ts`, secrets that change in `secrets.ts`, the clock and the
 * network in `world.ts`. Requests are left to `http/`, signals and exit codes to `cli/`.
 */
import type { Config } from "../config/load.ts";
import type { Environment } from "../config/sources.ts";
import { migrateUp, requireMigrated } from "../database/migrations.ts";
import type { Database } from "../database/open.ts";
import { openDatabase } from "../database/open.ts";
import { waitForDatabase } from "../database/wait.ts";
import type { WorkDeps } from "../deps.ts";
import { questionDepsOf, upkeepDepsOf } from "../deps.ts";
import { asJanusError } from "../errors.ts";
import type { Configuration } from "../operator/configuration.ts";
import { describeRules } from "../operator/configuration.ts";
import { describeError } from "../telemetry/log.ts";
import type { World } from "../wiring.ts";
import { createShared } from "../wiring.ts";
import type { BackupSocket } from "./backup_socket.ts";
import { openBackupSocket } from "./backup_socket.ts";
import type { Gate } from "./gate.ts";
import { createGate } from "./gate.ts";
import type { CreateApp, Listening } from "./listener.ts";
import { listen } from "./listener.ts";
import type { MetricsListener } from "./metrics.ts";
import { listenForMetrics } from "./metrics.ts";
import { createReload } from "./secrets.ts";
import { watchSetup } from "./setup_watch.ts";
import type { Upkeep } from "./upkeep.ts";
import { startUpkeep } from "./upkeep.ts";

/** A server that listens. */
export type RunningServer = {
  /** Where it listens, such as http://127.0.0.1:3000. */
  readonly address: string;
  /** Where its metrics are, such as http://127.0.0.1:9464/metrics; undefined where they are off. */
  readonly metricsAddress: string | undefined;
  readonly deps: WorkDeps;
  /** Takes what the files of secrets hold now, and logs what came of it. It never rejects. */
  readonly reloadSecrets: () => Promise<void>;
  /** Settles once the database is ready. Rejects as `startServer` says: then the only thing left is to stop. */
  readonly ready: Promise<void>;
  /** Drains, lets requests under way finish, and closes the database: within SHUTDOWN_SECONDS and one more. */
  readonly stop: () => Promise<void>;
};

/** How long closing the database may take if nothing is left of SHUTDOWN_SECONDS. */
const LEAST_CLOSE_MS = 1_000;

/**
 * Listens, waits for the database, and serves. It does not go on if the database is newer than the program or if a
 * migration was edited. Until the database is ready every statement is refused, and only what needs none is answered.
 * Secrets that change are read from `environment`. Throws address_in_use, data_dir_locked; `ready` database_newer, migration_edited, migration_failed, and after
 * DATABASE_WAIT_SECONDS database_unavailable.
 */
export async function startServer(
  configuration: Configuration,
  createApp: CreateApp,
  world: World,
  environment: Environment = {},
): Promise<RunningServer> {
  const { config, rules } = configuration;
  const db = await openDatabase(config.database, (reason) => world.log.warn("database_pooled", { reason }));
  const stopping = new AbortController();
  const gate = createGate(db);
  let listening: Listening | undefined;
  let metrics: MetricsListener | undefined;
  try {
    const shared = createShared(configuration, gate.db, world);
    const app = createApp(shared, {
      stopping: stopping.signal,
      peerAddress: (request) => listening?.peerAddress(request),
      hurry: (request) => listening?.hurry(request),
    });
    const deps = upkeepDepsOf(shared);
    metrics = listenForMetrics(config.metrics, shared);
    listening = listen(config, app);
    world.log.info("listening", { address: listening.address, version: world.version });
    world.log.info("rules_in_force", { rules: describeRules(rules) });
    const reloadSecrets = createReload(shared, environment);
    const server = run({ config, db, deps, gate, listening, metrics, reloadSecrets, stopping, world });
    void watchSetup(questionDepsOf(shared), server.ready, stopping.signal);
    return server;
  } catch (error) {
    await Promise.all([metrics?.stop(), db.close()]);
    throw error;
  }
}

type Parts = {
  readonly config: Config;
  readonly db: Database;
  readonly deps: WorkDeps;
  readonly gate: Gate;
  readonly listening: Listening;
  readonly metrics: MetricsListener | undefined;
  readonly reloadSecrets: () => Promise<void>;
  readonly stopping: AbortController;
  readonly world: World;
};

function run(parts: Parts): RunningServer {
  const { deps, gate, listening, stopping } = parts;
  let upkeep: Upkeep | undefined;
  let socket: BackupSocket | undefined;
  const prepare = async (): Promise<void> => {
    const isMigrated = await checkDatabase(parts);
    gate.open();
    if (stopping.signal.aborted) return;
    if (isMigrated) parts.world.log.info("serving");
    socket = openBackupSocket({ ...parts.world, db: parts.db, dataDir: parts.config.database.dataDir });
    const { upkeepSeconds } = parts.world;
    upkeep = startUpkeep(deps, undefined, {
      stopping: stopping.signal,
      ...(upkeepSeconds === undefined ? {} : { everySeconds: upkeepSeconds }),
    });
  };
  // If we are told to stop while waiting, the result no longer matters.
  const ready = prepare().catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error;
  });
  // A rejection that the caller does not look at must not end the process.
  let isLost = false;
  ready.catch(() => {
    isLost = true;
  });
  let stopped: Promise<void> | undefined;
  return {
    address: listening.address,
    metricsAddress: parts.metrics?.address,
    deps,
    reloadSecrets: parts.reloadSecrets,
    ready,
    stop: () => {
      // A server that never became ready has no clients to drain.
      stopped ??= shutDown(parts, deps, isLost ? 0 : parts.config.drainSeconds, () =>
        Promise.all([listening.stop(), upkeep?.stop(), socket?.stop()]),
      );
      return stopped;
    },
  };
}

async function shutDown(
  { config, db, listening, metrics, stopping, world }: Parts,
  { unstored, lateLooks }: Pick<WorkDeps, "unstored" | "lateLooks">,
  drainSeconds: number,
  finishRequests: () => Promise<unknown>,
): Promise<void> {
  const { log, now, sleep } = world;
  const until = now().getTime() + config.shutdownSeconds * 1_000;
  const left = (): number => Math.max(0, until - now().getTime());
  // From here on /readyz says no. The load balancer needs time to notice.
  stopping.abort();
  const countUnderWay = (): number => listening.requestsUnderWay() + lateLooks.count();
  log.info("stopping", { count: countUnderWay() });
  await sleep(Math.min(drainSeconds * 1_000, left()));
  // Another process takes over what a round has claimed that is cut off here, once its lease ends.
  const finished = finishRequests()
    .then(lateLooks.settled)
    .then(unstored.retry)
    .catch((error: unknown) => log.error("stop_failed", describeError(error)));
  await Promise.race([finished, sleep(left())]);
  const count = countUnderWay();
  if (count > 0) log.warn("requests_cut_off", { count, reason: "not finished within SHUTDOWN_SECONDS" });
  await listening.forceClose();
  unstored.giveUp();
  // Prometheus sees the drain to its end.
  await metrics?.stop();
  const closed = Promise.all([db.close(), world.instruments?.tracer?.end()]);
  await Promise.race([closed, sleep(Math.max(LEAST_CLOSE_MS, left()))]);
  log.info("stopped");
}

/**
 * The embedded database belongs to this process, so it is migrated here. PostgreSQL is migrated by `janus migrate`, when
 * the operator decides: false if that has yet to happen.
 */
async function checkDatabase({ config, db, gate, stopping, world }: Parts): Promise<boolean> {
  const { log, now, sleep } = world;
  const isEmbedded = config.database.url === undefined;
  try {
    await waitForDatabase(
      async () => {
        const applied = isEmbedded ? await migrateUp(db, now) : await requireMigrated(db);
        if (applied !== undefined && applied.length > 0)
          log.info("embedded_database_migrated", { count: applied.length });
      },
      {
        seconds: config.databaseWaitSeconds,
        now,
        sleep,
        signal: stopping.signal,
        onWait: (error) => {
          gate.looked();
          log.warn("waiting_for_database", describeError(error));
        },
      },
    );
    return true;
  } catch (error) {
    // Starting is right: the operator may migrate while the server runs, and /readyz says when.
    if (asJanusError(error).code !== "database_not_migrated") throw error;
    log.warn("database_not_ready", describeError(error));
    return false;
  }
}
