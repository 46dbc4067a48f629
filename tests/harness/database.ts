/**
 * A migrated database of its own for each test file: on the PostgreSQL that TEST_DATABASE_URL names, else embedded.
 * Never a mock: what a test proves about a statement holds for the program.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { type Database, openDatabase } from "../../lib/db.ts";
import { migrateUp } from "../../lib/migrations.ts";

export type TestDatabase = {
  readonly config: Parameters<typeof openDatabase>[0];
  readonly db: Database;
  /** Every row of a table as one text, for "nothing has changed" and for "no secret is in here". */
  readonly dump: () => Promise<string>;
  readonly rows: (text: string) => Promise<readonly Record<string, unknown>[]>;
  readonly drop: () => Promise<void>;
};

export const TABLES = [
  "discord_account",
  "discord_token",
  "organisation_account",
  "organisation_token",
  "link",
  "flow",
  "audit_event",
] as const;

const SERVER_URL = process.env.TEST_DATABASE_URL;

/** True when the suite runs on PostgreSQL, where several processes can share a database. */
export const onPostgres = SERVER_URL !== undefined;

/** Makes an empty database; `migrated: false` leaves it without tables. */
export async function createTestDatabase(
  options: { migrated?: boolean; prepare?: boolean } = {},
): Promise<TestDatabase> {
  const place = SERVER_URL === undefined ? await makeFolder() : await makeDatabase(SERVER_URL);
  const config = { url: undefined, dataDir: "unused", prepare: options.prepare ?? true, ...place.config };
  const db = await openDatabase(config);
  if (options.migrated !== false) await migrateUp(db, () => new Date());
  const rows = async (text: string) => (await db.query(text)) as readonly Record<string, unknown>[];
  return {
    config,
    db,
    rows,
    dump: async () => {
      const tables: string[] = [];
      for (const table of TABLES) {
        const lines = await rows(`select to_jsonb(${table}) as line from ${table} order by 1`);
        tables.push(`${table}\n${lines.map(({ line }) => JSON.stringify(line)).join("\n")}`);
      }
      return tables.join("\n\n");
    },
    drop: async () => {
      await db.close();
      await place.remove();
    },
  };
}

async function makeFolder() {
  const dataDir = await mkdtemp(join(tmpdir(), "janus-test-"));
  return { config: { dataDir }, remove: () => rm(dataDir, { recursive: true, force: true }) };
}

async function makeDatabase(serverUrl: string) {
  const name = `janus_test_${crypto.randomUUID().replaceAll("-", "")}`;
  const run = async (statement: string) => {
    const sql = postgres(serverUrl, { max: 1, onnotice: () => undefined });
    await sql.unsafe(statement).finally(() => sql.end());
  };
  await run(`create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { config: { url: url.href }, remove: () => run(`drop database ${name} with (force)`) };
}
