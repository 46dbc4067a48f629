/**
 * `janus doctor`: examines the whole set-up and says what is wrong and what to do. It asks every server little, changes
 * nothing and prints no secret.
 */
import type { Command } from "commander";
import type { Source } from "../../config/sources.ts";
import { mergeSources } from "../../config/sources.ts";
import { openDatabase } from "../../database/open.ts";
import { configInvalid } from "../../errors.ts";
import { examine } from "../../operator/doctor/examine.ts";
import { LOGIN_PATH, TICKET_SECONDS } from "../../operator/doctor/login.ts";
import { readSettings } from "../../operator/doctor/settings.ts";
import { issueToken } from "../../operator/doctor/token.ts";
import { createWorld, now } from "../../server/world.ts";
import { NO_LOG } from "../../telemetry/log.ts";
import { toJson } from "../../text/json_text.ts";
import { examples, readCommon, readSourcesFor } from "../command.ts";
import { formatReport, statusOf, titleOf } from "../doctor_report.ts";
import { endWithFaults, endWithFindings, print, showProgress } from "../output.ts";
import { canShowColours, canShowProgress } from "../terminal.ts";

/** Adds the command. */
export function addDoctor(program: Command): void {
  program
    .command("doctor")
    .description(
      "examine the configuration, the database, the proxy, Discord and the provider, and say what to do",
    )
    .option(
      "--login",
      "print an address at which you sign in once and see your claims, and what the rules make of them",
    )
    .addHelpText(
      "after",
      examples(
        "DISCORD_BOT_TOKEN_FILE=bot_token janus doctor      exit code 0: all is well, 1: warnings, 2: faults",
        "janus doctor --json",
        "janus doctor --login",
      ),
    )
    .action(async ({ login = false }: { readonly login?: boolean }, command: Command) => {
      const sources = await readSourcesFor(command);
      const { json } = readCommon(command);
      if (login) await print(await inviteToLogin(sources, json));
      else await report(sources, json);
    });
}

async function report(sources: readonly Source[], json: boolean): Promise<void> {
  const hasProgress = !json && canShowProgress();
  const checks = await examine({
    settings: await readSettings(sources),
    world: createWorld(NO_LOG, { ref: true }),
    open: openDatabase,
    onProgress: (left) => {
      if (!hasProgress) return;
      void showProgress(left.length === 0 ? "" : `examining: ${left.map(titleOf).join(", ")}`);
    },
  });
  const hasColours = canShowColours(mergeSources(sources));
  await print(json ? toJson({ checks }) : formatReport(checks, hasColours));
  const status = statusOf(checks);
  if (status === 2) endWithFaults();
  if (status === 1) endWithFindings();
}

/** The address at which the operator signs in. Throws config_invalid. */
async function inviteToLogin(sources: readonly Source[], json: boolean): Promise<string> {
  const { publicUrl, faults } = await readSettings(sources);
  if (publicUrl === undefined) throw configInvalid(faults ?? "PUBLIC_URL and COOKIE_SECRET are needed");
  const ticket = issueToken(publicUrl, "login", now());
  const address = `${publicUrl.publicUrl}${LOGIN_PATH}?${new URLSearchParams({ ticket: ticket.text })}`;
  if (json) return toJson({ login_url: address, valid_seconds: TICKET_SECONDS });
  return [
    `Open this address within ${TICKET_SECONDS / 60} minutes, once, and sign in at the provider:`,
    address,
    "The page after it shows your claims and what the rules make of them. Nothing is stored or linked.",
  ].join("\n");
}
