/** `janus database move`: copies the embedded database into an empty PostgreSQL, after it has asked. */
import type { Command } from "commander";
import type { DatabaseConfig } from "../../config/database_settings.ts";
import { readDatabaseConfig } from "../../config/load.ts";
import { markMoved, refuseMoved } from "../../database/embedded/moved_mark.ts";
import { hasDatabase } from "../../database/embedded/open.ts";
import { openAlone } from "../../database/open.ts";
import type { Stored } from "../../database/rows.ts";
import { databaseUnavailable, usage } from "../../errors.ts";
import { moveDatabase, requireEmpty } from "../../operator/backup/fill.ts";
import { toJson } from "../../text/json_text.ts";
import { printable } from "../../text/printable.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import type { AskedFilling } from "../filling.ts";
import { fillUntilStopped, isAgreed, nameOfDatabase, requireAnswerable, warnOfLeftOut } from "../filling.ts";
import { print } from "../output.ts";
import { withDatabaseOnce } from "../with_database.ts";

/** Adds the command. Its exit code is 1 if nothing was moved. */
export function addDatabase(program: Command): void {
  const database = program
    .command("database")
    .helpCommand(false)
    .description("move the embedded database to PostgreSQL")
    .addHelpText("after", examples("janus database move"));
  database
    .command("move")
    .option("--yes", "do not ask")
    .description(
      "copy the embedded database in DATA_DIR to the empty one at DATABASE_URL; stop the server before",
    )
    .addHelpText(
      "after",
      examples(
        "DATABASE_URL=postgres://janus@db.example.org/janus DATABASE_PASSWORD_FILE=password janus database move",
        "janus database move --yes --json --env-file .env",
      ),
    )
    .action(async ({ yes = false }: { readonly yes?: boolean }, command: Command) => {
      const { json } = readCommon(command);
      requireAnswerable("janus database move", { yes, json });
      const environment = await readEnvironmentFor(command);
      const config = readDatabaseConfig(environment);
      await move(config, { environment, json, yes });
    });
}

async function move(config: DatabaseConfig, asked: AskedFilling): Promise<void> {
  const { url, dataDir } = config.database;
  if (url === undefined)
    throw usage(
      "DATABASE_URL says where the database is to go, and is not set. Set it, and its password, as the server is to have it.",
    );
  if (!hasDatabase(dataDir))
    throw databaseUnavailable(
      `there is no embedded database in ${printable(dataDir)}: set DATA_DIR to its folder`,
    );
  refuseMoved(dataDir);
  await withDatabaseOnce(
    config,
    asked.json,
    (db) => requireEmpty(db.query),
    async (to) => {
      // A server that has the folder open is refused here.
      const from = await openAlone({ ...config.database, url: undefined });
      try {
        if (!(await isAgreed(questionOf(config), asked))) return;
        const moved = await fillUntilStopped(asked, (filling, onTotal) =>
          moveDatabase(from, to, filling, onTotal),
        );
        if (moved === undefined) return;
        markMoved(dataDir);
        await tell(moved, dataDir, asked.json);
      } finally {
        await from.close();
      }
    },
  );
}

const questionOf = ({ database }: DatabaseConfig): string =>
  `The embedded database in ${printable(database.dataDir)} is to be copied to ${nameOfDatabase(database)}, which is empty. ` +
  "After that Janus opens the embedded one no more. Go on?";

async function tell({ rows, tables, leftOut }: Stored, dataDir: string, json: boolean): Promise<void> {
  await warnOfLeftOut(leftOut, json);
  await print(
    json
      ? toJson({ moved: rows, tables })
      : `${rows} rows of ${tables} tables moved, and compared with the embedded database.\n` +
          "Now start Janus with this DATABASE_URL.\n" +
          `${printable(dataDir)} stays as it is. Janus does not open it any more: janus.moved in it says how to go back.`,
  );
}
