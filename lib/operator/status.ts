/**
 * The state of a whole installation on one screen, for who takes it over or looks at it once a month. It counts what the
 * audit lists, so that it stays quick, and it names what needs attention by the audit's own words.
 */
import { version } from "../../package.json" with { type: "json" };
import type { RingKey } from "../crypto.ts";
import { createSealer } from "../crypto.ts";
import { MIGRATIONS } from "../database/migrations.ts";
import type { Queries } from "../database/queries.ts";
import { isReadable } from "../grants/sealing.ts";
import type { ToldStop } from "../sync/stops.ts";
import { listStops } from "../sync/stops.ts";
import { secondsAfter } from "../time.ts";
import { keyIdOf } from "./token_keys.ts";

/** Work that waits: how much is due, how much of it for more than an hour, and since when. */
type Backlog = { readonly due: number; readonly overdue: number; readonly oldest: Date | null };

/** A key that has sealed stored tokens. `active` seals new ones; `missing` is not in TOKEN_KEYS, or is another there. */
export type KeyInUse = {
  readonly id: string;
  readonly state: "active" | "kept" | "missing" | "untold";
};

/** Something that needs the operator. The kinds are those of the audit, and `backup_old`. */
export type Attention = { readonly kind: string; readonly count: number };

/** Everything that the page for who takes over asks for. */
export type Status = {
  readonly version: string;
  /** The last migration that the program has. The database has it too, or there would be no status. */
  readonly schema: number;
  readonly database: { readonly version: string; readonly kib: number };
  /** Each link counts once. */
  readonly links: {
    readonly all: number;
    readonly told: number;
    readonly waiting: number;
    readonly losing: number;
    readonly disconnected: number;
    readonly cleared: number;
  };
  readonly checks: Backlog;
  readonly pushes: Backlog;
  readonly brake: { readonly heldSince: Date | null; readonly held: number };
  readonly stops: readonly ToldStop[];
  readonly keys: readonly KeyInUse[];
  /** Within ENDED_DAYS, and that no sign-in has renewed since. */
  readonly grantsEnded: { readonly discord: number; readonly provider: number };
  readonly backupAt: Date | null;
  /** When the database was last restored from a backup. */
  readonly restoredAt: Date | null;
  /** Empty if all is well. */
  readonly attention: readonly Attention[];
};

type Needs = { readonly queries: Queries; readonly now: () => Date };

const OVERDUE_AFTER_SECONDS = 3_600;
const DAY_SECONDS = 86_400;
/** Grants that ended earlier are no news. */
export const ENDED_DAYS = 7;
/** Who makes backups every week, or more often, is not told of each that is a few hours late. */
const BACKUP_OLD_DAYS = 8;

/** Reads the state, and changes nothing. Without TOKEN_KEYS it cannot tell whether they open the stored tokens. */
export async function readStatus(
  { queries, now }: Needs,
  tokenKeys: readonly RingKey[] | undefined,
): Promise<Status> {
  const at = now();
  const [counts, backup, stops, keys] = await Promise.all([
    queries.countLinkStates({
      overdueBefore: secondsAfter(at, -OVERDUE_AFTER_SECONDS),
      endedSince: secondsAfter(at, -ENDED_DAYS * DAY_SECONDS),
      now: at,
    }),
    queries.findBackup({}),
    listStops({ queries, now }),
    listKeysInUse({ queries }, tokenKeys),
  ]);
  if (counts === undefined || backup === undefined) throw new Error("an aggregate has no row");
  const { told, waiting, losing, disconnected, cleared } = counts;
  const isBackupOld =
    backup.takenAt !== null && backup.takenAt < secondsAfter(at, -BACKUP_OLD_DAYS * DAY_SECONDS);
  return {
    version,
    schema: Math.max(...MIGRATIONS.map((migration) => migration.version)),
    database: { version: backup.databaseVersion, kib: backup.databaseKib },
    links: {
      all: told + waiting + losing + disconnected + cleared,
      told,
      waiting,
      losing,
      disconnected,
      cleared,
    },
    checks: { due: counts.checksDue, overdue: counts.checksOverdue, oldest: counts.oldestCheckDueAt },
    pushes: { due: counts.pushesDue, overdue: counts.pushesOverdue, oldest: counts.oldestPushDueAt },
    brake: { heldSince: counts.heldAt, held: counts.lossesHeld },
    stops,
    keys,
    grantsEnded: { discord: counts.discordGrantsEnded, provider: counts.providerGrantsEnded },
    backupAt: backup.takenAt,
    restoredAt: backup.restoredAt,
    attention: [
      { kind: "check_overdue", count: counts.checksOverdue },
      { kind: "push_overdue", count: counts.pushesOverdue },
      { kind: "loss_overdue", count: counts.lossesOverdue },
      { kind: "losses_held", count: counts.lossesHeld },
      { kind: "key_missing", count: keys.filter(({ state }) => state === "missing").length },
      ...stops.map(({ code }) => ({ kind: code, count: 1 })),
      { kind: "backup_old", count: isBackupOld ? 1 : 0 },
    ].filter(({ count }) => count > 0),
  };
}

/** Remembers that a backup was made now. */
export async function noteBackup({ queries, now }: Needs): Promise<Date> {
  const takenAt = now();
  await queries.upsertBackup({ takenAt });
  return takenAt;
}

/** Every key that has sealed a stored token, tried with one token of each kind. */
async function listKeysInUse(
  { queries }: Pick<Needs, "queries">,
  tokenKeys: readonly RingKey[] | undefined,
): Promise<readonly KeyInUse[]> {
  const samples = await queries.listTokenSamples({});
  const ids = [...new Set(samples.map(keyIdOf))].sort();
  if (tokenKeys === undefined) return ids.map((id) => ({ id, state: "untold" }));
  const tokenSealer = createSealer(tokenKeys, "link tokens");
  const missing = new Set(samples.filter((sample) => !isReadable({ tokenSealer }, sample)).map(keyIdOf));
  const stateOf = (id: string): KeyInUse["state"] => {
    if (missing.has(id)) return "missing";
    return id === tokenKeys[0]?.id ? "active" : "kept";
  };
  return ids.map((id) => ({ id, state: stateOf(id) }));
}
