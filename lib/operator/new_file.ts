/**
 * A file that a command makes: whole or not there, and never in place of another one that nobody has asked to replace. It is
 * written beside its name, brought to the disk, and only then named. What a process that was killed has left has another
 * name, and nobody takes it for the file.
 */
import { existsSync, lstatSync, promises, statSync } from "node:fs";
import { dirname } from "node:path";
import { randomToken } from "../crypto.ts";
import { usage } from "../errors.ts";
import { describeCause } from "../telemetry/log.ts";
import { printable } from "../text/printable.ts";

/** Of its owner alone: the file has names of members. */
const FILE_MODE = 0o600;
const SUFFIX_BYTES = 6;
const MOST_ECHOED = 200;

/** What a file that is there already means. Undefined where the command offers no `--force`. */
export type Overwriting = { readonly force: boolean | undefined };

/** A file that has no name yet. What fails while it is written is thrown as it is. */
export type NewFile = {
  /** Where it is until it has its name. */
  readonly unfinished: string;
  readonly write: (chunk: Uint8Array | string) => Promise<void>;
  /** Writes everything to the disk, and closes the file. */
  readonly finish: () => Promise<void>;
  /** Gives it its name. Throws usage if another file got it meanwhile. */
  readonly name: () => Promise<void>;
  /** Leaves nothing of it behind, unless it has its name. */
  readonly discard: () => Promise<void>;
};

/** Makes a second name for a file, and fails with EEXIST where that name is taken: link(2). */
export type Link = (from: string, to: string) => Promise<void>;

/** Throws usage if the name is taken and is not to be replaced, or if no folder takes it. */
export function requireFreeName(path: string, { force }: Overwriting): void {
  const folder = dirname(path);
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw usage(`There is no folder ${printable(folder, MOST_ECHOED)}: make it, or name another one.`);
  const found = look(path);
  if (found?.isDirectory() === true)
    throw usage(`${printable(path, MOST_ECHOED)} is a folder: name a file in it.`);
  if (found !== undefined && force !== true) throw isTaken(path, { force });
}

function look(path: string) {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw cannotBeMade(path, error);
  }
}

const cannotBeMade = (path: string, error: unknown) =>
  usage(
    `${printable(path, MOST_ECHOED)} cannot be made: ${describeCause(error).causeCode ?? "it failed"}.`,
    error,
  );

const isTaken = (path: string, { force }: Overwriting) =>
  usage(
    `${printable(path, MOST_ECHOED)} exists already: name another${force === undefined ? "" : ", or add --force to replace it"}.`,
  );

/** Opens a new file. Throws usage if its name is taken, or if it cannot be made. */
export async function openNewFile(
  path: string,
  overwriting: Overwriting,
  link: Link = promises.link,
): Promise<NewFile> {
  requireFreeName(path, overwriting);
  const unfinished = `${path}.${randomToken(SUFFIX_BYTES)}.unfinished`;
  const handle = await promises.open(unfinished, "wx", FILE_MODE).catch((error: unknown) => {
    throw cannotBeMade(path, error);
  });
  return {
    unfinished,
    write: (chunk) => handle.writeFile(chunk),
    finish: async () => {
      await handle.sync();
      await handle.close();
    },
    name: async () => {
      requireFreeName(path, overwriting);
      if (overwriting.force === true) await promises.rename(unfinished, path);
      else await nameUnlessTaken(unfinished, path, overwriting, link);
      await syncFolder(dirname(path));
    },
    discard: async () => {
      // It is closed already if it was finished.
      await handle.close().catch(() => undefined);
      await promises.rm(unfinished, { force: true });
    },
  };
}

/** What a file system answers that has no hard links, such as FAT, or a network's. */
const HAS_NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EXDEV", "EMLINK"]);

/**
 * A look before `rename` would leave a moment in which another file gets the name and is lost; `link` refuses a name that is
 * taken. Without hard links an empty file takes the name first, which also fails if it is taken, and is then replaced.
 */
async function nameUnlessTaken(unfinished: string, path: string, overwriting: Overwriting, link: Link) {
  const refuse = (error: unknown): never => {
    if (describeCause(error).causeCode === "EEXIST") throw isTaken(path, overwriting);
    throw error;
  };
  try {
    await link(unfinished, path);
  } catch (error) {
    if (!HAS_NO_LINKS.has(describeCause(error).causeCode ?? "")) return refuse(error);
    const place = await promises.open(path, "wx", FILE_MODE).catch(refuse);
    await place.close();
    return promises.rename(unfinished, path).catch(async (failed: unknown) => {
      await promises.rm(path, { force: true });
      throw failed;
    });
  }
  await promises.rm(unfinished, { force: true });
}

/** Brings the name to the disk as well. */
async function syncFolder(path: string): Promise<void> {
  const folder = await promises.open(path, "r");
  try {
    await folder.sync();
  } catch {
    // The file is there and whole. Not every file system can bring a name to the disk when it is asked to.
  } finally {
    await folder.close();
  }
}
