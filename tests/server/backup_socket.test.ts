/** The socket beside the embedded database, over which `janus backup` asks a running server for a copy. */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openEmbedded } from "../../lib/database/embedded/open.ts";
import { migrateUp } from "../../lib/database/migrations.ts";
import { openBackupSocket, SOCKET_NAME } from "../../lib/server/backup_socket.ts";
import { NO_LOG } from "../../lib/telemetry/log.ts";
import { createTestDatabase } from "../harness/database.ts";
import { useFolder, useForAll } from "../harness/hooks.ts";

const dataDir = useFolder("socket");
const socket = join(dataDir, SOCKET_NAME);
const NOW = new Date("2026-11-27T12:00:00Z");
const needs = { dataDir, now: () => NOW, log: NO_LOG };
const copies = () => readdirSync(dataDir).filter((name) => name.startsWith("copy-"));
const ask = (path: string, method = "POST", folder = dataDir) =>
  fetch(`http://localhost${path}`, { method, unix: join(folder, SOCKET_NAME) });

const stage = useForAll(
  async () => {
    const db = await openEmbedded({ dataDir });
    await migrateUp(db, () => NOW);
    return { db, opened: openBackupSocket({ ...needs, db }) };
  },
  async ({ db, opened }) => {
    await opened?.stop();
    await db.close();
  },
);

describe("the backup socket", () => {
  test("is a file that its owner alone can use", () => {
    expect(statSync(socket).mode & 0o777).toBe(0o600);
  });

  test("gives a copy that opens by itself, while statements go on", async () => {
    await stage.db.query("insert into discord_account values ('1', 'anna', null, now(), now())");
    const asked = ask("/copy");
    const others = Array.from({ length: 20 }, () =>
      stage.db.query("select count(*)::integer as count from link"),
    );

    const { folder } = (await (await asked).json()) as { folder: string };
    await Promise.all(others);
    await stage.db.query("insert into discord_account values ('2', 'bo', null, now(), now())");
    const copy = await openEmbedded({ dataDir: folder });
    const names = await copy.query("select username from discord_account");
    await copy.close();

    expect(names).toEqual([{ username: "anna" }]);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  test("removes copies that killed commands have left, once they are old", async () => {
    const [old, young] = [join(dataDir, "copy-old"), join(dataDir, "copy-young")];
    for (const folder of [old, young]) mkdirSync(folder);
    const ago = (seconds: number): Date => new Date(NOW.getTime() - seconds * 1_000);
    utimesSync(old, ago(3_700), ago(3_700));
    utimesSync(young, ago(60), ago(60));

    await ask("/copy");

    expect(copies()).toContain("copy-young");
    expect(copies()).not.toContain("copy-old");
  });

  test("remembers a backup", async () => {
    expect((await ask("/backed-up")).status).toBe(200);

    expect(await stage.db.query("select taken_at from backup")).toEqual([{ takenAt: NOW }]);
  });

  test.each([
    ["/copy", "GET", 405],
    ["/", "POST", 404],
    ["/copy/../../etc", "POST", 404],
  ])("answers %s by %s with %i, and copies nothing", async (path, method, status) => {
    const before = copies();

    expect((await ask(path, method)).status).toBe(status);
    expect(copies()).toEqual(before);
  });

  test("says why a copy failed, and leaves no half of one", async () => {
    const copyTo = async (folder: string): Promise<void> => {
      mkdirSync(folder);
      throw new Error("the disk is full");
    };
    const folder = join(dataDir, "failing");
    mkdirSync(folder);
    const other = openBackupSocket({ ...needs, dataDir: folder, db: { ...stage.db, copyTo } });

    const { status } = await ask("/copy", "POST", folder);
    await other?.stop();

    expect(status).toBe(500);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("is gone after the stop, and one that was left is replaced", async () => {
    const folder = join(dataDir, "left");
    mkdirSync(folder);
    // As after kill -9: a file is there, and nobody listens.
    writeFileSync(join(folder, SOCKET_NAME), "");

    const other = openBackupSocket({ ...needs, db: stage.db, dataDir: folder });
    const { status } = await ask("/backed-up", "POST", folder);
    await other?.stop();

    expect(status).toBe(200);
    expect(existsSync(join(folder, SOCKET_NAME))).toBe(false);
  });

  test("is not there without a database in a folder, or where no socket can be made", async () => {
    const memory = await createTestDatabase({ migrated: false });

    expect(openBackupSocket({ ...needs, db: memory.db })).toBeUndefined();
    expect(openBackupSocket({ ...needs, db: stage.db, dataDir: join(dataDir, "missing") })).toBeUndefined();
    await memory.drop();
  });

  test("works where its path is longer than the system's own limit", async () => {
    const long = join(dataDir, "x".repeat(150));
    mkdirSync(long);
    const other = openBackupSocket({ ...needs, db: stage.db, dataDir: long });

    const { status } = await ask("/backed-up", "POST", long);
    await other?.stop();

    expect(status).toBe(200);
  });
});
