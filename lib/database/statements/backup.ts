/**
 * Backups: when the last one was made, what a restored database needs, and how the rows of every table are read and stored
 * again as they are. The statements of `sql/backup`. Those of rows need functions that `database/rows.ts` creates first.
 */
import * as v from "valibot";
import countRowsText from "../../../sql/backup/count_rows.sql" with { type: "text" };
import createCountRowsText from "../../../sql/backup/create_count_rows.sql" with { type: "text" };
import createInsertRowsText from "../../../sql/backup/create_insert_rows.sql" with { type: "text" };
import createNextRowsText from "../../../sql/backup/create_next_rows.sql" with { type: "text" };
import createOpenRowsText from "../../../sql/backup/create_open_rows.sql" with { type: "text" };
import createSetTriggersText from "../../../sql/backup/create_set_triggers.sql" with { type: "text" };
import findBackupText from "../../../sql/backup/find.sql" with { type: "text" };
import findSchemaText from "../../../sql/backup/find_schema.sql" with { type: "text" };
import insertRowsText from "../../../sql/backup/insert_rows.sql" with { type: "text" };
import listNextRowsText from "../../../sql/backup/list_next.sql" with { type: "text" };
import listTablesText from "../../../sql/backup/list_tables.sql" with { type: "text" };
import setOpenedText from "../../../sql/backup/set_opened.sql" with { type: "text" };
import setRestoredText from "../../../sql/backup/set_restored.sql" with { type: "text" };
import setTriggersText from "../../../sql/backup/set_triggers.sql" with { type: "text" };
import upsertBackupText from "../../../sql/backup/upsert.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { integer, nullableTime, text, time } from "../statement.ts";

const columnNames = v.pipe(v.array(text), v.readonly());
const isBoolean = v.boolean();

/** Parameters and columns as the files have them. */
export const BACKUP_STATEMENTS = {
  findBackup: {
    text: findBackupText,
    gives: "row",
    parameters: {},
    row: { takenAt: nullableTime, restoredAt: nullableTime, databaseVersion: text, databaseKib: integer },
  },
  upsertBackup: {
    text: upsertBackupText,
    gives: "nothing",
    parameters: { takenAt: time },
  },
  setRestored: {
    text: setRestoredText,
    gives: "row",
    parameters: { spreadSeconds: integer, now: time },
    row: { links: integer, sessions: integer },
  },
  findSchema: {
    text: findSchemaText,
    gives: "row",
    parameters: {},
    row: { schemaName: text, serverVersion: integer, isEmpty: isBoolean },
  },
  listTables: {
    text: listTablesText,
    gives: "rows",
    parameters: {},
    row: { tableName: text, columnNames },
  },
  createCountRows: { text: createCountRowsText, gives: "nothing", parameters: {} },
  createInsertRows: { text: createInsertRowsText, gives: "nothing", parameters: {} },
  createNextRows: { text: createNextRowsText, gives: "nothing", parameters: {} },
  createOpenRows: { text: createOpenRowsText, gives: "nothing", parameters: {} },
  createSetTriggers: { text: createSetTriggersText, gives: "nothing", parameters: {} },
  countRows: {
    text: countRowsText,
    gives: "row",
    parameters: { tableName: text },
    row: { rows: integer },
  },
  setOpened: {
    text: setOpenedText,
    gives: "row",
    parameters: { tableName: text, columnNames },
    row: { tableName: text },
  },
  listNextRows: {
    text: listNextRowsText,
    gives: "rows",
    parameters: { limit: integer },
    row: { line: text },
  },
  insertRows: {
    text: insertRowsText,
    gives: "row",
    parameters: { tableName: text, columnNames, lines: text },
    row: { rows: integer },
  },
  setTriggers: {
    text: setTriggersText,
    gives: "row",
    parameters: { tableName: text, isOn: isBoolean },
    row: { tableName: text },
  },
} as const satisfies Record<string, Statement>;
