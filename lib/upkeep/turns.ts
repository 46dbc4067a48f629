/**
 * Whose turn it is: duties of upkeep are worked on in turns of one round each, so that one with much to do does not keep
 * the others waiting. What the duties are is in `../upkeep.ts`.
 */
import type { Deps } from "../deps.ts";
import { describeError } from "../log.ts";
import { createPace } from "./pace.ts";
import { isWorthAnother, type Round } from "./round.ts";

/** Something that has to be done again and again while nobody looks. */
export type Duty = {
  readonly name: string;
  readonly everySeconds: number;
  /** Whether a round asks other servers for something, so that it is paced. */
  readonly isPaced: boolean;
  /** One round. */
  readonly run: (deps: Deps) => Promise<Round>;
};

/** Duties that wait for their turn. */
export type Turns = {
  /** Lets a duty have a turn, unless it waits for one or is having it. */
  readonly add: (duty: Duty) => void;
  /** Settles when no duty has anything left to do. */
  readonly settle: () => Promise<void>;
};

/**
 * Gives each duty that was added a round, in order, and another one after the others as long as its rounds are full and
 * go well. Once `signal` is aborted the round under way is the last.
 */
export function createTurns(deps: Deps, signal: AbortSignal): Turns {
  const waiting: Duty[] = [];
  const pace = createPace(deps);
  let current: Duty | undefined;
  let working: Promise<void> | undefined;

  const take = async (duty: Duty): Promise<void> => {
    if (duty.isPaced) await pace.wait(signal);
    if (signal.aborted) return;
    const round = await attempt(deps, duty);
    if (round === undefined) return;
    if (duty.isPaced) pace.spend(round.claimed);
    if (isWorthAnother(round)) waiting.push(duty);
  };
  const work = async (): Promise<void> => {
    for (current = waiting.shift(); current !== undefined && !signal.aborted; current = waiting.shift())
      await take(current);
    current = undefined;
    working = undefined;
  };

  return {
    add: (duty) => {
      if (signal.aborted || duty === current || waiting.includes(duty)) return;
      waiting.push(duty);
      working ??= work();
    },
    settle: async () => working,
  };
}

/** A duty that fails does not keep the others from their work; it is logged and comes again. */
async function attempt(deps: Deps, { name, run }: Duty): Promise<Round | undefined> {
  try {
    return await run(deps);
  } catch (error) {
    deps.log.warn("upkeep failed", { step: name, ...describeError(error) });
    return undefined;
  }
}
