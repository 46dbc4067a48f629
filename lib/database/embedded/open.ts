/**
 * The embedded default database: PGlite, which is PostgreSQL in this process, for postgres.js through its `socket`
 * option. Called by `db.ts` when there is no DATABASE_URL, and by tests; it must not know a table. Here PGlite is
 * started in a folder of its own and made durable; `session.ts` shares its one session.
 */
import { existsSync, fsyncSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { PGlite, PGliteOptions, postgresMod } from "@electric-sql/pglite";
import { databaseUnavailable } from "../../errors.ts";
import { isServerFolder, refuseForeignFolder } from "./foreign_folder.ts";
import { lockFolder } from "./lock_file.ts";
import type { EmbeddedSocket } from "./session.ts";
import { shareSession } from "./session.ts";

/** The `dataDir` of a database that lives and dies with the process, for tests. */
export const IN_MEMORY = "memory://";

/** Where the database is, and what it begins as. */
export type EmbeddedOptions = {
  /** A folder, made with mode 0700 if it is missing, or `IN_MEMORY`. */
  readonly dataDir: string;
  /**
   * What a new database begins as: a tar, in a folder also a compressed one, of a database, such as a `dump()`. It
   * spares the seconds, and the hundreds of megabytes, of making one from nothing.
   */
  readonly template?: Blob | undefined;
  /** What PGlite otherwise reads from its package folder, which a compiled binary does not have. Wants a template. */
  readonly assets?: Required<Pick<PGliteOptions, "pgliteWasmModule" | "fsBundle">>;
  /** How long a connection may keep the others waiting without a word: inside a transaction, say. */
  readonly idleOwnerMs?: number;
  /** How many turns pass between two rounds of vacuum and checkpoint. */
  readonly housekeepingTurns?: number;
};

/** An embedded database that is open. */
export type Embedded = {
  /** postgres.js's `socket` option: makes a new in-process connection. */
  readonly socket: () => EmbeddedSocket;
  /** The whole database as a tar, to be another one's `template`. */
  readonly dump: () => Promise<Blob>;
  /** Cuts the connections, rolls back what they left open, closes PGlite and frees the folder. */
  readonly close: () => Promise<void>;
};

const IDLE_OWNER_MS = 30_000;
const HOUSEKEEPING_TURNS = 5_000;

/**
 * Opens the database in the folder, or makes one. A row is on the disk once its commit is acknowledged. Throws
 * data_dir_locked when a process has the folder open, database_unavailable when PGlite does not start, or when the folder
 * is not Janus's or of another version, which is then left as it is. Close it:
 * whether an open one lets the process end is up to the garbage collector.
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  if (options.dataDir === IN_MEMORY) return serve(await startPglite(options), options, () => undefined);
  refuseForeignFolder(options.dataDir, placeIn(options.dataDir));
  makeFolder(options.dataDir);
  const lock = lockFolder(options.dataDir);
  try {
    return await serve(await startInFolder(options), options, lock.release);
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

async function serve(pglite: PGlite, options: EmbeddedOptions, release: () => void): Promise<Embedded> {
  stopOnTrap(pglite.Module);
  const session = await shareSession({
    run: (messages) => run(pglite, messages),
    idleOwnerMs: options.idleOwnerMs ?? IDLE_OWNER_MS,
    housekeepingTurns: options.housekeepingTurns ?? HOUSEKEEPING_TURNS,
  });
  const close = async () => {
    try {
      const isSound = await session.end();
      // A stopped PGlite does not come back from `close`. Its folder recovers at the next start.
      if (isSound) await pglite.close();
    } finally {
      release();
    }
  };
  let closing: Promise<void> | undefined;
  return {
    socket: session.connect,
    dump: () => pglite.dumpDataDir("none"),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/** The streaming call, because the plain one keeps every answer for ever. */
async function run(pglite: PGlite, messages: Uint8Array): Promise<Buffer> {
  const chunks: Buffer[] = [];
  // Copied, since the chunk is a view of memory that the next one overwrites.
  await pglite.execProtocolRawStream(messages, { onRawData: (chunk) => chunks.push(Buffer.from(chunk)) });
  return Buffer.concat(chunks);
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

/** Imported here and not above: a server on PostgreSQL does not pay for it. Without a folder, it is in memory. */
async function startPglite(options: EmbeddedOptions, folder?: string): Promise<PGlite> {
  const { PGlite } = await import("@electric-sql/pglite");
  const isInMemory = folder === undefined;
  let lastWords = "";
  try {
    return await PGlite.create({
      ...(isInMemory ? { dataDir: IN_MEMORY } : { fs: await syncedFolder(folder) }),
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
async function syncedFolder(folder: string): Promise<NonNullable<PGliteOptions["fs"]>> {
  const { NodeFS } = await import("@electric-sql/pglite/nodefs");
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

const LONGJMP = 100;

/** PGlite swallows an exit or a trap and goes on with the batch, for ever if need be. This lets it through instead. */
function stopOnTrap(engine: postgresMod.PostgresMod): void {
  const { _PostgresMainLoopOnce: runOnce, stackRestore } = engine;
  let trap: { readonly cause: unknown } | undefined;
  engine._PostgresMainLoopOnce = () => {
    try {
      runOnce();
    } catch (cause) {
      const isSqlError = cause instanceof Object && "status" in cause && cause.status === LONGJMP;
      if (!isSqlError) trap = { cause };
      throw cause;
    }
  };
  engine.stackRestore = (pointer) => {
    if (trap !== undefined) throw trap.cause;
    return stackRestore(pointer);
  };
}
