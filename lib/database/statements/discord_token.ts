/**
 * Grants at Discord: their tokens, their refreshes, and their ends. The statements of `sql/discord_token`.
 */
import * as v from "valibot";
import claimClearDueText from "../../../sql/discord_token/claim_clear_due.sql" with { type: "text" };
import claimEndDueText from "../../../sql/discord_token/claim_end_due.sql" with { type: "text" };
import claimRefreshText from "../../../sql/discord_token/claim_refresh.sql" with { type: "text" };
import claimRefreshDueText from "../../../sql/discord_token/claim_refresh_due.sql" with { type: "text" };
import countDiscordByKeyText from "../../../sql/discord_token/count_by_key.sql" with { type: "text" };
import deleteDiscordTokenText from "../../../sql/discord_token/delete.sql" with { type: "text" };
import listTokenSamplesText from "../../../sql/discord_token/list_samples.sql" with { type: "text" };
import listDiscordToResealText from "../../../sql/discord_token/list_to_reseal.sql" with { type: "text" };
import setDiscordAbandonedText from "../../../sql/discord_token/set_abandoned.sql" with { type: "text" };
import setClearDueText from "../../../sql/discord_token/set_clear_due.sql" with { type: "text" };
import setClearedText from "../../../sql/discord_token/set_cleared.sql" with { type: "text" };
import setEndDueText from "../../../sql/discord_token/set_end_due.sql" with { type: "text" };
import setLeaseEndedText from "../../../sql/discord_token/set_lease_ended.sql" with { type: "text" };
import setRefreshFailedText from "../../../sql/discord_token/set_refresh_failed.sql" with { type: "text" };
import setRefreshSentText from "../../../sql/discord_token/set_refresh_sent.sql" with { type: "text" };
import setRefreshedText from "../../../sql/discord_token/set_refreshed.sql" with { type: "text" };
import setDiscordResealedText from "../../../sql/discord_token/set_resealed.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { integer, jsonList, nullableText, nullableTime, text, time } from "../statement.ts";

const endCause = v.picklist(["invalid_grant", "invalid_request", "unanswered", "deauthorized"]);

/** Parameters and columns as the files have them. */
export const DISCORD_TOKEN_STATEMENTS = {
  claimClearDue: {
    text: claimClearDueText,
    gives: "rows",
    parameters: { limit: integer, leasedUntil: time, now: time },
    row: { discordUserId: text, accessTokenSealed: text, discordExpiresAt: time, clearFailures: integer },
  },
  claimEndDue: {
    text: claimEndDueText,
    gives: "rows",
    parameters: {
      limit: integer,
      leasedUntil: time,
      now: time,
      onlyDiscordUserId: nullableText,
    },
    row: {
      discordUserId: text,
      accessTokenSealed: text,
      refreshTokenSealed: text,
      expiresAt: time,
      scope: text,
      endFailures: integer,
    },
  },
  claimRefresh: {
    text: claimRefreshText,
    gives: "row",
    parameters: { discordUserId: text, leasedUntil: time, now: time, isAwaited: v.boolean() },
    echoes: "discordUserId",
    row: {
      discordUserId: text,
      accessTokenSealed: text,
      refreshTokenSealed: text,
      expiresAt: time,
      obtainedAt: time,
      refreshUnansweredSince: nullableTime,
      refreshRefusals: integer,
      endCause: v.nullable(endCause),
      putOffUntil: nullableTime,
    },
  },
  claimRefreshDue: {
    text: claimRefreshDueText,
    gives: "rows",
    parameters: { limit: integer, expiresBefore: time, leasedUntil: time, now: time },
    row: {
      discordUserId: text,
      accessTokenSealed: text,
      refreshTokenSealed: text,
      expiresAt: time,
      refreshUnansweredSince: nullableTime,
      refreshRefusals: integer,
      refreshFailures: integer,
    },
  },
  deleteDiscordToken: {
    text: deleteDiscordTokenText,
    gives: "nothing",
    parameters: {
      discordUserId: text,
      accessTokenSealed: text,
      now: time,
      isRoleConnectionLeft: v.boolean(),
      isGrantLeft: v.boolean(),
    },
  },
  setDiscordAbandoned: {
    text: setDiscordAbandonedText,
    gives: "row",
    parameters: { limit: integer, obtainedBefore: time, now: time },
    row: { marked: integer },
  },
  setClearDue: {
    text: setClearDueText,
    gives: "nothing",
    parameters: { discordUserId: text, leasedUntil: time, clearDueAt: time },
  },
  setCleared: {
    text: setClearedText,
    gives: "nothing",
    parameters: { discordUserId: text, clearDueAt: time, isRoleConnectionLeft: v.boolean(), now: time },
  },
  setEndDue: {
    text: setEndDueText,
    gives: "nothing",
    parameters: { discordUserId: text, endDueAt: time },
  },
  setLeaseEnded: {
    text: setLeaseEndedText,
    gives: "nothing",
    parameters: { discordUserId: text, refreshTokenSealed: text, isUnspent: v.boolean() },
  },
  setRefreshFailed: {
    text: setRefreshFailedText,
    gives: "nothing",
    parameters: {
      discordUserId: text,
      refreshTokenSealed: text,
      isUnspent: v.boolean(),
      isRefused: v.boolean(),
      endCause: v.nullable(endCause),
      retryAt: time,
      now: time,
    },
  },
  setRefreshSent: {
    text: setRefreshSentText,
    gives: "row",
    parameters: { discordUserId: text, refreshTokenSealed: text, now: time, isAwaited: v.boolean() },
    echoes: "discordUserId",
    row: {
      discordUserId: text,
      refreshUnansweredSince: nullableTime,
      refreshRefusals: integer,
      endCause: v.nullable(endCause),
      putOffUntil: nullableTime,
    },
  },
  setRefreshed: {
    text: setRefreshedText,
    gives: "row",
    parameters: {
      discordUserId: text,
      spentRefreshTokenSealed: text,
      accessTokenSealed: text,
      refreshTokenSealed: text,
      scope: text,
      expiresAt: time,
      leasedUntil: nullableTime,
      now: time,
    },
    echoes: "discordUserId",
    row: { discordUserId: text },
  },
  listTokenSamples: {
    text: listTokenSamplesText,
    gives: "rows",
    parameters: {},
    row: { kind: text, owner: text, subject: nullableText, sealed: text },
  },
  countDiscordByKey: {
    text: countDiscordByKeyText,
    gives: "rows",
    parameters: { after: text, limit: integer },
    row: { last: text, keyId: text, sealed: integer },
  },
  listDiscordToReseal: {
    text: listDiscordToResealText,
    gives: "rows",
    parameters: { after: text, limit: integer, keyId: text },
    row: {
      last: text,
      discordUserId: nullableText,
      accessTokenSealed: nullableText,
      refreshTokenSealed: nullableText,
    },
  },
  setDiscordResealed: {
    text: setDiscordResealedText,
    gives: "rows",
    parameters: { tokens: jsonList, now: time },
    row: { discordUserId: text },
  },
} as const satisfies Record<string, Statement>;
