/**
 * `janus migrate [up|status]`: brings the database up to date, or says what is pending. It removes nothing.
 */
import type { Command } from "commander";
import type { DatabaseConfig } from "../../config/database_settings.ts";
import { readDatabaseConfig } from "../../config/load.ts";
import { hasDatabase } from "../../database/embedded/open.ts";
import type { Migration, MigrationStatus } from "../../database/migrations.ts";
import { MIGRATIONS, migrateUp, readMigrationStatus } from "../../database/migrations.ts";
import { now } from "../../server/world.ts";
import { toJson } from "../../text/json_text.ts";
import { printable } from "../../text/printable.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import { print } from "../output.ts";
import { withDatabase } from "../with_database.ts";

type Verb = "up" | "status";

/** Adds the command. */
export function addMigrate(program: Command): void {
  const verb = program
    .createArgument("[up|status]", "up applies what is pending, status lists it")
    .choices(["up", "status"])
    .default("up");
  program
    .command("migrate")
    .addArgument(verb)
    .description("bring the database up to date, or say what is pending")
    .addHelpText("after", examples("janus migrate", "janus migrate status --json"))
    .action(async (verb: Verb, _: unknown, command: Command) => {
      const config = readDatabaseConfig(await readEnvironmentFor(command));
      const { json } = readCommon(command);
      await print(verb === "up" ? await apply(config, json) : await list(config, json));
    });
}

async function apply(config: DatabaseConfig, json: boolean): Promise<string> {
  const applied = await withDatabase(config, json, (db) => migrateUp(db, now));
  if (json) return toJson({ applied: applied.map(label) });
  const state = `${nameOf(config)} is up to date.`;
  return [
    ...applied.map((migration) => `applied  ${label(migration)}`),
    applied.length === 0 ? `Nothing to do. ${state}` : state,
  ].join("\n");
}

async function list(config: DatabaseConfig, json: boolean): Promise<string> {
  const { url, dataDir } = config.database;
  // Opening the embedded database would make one.
  if (url === undefined && !hasDatabase(dataDir)) return describeAbsence(dataDir, json);
  return describeStatus(await withDatabase(config, json, readMigrationStatus), json, nameOf(config));
}

/** Names the embedded database by its folder, so that a mistyped DATABASE_URL is noticed. */
const nameOf = ({ database }: DatabaseConfig): string =>
  database.url === undefined ? `The embedded database in ${printable(database.dataDir)}` : "The database";

const label = ({ version, name }: { readonly version: number; readonly name: string }): string =>
  `${String(version).padStart(4, "0")}_${name}`;

function describeStatus({ applied, pending }: MigrationStatus, json: boolean, name: string): string {
  if (json) return toJson({ applied: applied.map(label), pending: pending.map(label) });
  return [
    ...applied.map((migration) => `applied  ${label(migration)}  ${migration.appliedAt.toISOString()}`),
    ...pending.map(describePending),
    pending.length === 0 ? `${name} is up to date.` : `${pending.length} pending: run "janus migrate".`,
  ].join("\n");
}

function describeAbsence(dataDir: string, json: boolean): string {
  if (json) return toJson({ applied: [], pending: MIGRATIONS.map(label), noDatabaseIn: dataDir });
  return [
    ...MIGRATIONS.map(describePending),
    `There is no database in ${printable(dataDir)} yet: "janus migrate" creates it, and so does the server when it ` +
      "starts. To use another database, set DATABASE_URL.",
  ].join("\n");
}

const describePending = (migration: Pick<Migration, "version" | "name">): string =>
  `pending  ${label(migration)}`;
