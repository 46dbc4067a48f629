/**
 * What all processes together may ask of other servers. The statements of `sql/upstream_budget`.
 */
import * as v from "valibot";
import claimCallsText from "../../../sql/upstream_budget/claim_calls.sql" with { type: "text" };
import listStopsText from "../../../sql/upstream_budget/list_stops.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { integer, nullableTime, text, time } from "../statement.ts";

/** Parameters and columns as the files have them. */
export const UPSTREAM_BUDGET_STATEMENTS = {
  claimCalls: {
    text: claimCallsText,
    gives: "row",
    parameters: {
      upstream: text,
      calls: integer,
      perSecond: integer,
      memberCalls: integer,
      refusals: integer,
      goodAt: nullableTime,
      pageAt: nullableTime,
      globalUntil: nullableTime,
      now: time,
    },
    echoes: "upstream",
    row: {
      upstream: text,
      freeAt: time,
      blockedSince: nullableTime,
      blockedUntil: nullableTime,
      blockCause: v.nullable(v.picklist(["address", "global", "refusals"])),
    },
  },
  listStops: {
    text: listStopsText,
    gives: "rows",
    parameters: { now: time },
    row: {
      upstream: v.picklist(["discord", "provider"]),
      blockedSince: nullableTime,
      blockedUntil: nullableTime,
      blockCause: v.nullable(v.picklist(["address", "global", "refusals"])),
    },
  },
} as const satisfies Record<string, Statement>;
