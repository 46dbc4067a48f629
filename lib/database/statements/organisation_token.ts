/**
 * Grants at the provider: their tokens and their ends. The statements of `sql/organisation_token`.
 */
import * as v from "valibot";
import claimProviderEndDueText from "../../../sql/organisation_token/claim_end_due.sql" with { type: "text" };
import countOrganisationByKeyText from "../../../sql/organisation_token/count_by_key.sql" with {
  type: "text",
};
import deleteOrganisationTokenText from "../../../sql/organisation_token/delete.sql" with { type: "text" };
import insertUnlinkedTokensText from "../../../sql/organisation_token/insert_unlinked.sql" with {
  type: "text",
};
import listOrganisationToResealText from "../../../sql/organisation_token/list_to_reseal.sql" with {
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
import setOrganisationResealedText from "../../../sql/organisation_token/set_resealed.sql" with {
  type: "text",
};
import type { Statement } from "../statement.ts";
import { integer, jsonList, nullableText, nullableTime, replacedTokens, text, time } from "../statement.ts";

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
    gives: "rows",
    parameters: { issuer: text, tokens: jsonList, now: time },
    echoes: { column: "subject", list: "tokens", name: "subject" },
    row: { subject: text },
  },
  setProviderRefreshed: {
    text: setProviderRefreshedText,
    gives: "rows",
    parameters: { issuer: text, tokens: jsonList },
    echoes: { column: "subject", list: "tokens", name: "subject" },
    row: { subject: text },
  },
  countOrganisationByKey: {
    text: countOrganisationByKeyText,
    gives: "rows",
    parameters: { afterIssuer: text, afterSubject: text, limit: integer },
    row: { lastIssuer: text, lastSubject: text, keyId: text, sealed: integer },
  },
  listOrganisationToReseal: {
    text: listOrganisationToResealText,
    gives: "rows",
    parameters: { afterIssuer: text, afterSubject: text, limit: integer, keyId: text },
    row: {
      lastIssuer: text,
      lastSubject: text,
      issuer: nullableText,
      subject: nullableText,
      accessTokenSealed: nullableText,
      refreshTokenSealed: nullableText,
      replacedTokens: v.nullable(replacedTokens),
    },
  },
  setOrganisationResealed: {
    text: setOrganisationResealedText,
    gives: "rows",
    parameters: { tokens: jsonList, now: time },
    row: { issuer: text, subject: text },
  },
} as const satisfies Record<string, Statement>;
