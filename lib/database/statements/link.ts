/**
 * Links: how they are made, moved and undone, and what is read of them. Statements of `sql/link`; `link_sync.ts` has those
 * that keep links true.
 */
import * as v from "valibot";
import confirmMoveText from "../../../sql/link/confirm_move.sql" with { type: "text" };
import countLinksText from "../../../sql/link/count.sql" with { type: "text" };
import countLinkStatesText from "../../../sql/link/count_states.sql" with { type: "text" };
import finishProviderLegText from "../../../sql/link/finish_provider_leg.sql" with { type: "text" };
import insertImportedText from "../../../sql/link/insert_imported.sql" with { type: "text" };
import listLinksText from "../../../sql/link/list.sql" with { type: "text" };
import listFindingsText from "../../../sql/link/list_findings.sql" with { type: "text" };
import listLinksOfAccountsText from "../../../sql/link/list_of_accounts.sql" with { type: "text" };
import listLinksOfMemberText from "../../../sql/link/list_of_member.sql" with { type: "text" };
import unlinkText from "../../../sql/link/unlink.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import {
  integer,
  json,
  jsonList,
  nullableText,
  nullableTime,
  replacedTokens,
  text,
  texts,
  time,
} from "../statement.ts";

/** What the rules read of a link. */
export const facts = {
  username: text,
  issuer: text,
  subject: text,
  claims: json,
  sources: json,
  linkedAt: time,
  /** Null if the member has made the link, or has signed in since. */
  importedAt: nullableTime,
};
const pushed = {
  pushedMetadata: v.nullable(texts),
  pushedPlatformUsername: nullableText,
  clearedAt: nullableTime,
};
/** Why a role connection is cleared. */
export const clearCause = v.picklist(["not_admitted", "grant_ended", "membership_ended"]);
/** Why a refresh token at the provider is dead. */
export const endCause = v.picklist(["invalid_grant", "invalid_request", "unanswered", "logged_out"]);
/** What Discord last took, and what waits to be told. */
export const pushing = {
  ...pushed,
  clearCause: v.nullable(clearCause),
  lossFoundAt: nullableTime,
};

/** Parameters and columns as the files have them. */
export const LINK_STATEMENTS = {
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
      scimAttribute: nullableText,
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
      goneAt: nullableTime,
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
      scimSubject: nullableText,
      scimAttribute: nullableText,
      providerSessionId: nullableText,
      preferredUsername: nullableText,
    },
    echoes: "flowIdHash",
    row: {
      flowIdHash: text,
      outcome: v.picklist(["linked", "relinked", "conflict_met", "not_admitted", "banned"]),
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
      goneAt: nullableTime,
    },
  },
  insertImported: {
    text: insertImportedText,
    gives: "rows",
    parameters: {
      members: jsonList,
      issuer: text,
      operator: text,
      source: text,
      isDryRun: v.boolean(),
      now: time,
    },
    row: {
      place: integer,
      outcome: v.picklist([
        "imported",
        "already",
        "banned",
        "discord_linked",
        "account_linked",
        "undone",
        "in_use",
      ]),
    },
  },
  countLinkStates: {
    text: countLinkStatesText,
    gives: "row",
    parameters: { overdueBefore: time, endedSince: time, now: time },
    row: {
      told: integer,
      waiting: integer,
      losing: integer,
      disconnected: integer,
      cleared: integer,
      checksDue: integer,
      checksOverdue: integer,
      oldestCheckDueAt: nullableTime,
      pushesDue: integer,
      pushesOverdue: integer,
      oldestPushDueAt: nullableTime,
      lossesOverdue: integer,
      heldAt: nullableTime,
      lossesHeld: integer,
      discordGrantsEnded: integer,
      providerGrantsEnded: integer,
    },
  },
  listFindings: {
    text: listFindingsText,
    gives: "rows",
    parameters: {
      overdueBefore: time,
      failedOften: integer,
      exampleCount: integer,
      mostCounted: integer,
      claimsSeenBefore: time,
      endedBefore: time,
      readBackBefore: time,
    },
    row: { kind: text, count: integer, examples: v.pipe(v.array(text), v.readonly()) },
  },
  listLinks: {
    text: listLinksText,
    gives: "rows",
    parameters: { after: text, limit: integer },
    row: { discordUserId: text, ...facts, ...pushed },
  },
  listLinksOfAccounts: {
    text: listLinksOfAccountsText,
    gives: "rows",
    parameters: { ofDiscordUserId: nullableText, ofIssuer: nullableText, ofSubject: nullableText },
    row: { discordUserId: text, username: text, issuer: text, subject: text },
  },
  listLinksOfMember: {
    text: listLinksOfMemberText,
    gives: "rows",
    parameters: { member: text, after: text, last: text, limit: integer },
    row: { rank: integer, discordUserId: text, ...facts, ...pushed },
  },
  unlink: {
    text: unlinkText,
    gives: "row",
    parameters: {
      discordUserId: text,
      requestId: nullableText,
      now: time,
      leasedUntil: time,
      onlyBanned: v.boolean(),
      operator: nullableText,
      detail: v.nullable(json),
    },
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
