/** Figures for a report: what an organisation asks an operator once a year. Only what the database knows, and of nobody by name. */
import type { Queries } from "../database/queries.ts";
import { SESSION_IDLE_SECONDS } from "../session/secrets.ts";
import { secondsAfter } from "../time.ts";
import { EVENT_DAYS } from "./audit.ts";

/** What happened within a time. */
export type Counts = {
  /** Flows of which Discord has let the member through. */
  readonly begun: number;
  /** Flows that ended in a link, new or renewed. */
  readonly finished: number;
  readonly notAdmitted: number;
  readonly linked: number;
  readonly unlinked: number;
  readonly signedIn: number;
  readonly pushed: number;
  readonly cleared: number;
  readonly pushesFailed: number;
};

/** A week, by its Monday, in UTC. */
export type Week = Pick<
  Counts,
  "begun" | "finished" | "notAdmitted" | "linked" | "unlinked" | "signedIn" | "pushed" | "cleared"
> & { readonly week: string };

/** The figures. */
export type Stats = {
  /** Each link counts once. */
  readonly links: Readonly<
    Record<"all" | "told" | "waiting" | "losing" | "disconnected" | "cleared", number>
  >;
  /** How many links have each record at Discord. `given` leaves out those that have a no. */
  readonly records: readonly { readonly key: string; readonly given: number; readonly zero: number }[];
  /** Links whose claims were read within a time, and those whose last check failed. */
  readonly checks: { readonly withinDay: number; readonly withinWeek: number; readonly failing: number };
  /** The oldest first. The last one is not over. */
  readonly weeks: readonly Week[];
  /** Sessions that have not ended, by browser. */
  readonly browsers: readonly { readonly userAgent: string | null; readonly sessions: number }[];
  /** What other servers have told Janus within EVENT_DAYS. */
  readonly events: readonly { readonly source: string; readonly outcome: string; readonly count: number }[];
};

type Needs = { readonly queries: Queries; readonly now: () => Date };

const DAY_SECONDS = 86_400;
const WEEK_DAYS = 7;
/** As in 2026-01-31. */
const DATE_LENGTH = 10;
const MOST_BROWSERS = 10;
/** 1 January 1970 was a Thursday. */
const THURSDAY_DAYS = 3;

/** Reads the figures of so many weeks, the current one among them. */
export async function readStats({ queries, now }: Needs, weeks: number): Promise<Stats> {
  const at = now();
  const ago = (days: number): Date => secondsAfter(at, -days * DAY_SECONDS);
  const idleSince = secondsAfter(at, -SESSION_IDLE_SECONDS);
  const [states, records, checks, browsers, events] = await Promise.all([
    queries.countLinkStates({ overdueBefore: at, endedSince: at, now: at }),
    queries.countRecords({}),
    queries.countChecked({ dayAgo: ago(1), weekAgo: ago(WEEK_DAYS) }),
    queries.countSessionsByUserAgent({ limit: MOST_BROWSERS, idleSince, now: at }),
    queries.listEventCounts({ since: ago(EVENT_DAYS) }),
  ]);
  if (states === undefined || checks === undefined) throw new Error("an aggregate has no row");
  const { told, waiting, losing, disconnected, cleared } = states;
  return {
    links: {
      all: told + waiting + losing + disconnected + cleared,
      ...{ told, waiting, losing, disconnected, cleared },
    },
    records: records.map(({ key, links, zeros }) => ({ key, given: links - zeros, zero: zeros })),
    checks,
    weeks: await readWeeks({ queries }, listMondays(at, weeks)),
    browsers,
    events: events.map(({ source, outcome, events: count }) => ({ source, outcome, count })),
  };
}

/** The Mondays on which the weeks begin, the oldest first. */
function listMondays(at: Date, weeks: number): readonly Date[] {
  const day = Math.floor(at.getTime() / 1_000 / DAY_SECONDS);
  const monday = day - ((day + THURSDAY_DAYS) % WEEK_DAYS);
  return Array.from(
    { length: weeks },
    (_, index) => new Date((monday - (weeks - 1 - index) * WEEK_DAYS) * DAY_SECONDS * 1_000),
  );
}

/** One statement for each week, so that none takes long. */
async function readWeeks(
  { queries }: Pick<Needs, "queries">,
  mondays: readonly Date[],
): Promise<readonly Week[]> {
  const weeks: Week[] = [];
  for (const since of mondays) {
    const until = secondsAfter(since, WEEK_DAYS * DAY_SECONDS);
    const { pushesFailed, ...counts } = await countWithin({ queries }, since, until);
    weeks.push({ week: since.toISOString().slice(0, DATE_LENGTH), ...counts });
  }
  return weeks;
}

/** What the trail tells of a time. */
export async function countWithin(
  { queries }: Pick<Needs, "queries">,
  since: Date,
  until: Date,
): Promise<Counts> {
  const counts = await queries.countActions({ since, until });
  const sum = (...actions: readonly string[]): number =>
    counts.filter(({ action }) => actions.includes(action)).reduce((total, { events }) => total + events, 0);
  return {
    begun: sum("discord_authorized"),
    finished: sum("linked", "relinked", "link_moved"),
    notAdmitted: sum("not_admitted"),
    linked: sum("linked", "link_moved"),
    unlinked: sum("unlinked", "link_replaced"),
    signedIn: sum("signed_in"),
    pushed: sum("role_connection_pushed"),
    cleared: sum("role_connection_cleared"),
    pushesFailed: sum("push_failed"),
  };
}
