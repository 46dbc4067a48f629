/**
 * Which links are checked, and when: those that are due, in rounds, or one member's at once.
 *
 * While the provider gives no answer, each round tries one link, after ever longer pauses: a refresh without an answer may
 * have spent its token.
 */
import type { ErrorCode } from "../error_codes.ts";
import { endRetryAt } from "../grants/end_retry.ts";
import { isPutOff } from "../grants/refresh_wait.ts";
import type { Round } from "../grants/round.ts";
import { ROUND_LIMIT } from "../grants/round.ts";
import type { Checked, CheckNeeds } from "./check.ts";
import { claimAndCheck } from "./check.ts";

/** Failures of a single link; any other failure may concern all links. */
const OWN_FAILURES: readonly ErrorCode[] = [
  "access_token_refused",
  "grant_ended",
  "id_token_refused",
  "refresh_refused",
  "token_unreadable",
  "userinfo_refused",
];

/** Since the provider gave no answer: how often in turn, and until when this process asks nothing. */
type Pause = { readonly failures: number; readonly until: Date };
const pauses = new WeakMap<CheckNeeds["queries"], Pause>();

/** A slow provider is asked of few links in a round: their leases must not run out while calls wait for their turn. */
const SECONDS_OF_LINKS = 5;

/** How many links a round checks at most. */
const limitOf = ({ config }: Pick<CheckNeeds, "config">): number =>
  Math.min(ROUND_LIMIT, config.sync.providerPerSecond * SECONDS_OF_LINKS);

/** One round: claims links that are due, and checks each. A link whose token waits is done with until that time. */
export async function checkDueLinks(deps: CheckNeeds): Promise<Round> {
  const checks = await checkRound(deps);
  const round = roundOfChecks(deps, checks);
  return { ...round, done: round.done + checks.filter(({ failure }) => isPutOff(failure)).length };
}

/** What a round of checks reports. */
export const roundOfChecks = (deps: Pick<CheckNeeds, "config">, checks: readonly Checked[]): Round => ({
  claimed: checks.length,
  isFull: checks.length >= limitOf(deps),
  done: checks.filter(({ outcome }) => outcome !== "failed").length,
  metOutage: checks.some(isOutage),
});

/** The checks of one round; none while this process makes a pause. */
export async function checkRound(deps: CheckNeeds): Promise<readonly Checked[]> {
  if (isPaused(deps)) return [];
  const first = await checkFirst(deps);
  const isAnswered = first.some((check) => !isPutOff(check.failure) && !isOutage(check));
  const left = limitOf(deps) - first.length;
  const checks = isAnswered && left > 0 ? [...first, ...(await claimAndCheck(deps, left))] : first;
  pauseAfter(deps, checks);
  return checks;
}

/** Checks links one by one, until the provider was asked: a token that waits says nothing of an outage. */
async function checkFirst(deps: CheckNeeds): Promise<readonly Checked[]> {
  const checks: Checked[] = [];
  while (checks.length < limitOf(deps)) {
    const [check] = await claimAndCheck(deps, 1);
    if (check === undefined) return checks;
    checks.push(check);
    if (!isPutOff(check.failure)) return checks;
  }
  return checks;
}

const isPaused = ({ queries, now }: CheckNeeds): boolean => (pauses.get(queries)?.until ?? now()) > now();

/** Makes a pause, or a longer one, if the provider gave no answer. */
function pauseAfter({ queries, now }: CheckNeeds, checks: readonly Checked[]): void {
  if (checks.length > 0 && checks.every(({ failure }) => isPutOff(failure))) return;
  const outages = checks.filter(isOutage);
  if (outages.length === 0) {
    pauses.delete(queries);
    return;
  }
  const failures = pauses.get(queries)?.failures ?? 0;
  // What the provider asks one link to wait, it asks of all: its limits know no member.
  const ends = outages.map(({ failure }) => endRetryAt(now(), failures, failure).getTime());
  pauses.set(queries, { failures: failures + 1, until: new Date(Math.max(...ends)) });
}

/** Checks one link, due or not; undefined if there is none, or if another process checks it. */
export async function checkMember(deps: CheckNeeds, discordUserId: string): Promise<Checked | undefined> {
  const now = deps.now();
  const due = await deps.queries.setCheckDue({ discordUserId, checkDueAt: BEFORE_ALL, now });
  if (due === undefined) return undefined;
  const [checked] = await claimAndCheck(deps, 1);
  // Another process may have taken it in between. Then this one has checked the next.
  return checked?.discordUserId === discordUserId ? checked : undefined;
}

/** The same for a member who waits. In a pause it asks nothing: in an outage each try could cost a refresh token. */
export async function checkMemberNow(
  deps: CheckNeeds,
  discordUserId: string,
): Promise<Checked | "silent" | "elsewhere"> {
  if (isPaused(deps)) return "silent";
  const checked = await checkMember(deps, discordUserId);
  if (checked === undefined) return "elsewhere";
  pauseAfter(deps, [checked]);
  return checked;
}

/** No link is due as long as this: the next claim takes it. */
const BEFORE_ALL = new Date(0);

/** Whether the provider, or the database, gave no answer. */
export const isOutage = ({ failure }: Pick<Checked, "failure">): boolean =>
  failure !== undefined && !isPutOff(failure) && !OWN_FAILURES.includes(failure.code);
