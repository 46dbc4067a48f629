/**
 * The trail: what happened to whose link, and when. Rows are added, and deleted only once they are old and
 * their person has no link. The statements of `sql/audit_event`.
 */
import * as v from "valibot";
import countActionsText from "../../../sql/audit_event/count_actions.sql" with { type: "text" };
import deleteOldAuditEventsText from "../../../sql/audit_event/delete_old.sql" with { type: "text" };
import findAuditBoundsText from "../../../sql/audit_event/find_bounds.sql" with { type: "text" };
import insertAuditEventText from "../../../sql/audit_event/insert.sql" with { type: "text" };
import insertLookText from "../../../sql/audit_event/insert_look.sql" with { type: "text" };
import insertOperatorEventText from "../../../sql/audit_event/insert_of_operator.sql" with { type: "text" };
import listAuditEventsText from "../../../sql/audit_event/list.sql" with { type: "text" };
import listOfOperatorsText from "../../../sql/audit_event/list_of_operators.sql" with { type: "text" };
import listAuditPageText from "../../../sql/audit_event/list_page.sql" with { type: "text" };
import listToldText from "../../../sql/audit_event/list_told.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { integer, json, nullableText, nullableTime, text, time } from "../statement.ts";

/** What the trail tells of, as the last migration that names them has it. A test compares the two. */
export const ACTIONS = [
  "discord_authorized",
  "linked",
  "relinked",
  "conflict_met",
  "not_admitted",
  "link_moved",
  "link_replaced",
  "unlinked",
  "role_connection_pushed",
  "role_connection_cleared",
  "push_failed",
  "role_connection_not_cleared",
  "disconnected",
  "discord_grant_refused",
  "grant_ended",
  "grant_not_revoked",
  "provider_grant_refused",
  "provider_grant_ended",
  "signed_in",
  "signed_out",
  "session_ended",
  "data_exported",
  "deauthorized",
  "provider_logout",
  "recheck_asked",
  "membership_ended",
  "membership_restored",
  "keys_rotated",
  "sync_asked",
  "sessions_purged",
  "links_exported",
  "losses_released",
  "banned",
  "ban_lifted",
  "ban_met",
  "imported",
  "adopted",
  "database_restored",
  "database_moved",
  "looked_at",
] as const;

/** What the member's own page tells of operators. `ban_looked_at` is a `looked_at` of a ban. */
export const HANDLED = [
  "looked_at",
  "ban_looked_at",
  "sync_asked",
  "sessions_purged",
  "unlinked",
  "imported",
  "adopted",
  "banned",
  "ban_lifted",
] as const;

/** An event of the trail. */
const EVENT_COLUMNS = {
  auditEventId: text,
  discordUserId: nullableText,
  occurredAt: time,
  action: text,
  issuer: nullableText,
  subject: nullableText,
  requestId: nullableText,
  operator: nullableText,
  detail: v.nullable(json),
} as const;

/** Parameters and columns as the files have them. */
export const AUDIT_EVENT_STATEMENTS = {
  countActions: {
    text: countActionsText,
    gives: "rows",
    parameters: { since: time, until: time },
    row: { action: text, events: integer },
  },
  deleteOldAuditEvents: {
    text: deleteOldAuditEventsText,
    gives: "row",
    parameters: { occurredBefore: time, now: time, limit: integer },
    row: { read: integer, deleted: integer },
  },
  findAuditBounds: {
    text: findAuditBoundsText,
    gives: "row",
    parameters: { since: nullableTime, until: nullableTime },
    row: { firstId: text, lastId: text },
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
    row: { ...EVENT_COLUMNS, discordUserId: text },
  },
  listAuditPage: {
    text: listAuditPageText,
    gives: "rows",
    parameters: {
      firstId: integer,
      lastId: integer,
      action: nullableText,
      since: nullableTime,
      until: nullableTime,
    },
    row: EVENT_COLUMNS,
  },
  insertLook: {
    text: insertLookText,
    gives: "nothing",
    parameters: {
      discordUserId: nullableText,
      issuer: nullableText,
      subject: nullableText,
      operator: text,
      detail: json,
      now: time,
    },
  },
  insertOperatorEvent: {
    text: insertOperatorEventText,
    gives: "nothing",
    parameters: {
      action: v.picklist([
        "keys_rotated",
        "sync_asked",
        "links_exported",
        "database_restored",
        "database_moved",
      ]),
      discordUserId: nullableText,
      operator: text,
      detail: json,
      now: time,
    },
  },
  listOfOperators: {
    text: listOfOperatorsText,
    gives: "rows",
    parameters: { discordUserId: text, since: time, limit: integer },
    echoes: "discordUserId",
    row: {
      discordUserId: text,
      occurredAt: time,
      action: v.picklist(HANDLED),
    },
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
