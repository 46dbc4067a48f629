/** The check of the sync: whether links are kept true, and whether upkeep is stopped, by what the database shows. It asks no other server. */
import type { Config } from "../../config/load.ts";
import type { Database } from "../../database/open.ts";
import { createQueries } from "../../database/queries.ts";
import { asJanusError } from "../../errors.ts";
import type { ToldStop } from "../../sync/stops.ts";
import { describeStop, listStops, STOP_REMEDIES } from "../../sync/stops.ts";
import type { Finding } from "../audit.ts";
import { listFindings, MOST_COUNTED, oldClaimsHours } from "../audit.ts";
import type { Check } from "./check.ts";
import { ok, sayReason, unknown, warning } from "./check.ts";

/** What the check compares with; `sync` is undefined if its variables have faults. */
export type SyncSettings = {
  readonly sync: Config["sync"] | undefined;
  readonly now: () => Date;
};

const ID = "sync";

/** A finding of the audit that concerns all links rather than a member. */
type Concern = {
  readonly kind: string;
  readonly tells: (members: string, sync: Config["sync"]) => string;
  readonly remedy: string;
};

/** The most urgent first. A stop of upkeep comes before them, since it may be their cause. */
const CONCERNS: readonly Concern[] = [
  {
    kind: "losses_held",
    tells: (members) => `The brake holds losses: ${members} would lose something.`,
    remedy:
      "Look at what has changed at the provider or in the rules. If the losses are right: janus sync --release shows how many, and asks.",
  },
  {
    kind: "check_overdue",
    tells: (members) =>
      `Checks are overdue: the claims of ${members} should have been read more than an hour ago.`,
    remedy:
      "See that a server with SYNC=on runs on this database, and that the provider answers it: its log says why it does not.",
  },
  {
    kind: "claims_old",
    tells: (members, sync) =>
      `Claims are old: those of ${members} are from more than ${oldClaimsHours(sync)} hours ago.`,
    remedy: "janus audit names some of these members, and says why their claims are not read.",
  },
];

/** Looks at the links. Never throws. */
export async function checkSync(db: Database, { sync, now }: SyncSettings): Promise<Check> {
  if (sync === undefined)
    return unknown(ID, "Variables of the sync have faults.", "Mend the configuration first.");
  const needs = { queries: createQueries(db), now, sync };
  let findings: readonly Finding[];
  let stops: readonly ToldStop[];
  try {
    [findings, stops] = await Promise.all([listFindings(needs), listStops(needs)]);
  } catch (error) {
    return unknown(ID, sayReason(asJanusError(error)), "Apply the migrations first.");
  }
  const met = [
    ...stops.map((stop) => ({ detail: describeStop(stop), remedy: STOP_REMEDIES[stop.code] })),
    ...CONCERNS.flatMap(({ kind, tells, remedy }) => {
      const found = findings.find((finding) => finding.kind === kind);
      return found === undefined ? [] : [{ detail: tells(describeCount(found), sync), remedy }];
    }),
  ];
  const isWell = `Upkeep is not stopped, no check is overdue, no loss is held, and no claims are older than ${oldClaimsHours(sync)} hours.`;
  if (met.length === 0) return ok(ID, isWell + describeEnded(findings));
  return warning(ID, met.map(({ detail }) => detail).join(" "), met.map(({ remedy }) => remedy).join(" "));
}

/** Grants that Discord has ended are no fault: each is a matter of one member's. */
function describeEnded(findings: readonly Finding[]): string {
  const ended = findings.find(({ kind }) => kind === "discord_grant_ended");
  if (ended === undefined) return "";
  return ` Discord has ended the grants of ${describeCount(ended)}, who can sign in again: janus audit names some.`;
}

function describeCount({ count }: Finding): string {
  if (count >= MOST_COUNTED) return `${MOST_COUNTED} members or more`;
  return count === 1 ? "1 member" : `${count} members`;
}
