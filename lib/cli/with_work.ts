/** Opens everything that upkeep works with, for a command that does some of its work, and closes it. */
import type { Environment } from "../config/sources.ts";
import type { WorkDeps } from "../deps.ts";
import { upkeepDepsOf } from "../deps.ts";
import type { Configuration } from "../operator/configuration.ts";
import { readConfiguration } from "../operator/configuration.ts";
import { createWorld } from "../server/world.ts";
import { NO_LOG } from "../telemetry/log.ts";
import { createShared } from "../wiring.ts";
import { withStoredDatabase } from "./with_database.ts";

/** Does the work. What only this process has is stored before it ends. */
export async function withWork<Result>(
  environment: Environment,
  json: boolean,
  work: (deps: WorkDeps) => Promise<Result>,
): Promise<Result> {
  const configuration: Configuration = await readConfiguration(environment);
  return withStoredDatabase(configuration.config, json, async (db) => {
    const deps = upkeepDepsOf(createShared(configuration, db, createWorld(NO_LOG, { ref: true })));
    try {
      return await work(deps);
    } finally {
      await deps.unstored.retry();
      await deps.upstreamBudgets.report();
    }
  });
}
