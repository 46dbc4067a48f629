/**
 * A backup that pg_dump has made, in its custom format. `janus restore` reads the rows alone, with pg_restore, and makes the
 * tables by its own migrations. So who owned them, and whatever else was in that database, does not matter.
 */
import type { AppliedMigration } from "../../database/migrations.ts";
import { TABLE_NAMES } from "../../database/migrations.ts";
import type { Program } from "../../database/pg_programs.ts";
import { runProgram } from "../../database/pg_programs.ts";
import type { Page, RowSource, Table } from "../../database/rows.ts";
import { backupUnreadable, JanusError } from "../../errors.ts";

/** The first bytes of a file of this form. */
export const DUMP_MAGIC = [...Buffer.from("PGDMP")];

/** A file that was read to its end. `takenAt` is in the words of the clock of who made it. */
export type Dump = {
  readonly takenAt: string;
  readonly rows: number;
  readonly tables: number;
  readonly source: RowSource;
};

type Reader = { readonly path: string; readonly program: Program; readonly stop: AbortSignal };

/** The tables of the schema that Janus uses, with the name of that schema. */
type Index = { readonly takenAt: string; readonly schema: string; readonly tables: readonly string[] };

const MIGRATIONS_TABLE = "schema_migration";
const PAGE_ROWS = 500;

/** Reads the whole file, and stores nothing. Throws backup_unreadable if it is not whole, or not of Janus. */
export async function examineDump(reader: Reader): Promise<Dump> {
  const index = await readIndex(reader);
  const applied: AppliedMigration[] = [];
  for await (const { columnNames, lines } of readTable(reader, index, MIGRATIONS_TABLE))
    applied.push(...lines.map((line) => readMigration(columnNames, line)));
  const names = index.tables.filter((name) => name !== MIGRATIONS_TABLE);
  const tables = names.filter((name) => TABLE_NAMES.includes(name));
  let rows = 0;
  for (const table of tables)
    for await (const { lines } of readTable(reader, index, table)) rows += lines.length;
  return {
    takenAt: index.takenAt,
    rows,
    tables: tables.length,
    source: sourceOf(reader, index, names, applied),
  };
}

const sourceOf = (
  reader: Reader,
  index: Index,
  names: readonly string[],
  applied: readonly AppliedMigration[],
): RowSource => ({
  applied,
  isExact: false,
  pages: async function* (tables: readonly Table[]): AsyncGenerator<Page> {
    const known = tables.map(({ tableName }) => tableName);
    for (const name of known.filter((table) => names.includes(table))) yield* readTable(reader, index, name);
    // Their rows are none of Janus's. Their names are told.
    for (const tableName of names.filter((table) => !known.includes(table)))
      yield { tableName, columnNames: [], lines: [] };
  },
});

async function readIndex(reader: Reader): Promise<Index> {
  const entries: { readonly schema: string; readonly table: string }[] = [];
  let takenAt = "";
  for await (const line of readLines(reader, ["--list"])) {
    const [, schema = "", table = ""] = /^\d+; \d+ \d+ TABLE DATA (\S+) (\S+) ./.exec(line) ?? [];
    takenAt ||= /^; Archive created at (\d[\d -:]{18})/.exec(line)?.[1] ?? "";
    if (table !== "") entries.push({ schema, table });
  }
  const schema = entries.find(({ table }) => table === MIGRATIONS_TABLE)?.schema;
  if (schema === undefined) throw backupUnreadable("The file is a dump of another database, not of Janus.");
  return {
    takenAt,
    schema,
    tables: entries.filter((entry) => entry.schema === schema).map(({ table }) => table),
  };
}

/** At least one page, if the file has the table. */
async function* readTable(reader: Reader, { schema }: Index, tableName: string): AsyncGenerator<Page> {
  const args = ["--data-only", `--schema=${schema}`, `--table=${tableName}`, "--file=-"];
  let columnNames: readonly string[] | undefined;
  let isEnded = false;
  let page: string[] = [];
  for await (const line of readLines(reader, args)) {
    if (columnNames === undefined) columnNames = readColumns(line);
    else if (line === "\\.") isEnded = true;
    else if (!isEnded) page.push(readRow(line));
    if (columnNames === undefined || (page.length < PAGE_ROWS && line !== "\\.")) continue;
    yield { tableName, columnNames, lines: page };
    page = [];
  }
  if (!isEnded)
    throw backupUnreadable(`The file is not a whole backup of Janus: it lacks the rows of ${tableName}.`);
}

/** The columns that `copy` names; undefined for any other line before it. */
function readColumns(line: string): readonly string[] | undefined {
  const list = /^COPY \S+ \((.*)\) FROM stdin;$/.exec(line)?.[1];
  return list?.split(", ").map((name) => name.replaceAll(/^"|"$/g, ""));
}

const ESCAPES: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

/** A line of PostgreSQL's text format for `copy`, as a list of texts. */
export function readRow(line: string): string {
  const values = line.split("\t").map((field) => {
    if (field === "\\N") return null;
    return field.includes("\\")
      ? field.replaceAll(/\\(.)/gs, (_, sign: string) => ESCAPES[sign] ?? sign)
      : field;
  });
  return JSON.stringify(values);
}

function readMigration(columnNames: readonly string[], line: string): AppliedMigration {
  const values: unknown = JSON.parse(line);
  const textOf = (name: string): string =>
    Array.isArray(values) ? String(values[columnNames.indexOf(name)]) : "";
  return {
    version: Number(textOf("version")),
    name: textOf("name"),
    checksum: textOf("checksum"),
    appliedAt: new Date(textOf("applied_at")),
  };
}

async function* readLines({ path, program, stop }: Reader, args: readonly string[]): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  try {
    for await (const chunk of runProgram({ program, args: [...args, path], stop })) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
    }
  } catch (error) {
    if (stop.aborted) throw error;
    const why = error instanceof JanusError ? error.message : "it was changed";
    throw backupUnreadable(`The file is not a whole backup of Janus: ${why}`, error);
  }
}
