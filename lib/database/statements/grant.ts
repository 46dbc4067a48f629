/**
 * Grants and what is left of them, at Discord and at the provider: the statements of `sql/discord_token`,
 * `sql/organisation_token` and both kinds of account. Called by `queries.ts`.
 */
import * as v from "valibot";
import deleteUnusedText from "../../../sql/discord_account/delete_unused.sql" with { type: "text" };
import claimClearDueText from "../../../sql/discord_token/claim_clear_due.sql" with { type: "text" };
import claimEndDueText from "../../../sql/discord_token/claim_end_due.sql" with { type: "text" };
import claimRefreshText from "../../../sql/discord_token/claim_refresh.sql" with { type: "text" };
import claimRefreshDueText from "../../../sql/discord_token/claim_refresh_due.sql" with { type: "text" };
import deleteDiscordTokenText from "../../../sql/discord_token/delete.sql" with { type: "text" };
import setDiscordAbandonedText from "../../../sql/discord_token/set_abandoned.sql" with { type: "text" };
import setClearDueText from "../../../sql/discord_token/set_clear_due.sql" with { type: "text" };
import setClearedText from "../../../sql/discord_token/set_cleared.sql" with { type: "text" };
import setEndDueText from "../../../sql/discord_token/set_end_due.sql" with { type: "text" };
import setLeaseEndedText from "../../../sql/discord_token/set_lease_ended.sql" with { type: "text" };
import setRefreshFailedText from "../../../sql/discord_token/set_refresh_failed.sql" with { type: "text" };
import setRefreshSentText from "../../../sql/discord_token/set_refresh_sent.sql" with { type: "text" };
import setRefreshedText from "../../../sql/discord_token/set_refreshed.sql" with { type: "text" };
import deleteUnlinkedText from "../../../sql/organisation_account/delete_unlinked.sql" with { type: "text" };
import claimProviderEndDueText from "../../../sql/organisation_token/claim_end_due.sql" with { type: "text" };
import deleteOrganisationTokenText from "../../../sql/organisation_token/delete.sql" with { type: "text" };
import insertUnlinkedTokensText from "../../../sql/organisation_token/insert_unlinked.sql" with {
  type: "text",
};
import setProviderAbandonedText from "../../../sql/organisation_token/set_abandoned.sql" with {
  type: "text",
};
import setProviderEndDueText from "../../../sql/organisation_token/set_end_due.sql" with { type: "text" };
import deleteRoleConnectionLeftText from "../../../sql/role_connection_left/delete.sql" with { type: "text" };
import deleteOldLeftText from "../../../sql/role_connection_left/delete_old.sql" with { type: "text" };
import claimStrayDueText from "../../../sql/stray_token/claim_due.sql" with { type: "text" };
import deleteStrayText from "../../../sql/stray_token/delete.sql" with { type: "text" };
import insertStrayText from "../../../sql/stray_token/insert.sql" with { type: "text" };
import setStrayDueText from "../../../sql/stray_token/set_due.sql" with { type: "text" };
import setStrayOwnedText from "../../../sql/stray_token/set_owned.sql" with { type: "text" };
import setStrayRefreshSentText from "../../../sql/stray_token/set_refresh_sent.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { integer, nullableText, nullableTime, replacedTokens, text, time } from "../statement.ts";

/** Parameters and columns as the files have them. */
export const GRANT_STATEMENTS = {
  claimRefresh: {
    text: claimRefreshText,
    parameters: { discordUserId: text, leasedUntil: time, now: time },
    echoes: "discordUserId",
    row: {
      discordUserId: text,
      accessTokenSealed: text,
      refreshTokenSealed: text,
      expiresAt: time,
      refreshUnansweredSince: nullableTime,
    },
  },
  claimRefreshDue: {
    text: claimRefreshDueText,
    parameters: { limit: integer, expiresBefore: time, leasedUntil: time, now: time },
    row: {
      discordUserId: text,
      accessTokenSealed: text,
      refreshTokenSealed: text,
      expiresAt: time,
      refreshUnansweredSince: nullableTime,
      refreshFailures: integer,
    },
  },
  setRefreshSent: {
    text: setRefreshSentText,
    parameters: { discordUserId: text, refreshTokenSealed: text, now: time },
    echoes: "discordUserId",
    row: { discordUserId: text, refreshUnansweredSince: nullableTime },
  },
  setRefreshFailed: {
    text: setRefreshFailedText,
    parameters: { discordUserId: text, refreshTokenSealed: text, isUnspent: v.boolean(), retryAt: time },
    row: {},
  },
  setRefreshed: {
    text: setRefreshedText,
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
  setLeaseEnded: {
    text: setLeaseEndedText,
    parameters: { discordUserId: text, refreshTokenSealed: text, isUnspent: v.boolean() },
    row: {},
  },
  setDiscordAbandoned: {
    text: setDiscordAbandonedText,
    parameters: { limit: integer, obtainedBefore: time, now: time },
    row: { marked: integer },
  },
  claimEndDue: {
    text: claimEndDueText,
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
  setEndDue: {
    text: setEndDueText,
    parameters: { discordUserId: text, endDueAt: time },
    row: {},
  },
  claimClearDue: {
    text: claimClearDueText,
    parameters: { limit: integer, leasedUntil: time, now: time },
    row: { discordUserId: text, accessTokenSealed: text, discordExpiresAt: time, clearFailures: integer },
  },
  setCleared: {
    text: setClearedText,
    parameters: { discordUserId: text, clearDueAt: time, isRoleConnectionLeft: v.boolean(), now: time },
    row: {},
  },
  setClearDue: {
    text: setClearDueText,
    parameters: { discordUserId: text, leasedUntil: time, clearDueAt: time },
    row: {},
  },
  deleteDiscordToken: {
    text: deleteDiscordTokenText,
    parameters: {
      discordUserId: text,
      accessTokenSealed: text,
      now: time,
      isRoleConnectionLeft: v.boolean(),
      isGrantLeft: v.boolean(),
    },
    row: {},
  },
  deleteUnused: {
    text: deleteUnusedText,
    parameters: { updatedBefore: time, limit: integer },
    row: { deleted: integer },
  },
  deleteUnlinked: {
    text: deleteUnlinkedText,
    parameters: { seenBefore: time, limit: integer },
    row: { deleted: integer },
  },
  setProviderAbandoned: {
    text: setProviderAbandonedText,
    parameters: { limit: integer, seenBefore: time, now: time },
    row: { marked: integer },
  },
  claimProviderEndDue: {
    text: claimProviderEndDueText,
    parameters: { limit: integer, leasedUntil: time, now: time },
    row: {
      issuer: text,
      subject: text,
      accessTokenSealed: text,
      refreshTokenSealed: nullableText,
      replacedTokens,
      endFailures: integer,
    },
  },
  setProviderEndDue: {
    text: setProviderEndDueText,
    parameters: { issuer: text, subject: text, endDueAt: time },
    row: {},
  },
  deleteOrganisationToken: {
    text: deleteOrganisationTokenText,
    parameters: { issuer: text, subject: text, accessTokenSealed: text, now: time, replacedCount: integer },
    row: {},
  },
  insertUnlinkedTokens: {
    text: insertUnlinkedTokensText,
    parameters: {
      issuer: text,
      subject: text,
      accessTokenSealed: text,
      refreshTokenSealed: nullableText,
      expiresAt: nullableTime,
      now: time,
    },
    row: {},
  },
  insertStray: {
    text: insertStrayText,
    parameters: {
      strayTokenId: text,
      discordUserId: nullableText,
      issuer: nullableText,
      accessTokenSealed: text,
      refreshTokenSealed: nullableText,
      scope: nullableText,
      expiresAt: nullableTime,
      now: time,
    },
    row: {},
  },
  claimStrayDue: {
    text: claimStrayDueText,
    parameters: { limit: integer, leasedUntil: time, now: time },
    row: {
      strayTokenId: text,
      discordUserId: nullableText,
      issuer: nullableText,
      subject: nullableText,
      accessTokenSealed: nullableText,
      refreshTokenSealed: nullableText,
      scope: nullableText,
      expiresAt: nullableTime,
      obtainedAt: time,
      failures: integer,
    },
  },
  setStrayRefreshSent: {
    text: setStrayRefreshSentText,
    parameters: { strayTokenId: text, now: time },
    echoes: "strayTokenId",
    row: { strayTokenId: text, refreshUnansweredSince: nullableTime },
  },
  deleteRoleConnectionLeft: {
    text: deleteRoleConnectionLeftText,
    parameters: { discordUserId: text },
    echoes: "discordUserId",
    row: { discordUserId: text },
  },
  deleteOldRoleConnectionsLeft: {
    text: deleteOldLeftText,
    parameters: { leftBefore: time, limit: integer },
    row: { deleted: integer },
  },
  setStrayDue: { text: setStrayDueText, parameters: { strayTokenId: text, dueAt: time }, row: {} },
  setStrayOwned: {
    text: setStrayOwnedText,
    parameters: {
      strayTokenId: text,
      discordUserId: text,
      username: text,
      globalName: nullableText,
      accessTokenSealed: text,
      refreshTokenSealed: text,
      now: time,
    },
    echoes: "strayTokenId",
    row: { strayTokenId: text },
  },
  deleteStray: {
    text: deleteStrayText,
    parameters: { strayTokenId: text, now: time, isRevoked: v.boolean() },
    row: {},
  },
} as const satisfies Record<string, Statement>;
