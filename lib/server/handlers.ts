/** The start page, and what operators ask: one function a route. Called by `index.ts`. */

import { requireMigrated } from "../database/migrations.ts";
import type { Deps } from "../deps.ts";
import { asJanusError } from "../errors.ts";
import type { Handler } from "../http/response.ts";
import { jsonResponse, pageResponse } from "../http/response.ts";
import { renderHome } from "../pages/link.tsx";
import { createDeadlines } from "../time.ts";

/** GET / */
export const showHome: Handler = (deps, exchange) => pageResponse(deps, exchange, renderHome);

/** GET /healthz: the process is alive, whatever else is down. */
export const showHealth: Handler = (deps, exchange) => jsonResponse(deps, exchange, 200, { status: "alive" });

/**
 * GET /readyz: Janus was not told to stop, the database is reachable, migrated and writable, and the provider's discovery
 * was loaded at least once.
 */
export const showReadiness: Handler = async (deps, exchange) => {
  // Nothing is asked any more: whoever balances the load is to send members elsewhere.
  if (deps.stopping.aborted) return jsonResponse(deps, exchange, 503, { status: "stopping" });
  const database = await describeDatabase(deps);
  const provider = deps.oidc.isReady() ? "ready" : "discovery_not_loaded";
  const ready = database === "ready" && provider === "ready";
  return jsonResponse(deps, exchange, ready ? 200 : 503, {
    status: ready ? "ready" : "not_ready",
    database,
    provider,
  });
};

/** Shorter than a statement may take: who asks whether Janus is well has a deadline too, such as `janus healthcheck`. */
const LOOK_MS = 2_000;
const deadlines = createDeadlines(LOOK_MS);
const looks = new WeakMap<Deps, Promise<string>>();

/**
 * One look for all who ask while it is under way, however long that is: whoever asks often gets no more of the database
 * than others. Each waits for it as long as they may.
 */
function describeDatabase(deps: Deps): Promise<string> {
  const look = looks.get(deps) ?? lookAtDatabase(deps).finally(() => looks.delete(deps));
  looks.set(deps, look);
  const { promise, resolve } = Promise.withResolvers<string>();
  const pending = deadlines.add(() => resolve("database_unavailable"));
  void look.then((state) => {
    deadlines.delete(pending);
    resolve(state);
  });
  return promise;
}

async function lookAtDatabase({ db }: Deps): Promise<string> {
  try {
    await requireMigrated(db);
    return (await db.findHindrance()) ?? "ready";
  } catch (error) {
    return asJanusError(error).code;
  }
}
