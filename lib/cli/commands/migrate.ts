/**
 * `janus migrate [up|status]`: brings the database up to date, or says what is pending. Called by `cli.ts`; what it
 * returns is printed.
 */

import { readDatabaseConfig } from "../../config/load.ts";
import type { Environment } from "../../config/sources.ts";
import type { Migration, MigrationStatus } from "../../database/migrations.ts";
import { MIGRATIONS, migrateUp, readMigrationStatus } from "../../database/migrations.ts";
import { openDatabase } from "../../database/open.ts";
import { waitForDatabase } from "../../database/wait.ts";
import { createWorld, now } from "../../server/world.ts";
import { NO_LOG } from "../../telemetry/log.ts";
import { printable } from "../../text/printable.ts";
import type { MigrateVerb } from "../arguments.ts";
import { sayOnce } from "../output.ts";

/** Applies what is pending, or lists it; tells what it did, as JSON on request. */
export async function migrate(verb: MigrateVerb, json: boolean, environment: Environment): Promise<string> {
  const { database, databaseWaitSeconds } = readDatabaseConfig(environment);
  // Told by name: whoever meant another one has misspelt DATABASE_URL.
  const name =
    database.url === undefined ? `The embedded database in ${printable(database.dataDir)}` : "The database";
  // Opening makes a database, and asking makes nothing.
  if (verb === "status" && database.url === undefined && !(await isThere(database.dataDir)))
    return describeAbsence(database.dataDir, json);
  const db = await openDatabase(database);
  const say = sayOnce("waiting for the database: ");
  const patiently = <Result>(work: () => Promise<Result>): Promise<Result> =>
    waitForDatabase(work, {
      ...createWorld(NO_LOG, { ref: true }),
      seconds: databaseWaitSeconds,
      onWait: ({ message }) => say(message),
    });
  try {
    return verb === "up"
      ? describeApplied(await patiently(() => migrateUp(db, now)), json, name)
      : describeStatus(await patiently(() => readMigrationStatus(db)), json, name);
  } finally {
    await db.close();
  }
}

async function isThere(dataDir: string): Promise<boolean> {
  const { hasDatabase } = await import("../../database/embedded/open.ts");
  return hasDatabase(dataDir);
}

const label = ({ version, name }: { readonly version: number; readonly name: string }): string =>
  `${String(version).padStart(4, "0")}_${name}`;

function describeApplied(applied: readonly Migration[], json: boolean, name: string): string {
  if (json) return JSON.stringify({ applied: applied.map(label) });
  const end = applied.length === 0 ? `Nothing to do. ${name} is up to date.` : `${name} is up to date.`;
  return [...applied.map((migration) => `applied  ${label(migration)}`), end].join("\n");
}

function describeStatus({ applied, pending }: MigrationStatus, json: boolean, name: string): string {
  if (json) return JSON.stringify({ applied: applied.map(label), pending: pending.map(label) });
  return [
    ...applied.map((migration) => `applied  ${label(migration)}  ${migration.appliedAt.toISOString()}`),
    ...pending.map((migration) => `pending  ${label(migration)}`),
    pending.length === 0 ? `${name} is up to date.` : `${pending.length} pending: run "janus migrate".`,
  ].join("\n");
}

function describeAbsence(dataDir: string, json: boolean): string {
  if (json) return JSON.stringify({ applied: [], pending: MIGRATIONS.map(label), noDatabaseIn: dataDir });
  return [
    ...MIGRATIONS.map((migration) => `pending  ${label(migration)}`),
    `There is no database in ${printable(dataDir)} yet: "janus migrate" makes it, as the server does. ` +
      "DATABASE_URL would name another one.",
  ].join("\n");
}
