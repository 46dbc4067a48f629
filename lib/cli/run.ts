/**
 * This room owns the command line, `janus <command>`: what each command is called with, what it prints, and the exit codes.
 *
 *   run.ts          the list of commands
 *   program.ts      makes a program of them
 *   commands/       one command a file; it adds itself to the program
 *   output.ts       how a command ends: its result, or its error, and the exit code
 *
 * The work itself is up to other rooms: the server to `server/`, what an operator does to `operator/`.
 */
import { readSources } from "../config/sources.ts";
import type { CreateApp } from "../server/listener.ts";
import type { AddCommand } from "./command.ts";
import { addAudit } from "./commands/audit.ts";
import { addAuditLog } from "./commands/audit_log.ts";
import { addBackup } from "./commands/backup.ts";
import { addBans } from "./commands/bans.ts";
import { addCompletions } from "./commands/completions.ts";
import { addConfigCheck } from "./commands/config_check.ts";
import { addDatabase } from "./commands/database.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addExplain } from "./commands/explain.ts";
import { addHealthcheck } from "./commands/healthcheck.ts";
import { addImport } from "./commands/import.ts";
import { addKeys } from "./commands/keys.ts";
import { addLinks } from "./commands/links.ts";
import { addMan } from "./commands/man.ts";
import { addMembers } from "./commands/members.ts";
import { addMetadata } from "./commands/metadata.ts";
import { addMigrate } from "./commands/migrate.ts";
import { addRegister } from "./commands/register.ts";
import { addRestore } from "./commands/restore.ts";
import { addServe, serve } from "./commands/serve.ts";
import { addSessions } from "./commands/sessions.ts";
import { addStats } from "./commands/stats.ts";
import { addStatus } from "./commands/status.ts";
import { addSync } from "./commands/sync.ts";
import { exitWithStatus, print } from "./output.ts";

/** Every command, in the order of the help. */
export const listCommands = (createApp: CreateApp): readonly AddCommand[] => [
  (program) => addServe(program, createApp),
  addMigrate,
  addRegister,
  addMetadata,
  addExplain,
  addSync,
  addImport,
  addHealthcheck,
  addAudit,
  addStatus,
  addBans,
  addBackup,
  addRestore,
  addDatabase,
  addLinks,
  addMembers,
  addSessions,
  addAuditLog,
  addStats,
  addConfigCheck,
  addDoctor,
  addKeys,
  addCompletions,
  addMan,
];

/** Runs `janus <args>`, and sets the exit code. */
export async function runCommand(args: readonly string[], createApp: CreateApp): Promise<void> {
  if (isPlainStart(args)) await exitWithStatus(async () => serve(createApp, await readSources([])));
  else await parseAndRun(args, listCommands(createApp));
}

/** A server that starts without options need not wait for commander to load: docs/decisions/0030 has the figures. */
const isPlainStart = ([command = "serve", ...rest]: readonly string[]): boolean =>
  command === "serve" && rest.length === 0;

/** Runs `janus migrate <args>`, and sets the exit code. */
export async function runMigrate(args: readonly string[]): Promise<void> {
  await parseAndRun(["migrate", ...args], [addMigrate]);
}

async function parseAndRun(args: readonly string[], commands: readonly AddCommand[]): Promise<void> {
  const json = wantsJson(args);
  await exitWithStatus(async () => {
    const { runProgram } = await import("./program.ts");
    const said = await runProgram(args, commands, json);
    if (said !== undefined) await print(said);
  }, json);
}

/** Looks at the words as they are: the error of words that cannot be parsed is JSON as well. */
const wantsJson = (args: readonly string[]): boolean => args.includes("--json");
