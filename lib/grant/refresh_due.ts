/**
 * Refreshing the tokens of links before they expire, so that an unlink or a push finds a token that works, and an answer
 * that is lost on the way costs nothing yet. How a refresh works is in `grant.ts`.
 */
import { describeError } from "../log.ts";
import type { Round } from "../upkeep/round.ts";
import { roundOf } from "../upkeep/round.ts";
import type { ClaimedRefresh, GrantDeps } from "./grant.ts";
import { claimedAt, LEASE_SECONDS, refresh, secondsAfter } from "./grant.ts";

/** Discord's access tokens live for a week: what is refreshed a day early survives an outage of hours. */
const REFRESH_BEFORE_SECONDS = 86_400;
const BATCH = 20;

/** One round: claims the grants of links that expire soon, and refreshes each. */
export async function refreshDueGrants(deps: GrantDeps): Promise<Round> {
  const now = deps.now();
  const due = await deps.queries.claimRefreshDue({
    limit: BATCH,
    expiresBefore: secondsAfter(now, REFRESH_BEFORE_SECONDS),
    leasedUntil: secondsAfter(now, LEASE_SECONDS),
    now,
  });
  const refreshed = await Promise.all(
    due.map((grant) => tryRefresh(deps, { ...grant, ...claimedAt(grant.refreshUnansweredSince, now) })),
  );
  return roundOf(BATCH, due.length, refreshed.filter(Boolean).length);
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
