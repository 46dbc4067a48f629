/**
 * What keeps a link true: its checks, its pushes, and its losses. Statements of `sql/link`; the others are in `link.ts`.
 */
import * as v from "valibot";
import claimCheckDueText from "../../../sql/link/claim_check_due.sql" with { type: "text" };
import claimLossDueText from "../../../sql/link/claim_loss_due.sql" with { type: "text" };
import claimPushDueText from "../../../sql/link/claim_push_due.sql" with { type: "text" };
import claimSyncText from "../../../sql/link/claim_sync.sql" with { type: "text" };
import countChecksDueText from "../../../sql/link/count_due.sql" with { type: "text" };
import listChecksText from "../../../sql/link/list_checks.sql" with { type: "text" };
import setAllCheckDueText from "../../../sql/link/set_all_check_due.sql" with { type: "text" };
import setCheckDueText from "../../../sql/link/set_check_due.sql" with { type: "text" };
import setCheckFailedText from "../../../sql/link/set_check_failed.sql" with { type: "text" };
import setCheckedText from "../../../sql/link/set_checked.sql" with { type: "text" };
import setLinkClearedText from "../../../sql/link/set_cleared.sql" with { type: "text" };
import setLossHeldText from "../../../sql/link/set_held.sql" with { type: "text" };
import setLossDueText from "../../../sql/link/set_loss_due.sql" with { type: "text" };
import setPushDueText from "../../../sql/link/set_push_due.sql" with { type: "text" };
import setPushedText from "../../../sql/link/set_pushed.sql" with { type: "text" };
import setStillClearedText from "../../../sql/link/set_still_cleared.sql" with { type: "text" };
import setSyncAskedText from "../../../sql/link/set_sync_asked.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { integer, json, jsonList, nullableText, nullableTime, text, texts, time } from "../statement.ts";
import { clearCause, endCause, facts, pushing } from "./link.ts";

/** What a push is claimed with. */
const duePush = {
  discordUserId: text,
  ...facts,
  ...pushing,
  accessTokenSealed: text,
  discordExpiresAt: time,
  pushFailures: integer,
  goneAt: nullableTime,
  tokenRefusedAt: nullableTime,
  organisationEndedAt: nullableTime,
  organisationEndCause: v.nullable(endCause),
};

/** Parameters and columns as the files have them. */
export const LINK_SYNC_STATEMENTS = {
  claimCheckDue: {
    text: claimCheckDueText,
    gives: "rows",
    parameters: { limit: integer, leasedUntil: time, now: time, isAwaited: v.boolean() },
    row: {
      ...duePush,
      discordEndedAt: nullableTime,
      pushedAt: nullableTime,
      pushDueAt: nullableTime,
      claimsSeenAt: time,
      checkFailures: integer,
      reconciledAt: nullableTime,
      disconnectedAt: nullableTime,
      driftFoundAt: nullableTime,
      organisationAccessTokenSealed: nullableText,
      organisationRefreshTokenSealed: nullableText,
      organisationExpiresAt: nullableTime,
      refreshUnansweredSince: nullableTime,
      refreshRefusals: integer,
      refreshPutOffUntil: nullableTime,
      isOfBackup: v.boolean(),
    },
  },
  claimLossDue: {
    text: claimLossDueText,
    gives: "rows",
    parameters: {
      limit: integer,
      leasedUntil: time,
      now: time,
      foundUntil: time,
      seenAfter: time,
      releasedUntil: nullableTime,
      againAt: time,
      issuer: text,
      onlyGone: v.boolean(),
    },
    row: { ...duePush, isClaimed: v.boolean() },
  },
  claimPushDue: {
    text: claimPushDueText,
    gives: "rows",
    parameters: { limit: integer, leasedUntil: time, now: time },
    row: duePush,
  },
  claimSync: {
    text: claimSyncText,
    gives: "row",
    parameters: { discordUserId: text, leasedUntil: time, now: time },
    echoes: "discordUserId",
    row: duePush,
  },
  countChecksDue: {
    text: countChecksDueText,
    gives: "row",
    parameters: { now: time },
    row: { count: integer },
  },
  listChecks: {
    text: listChecksText,
    gives: "rows",
    parameters: { after: text, limit: integer, dueUntil: nullableTime, member: nullableText },
    row: {
      discordUserId: text,
      ...facts,
      ...pushing,
      disconnectedAt: nullableTime,
      organisationAccessTokenSealed: nullableText,
      organisationRefreshTokenSealed: nullableText,
      organisationExpiresAt: nullableTime,
      goneAt: nullableTime,
      organisationEndedAt: nullableTime,
      organisationEndCause: v.nullable(endCause),
    },
  },
  setAllCheckDue: {
    text: setAllCheckDueText,
    gives: "row",
    parameters: { checkDueAt: time, after: text, limit: integer },
    row: { last: nullableText, links: integer },
  },
  setChecked: {
    text: setCheckedText,
    gives: "rows",
    parameters: { checks: jsonList, now: time },
    echoes: { column: "discordUserId", list: "checks", name: "discord_user_id" },
    row: { discordUserId: text },
  },
  setCheckDue: {
    text: setCheckDueText,
    gives: "row",
    parameters: { discordUserId: text, checkDueAt: time, now: time },
    echoes: "discordUserId",
    row: { discordUserId: text },
  },
  setCheckFailed: {
    text: setCheckFailedText,
    gives: "row",
    parameters: {
      discordUserId: text,
      leasedUntil: time,
      issuer: text,
      subject: text,
      refreshTokenSealed: nullableText,
      code: nullableText,
      checkDueAt: time,
      isUnspent: v.boolean(),
      isRefused: v.boolean(),
      endCause: v.nullable(endCause),
      now: time,
      sources: v.nullable(json),
      isGone: v.boolean(),
      isPushDue: v.boolean(),
      isLoss: v.boolean(),
      isGranted: v.boolean(),
      refreshRetryAt: nullableTime,
    },
    echoes: "discordUserId",
    row: { discordUserId: text },
  },
  setLinkCleared: {
    text: setLinkClearedText,
    gives: "nothing",
    parameters: {
      discordUserId: text,
      leasedUntil: time,
      requestId: nullableText,
      now: time,
      clearCause,
      loss: v.picklist(["none", "told", "counted"]),
      detail: json,
    },
  },
  setLossDue: { text: setLossDueText, gives: "nothing", parameters: { discordUserId: text, now: time } },
  setLossHeld: {
    text: setLossHeldText,
    gives: "nothing",
    parameters: { discordUserId: text, leasedUntil: time, now: time },
  },
  setPushDue: {
    text: setPushDueText,
    gives: "nothing",
    parameters: {
      discordUserId: text,
      leasedUntil: time,
      pushDueAt: nullableTime,
      requestId: nullableText,
      now: time,
      isTokenRefused: v.boolean(),
      code: text,
    },
  },
  setSyncAsked: {
    text: setSyncAskedText,
    gives: "row",
    parameters: { discordUserId: text, askedBefore: time, now: time, operator: nullableText },
    echoes: "discordUserId",
    row: { discordUserId: text, isAsked: v.boolean(), syncAskedAt: nullableTime, isBanned: v.boolean() },
  },
  setStillCleared: {
    text: setStillClearedText,
    gives: "nothing",
    parameters: { discordUserId: text, leasedUntil: time },
  },
  setPushed: {
    text: setPushedText,
    gives: "nothing",
    parameters: {
      discordUserId: text,
      leasedUntil: time,
      pushedMetadata: texts,
      pushedPlatformUsername: nullableText,
      requestId: nullableText,
      now: time,
      loss: v.picklist(["none", "told", "counted", "held"]),
      detail: json,
    },
  },
} as const satisfies Record<string, Statement>;
