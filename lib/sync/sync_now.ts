/**
 * A push that a member asks for.
 *
 *   POST /api/link/sync     syncNow
 */
import { notLinked, syncTooSoon } from "../errors.ts";
import { secondsAfter } from "../time.ts";
import type { Needs } from "./push.ts";
import { PUSH_LEASE_SECONDS, pushLink } from "./push.ts";

const SYNC_EVERY_SECONDS = 60;

/**
 * Pushes the member's link now, at most once a minute for each member. Throws not_linked, sync_too_soon, and what keeps
 * Discord from taking it: the push is due again then.
 */
export async function syncNow(
  deps: Needs,
  { discordUserId }: { readonly discordUserId: string },
): Promise<void> {
  const now = deps.now();
  const leasedUntil = secondsAfter(now, PUSH_LEASE_SECONDS);
  const askedBefore = secondsAfter(now, -SYNC_EVERY_SECONDS);
  const row = await deps.queries.claimSync({ discordUserId, askedBefore, leasedUntil, now });
  if (row === undefined) throw notLinked();
  if (!row.isClaimed) {
    const next = secondsAfter(row.syncAskedAt ?? now, SYNC_EVERY_SECONDS);
    throw syncTooSoon(Math.max(1, Math.ceil((next.getTime() - now.getTime()) / 1_000)));
  }
  const { failure } = await pushLink(deps, { ...row, leasedUntil });
  if (failure !== undefined) throw failure;
}
