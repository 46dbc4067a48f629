/** What an operator does to one link, for a command and for a page: to sync it now, and to undo it. The trail keeps who did it. */
import type { Deps, WorkDeps } from "../deps.ts";
import { asJanusError } from "../errors.ts";
import type { UnlinkDeps, Unlinked } from "../link/unlink.ts";
import { undoLink } from "../link/unlink.ts";
import type { Synced } from "../sync/sync_now.ts";
import { syncNow } from "../sync/sync_now.ts";
import type { SyncResult, SyncScope } from "./sync_run.ts";
import { runSync } from "./sync_run.ts";

/** Undoes a link as its member would: the role connection is cleared, and both grants end. Throws not_linked. */
export function unlinkMember(
  deps: UnlinkDeps,
  { discordUserId, operator, reason }: Unlinking,
): Promise<Unlinked> {
  return undoLink(deps, discordUserId, { operator, detail: reason === undefined ? null : { reason } });
}

type Unlinking = {
  readonly discordUserId: string;
  readonly operator: string;
  /** For the trail, which the member can read. */
  readonly reason: string | undefined;
};

type Waiting = Parameters<typeof runSync>[2];

/** Syncs links because an operator asks for it. A run over what is due anyway leaves nothing in the trail. */
export async function syncAsked(
  deps: WorkDeps,
  { scope, operator }: { readonly scope: SyncScope; readonly operator: string },
  waiting: Waiting,
): Promise<SyncResult> {
  if (scope.kind !== "due")
    await deps.queries.insertOperatorEvent({
      action: "sync_asked",
      discordUserId: scope.kind === "member" ? scope.discordUserId : null,
      operator,
      detail: { scope: scope.kind },
      now: deps.now(),
    });
  return runSync(deps, scope, waiting);
}

/**
 * Syncs one link within the time of a request, as its member's own request does, at most once a minute. Throws what `syncNow`
 * throws. A sync that did not begin is not in the trail.
 */
export async function syncWithinRequest(
  deps: Deps,
  { discordUserId, operator }: Omit<Unlinking, "reason">,
): Promise<Synced> {
  let hasBegun = true;
  try {
    return await syncNow(deps, { discordUserId });
  } catch (error) {
    hasBegun = !NOT_BEGUN.includes(asJanusError(error).code);
    throw error;
  } finally {
    if (hasBegun)
      await deps.queries.insertOperatorEvent({
        action: "sync_asked",
        discordUserId,
        operator,
        detail: { scope: "member" },
        now: deps.now(),
      });
  }
}

const NOT_BEGUN: readonly string[] = ["not_linked", "banned", "sync_too_soon"];
