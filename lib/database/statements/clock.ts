/**
 * The database's clock, to compare the program's with. The statements of `sql/clock`.
 */
import findClockText from "../../../sql/clock/find.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { time } from "../statement.ts";

/** Parameters and columns as the files have them. */
export const CLOCK_STATEMENTS = {
  findClock: { text: findClockText, gives: "row", parameters: {}, row: { now: time } },
} as const satisfies Record<string, Statement>;
