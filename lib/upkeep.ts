/**
 * What has to happen while nobody looks: pushes that are due, grants that are to end, rows that nobody needs. Any number
 * of processes may do it at once: each claims what it works on. Whose turn it is, and how fast it goes, is in `upkeep/`.
 */
import { createClockWatch } from "./database/clock_watch.ts";
import type { Deps } from "./deps.ts";
import { endDueGrants } from "./grant/end_discord_grant.ts";
import { secondsAfter } from "./grant/grant.ts";
import { endDueProviderGrants } from "./grant/provider_grant.ts";
import { refreshDueGrants } from "./grant/refresh_due.ts";
import { clearDueRoleConnections } from "./grant/role_connection_left.ts";
import { settleDueStrays } from "./grant/stray_tokens.ts";
import { deleteExpiredSessions } from "./session/ending.ts";
import { pushDueLinks } from "./sync.ts";
import type { Round } from "./upkeep/round.ts";
import type { Duty } from "./upkeep/turns.ts";
import { createTurns } from "./upkeep/turns.ts";

const KEEP_UNLINKED_SECONDS = 3_600;
/** How many rows one statement deletes: few enough that nobody notices the locks. */
const DELETE_LIMIT = 1_000;

/** How many grants one statement marks as abandoned. */
const MARK_LIMIT = 1_000;

const EVERY_SECONDS = 30;
/** Finding what was abandoned reads whole tables: seldom enough that a large community does not notice. */
const MARK_EVERY_SECONDS = 600;
const ASKING = { everySeconds: EVERY_SECONDS, isPaced: true } as const;

/** In this order where all are due: what one leaves is what the next may remove. */
const DUTIES: readonly Duty[] = [
  { name: "store what was not stored", everySeconds: EVERY_SECONDS, isPaced: false, run: storeUnstored },
  { name: "refresh due grants", ...ASKING, run: refreshDueGrants },
  deletion("delete old flows", async ({ queries }, createdBefore) => {
    const row = await queries.deleteOldFlows({ createdBefore, limit: DELETE_LIMIT });
    return row?.deleted;
  }),
  marking("mark abandoned grants", ({ queries }, limit, obtainedBefore, now) =>
    queries.setDiscordAbandoned({ limit, obtainedBefore, now }),
  ),
  { name: "end due grants", ...ASKING, run: endDueGrants },
  { name: "clear due role connections", ...ASKING, run: clearDueRoleConnections },
  marking("mark abandoned provider grants", ({ queries }, limit, seenBefore, now) =>
    queries.setProviderAbandoned({ limit, seenBefore, now }),
  ),
  { name: "end due provider grants", ...ASKING, run: endDueProviderGrants },
  { name: "settle stray tokens", ...ASKING, run: settleDueStrays },
  deletion("delete expired sessions", (deps) => deleteExpiredSessions(deps, DELETE_LIMIT)),
  deletion("delete unused accounts", async ({ queries }, updatedBefore) => {
    const row = await queries.deleteUnused({ updatedBefore, limit: DELETE_LIMIT });
    return row?.deleted;
  }),
  deletion("delete unlinked accounts", async ({ queries }, seenBefore) => {
    const row = await queries.deleteUnlinked({ seenBefore, limit: DELETE_LIMIT });
    return row?.deleted;
  }),
  { name: "push due links", ...ASKING, run: pushDueLinks },
];

/** Lets every duty have its turn, and returns when none can go on. */
export async function runUpkeep(deps: Deps, duties: readonly Duty[] = DUTIES): Promise<void> {
  const turns = createTurns(deps, deps.stopping);
  for (const duty of duties) turns.add(duty);
  await turns.settle();
}

/** Lets duties have their turns until `stop`, which waits for the round under way. The clocks are compared at once. */
export function startUpkeep(
  deps: Deps,
  duties: readonly Duty[] = DUTIES,
): { readonly stop: () => Promise<void> } {
  const stopped = new AbortController();
  const turns = createTurns(deps, AbortSignal.any([deps.stopping, stopped.signal]));
  const comparison = compareClocks(deps);
  turns.add(comparison);
  const timers = [...duties, comparison].map((duty) =>
    setInterval(() => turns.add(duty), duty.everySeconds * 1_000),
  );
  return {
    stop: async () => {
      for (const timer of timers) clearInterval(timer);
      stopped.abort();
      await turns.settle();
    },
  };
}

/** The duty that warns of a clock that is wrong; how often it looks, it knows itself. */
function compareClocks(deps: Deps): Duty {
  const watchClock = createClockWatch({
    ...deps,
    readDatabaseClock: async () => (await deps.queries.findClock({}))?.now,
  });
  const run = async (): Promise<Round> => {
    await watchClock();
    return NOTHING;
  };
  return { name: "compare clocks", everySeconds: EVERY_SECONDS, isPaced: false, run };
}

const NOTHING: Round = { claimed: 0, isFull: false, done: 0, metOutage: false };

/** What the database does not take now is tried at the next turn. */
async function storeUnstored({ unstored }: Deps): Promise<Round> {
  await unstored.retry();
  return NOTHING;
}

type Mark = (
  deps: Deps,
  limit: number,
  before: Date,
  now: Date,
) => Promise<{ readonly marked: number } | undefined>;

/** A duty that marks grants of before an hour ago that nothing needs as due to end, so many a round. */
function marking(name: string, work: Mark): Duty {
  const run = async (deps: Deps): Promise<Round> => {
    const now = deps.now();
    const row = await work(deps, MARK_LIMIT, secondsAfter(now, -KEEP_UNLINKED_SECONDS), now);
    const marked = row?.marked ?? 0;
    return { claimed: marked, isFull: marked >= MARK_LIMIT, done: marked, metOutage: false };
  };
  return { name, everySeconds: MARK_EVERY_SECONDS, isPaced: false, run };
}

/** A duty that deletes rows of before an hour ago, so many a round; `work` gives their number. */
function deletion(name: string, work: (deps: Deps, before: Date) => Promise<number | undefined>): Duty {
  const run = async (deps: Deps): Promise<Round> => {
    const deleted = (await work(deps, secondsAfter(deps.now(), -KEEP_UNLINKED_SECONDS))) ?? 0;
    return { claimed: deleted, isFull: deleted >= DELETE_LIMIT, done: deleted, metOutage: false };
  };
  return { name, everySeconds: EVERY_SECONDS, isPaced: false, run };
}
