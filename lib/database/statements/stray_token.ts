/**
 * Tokens that no account holds, until they are revoked or given to their account. The statements of `sql/stray_token`.
 */
import * as v from "valibot";
import claimStrayDueText from "../../../sql/stray_token/claim_due.sql" with { type: "text" };
import countStrayByKeyText from "../../../sql/stray_token/count_by_key.sql" with { type: "text" };
import deleteStrayText from "../../../sql/stray_token/delete.sql" with { type: "text" };
import insertStrayText from "../../../sql/stray_token/insert.sql" with { type: "text" };
import listStrayToResealText from "../../../sql/stray_token/list_to_reseal.sql" with { type: "text" };
import setStrayDueText from "../../../sql/stray_token/set_due.sql" with { type: "text" };
import setStrayOwnedText from "../../../sql/stray_token/set_owned.sql" with { type: "text" };
import setStrayRefreshSentText from "../../../sql/stray_token/set_refresh_sent.sql" with { type: "text" };
import setStrayResealedText from "../../../sql/stray_token/set_resealed.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { integer, jsonList, nullableText, nullableTime, text, time } from "../statement.ts";

/** Parameters and columns as the files have them. */
export const STRAY_TOKEN_STATEMENTS = {
  claimStrayDue: {
    text: claimStrayDueText,
    gives: "rows",
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
  deleteStray: {
    text: deleteStrayText,
    gives: "nothing",
    parameters: { strayTokenId: text, now: time, isRevoked: v.boolean() },
  },
  insertStray: {
    text: insertStrayText,
    gives: "nothing",
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
  },
  setStrayDue: { text: setStrayDueText, gives: "nothing", parameters: { strayTokenId: text, dueAt: time } },
  setStrayOwned: {
    text: setStrayOwnedText,
    gives: "row",
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
  setStrayRefreshSent: {
    text: setStrayRefreshSentText,
    gives: "row",
    parameters: { strayTokenId: text, now: time },
    echoes: "strayTokenId",
    row: { strayTokenId: text, refreshUnansweredSince: nullableTime },
  },
  countStrayByKey: {
    text: countStrayByKeyText,
    gives: "rows",
    parameters: { after: text, limit: integer },
    row: { last: text, keyId: text, sealed: integer },
  },
  listStrayToReseal: {
    text: listStrayToResealText,
    gives: "rows",
    parameters: { after: text, limit: integer, keyId: text },
    row: {
      last: text,
      strayTokenId: nullableText,
      issuer: nullableText,
      subject: nullableText,
      accessTokenSealed: nullableText,
      refreshTokenSealed: nullableText,
    },
  },
  setStrayResealed: {
    text: setStrayResealedText,
    gives: "rows",
    parameters: { tokens: jsonList },
    row: { strayTokenId: text },
  },
} as const satisfies Record<string, Statement>;
