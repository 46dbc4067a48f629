/** The earlier service's tables, in SQLite and in PostgreSQL: what is read, what is refused, and that nothing is written. */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import postgres from "postgres";
import { sha256Hex } from "../../lib/crypto.ts";
import { readPostgres } from "../../lib/database/earlier/postgres.ts";
import { readSqlite } from "../../lib/database/earlier/sqlite.ts";
import type { EarlierLink, ReadEarlier } from "../../lib/database/earlier/tables.ts";
import type { EarlierMember } from "../fixtures/earlier_service.ts";
import { EARLIER_TABLES, rowsOfEarlier, writeEarlierFile } from "../fixtures/earlier_service.ts";
import { createTestDatabase, onPostgres } from "../harness/database.ts";
import { useFolder } from "../harness/hooks.ts";

const folder = useFolder("earlier");
const EXPIRES = new Date("2026-12-01T00:00:00Z");
const TOKENS = { accessToken: "access", refreshToken: "refresh", expiresAt: EXPIRES };
const MEMBERS: readonly EarlierMember[] = [
  {
    discordUserId: "200000000000000001",
    stilId: "an1",
    discordUsername: "anna",
    name: "Anna",
    tokens: TOKENS,
  },
  { discordUserId: "200000000000000002", stilId: "bo2" },
  { discordUserId: "200000000000000003", discordUsername: "cleo", tokens: TOKENS },
];
const LINKS: readonly EarlierLink[] = [
  {
    discordUserId: "200000000000000001",
    username: "an1",
    discordUsername: "anna",
    name: "Anna",
    accessToken: "access",
    refreshToken: "refresh",
    expiresAt: EXPIRES.getTime() / 1_000,
  },
  {
    discordUserId: "200000000000000002",
    username: "bo2",
    discordUsername: null,
    name: null,
    accessToken: null,
    refreshToken: null,
    expiresAt: null,
  },
];

async function readAll(read: ReadEarlier) {
  const links: EarlierLink[] = [];
  const told = await read((link) => links.push(link));
  return { ...told, links };
}
const failureOf = (read: ReadEarlier): Promise<unknown> =>
  readAll(read).then(
    () => "read",
    (error: unknown) => error,
  );
const pathOf = (name: string): string => join(folder, `${name}.db`);
/** Every file beside a path, but for the index of a -wal file, which a reader may make again. */
const filesAt = (path: string) =>
  readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((file) => file.startsWith(path) && !file.endsWith("-shm"))
    .sort()
    .map((file) => [file, sha256Hex(readFileSync(file, "latin1"))]);

describe("readSqlite()", () => {
  test("gives every link, and counts the members who did not come back", async () => {
    writeEarlierFile(pathOf("whole"), MEMBERS);
    const before = filesAt(pathOf("whole"));

    const read = await readAll(readSqlite(pathOf("whole")));

    expect(read).toEqual({ links: [...LINKS], unfinished: 1 });
    expect(filesAt(pathOf("whole"))).toEqual(before);
  });

  test("reads what only the -wal file has, also beside a service that still runs", async () => {
    const writing = writeEarlierFile(pathOf("wal"), MEMBERS, { wal: true });
    const before = filesAt(pathOf("wal"));

    const read = await readAll(readSqlite(pathOf("wal")));

    expect(before.map(([file]) => file)).toEqual([pathOf("wal"), `${pathOf("wal")}-wal`]);
    expect(read).toEqual({ links: [...LINKS], unfinished: 1 });
    expect(filesAt(pathOf("wal"))).toEqual(before);
    writing?.close();
  });

  test("keeps ids whole where somebody has made numbers of them", async () => {
    const database = new Database(pathOf("numbers"), { create: true });
    for (const table of EARLIER_TABLES) database.run(table.replaceAll("text not null", "integer not null"));
    database.run("insert into connected_accounts values (200000000000000003, 7)");
    database.close();

    const { links } = await readAll(readSqlite(pathOf("numbers")));

    expect(links).toMatchObject([{ discordUserId: "200000000000000003", username: "7" }]);
  });

  test("refuses tables that are others, and names what is missing", async () => {
    const database = new Database(pathOf("other"), { create: true });
    for (const table of EARLIER_TABLES.slice(0, 2)) database.run(table);
    database.run("create table connected_accounts (user_id text, account text)");
    database.close();

    expect(await failureOf(readSqlite(pathOf("other")))).toMatchObject({
      code: "import_refused",
      message: expect.stringMatching(
        /Missing: connected_accounts\.stil_id, discord_tokens\.user_id, .*docs\/import\.md/,
      ),
    });
  });

  test("refuses what is no such file, and makes none", async () => {
    writeFileSync(pathOf("text"), "discord_user_id,subject\n".repeat(100));
    mkdirSync(pathOf("folder"));

    const errors = await Promise.all(
      ["text", "folder", "none"].map((name) => failureOf(readSqlite(pathOf(name)))),
    );

    for (const error of errors) expect(error).toMatchObject({ code: "import_refused" });
    expect(errors[0]).toMatchObject({ message: expect.stringContaining("not a database of SQLite") });
    expect(readdirSync(folder)).not.toContain("none.db");
  });

  test("refuses a value that is no text, and does not repeat it", async () => {
    writeEarlierFile(pathOf("blob"), MEMBERS);
    const database = new Database(pathOf("blob"));
    database.run("update discord_tokens set refresh_token = x'63616e617279'");
    database.close();

    const error = await failureOf(readSqlite(pathOf("blob")));

    expect(error).toMatchObject({ code: "import_refused" });
    expect(Bun.inspect(error)).not.toContain("canary");
  });
});

describe("readPostgres()", () => {
  test.each([
    ["no address", "janus.db"],
    ["a raw # in the password", "postgres://user:canary#word@127.0.0.1/old"],
    ["a parameter that Janus does not know", "postgres://user:canary@127.0.0.1/old?other=canary"],
    ["a server that is not there", "postgres://user:canary@127.0.0.1:1/old"],
  ])("refuses %s, and repeats no password", async (_, address) => {
    const error = await failureOf(readPostgres(address));

    const told = error instanceof Error ? error.message : "";
    expect(error).toMatchObject({ code: "import_refused" });
    expect(told).toContain("IMPORT_DATABASE_URL");
    expect(told).not.toContain("canary");
  });

  test.if(onPostgres)("gives every link in pages, and writes nothing", async () => {
    const old = await createTestDatabase({ migrated: false });
    const sql = postgres(old.config.url ?? "", { max: 1, onnotice: () => undefined });
    try {
      for (const table of EARLIER_TABLES) await sql.unsafe(table);
      for (const member of MEMBERS)
        for (const [table, ...values] of rowsOfEarlier(member))
          await sql.unsafe(`insert into ${table} values (${values.map((value) => `'${value}'`).join()})`);
      await sql.unsafe(`insert into connected_accounts
        select (300000000000000000 + n)::text, 'x' || lpad(n::text, 5, '0') from generate_series(1, 2500) as n`);

      const { links, unfinished } = await readAll(readPostgres(old.config.url ?? ""));

      expect(links.slice(0, 2)).toEqual([...LINKS]);
      expect(links).toHaveLength(2_502);
      expect(new Set(links.map(({ username }) => username)).size).toBe(2_502);
      expect(unfinished).toBe(1);
    } finally {
      await sql.end();
      await old.drop();
    }
  });

  test.if(onPostgres)("refuses tables that are others", async () => {
    const old = await createTestDatabase({ migrated: false });
    try {
      expect(await failureOf(readPostgres(old.config.url ?? ""))).toMatchObject({
        code: "import_refused",
        message: expect.stringContaining("Missing: connected_accounts.user_id"),
      });
    } finally {
      await old.drop();
    }
  });
});
