/**
 * Members' Discord accounts. The statements of `sql/discord_account`.
 */
import * as v from "valibot";
import deleteUnusedText from "../../../sql/discord_account/delete_unused.sql" with { type: "text" };
import exportMemberText from "../../../sql/discord_account/export_member.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { integer, json, nullableText, nullableTime, text, texts, time } from "../statement.ts";
import { endCause } from "./link.ts";
import { LINK_STATES } from "./link_view.ts";

/** Parameters and columns as the files have them. */
export const DISCORD_ACCOUNT_STATEMENTS = {
  deleteUnused: {
    text: deleteUnusedText,
    gives: "row",
    parameters: { updatedBefore: time, limit: integer },
    row: { deleted: integer },
  },
  exportMember: {
    text: exportMemberText,
    gives: "row",
    parameters: { discordUserId: text },
    echoes: "discordUserId",
    row: {
      discordUserId: text,
      username: text,
      globalName: nullableText,
      createdAt: time,
      updatedAt: time,
      scope: nullableText,
      linkState: v.nullable(v.picklist(LINK_STATES)),
      discordExpiresAt: nullableTime,
      obtainedAt: nullableTime,
      endReason: nullableText,
      discordEndedAt: nullableTime,
      discordEndCause: nullableText,
      tokenRefusedAt: nullableTime,
      linkedAt: nullableTime,
      importedAt: nullableTime,
      pushedMetadata: v.nullable(texts),
      pushedPlatformUsername: nullableText,
      pushedAt: nullableTime,
      clearedAt: nullableTime,
      clearCause: nullableText,
      pushDueAt: nullableTime,
      pushFailures: v.nullable(integer),
      pushFailedCode: nullableText,
      syncAskedAt: nullableTime,
      checkDueAt: nullableTime,
      checkFailures: v.nullable(integer),
      checkFailedCode: nullableText,
      reconciledAt: nullableTime,
      disconnectedAt: nullableTime,
      lossFoundAt: nullableTime,
      lossDueAt: nullableTime,
      lostAt: nullableTime,
      goneAt: nullableTime,
      goneSource: nullableText,
      issuer: nullableText,
      subject: nullableText,
      claims: v.nullable(json),
      sources: v.nullable(json),
      claimsSeenAt: nullableTime,
      organisationCreatedAt: nullableTime,
      organisationTokenObtainedAt: nullableTime,
      organisationExpiresAt: nullableTime,
      hasOrganisationRefreshToken: v.boolean(),
      replacedTokenCount: integer,
      organisationUnansweredSince: nullableTime,
      organisationRefusals: v.nullable(integer),
      organisationEndedAt: nullableTime,
      organisationEndCause: v.nullable(endCause),
      roleConnectionLeftAt: nullableTime,
    },
  },
} as const satisfies Record<string, Statement>;
