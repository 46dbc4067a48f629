/** Lets time pass when all is calm: upkeep comes round and round, and what is due is done, for half a day. */

import { upkeepDepsOf } from "../../lib/deps.ts";
import { readConfiguration } from "../../lib/operator/configuration.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import { createLog } from "../../lib/telemetry/log.ts";
import { createShared } from "../../lib/wiring.ts";
import { logWatch } from "../harness/log_watch.ts";
import type { Stage } from "./stage.ts";

/** First as often as retries come, then as seldom as the longest of them. */
const STEPS_SECONDS: readonly number[] = [...Array<number>(40).fill(180), ...Array<number>(14).fill(3_700)];

/** Runs upkeep in this process, by itself. Returns what it ran with. */
export async function letTimePass({ clock, database, environment, journal }: Stage) {
  const shared = createShared(await readConfiguration(environment), database.db, {
    fetch: (url, init) => fetch(url, init),
    now: clock.now,
    sleep: () => Promise.resolve(),
    log: createLog(
      "info",
      (line) => {
        journal.addLine(line);
        logWatch.addLines(line);
      },
      clock.now,
    ),
    version: "0.0.0-test",
  });
  const deps = upkeepDepsOf(shared);
  for (const seconds of STEPS_SECONDS) {
    await runUpkeep(deps);
    clock.skip(seconds);
  }
  return deps;
}
