/** What the first page of administrators shows: the state, the sign-ins of a week, and what fails. It names nobody. */
import type { Deps } from "../../deps.ts";
import { secondsAfter } from "../../time.ts";
import type { Counts } from "../stats.ts";
import { countWithin } from "../stats.ts";
import type { Status } from "../status.ts";
import { ENDED_DAYS, readStatus } from "../status.ts";

type Needs = Pick<Deps, "config" | "queries" | "now">;

/** The figures. */
export type Overview = {
  readonly status: Pick<
    Status,
    "links" | "checks" | "pushes" | "brake" | "stops" | "grantsEnded" | "attention"
  >;
  /** Within ENDED_DAYS, as the ended grants of the status. */
  readonly week: Counts;
  /** Links whose last check or push failed, by the code of that failure. */
  readonly failing: readonly { readonly code: string; readonly links: number }[];
};

const DAY_SECONDS = 86_400;
const MOST_CODES = 20;

/** Reads them, each in one statement. */
export async function readOverview({ config, queries, now }: Needs): Promise<Overview> {
  const at = now();
  const [status, week, failing] = await Promise.all([
    readStatus({ queries, now }, config.tokenKeys),
    countWithin({ queries }, secondsAfter(at, -ENDED_DAYS * DAY_SECONDS), secondsAfter(at, 1)),
    queries.countFailing({ limit: MOST_CODES }),
  ]);
  return { status, week, failing };
}
