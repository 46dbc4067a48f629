import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import postgres from "postgres";
import type { Embedded, EmbeddedOptions } from "../../lib/database/embedded/open.ts";
import { IN_MEMORY, openEmbedded } from "../../lib/database/embedded/open.ts";
import type { EmbeddedSocket } from "../../lib/database/embedded/session.ts";

const WRITER = join(import.meta.dir, "..", "fixtures", "embedded_writer.ts");
const ROOT = mkdtempSync(join(tmpdir(), "janus-embedded-"));
const FIRST = join(ROOT, "first");
const HALF_MADE = join(FIRST, "postgres.new");

let template: Blob;
let folders = 0;

// One database is made from nothing; the others begin as its dump, or as its folder.
beforeAll(async () => {
  mkdirSync(HALF_MADE, { recursive: true });
  writeFileSync(join(HALF_MADE, "PG_VERSION"), "18\n");
  const first = await openEmbedded({ dataDir: FIRST });
  template = await first.dump();
  await first.close();
});

afterAll(() => rmSync(ROOT, { recursive: true, force: true }));

const newFolder = () => {
  folders += 1;
  return join(ROOT, `folder-${folders}`);
};

const copyOfFirst = () => {
  const dataDir = newFolder();
  cpSync(FIRST, dataDir, { recursive: true });
  return dataDir;
};

const connect = (embedded: Embedded, max = 8) => {
  const options = { max, fetch_types: false, onnotice: () => undefined, socket: embedded.socket };
  return postgres(options);
};

/** A database of its own for a test, closed at the end whatever happens. */
async function withDatabase(
  work: (sql: postgres.Sql, embedded: Embedded) => Promise<void>,
  options: Partial<EmbeddedOptions> = {},
): Promise<void> {
  const start =
    options.dataDir === undefined ? { dataDir: IN_MEMORY, template } : { dataDir: options.dataDir };
  const embedded = await openEmbedded({ ...options, ...start });
  const sql = connect(embedded);
  try {
    await work(sql, embedded);
  } finally {
    await sql.end({ timeout: 0 });
    await embedded.close();
  }
}

const numberOf = async (sql: postgres.Sql, text: string): Promise<number> => {
  const [row] = await sql.unsafe(text);
  return Number(Object.values(row ?? {})[0]);
};

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
  return "no error";
};

// A bare connection, for what postgres.js does not do.

const STARTUP = Buffer.from("\0\0\0\x17\0\x03\0\0user\0postgres\0\0", "latin1");

function message(type: string, body = ""): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(4 + Buffer.byteLength(body, "latin1"));
  return Buffer.concat([Buffer.from(type), size, Buffer.from(body, "latin1")]);
}

const query = (text: string) => message("Q", `${text}\0`);
const parse = (name: string, text: string) => message("P", `${name}\0${text}\0\0\0`);
const bindExecute = (name: string) =>
  Buffer.concat([message("B", `\0${name}\0\0\0\0\0\0\0`), message("E", "\0\0\0\0\0")]);
const SYNC = message("S");
const FLUSH = message("H");

/** Sends, and gives the types of the messages that answer, up to the given type, with the text of rows and errors. */
async function ask(socket: EmbeddedSocket, bytes: Buffer, until = "Z"): Promise<string> {
  let arrived = Buffer.alloc(0);
  const answer = new Promise<string>((resolve, reject) => {
    const fail = (error?: Error) => reject(error ?? new Error("closed"));
    const listen = (chunk: Buffer) => {
      arrived = Buffer.concat([arrived, chunk]);
      const { text, last } = readMessages(arrived);
      if (last !== until) return;
      socket.off("data", listen).off("error", fail).off("close", fail);
      resolve(text);
    };
    socket.on("data", listen).on("error", fail).on("close", fail);
  });
  socket.write(bytes);
  return answer;
}

function readMessages(bytes: Buffer): { text: string; last: string } {
  const seen: string[] = [];
  let last = "";
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + bytes.readInt32BE(at + 1);
    const body = bytes.toString("latin1", at + 5, end);
    last = String.fromCharCode(bytes.readUInt8(at));
    if (last === "D") seen.push(`D:${body.slice(6)}`);
    if (last === "E") seen.push(`E:${/\0C(\w{5})\0/.exec(body)?.[1]}`);
    if (last === "Z") seen.push(`Z:${body}`);
    if (!"DEZSNKR".includes(last)) seen.push(last);
    at = end;
  }
  return { text: seen.join(" "), last };
}

async function bareConnection(embedded: Embedded): Promise<EmbeddedSocket> {
  const socket = embedded.socket().on("error", () => undefined);
  await ask(socket, STARTUP);
  return socket;
}

// Connections and turns.

test("openEmbedded() gives each of 5,000 queries on 8 connections its own answer", async () => {
  await withDatabase(async (sql) => {
    const texts = [
      "select $1::int as number, $2::text as word",
      "select $2::text as word, $1::int as number",
      "select $1::int as number, repeat($2::text, 1) as word",
      "select number, word from (values ($1::int, $2::text)) as pair (number, word)",
    ];

    const answers = await Promise.all(
      Array.from({ length: 5_000 }, (_, i) =>
        sql.unsafe(texts[i % texts.length] ?? "", [i, `word ${i}`], { prepare: i % 5 !== 0 }),
      ),
    );

    const wrong = answers.filter(([row], i) => row?.number !== i || row.word !== `word ${i}`);
    expect(wrong).toEqual([]);
  });
});

test("openEmbedded() keeps transactions on parallel connections apart", async () => {
  await withDatabase(async (sql) => {
    await sql.unsafe("create table counter (value int not null)");
    await sql.unsafe("insert into counter values (0)");
    const addOne = () =>
      sql.begin(async (inner) => {
        const [before] = await inner.unsafe("select value from counter", [], { prepare: true });
        await setImmediate();
        await inner.unsafe("update counter set value = $1", [before?.value + 1], { prepare: true });
        await setImmediate();
        const [after] = await inner.unsafe("select value from counter", [], { prepare: true });
        return after?.value;
      });

    const seen = await Promise.all(Array.from({ length: 40 }, addOne));

    expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    expect(await numberOf(sql, "select value from counter")).toBe(40);
  });
});

test("openEmbedded() rolls back a transaction whose work failed, and disturbs no other", async () => {
  await withDatabase(async (sql) => {
    await sql.unsafe("create table kept (number int primary key)");
    const insert = (number: number, fail: boolean) =>
      sql.begin(async (inner) => {
        await inner.unsafe("insert into kept values ($1)", [number], { prepare: true });
        await setImmediate();
        if (fail) await inner.unsafe("select 1 / $1::int", [0], { prepare: true });
      });

    const codes = await Promise.all(Array.from({ length: 40 }, (_, i) => codeOf(insert(i, i % 4 === 0))));

    expect(codes).toEqual(Array.from({ length: 40 }, (_, i) => (i % 4 === 0 ? "22012" : "no error")));
    expect(await numberOf(sql, "select count(*) from kept")).toBe(30);
    expect(await numberOf(sql, "select count(*) from kept where number % 4 = 0")).toBe(0);
  });
});

test("openEmbedded() runs several statements of one text, cursors and large answers", async () => {
  await withDatabase(async (sql) => {
    await sql.begin(async (inner) => {
      await inner.unsafe("create table one (a int); insert into one values (1); insert into one values (2)");
    });
    const sizes: number[] = [];
    for await (const rows of sql`select generate_series(1, 5)`.cursor(2)) sizes.push(rows.length);
    const [large] = await sql.unsafe("select repeat('x', 3000000) as text");

    expect(await numberOf(sql, "select count(*) from one")).toBe(2);
    expect(sizes).toEqual([2, 2, 1]);
    expect(large?.text).toHaveLength(3_000_000);
  });
});

test("openEmbedded() rolls back a connection that is dropped inside a transaction", async () => {
  await withDatabase(async (sql, embedded) => {
    await sql.unsafe("create table dropped (a int)");
    const socket = await bareConnection(embedded);
    const answer = await ask(socket, query("begin; insert into dropped values (1)"));
    const waiting = numberOf(sql, "select count(*) from dropped");

    socket.destroy();

    expect(answer).toEndWith("Z:T");
    expect(await waiting).toBe(0);
  });
});

test("openEmbedded() frees the session of a connection that is dropped inside a batch", async () => {
  await withDatabase(async (sql, embedded) => {
    const failed = await bareConnection(embedded);
    await ask(failed, Buffer.concat([parse("", "select nonsense"), FLUSH]), "E");
    const waiting = numberOf(sql, "select 7");

    failed.end(message("X"));

    expect(await waiting).toBe(7);
  });
});

test("openEmbedded() keeps statements of one name on two connections apart", async () => {
  await withDatabase(async (_, embedded) => {
    const [one, two] = [await bareConnection(embedded), await bareConnection(embedded)];
    await ask(one, Buffer.concat([parse("same", "select 'one'"), SYNC]));
    await ask(two, Buffer.concat([parse("same", "select 'two'"), SYNC]));
    const run = Buffer.concat([bindExecute("same"), SYNC]);

    expect(await ask(one, run)).toBe("2 D:one C Z:I");
    expect(await ask(two, run)).toBe("2 D:two C Z:I");
    one.end();
    await once(one, "close");
    expect(await ask(two, run)).toBe("2 D:two C Z:I");
    const three = await bareConnection(embedded);
    expect(await ask(three, run)).toBe("E:26000 Z:I");
  });
});

test("openEmbedded() never runs another connection's unnamed statement", async () => {
  await withDatabase(async (_, embedded) => {
    const [one, two] = [await bareConnection(embedded), await bareConnection(embedded)];
    const run = Buffer.concat([bindExecute(""), SYNC]);
    await ask(one, Buffer.concat([parse("", "select 'one'"), SYNC]));
    expect(await ask(one, run)).toBe("2 D:one C Z:I");
    await ask(two, Buffer.concat([parse("", "select 'two'"), SYNC]));

    expect(await ask(one, run)).toBe("E:26000 Z:I");
  });
});

test("openEmbedded() serves two clients that prepare the same text", async () => {
  await withDatabase(async (sql, embedded) => {
    const other = connect(embedded, 2);
    const text = "select $1::int as number";

    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => (i % 2 ? sql : other).unsafe(text, [i], { prepare: true })),
    );
    await other.end();
    const [after] = await sql.unsafe(text, [1_000], { prepare: true });

    expect(answers.map(([row]) => row?.number)).toEqual(Array.from({ length: 200 }, (_, i) => i));
    expect(after?.number).toBe(1_000);
  });
});

test("openEmbedded() forgets the statements of a connection that has ended", async () => {
  await withDatabase(async (sql, embedded) => {
    const count = "select count(*) from pg_prepared_statements";
    const before = await numberOf(sql, count);
    const other = connect(embedded, 2);
    await Promise.all([1, 2, 3].map((i) => other.unsafe(`select ${i} + $1::int`, [i], { prepare: true })));
    const during = await numberOf(sql, count);

    await other.end();

    expect(during).toBe(before + 3);
    expect(await numberOf(sql, count)).toBe(before);
  });
});

test("openEmbedded() takes messages in any pieces", async () => {
  await withDatabase(async (_, embedded) => {
    const socket = embedded.socket().on("error", () => undefined);
    const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
    const pipeline = Buffer.concat([
      ...["a", "b"].flatMap((name) => [parse(name, `select '${name}'`), bindExecute(name), SYNC]),
      query("select 'last'"),
    ]);

    socket.write(sslRequest);
    const [refusal] = await once(socket, "data");
    await ask(socket, STARTUP);
    const answers: string[] = [];
    for (const byte of pipeline.subarray(0, -1)) socket.write(Buffer.from([byte]));
    answers.push(await ask(socket, pipeline.subarray(-1), "Z"));
    while (!answers.join(" ").includes("D:last")) answers.push(await ask(socket, Buffer.alloc(0)));

    expect(String(refusal)).toBe("N");
    expect(answers.join(" ")).toBe("1 2 D:a C Z:I 1 2 D:b C Z:I T D:last C Z:I");
  });
});

// What must not harm others.

test("openEmbedded() ends a connection that sends nonsense, and no other", async () => {
  await withDatabase(async (sql, embedded) => {
    const nonsense: Record<string, Buffer> = {
      "unknown type": message("z"),
      "function call": message("F", "\0\0\0\x01\0\0\0\0\0\0"),
      "negative size": Buffer.from([0x51, 0xff, 0xff, 0xff, 0xff, 0]),
      "huge size": Buffer.from([0x51, 0x7f, 0xff, 0xff, 0xff, 0]),
      "long name": message("D", `S${"x".repeat(20_000)}\0`),
    };
    const codes: Record<string, string> = {};

    for (const [name, bytes] of Object.entries(nonsense)) {
      codes[name] = await codeOf(ask(await bareConnection(embedded), bytes));
    }
    codes.startup = await codeOf(ask(embedded.socket(), Buffer.from("GET / HTTP/1.1\r\n\r\n")));
    codes.version = await codeOf(ask(embedded.socket(), Buffer.from([0, 0, 0, 8, 0, 2, 0, 0])));

    expect(Object.values(codes)).toEqual(Object.values(codes).map(() => "08P01"));
    expect(await numberOf(sql, "select 7")).toBe(7);
  });
});

test("openEmbedded() answers malformed messages, copies from the client and deep recursion with an error", async () => {
  await withDatabase(async (sql, embedded) => {
    const socket = await bareConnection(embedded);
    const recursion =
      "create function pg_temp.deep(i int) returns int language plpgsql as 'begin return pg_temp.deep(i + 1); end'";
    await ask(socket, query(`create table copied (a int); ${recursion}`));

    const answers = [
      await ask(socket, message("Q", "no end")),
      await ask(socket, Buffer.concat([message("P", "no end"), SYNC])),
      await ask(socket, query("copy copied from stdin")),
      await ask(socket, Buffer.concat([parse("", "copy copied from stdin"), bindExecute(""), SYNC])),
      await ask(socket, Buffer.concat([message("d", "1\n"), message("c"), query("select 1")])),
      await ask(socket, query("select pg_temp.deep(1)")),
    ];

    expect(answers).toEqual([
      "E:08P01 Z:I",
      "E:08P01 Z:I",
      "G E:57014 Z:I",
      "1 2 G E:57014 Z:I",
      "T D:1 C Z:I",
      "T E:54001 Z:I",
    ]);
    expect(await numberOf(sql, "select count(*) from copied")).toBe(0);
  });
});

test("openEmbedded() ignores a request to cancel", async () => {
  await withDatabase(async (sql) => {
    const pending = Promise.all(
      Array.from({ length: 20 }, (_, i) => {
        const one = sql.unsafe("select $1::int as number", [i], { prepare: true });
        if (i % 2) setImmediate().then(() => one.cancel());
        return codeOf(one);
      }),
    );

    const codes = await pending;

    expect(codes.filter((code) => code !== "no error" && code !== "57014")).toEqual([]);
    expect(await numberOf(sql, "select 7")).toBe(7);
  });
});

test("openEmbedded() ends a transaction that keeps the others waiting without a word", async () => {
  await withDatabase(
    async (sql) => {
      const forgetful = sql.begin(async (inner) => {
        await inner.unsafe("create table forgotten (a int)");
        // On another connection, which waits for this transaction, which waits for it.
        await sql.unsafe("select 1");
        await inner.unsafe("select 1");
      });
      const slowCursor = sql`select generate_series(1, 4)`.cursor(2, async () => {
        await sql.unsafe("select 1");
      });

      expect(await codeOf(forgetful)).toBe("25P02");
      expect(await codeOf(slowCursor)).toBe("34000");
      expect(await numberOf(sql, "select count(*) from pg_class where relname = 'forgotten'")).toBe(0);
      expect(
        await numberOf(sql, "select count(*) from pg_stat_activity where state = 'idle in transaction'"),
      ).toBe(0);
    },
    { idleOwnerMs: 20 },
  );
});

test("openEmbedded() answers everybody with an error once PGlite has stopped, and keeps nothing of what it ran", async () => {
  const dataDir = copyOfFirst();
  const recursion = "insert into kept values (i); return deep(i + 1);";
  await withDatabase(
    async (sql) => {
      await sql.unsafe("create table kept (a int)");
      await sql.unsafe(
        `create function deep(i int) returns int language plpgsql as 'begin ${recursion} end'`,
      );
      await sql.unsafe("set max_stack_depth = '2MB'");
      const stopping = codeOf(
        sql.begin(async (inner) => {
          await inner.unsafe("insert into kept values (0)");
          await inner.unsafe("select deep($1::int)", [1], { prepare: true });
        }),
      );
      const waiting = Array.from({ length: 20 }, (_, i) =>
        codeOf(sql.begin((inner) => inner.unsafe("select $1::int", [i], { prepare: true }))),
      );

      expect(await stopping).toBe("57P03");
      expect(new Set(await Promise.all(waiting))).toContain("57P03");
      expect(await codeOf(sql.unsafe("select 1"))).toBe("57P03");
      expect(await codeOf(sql.begin((inner) => inner.unsafe("select 1")))).toBe("57P03");
    },
    { dataDir },
  );

  await withDatabase(
    async (sql) => {
      expect(await numberOf(sql, "select count(*) from kept")).toBe(0);
    },
    { dataDir },
  );
});

test("openEmbedded() vacuums and writes checkpoints as turns go by", async () => {
  await withDatabase(
    async (sql) => {
      await sql.unsafe("create table busy (a int)");
      const checkpoint = "select redo_lsn - '0/0' from pg_control_checkpoint()";
      const before = await numberOf(sql, checkpoint);

      for (let i = 0; i < 25; i += 1)
        await sql.unsafe("insert into busy values ($1)", [i], { prepare: true });

      expect(await numberOf(sql, checkpoint)).toBeGreaterThan(before);
      expect(await numberOf(sql, "select reltuples from pg_class where relname = 'busy'")).toBeGreaterThan(0);
    },
    { housekeepingTurns: 10 },
  );
});

test("close() ends what is open, and the connections after it", async () => {
  const embedded = await openEmbedded({ dataDir: IN_MEMORY, template });
  const sql = connect(embedded);
  const inside = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const open = codeOf(
    sql.begin(async (inner) => {
      await inner.unsafe("select 1");
      inside.resolve();
      await closed.promise;
      await inner.unsafe("select 1");
    }),
  );
  await inside.promise;
  const waiting = codeOf(sql.unsafe("select $1::int", [1], { prepare: true }));

  await Promise.all([embedded.close(), embedded.close()]);
  closed.resolve();

  expect(await open).toBe("57P01");
  expect(await waiting).toBe("57P01");
  expect(await codeOf(sql.unsafe("select 1"))).toBe("57P01");
  await sql.end({ timeout: 0 });
});

// The folder.

const children: Bun.Subprocess[] = [];

afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  await Promise.all(children.splice(0).map((child) => child.exited));
});

/** Starts the writer and gives its first line, and the rest of its lines. */
async function startWriter(dataDir: string, mode = "hold") {
  const child = Bun.spawn([process.execPath, WRITER, dataDir, mode], { stdout: "pipe", stderr: "inherit" });
  children.push(child);
  const lines = readLines(child.stdout);
  const start = await lines.next();
  return { child, lines, start: start.value ?? "nothing" };
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

test("openEmbedded() makes a folder that only its owner can read, and finds its rows again", async () => {
  const dataDir = join(newFolder(), "deeper");
  const one = await openEmbedded({ dataDir, template });
  const sql = connect(one);
  await sql.unsafe("create table lasting as select 7 as a");
  await sql.end();
  await one.close();

  const two = await openEmbedded({ dataDir });
  const again = connect(two);

  expect(statSync(dataDir).mode & 0o777).toBe(0o700);
  expect(statSync(join(dataDir, "postgres")).mode & 0o777).toBe(0o700);
  expect(await numberOf(again, "select a from lasting")).toBe(7);
  await again.end();
  await two.close();
});

test("openEmbedded() syncs a folder's commits to the disk", async () => {
  const embedded = await openEmbedded({ dataDir: copyOfFirst() });
  const sql = connect(embedded, 1);
  await sql.unsafe("create table synced (a int)");
  const settings = await sql.unsafe(
    "select setting from pg_settings where name in ('fsync', 'wal_sync_method')",
  );
  const syncs = "select sum(fsyncs) from pg_stat_io where object = 'wal' and context = 'normal'";
  await sql.unsafe("select pg_stat_force_next_flush()");
  const before = await numberOf(sql, syncs);

  await sql.unsafe("insert into synced values (1)");
  await sql.unsafe("select pg_stat_force_next_flush()");

  expect(settings.map((row) => row.setting)).toEqual(["on", "fsync"]);
  expect(await numberOf(sql, syncs)).toBeGreaterThan(before);
  await sql.end();
  await embedded.close();
});

test("openEmbedded() refuses a folder that this process has open", async () => {
  const dataDir = copyOfFirst();
  const embedded = await openEmbedded({ dataDir });

  const refused = openEmbedded({ dataDir });

  await expect(refused).rejects.toMatchObject({ code: "data_dir_locked" });
  await expect(refused).rejects.toThrow(
    new RegExp(`${dataDir} is in use by process ${process.pid} on .*DATA_DIR`),
  );
  await embedded.close();
});

test("openEmbedded() refuses a folder that another process has open, and takes it once that one was killed", async () => {
  const dataDir = copyOfFirst();
  const { child, start } = await startWriter(dataDir);

  const refused = openEmbedded({ dataDir });

  expect(start).toBe("open");
  await expect(refused).rejects.toMatchObject({ code: "data_dir_locked" });
  await expect(refused).rejects.toThrow(`process ${child.pid} on`);
  child.kill("SIGKILL");
  await child.exited;
  expect(existsSync(join(dataDir, "janus.pid"))).toBe(true);
  await (await openEmbedded({ dataDir })).close();
  expect(existsSync(join(dataDir, "janus.pid"))).toBe(false);
});

test("openEmbedded() gives a folder with a stale lock to one of four starters", async () => {
  const dataDir = copyOfFirst();
  // The id of a process that lives, and has nothing to do with it.
  writeFileSync(join(dataDir, "janus.pid"), `${process.ppid} on elsewhere\n`);

  const starters = await Promise.all(Array.from({ length: 4 }, () => startWriter(dataDir)));

  expect(starters.map(({ start }) => start).toSorted()).toEqual([
    "data_dir_locked",
    "data_dir_locked",
    "data_dir_locked",
    "open",
  ]);
});

test("openEmbedded() begins anew where making a database was interrupted", () => {
  // What `beforeAll` has put there is gone, and every test stands on the database that was made.
  expect(existsSync(HALF_MADE)).toBe(false);
  expect(existsSync(join(FIRST, "postgres", "PG_VERSION"))).toBe(true);
});

test("openEmbedded() leaves no database where a template cannot be unpacked, and makes one once it can", async () => {
  const dataDir = newFolder();

  const failed = await openEmbedded({ dataDir, template: new Blob(["no archive"]) }).catch(
    (error: unknown) => error,
  );
  const left = existsSync(join(dataDir, "postgres"));
  const embedded = await openEmbedded({ dataDir, template });
  await embedded.close();

  expect(failed).toMatchObject({ code: "database_unavailable" });
  expect(String(failed)).toContain(dataDir);
  expect(left).toBe(false);
});

test("openEmbedded() says which folder cannot be made", async () => {
  const inTheWay = newFolder();
  writeFileSync(inTheWay, "");

  const failed = await openEmbedded({ dataDir: join(inTheWay, "data"), template }).catch(
    (error: unknown) => error,
  );

  expect(failed).toMatchObject({ code: "database_unavailable" });
  expect(String(failed)).toContain(`the folder ${join(inTheWay, "data")} cannot be made: set DATA_DIR`);
});

test("openEmbedded() has every acknowledged row after kill -9 under load", async () => {
  const dataDir = copyOfFirst();
  let embedded = await openEmbedded({ dataDir });
  let sql = connect(embedded);
  await sql.unsafe("create table written (pair int not null, half text not null)");
  await sql.end();
  await embedded.close();
  const acknowledged = new Set<number>();

  for (const rounds of [1, 2, 3]) {
    const { child, lines, start } = await startWriter(dataDir, "write");
    expect(start).toBe("open");
    for await (const line of lines) {
      acknowledged.add(Number(line));
      if (acknowledged.size >= rounds * 150) child.kill("SIGKILL");
    }
    await child.exited;

    embedded = await openEmbedded({ dataDir });
    sql = connect(embedded);
    const pairs = await sql.unsafe("select pair, count(*)::int as halves from written group by pair");
    const found = new Set(pairs.map((row) => row.pair));

    expect(child.signalCode).toBe("SIGKILL");
    expect([...acknowledged].filter((pair) => !found.has(pair))).toEqual([]);
    expect(pairs.filter((row) => row.halves !== 2)).toEqual([]);
    await sql.end();
    await embedded.close();
  }
});
