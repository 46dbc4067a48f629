/**
 * `janus import`: links members as an earlier service had linked them, so that nobody links again. It reads a CSV, or the
 * tables of the earlier service, says what it would do, and asks.
 */
import type { Command } from "commander";
import type { ImportConfig } from "../../config/import_settings.ts";
import { readImportAddress, readImportConfig } from "../../config/import_settings.ts";
import type { Environment } from "../../config/sources.ts";
import { createSealer } from "../../crypto.ts";
import { createQueries } from "../../database/queries.ts";
import { usage } from "../../errors.ts";
import type { Collected } from "../../operator/import/collect.ts";
import { collectRows } from "../../operator/import/collect.ts";
import { createCsvSource } from "../../operator/import/csv.ts";
import { createPostgresSource, createSqliteSource } from "../../operator/import/earlier_tables.ts";
import type { ImportSource } from "../../operator/import/source.ts";
import type { Stored } from "../../operator/import/store.ts";
import { storeCandidates } from "../../operator/import/store.ts";
import { createWorld } from "../../server/world.ts";
import { NO_LOG } from "../../telemetry/log.ts";
import { printable } from "../../text/printable.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import type { Told } from "../import_view.ts";
import {
  counted,
  describeLeftOut,
  describeMembers,
  describeOthers,
  importToJson,
  leftOut,
} from "../import_view.ts";
import { readOperatorName } from "../operator_name.ts";
import { endAsInterrupted, endWithFindings, print, warn } from "../output.ts";
import { createProgress } from "../progress.ts";
import { canAsk, confirm, untilToldToStop } from "../terminal.ts";
import { withStoredDatabase } from "../with_database.ts";

type Options = {
  readonly csv?: string;
  readonly sqlite?: string;
  readonly postgres?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
};

/** Adds the command. Its exit code is 1 if rows are left out, or if nobody agreed. */
export function addImport(program: Command): void {
  program
    .command("import")
    .description("link members as an earlier service had linked them; exit code 1 if rows are left out")
    .option(
      "--csv <file>",
      "from a CSV: discord_user_id, then subject or username, then refresh_token or not",
    )
    .option("--sqlite <file>", "from the earlier Janus, whose tables are in a file of SQLite")
    .option("--postgres", "from the earlier Janus, whose tables are in the database of IMPORT_DATABASE_URL")
    .option("--dry-run", "say what would be imported, and change nothing")
    .option("--yes", "do not ask")
    .addHelpText(
      "after",
      examples(
        "janus import --csv members.csv --dry-run",
        "janus import --sqlite janus.db",
        "IMPORT_DATABASE_URL_FILE=old_database janus import --postgres --yes --json",
      ),
    )
    .action(async (options: Options, command: Command) => {
      const { json } = readCommon(command);
      const { dryRun = false, yes = false } = options;
      requireOneSource(options);
      if (!dryRun && !yes && (json || !canAsk()))
        throw usage("janus import asks before it changes anything. To agree beforehand, add --yes.");
      const environment = await readEnvironmentFor(command);
      const config = readImportConfig(environment);
      const source = findSource(options, environment);
      const operator = readOperatorName(environment);
      const asked = { json, isDryRun: dryRun, isAgreed: yes, seen: -1, operator };
      await importFrom(source, config, asked);
    });
}

/** Throws usage unless exactly one source is named. */
function requireOneSource({ csv, sqlite, postgres }: Options): void {
  const named = [csv, sqlite, postgres].filter((option) => option !== undefined);
  if (named.length !== 1)
    throw usage("Name one of --csv <file>, --sqlite <file> and --postgres.\nSee janus import --help.");
}

function findSource({ csv, sqlite }: Options, environment: Environment): ImportSource {
  if (csv !== undefined) return createCsvSource(csv);
  if (sqlite !== undefined) return createSqliteSource(sqlite);
  return createPostgresSource(readImportAddress(environment));
}

/** What was asked for. `isAgreed` outlasts a database that went away in between. */
type Asked = {
  readonly json: boolean;
  readonly isDryRun: boolean;
  readonly operator: string;
  isAgreed: boolean;
  /** How many rows the operator has seen to be left out. */
  seen: number;
};

type Ended = Awaited<ReturnType<typeof untilToldToStop<Stored>>>;

async function importFrom(source: ImportSource, config: ImportConfig, asked: Asked): Promise<void> {
  const { json, isDryRun } = asked;
  const tokenSealer = createSealer(config.tokenKeys, "link tokens");
  const { now } = createWorld(NO_LOG, { ref: true });
  const collected = await collectRows({ config, tokenSealer, now }, source);
  const ended = await withStoredDatabase(config, json, async (db) => {
    const deps = { queries: createQueries(db), now, config };
    const store = (isDry: boolean) => storeAll(deps, source, collected, { ...asked, isDryRun: isDry });
    const plan = await store(true);
    if (isDryRun || plan.signal !== undefined || plan.result.imported === 0) return plan;
    if (!(await agree({ source, collected, stored: plan.result }, config, asked))) return undefined;
    return store(false);
  });
  if (ended === undefined) {
    endWithFindings();
    return print("Nothing was changed.");
  }
  await tell({ source, collected, stored: ended.result }, ended.signal, asked);
}

/** Says what would be done, and asks, unless somebody has agreed. */
async function agree(told: Told, { issuer }: ImportConfig, asked: Asked): Promise<boolean> {
  if (asked.isAgreed) return true;
  const lines = [...describeLeftOut(told), ...describeOthers(told), ...describeMembers(told.stored)];
  if (lines.length > 0) await print(lines.join("\n"));
  asked.seen = leftOut(told).length;
  const links = counted(told.stored.imported, "link", "links");
  const members = `${links} to ${printable(issuer)} from ${told.source.name}`;
  asked.isAgreed = await confirm(
    `Import ${members}? From then on, the earlier service must not run: each of its Discord tokens works once.`,
  );
  return asked.isAgreed;
}

async function storeAll(
  deps: Parameters<typeof storeCandidates>[0],
  { kind }: ImportSource,
  { candidates }: Collected,
  { json, operator, isDryRun }: Asked,
): Promise<Ended> {
  const progress = createProgress(candidates.length, isDryRun ? "rows looked at" : "rows", json);
  try {
    await progress.tell(0);
    return await untilToldToStop(
      (stop) =>
        storeCandidates(deps, candidates, {
          operator,
          source: kind,
          isDryRun,
          stop,
          onProgress: progress.tell,
        }),
      () => void progress.end().then(() => warn(STOPPING, json)),
    );
  } finally {
    await progress.end();
  }
}

const STOPPING = "stopping as soon as the rows that were begun are done; Ctrl+C again ends at once";
const STOPPED =
  "stopped before the last row: what was imported stays, and the same command goes on from there";

async function tell(told: Told, signal: Ended["signal"], { json, isDryRun, seen }: Asked): Promise<void> {
  if (signal !== undefined) {
    endAsInterrupted(signal);
    await warn(STOPPED, json);
  } else if (leftOut(told).length > 0) endWithFindings();
  if (json) return print(importToJson(told, isDryRun));
  const { imported } = told.stored;
  const links = counted(imported, "link", "links");
  const isSeen = leftOut(told).length === seen;
  await print(
    [
      ...(isSeen ? [] : [...describeLeftOut(told), ...describeOthers(told), ...describeMembers(told.stored)]),
      isDryRun
        ? `${links} would be imported. Nothing was changed: this was a dry run.`
        : `${links} imported.`,
    ].join("\n"),
  );
}
