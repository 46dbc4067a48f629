/**
 * The trail: what happened to whose link, and when. Rows are added, and deleted only once they are old and
 * their person has no link. The statements of `sql/audit_event`.
 */
import * as v from "valibot";
import deleteOldAuditEventsText from "../../../sql/audit_event/delete_old.sql" with { type: "text" };
import insertAuditEventText from "../../../sql/audit_event/insert.sql" with { type: "text" };
import insertDatabaseEventText from "../../../sql/audit_event/insert_database_event.sql" with {
  type: "text",
};
import insertKeysRotatedText from "../../../sql/audit_event/insert_keys_rotated.sql" with { type: "text" };
import listAuditEventsText from "../../../sql/audit_event/list.sql" with { type: "text" };
import listToldText from "../../../sql/audit_event/list_told.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { integer, json, nullableText, text, time } from "../statement.ts";

/** Parameters and columns as the files have them. */
export const AUDIT_EVENT_STATEMENTS = {
  deleteOldAuditEvents: {
    text: deleteOldAuditEventsText,
    gives: "row",
    parameters: { occurredBefore: time, now: time, limit: integer },
    row: { read: integer, deleted: integer },
  },
  insertAuditEvent: {
    text: insertAuditEventText,
    gives: "nothing",
    parameters: {
      action: v.picklist(["data_exported"]),
      discordUserId: text,
      requestId: text,
      now: time,
    },
  },
  listAuditEvents: {
    text: listAuditEventsText,
    gives: "rows",
    parameters: { discordUserId: text },
    echoes: "discordUserId",
    row: {
      discordUserId: text,
      occurredAt: time,
      action: text,
      issuer: nullableText,
      subject: nullableText,
      requestId: nullableText,
      detail: v.nullable(json),
    },
  },
  insertDatabaseEvent: {
    text: insertDatabaseEventText,
    gives: "nothing",
    parameters: {
      action: v.picklist(["database_restored", "database_moved"]),
      operator: text,
      detail: json,
      now: time,
    },
  },
  insertKeysRotated: {
    text: insertKeysRotatedText,
    gives: "nothing",
    parameters: { detail: json, now: time },
  },
  listTold: {
    text: listToldText,
    gives: "rows",
    parameters: { discordUserId: text, since: time, limit: integer },
    echoes: "discordUserId",
    row: {
      discordUserId: text,
      occurredAt: time,
      action: v.picklist([
        "deauthorized",
        "membership_ended",
        "membership_restored",
        "provider_logout",
        "recheck_asked",
      ]),
    },
  },
} as const satisfies Record<string, Statement>;
