/**
 * `janus doctor`: examines the whole set-up and says what is wrong and what to do. It asks every server little, changes
 * nothing and prints no secret.
 */
import { isatty } from "node:tty";
import type { Command } from "commander";
import { mergeSources } from "../../config/sources.ts";
import { openDatabase } from "../../database/open.ts";
import { examine } from "../../operator/doctor/examine.ts";
import { readSettings } from "../../operator/doctor/settings.ts";
import { createWorld } from "../../server/world.ts";
import { NO_LOG } from "../../telemetry/log.ts";
import { examples, readCommon, readSourcesFor } from "../command.ts";
import { formatReport, statusOf, titleOf } from "../doctor_report.ts";
import { endWithFaults, endWithFindings, print, showProgress } from "../output.ts";

const STANDARD_OUTPUT = 1;
const STANDARD_ERROR = 2;

/** Adds the command. */
export function addDoctor(program: Command): void {
  program
    .command("doctor")
    .description(
      "examine the configuration, the database, the proxy, Discord and the provider, and say what to do",
    )
    .addHelpText(
      "after",
      examples(
        "DISCORD_BOT_TOKEN_FILE=bot_token janus doctor      exit code 0: all is well, 1: warnings, 2: faults",
        "janus doctor --json",
      ),
    )
    .action(async (_: unknown, command: Command) => {
      const sources = await readSourcesFor(command);
      const { json } = readCommon(command);
      const hasProgress = !json && isatty(STANDARD_ERROR);
      const checks = await examine({
        settings: await readSettings(sources),
        world: createWorld(NO_LOG, { ref: true }),
        open: openDatabase,
        onProgress: (left) => {
          if (hasProgress)
            void showProgress(left.length === 0 ? "" : `examining: ${left.map(titleOf).join(", ")}`);
        },
      });
      const hasColours = isatty(STANDARD_OUTPUT) && !mergeSources(sources).NO_COLOR;
      await print(json ? JSON.stringify({ checks }) : formatReport(checks, hasColours));
      const status = statusOf(checks);
      if (status === 2) endWithFaults();
      if (status === 1) endWithFindings();
    });
}
