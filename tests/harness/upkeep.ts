/** Upkeep as time goes by. */
import type { WorkDeps } from "../../lib/deps.ts";
import { runUpkeep } from "../../lib/server/upkeep.ts";
import type { Clock } from "./clock.ts";

/** A little more than an hour: upkeep ends grants that were unused for so long. */
const ROUND_SECONDS = 3_700;

/** Rounds of upkeep, an hour apart. */
export async function keepUp(
  { clock, deps }: { readonly clock: Clock; readonly deps: WorkDeps },
  rounds: number,
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    clock.advance(ROUND_SECONDS);
    await runUpkeep(deps);
  }
}
