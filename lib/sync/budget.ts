/**
 * One budget for each upstream, which all processes share: how many calls a second work that nobody waits for may make, and
 * whether it is stopped. Members' requests never wait, and their calls take the room first. No process knows of another but
 * by the row in the database. docs/decisions/0044
 *
 *     the row: reservations, and what is told of answers     this file
 *     answers since the last reservation                     tally.ts
 *     calls that wait for their turn                         slots.ts
 *
 * `oauth/upstream.ts` asks before each call, `discord/limits.ts` reads the answers, `server/upkeep_turns.ts` asks before
 * each round.
 */
import type { Queries } from "../database/queries.ts";
import type { JanusError } from "../errors.ts";
import type { Meter, Upstream } from "../oauth/upstream.ts";
import type { Log } from "../telemetry/log.ts";
import type { Refusal } from "./slots.ts";
import { createSlots, MAX_WAIT_MS } from "./slots.ts";
import { createTally } from "./tally.ts";

/** An upstream with a budget. */
export type Budgeted = "discord" | "provider";

/** Until when work that nobody waits for is stopped, and why. */
export type Stop = { readonly until: Date; readonly cause: "address" | "global" | "refusals" };

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
};

/** The budgets of all upstreams. */
export type UpstreamBudgets = Readonly<Record<Budgeted, UpstreamBudget>> & {
  /** Whether a round that asks these upstreams makes sense now. Throws as the database does. */
  readonly mayBegin: (upstreams: readonly Budgeted[]) => Promise<boolean>;
  /** Stores what other processes should know of all upstreams. Throws as the database does. */
  readonly report: () => Promise<void>;
};

/** What budgets work with. */
type Needs = {
  readonly queries: Pick<Queries, "claimCalls">;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<void>;
  readonly log: Log;
  readonly providerPerSecond: number;
};

/** Discord allows an application 50 calls a second. The rest is for members whose calls are not counted yet. */
export const DISCORD_PER_SECOND = 40;
/** An answer of the database that is younger need not be asked for again. */
const LOOK_AGAIN_MS = 1_000;
/** A page of Cloudflare's stops this process for so long, until the database has said how long it is for all. */
const PAGE_STOP_MS = 60_000;

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
      if ("stop" in reservation) announce(reservation.stop);
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
    if (pageAt !== null) untold = { until: new Date(pageAt.getTime() + PAGE_STOP_MS), cause: "address" };
    else if (globalUntil !== null) untold = { until: globalUntil, cause: "global" };
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
  };
}

type Row = NonNullable<Awaited<ReturnType<Queries["claimCalls"]>>>;

function readReservation(row: Row | undefined, at: Date, costMs: number): Reservation {
  // The statement gives a row in any case.
  if (row === undefined) return { startsAt: at };
  const { freeAt, blockedUntil: until, blockCause: cause } = row;
  if (until !== null && cause !== null && until > at) return { stop: { until, cause } };
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

const CODES = { address: "address_blocked", global: "global_limit", refusals: "too_many_refusals" } as const;
const REASONS = {
  address: "a page came in its place, so it seems to have blocked this address",
  global: "it asks all calls of the application to wait",
  refusals: "it has refused 2,000 calls within ten minutes, and blocks an address after 10,000",
} as const;

/** Logs each stop once. */
function createAnnouncer(log: Log, upstream: Budgeted): (stop: Stop) => void {
  let announced = 0;
  return ({ until, cause }) => {
    if (announced === until.getTime()) return;
    announced = until.getTime();
    const reason = `${REASONS[cause]}: upkeep asks it for nothing until ${until.toISOString()}`;
    const fields = { upstream, code: CODES[cause], reason };
    if (cause === "refusals") log.error("upstream_stopped", fields);
    else log.warn("upstream_stopped", fields);
  };
}
