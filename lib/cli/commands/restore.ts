/** `janus restore`: restores a backup into an empty database, after it has asked. */
import type { Command } from "commander";
import type { AuditConfig } from "../../config/load.ts";
import { readAuditConfig } from "../../config/load.ts";
import { hasDatabase } from "../../database/embedded/open.ts";
import type { Database } from "../../database/open.ts";
import { createQueries } from "../../database/queries.ts";
import { auditKeys } from "../../operator/audit.ts";
import type { Restored } from "../../operator/backup/fill.ts";
import { requireEmpty, restoreBackup } from "../../operator/backup/fill.ts";
import type { OpenBackup } from "../../operator/backup/open_backup.ts";
import { openBackup } from "../../operator/backup/open_backup.ts";
import { toJson } from "../../text/json_text.ts";
import { printable } from "../../text/printable.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import type { AskedFilling } from "../filling.ts";
import { fillUntilStopped, isAgreed, nameOfDatabase, requireAnswerable, warnOfLeftOut } from "../filling.ts";
import { print, warnOfRisk } from "../output.ts";
import { sayMeanwhile } from "../progress.ts";
import { withDatabaseOnce } from "../with_database.ts";

const HOUR_SECONDS = 3_600;

/** Adds the command. Its exit code is 1 if nothing was restored. */
export function addRestore(program: Command): void {
  program
    .command("restore")
    .argument("<file>", "a backup of janus backup, or of pg_dump --format=custom")
    .option("--yes", "do not ask")
    .description("restore a backup into an empty database; stop every server of it before")
    .addHelpText("after", examples("janus restore janus.backup", "janus restore --yes --json janus.backup"))
    .action(async (file: string, { yes = false }: { readonly yes?: boolean }, command: Command) => {
      const { json } = readCommon(command);
      requireAnswerable("janus restore", { yes, json });
      const environment = await readEnvironmentFor(command);
      const config = readAuditConfig(environment);
      await restore(file, config, { environment, json, yes });
    });
}

async function restore(file: string, config: AuditConfig, asked: AskedFilling): Promise<void> {
  const reading = { programs: asked.environment.PATH ?? "", stop: new AbortController().signal };
  const backup = await sayMeanwhile("reading the file to its end", asked.json, () =>
    openBackup(file, reading),
  );
  const question = questionOf(file, backup, config);
  const { url, dataDir } = config.database;
  // Opening the embedded database makes one, so it is asked for before.
  const isNew = url === undefined && !hasDatabase(dataDir);
  if (isNew && !(await isAgreed(question, asked))) return;
  await withDatabaseOnce(
    config,
    asked.json,
    (db) => requireEmpty(db.query),
    async (db) => {
      if (!isNew && !(await isAgreed(question, asked))) return;
      const restored = await fillUntilStopped(asked, (filling, onTotal) => {
        onTotal(backup.rows);
        return restoreBackup(db, backup, config.sync.everyHours * HOUR_SECONDS, filling);
      });
      if (restored !== undefined) await tell(db, config, backup, restored, asked.json);
    },
  );
}

const questionOf = (file: string, { takenAt, rows, schema }: OpenBackup, { database }: AuditConfig): string =>
  `${printable(file)} is a whole backup of ${printable(takenAt)}, with ${rows} rows and the schema ${schema}. It is to be ` +
  `restored into ${nameOfDatabase(database)}, which is empty. No server may be at work with tokens of that backup. Go on?`;

async function tell(
  db: Database,
  { tokenKeys }: AuditConfig,
  { takenAt, schema }: OpenBackup,
  { rows, tables, links, sessions, leftOut }: Restored,
  json: boolean,
): Promise<void> {
  await warnOfLeftOut(leftOut, json);
  const keys = await auditKeys({ queries: createQueries(db) }, tokenKeys);
  if (typeof keys !== "string")
    await warnOfRisk(`TOKEN_KEYS lacks keys that have sealed tokens: ${keys.examples.join(", ")}`, json);
  await print(
    json
      ? toJson({ restored: rows, tables, schema, taken_at: takenAt, links, sessions_ended: sessions })
      : `${rows} rows of ${tables} tables restored, and compared with the backup.\n` +
          `Sessions that were ended: ${sessions}. Links that are to be checked: ${links}.\n` +
          "Members keep their roles. Now see janus status, and docs/recovery.md for what a backup cannot know.",
  );
}
