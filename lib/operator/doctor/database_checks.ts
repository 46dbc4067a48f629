/**
 * The checks of the database. They read and change nothing. The embedded database allows one process at a time, so while a
 * server runs on it, the server makes these checks for the doctor.
 */
import type { DatabaseConfig } from "../../config/database_settings.ts";
import type { Config } from "../../config/load.ts";
import { hasDatabase } from "../../database/embedded/open.ts";
import type { Rights } from "../../database/migrations.ts";
import { readMigrationStatus, readRights } from "../../database/migrations.ts";
import type { Database } from "../../database/open.ts";
import { createQueries } from "../../database/queries.ts";
import type { JanusError } from "../../errors.ts";
import { asJanusError } from "../../errors.ts";
import type { StoredToken } from "../../grants/sealing.ts";
import { printable } from "../../text/printable.ts";
import { keyIdOf, tryTokenKeys } from "../token_keys.ts";
import type { Check, CheckId } from "./check.ts";
import { CHECK_GROUPS, fault, ok, sayReason, unknown, warning } from "./check.ts";
import type { SyncSettings } from "./sync_checks.ts";
import { checkSync } from "./sync_checks.ts";

type Place = DatabaseConfig["database"];
type Keys = Pick<Config, "tokenKeys">;
/** What the database is examined by; undefined is what has faults. */
type Given = SyncSettings & { readonly keys: Keys | undefined };

/** Opens the database, examines it and closes it. `isHeld` where the embedded database is another process's. */
export async function checkDatabase(
  place: Place,
  given: Given,
  open: (place: Place) => Promise<Database>,
): Promise<{ readonly checks: readonly Check[]; readonly isHeld: boolean }> {
  // Opening the embedded database would make one.
  if (place.url === undefined && !hasDatabase(place.dataDir))
    return { checks: missing(place), isHeld: false };
  let db: Database;
  try {
    db = await open(place);
  } catch (error) {
    const known = asJanusError(error);
    if (known.code === "data_dir_locked") return { checks: held(), isHeld: true };
    return { checks: unreachable(known), isHeld: false };
  }
  try {
    return { checks: await examineDatabase(db, given, place.url === undefined), isHeld: false };
  } finally {
    await db.close();
  }
}

/** Examines a database that is open. Never throws. */
export async function examineDatabase(
  db: Database,
  given: Given,
  isEmbedded: boolean,
): Promise<readonly Check[]> {
  try {
    const rights = await readRights(db);
    return [
      ok("database_reachable", `The database answers the role ${printable(rights.role, MAX_NAME)}.`),
      ...(await checkMigrations(db, rights, isEmbedded)),
      await checkKeys(db, given.keys),
      await checkSync(db, given),
    ];
  } catch (error) {
    return unreachable(asJanusError(error));
  }
}

const MAX_NAME = 100;

function missing({ dataDir }: Place): readonly Check[] {
  const remedy = "Start the server, or run janus migrate. To use another database, set DATABASE_URL.";
  return [
    warning("database_reachable", `There is no database in ${printable(dataDir)} yet.`, remedy),
    ...others("There is no database yet.", remedy),
  ];
}

function held(): readonly Check[] {
  const detail = "The embedded database is in use by another process, which is probably the server.";
  const remedy =
    "Let the doctor reach the server at PUBLIC_URL, or stop the server and run janus doctor again.";
  return CHECK_GROUPS.database.map((id) => unknown(id, detail, remedy));
}

function unreachable(error: JanusError): readonly Check[] {
  const remedy = "Start the database, or correct DATABASE_URL and DATABASE_PASSWORD.";
  return [
    fault("database_reachable", sayReason(error), remedy),
    ...others("The database cannot be used.", remedy),
  ];
}

/** The checks that need a database that answers. */
const others = (detail: string, remedy: string): readonly Check[] =>
  CHECK_GROUPS.database
    .filter((id) => id !== "database_reachable")
    .map((id: CheckId) => unknown(id, detail, remedy));

async function checkMigrations(db: Database, rights: Rights, isEmbedded: boolean): Promise<readonly Check[]> {
  const encoding =
    rights.encoding === "UTF8"
      ? ok("database_encoding", "The encoding is UTF8.")
      : warning(
          "database_encoding",
          `The encoding is ${printable(rights.encoding, MAX_NAME)}, which keeps what it is given and checks nothing.`,
          "Move to a database with the encoding UTF8.",
        );
  try {
    const { applied, pending } = await readMigrationStatus(db);
    const isUpToDate = pending.length === 0;
    return [
      encoding,
      isUpToDate
        ? ok("database_migrations", `All ${applied.length} migrations are applied.`)
        : describePending(pending.length, isEmbedded),
      await checkRights(db, rights, isUpToDate),
    ];
  } catch (error) {
    return [...explainStatus(asJanusError(error), encoding), await checkRights(db, rights, false)];
  }
}

/** Why the migrations cannot be compared. The messages say both what is wrong and what to do. */
function explainStatus(error: JanusError, encoding: Check): readonly Check[] {
  const detail = sayReason(error);
  if (error.code === "database_unsupported")
    return [fault("database_encoding", detail, "Use a database that Janus supports: docs/database.md.")];
  const remedy = "Run the release that last migrated this database, or a later one.";
  return [encoding, fault("database_migrations", detail, remedy)];
}

function describePending(count: number, isEmbedded: boolean): Check {
  const detail = `${count} ${count === 1 ? "migration is" : "migrations are"} pending.`;
  return isEmbedded
    ? warning("database_migrations", detail, "Start the server: it migrates its embedded database itself.")
    : fault("database_migrations", detail, "Run janus migrate.");
}

async function checkRights(db: Database, rights: Rights, isUpToDate: boolean): Promise<Check> {
  const { refused, creates, alters } = rights;
  const hindrance = await db.findHindrance();
  if (hindrance !== undefined)
    return fault(
      "database_rights",
      hindrance === "database_full" ? "The disk of the database is full." : "The database is read-only.",
      "Name the primary in DATABASE_URL, or make room: docs/database.md.",
    );
  if (refused !== "")
    return fault(
      "database_rights",
      `The role may not read and write ${printable(refused, MAX_TABLES)}.`,
      "Grant it select, insert, update and delete there: docs/database.md.",
    );
  if (creates && alters) return ok("database_rights", "The role may read, write and migrate.");
  if (isUpToDate)
    return ok(
      "database_rights",
      "The role may read and write. Migrations need one that may make and alter tables.",
    );
  return fault(
    "database_rights",
    "The role may not make or alter tables, and migrations are pending.",
    "Run janus migrate with the role that owns the tables.",
  );
}

const MAX_TABLES = 300;

/** Whether TOKEN_KEYS opens what is stored, by one token of each kind and key. */
async function checkKeys(db: Database, keys: Keys | undefined): Promise<Check> {
  const id = "database_token_keys";
  if (keys === undefined) return unknown(id, "TOKEN_KEYS has faults.", "Correct TOKEN_KEYS first.");
  let tried: Awaited<ReturnType<typeof tryTokenKeys>>;
  try {
    tried = await tryTokenKeys({ queries: createQueries(db) }, keys.tokenKeys);
  } catch (error) {
    return unknown(id, sayReason(asJanusError(error)), "Apply the migrations first.");
  }
  const { samples, unreadable } = tried;
  if (unreadable.length === 0)
    return ok(
      id,
      samples === 0 ? "No token is stored yet." : "TOKEN_KEYS opens a stored token of each kind and key.",
    );
  const ring = keys.tokenKeys.map((key) => key.id);
  return fault(
    id,
    `TOKEN_KEYS does not open every stored token: ${unreadable.map((one) => describeToken(one, ring)).join(", ")}.`,
    "Add the keys that are missing to the end of TOKEN_KEYS, under the ids that they had.",
  );
}

function describeToken({ kind, sealed }: StoredToken, ring: readonly string[]): string {
  const keyId = keyIdOf({ sealed });
  const why = ring.includes(keyId) ? "is another key now" : "is missing";
  return `${kind} needs the key ${printable(keyId, MAX_NAME)}, which ${why}`;
}
