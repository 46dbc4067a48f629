/**
 * Upkeep: pushes that are due, grants that are to end, tokens that expire, rows that nobody needs. This file is the table
 * of duties; any number of processes may do them at once, since each claims what it works on. Whose turn it is, is in
 * `upkeep_turns.ts`, how fast it goes in `sync/budget.ts`, and each duty in its own room.
 */
import { createClockWatch } from "../database/clock_watch.ts";
import type { WorkDeps } from "../deps.ts";
import { endDueGrants } from "../grants/end_discord_grant.ts";
import { endDueProviderGrants } from "../grants/provider_grant.ts";
import { refreshDueGrants } from "../grants/refresh_due.ts";
import { clearDueRoleConnections } from "../grants/role_connection_left.ts";
import type { Round } from "../grants/round.ts";
import { roundOf } from "../grants/round.ts";
import { settleDueStrays } from "../grants/stray_tokens.ts";
import { endBannedLinks } from "../link/banned_links.ts";
import { settleGroups } from "../scim/settling.ts";
import { deleteExpiredSessions } from "../session/ending.ts";
import { checkDueLinks } from "../sync/check_round.ts";
import { storeEventCounts } from "../sync/doorbell.ts";
import { noteHeldLosses } from "../sync/held_losses.ts";
import { pushDueLosses, tellDueLosses } from "../sync/losses.ts";
import { pushDueLinks } from "../sync/push.ts";
import type { UpkeepStep } from "../telemetry/events.ts";
import { secondsAfter } from "../time.ts";
import type { Duty } from "./upkeep_turns.ts";
import { createTurns } from "./upkeep_turns.ts";

const KEEP_UNLINKED_SECONDS = 3_600;
/** How long a role that was left behind stays a finding, unless somebody resolves it. */
const KEEP_LEFT_SECONDS = 400 * 86_400;
/** How many rows one statement deletes at most: few enough that nobody notices the locks. */
const DELETE_LIMIT = 1_000;

/** How many rows of the trail one statement reads at most. */
const TRAIL_LIMIT = 5_000;
const DAY_SECONDS = 86_400;

/** How many grants one statement marks as abandoned. */
const MARK_LIMIT = 1_000;

const EVERY_SECONDS = 30;
/** Finding what was abandoned reads whole tables: seldom enough that a large community does not notice. */
const MARK_EVERY_SECONDS = 600;
const OFTEN = { everySeconds: EVERY_SECONDS } as const;

/** Every process tells at /readyz whether losses are held, also one that holds none itself; and so it is with stops. */
const NOTE_HELD_LOSSES: Duty = { name: "note_held_losses", ...OFTEN, asks: [], run: noteHeldLosses };
const REPORT_LIMITS: Duty = { name: "report_limits", ...OFTEN, asks: [], run: reportLimits };
/** What a server knows nothing of before it has read it. */
const AT_ONCE: readonly Duty[] = [NOTE_HELD_LOSSES, REPORT_LIMITS];

/** What an alarm calls for. */
const URGENT: readonly UpkeepStep[] = ["check_due_links", "push_due_links", "push_due_losses"];

const PUSH_DUE_LOSSES: Duty = { name: "push_due_losses", ...OFTEN, asks: ["discord"], run: pushDueLosses };
/** A definite end: it has turns of its own, since a round of checks lasts as long as the provider's share of calls. */
const TELL_ENDS: Duty = { ...PUSH_DUE_LOSSES, run: tellDueLosses };

/** In this order if all are due, since one duty may leave rows that a later one removes. */
const DUTIES: readonly Duty[] = [
  { name: "store_unstored_tokens", ...OFTEN, asks: [], run: storeUnstored },
  REPORT_LIMITS,
  { name: "refresh_due_grants", ...OFTEN, asks: ["discord"], run: refreshDueGrants },
  deletion("delete_old_flows", async ({ queries }, createdBefore) => {
    const row = await queries.deleteOldFlows({ createdBefore, limit: DELETE_LIMIT });
    return row?.deleted;
  }),
  marking("mark_abandoned_grants", ({ queries }, limit, obtainedBefore, now) =>
    queries.setDiscordAbandoned({ limit, obtainedBefore, now }),
  ),
  { name: "end_banned_links", ...OFTEN, asks: [], run: endBannedLinks },
  { name: "end_due_grants", ...OFTEN, asks: ["discord"], run: endDueGrants },
  { name: "clear_due_role_connections", ...OFTEN, asks: ["discord"], run: clearDueRoleConnections },
  marking("mark_abandoned_provider_grants", ({ queries }, limit, seenBefore, now) =>
    queries.setProviderAbandoned({ limit, seenBefore, now }),
  ),
  { name: "end_due_provider_grants", ...OFTEN, asks: ["provider"], run: endDueProviderGrants },
  { name: "settle_stray_tokens", ...OFTEN, asks: ["discord", "provider"], run: settleDueStrays },
  deletion("delete_expired_sessions", (deps) => deleteExpiredSessions(deps, DELETE_LIMIT)),
  deletion("delete_expired_admin_sessions", async ({ queries, now }) => {
    const row = await queries.deleteExpiredAdminSessions({ now: now(), limit: DELETE_LIMIT });
    return row?.deleted;
  }),
  deletion("delete_unused_accounts", async ({ queries }, updatedBefore) => {
    const row = await queries.deleteUnused({ updatedBefore, limit: DELETE_LIMIT });
    return row?.deleted;
  }),
  deletion("delete_unlinked_accounts", async ({ queries }, seenBefore) => {
    const row = await queries.deleteUnlinked({ seenBefore, limit: DELETE_LIMIT });
    return row?.deleted;
  }),
  deletion("delete_old_findings", async ({ queries, now }) => {
    const leftBefore = secondsAfter(now(), -KEEP_LEFT_SECONDS);
    const row = await queries.deleteOldRoleConnectionsLeft({ leftBefore, limit: DELETE_LIMIT });
    return row?.deleted;
  }),
  deletion("delete_expired_events", async ({ queries, now }) => {
    const row = await queries.deleteExpiredEvents({ now: now(), limit: DELETE_LIMIT });
    return row?.deleted;
  }),
  deletion("delete_expired_bans", async ({ queries, now }) => {
    const expiredBefore = secondsAfter(now(), -DAY_SECONDS);
    const row = await queries.deleteExpiredBans({ expiredBefore, limit: DELETE_LIMIT });
    return row?.deleted;
  }),
  { name: "delete_old_audit_events", everySeconds: MARK_EVERY_SECONDS, asks: [], run: deleteOldAuditEvents },
  { name: "store_event_counts", ...OFTEN, asks: [], run: storeEventCounts },
  { name: "settle_scim_groups", ...OFTEN, asks: [], run: settleGroups },
  { name: "check_due_links", ...OFTEN, asks: ["discord", "provider"], run: checkDueLinks },
  { name: "push_due_links", ...OFTEN, asks: ["discord"], run: pushDueLinks },
  PUSH_DUE_LOSSES,
  NOTE_HELD_LOSSES,
];

/** The duties of this process. With SYNC=off it leaves to others whatever asks another server for something. */
const dutiesOf = ({ config }: Pick<WorkDeps, "config">): readonly Duty[] =>
  config.sync.isOn ? DUTIES : DUTIES.filter(({ asks }) => asks.length === 0);

/** Gives every duty its turns, and returns when none can go on, or after the round during which `stopping` is aborted. */
export async function runUpkeep(
  deps: WorkDeps,
  duties: readonly Duty[] = dutiesOf(deps),
  stopping: AbortSignal = new AbortController().signal,
): Promise<void> {
  const turns = createTurns(deps, stopping);
  for (const duty of duties) turns.add(duty);
  await turns.settle();
}

/** Upkeep at work. `stop` waits for the round under way. */
export type Upkeep = { readonly stop: () => Promise<void> };

/**
 * Gives duties their turns until `stop`, or until `stopping` is aborted. It compares the clocks and reads the brake and stops at once.
 * `everySeconds` replaces how often the duties come.
 */
export function startUpkeep(
  deps: WorkDeps,
  duties: readonly Duty[] = dutiesOf(deps),
  { stopping, everySeconds }: { readonly stopping?: AbortSignal; readonly everySeconds?: number } = {},
): Upkeep {
  const stopped = new AbortController();
  const signals = stopping === undefined ? [stopped.signal] : [stopping, stopped.signal];
  const turns = createTurns(deps, AbortSignal.any(signals));
  const turnsOfEnds = createTurns(deps, AbortSignal.any(signals));
  const comparison = compareClocks(deps);
  turns.add(comparison);
  // A server that is restarted often must reach the rare duties, too.
  for (const duty of duties) if (AT_ONCE.includes(duty) || duty.everySeconds > EVERY_SECONDS) turns.add(duty);
  // An event has made a link due: what follows from it does not wait for the next round.
  const isUrgent = ({ name }: Duty): boolean => URGENT.includes(name);
  const silence = deps.alarm.listen(() => {
    for (const duty of duties.filter(isUrgent)) turns.addUrgently(duty);
    if (duties.includes(PUSH_DUE_LOSSES)) turnsOfEnds.addUrgently(TELL_ENDS);
  });
  const timers = [...duties, comparison].map((duty) =>
    setInterval(() => turns.add(duty), (everySeconds ?? duty.everySeconds) * 1_000),
  );
  return {
    stop: async () => {
      silence();
      for (const timer of timers) clearInterval(timer);
      stopped.abort();
      await Promise.all([turns.settle(), turnsOfEnds.settle()]);
    },
  };
}

/** The duty that warns of a wrong clock. The watch itself limits how often it looks. */
function compareClocks(deps: WorkDeps): Duty {
  const watchClock = createClockWatch({
    ...deps,
    readDatabaseClock: async () => (await deps.queries.findClock({}))?.now,
  });
  const run = async (): Promise<Round> => {
    await watchClock();
    return NOTHING;
  };
  return { name: "compare_clocks", everySeconds: EVERY_SECONDS, asks: [], run };
}

const NOTHING: Round = roundOf(0, 0);

/** If the database does not store something now, the next turn tries again. */
async function storeUnstored({ unstored }: WorkDeps): Promise<Round> {
  await unstored.retry();
  return NOTHING;
}

/** A process that only serves members makes no reservation, which would tell others what it has met, and tell it of stops. */
async function reportLimits({ upstreamBudgets }: WorkDeps): Promise<Round> {
  await upstreamBudgets.look();
  return NOTHING;
}

/** Goes through the trail page by page, in all processes together, once a day. */
async function deleteOldAuditEvents({ config, queries, now }: WorkDeps): Promise<Round> {
  const at = now();
  const occurredBefore = secondsAfter(at, -config.retentionDays * DAY_SECONDS);
  const page = await queries.deleteOldAuditEvents({ occurredBefore, now: at, limit: TRAIL_LIMIT });
  const read = page?.read ?? 0;
  return roundOf(read, read, TRAIL_LIMIT);
}

type Mark = (
  deps: WorkDeps,
  limit: number,
  before: Date,
  now: Date,
) => Promise<{ readonly marked: number } | undefined>;

/** A duty that marks grants of before an hour ago that nothing needs as due to end, so many a round. */
function marking(name: UpkeepStep, work: Mark): Duty {
  const run = async (deps: WorkDeps): Promise<Round> => {
    const now = deps.now();
    const row = await work(deps, MARK_LIMIT, secondsAfter(now, -KEEP_UNLINKED_SECONDS), now);
    const marked = row?.marked ?? 0;
    return roundOf(marked, marked, MARK_LIMIT);
  };
  return { name, everySeconds: MARK_EVERY_SECONDS, asks: [], run };
}

/** A duty that deletes rows older than an hour, up to a limit in each round. `work` returns how many it deleted. */
function deletion(
  name: UpkeepStep,
  work: (deps: WorkDeps, before: Date) => Promise<number | undefined>,
): Duty {
  const run = async (deps: WorkDeps): Promise<Round> => {
    const deleted = (await work(deps, secondsAfter(deps.now(), -KEEP_UNLINKED_SECONDS))) ?? 0;
    return roundOf(deleted, deleted, DELETE_LIMIT);
  };
  return { name, everySeconds: EVERY_SECONDS, asks: [], run };
}
