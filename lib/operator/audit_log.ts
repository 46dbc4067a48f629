/** The trail as an operator reads it: the newest event first, of one member or of all, with who of the operators did it. */
import type { Queries } from "../database/queries.ts";

/** What events are asked for. What is undefined leaves every event. */
export type EventFilter = {
  readonly discordUserId?: string | undefined;
  readonly action?: string | undefined;
  readonly since?: Date | undefined;
  /** Not this time itself. */
  readonly until?: Date | undefined;
};

/** An event of the trail. The ids are in the order in which the database stored the events, whatever the clocks said. */
export type AuditEvent = Awaited<ReturnType<Queries["listAuditPage"]>>[number];

/** One list. `next` is the id before which the next one begins; null if no event is left. */
export type EventList = { readonly events: readonly AuditEvent[]; readonly next: string | null };

type Needs = {
  readonly queries: Pick<Queries, "findAuditBounds" | "listAuditEvents" | "listAuditPage">;
};

/** How much is listed, and the id before which it begins. */
type Reading = {
  readonly limit: number;
  readonly before?: string | undefined;
  readonly stop?: AbortSignal | undefined;
};

/** Rows of the trail that one statement reads. */
const PAGE_EVENTS = 5_000;

/** The newest events that fit. Reads on only until it knows whether there are more. */
export async function listEvents(needs: Needs, filter: EventFilter, reading: Reading): Promise<EventList> {
  const { limit } = reading;
  const events: AuditEvent[] = [];
  for await (const page of readEvents(needs, filter, reading)) {
    events.push(...page);
    if (events.length > limit) break;
  }
  const listed = events.slice(0, limit);
  return { events: listed, next: events.length > limit ? (listed.at(-1)?.auditEventId ?? null) : null };
}

async function* readEvents(
  { queries }: Needs,
  { discordUserId, action, since, until }: EventFilter,
  { before, stop }: Reading,
): AsyncGenerator<readonly AuditEvent[]> {
  if (discordUserId !== undefined) {
    // The trail of one member is read at once, by its own index.
    const events = await queries.listAuditEvents({ discordUserId });
    yield events.filter(
      ({ auditEventId, occurredAt, action: done }) =>
        (before === undefined || Number(auditEventId) < Number(before)) &&
        (action === undefined || done === action) &&
        (since === undefined || occurredAt >= since) &&
        (until === undefined || occurredAt < until),
    );
    return;
  }
  const times = { since: since ?? null, until: until ?? null };
  const bounds = await queries.findAuditBounds(times);
  if (bounds === undefined) return;
  const firstId = Number(bounds.firstId);
  let lastId = Math.min(Number(bounds.lastId), before === undefined ? Infinity : Number(before) - 1);
  while (lastId >= firstId && stop?.aborted !== true) {
    const pageFirst = Math.max(firstId, lastId - PAGE_EVENTS + 1);
    yield await queries.listAuditPage({ firstId: pageFirst, lastId, action: action ?? null, ...times });
    lastId = pageFirst - 1;
  }
}
