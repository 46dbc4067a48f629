/**
 * The rows of all tables, read and stored again as they are: for backups, and for a move to another database. Each row is a
 * line, a JSON list of texts in the order of the table's columns. So a row passes from any PostgreSQL to any other without
 * a value that this program would have to understand. docs/decisions/0051
 */
import { sha256Hex } from "../crypto.ts";
import { backupUnreadable } from "../errors.ts";
import type { AppliedMigration } from "./migrations.ts";
import { listApplied, migrateAs } from "./migrations.ts";
import type { Queries } from "./queries.ts";
import { createQueries } from "./queries.ts";
import type { Query } from "./run.ts";

/** A table, and its columns in their order. */
export type Table = { readonly tableName: string; readonly columnNames: readonly string[] };

/** Rows of a table. */
export type Page = Table & { readonly lines: readonly string[] };

/** Where rows come from. */
export type RowSource = {
  /** The migrations that made the tables. */
  readonly applied: readonly AppliedMigration[];
  /** The rows, table by table; each after the rows that it refers to, which is the order of `tables`. */
  readonly pages: (tables: readonly Table[]) => AsyncIterable<Page>;
  /** Whether the lines are letter for letter as a database gives them, so that their checksums can be compared. */
  readonly isExact: boolean;
};

/** How many rows a table has, and a checksum that does not depend on their order. */
export type Sum = { readonly rows: number; readonly checksum: string };

/** What was stored. `leftOut` names tables that are none of Janus's. */
export type Stored = { readonly rows: number; readonly tables: number; readonly leftOut: readonly string[] };

/** Called with the number of rows that were read or stored so far. */
export type OnRows = (rows: number) => Promise<void>;

const PAGE_ROWS = 500;
/** PostgreSQL takes 255 MB as one JSON value. */
const BATCH_CHARACTERS = 4_194_304;
const CHECKSUM_BITS = 128;
const HEX_DIGITS = CHECKSUM_BITS / 4;

type RowQueries = Pick<
  Queries,
  | "createCountRows"
  | "createInsertRows"
  | "createNextRows"
  | "createOpenRows"
  | "createSetTriggers"
  | "countRows"
  | "insertRows"
  | "listNextRows"
  | "listTables"
  | "setOpened"
  | "setTriggers"
>;

/** Makes the functions for rows, which live as long as the connection. */
async function prepareRows(query: Query): Promise<RowQueries> {
  const queries = createQueries({ query });
  await queries.createCountRows({});
  await queries.createInsertRows({});
  await queries.createNextRows({});
  await queries.createOpenRows({});
  await queries.createSetTriggers({});
  return queries;
}

/** The rows of a database, in a transaction that sees one state of it, and how many there are. */
export async function readRows(query: Query): Promise<RowSource & { readonly rows: number }> {
  const queries = await prepareRows(query);
  const tables = await queries.listTables({});
  let rows = 0;
  for (const { tableName } of tables) rows += (await queries.countRows({ tableName }))?.rows ?? 0;
  return { applied: await listApplied(query), pages: () => readPages(queries, tables), isExact: true, rows };
}

async function* readPages(queries: RowQueries, tables: readonly Table[]): AsyncGenerator<Page> {
  for (const table of tables) {
    await queries.setOpened(table);
    // An empty page, too: a table without rows is a table.
    for (let isEnd = false; !isEnd; ) {
      const lines = (await queries.listNextRows({ limit: PAGE_ROWS })).map(({ line }) => line);
      isEnd = lines.length < PAGE_ROWS;
      yield { ...table, lines };
    }
  }
}

/**
 * Stores the rows of a source in an empty database, in a transaction that has begun to migrate, and compares what is stored
 * then with what has come. Throws backup_unreadable, and what a migration throws.
 */
export async function storeRows(query: Query, source: RowSource, onRows: OnRows): Promise<Stored> {
  await migrateAs(query, source.applied);
  const queries = await prepareRows(query);
  const tables = await queries.listTables({});
  for (const { tableName } of tables) await queries.setTriggers({ tableName, isOn: false });
  const come = await insertPages(queries, tables, source.pages(tables), onRows);
  for (const { tableName } of tables) await queries.setTriggers({ tableName, isOn: true });
  await requireSame(queries, tables, come, source.isExact);
  const stored = tables.map(({ tableName }) => come.sum(tableName).rows);
  return {
    rows: stored.reduce((sum, rows) => sum + rows, 0),
    tables: tables.length,
    leftOut: come.names().filter((name) => tables.every(({ tableName }) => tableName !== name)),
  };
}

async function insertPages(
  queries: RowQueries,
  tables: readonly Table[],
  pages: AsyncIterable<Page>,
  onRows: OnRows,
) {
  const come = createTally();
  const columns = new Map(tables.map((table) => [table.tableName, table.columnNames]));
  let rows = 0;
  for await (const { tableName, columnNames, lines } of pages) {
    come.add(tableName, lines);
    const known = columns.get(tableName);
    if (known === undefined) continue;
    if ([...known].sort().join() !== [...columnNames].sort().join())
      throw backupUnreadable(`the table ${tableName} has other columns than its migrations make`);
    for (const batch of inBatches(lines)) {
      await queries.insertRows({ tableName, columnNames, lines: `[${batch.join(",")}]` });
      rows += batch.length;
    }
    await onRows(rows);
  }
  const missing = tables.filter(({ tableName }) => !come.names().includes(tableName));
  if (missing.length > 0)
    throw backupUnreadable(`tables are missing: ${missing.map(({ tableName }) => tableName).join(", ")}`);
  return come;
}

/** Few enough for one parameter, however long they are. */
function* inBatches(lines: readonly string[]): Generator<readonly string[]> {
  let [batch, characters]: [string[], number] = [[], 0];
  for (const line of lines) {
    if (batch.length > 0 && characters + line.length > BATCH_CHARACTERS) {
      yield batch;
      [batch, characters] = [[], 0];
    }
    batch.push(line);
    characters += line.length;
  }
  if (batch.length > 0) yield batch;
}

/** Reads everything back. Throws backup_unreadable where a row is missing, or is another. */
async function requireSame(
  queries: RowQueries,
  tables: readonly Table[],
  come: Tally,
  isExact: boolean,
): Promise<void> {
  const stored = createTally();
  for await (const { tableName, lines } of readPages(queries, tables)) stored.add(tableName, lines);
  const isSame = ({ tableName }: Table): boolean => {
    const [before, after] = [come.sum(tableName), stored.sum(tableName)];
    return before.rows === after.rows && (!isExact || before.checksum === after.checksum);
  };
  const other = tables.filter((table) => !isSame(table)).map(({ tableName }) => tableName);
  if (other.length > 0) throw backupUnreadable(`rows differ from those that are stored: ${other.join(", ")}`);
}

/** Counts and sums up rows by their tables. */
export type Tally = {
  readonly add: (tableName: string, lines: readonly string[]) => void;
  readonly sum: (tableName: string) => Sum;
  readonly names: () => readonly string[];
};

/** A tally without a row. */
export function createTally(): Tally {
  const sums = new Map<string, { rows: number; total: bigint }>();
  return {
    add: (tableName, lines) => {
      const sum = sums.get(tableName) ?? { rows: 0, total: 0n };
      for (const line of lines) {
        sum.rows += 1;
        sum.total = BigInt.asUintN(
          CHECKSUM_BITS,
          sum.total + BigInt(`0x${sha256Hex(line).slice(0, HEX_DIGITS)}`),
        );
      }
      sums.set(tableName, sum);
    },
    sum: (tableName) => {
      const { rows, total } = sums.get(tableName) ?? { rows: 0, total: 0n };
      return { rows, checksum: total.toString(16).padStart(HEX_DIGITS, "0") };
    },
    names: () => [...sums.keys()],
  };
}
