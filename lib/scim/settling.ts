/**
 * Making the members of a group due for a check, page by page, after the group became known, got another name or was
 * deleted. The group itself remembers how far that has come, so upkeep finishes it if the process dies.
 */
import type { WorkDeps } from "../deps.ts";
import type { Round } from "../grants/round.ts";
import { roundOf } from "../grants/round.ts";
import { secondsAfter } from "../time.ts";
import { PAGE_MEMBERS, settingsOf } from "./settings.ts";

type Needs = Pick<WorkDeps, "config" | "queries" | "now" | "requestId">;

/** How many groups a round of upkeep settles. */
const ROUND_GROUPS = 20;
/** Longer than it takes to write the members of any group. */
const BEGUN_SECONDS = 3_600;

/** Settles a group. Returns how many links became due. Throws what a query throws. */
export async function settleGroup(deps: Needs, scimGroupId: string): Promise<number> {
  let rechecked = 0;
  for (;;) {
    const row = await deps.queries.setScimGroupSettled({
      scimGroupId,
      ...settingsOf(deps),
      requestId: deps.requestId,
      limit: PAGE_MEMBERS,
      now: deps.now(),
    });
    rechecked += row?.rechecked ?? 0;
    // Without a row another process is at it, or nothing is left.
    if (row === undefined || row.isSettled) return rechecked;
  }
}

/** One round of upkeep: settles what a process has left. */
export async function settleGroups(deps: WorkDeps): Promise<Round> {
  if (deps.config.scim === undefined) return roundOf(0, 0);
  const begunBefore = secondsAfter(deps.now(), -BEGUN_SECONDS);
  const left = await deps.queries.listUnsettledGroups({ begunBefore, limit: ROUND_GROUPS });
  let rechecked = 0;
  for (const { scimGroupId } of left) rechecked += await settleGroup(deps, scimGroupId);
  if (rechecked > 0) deps.alarm.ring();
  return roundOf(left.length, left.length);
}
