/**
 * Whether losses are held, as this process last read it: the brake is one row for all processes, and a request that only
 * tells of it is to cost no statement.
 */
import type { WorkDeps } from "../deps.ts";
import type { Round } from "../grants/round.ts";
import { roundOf } from "../grants/round.ts";
import { isHeld } from "./brake.ts";

/** What this process knows of the brake. */
export type HeldLosses = {
  readonly note: (isHeldNow: boolean) => void;
  readonly isHeld: () => boolean;
};

/** Starts by knowing of none. */
export function createHeldLosses(): HeldLosses {
  let isHeldNow = false;
  return {
    note: (held) => {
      isHeldNow = held;
    },
    isHeld: () => isHeldNow,
  };
}

const NOTHING: Round = roundOf(0, 0);

/** A round: reads whether losses are held, whichever process has decided that. If that fails, the last answer stays. */
export async function noteHeldLosses(deps: Pick<WorkDeps, "queries" | "heldLosses">): Promise<Round> {
  deps.heldLosses.note(await isHeld(deps));
  return NOTHING;
}
