/** Which of the two forms a file has, whether it is whole, and whether this program knows the migrations in it. */
import { promises } from "node:fs";
import { requireKnown } from "../../database/migrations.ts";
import { findProgram } from "../../database/pg_programs.ts";
import { backupUnreadable, usage } from "../../errors.ts";
import { describeCause } from "../../telemetry/log.ts";
import { printable } from "../../text/printable.ts";
import { describeUnreadable } from "../../text/unreadable_file.ts";
import { DUMP_MAGIC, examineDump } from "./dump_file.ts";
import type { WholeBackup } from "./fill.ts";
import { examineOwnFile, OWN_MAGIC, ownFileSource } from "./own_file.ts";

const MOST_ECHOED = 200;

/** A backup that is whole, and what is in it. */
export type OpenBackup = WholeBackup & {
  readonly form: "janus" | "pg_dump";
  readonly rows: number;
  readonly tables: number;
  /** The last migration that was applied to the database that it was made of. */
  readonly schema: number;
};

/** What reading needs: where programs are, and what stops it. */
export type Reading = { readonly programs: string; readonly stop: AbortSignal };

/** Reads the file to its end, and stores nothing. Throws usage if there is none, backup_unreadable, database_newer, migration_edited. */
export async function openBackup(path: string, { programs, stop }: Reading): Promise<OpenBackup> {
  const opened = await examine(path, programs, stop);
  const { applied } = opened.source;
  requireKnown(applied);
  return { ...opened, schema: Math.max(0, ...applied.map(({ version }) => version)) };
}

async function examine(
  path: string,
  programs: string,
  stop: AbortSignal,
): Promise<Omit<OpenBackup, "schema">> {
  const first = await readBeginning(path);
  if (OWN_MAGIC.every((byte, index) => first[index] === byte)) {
    const { takenAt, rows, tables, ...head } = await examineOwnFile(path);
    const source = ownFileSource(path, { takenAt, ...head });
    return { form: "janus", takenAt: takenAt.toISOString(), rows, tables, source };
  }
  if (DUMP_MAGIC.every((byte, index) => first[index] === byte)) {
    const program = await findProgram("pg_restore", programs, 1);
    return { form: "pg_dump", ...(await examineDump({ path, program, stop })) };
  }
  throw backupUnreadable(
    "The file is no backup: it is neither of janus backup nor of pg_dump --format=custom. Name another one.",
  );
}

async function readBeginning(path: string): Promise<Uint8Array> {
  try {
    const file = await promises.open(path, "r");
    try {
      const { buffer } = await file.read(Buffer.alloc(DUMP_MAGIC.length));
      return buffer;
    } finally {
      await file.close();
    }
  } catch (error) {
    throw usage(describeUnreadable(printable(path, MOST_ECHOED), describeCause(error).causeCode), error);
  }
}
