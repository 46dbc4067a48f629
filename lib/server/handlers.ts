/**
 * What load balancers and operators ask. The rest of this room is described in `lifecycle.ts`.
 *
 *   GET /healthz     showHealth        whether the process is alive
 *   GET /readyz      showReadiness     whether it can serve members
 */

import { requireMigrated } from "../database/migrations.ts";
import type { Deps } from "../deps.ts";
import { asJanusError } from "../errors.ts";
import type { Handler } from "../http/response.ts";
import { jsonResponse } from "../http/response.ts";
import { createDeadlines } from "../time.ts";

/** GET /healthz: the process is alive, whatever else is down. */
export const showHealth: Handler = (deps, exchange) => jsonResponse(deps, exchange, 200, { status: "alive" });

/**
 * GET /readyz: Janus was not told to stop, the database is reachable, migrated and writable, and the provider's discovery
 * was loaded at least once. Faults of the setup, that losses are held, and that upkeep is stopped are told beside that, and
 * take nothing out of rotation: a restart or another server does not mend them.
 */
export const showReadiness: Handler = async (deps, exchange) => {
  // The load balancer is to send members elsewhere, whatever the database says.
  if (exchange.isStopping) return jsonResponse(deps, exchange, 503, { status: "stopping" });
  const database = await describeDatabase(deps);
  const provider = deps.oidc.isReady() ? "ready" : "discovery_not_loaded";
  const ready = database === "ready" && provider === "ready";
  const stops = deps.upstreamBudgets.listStops();
  const warnings: readonly string[] = [
    ...deps.setup.listFaults().map(({ code }) => code),
    ...(deps.heldLosses.isHeld() ? ["losses_held"] : []),
    ...(stops.length === 0 ? [] : ["upstream_stopped"]),
  ];
  return jsonResponse(deps, exchange, ready ? 200 : 503, {
    status: ready ? "ready" : "not_ready",
    database,
    provider,
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(stops.length === 0 ? {} : { stops }),
  });
};

/** Shorter than a statement may take: who asks whether Janus is well has a deadline too, such as `janus healthcheck`. */
const LOOK_MS = 2_000;
const deadlines = createDeadlines(LOOK_MS);
const looks = new WeakMap<Deps["db"], Promise<string>>();

/** Concurrent probes share one database check, so frequent callers add no load. Each waits for it for LOOK_MS at most. */
function describeDatabase({ db }: Pick<Deps, "db">): Promise<string> {
  const look = looks.get(db) ?? lookAtDatabase(db).finally(() => looks.delete(db));
  looks.set(db, look);
  const { promise, resolve } = Promise.withResolvers<string>();
  const pending = deadlines.add(() => resolve("database_unavailable"));
  void look.then((state) => {
    deadlines.delete(pending);
    resolve(state);
  });
  return promise;
}

async function lookAtDatabase(db: Deps["db"]): Promise<string> {
  try {
    await requireMigrated(db);
    return (await db.findHindrance()) ?? "ready";
  } catch (error) {
    return asJanusError(error).code;
  }
}
