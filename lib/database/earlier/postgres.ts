/** The earlier service's tables in PostgreSQL. They are read in one transaction that cannot write. */
import { isDatabaseUrl, readDatabaseUrl } from "../../config/database_address.ts";
import { importRefused, JanusError } from "../../errors.ts";
import { openDatabase } from "../open.ts";
import type { Query } from "../run.ts";
import type { ReadEarlier } from "./tables.ts";
import {
  COUNT_UNFINISHED,
  LIST_PAGE,
  LIST_POSTGRES_COLUMNS,
  readLink,
  readUnfinished,
  requireTables,
} from "./tables.ts";

const WHERE = "The database of IMPORT_DATABASE_URL";
const PAGE_ROWS = 1_000;

/** Reads them as they are at one moment, page by page. No message repeats the address. */
export const readPostgres =
  (url: string): ReadEarlier =>
  async (onLink) => {
    requireAddress(url);
    // A pooler in front of it may know no prepared statements.
    const database = await openDatabase({ url, dataDir: "", prepare: false });
    try {
      return await database.transaction((query) => readAll(query, onLink));
    } catch (error) {
      if (!(error instanceof JanusError) || error.code === "import_refused") throw error;
      throw importRefused(`${WHERE} cannot be read: ${error.message}`);
    } finally {
      await database.close();
    }
  };

function requireAddress(url: string): void {
  if (!isDatabaseUrl(url))
    throw importRefused(
      "IMPORT_DATABASE_URL is not an address of PostgreSQL: write postgres://user:password@host:5432/database, with " +
        "# ? / @ % percent-encoded in a password.",
    );
  const read = readDatabaseUrl(url);
  if ("fault" in read) throw importRefused(read.fault.replaceAll("DATABASE_URL", "IMPORT_DATABASE_URL"));
}

async function readAll(query: Query, onLink: Parameters<ReadEarlier>[0]) {
  await query("set transaction isolation level repeatable read read only");
  requireTables(await query(LIST_POSTGRES_COLUMNS), WHERE);
  for (let after = ""; ; ) {
    const rows = await query(LIST_PAGE, [after, PAGE_ROWS]);
    for (const row of rows) {
      const link = readLink(row, WHERE);
      onLink(link);
      after = link.username;
    }
    if (rows.length < PAGE_ROWS) break;
  }
  const [row] = await query(COUNT_UNFINISHED);
  return { unfinished: readUnfinished(row) };
}
