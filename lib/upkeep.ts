/**
 * What has to happen while nobody looks: pushes that are due, grants that are to end, rows that nobody needs. Called
 * by the server on a timer. Any number of processes may do it at once: each claims what it works on.
 */
import { createClockWatch } from "./database/clock_watch.ts";
import type { Deps } from "./deps.ts";
import { endDueGrants } from "./grant/end_discord_grant.ts";
import { secondsAfter } from "./grant/grant.ts";
import { endDueProviderGrants } from "./grant/provider_grant.ts";
import { clearDueRoleConnections } from "./grant/role_connection_left.ts";
import { describeError } from "./log.ts";
import { deleteExpiredSessions } from "./session/session.ts";
import { pushDueLinks } from "./sync.ts";

const KEEP_UNLINKED_SECONDS = 3_600;

/** One round. A part that fails does not keep the others from their work; it is logged and comes again. */
export async function runUpkeep(deps: Deps): Promise<void> {
  const before = secondsAfter(deps.now(), -KEEP_UNLINKED_SECONDS);
  await attempt(deps, "delete old flows", () => deps.queries.deleteOldFlows({ createdBefore: before }));
  await attempt(deps, "end due grants", () => endDueGrants(deps));
  await attempt(deps, "clear due role connections", () => clearDueRoleConnections(deps));
  await attempt(deps, "end due provider grants", () => endDueProviderGrants(deps));
  await attempt(deps, "delete expired sessions", () => deleteExpiredSessions(deps));
  await attempt(deps, "delete unused accounts", () => deps.queries.deleteUnused({ updatedBefore: before }));
  await attempt(deps, "delete unlinked accounts", () => deps.queries.deleteUnlinked({ seenBefore: before }));
  await attempt(deps, "push due links", () => pushDueLinks(deps));
}

/** Compares the clocks, and runs rounds until `stop`, which waits for the one under way. */
export function startUpkeep(deps: Deps, everySeconds: number): { readonly stop: () => Promise<void> } {
  const watchClock = createClockWatch({
    ...deps,
    readDatabaseClock: async () => (await deps.queries.findClock({}))?.now,
  });
  let round = watchClock();
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    round = watchClock()
      .then(() => runUpkeep(deps))
      .finally(() => {
        busy = false;
      });
  }, everySeconds * 1_000);
  return {
    stop: async () => {
      clearInterval(timer);
      await round;
    },
  };
}

async function attempt(deps: Deps, step: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    deps.log.warn("upkeep failed", { step, ...describeError(error) });
  }
}
