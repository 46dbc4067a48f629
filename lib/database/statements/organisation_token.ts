/**
 * Grants at the provider: their tokens and their ends. The statements of `sql/organisation_token`.
 */
import claimProviderEndDueText from "../../../sql/organisation_token/claim_end_due.sql" with { type: "text" };
import deleteOrganisationTokenText from "../../../sql/organisation_token/delete.sql" with { type: "text" };
import insertUnlinkedTokensText from "../../../sql/organisation_token/insert_unlinked.sql" with {
  type: "text",
};
import setProviderAbandonedText from "../../../sql/organisation_token/set_abandoned.sql" with {
  type: "text",
};
import setProviderEndDueText from "../../../sql/organisation_token/set_end_due.sql" with { type: "text" };
import setProviderRefreshSentText from "../../../sql/organisation_token/set_refresh_sent.sql" with {
  type: "text",
};
import setProviderRefreshedText from "../../../sql/organisation_token/set_refreshed.sql" with {
  type: "text",
};
import type { Statement } from "../statement.ts";
import { integer, nullableText, nullableTime, replacedTokens, text, texts, time } from "../statement.ts";

/** Parameters and columns as the files have them. */
export const ORGANISATION_TOKEN_STATEMENTS = {
  claimProviderEndDue: {
    text: claimProviderEndDueText,
    gives: "rows",
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
  deleteOrganisationToken: {
    text: deleteOrganisationTokenText,
    gives: "nothing",
    parameters: {
      issuer: text,
      subject: text,
      accessTokenSealed: text,
      now: time,
      lastReplacedTokenSealed: nullableText,
    },
  },
  insertUnlinkedTokens: {
    text: insertUnlinkedTokensText,
    gives: "nothing",
    parameters: {
      issuer: text,
      subject: text,
      accessTokenSealed: text,
      refreshTokenSealed: nullableText,
      expiresAt: nullableTime,
      now: time,
    },
  },
  setProviderAbandoned: {
    text: setProviderAbandonedText,
    gives: "row",
    parameters: { limit: integer, seenBefore: time, now: time },
    row: { marked: integer },
  },
  setProviderEndDue: {
    text: setProviderEndDueText,
    gives: "nothing",
    parameters: { issuer: text, subject: text, endDueAt: time },
  },
  setProviderRefreshSent: {
    text: setProviderRefreshSentText,
    gives: "nothing",
    parameters: { issuer: text, refreshTokensSealed: texts, now: time },
  },
  setProviderRefreshed: {
    text: setProviderRefreshedText,
    gives: "row",
    parameters: {
      issuer: text,
      subject: text,
      spentRefreshTokenSealed: text,
      accessTokenSealed: text,
      refreshTokenSealed: nullableText,
      expiresAt: nullableTime,
      now: time,
    },
    echoes: "subject",
    row: { subject: text },
  },
} as const satisfies Record<string, Statement>;
