/** `janus status`: the state of an installation on one screen, for who takes it over or looks at it once a month. */
import type { Command } from "commander";
import { readAuditConfig } from "../../config/load.ts";
import type { Environment } from "../../config/sources.ts";
import { createQueries } from "../../database/queries.ts";
import { noteBackup, readStatus } from "../../operator/status.ts";
import { now } from "../../server/world.ts";
import { toJson } from "../../text/json_text.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import { endWithFindings, print } from "../output.ts";
import { describeStatus, statusAsJson } from "../status_view.ts";
import { withStoredDatabase } from "../with_database.ts";

/** Adds the command. Its exit code is 1 if something needs attention. */
export function addStatus(program: Command): void {
  program
    .command("status")
    .option("--backed-up", "remember that a backup was made now, and print nothing else")
    .description("show the state of the installation on one screen; exit code 1 if it needs your attention")
    .addHelpText(
      "after",
      examples(
        "janus status",
        "janus status --json",
        "pg_dump --format=custom --file=janus.dump janus && janus status --backed-up",
      ),
    )
    .action(async ({ backedUp = false }: { readonly backedUp?: boolean }, command: Command) => {
      const { json } = readCommon(command);
      const environment = await readEnvironmentFor(command);
      await print(backedUp ? await noteNow(json, environment) : await look(json, environment));
    });
}

/** Reads the state. Throws database_unavailable without a database. */
async function look(json: boolean, environment: Environment): Promise<string> {
  const config = readAuditConfig(environment);
  const status = await withStoredDatabase(config, json, (db) =>
    readStatus({ queries: createQueries(db), now }, config.tokenKeys),
  );
  if (status.attention.length > 0) endWithFindings();
  return json ? toJson(statusAsJson(status)) : describeStatus(status, now());
}

async function noteNow(json: boolean, environment: Environment): Promise<string> {
  const config = readAuditConfig(environment);
  const at = await withStoredDatabase(config, json, (db) => noteBackup({ queries: createQueries(db), now }));
  return json
    ? toJson({ backup_at: at })
    : `Janus remembers a backup of ${at.toISOString()}, and shows its age in janus status.`;
}
