/**
 * One budget for each upstream, which all processes share: how many calls a second work that nobody waits for may make, and
 * whether it is stopped. Members' requests never wait, and their calls take the room first. No process knows of another but
 * by the row in the database. docs/decisions/0044
 *
 *     the row: reservations, and what is told of answers     this file
 *     answers since the last reservation                     tally.ts
 *     calls that wait for their turn                         slots.ts
 *     what a stop is called, and who is told of it           stops.ts
 *
 * `oauth/upstream.ts` asks before each call, `discord/limits.ts` reads the answers, `server/upkeep_turns.ts` asks before
 * each round.
 */
import type { Queries } from "../database/queries.ts";
import type { JanusError } from "../errors.ts";
import type { Meter, Upstream } from "../oauth/upstream.ts";
import type { Log } from "../telemetry/log.ts";
import { secondsAfter } from "../time.ts";
import type { Refusal } from "./slots.ts";
import { createSlots, MAX_WAIT_MS } from "./slots.ts";
import type { Budgeted, Stop, ToldStop } from "./stops.ts";
import { createAnnouncer, tellStop } from "./stops.ts";
import { createTally } from "./tally.ts";

/** The time from which on the reserved calls may be made, one after the other; or that they may not. */
export type Reservation = { readonly startsAt: Date } | { readonly stop: Stop };

/** The budget of one upstream. */
type UpstreamBudget = {
  /** Follows the calls of the upstream's client. */
  readonly meter: Meter;
  /** Reserves calls, and stores what was met since the last time. Throws as the database does. */
  readonly reserve: (calls: number) => Promise<Reservation>;
  /** Whether a round of calls makes sense now. Throws as the database does. */
  readonly mayBegin: () => Promise<boolean>;
  /** Stores what other processes should know, if there is any. Throws as the database does. */
  readonly report: () => Promise<void>;
  /** The stop that holds now, as far as this process knows. */
  readonly findStop: () => Stop | undefined;
};

/** The budgets of all upstreams. */
export type UpstreamBudgets = Readonly<Record<Budgeted, UpstreamBudget>> & {
  /** Whether a round that asks these upstreams makes sense now. Throws as the database does. */
  readonly mayBegin: (upstreams: readonly Budgeted[]) => Promise<boolean>;
  /** Stores what other processes should know of all upstreams. Throws as the database does. */
  readonly report: () => Promise<void>;
  /** The same, and reads what other processes have stored. Throws as the database does. */
  readonly look: () => Promise<void>;
  /** The stops that hold now, as far as this process knows. */
  readonly listStops: () => readonly ToldStop[];
};

/** What budgets work with. */
type Needs = {
  readonly queries: Pick<Queries, "claimCalls">;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<void>;
  readonly log: Log;
  readonly providerPerSecond: number;
};

const UPSTREAMS = ["discord", "provider"] as const;
/** Discord allows an application 50 calls a second. The rest is for members whose calls are not counted yet. */
export const DISCORD_PER_SECOND = 40;
/** An answer of the database that is younger need not be asked for again. */
const LOOK_AGAIN_MS = 1_000;
/** A page of Cloudflare's stops this process for so long, until the database has said how long it is for all. */
const PAGE_STOP_SECONDS = 60;

/** Begins with nothing: the row is read by the first reservation. */
export function createUpstreamBudgets(needs: Needs): UpstreamBudgets {
  const discord = createBudget(needs, "discord", DISCORD_PER_SECOND);
  const provider = createBudget(needs, "provider", needs.providerPerSecond);
  const budgets = { discord, provider };
  return {
    ...budgets,
    mayBegin: async (upstreams) => {
      for (const upstream of upstreams) if (!(await budgets[upstream].mayBegin())) return false;
      return true;
    },
    report: async () => {
      await discord.report();
      await provider.report();
    },
    look: async () => {
      await discord.mayBegin();
      await provider.mayBegin();
    },
    listStops: () =>
      UPSTREAMS.flatMap((upstream) => {
        const stop = budgets[upstream].findStop();
        return stop === undefined ? [] : [tellStop(upstream, stop)];
      }),
  };
}

function createBudget(needs: Needs, upstream: Budgeted, perSecond: number): UpstreamBudget {
  const { queries, now } = needs;
  const tally = createTally(now);
  const announce = createAnnouncer(needs.log, upstream);
  let told: { readonly at: number; readonly reservation: Reservation } | undefined;
  /** What this process has met, and the database does not know yet. */
  let untold: Stop | undefined;

  const reserve = async (calls: number): Promise<Reservation> => {
    const [met, stopped, at] = [tally.take(), untold, now()];
    try {
      const row = await queries.claimCalls({ upstream, calls, perSecond, ...met, now: at });
      const reservation = readReservation(row, at, (calls / perSecond) * 1_000);
      if (untold === stopped) untold = undefined;
      told = { at: at.getTime(), reservation };
      announce("stop" in reservation ? reservation.stop : undefined);
      return reservation;
    } catch (error) {
      tally.giveBack(met);
      throw error;
    }
  };
  const findStop = (): Stop | undefined => {
    const stop = told !== undefined && "stop" in told.reservation ? told.reservation.stop : undefined;
    return [stop, untold].find((known) => known !== undefined && known.until > now());
  };
  const waitForSlot = createSlots({ ...needs, perSecond, reserve, findStop });

  const admit = async (client: Upstream, operation: string): Promise<void> => {
    if (client.waitsForTurn !== true) return tally.addMemberCall();
    const refusal = await waitForSlot();
    if (refusal !== undefined) throw putOff(client, operation, refusal, now());
  };
  const note: Meter["note"] = (answer) => {
    // The signs are Discord's own. The provider's answers stop a round, as any outage does.
    if (upstream !== "discord") return;
    tally.addAnswer(answer);
    const { pageAt, globalUntil } = tally.look();
    const since = untold?.since ?? now();
    if (pageAt !== null) untold = { since, until: secondsAfter(pageAt, PAGE_STOP_SECONDS), cause: "address" };
    else if (globalUntil !== null) untold = { since, until: globalUntil, cause: "global" };
  };

  return {
    meter: { admit, note },
    reserve,
    mayBegin: async () => {
      const ageMs = told === undefined ? Number.POSITIVE_INFINITY : now().getTime() - told.at;
      const isFresh = ageMs >= 0 && ageMs < LOOK_AGAIN_MS && !tally.isUrgent();
      const known = isFresh && told !== undefined ? told.reservation : await reserve(0);
      return "startsAt" in known && known.startsAt.getTime() - now().getTime() <= MAX_WAIT_MS;
    },
    report: async () => {
      if (tally.isUrgent()) await reserve(0);
    },
    findStop,
  };
}

type Row = NonNullable<Awaited<ReturnType<Queries["claimCalls"]>>>;

function readReservation(row: Row | undefined, at: Date, costMs: number): Reservation {
  // The statement gives a row in any case.
  if (row === undefined) return { startsAt: at };
  const { freeAt, blockedSince: since, blockedUntil: until, blockCause: cause } = row;
  if (until !== null && cause !== null && until > at) return { stop: { since, until, cause } };
  return { startsAt: new Date(freeAt.getTime() - costMs) };
}

/** The error of a call that was not sent. */
function putOff(client: Upstream, operation: string, refusal: Refusal, at: Date): JanusError {
  const { reason, stop, cause } = refusal;
  const left = stop === undefined ? undefined : Math.ceil((stop.until.getTime() - at.getTime()) / 1_000);
  return client.unavailable(`${operation}: not sent: ${reason}`, {
    isUntaken: true,
    // All work that nobody waits for is concerned, whoever it is for.
    limit: stop?.cause === "address" ? "address" : "global",
    ...(left === undefined ? {} : { retryAfterSeconds: left }),
    ...(cause === undefined ? {} : { cause }),
  });
}
