/**
 * A file that is whole or not there: it is written beside its name, brought to the disk, and renamed. What a process that
 * was killed has left has another name, and nobody takes it for a backup.
 */
import { existsSync, lstatSync, promises, renameSync, rmSync } from "node:fs";
import { basename, dirname } from "node:path";
import { randomToken } from "../../crypto.ts";
import { backupFailed, JanusError } from "../../errors.ts";
import { describeCause } from "../../telemetry/log.ts";
import { printable } from "../../text/printable.ts";
import type { Sink } from "./own_file.ts";

/** Of its owner alone: the file has names, and tokens that are sealed. */
const MODE = 0o600;
const SUFFIX_BYTES = 6;

/** What a file that is there already means. */
export type Overwriting = { readonly force: boolean };

/** Throws backup_failed where a file has the name, or where no folder takes one. */
export function requireFreeName(path: string, { force }: Overwriting): void {
  if (!existsSync(dirname(path)))
    throw backupFailed(`There is no folder ${printable(dirname(path))}: make it, or name another one.`);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) throw backupFailed(`${printable(path)} is a folder: name a file in it.`);
  if (!force && found !== undefined)
    throw backupFailed(`${printable(path)} exists already. To replace it, add --force.`);
}

/**
 * Has a file written, looks at it with `examine` while it still has another name, and gives it its own. Returns what
 * `examine` found. Throws backup_failed, and then leaves nothing.
 */
export async function writeWholeFile<Found>(
  path: string,
  overwriting: Overwriting,
  write: (sink: Sink) => Promise<unknown>,
  examine: (unfinished: string) => Promise<Found>,
): Promise<Found & { readonly bytes: number }> {
  requireFreeName(path, overwriting);
  const unfinished = `${path}.${randomToken(SUFFIX_BYTES)}.unfinished`;
  try {
    const bytes = await writeSynced(unfinished, write);
    const found = await examine(unfinished);
    requireFreeName(path, overwriting);
    renameSync(unfinished, path);
    await syncFolder(dirname(path));
    return { ...found, bytes };
  } catch (error) {
    rmSync(unfinished, { force: true });
    if (error instanceof JanusError) throw error;
    const { causeCode = "no code" } = describeCause(error);
    throw backupFailed(
      `${printable(basename(path))} cannot be written (${causeCode}): is the disk full?`,
      error,
    );
  }
}

async function writeSynced(path: string, write: (sink: Sink) => Promise<unknown>): Promise<number> {
  const file = await promises.open(path, "wx", MODE);
  let bytes = 0;
  try {
    await write(async (chunk) => {
      await file.writeFile(chunk);
      bytes += chunk.length;
    });
    await file.sync();
  } finally {
    await file.close();
  }
  return bytes;
}

/** Brings the name to the disk as well. */
async function syncFolder(path: string): Promise<void> {
  const folder = await promises.open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
