/**
 * The effect that a rules file would have on all links: who gains and who loses what, against what Discord last took. It
 * reads the links page by page, so that it locks nothing and needs no more memory for more links.
 */
import type { Queries } from "../database/queries.ts";
import type { Outcome, Verdict } from "../rules/evaluate.ts";
import { evaluateRules } from "../rules/evaluate.ts";
import { valueKindOf } from "../rules/records.ts";
import { NOTHING_KNOWN } from "../rules/role_connection.ts";
import type { RuleSet } from "../rules/rule_set.ts";
import type { PushedBefore } from "../sync/member_rules.ts";
import { factsOf, readAdmission } from "../sync/member_rules.ts";

/** Counts of links. `unknown` keeps what was, also where the rule is in error. */
type AdmissionEffect = Record<"gain" | "lose" | "stay" | "unknown", number>;
/** Counts of links. `unknown` and `error` keep what was. */
type RecordEffect = Record<"gain" | "lose" | "change" | "stay" | "unknown" | "error", number>;

/** The effect on all links. */
export type Effect = {
  readonly links: number;
  readonly admitted: Readonly<AdmissionEffect>;
  readonly records: Readonly<Record<string, Readonly<RecordEffect>>>;
  /** Links by keys that Discord has a value of, and the rules have no record of. */
  readonly dropped: ReadonlyMap<string, number>;
};

type Needs = {
  readonly queries: Pick<Queries, "listLinks">;
  readonly now: () => Date;
  readonly sleep: (ms: number) => Promise<void>;
};

/** Pages are as long as a statement stays short, and as memory stays small if each link has large claims. */
export const PAGE_LINKS = 500;
/** An evaluation does not wait for anything. After this time a signal or a key gets its turn. */
const LONGEST_TURN_MS = 100;

/** Counts the effect; undefined if it was stopped. `onPage` hears how many links are done. Throws what a query throws. */
export async function countEffect(
  { queries, now, sleep }: Needs,
  rules: RuleSet,
  {
    stop,
    onPage,
    pageLinks = PAGE_LINKS,
  }: {
    readonly stop: AbortSignal;
    readonly onPage: (links: number) => Promise<void>;
    readonly pageLinks?: number;
  },
): Promise<Effect | undefined> {
  const tally = createTally(rules);
  const started = now();
  let turnBegan = started.getTime();
  let [links, after, isLast] = [0, "", false];
  await onPage(links);
  while (!isLast) {
    const page = await queries.listLinks({ after, limit: pageLinks });
    if (stop.aborted) return undefined;
    for (const link of page) {
      tally.add(link, evaluateRules(rules, factsOf(link, started)));
      if (now().getTime() - turnBegan < LONGEST_TURN_MS) continue;
      await sleep(0);
      if (stop.aborted) return undefined;
      turnBegan = now().getTime();
    }
    links += page.length;
    after = page.at(-1)?.discordUserId ?? after;
    isLast = page.length < pageLinks;
    await onPage(links);
  }
  return { links, ...tally.read() };
}

/** Counts link by link. */
export function createTally(rules: RuleSet) {
  const admitted: AdmissionEffect = { gain: 0, lose: 0, stay: 0, unknown: 0 };
  const records = new Map(
    rules.records.map(({ record }) => [record.key, { isBoolean: isBoolean(record), effect: noEffect() }]),
  );
  const dropped = new Map<string, number>();
  return {
    add: (last: PushedBefore, verdict: Verdict): void => {
      const wasAdmitted = last.clearedAt === null;
      const admission = compareAdmission(wasAdmitted, verdict.admitted);
      admitted[admission] += 1;
      const had = new Map(Object.entries(wasAdmitted ? (last.pushedMetadata ?? {}) : {}));
      for (const { key, outcome } of verdict.records) {
        const record = records.get(key);
        const after = outcomeOf(admission, wasAdmitted, outcome);
        if (record !== undefined) record.effect[compareRecord(record.isBoolean, had.get(key), after)] += 1;
      }
      for (const key of had.keys())
        if (!records.has(key) && key !== NOTHING_KNOWN.key) dropped.set(key, (dropped.get(key) ?? 0) + 1);
    },
    read: () => ({
      admitted,
      records: Object.fromEntries([...records].map(([key, { effect }]) => [key, effect])),
      dropped,
    }),
  };
}

const isBoolean = ({ type }: { readonly type: number }): boolean => valueKindOf(type) === "boolean";

const noEffect = (): RecordEffect => ({ gain: 0, lose: 0, change: 0, stay: 0, unknown: 0, error: 0 });

function compareAdmission(was: boolean, now: Outcome<boolean>): keyof AdmissionEffect {
  const admission = readAdmission(now);
  if (admission === "unknown") return "unknown";
  const is = admission === "admitted";
  if (is === was) return "stay";
  return is ? "gain" : "lose";
}

/** Where a member is not admitted, Discord has no value, whatever the rule of the record says. */
function outcomeOf(
  admission: keyof AdmissionEffect,
  wasAdmitted: boolean,
  outcome: Outcome<string>,
): Outcome<string | undefined> {
  if (admission === "gain" || wasAdmitted) return admission === "lose" ? NO_VALUE : outcome;
  return admission === "stay" ? NO_VALUE : { outcome: "unknown", missing: "admit" };
}

const NO_VALUE = { outcome: "value", value: undefined } as const;

/** A yes is gained and lost. Of numbers and dates the first value is a gain, and the loss of the value is a loss. */
function compareRecord(
  isBoolean: boolean,
  before: string | undefined,
  now: Outcome<string | undefined>,
): keyof RecordEffect {
  if (now.outcome !== "value") return now.outcome;
  const [was, is] = isBoolean ? [yesOf(before), yesOf(now.value)] : [before, now.value];
  if (was === is) return "stay";
  if (was === undefined) return "gain";
  return is === undefined ? "lose" : "change";
}

const yesOf = (value: string | undefined): "yes" | undefined => (value === "1" ? "yes" : undefined);
