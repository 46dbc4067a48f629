/**
 * The database that every embedded one begins as, which the binary carries. It is made from nothing each time and comes
 * out the same to the byte, so that two builds of one commit do.
 */
import nodeCrypto from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ASSETS } from "../lib/database/embedded/assets.ts";
import { openEmbedded } from "../lib/database/embedded/open.ts";

/**
 * Makes it in this folder and returns its path: what PGlite's `initdb` leaves, shut down in good order, and without a
 * table of ours, which migrations make at the start as they always do.
 */
export async function makeTemplate(folder: string): Promise<string> {
  const work = await mkdtemp(join(tmpdir(), "janus-template-"));
  try {
    await withoutTimeAndChance(async () => {
      const embedded = await openEmbedded({ dataDir: work });
      await embedded.close();
    });
    const path = join(folder, ASSETS.template);
    await Bun.write(path, await pack(join(work, "postgres")));
    return path;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Any will do, but it must be the same one always. */
const MADE_AT_SECONDS = 1_700_000_000;

/**
 * `initdb` draws the database's identifier, and a nonce that keeps it from telling strangers which users there are.
 * Neither is a secret here: nobody signs in to this PostgreSQL, and no other follows it.
 */
async function withoutTimeAndChance(work: () => Promise<void>): Promise<void> {
  const { now } = Date;
  const { randomFillSync } = nodeCrypto;
  Date.now = () => MADE_AT_SECONDS * 1_000;
  Reflect.set(nodeCrypto, "randomFillSync", (bytes: Uint8Array) => bytes.fill(1));
  try {
    await work();
  } finally {
    Date.now = now;
    Reflect.set(nodeCrypto, "randomFillSync", randomFillSync);
  }
}

async function pack(folder: string): Promise<Uint8Array<ArrayBuffer>> {
  const entries: Record<string, Uint8Array | string> = {};
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = found.map((entry) => ({ entry, path: join(entry.parentPath, entry.name) }));
  for (const { entry, path } of paths.sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const name = path.slice(folder.length + 1);
    // PostgreSQL wants its empty folders.
    if (entry.isDirectory()) entries[`${name}/`] = "";
    else entries[name] = await Bun.file(path).bytes();
  }
  const tar = await new Bun.Archive(entries).bytes();
  setTimes(Buffer.from(tar.buffer));
  return Bun.gzipSync(tar, { level: 9 });
}

const BLOCK_BYTES = 512;

/** Every entry's time, and with it the sum of its header's bytes. POSIX.1-1988, ustar */
function setTimes(tar: Buffer): void {
  for (let at = 0; at < tar.length && tar[at] !== 0; ) {
    const header = tar.subarray(at, at + BLOCK_BYTES);
    header.write(`${MADE_AT_SECONDS.toString(8).padStart(11, "0")} `, 136, "latin1");
    header.fill(" ", 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    const size = Number.parseInt(header.toString("latin1", 124, 136), 8);
    at += BLOCK_BYTES * (1 + Math.ceil(size / BLOCK_BYTES));
  }
}
