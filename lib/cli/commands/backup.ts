/**
 * `janus backup`: a backup in one file, while servers go on. By pg_dump where the database is a PostgreSQL, and in Janus's own
 * form where it is the embedded one.
 */
import type { Command } from "commander";
import { readDatabaseUrl } from "../../config/database_address.ts";
import type { DatabaseConfig } from "../../config/database_settings.ts";
import { readDatabaseConfig } from "../../config/load.ts";
import type { Environment } from "../../config/sources.ts";
import { hasDatabase } from "../../database/embedded/open.ts";
import type { Database } from "../../database/open.ts";
import { openAlone } from "../../database/open.ts";
import { createQueries } from "../../database/queries.ts";
import {
  asJanusError,
  backupFailed,
  configInvalid,
  databaseUnavailable,
  JanusError,
  usage,
} from "../../errors.ts";
import type { MadeBackup, WriteBackup } from "../../operator/backup/make_backup.ts";
import { dumpOf, makeBackupFile, ownBackupOf, planDump } from "../../operator/backup/make_backup.ts";
import { requireFreeName } from "../../operator/new_file.ts";
import { noteBackup } from "../../operator/status.ts";
import { now } from "../../server/world.ts";
import { toJson } from "../../text/json_text.ts";
import { printable } from "../../text/printable.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import { runUntilStopped } from "../filling.ts";
import { print, warn, warnOfRisk, writeBytes } from "../output.ts";
import { createLateProgress } from "../progress.ts";
import { tellServer, withCopy } from "../server_copy.ts";
import { writesToTerminal } from "../terminal.ts";
import { withDatabaseOnce } from "../with_database.ts";

type Options = { readonly force?: boolean; readonly ownForm?: boolean };

/** What was asked for. */
type Asked = {
  readonly file: string;
  readonly force: boolean;
  readonly ownForm: boolean;
  readonly json: boolean;
  readonly config: DatabaseConfig;
  readonly environment: Environment;
  readonly stop: AbortSignal;
};

/** Standard output in place of a file. */
const OUTPUT = "-";

/** Adds the command. */
export function addBackup(program: Command): void {
  program
    .command("backup")
    .argument("<file>", "where to; - for standard output")
    .option("--force", "replace a file that is there")
    .option("--own-form", "with PostgreSQL: in Janus's own form, without pg_dump")
    .description("make a backup of the database in one file, while servers go on")
    .addHelpText(
      "after",
      examples(
        "janus backup janus.backup",
        "janus backup --force --json /var/backups/janus.backup",
        "janus backup - | age --recipients-file keys.txt > janus.backup.age",
      ),
    )
    .action(async (file: string, { force = false, ownForm = false }: Options, command: Command) => {
      const { json } = readCommon(command);
      if (file === OUTPUT && writesToTerminal())
        throw usage("A backup is no text for a terminal: name a file, or send it on with > or |.");
      const environment = await readEnvironmentFor(command);
      const config = readDatabaseConfig(environment);
      if (file !== OUTPUT) requireFreeName(file, { force });
      const asked = { file, force, ownForm, json, config, environment };
      await runUntilStopped(
        async (stop) => ({ done: await backUp({ ...asked, stop }) }),
        () => void warn("stopping", json),
        () => warn("Stopped before the end. No file is left.", json),
      );
    });
}

function backUp(asked: Asked): Promise<void> {
  return asked.config.database.url === undefined ? backUpEmbedded(asked) : backUpServer(asked);
}

/** Opens the database, or a copy of it where a server has it open. */
async function backUpEmbedded(asked: Asked): Promise<void> {
  const { dataDir } = asked.config.database;
  if (!hasDatabase(dataDir))
    throw databaseUnavailable(
      `there is no database in ${printable(dataDir)} yet: set DATA_DIR or DATABASE_URL as the server has it`,
    );
  let db: Database;
  try {
    db = await openAlone(asked.config.database);
  } catch (error) {
    if (!(error instanceof JanusError) || error.code !== "data_dir_locked") throw error;
    const made = await withCopy(dataDir, error, (copy) => writeOwn(copy, asked));
    return finish(made, asked, () => tellServer(dataDir, error));
  }
  try {
    await finish(await writeOwn(db, asked), asked, () => noteIn(db));
  } finally {
    await db.close();
  }
}

async function backUpServer(asked: Asked): Promise<void> {
  const { config, environment, json, ownForm } = asked;
  const plan = (db: Database) => planDump(db, ownForm ? undefined : (environment.PATH ?? ""));
  await withDatabaseOnce(config, json, plan, async (db, { program, ...planned }) => {
    const made =
      program === undefined ? await writeOwn(db, asked) : await writeDump({ program, ...planned }, asked);
    await finish(made, asked, () => noteIn(db));
  });
}

const noteIn = async (db: Database): Promise<void> =>
  void (await noteBackup({ queries: createQueries(db), now }));

/** Undefined where the backup went to standard output. */
type Made = MadeBackup | undefined;

async function writeOwn(db: Database, asked: Asked): Promise<Made> {
  const { json, stop } = asked;
  const progress = createLateProgress("rows", json);
  try {
    return await write(asked, ownBackupOf(db, { now, onTotal: progress.begin, onRows: progress.tell, stop }));
  } finally {
    await progress.end();
  }
}

async function writeDump(
  plan: Parameters<typeof dumpOf>[1] & { readonly tables: number },
  asked: Asked,
): Promise<Made> {
  const { config, environment, json, stop } = asked;
  const { url = "", password, libpq } = config.database;
  const read = readDatabaseUrl(url, libpq);
  if ("fault" in read) throw configInvalid(read.fault);
  const address = password === undefined ? read.address : { ...read.address, password };
  const progress = createLateProgress("tables", json);
  progress.begin(plan.tables);
  const onTables = (tables: number): void => void progress.tell(tables);
  try {
    return await write(asked, dumpOf(address, plan, { onTables, stop, environment }));
  } finally {
    await progress.end();
  }
}

async function write({ file, force, environment, stop }: Asked, writeTo: WriteBackup): Promise<Made> {
  if (file !== OUTPUT)
    return makeBackupFile(file, { force }, writeTo, { programs: environment.PATH ?? "", stop });
  await writeTo(writeBytes);
  return undefined;
}

/** Remembers the backup, and says what it is. */
async function finish(made: Made, { file, json, stop }: Asked, note: () => Promise<void>): Promise<void> {
  if (stop.aborted) throw backupFailed("stopped before the end");
  try {
    await note();
  } catch (error) {
    // The backup is made, and may be all that there is.
    const why = asJanusError(error).message;
    await warnOfRisk(`the backup is made, but janus status will not know of it: ${why}`, json);
  }
  if (made === undefined) return warn(`A backup was written to standard output. ${KEEP_KEYS}`, json);
  const { form, schema, tables, rows, bytes, takenAt } = made;
  await print(
    json
      ? toJson({ file, form, schema, tables, rows, bytes, taken_at: takenAt })
      : `${printable(file)} has ${rows} rows of ${tables} tables, in ${bytes} bytes, and was read to its end.\n${KEEP_KEYS}`,
  );
}

const KEEP_KEYS =
  "It has names, ids and claims of members as they are, and their tokens sealed. TOKEN_KEYS is not in it: keep it in another\n" +
  "place, since without it nobody can use the tokens.";
