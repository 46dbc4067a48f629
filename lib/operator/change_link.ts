/** What an operator does to one link, for a command and for a page: to sync it now, and to undo it. The trail keeps who did it. */
import type { WorkDeps } from "../deps.ts";
import type { UnlinkDeps, Unlinked } from "../link/unlink.ts";
import { undoLink } from "../link/unlink.ts";
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
