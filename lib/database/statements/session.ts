/**
 * Sessions, what a member may see of what is stored, and the database's clock: the statements of `sql/session`,
 * `sql/audit_event`, `sql/clock` and `sql/discord_account/export_member.sql`. Called by `queries.ts`.
 */
import * as v from "valibot";
import insertAuditEventText from "../../../sql/audit_event/insert.sql" with { type: "text" };
import listAuditEventsText from "../../../sql/audit_event/list.sql" with { type: "text" };
import findClockText from "../../../sql/clock/find.sql" with { type: "text" };
import exportMemberText from "../../../sql/discord_account/export_member.sql" with { type: "text" };
import claimSessionRefreshText from "../../../sql/session/claim_refresh.sql" with { type: "text" };
import deleteSessionText from "../../../sql/session/delete.sql" with { type: "text" };
import deleteExpiredSessionsText from "../../../sql/session/delete_expired.sql" with { type: "text" };
import deleteOtherSessionsText from "../../../sql/session/delete_others.sql" with { type: "text" };
import findSessionText from "../../../sql/session/find.sql" with { type: "text" };
import listSessionsText from "../../../sql/session/list.sql" with { type: "text" };
import logInText from "../../../sql/session/log_in.sql" with { type: "text" };
import setSessionLeaseEndedText from "../../../sql/session/set_lease_ended.sql" with { type: "text" };
import setSessionRefreshedText from "../../../sql/session/set_refreshed.sql" with { type: "text" };
import setSessionUsedText from "../../../sql/session/set_used.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { integer, nullableText, nullableTime, object, text, time } from "../statement.ts";

/** Parameters and columns as the files have them. */
export const SESSION_STATEMENTS = {
  logIn: {
    text: logInText,
    parameters: {
      sessionIdHash: text,
      sessionHandle: text,
      discordUserId: text,
      username: text,
      globalName: nullableText,
      accessTokenSealed: text,
      refreshTokenSealed: text,
      tokenExpiresAt: time,
      userAgent: nullableText,
      expiresAt: time,
      replacedSessionIdHashes: nullableText,
      requestId: text,
      now: time,
      sessionKeyHash: text,
      replacedSessionKeyHashes: nullableText,
    },
    echoes: "discordUserId",
    row: { discordUserId: text },
  },
  findSession: {
    text: findSessionText,
    parameters: { sessionIdHash: text, idleSince: time, now: time, sessionKeyHashes: text },
    echoes: "sessionIdHash",
    row: {
      sessionIdHash: text,
      sessionHandle: text,
      discordUserId: text,
      accessTokenSealed: text,
      refreshTokenSealed: nullableText,
      tokenExpiresAt: time,
      lastUsedAt: time,
      refreshedAt: nullableTime,
      username: text,
      globalName: nullableText,
      linkedAt: nullableTime,
      organisationName: nullableText,
      pushedMetadata: v.nullable(object),
      pushedAt: nullableTime,
      pushDueAt: nullableTime,
      pushFailures: v.nullable(integer),
      roleConnectionLeftAt: nullableTime,
    },
  },
  setSessionUsed: {
    text: setSessionUsedText,
    parameters: { sessionIdHash: text, usedBefore: time, now: time, sessionKeyHash: text },
    row: {},
  },
  claimSessionRefresh: {
    text: claimSessionRefreshText,
    parameters: { sessionIdHash: text, accessTokenSealed: text, leasedUntil: time, now: time },
    echoes: "sessionIdHash",
    row: { sessionIdHash: text },
  },
  setSessionRefreshed: {
    text: setSessionRefreshedText,
    parameters: {
      sessionIdHash: text,
      spentAccessTokenSealed: text,
      accessTokenSealed: text,
      refreshTokenSealed: text,
      tokenExpiresAt: time,
      now: time,
    },
    row: {},
  },
  setSessionLeaseEnded: {
    text: setSessionLeaseEndedText,
    parameters: { sessionIdHash: text, accessTokenSealed: text },
    row: {},
  },
  deleteSession: {
    text: deleteSessionText,
    parameters: {
      sessionIdHash: text,
      action: v.picklist(["signed_out", "session_ended"]),
      requestId: text,
      now: time,
      accessTokenSealed: nullableText,
    },
    echoes: "sessionIdHash",
    row: { sessionIdHash: text, discordUserId: text },
  },
  deleteOtherSessions: {
    text: deleteOtherSessionsText,
    parameters: {
      discordUserId: text,
      keptSessionHandle: text,
      sessionHandle: nullableText,
      requestId: text,
      now: time,
    },
    echoes: "discordUserId",
    row: { discordUserId: text, sessionHandle: text },
  },
  deleteExpiredSessions: {
    text: deleteExpiredSessionsText,
    parameters: { idleSince: time, limit: integer, now: time },
    row: { deleted: integer },
  },
  listSessions: {
    text: listSessionsText,
    parameters: { discordUserId: text, idleSince: time, now: time },
    echoes: "discordUserId",
    row: {
      discordUserId: text,
      sessionHandle: text,
      userAgent: nullableText,
      hasRefreshToken: v.boolean(),
      createdAt: time,
      lastUsedAt: time,
      expiresAt: time,
    },
  },
  listAuditEvents: {
    text: listAuditEventsText,
    parameters: { discordUserId: text },
    echoes: "discordUserId",
    row: {
      discordUserId: text,
      occurredAt: time,
      action: text,
      issuer: nullableText,
      subject: nullableText,
      requestId: nullableText,
    },
  },
  findClock: { text: findClockText, parameters: {}, row: { now: time } },
  insertAuditEvent: {
    text: insertAuditEventText,
    parameters: {
      action: v.picklist(["data_exported"]),
      discordUserId: text,
      requestId: text,
      now: time,
    },
    row: {},
  },
  exportMember: {
    text: exportMemberText,
    parameters: { discordUserId: text },
    echoes: "discordUserId",
    row: {
      discordUserId: text,
      username: text,
      globalName: nullableText,
      createdAt: time,
      updatedAt: time,
      scope: nullableText,
      discordExpiresAt: nullableTime,
      obtainedAt: nullableTime,
      endReason: nullableText,
      linkedAt: nullableTime,
      pushedMetadata: v.nullable(object),
      pushedAt: nullableTime,
      pushDueAt: nullableTime,
      pushFailures: v.nullable(integer),
      syncAskedAt: nullableTime,
      issuer: nullableText,
      subject: nullableText,
      claims: v.nullable(object),
      claimsSeenAt: nullableTime,
      organisationCreatedAt: nullableTime,
      organisationTokenObtainedAt: nullableTime,
      organisationExpiresAt: nullableTime,
      hasOrganisationRefreshToken: v.boolean(),
      replacedTokenCount: integer,
      roleConnectionLeftAt: nullableTime,
    },
  },
} as const satisfies Record<string, Statement>;
