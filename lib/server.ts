/**
 * The server's life: start, upkeep, stop. Called by `cli/serve.ts` with the application that `index.ts` makes.
 */
import type { Config } from "./config.ts";
import type { Database } from "./db.ts";
import { openDatabase } from "./db.ts";
import type { Deps, World } from "./deps.ts";
import { createDeps } from "./deps.ts";
import { addressInUse, asJanusError } from "./errors.ts";
import { migrateUp, requireMigrated } from "./migrations.ts";
import { startUpkeep } from "./upkeep.ts";

type Answer = (request: Request) => Response | Promise<Response>;

/** What Elysia gives us: one function from request to response, and the routes that it is made of. */
export type CreateApp = (deps: Deps) => { readonly fetch: Answer; readonly routes: readonly Route[] };

/** A route as Elysia lists it. */
type Route = { readonly method: string; readonly path: string; readonly handler: unknown };

/** What `http.ts` makes of every handler: it needs nothing of Elysia's context but the request. */
type EdgeHandler = (context: { readonly request: Request }) => Response | Promise<Response>;

/** A server that listens. */
export type RunningServer = {
  /** Where it listens, such as http://127.0.0.1:3000. */
  readonly address: string;
  readonly deps: Deps;
  /** Stops taking requests, lets those under way finish, and closes the database. */
  readonly stop: () => Promise<void>;
};

/** Bodies over this Bun refuses by itself, without a page; below, the edge refuses with one. Nothing is read of either. */
const MAX_BODY_BYTES = 2 * 1_024 * 1_024;
/** Longer than the slowest flow step that ends at all: every upstream call at its deadline, with its repeats. */
const IDLE_TIMEOUT_SECONDS = 180;
/** Under the ten seconds that container engines give. */
const STOP_DEADLINE_MS = 8_000;
const UPKEEP_SECONDS = 30;
const DISCOVERY_RETRY_MS = 10_000;

/**
 * Opens the database, refuses to go on where it is newer than the program or a migration was edited, and serves.
 * `/healthz` is answered while the database is looked at, all else waits for that.
 * Throws database_newer, migration_edited, migration_failed, data_dir_locked, address_in_use.
 */
export async function startServer(
  config: Config,
  createApp: CreateApp,
  world: World,
): Promise<RunningServer> {
  const db = await openDatabase(config.database);
  try {
    const deps = createDeps(config, db, world);
    const app = createApp(deps);
    const answer = app.fetch;
    const checked = checkDatabase(config, db, world);
    // Awaited below; where listening fails first, nobody is left to hear of it.
    checked.catch(() => undefined);
    const server = listen(config, (request) =>
      URL.parse(request.url)?.pathname === "/healthz" ? answer(request) : checked.then(() => answer(request)),
    );
    await checked.catch(async (error: unknown) => {
      await server.stop(true);
      throw error;
    });
    server.reload({ fetch: answer, routes: mountRoutes(app.routes) });
    return run(server, deps, world);
  } catch (error) {
    await db.close();
    throw error;
  }
}

/**
 * The routes on Bun's own router, where Elysia's `listen` would put them too: it finds a route before any of our code
 * runs. What is none (another method, HEAD, a slash at the end) is Elysia's to answer.
 */
function mountRoutes(routes: readonly Route[]): Record<string, Record<string, Answer>> {
  const mounted: Record<string, Record<string, Answer>> = {};
  for (const { method, path, handler } of routes) {
    if (!isEdgeHandler(handler)) continue;
    const methods = mounted[path] ?? {};
    methods[method] = (request) => handler({ request });
    mounted[path] = methods;
  }
  return mounted;
}

const isEdgeHandler = (handler: unknown): handler is EdgeHandler => typeof handler === "function";

function run(server: Bun.Server<undefined>, deps: Deps, world: World): RunningServer {
  const upkeep = startUpkeep(deps, UPKEEP_SECONDS);
  const discovery = new AbortController();
  void prepareProvider(deps, discovery.signal);
  const address = server.url.origin;
  world.log.info("listening", { address, version: world.version });
  const finish = async (): Promise<void> => {
    await Promise.all([server.stop(), upkeep.stop()]);
    await deps.donePushes.settle();
  };
  const stop = async (): Promise<void> => {
    discovery.abort();
    // What is claimed by a round that is cut off here, another process takes over when its lease ends.
    await Promise.race([finish(), world.sleep(STOP_DEADLINE_MS)]);
    await server.stop(true);
    await deps.db.close();
    world.log.info("stopped");
  };
  return { address, deps, stop };
}

/** The embedded database is ours alone, so it is migrated here; PostgreSQL by `janus migrate`, when the operator says. */
async function checkDatabase(config: Config, db: Database, { log, now }: World): Promise<void> {
  try {
    if (config.database.url === undefined) {
      const applied = await migrateUp(db, now);
      if (applied.length > 0) log.info("embedded database migrated", { count: applied.length });
    } else {
      await requireMigrated(db);
    }
  } catch (error) {
    const { code, message } = asJanusError(error);
    // Both may pass while the server runs, and /readyz says when: starting is right.
    if (code !== "database_unavailable" && code !== "database_not_migrated") throw error;
    log.warn("database not ready", { code, reason: message });
  }
}

function listen(config: Config, fetch: Answer) {
  const { host, port } = config;
  try {
    return Bun.serve({
      hostname: host,
      port,
      fetch,
      maxRequestBodySize: MAX_BODY_BYTES,
      idleTimeout: IDLE_TIMEOUT_SECONDS,
      development: false,
      // Bun's default in production lets a second process share the port: two databases behind one address.
      reusePort: false,
    });
  } catch (error) {
    throw addressInUse(
      `Cannot listen on ${host}:${port}: set HOST and PORT to an address that is free.`,
      error,
    );
  }
}

/** Loads discovery, so that the first member does not wait for it; until then /readyz says no. */
async function prepareProvider({ oidc, log, sleep }: Deps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !oidc.isReady()) {
    try {
      await oidc.prepare();
    } catch (error) {
      const { code, message } = asJanusError(error);
      log.warn("provider not ready", { code, reason: message });
      await sleep(DISCOVERY_RETRY_MS);
    }
  }
}
