/**
 * This room owns what an operator does by command, apart from the terminal (`cli/`). The audit finds links and grants that
 * need attention and only lists them. Upkeep, the operator or the member puts them right.
 */
import type { Config } from "../config/load.ts";
import type { RingKey } from "../crypto.ts";
import type { Queries } from "../database/queries.ts";
import type { ToldStop } from "../sync/stops.ts";
import { listStops } from "../sync/stops.ts";
import { secondsAfter } from "../time.ts";
import { keyIdOf, tryTokenKeys } from "./token_keys.ts";

/**
 * One kind of fault, how often it occurs, up to MOST_COUNTED, and a few examples: Discord user ids, subjects, ids of stray
 * tokens, ids of keys, sources of events, or servers that upkeep may not ask, with the times.
 */
export type Finding = { readonly kind: string; readonly count: number; readonly examples: readonly string[] };

/** How many events of a source came to an outcome in the last days. */
export type EventCount = { readonly source: string; readonly outcome: string; readonly count: number };

/** The result of an audit. */
export type Audit = {
  readonly links: number;
  readonly findings: readonly Finding[];
  /** What other servers have told Janus within EVENT_DAYS. */
  readonly events: readonly EventCount[];
};

/** What an audit works with. */
type Needs = {
  readonly queries: Queries;
  readonly now: () => Date;
  readonly sync: Pick<Config["sync"], "everyHours" | "graceDays" | "reconcileDays">;
};

/** Work that is due never waits this long while all is well. */
const OVERDUE_AFTER_SECONDS = 3_600;
/** After this many failures to end a grant its member may sign in nevertheless. */
const FAILED_OFTEN = 5;
const EXAMPLE_COUNT = 5;
/** No kind is counted further. So an audit of a million links is quick even if each of them is found. */
export const MOST_COUNTED = 10_000;
/** What has not been read for twice the time between two readings is old. */
const MISSED_READINGS = 2;
/** Events of earlier days say little of now. */
export const EVENT_DAYS = 7;
const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 86_400;

/** Looks through all links and grants, and at stops of upkeep, and changes none. */
export async function auditLinks(needs: Needs): Promise<Audit> {
  const { queries, now } = needs;
  const since = secondsAfter(now(), -EVENT_DAYS * DAY_SECONDS);
  const [links, findings, stops, counted] = await Promise.all([
    queries.countLinks({}),
    listFindings(needs),
    listStops(needs),
    queries.listEventCounts({ since }),
  ]);
  const events = counted.map(({ source, outcome, events: count }) => ({ source, outcome, count }));
  const all = [...findings, ...stops.map(findingOf), ...findRefusals(events)];
  return { links: links?.count ?? 0, findings: all, events };
}

/**
 * Events that were refused: a sender with another secret than Janus has, or somebody who tries. Discord sends wrong
 * signatures on purpose, so of its events they are none to look at while others are right.
 */
function findRefusals(events: readonly EventCount[]): readonly Finding[] {
  const isHealthy = events.some(({ source, outcome }) => source === "discord" && outcome !== "refused");
  const refused = events.filter(
    ({ source, outcome }) => outcome === "refused" && !(source === "discord" && isHealthy),
  );
  if (refused.length === 0) return [];
  const count = refused.reduce((sum, { count }) => sum + count, 0);
  return [{ kind: "events_refused", count, examples: refused.map(({ source }) => source) }];
}

const findingOf = ({ upstream, code, since, until }: ToldStop): Finding => {
  const from = since === null ? "" : ` since ${since.toISOString()}`;
  return { kind: code, count: 1, examples: [`${upstream}${from} until ${until.toISOString()}`] };
};

/** What the database shows, one finding for each kind. */
export function listFindings({ queries, now, sync }: Needs): Promise<readonly Finding[]> {
  const ago = (seconds: number): Date => secondsAfter(now(), -seconds);
  return queries.listFindings({
    overdueBefore: ago(OVERDUE_AFTER_SECONDS),
    failedOften: FAILED_OFTEN,
    exampleCount: EXAMPLE_COUNT,
    mostCounted: MOST_COUNTED,
    claimsSeenBefore: ago(oldClaimsHours(sync) * HOUR_SECONDS),
    endedBefore: ago(sync.graceDays * DAY_SECONDS),
    readBackBefore: ago(MISSED_READINGS * sync.reconcileDays * DAY_SECONDS),
  });
}

/** From what age on claims are old, in hours. */
export const oldClaimsHours = ({ everyHours }: Pick<Config["sync"], "everyHours">): number =>
  MISSED_READINGS * everyHours;

/**
 * The keys that sealed stored tokens and that TOKEN_KEYS lacks. Without TOKEN_KEYS it is untold, unless no token is stored.
 */
export async function auditKeys(
  { queries }: Pick<Needs, "queries">,
  tokenKeys: readonly RingKey[] | undefined,
): Promise<Finding | "sound" | "untold"> {
  if (tokenKeys === undefined) return (await queries.listTokenSamples({})).length === 0 ? "sound" : "untold";
  const { unreadable } = await tryTokenKeys({ queries }, tokenKeys);
  const ids = [...new Set(unreadable.map(keyIdOf))].sort();
  if (ids.length === 0) return "sound";
  return { kind: "key_missing", count: ids.length, examples: ids.slice(0, EXAMPLE_COUNT) };
}

/** Forgets that a member may still have a role, because an operator has removed it. False if no such finding exists. */
export async function forgetRoleLeft(
  { queries, now }: Pick<Needs, "queries" | "now">,
  { discordUserId, operator }: { readonly discordUserId: string; readonly operator: string },
): Promise<boolean> {
  const row = await queries.deleteRoleConnectionLeft({ discordUserId, operator, now: now() });
  return row !== undefined;
}
