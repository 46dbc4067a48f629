/**
 * Flows under way: left by the Discord leg, taken by the provider leg. The statements of `sql/flow`.
 */
import * as v from "valibot";
import deleteOldFlowsText from "../../../sql/flow/delete_old.sql" with { type: "text" };
import finishDiscordLegText from "../../../sql/flow/finish_discord_leg.sql" with { type: "text" };
import listFlowsText from "../../../sql/flow/list.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { integer, nullableText, nullableTime, object, text, time } from "../statement.ts";

/** Parameters and columns as the files have them. */
export const FLOW_STATEMENTS = {
  deleteOldFlows: {
    text: deleteOldFlowsText,
    gives: "row",
    parameters: { createdBefore: time, limit: integer },
    row: { deleted: integer },
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
    row: { discordUserId: text, hasFlow: v.boolean(), clearDueAt: nullableTime },
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
      claims: v.nullable(object),
      createdAt: time,
      expiresAt: time,
    },
  },
} as const satisfies Record<string, Statement>;
