/**
 * Whether a folder holds a database that this Janus can open: looked at before anything in it is locked, made or
 * written. What else can be wrong with a folder PostgreSQL says when it starts.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { databaseUnavailable } from "../../errors.ts";
import { describeCause } from "../../telemetry/log.ts";

/** The major version of the PostgreSQL that PGlite is: no other opens its folders, nor does it open theirs. */
export const POSTGRES_MAJOR = 18;

const VERSION_FILE = "PG_VERSION";
/** A server writes it when it starts, PGlite never does. */
const SERVER_FILE = "postmaster.opts";
const ROOT = 0;

/** True for the data folder of a PostgreSQL server that was named itself. */
export const isServerFolder = (folder: string): boolean =>
  [VERSION_FILE, SERVER_FILE].some((name) => existsSync(join(folder, name)));

/**
 * Throws database_unavailable where `place`, in the folder, is a database of another PostgreSQL or of another user, or
 * where one of them is a server's. A `place` that is not there, or empty, is for the caller to fill. `user` is the one
 * who runs this process; systems without user ids have none.
 */
export function refuseForeignFolder(folder: string, place: string, user = process.getuid?.()): void {
  if (isServerFolder(folder)) throw belongsToServer(folder);
  if (!existsSync(place) || isEmpty(place)) return;
  if (existsSync(join(place, SERVER_FILE))) throw belongsToServer(place);
  const found = readVersion(place);
  if (found !== String(POSTGRES_MAJOR)) {
    throw databaseUnavailable(
      `the embedded database in ${place} is of PostgreSQL ${found}, and this Janus has PostgreSQL ${POSTGRES_MAJOR}: start the Janus that made it, or set DATA_DIR to another folder`,
    );
  }
  if (user === ROOT) refuseOtherOwner(place);
}

const belongsToServer = (folder: string) =>
  databaseUnavailable(
    `the folder ${folder} belongs to a PostgreSQL server: put its URL into DATABASE_URL, or set DATA_DIR to another folder`,
  );

/**
 * Root may write everywhere, and what it writes is root's. The server, which has an account of its own under systemd,
 * could not read these files, and would not start again. The system itself keeps all other users away.
 */
function refuseOtherOwner(place: string): void {
  const { uid } = statSync(place);
  if (uid === ROOT) return;
  throw databaseUnavailable(
    `the embedded database in ${place} belongs to the user ${uid}, who could not open it any more if root wrote in it: run this as that user`,
  );
}

function isEmpty(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0;
  } catch {
    // A file in its place, or no right to look: what opens it tells.
    return true;
  }
}

/** Without it PGlite would take the folder for an empty one, and make a new database over what is there. */
function readVersion(place: string): string {
  const unreadable = (why: string, cause?: unknown) =>
    databaseUnavailable(
      `the embedded database in ${place} has no readable PG_VERSION (${why}): restore the folder from a copy, or set DATA_DIR to another folder`,
      cause,
    );
  let text: string;
  try {
    text = readFileSync(join(place, VERSION_FILE), "utf8").trim();
  } catch (error) {
    throw unreadable(describeCause(error).causeCode ?? "no code", error);
  }
  if (text === "") throw unreadable("empty");
  if (!/^\d{1,3}(\.\d{1,3})?$/.test(text)) throw unreadable("not a version");
  return text;
}
