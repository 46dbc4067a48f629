/**
 * Pushes that Discord took, on their way into the database: many by one statement. Called by `deps.ts`, which collects
 * them, for `sync.ts`, which makes them.
 */
import type { Log } from "./log.ts";
import { describeError } from "./log.ts";
import type { RoleConnection } from "./metadata.ts";
import type { Queries } from "./queries/queries.ts";

/** A push that Discord took. */
export type DonePush = {
  readonly discordUserId: string;
  /** Until when no other process pushes the link. */
  readonly leasedUntil: Date;
  readonly requestId: string | null;
  readonly pushedMetadata: RoleConnection["metadata"];
  readonly pushedAt: Date;
};

/** Records pushes that Discord took. What cannot be written down is pushed again when its lease has run out. */
export async function recordPushes(
  { queries, log }: { readonly queries: Queries; readonly log: Log },
  pushes: readonly DonePush[],
): Promise<void> {
  const rows = pushes.map((push) => ({
    discord_user_id: push.discordUserId,
    leased_until: push.leasedUntil.toISOString(),
    pushed_metadata: push.pushedMetadata,
    pushed_at: push.pushedAt.toISOString(),
    request_id: push.requestId,
  }));
  try {
    await queries.setPushed({ pushes: rows });
  } catch (error) {
    log.warn("pushes not recorded", { count: rows.length, ...describeError(error) });
  }
}
