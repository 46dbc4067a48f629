/**
 * When the last backup was made, as far as Janus was told. The statements of `sql/backup`.
 */
import findBackupText from "../../../sql/backup/find.sql" with { type: "text" };
import upsertBackupText from "../../../sql/backup/upsert.sql" with { type: "text" };
import type { Statement } from "../statement.ts";
import { integer, nullableTime, text, time } from "../statement.ts";

/** Parameters and columns as the files have them. */
export const BACKUP_STATEMENTS = {
  findBackup: {
    text: findBackupText,
    gives: "row",
    parameters: {},
    row: { takenAt: nullableTime, databaseVersion: text, databaseKib: integer },
  },
  upsertBackup: {
    text: upsertBackupText,
    gives: "nothing",
    parameters: { takenAt: time },
  },
} as const satisfies Record<string, Statement>;
