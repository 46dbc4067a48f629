/**
 * Whose turn it is: duties of upkeep take turns of one round each, so that a duty with much to do does not keep the others
 * waiting. The duties themselves are in `upkeep.ts`.
 */

import type { WorkDeps } from "../deps.ts";
import type { Round } from "../grants/round.ts";
import { isWorthAnother } from "../grants/round.ts";
import type { Budgeted } from "../sync/stops.ts";
import type { UpkeepStep } from "../telemetry/events.ts";
import { describeError } from "../telemetry/log.ts";

/** Something that upkeep has to do again and again. */
export type Duty = {
  readonly name: UpkeepStep;
  readonly everySeconds: number;
  /** The servers that a round asks for something. While it may not ask one of them, it has no round. */
  readonly asks: readonly Budgeted[];
  /** One round. */
  readonly run: (deps: WorkDeps) => Promise<Round>;
};

/** Duties that wait for their turn. */
type Turns = {
  /** Gives a duty a turn, unless it is waiting for one or having it. */
  readonly add: (duty: Duty) => void;
  /** The same for something that has just become due: a round under way may not have seen it, and then another follows. */
  readonly addUrgently: (duty: Duty) => void;
  /** Settles when no duty has anything left to do. */
  readonly settle: () => Promise<void>;
};

/**
 * Gives each added duty a round, in order. A duty whose round was full and went well waits for another one. Once `signal` is
 * aborted, the round under way is the last.
 */
export function createTurns(deps: WorkDeps, signal: AbortSignal): Turns {
  const waiting: Duty[] = [];
  const again = new Set<Duty>();
  let current: Duty | undefined;
  let working: Promise<void> | undefined;

  const take = async (duty: Duty): Promise<void> => {
    const round = await attempt(deps, duty);
    const isWanted = again.delete(duty);
    if (isWanted || (round !== undefined && isWorthAnother(round))) waiting.push(duty);
  };
  const work = async (): Promise<void> => {
    for (current = waiting.shift(); current !== undefined && !signal.aborted; current = waiting.shift())
      await take(current);
    current = undefined;
    working = undefined;
  };

  const add = (duty: Duty): void => {
    if (signal.aborted || duty === current || waiting.includes(duty)) return;
    waiting.push(duty);
    working ??= work();
  };

  return {
    add,
    addUrgently: (duty) => {
      if (duty === current) again.add(duty);
      else add(duty);
    },
    settle: async () => working,
  };
}

/** A duty that fails does not stop the others. The failure is logged, and the duty comes again. */
async function attempt(deps: WorkDeps, duty: Duty): Promise<Round | undefined> {
  const { tracer } = deps.instruments;
  if (tracer === undefined) return attemptNow(deps, duty);
  const attributes = { "janus.duty": duty.name };
  return tracer.trace("duty", `upkeep ${duty.name}`, attributes, () => attemptNow(deps, duty));
}

async function attemptNow(deps: WorkDeps, { name, asks, run }: Duty): Promise<Round | undefined> {
  try {
    if (!(await deps.upstreamBudgets.mayBegin(asks))) return undefined;
    const round = await run(deps);
    if (asks.length > 0) await deps.upstreamBudgets.report();
    return round;
  } catch (error) {
    deps.log.warn("upkeep_failed", { step: name, ...describeError(error) });
    return undefined;
  }
}
