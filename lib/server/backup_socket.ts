/**
 * A socket beside the embedded database, for `janus backup` while the server runs: one process alone can have that database
 * open, so the command asks the server for a copy of it, and reads that. The socket is a file that only the account of the
 * server can use. It takes two words and no input. docs/decisions/0051
 *
 *   POST /copy         copies the database into a new folder, and says which
 *   POST /backed-up    remembers that a backup was made now
 */
import { chmodSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { randomToken } from "../crypto.ts";
import type { Database } from "../database/open.ts";
import { createQueries } from "../database/queries.ts";
import { asJanusError } from "../errors.ts";
import { noteBackup } from "../operator/status.ts";
import type { MainLog } from "../telemetry/log.ts";
import { describeError } from "../telemetry/log.ts";
import { secondsAfter } from "../time.ts";

/** The name of the socket in DATA_DIR. */
export const SOCKET_NAME = "janus.sock";

/** What it works with. */
type Needs = {
  readonly db: Database;
  readonly dataDir: string;
  readonly now: () => Date;
  readonly log: MainLog;
};

/** An open socket. */
export type BackupSocket = { readonly stop: () => Promise<void> };

const COPY_PREFIX = "copy-";
const NAME_BYTES = 8;
/** No command needs a copy for so long. What is older was left by one that was killed. */
const KEEP_COPY_SECONDS = 3_600;

/** Opens it; undefined where there is no embedded database, or where no socket can be made. A server can do without. */
export function openBackupSocket({ db, dataDir, now, log }: Needs): BackupSocket | undefined {
  const { copyTo } = db;
  if (copyTo === undefined) return undefined;
  const path = join(dataDir, SOCKET_NAME);
  const answer = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    if (request.method !== "POST") return new Response(null, { status: 405 });
    if (pathname === "/backed-up") {
      await noteBackup({ queries: createQueries(db), now });
      return Response.json({});
    }
    if (pathname !== "/copy") return new Response(null, { status: 404 });
    removeOldCopies(dataDir, now());
    const folder = join(dataDir, `${COPY_PREFIX}${randomToken(NAME_BYTES)}`);
    try {
      await copyTo(folder);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
    log.info("database_copied");
    return Response.json({ folder });
  };
  try {
    // The lock of the folder is ours, so a socket that is there is of a process that is gone.
    rmSync(path, { force: true });
    const server = Bun.serve({
      unix: path,
      fetch: async (request, server) => {
        // A copy may take long, and says nothing meanwhile.
        server.timeout(request, 0);
        try {
          return await answer(request);
        } catch (error) {
          log.warn("database_not_copied", describeError(error));
          const { code, message } = asJanusError(error);
          return Response.json({ code, message }, { status: 500 });
        }
      },
    });
    chmodSync(path, 0o600);
    return {
      stop: async () => {
        await server.stop(true);
        rmSync(path, { force: true });
      },
    };
  } catch (error) {
    // Carrying on is right: who wants a backup can stop the server.
    log.warn("backup_socket_missing", describeError(error));
    return undefined;
  }
}

function removeOldCopies(dataDir: string, now: Date): void {
  const oldest = secondsAfter(now, -KEEP_COPY_SECONDS);
  for (const name of readdirSync(dataDir).filter((entry) => entry.startsWith(COPY_PREFIX))) {
    const folder = join(dataDir, name);
    if (statSync(folder).mtime < oldest) rmSync(folder, { recursive: true, force: true });
  }
}
