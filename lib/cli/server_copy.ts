/**
 * How a command reads the embedded database while a server has it open: it asks that server for a copy, over the socket in
 * DATA_DIR, and opens the copy. What the server answers to is in `server/backup_socket.ts`.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import type { Database } from "../database/open.ts";
import { openAlone } from "../database/open.ts";
import type { JanusError } from "../errors.ts";
import { backupFailed } from "../errors.ts";
import { SOCKET_NAME } from "../server/backup_socket.ts";
import { printable } from "../text/printable.ts";
import { settlesWithin } from "../time.ts";

/** The copy of a small database takes a second. */
const DEADLINE_MS = 240_000;
const MOST_ECHOED = 400;

const copySchema = v.object({ folder: v.string() });
const faultSchema = v.object({ code: v.string(), message: v.string() });

/**
 * Does work with a copy, which is removed after it. `locked` is why the database itself cannot be opened, and is thrown where
 * no server answers. Throws backup_failed, and what the work throws.
 */
export async function withCopy<Result>(
  dataDir: string,
  locked: JanusError,
  work: (db: Database) => Promise<Result>,
): Promise<Result> {
  const { folder } = v.parse(copySchema, await ask(dataDir, "/copy", locked));
  try {
    const db = await openAlone({ url: undefined, prepare: true, dataDir: folder });
    try {
      return await work(db);
    } finally {
      await db.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Has the server remember a backup. Throws as `withCopy`. */
export async function tellServer(dataDir: string, locked: JanusError): Promise<void> {
  await ask(dataDir, "/backed-up", locked);
}

async function ask(dataDir: string, path: string, locked: JanusError): Promise<unknown> {
  const url = `http://localhost${path}`;
  const asked = fetch(url, { method: "POST", unix: join(dataDir, SOCKET_NAME) });
  if (!(await settlesWithin(asked, DEADLINE_MS)))
    throw backupFailed("the server gives no answer: see its log");
  let response: Response;
  try {
    response = await asked;
  } catch {
    // Nobody listens there: another command has the database, or a server that is starting or has no socket.
    throw locked;
  }
  const body: unknown = await response.json();
  if (response.ok) return body;
  const fault = v.safeParse(faultSchema, body);
  const why = fault.success ? fault.output.message : `status ${response.status}`;
  throw backupFailed(`the server could not copy the database: ${printable(why, MOST_ECHOED)}`);
}
