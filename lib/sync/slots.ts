/**
 * The calls of one process that wait for their turn at an upstream. They are let go one after the other, in the time that
 * `budget.ts` reserves for them: as many calls as wait, for a quarter of a second at most, so that processes take turns.
 */
import type { Reservation } from "./budget.ts";
import type { Stop } from "./stops.ts";

/** Why a call has to be put off. */
export type Refusal = { readonly reason: string; readonly stop?: Stop; readonly cause?: unknown };

/** What it works with. */
type Needs = {
  readonly perSecond: number;
  /** Throws as the database does. */
  readonly reserve: (calls: number) => Promise<Reservation>;
  /** What this process knows of a stop, without asking. */
  readonly findStop: () => Stop | undefined;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<void>;
};

/** In how many parts processes share a second. */
const TURNS_A_SECOND = 4;
/** A call under a lease waits no longer: a check has up to three of them, and 90 seconds. */
export const MAX_WAIT_MS = 30_000;
/** A stop that is over so soon is waited for, as Discord's other short waits are. */
const SHORT_STOP_MS = 5_000;
/** A turn that is later than this is lost: the time may be another process's. One call goes in any case. */
export const MAX_LATE_MS = 100;

/** Makes a queue. Its function settles when a call may go, or says why it may not. It never rejects. */
export function createSlots(needs: Needs): () => Promise<Refusal | undefined> {
  const { perSecond, now, sleep } = needs;
  const gapMs = 1_000 / perSecond;
  const most = Math.max(1, Math.floor(perSecond / TURNS_A_SECOND));
  const waiting: { readonly since: number; readonly settle: (refusal: Refusal | undefined) => void }[] = [];
  let isAtWork = false;
  let hasWaited = false;

  const refuseAll = (refusal: Refusal): void => {
    for (const { settle } of waiting.splice(0)) settle(refusal);
  };

  /** Waits for the end of a short stop, but not twice in turn; otherwise no call may go. */
  const meetStop = async (stop: Stop): Promise<void> => {
    const leftMs = stop.until.getTime() - now().getTime();
    if (hasWaited || leftMs > SHORT_STOP_MS) return refuseAll(refusalOf(stop));
    hasWaited = true;
    await sleep(leftMs);
  };

  /** Waits for the next call's turn. If the clock was set back, it waits no longer than `mostMs`. */
  const waitUntil = async (at: number, mostMs: number): Promise<void> => {
    const waitMs = Math.min(at - now().getTime(), mostMs);
    if (waitMs > 0) await sleep(waitMs);
  };

  /** Lets so many calls go, each in its turn; those whose turn is lost wait for another reservation. */
  const letGo = async (calls: number, startsAt: Date): Promise<void> => {
    if (startsAt.getTime() - now().getTime() > MAX_WAIT_MS) return refuseAll(TOO_LATE);
    let mostMs = MAX_WAIT_MS;
    for (let slot = 0; slot < calls; slot++) {
      const at = startsAt.getTime() + slot * gapMs;
      const isLastChance = slot === calls - 1 && mostMs === MAX_WAIT_MS;
      if (now().getTime() - at > MAX_LATE_MS && !isLastChance) continue;
      await waitUntil(at, mostMs);
      mostMs = gapMs;
      const stop = needs.findStop();
      if (stop !== undefined) return meetStop(stop);
      hasWaited = false;
      waiting.shift()?.settle(undefined);
    }
  };

  const refuseLate = (): void => {
    const latest = now().getTime() - MAX_WAIT_MS;
    const late = waiting.filter(({ since }) => since < latest).length;
    for (const { settle } of waiting.splice(0, late)) settle(TOO_LATE);
  };

  const work = async (): Promise<void> => {
    for (refuseLate(); waiting.length > 0; refuseLate()) {
      const calls = Math.min(waiting.length, most);
      try {
        const reservation = await needs.reserve(calls);
        if ("stop" in reservation) await meetStop(reservation.stop);
        else await letGo(calls, reservation.startsAt);
      } catch (cause) {
        // Carrying on is right: each call that waits fails with this cause.
        refuseAll({ reason: "the database did not reserve it", cause });
      }
    }
    isAtWork = false;
  };

  return () => {
    const { promise, resolve } = Promise.withResolvers<Refusal | undefined>();
    waiting.push({ since: now().getTime(), settle: resolve });
    if (!isAtWork) {
      isAtWork = true;
      void work();
    }
    return promise;
  };
}

const TOO_LATE: Refusal = { reason: "members and other processes have made all calls meanwhile" };

const refusalOf = (stop: Stop): Refusal => ({
  reason: `such calls are stopped until ${stop.until.toISOString()}`,
  stop,
});
