/**
 * What other servers tell Janus of members. An event makes a subject due now, and the provider's answer decides; only a
 * definite end ends anything by itself. Each source has a use case of its own in this room, which verifies the event and
 * stores its effect; here it is told and counted. docs/doorbells.md
 */
import type { WorkDeps } from "../deps.ts";
import type { Round } from "../grants/round.ts";
import { roundOf } from "../grants/round.ts";
import type { Doorbell, EventOutcome } from "../telemetry/events.ts";
import { describeError } from "../telemetry/log.ts";
import { secondsAfter } from "../time.ts";

type Needs = Pick<WorkDeps, "queries" | "now" | "log" | "alarm" | "eventCounts">;

/** How many events of a source came to an outcome, since they were last stored. */
type Count = { readonly source: Doorbell; readonly outcome: EventOutcome; readonly events: number };

/** Events that this process has received, and has not stored the number of. */
export type EventCounts = {
  readonly add: (source: Doorbell, outcome: EventOutcome) => void;
  /** Gives what was added, and begins again. */
  readonly take: () => Count[];
  /** Puts back what could not be stored. */
  readonly giveBack: (counts: readonly Count[]) => void;
};

/** Outcomes after which a member's link is due. */
const RINGING: readonly EventOutcome[] = ["ended", "rechecked", "restored"];
const DAY_SECONDS = 86_400;
/** How long a day's counts are kept. */
const KEEP_DAYS = 31;

/** Starts with none. There are no more of them than sources and outcomes. */
export function createEventCounts(): EventCounts {
  const counts = new Map<string, Count>();
  const add = (source: Doorbell, outcome: EventOutcome, events: number): void => {
    const key = `${source} ${outcome}`;
    counts.set(key, { source, outcome, events: events + (counts.get(key)?.events ?? 0) });
  };
  return {
    add: (source, outcome) => add(source, outcome, 1),
    take: () => {
      const taken = [...counts.values()];
      counts.clear();
      return taken;
    },
    giveBack: (taken) => {
      for (const { source, outcome, events } of taken) add(source, outcome, events);
    },
  };
}

/**
 * Tells the log of an event whose effect is stored, counts it, and has upkeep look at once if a link is due by it. Called
 * once for each event. An event that concerns several members has a line for each. `reason` says in our own words why an
 * event was refused or ignored.
 */
export function receiveEvent(
  { log, alarm, eventCounts }: Needs,
  source: Doorbell,
  outcome: EventOutcome,
  discordUserIds: readonly (string | undefined)[] = [undefined],
  reason?: string,
): void {
  const lines = discordUserIds.length === 0 ? [undefined] : discordUserIds;
  for (const discordUserId of lines) log.info("event_received", { source, outcome, discordUserId, reason });
  eventCounts.add(source, outcome);
  if (RINGING.includes(outcome)) alarm.ring();
}

/** A round: stores how many events this process has received. If that fails, the next round stores them too. */
export async function storeEventCounts({ queries, now, log, eventCounts }: Needs): Promise<Round> {
  const counts = eventCounts.take();
  if (counts.length === 0) return NOTHING;
  const day = startOfDay(now());
  try {
    await queries.addEventCounts({ counts, day, keptSince: secondsAfter(day, -KEEP_DAYS * DAY_SECONDS) });
  } catch (error) {
    // Carrying on is right: they are counted with those of the next round.
    eventCounts.giveBack(counts);
    log.warn("event_counts_not_stored", describeError(error));
  }
  return NOTHING;
}

const NOTHING: Round = roundOf(0, 0);

const startOfDay = (at: Date): Date => new Date(Math.floor(at.getTime() / 86_400_000) * 86_400_000);
