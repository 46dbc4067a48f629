/** `janus stats`: figures for a report. It names nobody, and changes nothing. */
import type { Command } from "commander";
import { readDatabaseConfig } from "../../config/load.ts";
import { createQueries } from "../../database/queries.ts";
import { usage } from "../../errors.ts";
import { readStats } from "../../operator/stats.ts";
import { now } from "../../server/world.ts";
import { toJson } from "../../text/json_text.ts";
import { printable } from "../../text/printable.ts";
import { examples, readCommon, readEnvironmentFor } from "../command.ts";
import { print } from "../output.ts";
import { describeStats, statsAsJson } from "../stats_view.ts";
import { withStoredDatabase } from "../with_database.ts";

const DEFAULT_WEEKS = 8;
const MOST_WEEKS = 104;
const MOST_ECHOED = 120;

/** Adds the command. */
export function addStats(program: Command): void {
  program
    .command("stats")
    .option("--weeks <number>", `how many weeks; ${DEFAULT_WEEKS} unless given`, readWeeks)
    .description("print figures for a report: links, records, sign-ins by week, checks, browsers")
    .addHelpText("after", examples("janus stats", "janus stats --weeks 52 --json"))
    .action(async ({ weeks = DEFAULT_WEEKS }: { readonly weeks?: number }, command: Command) => {
      const { json } = readCommon(command);
      const config = readDatabaseConfig(await readEnvironmentFor(command));
      const stats = await withStoredDatabase(config, json, (db) =>
        readStats({ queries: createQueries(db), now }, weeks),
      );
      await print(json ? toJson(statsAsJson(stats)) : describeStats(stats));
    });
}

function readWeeks(word: string): number {
  const weeks = /^\d{1,3}$/.test(word) ? Number(word) : 0;
  if (weeks >= 1 && weeks <= MOST_WEEKS) return weeks;
  throw usage(
    `Not a number of weeks: ${printable(word, MOST_ECHOED)}.\nIt is a number from 1 to ${MOST_WEEKS}.`,
  );
}
