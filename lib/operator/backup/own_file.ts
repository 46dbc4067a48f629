/**
 * A backup in Janus's own form: lines of text, compressed with gzip. It is the form for the embedded database, and for a
 * machine without pg_dump. The first line says what follows, then each table has a line, its rows and a sum, and the last
 * line has a checksum of all others. So a file that is not whole is known before anything is stored. docs/decisions/0051
 */
import { createReadStream } from "node:fs";
import { promises } from "node:stream";
import { createGunzip, createGzip } from "node:zlib";
import * as v from "valibot";
import type { AppliedMigration } from "../../database/migrations.ts";
import type { OnRows, Page, RowSource } from "../../database/rows.ts";
import { createTally } from "../../database/rows.ts";
import { backupUnreadable, JanusError } from "../../errors.ts";

/** The first bytes of a file of this form, which is one of gzip. */
export const OWN_MAGIC = [0x1f, 0x8b];

/** Takes the bytes of a file in their order, and returns once there is room for more. */
export type Sink = (bytes: Uint8Array) => Promise<void>;

/** What the first line says. */
export type Head = { readonly takenAt: Date; readonly applied: readonly AppliedMigration[] };

/** What a file has in it. */
export type Contents = Head & { readonly rows: number; readonly tables: number };

const FORMAT = 1;
/** Text that is compressed together. */
const CHUNK_CHARACTERS = 65_536;
const PAGE_ROWS = 500;
/** PostgreSQL itself takes no longer value as JSON. */
const MOST_OF_LINE = 268_435_456;

const migrationSchema = v.object({
  version: v.pipe(v.number(), v.integer()),
  name: v.string(),
  checksum: v.string(),
  applied_at: v.pipe(v.string(), v.isoTimestamp(), v.toDate()),
});
const headSchema = v.object({
  janus_backup: v.literal(FORMAT),
  taken_at: v.pipe(v.string(), v.isoTimestamp(), v.toDate()),
  migrations: v.array(migrationSchema),
});
const tableSchema = v.strictObject({ table: v.string(), columns: v.array(v.string()) });
const sumSchema = v.strictObject({ rows: v.number(), checksum: v.string() });
const endSchema = v.strictObject({ tables: v.number(), rows: v.number(), sha256: v.string() });
const rowSchema = v.array(v.nullable(v.string()));

/** Writes the rows of a source. Returns how many there are. */
export async function writeOwnFile(
  source: RowSource,
  takenAt: Date,
  sink: Sink,
  onRows: OnRows,
): Promise<{ readonly rows: number; readonly tables: number }> {
  const done = { rows: 0, tables: 0 };
  await promises.pipeline(inChunks(listLines(source, takenAt, done, onRows)), createGzip(), (compressed) =>
    drain(compressed, sink),
  );
  return done;
}

async function drain(chunks: AsyncIterable<Uint8Array>, sink: Sink): Promise<void> {
  for await (const chunk of chunks) await sink(chunk);
}

async function* listLines(
  source: RowSource,
  takenAt: Date,
  done: { rows: number; tables: number },
  onRows: OnRows,
): AsyncGenerator<string> {
  const hash = new Bun.CryptoHasher("sha256");
  const hashed = (line: string): string => {
    hash.update(`${line}\n`);
    return line;
  };
  const tally = createTally();
  let table: string | undefined;
  const sumUp = (): string => hashed(JSON.stringify(tally.sum(table ?? "")));
  yield hashed(JSON.stringify(headOf(source.applied, takenAt)));
  for await (const { tableName, columnNames, lines } of source.pages([])) {
    if (tableName !== table) {
      if (table !== undefined) yield sumUp();
      table = tableName;
      done.tables += 1;
      yield hashed(JSON.stringify({ table, columns: columnNames }));
    }
    tally.add(tableName, lines);
    for (const line of lines) yield hashed(line);
    done.rows += lines.length;
    await onRows(done.rows);
  }
  if (table !== undefined) yield sumUp();
  yield JSON.stringify({ ...done, sha256: hash.digest("hex") });
}

const headOf = (applied: readonly AppliedMigration[], takenAt: Date) => ({
  janus_backup: FORMAT,
  taken_at: takenAt.toISOString(),
  migrations: applied.map(({ version, name, checksum, appliedAt }) => ({
    version,
    name,
    checksum,
    applied_at: appliedAt.toISOString(),
  })),
});

async function* inChunks(lines: AsyncIterable<string>): AsyncGenerator<Buffer> {
  let text = "";
  for await (const line of lines) {
    text += `${line}\n`;
    if (text.length < CHUNK_CHARACTERS) continue;
    yield Buffer.from(text);
    text = "";
  }
  if (text !== "") yield Buffer.from(text);
}

/** Reads a file to its end, and stores nothing. Throws backup_unreadable if it is not whole. */
export async function examineOwnFile(path: string): Promise<Contents> {
  const read = readFile(path);
  for await (const _ of read.pages()) {
    // The reader itself compares what it reads with the sums.
  }
  return read.contents();
}

/** The rows of a file that was examined. Another file in its place fails as soon as that shows. */
export const ownFileSource = (path: string, { applied }: Head): RowSource => ({
  applied,
  pages: () => readFile(path).pages(),
  isExact: true,
});

/** The pages of a file, and once they are read what it has in it. */
function readFile(path: string) {
  let contents: Contents | undefined;
  async function* pages(): AsyncGenerator<Page> {
    try {
      contents = yield* readPages(readLines(path));
    } catch (error) {
      throw error instanceof JanusError ? error : notWhole("it ends early, or was changed", error);
    }
  }
  return {
    pages,
    contents: (): Contents => {
      if (contents === undefined) throw notWhole("it has no end");
      return contents;
    },
  };
}

const notWhole = (why: string, cause?: unknown) =>
  backupUnreadable(`The file is not a whole backup of Janus (${why}). Take another one.`, cause);

async function* readPages(lines: AsyncGenerator<string>): AsyncGenerator<Page, Contents> {
  const hash = new Bun.CryptoHasher("sha256");
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done === true) throw notWhole("it has no end");
    return value;
  };
  const hashed = (line: string): string => {
    hash.update(`${line}\n`);
    return line;
  };
  const head = readHead(hashed(await next()));
  const tally = createTally();
  for (let [line, tables] = [await next(), 0]; ; line = await next()) {
    const value = parse(line);
    const end = v.safeParse(endSchema, value);
    if (end.success) {
      const rows = tally.names().reduce((sum, name) => sum + tally.sum(name).rows, 0);
      const isSame = end.output.sha256 === hash.digest("hex") && end.output.rows === rows;
      if (!isSame || end.output.tables !== tables) throw notWhole("its checksum is another");
      if ((await lines.next()).done !== true) throw notWhole("it goes on after its end");
      return { ...head, rows, tables };
    }
    const { table, columns } = v.parse(tableSchema, value);
    hashed(line);
    tables += 1;
    yield* readTable(table, columns, async () => hashed(await next()), tally);
  }
}

async function* readTable(
  tableName: string,
  columnNames: readonly string[],
  next: () => Promise<string>,
  tally: ReturnType<typeof createTally>,
): AsyncGenerator<Page> {
  let page: string[] = [];
  for (;;) {
    const line = await next();
    const isRow = line.startsWith("[");
    if (isRow && v.parse(rowSchema, parse(line)).length !== columnNames.length)
      throw notWhole(`a row of ${tableName} has other columns`);
    if (isRow) page.push(line);
    if (page.length === PAGE_ROWS || !isRow) {
      tally.add(tableName, page);
      yield { tableName, columnNames, lines: page };
      page = [];
    }
    if (isRow) continue;
    const { rows, checksum } = v.parse(sumSchema, parse(line));
    const sum = tally.sum(tableName);
    if (sum.rows !== rows || sum.checksum !== checksum) throw notWhole(`rows of ${tableName} are missing`);
    return;
  }
}

function readHead(line: string): Head {
  const read = v.safeParse(headSchema, parse(line));
  if (!read.success)
    throw backupUnreadable("The file is no backup of Janus, or one that only a newer Janus can read.");
  const { taken_at: takenAt, migrations } = read.output;
  return {
    takenAt,
    applied: migrations.map(({ applied_at: appliedAt, ...rest }) => ({ ...rest, appliedAt })),
  };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw notWhole("a line is not one of a backup", error);
  }
}

async function* readLines(path: string): AsyncGenerator<string> {
  const file = createReadStream(path);
  const unpacked = createGunzip();
  file.on("error", (error) => unpacked.destroy(error));
  file.pipe(unpacked);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  try {
    for await (const chunk of unpacked) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > MOST_OF_LINE) throw notWhole("a line is too long");
      yield* lines;
    }
  } finally {
    file.destroy();
  }
  if (rest !== "") throw notWhole("its last line has no end");
}
