/** Backups in Janus's own form, and how an empty database is filled: whole, or not at all. */
import { beforeEach, describe, expect, test } from "bun:test";
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { MIGRATIONS, migrateUp, TABLE_NAMES } from "../../lib/database/migrations.ts";
import type { Database } from "../../lib/database/open.ts";
import { moveDatabase, restoreBackup } from "../../lib/operator/backup/fill.ts";
import { makeBackupFile, ownBackupOf } from "../../lib/operator/backup/make_backup.ts";
import { openBackup } from "../../lib/operator/backup/open_backup.ts";
import { contentsOf, fillDatabase } from "../fixtures/full_database.ts";
import type { TestDatabase } from "../harness/database.ts";
import { createTestDatabase } from "../harness/database.ts";
import { useDatabase, useFolder } from "../harness/hooks.ts";
import { codeOf, rejection } from "../harness/rejection.ts";

const folder = useFolder("backup_files");
const database = useDatabase();
beforeEach(() => fillDatabase(database));

const NOW = new Date("2026-11-27T12:00:00Z");
const NEVER = new AbortController().signal;
const ignore = (): Promise<void> => Promise.resolve();
const reading = { programs: "", stop: NEVER };
const filling = { now: () => NOW, operator: "anna", onRows: ignore, stop: NEVER };

let files = 0;
const newPath = (): string => {
  files += 1;
  return join(folder, `${files}.backup`);
};

async function backUp(db: Database = database.db): Promise<string> {
  const path = newPath();
  const write = ownBackupOf(db, { now: () => NOW, onTotal: () => undefined, onRows: ignore, stop: NEVER });
  await makeBackupFile(path, { force: false }, write, reading);
  return path;
}

/** Does work with a database without a table. */
async function withEmpty<Result>(work: (target: TestDatabase) => Promise<Result>): Promise<Result> {
  const target = await createTestDatabase({ migrated: false });
  try {
    return await work(target);
  } finally {
    await target.drop();
  }
}

const restore = async (path: string, target: TestDatabase) =>
  restoreBackup(target.db, await openBackup(path, reading), 86_400, filling);

describe("a move", () => {
  test("copies every row of every table as it is", () =>
    withEmpty(async (target) => {
      const before = await contentsOf(database);

      const moved = await moveDatabase(database.db, target.db, filling, () => undefined);

      expect(await contentsOf(target)).toBe(before);
      expect(await contentsOf(database)).toBe(before);
      expect(moved).toMatchObject({ tables: TABLE_NAMES.length, leftOut: [] });
      const trail = "select action, operator, detail from audit_event order by audit_event_id desc limit 1";
      expect(await target.rows(trail)).toEqual([
        { action: "database_moved", operator: "anna", detail: { rows: moved.rows } },
      ]);
    }));

  test("names tables that are none of Janus's, and leaves them out", () =>
    withEmpty(async (target) => {
      await database.rows('create table "Odd; table" (a integer)');
      await database.rows('insert into "Odd; table" values (1), (2)');

      const moved = await moveDatabase(database.db, target.db, filling, () => undefined).finally(() =>
        database.rows('drop table "Odd; table"'),
      );

      expect(moved.leftOut).toEqual(["Odd; table"]);
      expect(await target.rows("select relname from pg_class where relname like 'Odd%'")).toEqual([]);
    }));

  test("leaves triggers on, and numbers go on after the highest", () =>
    withEmpty(async (target) => {
      await moveDatabase(database.db, target.db, filling, () => undefined);

      const off = await target.rows(
        "select tgname from pg_trigger where not tgisinternal and tgenabled = 'D'",
      );
      const change = codeOf(target.db.query("update audit_event set action = 'linked'"));
      const [numbers] = await target.rows(
        "select count(*)::integer = max(audit_event_id)::integer - min(audit_event_id)::integer + 1 as is_dense from audit_event",
      );

      expect(off).toEqual([]);
      expect(await change).not.toBe("no error");
      expect(numbers).toEqual({ isDense: true });
    }));

  test("refuses a database that has tables, and changes nothing there", async () => {
    const target = await createTestDatabase();
    const before = await contentsOf(target);

    const code = await codeOf(moveDatabase(database.db, target.db, filling, () => undefined));

    expect(code).toBe("database_not_empty");
    expect(await contentsOf(target)).toBe(before);
    await target.drop();
  });

  test("that is stopped half-way leaves the other database without a table", () =>
    withEmpty(async (target) => {
      const stopping = new AbortController();
      const onRows = async (rows: number): Promise<void> => {
        if (rows > 100) stopping.abort();
      };

      const code = await codeOf(
        moveDatabase(database.db, target.db, { ...filling, onRows, stop: stopping.signal }, () => undefined),
      );

      expect(code).toBe("backup_failed");
      expect(await target.rows("select relname from pg_class where relname = 'link'")).toEqual([]);
    }));
});

describe("a backup in Janus's own form", () => {
  test("is of its owner alone, and has no secret in it that the database does not have", async () => {
    const path = await backUp();

    const [first = ""] = gunzipSync(readFileSync(path)).toString().split("\n");
    const { mode } = await Bun.file(path).stat();

    expect(mode & 0o777).toBe(0o600);
    expect(JSON.parse(first)).toMatchObject({ janus_backup: 1, taken_at: NOW.toISOString() });
  });

  test("brings every row back, but for what a restored database needs", () =>
    withEmpty(async (target) => {
      const tables = [
        "discord_account",
        "organisation_account",
        "scim_group",
        "scim_user",
        "scim_member",
      ] as const;
      const before = await database.dump(tables);
      const path = await backUp();

      const restored = await restore(path, target);

      expect(await target.dump(tables)).toBe(before);
      expect(restored.links).toBeGreaterThan(100);
      expect(
        await target.rows("select operator, detail from audit_event where action = 'database_restored'"),
      ).toEqual([{ operator: "anna", detail: { taken_at: NOW.toISOString(), rows: restored.rows } }]);
    }));

  test("of an earlier release is migrated", () =>
    withEmpty((old) =>
      withEmpty(async (target) => {
        await migrateUp(old.db, () => NOW, MIGRATIONS.slice(0, 18));
        await old.rows("insert into discord_account values ('1', 'anna', null, now(), now())");
        const path = await backUp(old.db);

        await restore(path, target);

        const names = await target.rows("select username from discord_account");
        const [last] = await target.rows("select max(version)::integer as version from schema_migration");
        expect([names, last]).toEqual([[{ username: "anna" }], { version: MIGRATIONS.at(-1)?.version }]);
      }),
    ));

  const rewritten = async (change: (text: string) => string): Promise<string> => {
    const path = newPath();
    const text = gunzipSync(readFileSync(await backUp())).toString();
    writeFileSync(path, gzipSync(change(text)));
    return path;
  };

  test.each([
    ["of a newer Janus", "database_newer", (text: string) => text.replace(/"version":1,/, '"version":9999,')],
    [
      "whose migration was another",
      "migration_edited",
      (text: string) => text.replace(/"checksum":"../, '"checksum":"zz'),
    ],
    [
      "of another form",
      "backup_unreadable",
      (text: string) => text.replace('"janus_backup":1', '"janus_backup":2'),
    ],
    ["with a row too many", "backup_unreadable", (text: string) => text.replace(/^(\[.*\n)/m, "$1$1")],
    ["with another value", "backup_unreadable", (text: string) => text.replace('["900007"', '["900307"')],
    ["that goes on after its end", "backup_unreadable", (text: string) => `${text}[]\n`],
    ["without its last line", "backup_unreadable", (text: string) => text.replace(/[^\n]*\n$/, "")],
  ])("%s is refused with %s before anything is stored", async (_, code, change) => {
    const path = await rewritten((text) => {
      // The head has its own checksum in the last line, which is looked at after it.
      const changed = change(text);
      expect(changed).not.toBe(text);
      return code.startsWith("backup") ? changed : withChecksum(changed);
    });

    expect(await codeOf(openBackup(path, reading))).toBe(code);
  });

  test("that was cut off anywhere, or has another byte anywhere, is refused", async () => {
    const whole = readFileSync(await backUp());
    const path = newPath();
    const opens = async (bytes: Uint8Array): Promise<string> => {
      writeFileSync(path, bytes);
      return codeOf(openBackup(path, reading));
    };
    // The first ten bytes are gzip's own: a time, a system and flags, which change nothing of what is in it.
    const place = fc.integer({ min: 10, max: whole.length - 1 });

    await fc.assert(
      fc.asyncProperty(place, fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const other = Buffer.from(whole);
        other[at] = (other[at] ?? 0) ^ change;

        expect(await opens(whole.subarray(0, at))).toBe("backup_unreadable");
        expect(await opens(other)).toBe("backup_unreadable");
      }),
      { numRuns: 40 },
    );
  });

  test("is not written over a file, unless that is asked for", async () => {
    const path = newPath();
    writeFileSync(path, "precious");
    const write = ownBackupOf(database.db, {
      now: () => NOW,
      onTotal: () => undefined,
      onRows: ignore,
      stop: NEVER,
    });

    const code = await codeOf(makeBackupFile(path, { force: false }, write, reading));
    const kept = readFileSync(path, "utf8");
    await makeBackupFile(path, { force: true }, write, reading);

    expect([code, kept]).toEqual(["usage", "precious"]);
    expect((await openBackup(path, reading)).form).toBe("janus");
  });

  const never = () => Promise.reject(new Error("this is not begun"));

  test.each([true, false])("is not made in place of a folder, with force %p", async (force) => {
    const refused = makeBackupFile(folder, { force }, never, reading);

    expect(String(await rejection(refused))).toContain(`${folder} is a folder: name a file in it.`);
  });

  test("does not take the place of a link to nothing without force", async () => {
    const path = newPath();
    symlinkSync(join(folder, "nowhere"), path);

    const refused = makeBackupFile(path, { force: false }, never, reading);

    expect(String(await rejection(refused))).toContain(
      `${path} exists already: name another, or add --force to replace it.`,
    );
  });

  test("that cannot be written leaves no file", async () => {
    const missing = join(folder, "missing", "a.backup");
    const before = [...new Bun.Glob("*").scanSync(folder)].length;
    const broken = () => Promise.reject(new Error("the disk is gone"));

    const codes = [
      await codeOf(makeBackupFile(missing, { force: false }, broken, reading)),
      await codeOf(makeBackupFile(newPath(), { force: false }, broken, reading)),
    ];

    expect(codes).toEqual(["usage", "backup_failed"]);
    expect([...new Bun.Glob("*").scanSync(folder)]).toHaveLength(before);
  });

  test.each(["", "no backup", "\u001f\u008b"])("a file with %j is none", async (text) => {
    const path = newPath();
    writeFileSync(path, Buffer.from(text, "latin1"));

    expect(await codeOf(openBackup(path, reading))).toBe("backup_unreadable");
  });

  test("a file that does not exist is none", async () => {
    expect(await codeOf(openBackup(join(folder, "nothing"), reading))).toBe("usage");
  });
});

/** With the checksum that the last line should have. */
function withChecksum(text: string): string {
  const lines = text.trimEnd().split("\n");
  const last = JSON.parse(lines.pop() ?? "") as object;
  const sha256 = new Bun.CryptoHasher("sha256").update(`${lines.join("\n")}\n`).digest("hex");
  return `${[...lines, JSON.stringify({ ...last, sha256 })].join("\n")}\n`;
}
