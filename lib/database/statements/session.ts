/**
 * Login sessions, and the refreshes of their tokens. The statements of `sql/session`.
 */
import * as v from "valibot";
import claimSessionRefreshText from "../../../sql/session/claim_refresh.sql" with { type: "text" };
import countSessionsByUserAgentText from "../../../sql/session/count_by_user_agent.sql" with { type: "text" };
import countMatchingSessionsText from "../../../sql/session/count_matching.sql" with { type: "text" };
import deleteSessionText from "../../../sql/session/delete.sql" with { type: "text" };
import deleteExpiredSessionsText from "../../../sql/session/delete_expired.sql" with { type: "text" };
import deleteMatchingSessionsText from "../../../sql/session/delete_matching.sql" with { type: "text" };
import deleteOtherSessionsText from "../../../sql/session/delete_others.sql" with { type: "text" };
import findSessionText from "../../../sql/session/find.sql" with { type: "text" };
import findSessionWithLinkText from "../../../sql/session/find_with_link.sql" with { type: "text" };
import listSessionsText from "../../../sql/session/list.sql" with { type: "text" };
import listAllSessionsText from "../../../sql/session/list_all.sql" with { type: "text" };
import logInText from "../../../sql/session/log_in.sql" with { type: "text" };
import setSessionLeaseEndedText from "../../../sql/session/set_lease_ended.sql" with { type: "text" };
import setSessionRefreshedText from "../../../sql/session/set_refreshed.sql" with { type: "text" };
import setSessionUsedText from "../../../sql/session/set_used.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { integer, json, nullableText, nullableTime, text, texts, time } from "../statement.ts";
import { clearCause, endCause } from "./link.ts";

/** What finds a session. */
const FIND_PARAMETERS = { sessionIdHash: text, idleSince: time, now: time, sessionKeyHashes: text } as const;

/** A session that was found, before what else is read with it. */
const SESSION_COLUMNS = {
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
} as const;

/** Parameters and columns as the files have them. */
export const SESSION_STATEMENTS = {
  claimSessionRefresh: {
    text: claimSessionRefreshText,
    gives: "row",
    parameters: { sessionIdHash: text, accessTokenSealed: text, leasedUntil: time, now: time },
    echoes: "sessionIdHash",
    row: { sessionIdHash: text },
  },
  countMatchingSessions: {
    text: countMatchingSessionsText,
    gives: "row",
    parameters: { discordUserId: nullableText, usedBefore: nullableTime },
    row: { sessions: integer },
  },
  countSessionsByUserAgent: {
    text: countSessionsByUserAgentText,
    gives: "rows",
    parameters: { limit: integer, idleSince: time, now: time },
    row: { userAgent: nullableText, sessions: integer },
  },
  deleteMatchingSessions: {
    text: deleteMatchingSessionsText,
    gives: "row",
    parameters: {
      discordUserId: nullableText,
      usedBefore: nullableTime,
      limit: integer,
      operator: text,
      now: time,
    },
    row: { deleted: integer },
  },
  deleteSession: {
    text: deleteSessionText,
    gives: "row",
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
  deleteExpiredSessions: {
    text: deleteExpiredSessionsText,
    gives: "row",
    parameters: { idleSince: time, limit: integer, now: time },
    row: { deleted: integer },
  },
  deleteOtherSessions: {
    text: deleteOtherSessionsText,
    gives: "rows",
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
  findSession: {
    text: findSessionText,
    gives: "row",
    parameters: FIND_PARAMETERS,
    echoes: "sessionIdHash",
    row: SESSION_COLUMNS,
  },
  findSessionWithLink: {
    text: findSessionWithLinkText,
    gives: "row",
    parameters: FIND_PARAMETERS,
    echoes: "sessionIdHash",
    row: {
      ...SESSION_COLUMNS,
      importedAt: nullableTime,
      issuer: nullableText,
      subject: nullableText,
      claims: v.nullable(json),
      sources: v.nullable(json),
      claimsSeenAt: nullableTime,
      pushedMetadata: v.nullable(texts),
      clearedAt: nullableTime,
      clearCause: v.nullable(clearCause),
      pushedAt: nullableTime,
      pushDueAt: nullableTime,
      pushFailures: v.nullable(integer),
      checkDueAt: nullableTime,
      checkFailures: v.nullable(integer),
      checkFailedCode: nullableText,
      disconnectedAt: nullableTime,
      lossFoundAt: nullableTime,
      lossDueAt: nullableTime,
      isLossHeld: v.boolean(),
      lostAt: nullableTime,
      goneAt: nullableTime,
      hasOrganisationRefreshToken: v.boolean(),
      organisationExpiresAt: nullableTime,
      organisationEndedAt: nullableTime,
      organisationEndCause: v.nullable(endCause),
      discordEndedAt: nullableTime,
      isDeauthorized: v.boolean(),
      tokenRefusedAt: nullableTime,
      roleConnectionLeftAt: nullableTime,
    },
  },
  listSessions: {
    text: listSessionsText,
    gives: "rows",
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
  listAllSessions: {
    text: listAllSessionsText,
    gives: "rows",
    parameters: { member: nullableText, after: text, limit: integer, idleSince: time, now: time },
    row: {
      discordUserId: text,
      username: text,
      sessionHandle: text,
      userAgent: nullableText,
      createdAt: time,
      lastUsedAt: time,
      expiresAt: time,
    },
  },
  logIn: {
    text: logInText,
    gives: "row",
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
  setSessionLeaseEnded: {
    text: setSessionLeaseEndedText,
    gives: "nothing",
    parameters: { sessionIdHash: text, accessTokenSealed: text },
  },
  setSessionRefreshed: {
    text: setSessionRefreshedText,
    gives: "nothing",
    parameters: {
      sessionIdHash: text,
      spentAccessTokenSealed: text,
      accessTokenSealed: text,
      refreshTokenSealed: text,
      tokenExpiresAt: time,
      now: time,
    },
  },
  setSessionUsed: {
    text: setSessionUsedText,
    gives: "nothing",
    parameters: { sessionIdHash: text, usedBefore: time, now: time, sessionKeyHash: text },
  },
} as const satisfies Record<string, Statement>;
