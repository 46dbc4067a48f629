/**
 * Refreshes the tokens of links before they expire. So an unlink or a push finds a token that works, and if the answer to
 * a refresh is lost, the old access token is still good for a while. How a refresh works is in `grant.ts`.
 */
import { describeError } from "../log.ts";
import type { Round } from "../upkeep/round.ts";
import { ROUND_LIMIT, roundOf } from "../upkeep/round.ts";
import type { ClaimedRefresh, GrantDeps } from "./grant.ts";
import { claimedAt, LEASE_SECONDS, refresh, secondsAfter } from "./grant.ts";

/** Discord's access tokens live for a week. A day is longer than most outages. */
const REFRESH_BEFORE_SECONDS = 86_400;

/** One round: claims the grants of links that expire soon, and refreshes each. */
export async function refreshDueGrants(deps: GrantDeps): Promise<Round> {
  const now = deps.now();
  const due = await deps.queries.claimRefreshDue({
    limit: ROUND_LIMIT,
    expiresBefore: secondsAfter(now, REFRESH_BEFORE_SECONDS),
    leasedUntil: secondsAfter(now, LEASE_SECONDS),
    now,
  });
  const refreshed = await Promise.all(
    due.map((grant) => tryRefresh(deps, { ...grant, ...claimedAt(grant.refreshUnansweredSince, now) })),
  );
  return roundOf(due.length, refreshed.filter(Boolean).length);
}

async function tryRefresh(deps: GrantDeps, grant: ClaimedRefresh): Promise<boolean> {
  const { discordUserId } = grant;
  try {
    const { outcome } = await refresh(deps, grant, null);
    if (outcome !== "refreshed") deps.log.warn("grant not refreshed", { discordUserId, outcome });
    return outcome === "refreshed";
  } catch (error) {
    // Carrying on is right: it is tried again later, and the next grant has nothing to do with it.
    deps.log.warn("grant not refreshed", { discordUserId, outcome: "put off", ...describeError(error) });
    return false;
  }
}
