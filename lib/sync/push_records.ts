/**
 * The record of a push that Discord took. An answer that tells of a push leaves only when the record is stored, because
 * the member's next request may reach another process. Making the push is in `../sync.ts`.
 */
import type { Log } from "../log.ts";
import { describeError } from "../log.ts";
import type { RoleConnection } from "../metadata.ts";
import type { Queries } from "../queries/queries.ts";

/** A push that Discord took. */
export type DonePush = {
  readonly discordUserId: string;
  /** Until when no other process pushes the link. */
  readonly leasedUntil: Date;
  readonly requestId: string | null;
  readonly pushedMetadata: RoleConnection["metadata"];
  readonly pushedAt: Date;
};

/** Settles when the push is recorded, or when recording it has failed, which is logged. Never rejects. */
export type RecordPush = (push: DonePush) => Promise<void>;

type Needs = { readonly queries: Pick<Queries, "setPushed">; readonly log: Log };

/**
 * Records pushes with one statement at a time: at once where none is under way. Those that come meanwhile go together in
 * the next one, so many pushes at the same moment cost two statements.
 */
export function createPushRecorder(needs: Needs): RecordPush {
  let waiting: DonePush[] = [];
  let last = Promise.resolve();
  /** The record of those who wait; undefined where nobody waits. */
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
    log.warn("pushes not recorded", { count: rows.length, ...describeError(error) });
  }
}
