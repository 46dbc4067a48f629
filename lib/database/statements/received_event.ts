/**
 * Events that other servers have sent, so that a repeat has no effect. The statements of `sql/received_event`. Each event is
 * remembered by the statement of its own step, together with its effect.
 */
import * as v from "valibot";
import deleteExpiredEventsText from "../../../sql/received_event/delete_expired.sql" with { type: "text" };
import receiveDeauthorizationText from "../../../sql/received_event/receive_deauthorization.sql" with {
  type: "text",
};
import receiveLogoutText from "../../../sql/received_event/receive_logout.sql" with { type: "text" };
import receiveLookText from "../../../sql/received_event/receive_look.sql" with { type: "text" };
import receiveRecheckText from "../../../sql/received_event/receive_recheck.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { integer, json, nullableText, text, time } from "../statement.ts";

/** Parameters and columns as the files have them. */
export const RECEIVED_EVENT_STATEMENTS = {
  deleteExpiredEvents: {
    text: deleteExpiredEventsText,
    gives: "row",
    parameters: { now: time, limit: integer },
    row: { deleted: integer },
  },
  receiveDeauthorization: {
    text: receiveDeauthorizationText,
    gives: "row",
    parameters: { discordUserId: text, happenedAt: time, requestId: nullableText, now: time },
    echoes: "discordUserId",
    row: { discordUserId: text, outcome: v.picklist(["deauthorized", "repeated", "ignored"]) },
  },
  receiveLogout: {
    text: receiveLogoutText,
    gives: "rows",
    parameters: {
      eventId: text,
      expiresAt: time,
      issuer: text,
      subject: nullableText,
      providerSessionId: nullableText,
      beganUntil: time,
      requestId: nullableText,
      now: time,
    },
    row: { isRepeated: v.boolean(), discordUserId: nullableText },
  },
  receiveLook: {
    text: receiveLookText,
    gives: "row",
    parameters: {
      eventId: text,
      expiresAt: time,
      discordUserId: text,
      operator: text,
      detail: json,
      requestId: nullableText,
      now: time,
    },
    echoes: "discordUserId",
    row: { discordUserId: text },
  },
  receiveRecheck: {
    text: receiveRecheckText,
    gives: "rows",
    parameters: {
      eventId: text,
      expiresAt: time,
      issuer: text,
      subjects: v.array(json),
      membership: v.nullable(v.picklist(["gone", "back"])),
      requestId: nullableText,
      now: time,
    },
    row: { isRepeated: v.boolean(), discordUserId: nullableText, isChanged: v.boolean() },
  },
} as const satisfies Record<string, Statement>;
