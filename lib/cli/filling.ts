/**
 * What `janus restore` and `janus database move` have in common: they fill an empty database. They ask first, say how far
 * they are, and stop without a trace.
 */

import { readDatabaseUrl } from "../config/database_address.ts";
import type { DatabaseConfig } from "../config/database_settings.ts";
import type { Environment } from "../config/sources.ts";
import { usage } from "../errors.ts";
import type { Filling } from "../operator/backup/fill.ts";
import { now } from "../server/world.ts";
import { printable } from "../text/printable.ts";
import { readOperatorName } from "./operator_name.ts";
import { endAsInterrupted, endWithFindings, print, warn, warnOfRisk } from "./output.ts";
import { createLateProgress } from "./progress.ts";
import { canAsk, confirm, untilToldToStop } from "./terminal.ts";

/** What was asked for. */
export type AskedFilling = {
  readonly environment: Environment;
  readonly json: boolean;
  readonly yes: boolean;
};

/** Throws usage where nobody could answer the question. */
export function requireAnswerable(name: string, { yes, json }: Pick<AskedFilling, "yes" | "json">): void {
  if (!yes && (json || !canAsk()))
    throw usage(`${name} asks before it changes anything. To agree beforehand, add --yes.`);
}

/** Whether somebody agrees. If not, it says that nothing was changed. */
export async function isAgreed(question: string, { yes }: AskedFilling): Promise<boolean> {
  if (yes || (await confirm(question))) return true;
  endWithFindings();
  await print("Nothing was changed.");
  return false;
}

/**
 * Does the work with a progress that it begins itself. A signal may stop it: then nothing was stored, the exit code is that
 * of the signal, and the result is undefined. Until here Ctrl+C ends the command at once, also at the question.
 */
export async function fillUntilStopped<Result extends object>(
  { environment, json }: AskedFilling,
  work: (filling: Filling, onTotal: (rows: number) => void) => Promise<Result>,
): Promise<Result | undefined> {
  const progress = createLateProgress("rows", json);
  const operator = readOperatorName(environment);
  const stopping = (): void => void progress.end().then(() => warn("stopping", json));
  try {
    return await runUntilStopped(
      (stop) => work({ now, operator, onRows: progress.tell, stop }, progress.begin),
      stopping,
      () => warn("Stopped before the end. Nothing is left of it.", json),
    );
  } finally {
    await progress.end();
  }
}

/** Runs work that a signal may stop. Its failure after that is no news: the result is undefined. */
export async function runUntilStopped<Result extends object>(
  work: (stop: AbortSignal) => Promise<Result>,
  onStop: () => void,
  onStopped: () => Promise<void>,
): Promise<Result | undefined> {
  const { result, signal } = await untilToldToStop(
    (stop) =>
      work(stop).then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      ),
    onStop,
  );
  if ("value" in result) return result.value;
  if (signal === undefined) throw result.error;
  endAsInterrupted(signal);
  await onStopped();
  return undefined;
}

/** Tells of tables that belong to another program. */
export async function warnOfLeftOut(leftOut: readonly string[], json: boolean): Promise<void> {
  if (leftOut.length === 0) return;
  const names = leftOut.map((name) => printable(name)).join(", ");
  await warnOfRisk(`left out, since they are no tables of Janus: ${names}`, json);
}

/** Names a database, without a password. */
export function nameOfDatabase({ url, dataDir, libpq }: DatabaseConfig["database"]): string {
  if (url === undefined) return `the embedded database in ${printable(dataDir)}`;
  const read = readDatabaseUrl(url, libpq);
  if ("fault" in read) return "the database";
  const { servers, database = "of the default name" } = read.address;
  const where = servers.map(({ host, port }) => `${host}:${port}`).join(",");
  return `the database ${printable(database)}${where === "" ? "" : ` at ${printable(where)}`}`;
}
