/**
 * Refreshes the tokens of links before they expire. So an unlink or a push finds a token that works, and if the answer to
 * a refresh is lost, the old access token is still good for a while. How a refresh works is in
 * `discord_grant.ts`.
 *
 * A refresh that gets no answer may have spent its token. So each round sends one, and the others only after Discord has
 * answered it; while no answer comes, there is one refresh after ever longer pauses.
 */
import { asJanusError } from "../errors.ts";
import { describeError } from "../telemetry/log.ts";
import { secondsAfter } from "../time.ts";
import type { ClaimedRefresh, GrantDeps } from "./discord_grant.ts";
import { refresh } from "./discord_grant.ts";
import { endRetryAt } from "./end_retry.ts";
import { isFromEarlier, leaseFrom } from "./refresh_lease.ts";
import type { Round } from "./round.ts";
import { ROUND_LIMIT } from "./round.ts";

/** Discord's access tokens live for a week. A day is longer than most outages. */
const REFRESH_BEFORE_SECONDS = 86_400;

/** Since refreshes got no answer: how often in turn, and until when this process sends none. */
type Pause = { readonly failures: number; readonly until: Date };
const pauses = new WeakMap<GrantDeps["queries"], Pause>();

/** One round: claims the grants of links that expire soon, and refreshes each. */
export async function refreshDueGrants(deps: GrantDeps): Promise<Round> {
  const pause = pauses.get(deps.queries);
  if (pause !== undefined && pause.until > deps.now()) return summariseRound([], false);
  const first = await claimAndRefresh(deps, 1);
  if (first.includes("put_off")) {
    const failures = pause?.failures ?? 0;
    pauses.set(deps.queries, { failures: failures + 1, until: endRetryAt(deps.now(), failures, undefined) });
    return summariseRound(first, false);
  }
  if (first.length === 0) return summariseRound(first, false);
  pauses.delete(deps.queries);
  const others = await claimAndRefresh(deps, ROUND_LIMIT - 1);
  return summariseRound([...first, ...others], others.length === ROUND_LIMIT - 1);
}

/** What a refresh came to. Dead are those that no refresh brings back, or that Discord refuses by themselves. */
type Outcome = "refreshed" | "dead" | "put_off";

/** Failures of a single grant; any other failure may concern all. */
const OWN_FAILURES: readonly string[] = ["token_unreadable", "discord_refused"];

/** What a round reports of its refreshes. */
const summariseRound = (outcomes: readonly Outcome[], isFull: boolean): Round => ({
  claimed: outcomes.length,
  isFull,
  done: outcomes.filter((outcome) => outcome !== "put_off").length,
  metOutage: outcomes.includes("put_off"),
});

async function claimAndRefresh(deps: GrantDeps, limit: number): Promise<readonly Outcome[]> {
  const now = deps.now();
  const due = await deps.queries.claimRefreshDue({
    limit,
    expiresBefore: secondsAfter(now, REFRESH_BEFORE_SECONDS),
    ...leaseFrom(now),
  });
  return Promise.all(
    due.map((grant) => {
      const isUnanswered = isFromEarlier(grant.refreshUnansweredSince, now);
      return tryRefresh(deps, { ...grant, isUnanswered });
    }),
  );
}

async function tryRefresh(deps: GrantDeps, grant: ClaimedRefresh): Promise<Outcome> {
  const { discordUserId } = grant;
  try {
    const { outcome } = await refresh(deps, grant, null);
    if (outcome === "refreshed") return outcome;
    deps.log.warn("grant_not_refreshed", { discordUserId, outcome });
    return "dead";
  } catch (error) {
    // Carrying on is right: it is tried again later, and the next grant has nothing to do with it.
    deps.log.warn("grant_not_refreshed", { discordUserId, outcome: "put_off", ...describeError(error) });
    return OWN_FAILURES.includes(asJanusError(error).code) ? "dead" : "put_off";
  }
}
