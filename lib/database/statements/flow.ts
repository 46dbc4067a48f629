/**
 * Flows under way: left by the Discord leg, taken by the provider leg. The statements of `sql/flow`.
 */
import * as v from "valibot";
import deleteOldFlowsText from "../../../sql/flow/delete_old.sql" with { type: "text" };
import findFlowText from "../../../sql/flow/find.sql" with { type: "text" };
import findMoveText from "../../../sql/flow/find_move.sql" with { type: "text" };
import finishDiscordLegText from "../../../sql/flow/finish_discord_leg.sql" with { type: "text" };
import listFlowsText from "../../../sql/flow/list.sql" with { type: "text" };
import refuseMoveText from "../../../sql/flow/refuse_move.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { integer, json, nullableText, nullableTime, text, time } from "../statement.ts";

/** Parameters and columns as the files have them. */
export const FLOW_STATEMENTS = {
  deleteOldFlows: {
    text: deleteOldFlowsText,
    gives: "row",
    parameters: { createdBefore: time, limit: integer },
    row: { deleted: integer },
  },
  findFlow: {
    text: findFlowText,
    gives: "row",
    parameters: { flowIdHash: text, issuer: text, subject: text },
    echoes: "flowIdHash",
    row: { flowIdHash: text, discordUserId: text, username: text, linkedAt: nullableTime },
  },
  findMove: {
    text: findMoveText,
    gives: "row",
    parameters: { flowIdHash: text },
    echoes: "flowIdHash",
    row: {
      flowIdHash: text,
      discordUserId: text,
      username: text,
      issuer: text,
      subject: text,
      claims: json,
      sources: json,
    },
  },
  finishDiscordLeg: {
    text: finishDiscordLegText,
    gives: "row",
    parameters: {
      discordUserId: text,
      username: text,
      globalName: nullableText,
      accessTokenSealed: text,
      refreshTokenSealed: text,
      scope: text,
      expiresAt: time,
      flowIdHash: text,
      flowExpiresAt: time,
      requestId: text,
      now: time,
      sessionAccessTokenSealed: text,
    },
    echoes: "discordUserId",
    row: {
      discordUserId: text,
      hasFlow: v.boolean(),
      clearDueAt: nullableTime,
      isBanned: v.boolean(),
      hasTokens: v.boolean(),
    },
  },
  listFlows: {
    text: listFlowsText,
    gives: "rows",
    parameters: { discordUserId: text },
    echoes: "discordUserId",
    row: {
      discordUserId: text,
      issuer: nullableText,
      subject: nullableText,
      claims: v.nullable(json),
      sources: v.nullable(json),
      createdAt: time,
      expiresAt: time,
    },
  },
  refuseMove: {
    text: refuseMoveText,
    gives: "row",
    parameters: { flowIdHash: text, requestId: text, now: time, onlyBanned: v.boolean() },
    echoes: "flowIdHash",
    row: { flowIdHash: text, discordUserId: text },
  },
} as const satisfies Record<string, Statement>;
