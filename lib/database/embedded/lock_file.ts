/**
 * One process a folder: the lock of the embedded database, held from before the first read to after the last write.
 *
 * The lock is the kernel's, on `janus.lock`, and not the process id in a file: an id says nothing once it is reused,
 * and in a container every run is process 1. SQLite, which is part of Bun, is here for its file lock alone: taken
 * atomically, dropped by the kernel however the process ends, seen from other containers that share the folder.
 */
import { Database } from "bun:sqlite";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { databaseUnavailable, dataDirLocked } from "../../errors.ts";
import { describeCause } from "../../telemetry/log.ts";

/** A lock that is held. */
type FolderLock = { readonly release: () => void };

/** Keeps the handles from the garbage collector, which would close them, and the lock with them. */
const held = new Set<Database>();

/**
 * Takes the folder's lock, or throws data_dir_locked at once when this or another process has it, and
 * database_unavailable when the folder does not take files. Nobody has to clean up after a process that was killed.
 */
export function lockFolder(folder: string): FolderLock {
  const holder = join(folder, "janus.pid");
  const handle = takeLock(folder, holder);
  held.add(handle);
  // For the reader of a refusal only: it decides nothing.
  writeFileSync(holder, `${process.pid} on ${hostname()}\n`);
  return {
    release: () => {
      if (!held.delete(handle)) return;
      rmSync(holder, { force: true });
      // The lock file itself stays: deleting it would let two starters lock two files of one name.
      handle.close();
    },
  };
}

function takeLock(folder: string, holder: string): Database {
  let handle: Database | undefined;
  try {
    handle = new Database(join(folder, "janus.lock"), { create: true, readwrite: true });
    handle.run("pragma journal_mode = memory");
    handle.run("begin exclusive");
    return handle;
  } catch (error) {
    handle?.close();
    if (error instanceof Error && "code" in error && error.code === "SQLITE_BUSY") {
      throw dataDirLocked(
        `The folder ${folder} is in use by process ${readHolder(holder)}. The embedded database allows one process at ` +
          "a time: stop that one first, or give this one another folder in DATA_DIR, or a PostgreSQL in DATABASE_URL.",
        error,
      );
    }
    const { causeCode = "no code" } = describeCause(error);
    throw databaseUnavailable(`the lock file in ${folder} cannot be opened (${causeCode})`, error);
  }
}

function readHolder(holder: string): string {
  try {
    return readFileSync(holder, "utf8").trim();
  } catch {
    // The holder has not written its id yet, or we may not read the file. The folder is in use either way.
    return "(unknown)";
  }
}
