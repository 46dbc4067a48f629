/**
 * Opens a database for one command, waits until it answers, and closes it. The commands that need no database do not wait
 * for one.
 */
import type { DatabaseConfig } from "../config/database_settings.ts";
import { hasDatabase } from "../database/embedded/open.ts";
import { requireMigrated } from "../database/migrations.ts";
import type { Database } from "../database/open.ts";
import { openAlone, openDatabase } from "../database/open.ts";
import { waitForDatabase } from "../database/wait.ts";
import { databaseUnavailable } from "../errors.ts";
import { createWorld } from "../server/world.ts";
import { NO_LOG } from "../telemetry/log.ts";
import { printable } from "../text/printable.ts";
import { sayOnce } from "./output.ts";

/**
 * Does the work as soon as the database answers, and says on standard error why it waits. Throws what the work throws, and
 * database_unavailable.
 */
export async function withDatabase<Result>(
  { database, databaseWaitSeconds }: DatabaseConfig,
  json: boolean,
  work: (db: Database) => Promise<Result>,
): Promise<Result> {
  const db = await openDatabase(database);
  const say = sayOnce("waiting for the database: ", json);
  try {
    return await waitForDatabase(() => work(db), {
      ...createWorld(NO_LOG, { ref: true }),
      seconds: databaseWaitSeconds,
      onWait: ({ message }) => say(message),
    });
  } finally {
    await db.close();
  }
}

/**
 * As `withDatabase`, for a command that only looks at what the server has stored. Throws database_unavailable where there is
 * no embedded database, since opening it would make one.
 */
export async function withStoredDatabase<Result>(
  config: DatabaseConfig,
  json: boolean,
  work: (db: Database) => Promise<Result>,
): Promise<Result> {
  const { url, dataDir } = config.database;
  if (url === undefined && !hasDatabase(dataDir))
    throw databaseUnavailable(
      `there is no database in ${printable(dataDir)} yet: set DATA_DIR or DATABASE_URL as the server has it`,
    );
  return withDatabase(config, json, async (db) => {
    await requireMigrated(db);
    return work(db);
  });
}

/**
 * For work that must not be repeated from its beginning, such as a restore. It waits only until `look` succeeds, and then
 * works once with what that has seen. Throws what both throw.
 */
export async function withDatabaseOnce<Seen, Result>(
  { database, databaseWaitSeconds }: DatabaseConfig,
  json: boolean,
  look: (db: Database) => Promise<Seen>,
  work: (db: Database, seen: Seen) => Promise<Result>,
): Promise<Result> {
  const db = await openAlone(database);
  const say = sayOnce("waiting for the database: ", json);
  try {
    const seen = await waitForDatabase(() => look(db), {
      ...createWorld(NO_LOG, { ref: true }),
      seconds: databaseWaitSeconds,
      onWait: ({ message }) => say(message),
    });
    return await work(db, seen);
  } finally {
    await db.close();
  }
}
