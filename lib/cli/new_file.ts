/**
 * A file that a command writes in parts. It has its name only once it is whole, so that nobody takes what a killed command
 * has left for all of it. It overwrites nothing.
 */
import { promises as files } from "node:fs";
import { dirname } from "node:path";
import { usage } from "../errors.ts";
import { describeCause } from "../telemetry/log.ts";
import { printable } from "../text/printable.ts";

const MOST_ECHOED = 200;
/** Nobody but who runs the command reads a file with names of members. */
const FILE_MODE = 0o600;

/** Where a long result goes. `write` is false when nobody reads any more. */
export type Sink = {
  readonly write: (text: string) => Promise<boolean>;
  readonly close: () => Promise<void>;
  /** Leaves nothing of it behind. */
  readonly discard: () => Promise<void>;
};

/** Opens a new file. Throws usage if there is one, or if it cannot be made; so does `close`. */
export async function openNewFile(file: string): Promise<Sink> {
  const part = `${file}.part`;
  await requireNone(file);
  const handle = await files.open(part, "wx", FILE_MODE).catch((error) => refuse(part, error));
  return {
    write: async (text) => {
      await handle.writeFile(text);
      return true;
    },
    close: async () => {
      await handle.sync();
      await requireNone(file);
      await files.rename(part, file);
      await handle.close();
    },
    discard: async () => {
      await handle.close();
      await files.rm(part, { force: true });
    },
  };
}

async function requireNone(file: string): Promise<void> {
  const found = await files.lstat(file).catch(() => undefined);
  if (found !== undefined) throw usage(`${printable(file, MOST_ECHOED)} exists already: name another.`);
}

function refuse(file: string, error: unknown): never {
  const { causeCode = "it failed" } = describeCause(error);
  if (causeCode === "ENOENT")
    throw usage(`There is no folder ${printable(dirname(file), MOST_ECHOED)}: make it, or name another one.`);
  const why = causeCode === "EEXIST" ? "exists already: remove it" : `cannot be made: ${causeCode}`;
  throw usage(`${printable(file, MOST_ECHOED)} ${why}.`);
}
