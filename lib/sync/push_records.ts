/**
 * Records pushes that Discord took. Janus tells a member of a push only when its record is stored, because the member's next
 * request may reach another process. The push itself is in `../sync.ts`.
 */

import type { Queries } from "../database/queries.ts";
import type { RoleConnection } from "../rules/role_connection.ts";
import type { Log } from "../telemetry/log.ts";
import { describeError } from "../telemetry/log.ts";

/** A push that Discord took. */
export type DonePush = {
  readonly discordUserId: string;
  /** Until when no other process pushes the link. */
  readonly leasedUntil: Date;
  readonly requestId: string | null;
  readonly pushedMetadata: RoleConnection["metadata"];
  readonly pushedAt: Date;
};

/** Settles when the push is recorded, or when that has failed and the log says so. Never rejects. */
export type RecordPush = (push: DonePush) => Promise<void>;

type Needs = { readonly queries: Pick<Queries, "setPushed">; readonly log: Log };

/**
 * Records pushes with one statement at a time. Pushes that come while one is under way go together in the next one, so a
 * burst costs two statements.
 */
export function createPushRecorder(needs: Needs): RecordPush {
  let waiting: DonePush[] = [];
  let last = Promise.resolve();
  /** The record of the pushes that wait; undefined if none does. */
  let next: Promise<void> | undefined;

  const send = (): Promise<void> => {
    const pushes = waiting;
    waiting = [];
    next = undefined;
    return record(needs, pushes);
  };

  return (push) => {
    waiting.push(push);
    if (next === undefined) {
      next = last.then(send);
      last = next;
    }
    return next;
  };
}

/** A push that cannot be recorded is made again when its lease has run out. */
async function record({ queries, log }: Needs, pushes: readonly DonePush[]): Promise<void> {
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
    log.warn("pushes_not_recorded", { count: rows.length, ...describeError(error) });
  }
}
