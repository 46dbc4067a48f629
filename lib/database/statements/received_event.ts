/**
 * Events that other servers have sent, so that a repeat has no effect. The statements of `sql/received_event`. Each event is
 * remembered by the statement of its own step, together with its effect.
 */
import deleteExpiredEventsText from "../../../sql/received_event/delete_expired.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { integer, time } from "../statement.ts";

/** Parameters and columns as the files have them. */
export const RECEIVED_EVENT_STATEMENTS = {
  deleteExpiredEvents: {
    text: deleteExpiredEventsText,
    gives: "row",
    parameters: { now: time, limit: integer },
    row: { deleted: integer },
  },
} as const satisfies Record<string, Statement>;
