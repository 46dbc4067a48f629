/** The earlier service's tables in a file of SQLite. The file is opened for reading alone. */
import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import { importRefused } from "../../errors.ts";
import { describeCause } from "../../telemetry/log.ts";
import { printable } from "../../text/printable.ts";
import type { ReadEarlier } from "./tables.ts";
import {
  COUNT_UNFINISHED,
  LIST_LINKS,
  LIST_SQLITE_COLUMNS,
  readLink,
  readUnfinished,
  requireTables,
} from "./tables.ts";

/** How long the earlier service may hold the file, should it still run. */
const BUSY_MS = 5_000;

/** Reads them as they are at one moment. */
export const readSqlite =
  (path: string): ReadEarlier =>
  async (onLink) => {
    const name = printable(path);
    let database: Database | undefined;
    try {
      // Ids are larger than what a double holds. They are texts, unless somebody has changed the tables.
      database = new Database(path, { readonly: true, safeIntegers: true });
      database.run(`pragma busy_timeout = ${BUSY_MS}`);
      database.run("pragma query_only = on");
      return readAll(database, name, onLink);
    } catch (error) {
      const { causeCode = "" } = describeCause(error);
      if (!causeCode.startsWith("SQLITE_")) throw error;
      throw importRefused(`${name} cannot be read (${causeCode}). ${remedyOf(causeCode, path)}`);
    } finally {
      database?.close();
    }
  };

function readAll(database: Database, name: string, onLink: Parameters<ReadEarlier>[0]) {
  return database.transaction(() => {
    requireTables(database.query(LIST_SQLITE_COLUMNS).all(), name);
    for (const row of database.query(LIST_LINKS).iterate()) onLink(readLink(row, name));
    return { unfinished: readUnfinished(database.query(COUNT_UNFINISHED).get()) };
  })();
}

function remedyOf(code: string, path: string): string {
  if (!existsSync(path)) return "There is no such file.";
  if (code === "SQLITE_NOTADB") return "It is not a database of SQLite.";
  if (code.startsWith("SQLITE_BUSY")) return "Stop the earlier service first.";
  return (
    "If files of the same name that end in -wal and -shm lie beside it, copy all of them into a folder in which this account " +
    "may write, and name the copy."
  );
}
