/**
 * A migrated database of its own for each test file: on the PostgreSQL that TEST_DATABASE_URL names, else embedded.
 * Never a mock: what a test proves about a statement holds for the program.
 */
import { rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { sha256Hex } from "../../lib/crypto.ts";
import { IN_MEMORY, openEmbedded } from "../../lib/database/embedded/open.ts";
import { MIGRATIONS, migrateUp } from "../../lib/database/migrations.ts";
import type { Database } from "../../lib/database/open.ts";
import { openDatabase } from "../../lib/database/open.ts";

export type TestDatabase = {
  readonly config: Parameters<typeof openDatabase>[0];
  readonly db: Database;
  /** Every row of a table as one text, for "nothing has changed" and for "no secret is in here". */
  readonly dump: (tables?: readonly Table[]) => Promise<string>;
  readonly rows: (text: string) => Promise<readonly Record<string, unknown>[]>;
  readonly drop: () => Promise<void>;
};

export const TABLES = [
  "discord_account",
  "discord_token",
  "organisation_account",
  "organisation_token",
  "link",
  "scim_member",
  "scim_group",
  "scim_user",
  "flow",
  "session",
  "admin_session",
  "stray_token",
  "role_connection_left",
  "registration",
  "brake",
  "upstream_budget",
  "received_event",
  "event_count",
  "audit_retention",
  "backup",
  "ban",
  "audit_event",
] as const;

/** A table of a member, or of what is known of them. */
export type Table = (typeof TABLES)[number];

/** All but tokens of sign-ins that came to nothing, which are kept to be revoked. */
export const WITHOUT_STRAYS: readonly Table[] = TABLES.filter((table) => table !== "stray_token");

/** What happened is never removed, which the database sees to. */
const EMPTIED_TABLES = TABLES.filter((table) => table !== "audit_event");

/** Leaves a database as if it were new, but for the trail: a new one takes much longer. */
export async function emptyDatabase({ rows }: TestDatabase): Promise<void> {
  // In one statement, so that no foreign key minds the order. `truncate` takes twenty times as long: it makes new files.
  const emptied = EMPTIED_TABLES.map((table) => `${table}_emptied as (delete from ${table})`);
  await rows(`with ${emptied.join(", ")} select`);
}

const SERVER_URL = process.env.TEST_DATABASE_URL;

/** True when the suite runs on PostgreSQL, where several processes can share a database. */
export const onPostgres = SERVER_URL !== undefined;

/** Makes a database of its own; `migrated: false` leaves it without tables. */
export async function createTestDatabase(
  options: { readonly migrated?: boolean; readonly prepare?: boolean } = {},
): Promise<TestDatabase> {
  const migrated = options.migrated ?? true;
  if (SERVER_URL === undefined) return describeDatabase(await openFromTemplate(migrated), UNUSED, NOTHING);
  const { url, remove } = await makeDatabase(SERVER_URL);
  const config = { ...UNUSED, url, prepare: options.prepare ?? true };
  const db = await openDatabase(config);
  if (migrated) await migrateUp(db, () => new Date());
  return describeDatabase(db, config, remove);
}

const UNUSED = { url: undefined, dataDir: "unused", prepare: true };
const NOTHING = (): Promise<void> => Promise.resolve();

function describeDatabase(
  db: Database,
  config: TestDatabase["config"],
  remove: () => Promise<void>,
): TestDatabase {
  const rows = async (text: string) => (await db.query(text)) as readonly Record<string, unknown>[];
  return {
    config,
    db,
    rows,
    dump: async (wanted = TABLES) => {
      const tables: string[] = [];
      for (const table of wanted) {
        const lines = await rows(`select to_jsonb(${table}) as line from ${table} order by 1`);
        tables.push(`${table}\n${lines.map(({ line }) => JSON.stringify(line)).join("\n")}`);
      }
      return tables.join("\n\n");
    },
    drop: async () => {
      await db.close();
      await remove();
    },
  };
}

const openFromTemplate = async (migrated: boolean): Promise<Database> =>
  openEmbedded({ dataDir: IN_MEMORY, template: await findTemplate(migrated) });

/** What an embedded database begins as. It is made once for a machine and a set of migrations. */
export async function findTemplate(migrated: boolean): Promise<Blob> {
  // The lock file stands for the version of PGlite.
  const lock = await Bun.file(join(import.meta.dir, "../../bun.lock")).text();
  const key = sha256Hex(JSON.stringify([lock, migrated ? MIGRATIONS : [], SPARE_DATABASES])).slice(0, 16);
  const path = join(tmpdir(), `janus-test-template-${key}.tar`);
  if (!(await Bun.file(path).exists())) await makeTemplate(migrated, path);
  return Bun.file(path);
}

/** What others are made from, and nobody makes one: two thirds of the files that each test file would unpack. */
const SPARE_DATABASES = ["template0", "template1"];

async function makeTemplate(migrated: boolean, path: string): Promise<void> {
  const db = await openEmbedded({ dataDir: IN_MEMORY });
  if (migrated) await migrateUp(db, () => new Date());
  await dropSpareDatabases(db);
  // Renamed into its place: test files that run in parallel make it at the same time.
  const unfinished = `${path}.${crypto.randomUUID()}`;
  await Bun.write(unfinished, await db.dump());
  await rename(unfinished, path);
  await db.close();
}

async function dropSpareDatabases(db: Database): Promise<void> {
  await db.query("update pg_database set datistemplate = false");
  for (const spare of SPARE_DATABASES) await db.query(`drop database ${spare}`);
}

async function makeDatabase(serverUrl: string): Promise<{ url: string; remove: () => Promise<void> }> {
  const name = `janus_test_${crypto.randomUUID().replaceAll("-", "")}`;
  const run = async (statement: string) => {
    const sql = postgres(serverUrl, { max: 1, onnotice: () => undefined });
    await sql.unsafe(statement).finally(() => sql.end());
  };
  await run(`create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { url: url.href, remove: () => run(`drop database ${name} with (force)`) };
}
