/**
 * Stops of the work that nobody waits for at an upstream: what they are called, what to do about them, and how the log
 * tells of them. When one begins and ends, `budget.ts` and the database decide.
 */
import type { Queries } from "../database/queries.ts";
import type { Log } from "../telemetry/log.ts";

/** An upstream with a budget. */
export type Budgeted = "discord" | "provider";

/** Since when and until when the work is stopped, and why. `since` is null if the previous release has stopped it. */
export type Stop = {
  readonly since: Date | null;
  readonly until: Date;
  readonly cause: "address" | "global" | "refusals";
};

/** A stop as operators and programs are told of it. */
export type ToldStop = Pick<Stop, "since" | "until"> & {
  readonly upstream: Budgeted;
  readonly code: StopCode;
};

const CODES = { address: "address_blocked", global: "global_limit", refusals: "too_many_refusals" } as const;
/** What a cause is called outside the database. */
export type StopCode = (typeof CODES)[keyof typeof CODES];

/** Whose server it is, at the beginning of a sentence. */
const NAMES: Readonly<Record<Budgeted, string>> = { discord: "Discord", provider: "The provider" };
const REASONS: Readonly<Record<StopCode, string>> = {
  address_blocked: "a page came in place of an answer, so it seems to have blocked this address",
  global_limit: "it asks all calls of the application to wait",
  too_many_refusals:
    "it has refused 1,500 calls within a quarter of an hour, and blocks an address after 10,000",
};
/** What an operator can do. */
export const STOP_REMEDIES: Readonly<Record<StopCode, string>> = {
  address_blocked:
    "Wait. If it comes again, other programs behind the same address may cause it: ask your network's operator, or give Janus an address of its own.",
  global_limit: "Wait. If it comes again, see whether another program uses the same Discord application.",
  too_many_refusals:
    "Look in the log for upstream_call with status 401, 403 or 429. Many 403 mean that Discord refuses what Janus asks: compare DISCORD_CLIENT_ID with the application.",
};

/** A stop in its outside form. */
export const tellStop = (upstream: Budgeted, { since, until, cause }: Stop): ToldStop => ({
  upstream,
  code: CODES[cause],
  since,
  until,
});

/** The stop in a sentence: what is stopped, since when and until when, and why. */
export function describeStop({ upstream, code, since, until }: ToldStop): string {
  const from = since === null ? "" : `since ${since.toISOString()} and `;
  const what = `${NAMES[upstream]} is asked for nothing by upkeep, ${from}until ${until.toISOString()}`;
  return `${what}: ${REASONS[code]}.`;
}

/** The stops that hold now, for all processes, as the database has them. Throws as the database does. */
export async function listStops({
  queries,
  now,
}: {
  readonly queries: Pick<Queries, "listStops">;
  readonly now: () => Date;
}): Promise<readonly ToldStop[]> {
  const rows = await queries.listStops({ now: now() });
  return rows.flatMap(({ upstream, blockedSince: since, blockedUntil: until, blockCause: cause }) =>
    until === null || cause === null ? [] : [tellStop(upstream, { since, until, cause })],
  );
}

/** Tells the log of stops. It is given every reservation: with the stop, or undefined. */
export type Announcer = (stop: Stop | undefined) => void;

/** Logs the beginning of each stop once, and its end. */
export function createAnnouncer(log: Log, upstream: Budgeted): Announcer {
  let announced: { readonly key: string; readonly code: StopCode } | undefined;
  return (stop) => {
    if (stop === undefined) {
      if (announced !== undefined)
        log.info("upstream_resumed", { upstream, code: announced.code, reason: "upkeep asks it again" });
      announced = undefined;
      return;
    }
    const { cause, since, until } = stop;
    const [code, key] = [CODES[cause], `${cause} ${(since ?? until).toISOString()}`];
    if (announced?.key === key) return;
    announced = { key, code };
    const reason = `${REASONS[code]}: upkeep asks it for nothing until ${until.toISOString()}`;
    if (cause === "refusals") log.error("upstream_stopped", { upstream, code, reason });
    else log.warn("upstream_stopped", { upstream, code, reason });
  };
}
