/** How many events other servers have sent, by day. The statements of `sql/event_count`. */
import * as v from "valibot";
import listEventCountsText from "../../../sql/event_count/list.sql" with { type: "text" };
import addEventCountsText from "../../../sql/event_count/upsert.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { integer, json, text, time } from "../statement.ts";

/** Parameters and columns as the files have them. */
export const EVENT_COUNT_STATEMENTS = {
  addEventCounts: {
    text: addEventCountsText,
    gives: "nothing",
    parameters: { counts: v.array(json), day: time, keptSince: time },
  },
  listEventCounts: {
    text: listEventCountsText,
    gives: "rows",
    parameters: { since: time },
    row: { source: text, outcome: text, events: integer },
  },
} as const satisfies Record<string, Statement>;
