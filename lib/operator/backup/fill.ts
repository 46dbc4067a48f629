/**
 * How an empty database is filled: from a backup, or from another database. One transaction does everything, the migrations,
 * the rows, their comparison and what the database needs after that. So whatever ends it half-way, the database is empty as
 * before. docs/decisions/0051
 */
import { beginMigrating, beginReading, migrateRest, requireMigrated } from "../../database/migrations.ts";
import type { Database } from "../../database/open.ts";
import type { Queries } from "../../database/queries.ts";
import { createQueries } from "../../database/queries.ts";
import type { OnRows, RowSource, Stored } from "../../database/rows.ts";
import { readRows, storeRows } from "../../database/rows.ts";
import type { Query } from "../../database/run.ts";
import { backupFailed, databaseNotEmpty } from "../../errors.ts";

/** Who asks for it, and who hears how far it is. */
export type Filling = {
  readonly now: () => Date;
  readonly operator: string;
  readonly onRows: OnRows;
  /** Ends it before the next page, and nothing is stored. */
  readonly stop: AbortSignal;
};

/** What a restore came to. */
export type Restored = Stored & {
  /** Links that are to be checked, and sessions that have ended. */
  readonly links: number;
  readonly sessions: number;
};

/** A backup that is whole. `takenAt` is a time as the file has it. */
export type WholeBackup = { readonly source: RowSource; readonly takenAt: string };

/** Throws database_not_empty. It looks before anybody is asked; the transaction looks again. */
export async function requireEmpty(query: Query): Promise<void> {
  const found = await createQueries({ query }).findSchema({});
  if (found?.isEmpty === true) return;
  throw databaseNotEmpty(
    "The database has tables already, and Janus fills only an empty one. Make a new database, or a new folder for DATA_DIR.",
  );
}

/**
 * Restores a backup into an empty database, and gives it what a restored database needs. Every link is checked within
 * `spreadSeconds`. Throws database_not_empty, backup_unreadable, database_newer, migration_edited.
 */
export function restoreBackup(
  db: Database,
  { source, takenAt }: WholeBackup,
  spreadSeconds: number,
  filling: Filling,
): Promise<Restored> {
  const { now, operator } = filling;
  return fill(db, source, filling, async (queries, stored) => {
    const settled = await queries.setRestored({ spreadSeconds, now: now() });
    await queries.insertOperatorEvent({
      action: "database_restored",
      discordUserId: null,
      operator,
      detail: { taken_at: takenAt, rows: stored.rows },
      now: now(),
    });
    return { ...stored, links: settled?.links ?? 0, sessions: settled?.sessions ?? 0 };
  });
}

/**
 * Copies all of a database, which nobody else may use, into an empty one. `onTotal` hears how many rows it has. Throws as
 * `restoreBackup`.
 */
export async function moveDatabase(
  from: Database,
  to: Database,
  filling: Filling,
  onTotal: (rows: number) => void,
): Promise<Stored> {
  const { now, operator } = filling;
  return from.transaction(async (query) => {
    await beginReading(query);
    const source = await readRows(query);
    onTotal(source.rows);
    return fill(to, source, filling, async (queries, stored) => {
      await queries.insertOperatorEvent({
        action: "database_moved",
        discordUserId: null,
        operator,
        detail: { rows: stored.rows },
        now: now(),
      });
      return stored;
    });
  });
}

async function fill<Result>(
  db: Database,
  source: RowSource,
  { now, onRows, stop }: Filling,
  finish: (queries: Queries, stored: Stored) => Promise<Result>,
): Promise<Result> {
  const result = await db.transaction(async (query) => {
    await beginMigrating(query);
    await requireEmpty(query);
    const stored = await storeRows(query, source, (rows) => {
      if (stop.aborted) throw backupFailed("stopped before the end: nothing was stored");
      return onRows(rows);
    });
    await migrateRest(query, now);
    return finish(createQueries({ query }), stored);
  });
  await requireMigrated(db);
  return result;
}
