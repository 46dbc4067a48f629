import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { EmbeddedOptions } from "../../lib/database/embedded/open.ts";
import { IN_MEMORY, openEmbedded } from "../../lib/database/embedded/open.ts";
import { isCollision } from "../../lib/database/failures.ts";
import type { Database } from "../../lib/database/open.ts";

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

/** A database of its own for a test, closed at the end whatever happens. */
async function withDatabase(
  work: (db: Database) => Promise<void>,
  options: Partial<EmbeddedOptions> = {},
): Promise<void> {
  const start =
    options.dataDir === undefined ? { dataDir: IN_MEMORY, template } : { dataDir: options.dataDir };
  const db = await openEmbedded({ ...options, ...start });
  try {
    await work(db);
  } finally {
    await db.close();
  }
}

type Row = Readonly<Record<string, unknown>>;

/** Runs one statement, which may be of a transaction. */
const rowsOf = async (query: Database["query"], ...given: Parameters<Database["query"]>) =>
  (await query(...given)) as readonly Row[];

const fieldOf = async (db: Database, text: string): Promise<unknown> => {
  const [row] = await rowsOf(db.query, text);
  return Object.values(row ?? {})[0];
};

const numberOf = async (db: Database, text: string): Promise<number> => Number(await fieldOf(db, text));

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  const failure = await failureOf(work);
  if (failure === undefined) return "no error";
  return failure instanceof Error && "code" in failure ? String(failure.code) : String(failure);
};

/** PostgreSQL's code of what a statement failed with. */
const sqlStateOf = async (work: Promise<unknown>): Promise<string> => {
  const failure = await failureOf(work);
  const { cause = failure } = failure as { cause?: unknown };
  return String((cause as { code?: unknown }).code);
};

/** Runs so many pieces of work, on so many callers, each of which waits for its answer. */
async function shareOut<Result>(
  count: number,
  callers: number,
  work: (index: number) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  let next = 0;
  const call = async () => {
    while (next < count) {
      const index = next++;
      results[index] = await work(index);
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  return results;
}

// Turns.

test("query() gives each of 5,000 statements of 8 callers its own answer", async () => {
  await withDatabase(async (db) => {
    const texts = [
      "select $1::int as number, $2::text as word",
      "select $2::text as word, $1::int as number",
      "select $1::int as number, repeat($2::text, 1) as word",
      "select number, word from (values ($1::int, $2::text)) as pair (number, word)",
    ];

    const answers = await shareOut(5_000, 8, (i) =>
      i % 5 === 0
        ? rowsOf(db.query, `select ${i} as number, 'word ${i}' as word`)
        : rowsOf(db.query, texts[i % texts.length] ?? "", [i, `word ${i}`]),
    );

    const wrong = answers.filter(([row], i) => row?.number !== i || row.word !== `word ${i}`);
    expect(answers).toHaveLength(5_000);
    expect(wrong).toEqual([]);
  });
});

test("transaction() keeps the transactions of parallel callers apart", async () => {
  await withDatabase(async (db) => {
    await db.query("create table counter (value int not null)");
    await db.query("insert into counter values (0)");
    const addOne = () =>
      db.transaction(async (query) => {
        const [before] = await rowsOf(query, "select value from counter where value >= $1", [0]);
        await setImmediate();
        await query("update counter set value = $1", [Number(before?.value) + 1]);
        await setImmediate();
        const [after] = await rowsOf(query, "select value from counter where value >= $1", [0]);
        return Number(after?.value);
      });

    const seen = await Promise.all(Array.from({ length: 40 }, addOne));

    expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    expect(await numberOf(db, "select value from counter")).toBe(40);
  });
});

test("transaction() rolls back work that failed, and disturbs no other", async () => {
  await withDatabase(async (db) => {
    await db.query("create table kept (number int primary key)");
    const insert = (number: number, fail: boolean) =>
      db.transaction(async (query) => {
        await query("insert into kept values ($1)", [number]);
        await setImmediate();
        if (fail) await query("select 1 / $1::int", [0]);
      });

    const codes = await Promise.all(Array.from({ length: 40 }, (_, i) => codeOf(insert(i, i % 4 === 0))));

    expect(codes).toEqual(Array.from({ length: 40 }, (_, i) => (i % 4 === 0 ? "22012" : "no error")));
    expect(await numberOf(db, "select count(*) from kept")).toBe(30);
    expect(await numberOf(db, "select count(*) from kept where number % 4 = 0")).toBe(0);
  });
});

test("transaction() commits nothing of work that goes on after an error", async () => {
  await withDatabase(async (db) => {
    await db.query("create table kept (number int)");

    const code = await codeOf(
      db.transaction(async (query) => {
        await query("insert into kept values (1)");
        await query("select 1 / $1::int", [0]).catch(() => undefined);
      }),
    );

    expect(code).not.toBe("no error");
    expect(await numberOf(db, "select count(*) from kept")).toBe(0);
  });
});

test("transaction() runs no statement once it is over", async () => {
  await withDatabase(async (db) => {
    await db.query("create table kept (number int)");

    const late = await db.transaction(async (query) => () => codeOf(query("insert into kept values (1)")));

    expect(await late()).toBe("database_unavailable");
    expect(await numberOf(db, "select count(*) from kept")).toBe(0);
  });
});

test("query() runs several statements of one text, and gives large answers", async () => {
  await withDatabase(async (db) => {
    await db.transaction(async (query) => {
      await query("create table one (a int); insert into one values (1); insert into one values (2)");
    });

    expect(await numberOf(db, "select count(*) from one")).toBe(2);
    expect(await fieldOf(db, "select repeat('x', 3000000) as text")).toHaveLength(3_000_000);
  });
});

test("query() prepares a text once, however many callers begin with it", async () => {
  await withDatabase(async (db) => {
    const count = "select count(*) from pg_prepared_statements";
    const before = await numberOf(db, count);
    const text = "select $1::int as number";

    const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => rowsOf(db.query, text, [i])));

    expect(answers.map(([row]) => row?.number)).toEqual(Array.from({ length: 200 }, (_, i) => i));
    expect(await numberOf(db, count)).toBe(before + 1);
  });
});

test("query() goes on after a text that cannot be prepared, and after one that fails", async () => {
  await withDatabase(async (db) => {
    const failing: readonly Parameters<Database["query"]>[] = [
      ["select nonsense where $1", [true]],
      ["select $1::int", ["x"]],
      ["select $1::int", [1, 2]],
      ["select 1 / $1::int", [0]],
      ["selekt 1"],
      ["select 1; select nonsense"],
    ];

    const codes = await Promise.all(failing.map((given) => sqlStateOf(db.query(...given))));

    expect(codes).toEqual(["42703", "22P02", "08P01", "22012", "42601", "42703"]);
    expect(await rowsOf(db.query, "select $1::int as number", [7])).toEqual([{ number: 7 }]);
  });
});

test("query() lets the rest of the program run between two statements", async () => {
  await withDatabase(async (db) => {
    let isDone = false;
    let passes = 0;
    const watch = async () => {
      for (; !isDone; passes += 1) await setImmediate();
    };

    const watched = watch();
    await Promise.all(Array.from({ length: 100 }, (_, i) => db.query("select $1::int", [i])));
    await db.transaction(async (query) => {
      for (let i = 0; i < 100; i += 1) await query("select $1::int", [i]);
    });
    isDone = true;
    await watched;

    expect(passes).toBeGreaterThan(190);
  });
});

test("query() never runs a statement whose turn does not come in time", async () => {
  await withDatabase(async (db) => {
    await db.query("create table kept (number int)");
    const began = performance.now();

    const failure = await db.transaction(() => failureOf(db.query("insert into kept values (1)")));
    const waitedMs = performance.now() - began;

    expect(failure).toMatchObject({ code: "database_unavailable" });
    expect(String(failure)).toContain("gives no answer within 5000 ms");
    expect(waitedMs).toBeGreaterThan(4_900);
    expect(await numberOf(db, "select count(*) from kept")).toBe(0);
  });
});

test("query() refuses rows that answer another question", async () => {
  await withDatabase(async (db) => {
    const ask = (expected: number) =>
      db.query("select $1::int as number", [1], (row) => (row as Row).number === expected);

    const failure = await failureOf(ask(2));

    expect(failure).toMatchObject({ code: "database_unavailable" });
    expect(String(failure)).toContain("the database answers another question");
    expect(await ask(1)).toEqual([{ number: 1 }]);
  });
});

// What must not harm others.

test("query() answers copies from the client and deep recursion with an error", async () => {
  await withDatabase(async (db) => {
    const recursion =
      "create function pg_temp.deep(i int) returns int language plpgsql as 'begin return pg_temp.deep(i + 1); end'";
    await db.query(`create table copied (a int); ${recursion}`);

    const codes = [
      await sqlStateOf(db.query("copy copied from stdin")),
      await sqlStateOf(db.transaction((query) => query("copy copied from stdin"))),
      await sqlStateOf(db.query("select pg_temp.deep(1)")),
      await sqlStateOf(db.query("select pg_temp.deep($1)", [1])),
    ];

    expect(codes).toEqual(["57014", "57014", "54001", "54001"]);
    expect(await numberOf(db, "select count(*) from copied")).toBe(0);
  });
});

test("query() names a fault as PostgreSQL does, and none of the parameters", async () => {
  await withDatabase(async (db) => {
    await db.query("create table once (word text primary key)");
    const insert = () => db.query("insert into once values ($1)", ["canary"]);
    await insert();

    const failure = await failureOf(insert());

    expect(isCollision(failure)).toBe(true);
    expect(Bun.inspect(failure)).not.toContain("canary");
  });
});

test("transaction() rolls back work that keeps the others waiting for too long", async () => {
  await withDatabase(
    async (db) => {
      const forgetful = db.transaction(async (query) => {
        await query("create table forgotten (a int)");
        // Outside of the transaction, which it waits for, while the transaction waits for it.
        await db.query("select 1");
        await query("select 1");
      });

      expect(await codeOf(forgetful)).toBe("database_unavailable");
      expect(await numberOf(db, "select count(*) from pg_class where relname = 'forgotten'")).toBe(0);
      expect(
        await numberOf(db, "select count(*) from pg_stat_activity where state = 'idle in transaction'"),
      ).toBe(0);
    },
    { idleTransactionMs: 20 },
  );
});

test("query() is refused once PGlite has stopped, and nothing unfinished is kept", async () => {
  const dataDir = copyOfFirst();
  const recursion = "insert into kept values (i); return deep(i + 1);";
  await withDatabase(
    async (db) => {
      await db.query("create table kept (a int)");
      await db.query(`create function deep(i int) returns int language plpgsql as 'begin ${recursion} end'`);
      await db.query("set max_stack_depth = '2MB'");
      const stopping = failureOf(
        db.transaction(async (query) => {
          await query("insert into kept values (0)");
          await query("select deep($1::int)", [1]);
        }),
      );
      const waiting = Array.from({ length: 20 }, (_, i) =>
        codeOf(db.transaction((query) => query("select $1::int", [i]))),
      );

      expect(await stopping).toMatchObject({ code: "database_unavailable" });
      expect(String(await stopping)).toContain("the embedded database has stopped");
      expect(new Set(await Promise.all(waiting))).toEqual(new Set(["database_unavailable"]));
      expect(await codeOf(db.query("select 1"))).toBe("database_unavailable");
      expect(await codeOf(db.query("select $1::int", [1]))).toBe("database_unavailable");
    },
    { dataDir },
  );

  await withDatabase(
    async (db) => {
      expect(await numberOf(db, "select count(*) from kept")).toBe(0);
    },
    { dataDir },
  );
});

test("query() vacuums and writes checkpoints as turns go by", async () => {
  await withDatabase(
    async (db) => {
      await db.query("create table busy (a int)");
      const checkpoint = "select redo_lsn - '0/0' from pg_control_checkpoint()";
      const before = await numberOf(db, checkpoint);

      for (let i = 0; i < 25; i += 1) await db.query("insert into busy values ($1)", [i]);

      expect(await numberOf(db, checkpoint)).toBeGreaterThan(before);
      expect(await numberOf(db, "select reltuples from pg_class where relname = 'busy'")).toBeGreaterThan(0);
    },
    { housekeepingTurns: 10 },
  );
});

test("close() ends the open session, and refuses waiting and later callers", async () => {
  const db = await openEmbedded({ dataDir: IN_MEMORY, template });
  const inside = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const open = codeOf(
    db.transaction(async (query) => {
      await query("select 1");
      inside.resolve();
      await closed.promise;
      await query("select 1");
    }),
  );
  await inside.promise;
  const waiting = codeOf(db.query("select $1::int", [1]));

  await Promise.all([db.close(), db.close()]);
  closed.resolve();

  expect(await open).toBe("database_unavailable");
  expect(await waiting).toBe("database_unavailable");
  expect(await codeOf(db.query("select 1"))).toBe("database_unavailable");
  expect(await codeOf(db.transaction((query) => query("select 1")))).toBe("database_unavailable");
});

test("close() lets the statement end that has its turn", async () => {
  const dataDir = copyOfFirst();
  const db = await openEmbedded({ dataDir });
  await db.query("create table kept (number int)");

  const begun = codeOf(db.query("insert into kept values ($1)", [1]));
  await setImmediate();
  await db.close();

  expect(await begun).toBe("no error");
  await withDatabase(
    async (again) => {
      expect(await numberOf(again, "select count(*) from kept")).toBe(1);
    },
    { dataDir },
  );
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

test("openEmbedded() makes a folder that only its owner can read, and keeps its rows", async () => {
  const dataDir = join(newFolder(), "deeper");
  const one = await openEmbedded({ dataDir, template });
  await one.query("create table lasting as select 7 as a");
  await one.close();

  const two = await openEmbedded({ dataDir });

  expect(statSync(dataDir).mode & 0o777).toBe(0o700);
  expect(statSync(join(dataDir, "postgres")).mode & 0o777).toBe(0o700);
  expect(await numberOf(two, "select a from lasting")).toBe(7);
  await two.close();
});

test("openEmbedded() syncs a folder's commits to the disk", async () => {
  const db = await openEmbedded({ dataDir: copyOfFirst() });
  await db.query("create table synced (a int)");
  const settings = await rowsOf(
    db.query,
    "select setting from pg_settings where name in ('fsync', 'wal_sync_method')",
  );
  const syncs = "select sum(fsyncs) from pg_stat_io where object = 'wal' and context = 'normal'";
  await db.query("select pg_stat_force_next_flush()");
  const before = await numberOf(db, syncs);

  await db.query("insert into synced values (1)");
  await db.query("select pg_stat_force_next_flush()");

  expect(settings.map((row) => row.setting)).toEqual(["on", "fsync"]);
  expect(await numberOf(db, syncs)).toBeGreaterThan(before);
  await db.close();
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

test("openEmbedded() refuses a folder that another process has open, until it dies", async () => {
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

test("openEmbedded() starts again where making a database was interrupted", () => {
  // What `beforeAll` has put there is gone, and every test stands on the database that was made.
  expect(existsSync(HALF_MADE)).toBe(false);
  expect(existsSync(join(FIRST, "postgres", "PG_VERSION"))).toBe(true);
});

test("openEmbedded() leaves no database where a template cannot be unpacked", async () => {
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
  const empty = await openEmbedded({ dataDir });
  await empty.query("create table written (pair int not null, half text not null)");
  await empty.close();
  const acknowledged = new Set<number>();

  for (const rounds of [1, 2, 3]) {
    const { child, lines, start } = await startWriter(dataDir, "write");
    expect(start).toBe("open");
    for await (const line of lines) {
      acknowledged.add(Number(line));
      if (acknowledged.size >= rounds * 150) child.kill("SIGKILL");
    }
    await child.exited;

    const db = await openEmbedded({ dataDir });
    const pairs = await rowsOf(db.query, "select pair, count(*)::int as halves from written group by pair");
    const found = new Set(pairs.map((row) => row.pair));

    expect(child.signalCode).toBe("SIGKILL");
    expect([...acknowledged].filter((pair) => !found.has(pair))).toEqual([]);
    expect(pairs.filter((row) => row.halves !== 2)).toEqual([]);
    await db.close();
  }
});
