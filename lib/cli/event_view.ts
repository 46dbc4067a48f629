/** Events of the trail as a table and as JSON. What comes from outside is made printable. */
import type { AuditEvent, EventList } from "../operator/audit_log.ts";
import { toJson } from "../text/json_text.ts";
import { printable } from "../text/printable.ts";
import { formatTable } from "./table.ts";

const MOST_OF_NAME = 40;
const MOST_OF_DETAIL = 100;
const HEAD = ["time", "action", "discord id", "operator", "detail"];

/** One list as a table, with how to go on. `command` is what lists the next ones. */
export function describeEvents({ events, next }: EventList, command: string): string {
  if (events.length === 0) return "No events found.";
  const counted = events.length === 1 ? "1 event" : `${events.length} events`;
  const more =
    next === null ? `${counted}.` : `${counted}, and there are more. Go on with: ${command} --before ${next}`;
  return [formatTable([HEAD, ...eventRows(events)]), more].join("\n\n");
}

/** Events as rows of a table. */
export const eventRows = (events: readonly AuditEvent[]): readonly (readonly string[])[] =>
  events.map(({ occurredAt, action, discordUserId, operator, detail }) => [
    occurredAt.toISOString().slice(0, 19).replace("T", " "),
    action,
    discordUserId ?? "-",
    operator === null ? "-" : printable(operator, MOST_OF_NAME),
    detail === null ? "" : printable(toJson(detail), MOST_OF_DETAIL),
  ]);

/** One list as JSON. */
export const eventsAsJson = ({ events, next }: EventList) => ({ events: events.map(eventAsJson), next });

/** An event as JSON. */
export const eventAsJson = (event: AuditEvent) => ({
  id: event.auditEventId,
  occurred_at: event.occurredAt,
  action: event.action,
  discord_user_id: event.discordUserId,
  issuer: event.issuer,
  subject: event.subject,
  request_id: event.requestId,
  operator: event.operator,
  detail: event.detail,
});
