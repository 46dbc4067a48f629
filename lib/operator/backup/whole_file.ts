/**
 * A backup in a file: it is written and read to its end before it has its name. `operator/new_file.ts` says what that keeps
 * from being lost.
 */
import { basename } from "node:path";
import { backupFailed, JanusError } from "../../errors.ts";
import { describeCause } from "../../telemetry/log.ts";
import { printable } from "../../text/printable.ts";
import type { NewFile, Overwriting } from "../new_file.ts";
import { openNewFile } from "../new_file.ts";
import type { Sink } from "./own_file.ts";

/**
 * Has a file written, looks at it with `examine` while it still has another name, and gives it its own. Returns what
 * `examine` found. Throws usage for a name that it cannot have, and else backup_failed; then it leaves nothing.
 */
export async function writeWholeFile<Found>(
  path: string,
  overwriting: Overwriting,
  write: (sink: Sink) => Promise<unknown>,
  examine: (unfinished: string) => Promise<Found>,
): Promise<Found & { readonly bytes: number }> {
  const file = await openNewFile(path, overwriting);
  try {
    const bytes = await writeCounted(file, write);
    await file.finish();
    const found = await examine(file.unfinished);
    await file.name();
    return { ...found, bytes };
  } catch (error) {
    await file.discard();
    if (error instanceof JanusError) throw error;
    const { causeCode = "no code" } = describeCause(error);
    throw backupFailed(
      `${printable(basename(path))} cannot be written (${causeCode}): is the disk full?`,
      error,
    );
  }
}

async function writeCounted(file: NewFile, write: (sink: Sink) => Promise<unknown>): Promise<number> {
  let bytes = 0;
  await write(async (chunk) => {
    await file.write(chunk);
    bytes += chunk.length;
  });
  return bytes;
}
