/** The migrations, embedded in the program: forward only, in one transaction under a lock, each with its checksum. */

import * as v from "valibot";
import migration1 from "../../sql/migrations/0001_create_discord_account.sql" with { type: "text" };
import migration2 from "../../sql/migrations/0002_create_organisation_account.sql" with { type: "text" };
import migration3 from "../../sql/migrations/0003_create_link.sql" with { type: "text" };
import migration4 from "../../sql/migrations/0004_create_flow.sql" with { type: "text" };
import migration5 from "../../sql/migrations/0005_create_audit_event.sql" with { type: "text" };
import migration6 from "../../sql/migrations/0006_create_session.sql" with { type: "text" };
import migration7 from "../../sql/migrations/0007_extend_link.sql" with { type: "text" };
import migration8 from "../../sql/migrations/0008_count_end_failures.sql" with { type: "text" };
import migration9 from "../../sql/migrations/0009_keep_what_is_obtained.sql" with { type: "text" };
import migration10 from "../../sql/migrations/0010_add_session_key_hash.sql" with { type: "text" };
import migration11 from "../../sql/migrations/0011_split_push_due_at.sql" with { type: "text" };
import migration12 from "../../sql/migrations/0012_cheapen_checks.sql" with { type: "text" };
import migration13 from "../../sql/migrations/0013_create_functions.sql" with { type: "text" };
import migration14 from "../../sql/migrations/0014_create_registration.sql" with { type: "text" };
import migration15 from "../../sql/migrations/0015_evaluate_rules.sql" with { type: "text" };
import migration16 from "../../sql/migrations/0016_keep_links_true.sql" with { type: "text" };
import migration17 from "../../sql/migrations/0017_create_upstream_budget.sql" with { type: "text" };
import migration18 from "../../sql/migrations/0018_keep_ends.sql" with { type: "text" };
import migration19 from "../../sql/migrations/0019_show_stops.sql" with { type: "text" };
import migration20 from "../../sql/migrations/0020_receive_events.sql" with { type: "text" };
import migration21 from "../../sql/migrations/0021_create_scim.sql" with { type: "text" };
import migration22 from "../../sql/migrations/0022_rotate_keys.sql" with { type: "text" };
import migration23 from "../../sql/migrations/0023_limit_audit_trail.sql" with { type: "text" };
import migration24 from "../../sql/migrations/0024_name_operators.sql" with { type: "text" };
import migration25 from "../../sql/migrations/0025_create_ban.sql" with { type: "text" };
import migration26 from "../../sql/migrations/0026_mark_imported_links.sql" with { type: "text" };
import migration27 from "../../sql/migrations/0027_keep_leases_of_losses.sql" with { type: "text" };
import migration28 from "../../sql/migrations/0028_remember_restores.sql" with { type: "text" };
import migration29 from "../../sql/migrations/0029_show_links.sql" with { type: "text" };
import migration30 from "../../sql/migrations/0030_create_admin_session.sql" with { type: "text" };
import migration31 from "../../sql/migrations/0031_keep_code_of_failed_push.sql" with { type: "text" };
import migration32 from "../../sql/migrations/0032_index_events_of_accounts.sql" with { type: "text" };
import migration33 from "../../sql/migrations/0033_keep_waits_of_refreshes.sql" with { type: "text" };
import createText from "../../sql/schema_migration/create.sql" with { type: "text" };
import findRightsText from "../../sql/schema_migration/find_rights.sql" with { type: "text" };
import findTableText from "../../sql/schema_migration/find_table.sql" with { type: "text" };
import insertText from "../../sql/schema_migration/insert.sql" with { type: "text" };
import listText from "../../sql/schema_migration/list.sql" with { type: "text" };
import lockText from "../../sql/schema_migration/lock.sql" with { type: "text" };
import setIsolationText from "../../sql/schema_migration/set_isolation.sql" with { type: "text" };
import setLockTimeoutText from "../../sql/schema_migration/set_lock_timeout.sql" with { type: "text" };
import setStatementTimeoutText from "../../sql/schema_migration/set_statement_timeout.sql" with {
  type: "text",
};
import { sha256Hex } from "../crypto.ts";
import {
  databaseNewer,
  databaseNotMigrated,
  databaseUnsupported,
  migrationEdited,
  migrationFailed,
} from "../errors.ts";
import { isRefusal } from "./failures.ts";
import type { Database } from "./open.ts";
import type { Query } from "./run.ts";

/** One file of `sql/migrations`. */
export type Migration = { readonly version: number; readonly name: string; readonly text: string };

/** What a database has applied, with the checksum of its text. */
export type AppliedMigration = {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
  readonly appliedAt: Date;
};

/** What a database has, and what it lacks. */
export type MigrationStatus = {
  readonly applied: readonly AppliedMigration[];
  readonly pending: readonly Migration[];
};

/** The program's migrations, in order. One that has landed is never edited: the database would refuse it. */
export const MIGRATIONS: readonly Migration[] = [
  { version: 1, name: "create_discord_account", text: migration1 },
  { version: 2, name: "create_organisation_account", text: migration2 },
  { version: 3, name: "create_link", text: migration3 },
  { version: 4, name: "create_flow", text: migration4 },
  { version: 5, name: "create_audit_event", text: migration5 },
  { version: 6, name: "create_session", text: migration6 },
  { version: 7, name: "extend_link", text: migration7 },
  { version: 8, name: "count_end_failures", text: migration8 },
  { version: 9, name: "keep_what_is_obtained", text: migration9 },
  { version: 10, name: "add_session_key_hash", text: migration10 },
  { version: 11, name: "split_push_due_at", text: migration11 },
  { version: 12, name: "cheapen_checks", text: migration12 },
  { version: 13, name: "create_functions", text: migration13 },
  { version: 14, name: "create_registration", text: migration14 },
  { version: 15, name: "evaluate_rules", text: migration15 },
  { version: 16, name: "keep_links_true", text: migration16 },
  { version: 17, name: "create_upstream_budget", text: migration17 },
  { version: 18, name: "keep_ends", text: migration18 },
  { version: 19, name: "show_stops", text: migration19 },
  { version: 20, name: "receive_events", text: migration20 },
  { version: 21, name: "create_scim", text: migration21 },
  { version: 22, name: "rotate_keys", text: migration22 },
  { version: 23, name: "limit_audit_trail", text: migration23 },
  { version: 24, name: "name_operators", text: migration24 },
  { version: 25, name: "create_ban", text: migration25 },
  { version: 26, name: "mark_imported_links", text: migration26 },
  { version: 27, name: "keep_leases_of_losses", text: migration27 },
  { version: 28, name: "remember_restores", text: migration28 },
  { version: 29, name: "show_links", text: migration29 },
  { version: 30, name: "create_admin_session", text: migration30 },
  { version: 31, name: "keep_code_of_failed_push", text: migration31 },
  { version: 32, name: "index_events_of_accounts", text: migration32 },
  { version: 33, name: "keep_waits_of_refreshes", text: migration33 },
];

/** Every table that a migration makes. */
export const TABLE_NAMES: readonly string[] = MIGRATIONS.flatMap(({ text }) =>
  [...text.matchAll(/^create table (\w+)/gm)].map(([, name = ""]) => name),
);

const tableRow = v.tuple([
  v.object({ present: v.boolean(), encoding: v.string(), versionNumber: v.number() }),
]);
const rightsRow = v.tuple([
  v.object({
    role: v.string(),
    encoding: v.string(),
    creates: v.boolean(),
    alters: v.boolean(),
    refused: v.string(),
  }),
]);
/** SQL_ASCII keeps the bytes that it is given, and Janus gives UTF-8. */
const ENCODINGS = ["UTF8", "SQL_ASCII"];
const LEAST_VERSION = 15;
const appliedRows = v.array(
  v.object({ version: v.number(), name: v.string(), checksum: v.string(), appliedAt: v.date() }),
);

/**
 * Applies what is pending and returns it; nothing, if one fails. Any number of processes may call it at once.
 * Throws database_newer, database_unsupported, migration_edited, migration_failed, database_unavailable.
 */
export async function migrateUp(
  db: Database,
  now: () => Date,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<readonly Migration[]> {
  return db.transaction(async (query) => {
    await beginMigrating(query);
    return migrateRest(query, now, migrations);
  });
}

/** Keeps all others from migrating until the transaction ends, which may take as long as it needs. */
export async function beginMigrating(query: Query): Promise<void> {
  await query(setStatementTimeoutText);
  await findTable(query);
  await query(lockText);
  await query(setLockTimeoutText);
}

/** Lets a transaction read one state of a database for as long as it needs. Throws database_not_migrated for an empty one. */
export async function beginReading(query: Query): Promise<void> {
  await query(setIsolationText);
  await query(setStatementTimeoutText);
  if (!(await findTable(query))) throw databaseNotMigrated("the database has no table of Janus yet");
}

/** Applies what is pending, in a transaction that has begun to migrate. */
export async function migrateRest(
  query: Query,
  now: () => Date,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<readonly Migration[]> {
  await query(createText);
  const { pending } = await compare(query, migrations);
  for (const migration of pending) await apply(query, migration, now());
  return pending;
}

/** Makes the schema that another database has, in an empty one, as if it had been migrated when the other one was. */
export async function migrateAs(query: Query, applied: readonly AppliedMigration[]): Promise<void> {
  requireKnown(applied, MIGRATIONS);
  const appliedAt = new Map(applied.map((migration) => [migration.version, migration.appliedAt]));
  await query(createText);
  for (const migration of MIGRATIONS) {
    const at = appliedAt.get(migration.version);
    if (at !== undefined) await apply(query, migration, at);
  }
}

/** The migrations that a database has applied. It has the table of migrations. */
export const listApplied = async (query: Query): Promise<readonly AppliedMigration[]> =>
  v.parse(appliedRows, await query(listText));

/** What this database has applied and what it lacks. Throws database_newer, database_unsupported, migration_edited. */
export async function readMigrationStatus(
  db: Database,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<MigrationStatus> {
  return (await findTable(db.query)) ? compare(db.query, migrations) : { applied: [], pending: migrations };
}

/** Returns if the database has every migration. Throws database_not_migrated, and what `readMigrationStatus` throws. */
export async function requireMigrated(db: Database): Promise<void> {
  const { pending } = await readMigrationStatus(db);
  if (pending.length > 0) {
    throw databaseNotMigrated(`${pending.length} migrations are pending: run "janus migrate"`);
  }
}

/** What the role may do that Janus connects as. */
export type Rights = {
  readonly role: string;
  /** Of the database. */
  readonly encoding: string;
  /** Whether it may make tables where migrations make them. */
  readonly creates: boolean;
  /** Whether it may alter those that are there. */
  readonly alters: boolean;
  /** Tables that it may not read and write, with commas; empty if there are none. */
  readonly refused: string;
};

/** Looks at the rights of the role, and uses none of them. Throws database_unavailable. */
export async function readRights(db: Database): Promise<Rights> {
  const [rights] = v.parse(rightsRow, await db.query(findRightsText));
  return rights;
}

/** Whether the table of migrations is there. Throws database_unsupported for a database that Janus cannot use. */
async function findTable(query: Query): Promise<boolean> {
  const [{ present, encoding, versionNumber }] = v.parse(tableRow, await query(findTableText));
  if (!ENCODINGS.includes(encoding)) {
    throw databaseUnsupported(
      `The database has the encoding ${encoding}, which cannot hold every name. Make one with the encoding UTF8: ` +
        "create database janus encoding 'UTF8' template template0.",
    );
  }
  const version = Math.floor(versionNumber / 10_000);
  if (version < LEAST_VERSION) {
    throw databaseUnsupported(
      `The database is PostgreSQL ${version}. Janus needs version ${LEAST_VERSION} or later.`,
    );
  }
  return present;
}

async function compare(query: Query, migrations: readonly Migration[]): Promise<MigrationStatus> {
  const applied = await listApplied(query);
  requireKnown(applied, migrations);
  const done = new Set(applied.map(({ version }) => version));
  return { applied, pending: migrations.filter(({ version }) => !done.has(version)) };
}

/** Throws database_newer, or migration_edited, where a database has applied other migrations than this program has. */
export function requireKnown(
  applied: readonly AppliedMigration[],
  migrations: readonly Migration[] = MIGRATIONS,
): void {
  const known = new Map(migrations.map((migration) => [migration.version, migration]));
  for (const { version, name, checksum } of applied) {
    const migration = known.get(version);
    if (migration === undefined) {
      throw databaseNewer(
        `The database has migration ${version} (${name}), which this Janus does not know: it was migrated by a ` +
          "newer one. Run that version or a later one.",
      );
    }
    if (sha256Hex(migration.text) !== checksum) {
      throw migrationEdited(
        `Migration ${version} (${name}) was edited after this database applied it. Restore the file as it was ` +
          "released, and put the change in a new migration.",
      );
    }
  }
}

async function apply(query: Query, migration: Migration, now: Date): Promise<void> {
  const { version, name, text } = migration;
  try {
    await query(text);
    await query(insertText, [version, name, sha256Hex(text), now]);
  } catch (error) {
    // The role lacks a right, which `translate` explains.
    if (isRefusal(error)) throw error;
    const why = error instanceof Error ? error.message : "unknown failure";
    throw migrationFailed(`Migration ${version} (${name}) failed, and nothing was applied: ${why}`, error);
  }
}
