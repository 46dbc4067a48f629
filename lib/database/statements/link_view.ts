/** Links as operators see them, a page at a time, and counts of them. Statements of `sql/link`. */
import * as v from "valibot";
import countCheckedText from "../../../sql/link/count_checked.sql" with { type: "text" };
import countFailingText from "../../../sql/link/count_failing.sql" with { type: "text" };
import countRecordsText from "../../../sql/link/count_records.sql" with { type: "text" };
import findLinkPageEndText from "../../../sql/link/find_page_end.sql" with { type: "text" };
import listMatchingLinksText from "../../../sql/link/list_matching.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { integer, json, nullableText, nullableTime, text, texts, time } from "../statement.ts";

/** The states of a link, as the status counts them. */
export const LINK_STATES = ["told", "waiting", "losing", "disconnected", "cleared"] as const;

/** Parameters and columns as the files have them. */
export const LINK_VIEW_STATEMENTS = {
  countChecked: {
    text: countCheckedText,
    gives: "row",
    parameters: { dayAgo: time, weekAgo: time },
    row: { withinDay: integer, withinWeek: integer, failing: integer },
  },
  countFailing: {
    text: countFailingText,
    gives: "rows",
    parameters: { limit: integer },
    row: { code: text, links: integer },
  },
  countRecords: {
    text: countRecordsText,
    gives: "rows",
    parameters: {},
    row: { key: text, links: integer, zeros: integer },
  },
  findLinkPageEnd: {
    text: findLinkPageEndText,
    gives: "row",
    parameters: { after: text, limit: integer },
    row: { last: text, links: integer },
  },
  listMatchingLinks: {
    text: listMatchingLinksText,
    gives: "rows",
    parameters: {
      after: text,
      last: text,
      state: v.nullable(v.picklist(LINK_STATES)),
      recordKey: nullableText,
      recordValue: nullableText,
      claim: nullableText,
      claimValue: nullableText,
      seenBefore: nullableTime,
      failedCode: nullableText,
      isFailing: v.boolean(),
      words: nullableText,
    },
    row: {
      discordUserId: text,
      username: text,
      globalName: nullableText,
      issuer: text,
      subject: text,
      names: json,
      state: v.picklist(LINK_STATES),
      linkedAt: time,
      claimsSeenAt: time,
      pushedMetadata: v.nullable(texts),
      pushedAt: nullableTime,
      pushDueAt: nullableTime,
      pushFailures: integer,
      checkDueAt: time,
      checkFailures: integer,
      checkFailedCode: nullableText,
      pushFailedCode: nullableText,
    },
  },
} as const satisfies Record<string, Statement>;
