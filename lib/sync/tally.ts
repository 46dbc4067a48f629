/**
 * What a process has met at an upstream since it last told the database: how many calls members have made, and answers that
 * concern all work of all processes. `budget.ts` stores it.
 */
import { isGood, isRefusal, readLimit, readWaitSeconds } from "../discord/limits.ts";
import type { Answer } from "../oauth/upstream.ts";
import { secondsAfter } from "../time.ts";

/** What is stored. */
export type Met = {
  /** Calls for members, of this second and of the one before: older ones take no room from what comes. */
  readonly memberCalls: number;
  readonly refusals: number;
  /** The last good answer, if no page came before it. */
  readonly goodAt: Date | null;
  /** The first page that said that the address is blocked. */
  readonly pageAt: Date | null;
  /** Until when Discord's global limit lasts. */
  readonly globalUntil: Date | null;
};

/** Counts. */
export type Tally = {
  readonly addMemberCall: () => void;
  /** Reads an answer of Discord's. */
  readonly addAnswer: (answer: Answer) => void;
  /** What it has, and keeps. */
  readonly look: () => Pick<Met, "pageAt" | "globalUntil">;
  /** Whether there is anything that other processes should know soon. */
  readonly isUrgent: () => boolean;
  /** Gives what it has, and begins again. */
  readonly take: () => Met;
  /** Takes back what could not be stored. */
  readonly giveBack: (met: Met) => void;
};

const NOTHING: Met = { memberCalls: 0, refusals: 0, goodAt: null, pageAt: null, globalUntil: null };

/** Begins with nothing. */
export function createTally(now: () => Date): Tally {
  let met = NOTHING;
  let second = 0;
  let [before, current] = [0, 0];

  const turnTo = (next: number): void => {
    if (next === second) return;
    before = next === second + 1 ? current : 0;
    current = 0;
    second = next;
  };
  const thisSecond = (): number => Math.floor(now().getTime() / 1_000);

  return {
    addMemberCall: () => {
      turnTo(thisSecond());
      current += 1;
    },
    addAnswer: (answer) => {
      met = add(met, answer, now());
    },
    look: () => met,
    isUrgent: () => met.refusals > 0 || met.pageAt !== null || met.globalUntil !== null,
    take: () => {
      turnTo(thisSecond());
      const taken = { ...met, memberCalls: before + current };
      met = NOTHING;
      [before, current] = [0, 0];
      return taken;
    },
    giveBack: (taken) => {
      met = {
        ...met,
        refusals: met.refusals + taken.refusals,
        goodAt: taken.pageAt === null ? (met.goodAt ?? taken.goodAt) : taken.goodAt,
        pageAt: taken.pageAt ?? met.pageAt,
        globalUntil: later(met.globalUntil, taken.globalUntil),
      };
    },
  };
}

function add(met: Met, answer: Answer, at: Date): Met {
  const refusals = met.refusals + (isRefusal(answer) ? 1 : 0);
  const limit = readLimit(answer);
  if (limit === "address") return { ...met, refusals, pageAt: met.pageAt ?? at };
  if (limit === "global") {
    const until = secondsAfter(at, readWaitSeconds(answer));
    return { ...met, refusals, globalUntil: later(met.globalUntil, until) };
  }
  return isGood(answer) && met.pageAt === null ? { ...met, goodAt: at } : { ...met, refusals };
}

const later = (one: Date | null, other: Date | null): Date | null =>
  one === null || (other !== null && other > one) ? other : one;
