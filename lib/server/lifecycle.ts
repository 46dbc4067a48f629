/**
 * The server's life: start, upkeep, stop. Called by `serve` with the application that `index.ts` makes. What it listens
 * with is in `listener.ts`.
 */
import type { Config } from "../config/load.ts";
import { migrateUp, requireMigrated } from "../database/migrations.ts";
import type { Database } from "../database/open.ts";
import { openDatabase } from "../database/open.ts";
import { waitForDatabase } from "../database/wait.ts";
import type { Deps, World } from "../deps.ts";
import { createDeps } from "../deps.ts";
import { asJanusError, databaseUnavailable } from "../errors.ts";
import { describeError } from "../telemetry/log.ts";
import type { CreateApp, Listening } from "./listener.ts";
import { listen } from "./listener.ts";
import { startUpkeep } from "./upkeep.ts";

/** A server that listens. */
export type RunningServer = {
  /** Where it listens, such as http://127.0.0.1:3000. */
  readonly address: string;
  readonly deps: Deps;
  /** Settles once the database was looked at. Rejects as `startServer` says; then there is nothing left but to stop. */
  readonly ready: Promise<void>;
  /** Drains, lets requests under way finish, and closes the database: within SHUTDOWN_SECONDS and one more. */
  readonly stop: () => Promise<void>;
};

const DISCOVERY_RETRY_MS = 10_000;
/** What closing the database gets where nothing is left of SHUTDOWN_SECONDS. */
const LEAST_CLOSE_MS = 1_000;

/**
 * Listens, waits for the database, refuses to go on where it is newer than the program or a migration was edited, and
 * serves. Until then every statement is refused, so that `/healthz` and what needs no database are answered.
 * Throws address_in_use, data_dir_locked; `ready` database_newer, migration_edited, migration_failed, and after
 * DATABASE_WAIT_SECONDS database_unavailable.
 */
export async function startServer(
  config: Config,
  createApp: CreateApp,
  world: World,
): Promise<RunningServer> {
  const db = await openDatabase(config.database, (reason) => world.log.warn("database_pooled", { reason }));
  const stopping = new AbortController();
  const gate = createGate(db);
  let listening: Listening | undefined;
  try {
    const deps = createDeps(config, gate.db, world, {
      stopping: stopping.signal,
      peerAddress: (request) => listening?.peerAddress(request),
      hurry: (request) => listening?.hurry(request),
    });
    listening = listen(config, createApp(deps));
    world.log.info("listening", { address: listening.address, version: world.version });
    void prepareProvider(deps);
    return run({ config, db, deps, gate, listening, stopping, world });
  } catch (error) {
    await db.close();
    throw error;
  }
}

/** A database that refuses statements until it is opened; those that come while it is looked at for the first time wait. */
function createGate(db: Database) {
  const looked = Promise.withResolvers<void>();
  let isOpen = false;
  const pass = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    await looked.promise;
    if (isOpen) return work();
    throw databaseUnavailable("Janus waits for the database");
  };
  return {
    db: {
      query: (...statement: Parameters<Database["query"]>) =>
        isOpen ? db.query(...statement) : pass(() => db.query(...statement)),
      transaction: <Result>(work: Parameters<typeof db.transaction<Result>>[0]) =>
        pass(() => db.transaction(work)),
      findHindrance: () => pass(db.findHindrance),
      close: db.close,
    },
    /** Whoever waits need not any longer. */
    looked: (): void => looked.resolve(),
    open: (): void => {
      isOpen = true;
      looked.resolve();
    },
  };
}

type Parts = {
  readonly config: Config;
  readonly db: Database;
  readonly deps: Deps;
  readonly gate: ReturnType<typeof createGate>;
  readonly listening: Listening;
  readonly stopping: AbortController;
  readonly world: World;
};

function run(parts: Parts): RunningServer {
  const { deps, gate, listening, stopping } = parts;
  let upkeep: ReturnType<typeof startUpkeep> | undefined;
  const prepare = async (): Promise<void> => {
    const isMigrated = await checkDatabase(parts);
    gate.open();
    if (stopping.signal.aborted) return;
    if (isMigrated) parts.world.log.info("serving");
    upkeep = startUpkeep(deps, undefined, parts.world.upkeepSeconds);
  };
  // Told to stop while it waits, nobody asks any more what it would have met.
  const ready = prepare().catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error;
  });
  // Whoever does not look at it stops in good order all the same.
  let isLost = false;
  ready.catch(() => {
    isLost = true;
  });
  let stopped: Promise<void> | undefined;
  return {
    address: listening.address,
    deps,
    ready,
    stop: () => {
      // One that could not begin has nobody to send elsewhere.
      stopped ??= shutDown(parts, isLost ? 0 : parts.config.drainSeconds, async () => {
        await Promise.all([listening.stop(), upkeep?.stop()]);
        await deps.unstored.retry();
      });
      return stopped;
    },
  };
}

async function shutDown(
  { config, db, listening, stopping, world }: Parts,
  drainSeconds: number,
  finish: () => Promise<void>,
): Promise<void> {
  const { log, now, sleep } = world;
  const until = now().getTime() + config.shutdownSeconds * 1_000;
  const left = (): number => Math.max(0, until - now().getTime());
  // From here on /readyz says no; whoever asks it gets the time to notice.
  stopping.abort();
  log.info("stopping", { count: listening.requestsUnderWay() });
  await sleep(Math.min(drainSeconds * 1_000, left()));
  // What is claimed by a round that is cut off here, another process takes over when its lease ends.
  const finished = finish().catch((error: unknown) => log.error("stop_failed", describeError(error)));
  await Promise.race([finished, sleep(left())]);
  const count = listening.requestsUnderWay();
  if (count > 0) log.warn("requests_cut_off", { count, reason: "not finished within SHUTDOWN_SECONDS" });
  await listening.forceClose();
  await Promise.race([db.close(), sleep(Math.max(LEAST_CLOSE_MS, left()))]);
  log.info("stopped");
}

/**
 * The embedded database is ours alone, so it is migrated here; PostgreSQL by `janus migrate`, when the operator says:
 * false where that has still to come.
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
    // It may pass while the server runs, and /readyz says when: starting is right.
    if (asJanusError(error).code !== "database_not_migrated") throw error;
    log.warn("database_not_ready", describeError(error));
    return false;
  }
}

/** Loads discovery, so that the first member does not wait for it; until then /readyz says no. */
async function prepareProvider({ oidc, log, sleep, stopping }: Deps): Promise<void> {
  while (!stopping.aborted && !oidc.isReady()) {
    try {
      await oidc.prepare();
    } catch (error) {
      log.warn("provider_not_ready", describeError(error));
      await sleep(DISCOVERY_RETRY_MS);
    }
  }
}
