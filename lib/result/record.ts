/**
 * A result as a browser keeps it, in a cookie of its own: what happened, when, and in which request. It is sealed, and opens
 * under its own name alone. Nothing is stored, so showing a result costs no statement.
 */
import * as v from "valibot";
import { randomToken } from "../crypto.ts";
import type { Deps } from "../deps.ts";
import { FLOW_COOKIE_SECONDS } from "../flow/record.ts";
import type { Content, Outcome } from "./content.ts";
import { keepListed, MADE_UNTRUE, result } from "./content.ts";
import type { Needs } from "./sealed.ts";
import { isYoung, openShown, sealShown } from "./sealed.ts";

/** How long a page says what happened. After that, the member's own page says what is true. */
const RESULT_TTL_SECONDS = 600;
/** Results that one browser may have; the oldest makes room. */
const MAX_RESULTS = 3;
/** Opening one costs time. Only an attacker sends more, so the rest is not opened. */
const MAX_OPENED = 8;
/** Each takes a hundred bytes of the head, and some proxies take only 4 KiB. The next answer forgets the others. */
const MAX_FORGOTTEN = 5;
const NAME_BYTES = 12;

/** The results that a browser sent, sealed, by name. It may have sent anything. */
export type ResultRecords = ReadonlyMap<string, string>;

/** A result that was opened. */
export type Result = v.InferOutput<typeof result>;

/** A name for the result of a form that belongs to no flow. */
export const newResultName = (): string => randomToken(NAME_BYTES);

/** How long a browser keeps it. A question stays for as long as its flow's record, so that a late member is told why it went. */
export const keptSeconds = ({ outcome }: Pick<Content, "outcome">): number =>
  outcome === "conflict" ? FLOW_COOKIE_SECONDS : RESULT_TTL_SECONDS;

/** Seals what happened in this request. */
export function sealResult(deps: Needs & Pick<Deps, "requestId">, name: string, given: Content): string {
  return sealShown(deps, placeOf(name), { content: keepListed(given), requestId: deps.requestId });
}

/** The result of this name; undefined if it is not ours, was made for another name, or is too old. */
export function openResult(deps: Needs, name: string, sealed: string): Result | undefined {
  const opened = v.safeParse(result, openShown(deps, placeOf(name), sealed));
  if (!opened.success) return undefined;
  const { content, madeAt } = opened.output;
  return isYoung(deps, madeAt, keptSeconds(content)) ? opened.output : undefined;
}

/** The results that must go when this has happened, those that it makes untrue first; of the others, the oldest. */
export function resultsToForget(
  deps: Needs,
  records: ResultRecords,
  happened: Outcome | "signed_in",
  ownName?: string,
): readonly string[] {
  const untrue: readonly Outcome[] = MADE_UNTRUE[happened];
  const others = [...records]
    .filter(([name]) => name !== ownName)
    .map(([name, sealed], index) => {
      const opened = index < MAX_OPENED ? openResult(deps, name, sealed) : undefined;
      return { name, madeAt: opened?.madeAt ?? 0, outcome: opened?.content.outcome };
    })
    .sort((a, b) => a.madeAt - b.madeAt);
  const isUntrue = ({ outcome }: (typeof others)[number]) =>
    outcome !== undefined && untrue.includes(outcome);
  const left = others.filter((one) => !isUntrue(one));
  const room = ownName === undefined ? MAX_RESULTS : MAX_RESULTS - 1;
  const crowded = left.slice(0, Math.max(0, left.length - room));
  return [...others.filter(isUntrue), ...crowded].slice(0, MAX_FORGOTTEN).map(({ name }) => name);
}

const placeOf = (name: string): string => `result ${name}`;
