/**
 * The mark of an embedded database that was moved to PostgreSQL: a file beside it. The database itself is not touched, so
 * who removes the file can go back. Without it, a server that is started without DATABASE_URL by mistake would go on with
 * old tokens, and spend them. docs/decisions/0051
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { configInvalid } from "../../errors.ts";

/** The name of the file. */
export const MOVED_MARK = "janus.moved";

const EXPLANATION =
  "janus database move has copied this database to PostgreSQL, and Janus does not open it any more.\n" +
  "To go back to it, remove this file. What has happened at PostgreSQL since then is lost, and refresh tokens that were\n" +
  "spent there are dead.\n";

/** Marks the folder. */
export function markMoved(dataDir: string): void {
  writeFileSync(join(dataDir, MOVED_MARK), EXPLANATION, { mode: 0o600 });
}

/** Throws config_invalid where the folder has the mark. */
export function refuseMoved(dataDir: string): void {
  if (!existsSync(join(dataDir, MOVED_MARK))) return;
  throw configInvalid(
    `The embedded database in ${dataDir} was moved to PostgreSQL: set DATABASE_URL to that one. The file ${MOVED_MARK} ` +
      "in the folder says how to go back.",
  );
}
