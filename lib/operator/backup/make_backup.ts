/**
 * How a backup is made: by pg_dump where the database is a PostgreSQL, and in Janus's own form of the embedded database or
 * where the operator wants it. A file is read to its end before it gets its name. docs/decisions/0051
 */
import type { DatabaseAddress } from "../../config/database_address.ts";
import { beginReading, readMigrationStatus } from "../../database/migrations.ts";
import type { Database } from "../../database/open.ts";
import type { Program } from "../../database/pg_programs.ts";
import { findProgram, runProgram, withProgramEnvironment } from "../../database/pg_programs.ts";
import { createQueries } from "../../database/queries.ts";
import type { OnRows } from "../../database/rows.ts";
import { readRows } from "../../database/rows.ts";
import { backupFailed, databaseNotMigrated } from "../../errors.ts";
import type { Overwriting } from "../new_file.ts";
import type { OpenBackup, Reading } from "./open_backup.ts";
import { openBackup } from "./open_backup.ts";
import type { Sink } from "./own_file.ts";
import { writeOwnFile } from "./own_file.ts";
import { writeWholeFile } from "./whole_file.ts";

/** Writes a backup, and says nothing of what it wrote. */
export type WriteBackup = (sink: Sink) => Promise<unknown>;

/** A backup in a file. */
export type MadeBackup = OpenBackup & { readonly bytes: number };

/** Writes to a file, which has its name only once it was read to its end. Throws usage, backup_failed. */
export const makeBackupFile = (
  path: string,
  overwriting: Overwriting,
  write: WriteBackup,
  reading: Reading,
): Promise<MadeBackup> =>
  writeWholeFile(path, overwriting, write, (unfinished) => openBackup(unfinished, reading));

/** Writes one state of the database in Janus's own form. `onTotal` hears how many rows it has. */
export const ownBackupOf =
  (
    db: Database,
    {
      now,
      onTotal,
      onRows,
      stop,
    }: {
      readonly now: () => Date;
      readonly onTotal: (rows: number) => void;
      readonly onRows: OnRows;
      readonly stop: AbortSignal;
    },
  ): WriteBackup =>
  (sink) =>
    db.transaction(async (query) => {
      await beginReading(query);
      const source = await readRows(query);
      onTotal(source.rows);
      return writeOwnFile(source, now(), sink, (rows) => {
        if (stop.aborted) throw backupFailed("stopped before the end");
        return onRows(rows);
      });
    });

const VERSION_STEP = 10_000;

/** What is to be written. Without a program, it is written in Janus's own form. */
export type DumpPlan<Found = Program> = {
  readonly program: Found;
  readonly schema: string;
  /** How many tables it writes. */
  readonly tables: number;
};

/**
 * Looks at the database, and finds the pg_dump for it, which must be as new as its server. Without `programs` none is looked
 * for. Throws backup_failed, database_not_migrated.
 */
export async function planDump(
  db: Database,
  programs: string | undefined,
): Promise<DumpPlan<Program | undefined>> {
  const queries = createQueries(db);
  const { applied } = await readMigrationStatus(db);
  if (applied.length === 0) throw databaseNotMigrated("the database has no table of Janus yet");
  const [found, tables] = await Promise.all([queries.findSchema({}), queries.listTables({})]);
  if (found === undefined) throw new Error("an aggregate has no row");
  const major = Math.floor(found.serverVersion / VERSION_STEP);
  const program = programs === undefined ? undefined : await findProgram("pg_dump", programs, major);
  return { program, schema: found.schemaName, tables: tables.length + 1 };
}

/** Has pg_dump write the schema that Janus uses. `onTables` hears how many tables it has begun. */
export const dumpOf =
  (
    address: DatabaseAddress,
    { program, schema }: DumpPlan,
    {
      onTables,
      stop,
      environment,
    }: {
      readonly onTables: (tables: number) => void;
      readonly stop: AbortSignal;
      /** Where variables are that the driver, too, takes for what the address lacks. */
      readonly environment: Readonly<Record<string, string | undefined>>;
    },
  ): WriteBackup =>
  (sink) =>
    withProgramEnvironment(address, program, async (led) => {
      const onSaid = (text: string): void => onTables(text.split("dumping contents of table").length - 1);
      const args = [...ARGUMENTS, ...(schema === "public" ? [] : [`--schema="${schema}"`])];
      for await (const chunk of runProgram({
        program,
        args,
        environment: { ...pickDefaults(environment), ...led },
        stop,
        onSaid,
      }))
        await sink(chunk);
    });

const ARGUMENTS = ["--format=custom", "--no-password", "--verbose", "--lock-wait-timeout=60s"];

/** What the driver takes from the environment where the address has no server, user, database or password. */
const DEFAULTS = ["PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD"];

const pickDefaults = (environment: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(
    DEFAULTS.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
