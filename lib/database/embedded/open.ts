/**
 * The embedded database: PGlite, which is PostgreSQL in this process, for when there is no DATABASE_URL. It knows no
 * table. Here PGlite is started in a folder of its own and made durable. Its one session is in `session.ts`, and who uses
 * it when in `turns.ts`. docs/decisions/0008
 */
import { existsSync, fsyncSync, mkdirSync, promises, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { PGliteOptions, postgresMod } from "@electric-sql/pglite";
import { PGlite } from "@electric-sql/pglite";
import { NodeFS } from "@electric-sql/pglite/nodefs";
import { databaseUnavailable } from "../../errors.ts";
import type { Database } from "../open.ts";
import { isServerFolder, refuseForeignFolder } from "./foreign_folder.ts";
import { lockFolder } from "./lock_file.ts";
import { refuseMoved } from "./moved_mark.ts";
import { createSession } from "./session.ts";
import type { TurnOptions } from "./turns.ts";
import { createEmbeddedDatabase } from "./turns.ts";

/** The `dataDir` of a database that lives and dies with the process, for tests. */
export const IN_MEMORY = "memory://";

/** Where the database is, and what it begins as. */
export type EmbeddedOptions = TurnOptions & {
  /** A folder, made with mode 0700 if it is missing, or `IN_MEMORY`. */
  readonly dataDir: string;
  /**
   * What a new database begins as: a tar, in a folder also a compressed one, of a database, such as a `dump()`. It
   * spares the seconds, and the hundreds of megabytes, of making one from nothing.
   */
  readonly template?: Blob | undefined;
  /** What PGlite otherwise reads from its package folder, which a compiled binary does not have. Wants a template. */
  readonly assets?: Required<Pick<PGliteOptions, "pgliteWasmModule" | "fsBundle">>;
};

/** An embedded database that is open. Closing it frees the folder. */
type Embedded = Database & {
  /** The whole database as a tar, to be another one's `template`. */
  readonly dump: () => Promise<Blob>;
};

/**
 * Opens the database in the folder, or makes one. A row is on the disk once its commit is acknowledged. Throws
 * data_dir_locked when a process has the folder open, database_unavailable when PGlite does not start, or when the folder
 * is not Janus's or of another version, which is then left as it is. Close it:
 * whether an open one lets the process end is up to the garbage collector.
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  if (options.dataDir === IN_MEMORY) return serve(await startPglite(options), options, () => undefined);
  refuseForeignFolder(options.dataDir, placeIn(options.dataDir));
  refuseMoved(options.dataDir);
  makeFolder(options.dataDir);
  const lock = lockFolder(options.dataDir);
  try {
    return serve(await startInFolder(options), options, lock.release);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** True for a folder that holds a database, or may hold one: what cannot be looked at, opening tells of. */
export function hasDatabase(dataDir: string): boolean {
  try {
    if (isServerFolder(dataDir)) return true;
    return statSync(placeIn(dataDir), { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}

const placeIn = (dataDir: string): string => join(dataDir, "postgres");

function serve(pglite: PGlite, options: EmbeddedOptions, release: () => void): Embedded {
  const { whileStill, ...database } = createEmbeddedDatabase(createSession(pglite), options);
  let closing: Promise<void> | undefined;
  const copyTo = (folder: string): Promise<void> =>
    whileStill(async () => {
      makeFolder(folder);
      await promises.cp(placeIn(options.dataDir), placeIn(folder), { recursive: true });
    });
  return {
    ...database,
    ...(options.dataDir === IN_MEMORY ? {} : { copyTo }),
    dump: () => pglite.dumpDataDir("none"),
    close: () => {
      closing ??= database.close().finally(release);
      return closing;
    },
  };
}

/**
 * A new database is made beside its place and renamed, so that a half-made one is never taken for a database. Its
 * thousand files are not synced one by one, which can take longer than all the rest: the system writes them soon.
 */
async function startInFolder(options: EmbeddedOptions): Promise<PGlite> {
  const place = placeIn(options.dataDir);
  if (!existsSync(place)) {
    const unfinished = `${place}.new`;
    rmSync(unfinished, { recursive: true, force: true });
    await makeDatabase(options, unfinished);
    renameSync(unfinished, place);
  }
  return startPglite({ ...options, template: undefined }, place);
}

async function makeDatabase(options: EmbeddedOptions, folder: string): Promise<void> {
  if (options.template === undefined) {
    const maker = await startPglite(options, folder);
    return maker.close();
  }
  makeFolder(folder);
  try {
    await new Bun.Archive(options.template).extract(folder);
  } catch (error) {
    throw databaseUnavailable(
      `the embedded database cannot be made in ${options.dataDir}: is the disk full?`,
      error,
    );
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw databaseUnavailable(`the folder ${folder} cannot be made: set DATA_DIR to one that can`, error);
  }
}

const SETTINGS = [
  // A tenth of the default, which is much memory for a database of a few megabytes.
  "shared_buffers=16MB",
  // At PGlite's default, deep recursion overflows WebAssembly's own stack, and the session never answers again.
  "max_stack_depth=200kB",
  // PGlite's fdatasync does nothing; `addFsync` gives it an fsync.
  "wal_sync_method=fsync",
  "min_wal_size=16MB",
  "max_wal_size=64MB",
];

/** Without a folder, it is in memory. */
async function startPglite(options: EmbeddedOptions, folder?: string): Promise<PGlite> {
  const isInMemory = folder === undefined;
  let lastWords = "";
  try {
    return await PGlite.create({
      ...(isInMemory ? { dataDir: IN_MEMORY } : { fs: syncedFolder(folder) }),
      ...(options.template === undefined ? {} : { loadDataDir: options.template }),
      ...options.assets,
      startParams: [
        // `-F` switches fsync off, and durability with it.
        ...PGlite.defaultStartParams.filter((flag) => isInMemory || flag !== "-F"),
        ...SETTINGS.flatMap((setting) => ["-c", setting]),
      ],
      // Segments of 16 MB, the default, would be half of a small database.
      initDbStartParams: ["--wal-segsize=1"],
      onStderr: (line) => {
        if (/FATAL|PANIC|DETAIL/.test(line)) lastWords += `${line}\n`;
        return false;
      },
    });
  } catch (error) {
    throw databaseUnavailable("the embedded database does not start", new Error(lastWords, { cause: error }));
  }
}

/** The folder as PGlite mounts it, with an fsync, which PGlite's own lacks. */
function syncedFolder(folder: string): NodeFS {
  makeFolder(folder);
  const files = new NodeFS(folder);
  const init = files.init.bind(files);
  files.init = async (pglite, given) => {
    const { emscriptenOpts } = await init(pglite, given);
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...(emscriptenOpts.preRun ?? []), addFsync] } };
  };
  return files;
}

const EIO = 29;

function addFsync(engine: postgresMod.PostgresMod): void {
  Object.assign(Reflect.get(engine.NODEFS, "stream_ops"), {
    fsync: (file: { readonly nfd: number }) => {
      try {
        fsyncSync(file.nfd);
        return 0;
      } catch {
        // PostgreSQL stops over it, and recovers from what is on the disk when it starts again.
        return EIO;
      }
    },
  });
}
