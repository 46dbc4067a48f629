/**
 * Opens a database for one command, waits until it answers, and closes it. The commands that need no database do not wait
 * for one.
 */
import type { DatabaseConfig } from "../config/load.ts";
import type { Database } from "../database/open.ts";
import { openDatabase } from "../database/open.ts";
import { waitForDatabase } from "../database/wait.ts";
import { createWorld } from "../server/world.ts";
import { NO_LOG } from "../telemetry/log.ts";
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
