/**
 * Links of banned members. No flow makes one; but a link may be older than its ban, or the process that stored the ban may
 * have died before it ended the link. So upkeep looks for them in every round.
 */
import type { WorkDeps } from "../deps.ts";
import type { Round } from "../grants/round.ts";
import { ROUND_LIMIT, roundOf } from "../grants/round.ts";
import { describeError } from "../telemetry/log.ts";
import type { EndDeps, Unlinked } from "./unlink.ts";
import { undo } from "./unlink.ts";

/** Of whom the trail knows by the row of the ban. */
const BY_NOBODY = { operator: null, detail: null };

/**
 * Ends up to a limit of them here, and asks no other server: the grants are due to end, which other duties of upkeep do. So
 * an outage of either server leaves no link.
 */
export async function endBannedLinks(deps: Pick<WorkDeps, "queries" | "now" | "log">): Promise<Round> {
  const now = deps.now();
  const links = await deps.queries.listBannedLinks({ now, limit: ROUND_LIMIT });
  let done = 0;
  for (const { discordUserId } of links) {
    try {
      // A lease until now is none, so the grants can be ended at once.
      const values = {
        discordUserId,
        requestId: null,
        now,
        leasedUntil: now,
        onlyBanned: true,
        ...BY_NOBODY,
      };
      const outcome = (await deps.queries.unlink(values)) === undefined ? "kept" : "unlinked";
      deps.log.info("flow_step", { step: "end_banned_links", outcome, discordUserId });
      done += 1;
    } catch (error) {
      // Carrying on is right: this one is found again in the next round, and the next has nothing to do with it.
      deps.log.warn("grants_not_ended", describeError(error));
    }
  }
  return roundOf(links.length, done);
}

/** Links that were ended, and told to both servers as an unlink is. */
export type EndedLink = Pick<Unlinked, "discordUserId" | "discordTold" | "roleMayStay">;

/** Ends all of them now, and tells both servers. What a server does not take, upkeep repeats. Throws what a query throws. */
export async function endBannedLinksNow(
  deps: EndDeps,
  requestId: string | null,
): Promise<readonly EndedLink[]> {
  const ended: EndedLink[] = [];
  for (;;) {
    const links = await deps.queries.listBannedLinks({ now: deps.now(), limit: ROUND_LIMIT });
    const undone = await Promise.all(
      links.map(({ discordUserId }) => undo(deps, { discordUserId, requestId, onlyBanned: true })),
    );
    const found = undone.filter((unlinked) => unlinked !== undefined);
    ended.push(...found);
    // Another process may be at the same links.
    if (found.length < ROUND_LIMIT) return ended;
  }
}
