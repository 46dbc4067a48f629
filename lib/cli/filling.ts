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
  readonly stop: AbortSignal;
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

/** Runs work that a signal may stop: then nothing was stored, and the exit code is that of the signal. */
export async function runUntilStopped(
  json: boolean,
  work: (stop: AbortSignal) => Promise<void>,
): Promise<void> {
  const { result: failure, signal } = await untilToldToStop(
    (stop) =>
      work(stop).then(
        () => undefined,
        (error: unknown) => ({ error }),
      ),
    () => void warn("stopping", json),
  );
  if (failure === undefined) return;
  if (signal === undefined) throw failure.error;
  endAsInterrupted(signal);
  await warn("Stopped before the end. Nothing is left of it.", json);
}

/** Does the work with a progress that it begins itself, and takes that away at the end. */
export async function withProgress<Result>(
  { environment, json, stop }: AskedFilling,
  work: (filling: Filling, onTotal: (rows: number) => void) => Promise<Result>,
): Promise<Result> {
  const progress = createLateProgress("rows", json);
  const filling = { now, operator: readOperatorName(environment), onRows: progress.tell, stop };
  try {
    return await work(filling, progress.begin);
  } finally {
    await progress.end();
  }
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
