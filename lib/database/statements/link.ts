/**
 * Links, their pushes, and what an operator should look at. The statements of `sql/link`.
 */
import * as v from "valibot";
import claimCheckDueText from "../../../sql/link/claim_check_due.sql" with { type: "text" };
import claimLossDueText from "../../../sql/link/claim_loss_due.sql" with { type: "text" };
import claimPushDueText from "../../../sql/link/claim_push_due.sql" with { type: "text" };
import claimSyncText from "../../../sql/link/claim_sync.sql" with { type: "text" };
import confirmMoveText from "../../../sql/link/confirm_move.sql" with { type: "text" };
import countLinksText from "../../../sql/link/count.sql" with { type: "text" };
import finishProviderLegText from "../../../sql/link/finish_provider_leg.sql" with { type: "text" };
import listLinksText from "../../../sql/link/list.sql" with { type: "text" };
import listFindingsText from "../../../sql/link/list_findings.sql" with { type: "text" };
import listLinksOfMemberText from "../../../sql/link/list_of_member.sql" with { type: "text" };
import setCheckFailedText from "../../../sql/link/set_check_failed.sql" with { type: "text" };
import setCheckedText from "../../../sql/link/set_checked.sql" with { type: "text" };
import setLinkClearedText from "../../../sql/link/set_cleared.sql" with { type: "text" };
import setLossHeldText from "../../../sql/link/set_held.sql" with { type: "text" };
import setPushDueText from "../../../sql/link/set_push_due.sql" with { type: "text" };
import setPushedText from "../../../sql/link/set_pushed.sql" with { type: "text" };
import setStillClearedText from "../../../sql/link/set_still_cleared.sql" with { type: "text" };
import unlinkText from "../../../sql/link/unlink.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import {
  integer,
  json,
  nullableText,
  nullableTime,
  replacedTokens,
  text,
  texts,
  time,
} from "../statement.ts";

const endCause = v.picklist(["invalid_grant", "invalid_request", "unanswered"]);

/** What the rules read of a link, and what Discord last took. */
const facts = {
  username: text,
  issuer: text,
  subject: text,
  claims: json,
  sources: json,
  linkedAt: time,
};
const clearCause = v.picklist(["not_admitted", "grant_ended"]);
const pushed = {
  pushedMetadata: v.nullable(texts),
  pushedPlatformUsername: nullableText,
  clearedAt: nullableTime,
};
/** What a push knows besides. */
const pushing = {
  ...pushed,
  clearCause: v.nullable(clearCause),
  lossFoundAt: nullableTime,
};
/** Whether the grant at the provider has ended. */
const grantEnd = {
  organisationEndedAt: nullableTime,
  organisationEndCause: v.nullable(endCause),
};
/** What a push is claimed with. */
const duePush = {
  discordUserId: text,
  ...facts,
  ...pushing,
  accessTokenSealed: text,
  discordExpiresAt: time,
  pushFailures: integer,
  ...grantEnd,
};

/** Parameters and columns as the files have them. */
export const LINK_STATEMENTS = {
  claimCheckDue: {
    text: claimCheckDueText,
    gives: "rows",
    parameters: { limit: integer, leasedUntil: time, now: time, member: nullableText },
    row: {
      ...duePush,
      pushedAt: nullableTime,
      pushLeasedUntil: nullableTime,
      claimsSeenAt: time,
      checkFailures: integer,
      reconciledAt: nullableTime,
      disconnectedAt: nullableTime,
      organisationAccessTokenSealed: nullableText,
      organisationRefreshTokenSealed: nullableText,
      organisationExpiresAt: nullableTime,
      refreshUnansweredSince: nullableTime,
      refreshRefusals: integer,
    },
  },
  claimLossDue: {
    text: claimLossDueText,
    gives: "rows",
    parameters: { limit: integer, leasedUntil: time, now: time, foundUntil: time },
    row: duePush,
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
    parameters: { discordUserId: text, askedBefore: time, leasedUntil: time, now: time },
    echoes: "discordUserId",
    row: { ...duePush, isClaimed: v.boolean(), syncAskedAt: nullableTime },
  },
  confirmMove: {
    text: confirmMoveText,
    gives: "row",
    parameters: {
      flowIdHash: text,
      pushLeasedUntil: time,
      requestId: text,
      now: time,
      sessionIdHash: text,
      sessionHandle: text,
      userAgent: nullableText,
      sessionExpiresAt: time,
      replacedSessionIdHashes: nullableText,
      sessionKeyHash: text,
      replacedSessionKeyHashes: nullableText,
      checkDueAt: time,
    },
    echoes: "flowIdHash",
    row: {
      flowIdHash: text,
      discordUserId: text,
      username: text,
      globalName: nullableText,
      accessTokenSealed: text,
      discordExpiresAt: time,
      sessionExpiresAt: nullableTime,
      issuer: text,
      subject: text,
      claims: json,
      sources: json,
      endedDiscordUserId: nullableText,
    },
  },
  countLinks: { text: countLinksText, gives: "row", parameters: {}, row: { count: integer } },
  finishProviderLeg: {
    text: finishProviderLegText,
    gives: "row",
    parameters: {
      flowIdHash: text,
      issuer: text,
      subject: text,
      claims: json,
      accessTokenSealed: text,
      refreshTokenSealed: nullableText,
      expiresAt: nullableTime,
      pushLeasedUntil: time,
      moveIdHash: text,
      moveExpiresAt: time,
      requestId: text,
      now: time,
      sessionIdHash: text,
      sessionHandle: text,
      userAgent: nullableText,
      sessionExpiresAt: time,
      replacedSessionIdHashes: nullableText,
      sessionKeyHash: text,
      replacedSessionKeyHashes: nullableText,
      sources: json,
      isAdmitted: v.boolean(),
      checkDueAt: time,
    },
    echoes: "flowIdHash",
    row: {
      flowIdHash: text,
      outcome: v.picklist(["linked", "relinked", "conflict_met", "not_admitted"]),
      discordUserId: text,
      username: text,
      globalName: nullableText,
      accessTokenSealed: text,
      discordExpiresAt: time,
      sessionExpiresAt: nullableTime,
      heldByUsername: nullableText,
      heldByGlobalName: nullableText,
      isHeldByOrganisation: v.boolean(),
      heldOrganisationNames: v.nullable(json),
      linkedAt: time,
      ...pushing,
    },
  },
  listFindings: {
    text: listFindingsText,
    gives: "rows",
    parameters: { overdueBefore: time, failedOften: integer, exampleCount: integer },
    row: { kind: text, count: integer, examples: v.pipe(v.array(text), v.readonly()) },
  },
  listLinks: {
    text: listLinksText,
    gives: "rows",
    parameters: { after: text, limit: integer },
    row: { discordUserId: text, ...facts, ...pushed },
  },
  listLinksOfMember: {
    text: listLinksOfMemberText,
    gives: "rows",
    parameters: { member: text, limit: integer },
    row: { rank: integer, discordUserId: text, ...facts, ...pushed },
  },
  setChecked: {
    text: setCheckedText,
    gives: "row",
    parameters: {
      discordUserId: text,
      leasedUntil: time,
      issuer: text,
      subject: text,
      claims: v.nullable(json),
      sources: v.nullable(json),
      checkDueAt: time,
      isPushDue: v.boolean(),
      isLoss: v.boolean(),
      isReconciled: v.boolean(),
      isDisconnected: v.boolean(),
      now: time,
    },
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
      code: text,
      checkDueAt: time,
      isUnspent: v.boolean(),
      isRefused: v.boolean(),
      endCause: v.nullable(endCause),
      now: time,
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
      isCounted: v.boolean(),
      detail: json,
    },
  },
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
      pushDueAt: time,
      requestId: nullableText,
      now: time,
    },
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
  unlink: {
    text: unlinkText,
    gives: "row",
    parameters: { discordUserId: text, requestId: text, now: time, leasedUntil: time },
    echoes: "discordUserId",
    row: {
      discordUserId: text,
      issuer: text,
      subject: text,
      accessTokenSealed: text,
      refreshTokenSealed: text,
      expiresAt: time,
      scope: text,
      isInUse: v.boolean(),
      organisationAccessTokenSealed: nullableText,
      organisationRefreshTokenSealed: nullableText,
      replacedTokens: v.nullable(replacedTokens),
    },
  },
} as const satisfies Record<string, Statement>;
