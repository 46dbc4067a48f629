/** Bans: accounts that may not link. The statements of `sql/ban`. */
import deleteBanText from "../../../sql/ban/delete.sql" with { type: "text" };
import deleteExpiredBansText from "../../../sql/ban/delete_expired.sql" with { type: "text" };
import findBanText from "../../../sql/ban/find.sql" with { type: "text" };
import listBansText from "../../../sql/ban/list.sql" with { type: "text" };
import listBannedLinksText from "../../../sql/ban/list_linked.sql" with { type: "text" };
import listBansOfMemberText from "../../../sql/ban/list_of_member.sql" with { type: "text" };
import upsertBanText from "../../../sql/ban/upsert.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { integer, nullableText, nullableTime, text, time } from "../statement.ts";

const BAN = {
  banId: text,
  discordUserId: nullableText,
  issuer: nullableText,
  subject: nullableText,
  bannedAt: time,
  expiresAt: nullableTime,
  reason: nullableText,
  operator: text,
} as const;

/** Parameters and columns as the files have them. */
export const BAN_STATEMENTS = {
  deleteBan: {
    text: deleteBanText,
    gives: "row",
    parameters: {
      discordUserId: nullableText,
      issuer: nullableText,
      subject: nullableText,
      operator: text,
      requestId: text,
      now: time,
    },
    row: { lifted: integer },
  },
  deleteExpiredBans: {
    text: deleteExpiredBansText,
    gives: "row",
    parameters: { expiredBefore: time, limit: integer },
    row: { deleted: integer },
  },
  findBan: {
    text: findBanText,
    gives: "row",
    parameters: { banId: text, now: time },
    echoes: "banId",
    row: BAN,
  },
  listBans: {
    text: listBansText,
    gives: "rows",
    parameters: {
      bannedBefore: time,
      beforeId: text,
      limit: integer,
      now: time,
      ofDiscordUserId: nullableText,
      ofIssuer: nullableText,
      ofSubject: nullableText,
    },
    row: BAN,
  },
  listBansOfMember: {
    text: listBansOfMemberText,
    gives: "rows",
    parameters: { discordUserId: text, issuer: nullableText, subject: nullableText, now: time },
    row: { bannedAt: time, expiresAt: nullableTime },
  },
  listBannedLinks: {
    text: listBannedLinksText,
    gives: "rows",
    parameters: { now: time, limit: integer },
    row: { discordUserId: text },
  },
  upsertBan: {
    text: upsertBanText,
    gives: "row",
    parameters: {
      discordUserId: nullableText,
      issuer: nullableText,
      subject: nullableText,
      expiresAt: nullableTime,
      reason: nullableText,
      operator: text,
      requestId: text,
      now: time,
    },
    row: { placed: integer },
  },
} as const satisfies Record<string, Statement>;
