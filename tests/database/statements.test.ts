/** Every statement under sql/, described by a migrated database and held to its own header and to its line in queries.ts. */
import { beforeAll, describe, expect, test } from "bun:test";
import { basename, dirname } from "node:path";
import { messages, PGlite, protocol } from "@electric-sql/pglite";
import postgres from "postgres";
import { MIGRATIONS } from "../../lib/database/migrations.ts";
import { STATEMENTS } from "../../lib/database/queries.ts";
import type { Statement } from "../../lib/database/statement.ts";
import { listFiles, readText } from "../fixtures/source.ts";
import { createTestDatabase, onPostgres } from "../harness/database.ts";
import { useForAll } from "../harness/hooks.ts";

const FILES = listFiles("sql/*/*.sql").filter((path) => !path.startsWith("sql/migrations/"));
const TEXTS = new Map(await Promise.all(FILES.map(async (path) => [path, await readText(path)] as const)));
const NAMED = Object.entries(STATEMENTS).map(([name, statement]) => ({ name, statement }));

/** Columns that a table has as nullable and a statement never gives as null, with the reason. */
const NEVER_NULL: Readonly<Record<string, readonly string[]>> = {
  // Taken only where issuer is not null, and flow_organisation_account_check has subject with it.
  confirmMove: ["issuer", "subject"],
  // Asked for by it.
  listAuditEvents: ["discordUserId"],
  listTold: ["discordUserId"],
  receiveLook: ["discordUserId"],
  listOfOperators: ["discordUserId"],
};

/** What a statement does to its table. */
const VERBS = /^(find|list|insert|upsert|set_\w+|delete|take|claim|count)(_\w+)?$/;
/** Statements that are a whole step have the name of the step. */
const STEPS =
  /^(finish_discord_leg|finish_provider_leg|confirm_move|refuse_move|log_in|unlink|export_member|receive_\w+)$/;
/** What only the table of migrations itself needs. */
const MIGRATION_VERBS = /^(create|lock|find_table|set_isolation|set_lock_timeout|set_statement_timeout)$/;
const READS_CLOCK =
  /\b(now|clock_timestamp|statement_timestamp|transaction_timestamp)\s*\(|\bcurrent_(time|date)/;
/** Functions of a connection, for rows of any table. */
const TEMPORARY = /^sql\/backup\/create_\w+\.sql$/;
/** The one that is asked for the time, to compare the program's clock with it. It has no table. */
const CLOCK = "sql/clock/find.sql";

type Column = { readonly name: string; readonly type: string };
type Parameter = Column & { readonly note: string };

/** What a statement's header promises. */
type Header = {
  readonly sentence: string;
  readonly parameters: readonly Parameter[];
  readonly gives: "row" | "rows" | "nothing";
  readonly columns: readonly Column[];
};

/** What the database says of a statement. Types have the names of the headers. */
type Described = {
  readonly parameters: readonly string[];
  readonly columns: readonly (Column & { readonly nullable: boolean })[];
};

/** A migrated database without the program's own layer, which neither describes nor leaves the names of columns alone. */
type Raw = {
  readonly query: (
    text: string,
    parameters: (string | number)[],
  ) => Promise<readonly Readonly<Record<string, unknown>>[]>;
  readonly describe: (text: string) => Promise<{
    readonly types: readonly number[];
    readonly columns: readonly {
      readonly name: string;
      readonly type: number;
      readonly table: number;
      readonly number: number;
    }[];
  }>;
  readonly close: () => Promise<void>;
};

const raw = useForAll(
  () => (onPostgres ? openServer() : openPglite()),
  ({ close }) => close(),
);
const described = new Map<string, Described>();

beforeAll(async () => {
  const types = await readTypes();
  for (const path of FILES.filter((file) => TEMPORARY.test(file))) await raw.query(textOf(path), []);
  for (const path of FILES) described.set(path, await describeStatement(path, types));
});

async function openServer(): Promise<Raw> {
  const database = await createTestDatabase();
  const options = { max: 1, fetch_types: false, onnotice: () => undefined };
  const client = postgres(database.config.url ?? "", options);
  return {
    query: (text, parameters) => client.unsafe(text, parameters),
    describe: async (text) => {
      // A statement without rows has no columns at all.
      const { types, columns = [] } = await client.unsafe(text).describe();
      return { types, columns };
    },
    close: () => client.end().then(() => database.drop()),
  };
}

async function openPglite(): Promise<Raw> {
  const pglite = await PGlite.create("memory://");
  await pglite.exec(textOf("sql/schema_migration/create.sql"));
  for (const { text } of MIGRATIONS) await pglite.exec(text);
  const { parse, describe, sync } = protocol.serialize;
  return {
    query: async (text, parameters) => (await pglite.query<Record<string, unknown>>(text, parameters)).rows,
    describe: async (text) => {
      const asked = Buffer.concat([parse({ text }), describe({ type: "S" }), sync()]);
      const answer = await pglite.execProtocolStream(asked);
      const types = answer.find((message) => message instanceof messages.ParameterDescriptionMessage);
      const row = answer.find((message) => message instanceof messages.RowDescriptionMessage);
      const columns = (row?.fields ?? []).map(({ name, dataTypeID, tableID, columnID }) => {
        return { name, type: dataTypeID, table: tableID, number: columnID };
      });
      return { types: types?.dataTypeIDs ?? [], columns };
    },
    close: () => pglite.close(),
  };
}

/** The names that headers use, by oid. */
async function readTypes(): Promise<ReadonlyMap<number, string>> {
  const names = ["text", "integer", "bigint", "boolean", "timestamptz", "jsonb", "bytea", "void"];
  const rows = await raw.query(
    "select name, name::regtype::oid::integer as oid from unnest($1::text[]) as name",
    [`{${names.join()}}`],
  );
  return new Map(rows.map(({ name, oid }) => [Number(oid), String(name)]));
}

async function describeStatement(path: string, types: ReadonlyMap<number, string>): Promise<Described> {
  const { types: parameters, columns } = await raw.describe(textOf(path));
  const nameOf = (oid: number): string => types.get(oid) ?? `oid ${oid}`;
  return {
    parameters: parameters.map(nameOf),
    columns: await Promise.all(
      columns
        .filter(({ type }) => nameOf(type) !== "void")
        .map(async ({ name, type, table, number }) => ({
          name,
          type: nameOf(type),
          nullable: await isNullable(table, number),
        })),
    ),
  };
}

/** Whether a result's column is a table's column that may be null; false for what is computed. */
async function isNullable(table: number, column: number): Promise<boolean> {
  if (table === 0) return false;
  const found = await raw.query(
    "select not attnotnull as nullable from pg_attribute where attrelid = $1::oid and attnum = $2::smallint",
    [table, column],
  );
  return found[0]?.nullable === true;
}

function textOf(path: string): string {
  const text = TEXTS.get(path);
  if (text === undefined) throw new Error(`no such statement: ${path}`);
  return text;
}

/** A statement without its comments and texts. */
function codeOf(path: string): string {
  return textOf(path)
    .replaceAll(/--.*/g, "")
    .replaceAll(/\$\$[\s\S]*?\$\$/g, "")
    .replaceAll(/'[^']*'/g, "''");
}

/** Reads what a file says of itself, and fails on a line that is not one of its parts. */
function readHeader(path: string): Header {
  const lines = (/^(--.*\n)+/.exec(textOf(path))?.[0] ?? "").trimEnd().split("\n");
  const end = lines.findIndex((line) => /^-- (\$\d+ |rows?: |nothing$)/.test(line));
  const rest = lines.slice(end);
  const listed = rest.filter((line) => line.startsWith("-- $"));
  const given = readGiven(path);
  if (listed.length > 0 && given.length > 0) throw new Error(`${path}: names its inputs twice`);
  const result = rest.slice(listed.length);
  const gives = /^-- (row|rows|nothing)(: |$)/.exec(result[0] ?? "")?.[1];
  if (gives !== "row" && gives !== "rows" && gives !== "nothing")
    throw new Error(`${path}: no row, rows or nothing`);
  const columns = gives === "nothing" ? [] : result.flatMap((line) => readColumns(path, line, gives));
  if (gives === "nothing" && result.length > 1) throw new Error(`${path}: more after "nothing"`);
  return {
    sentence: lines
      .slice(0, end)
      .map((line) => line.replace(/^-- /, ""))
      .join(" "),
    parameters: given.length > 0 ? given : listed.map(readListed),
    gives,
    columns,
  };
}

/** A line of a header: `-- $1 name type: note`. */
function readListed(line: string, index: number): Parameter {
  const match = /^-- \$(\d+) ([a-z_]+) ([a-z]+)(?:[,:] (.+))?$/.exec(line);
  if (match === null || Number(match[1]) !== index + 1)
    throw new Error(`not parameter ${index + 1}: ${line}`);
  const [, , name = "", type = "", note = ""] = match;
  return { name, type, note };
}

/** The inputs of a statement that names them in its first step. After it the statement uses names alone. */
function readGiven(path: string): Parameter[] {
  const [step = "", list = ""] =
    /^with given as not materialized \(\n {2}select\n((?: {4}.*\n)+)\),\n/m.exec(textOf(path)) ?? [];
  if (step === "") return [];
  if (/\$\d/.test(codeOf(path).split("\n),\n").slice(1).join()))
    throw new Error(`${path}: has an input without its name`);
  return list
    .trimEnd()
    .split("\n")
    .map((line, index, { length }) => {
      const match = /^ {4}\$(\d+)::([a-z]+) as ([a-z_]+)(,?)(?: -- (.+))?$/.exec(line);
      if (match === null || Number(match[1]) !== index + 1 || (match[4] === ",") !== index + 1 < length)
        throw new Error(`${path}: not input ${index + 1}: ${line}`);
      const [, , type = "", name = "", , note = ""] = match;
      return { name, type, note };
    });
}

function readColumns(path: string, line: string, gives: string): Column[] {
  const list = new RegExp(`^-- ${gives}: (.+?),?$`).exec(line)?.[1];
  if (list === undefined) throw new Error(`${path}: not a line of ${gives}: ${line}`);
  return list.split(", ").map((column) => {
    const [name = "", type = "", ...more] = column.split(" ");
    if (more.length > 0) throw new Error(`${path}: not a column: ${column}`);
    return { name, type };
  });
}

/** snake_case as queries.ts has it. */
function camelCase(name: string): string {
  return name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

type Schema = { readonly type: string; readonly wrapped?: unknown };

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

/** What PostgreSQL calls what a schema of valibot takes. */
function readSchema(schema: unknown): { readonly type: string; readonly nullable: boolean } {
  if (!isSchema(schema)) throw new Error("not a schema");
  if (schema.type === "nullable") return { ...readSchema(schema.wrapped), nullable: true };
  const types: Readonly<Record<string, string>> = {
    string: "text",
    picklist: "text",
    date: "timestamptz",
    number: "integer",
    boolean: "boolean",
    // An object, whatever its names are.
    custom: "jsonb",
    array: "jsonb",
  };
  return { type: types[schema.type] ?? `schema ${schema.type}`, nullable: false };
}

/** The columns of what a statement gives. */
const columnsOf = (statement: Statement): object => ("row" in statement ? statement.row : {});

function fileOf(statement: { readonly text: string }): string {
  return FILES.find((path) => TEXTS.get(path) === statement.text) ?? "no file has this text";
}

describe.each(FILES)("%s", (path) => {
  test("takes its header's parameters", () => {
    const { parameters } = readHeader(path);

    expect(parameters.map(({ type }) => type)).toEqual([...(described.get(path)?.parameters ?? [])]);
    expect(new Set(parameters.map(({ name }) => name)).size).toBe(parameters.length);
  });

  test("gives its header's columns", () => {
    const { gives, columns } = readHeader(path);

    const actual = described.get(path)?.columns.map(({ name, type }) => ({ name, type })) ?? [];

    expect(actual).toEqual([...columns]);
    expect(gives === "nothing").toBe(columns.length === 0);
  });

  test("begins with a sentence", () => {
    expect(readHeader(path).sentence).toMatch(/^[A-Z].{10,}\.$/s);
  });

  test("is named by its table and verb", async () => {
    const [table, verb] = [basename(dirname(path)), basename(path, ".sql")];

    const [found] = await raw.query("select to_regclass($1) is not null as present", [table ?? ""]);

    expect(found?.present).toBe(path !== CLOCK);
    const isOfMigrations = table === "schema_migration" && MIGRATION_VERBS.test(verb);
    expect(VERBS.test(verb) || STEPS.test(verb) || isOfMigrations || TEMPORARY.test(path)).toBe(true);
  });

  test("is one statement in house style", () => {
    const code = codeOf(path);

    expect(code.trim()).not.toContain(";");
    expect(code).not.toMatch(/[A-Z]/);
    expect(code).not.toMatch(/select\s+\*|\w\.\*/);
    expect(READS_CLOCK.test(code)).toBe(path === CLOCK);
    for (const line of textOf(path).split("\n")) expect(line).toMatch(/^( {2})*(\S|$)(.*\S)?$/);
    expect(textOf(path)).toEndWith("\n");
  });
});

describe("STATEMENTS", () => {
  test("and those of MIGRATIONS use every file, and import it once", async () => {
    const sources = await Promise.all(listFiles("lib/**/*.{ts,tsx}").map(readText));
    const imported = sources
      .flatMap((source) => [
        ...source.matchAll(/^import (\w+) from "(?:\.\.\/)+(sql\/[^"]+)" with \{\s*type: "text",?\s*\};$/gm),
      ])
      .filter(([, , path]) => path?.startsWith("sql/migrations/") === false);

    expect(imported.map(([, , path]) => path).sort()).toEqual([...FILES]);
    expect(NAMED.map(({ statement }) => fileOf(statement)).sort()).toEqual(
      FILES.filter((path) => !path.startsWith("sql/schema_migration/")),
    );
    for (const [, name] of imported) {
      expect(
        sources.some((source) => (source.match(new RegExp(`\\b${name}\\b`, "g")) ?? []).length > 1),
      ).toBe(true);
    }
  });

  test.each(NAMED)("$name stands in a file of its folder", async ({ name, statement }) => {
    const folder = basename(dirname(fileOf(statement)));

    const files = await Promise.all(
      listFiles(`lib/database/statements/${folder}{,_sync,_view}.ts`).map(readText),
    );

    expect(files.filter((source) => new RegExp(`^ {2}${name}: \\{`, "m").test(source))).toHaveLength(1);
  });

  test.each(NAMED)("$name has the parameters of its file", ({ statement }) => {
    const { parameters } = readHeader(fileOf(statement));

    const known = Object.entries(statement.parameters).map(([name, schema]) => ({
      name,
      ...readSchema(schema),
    }));

    expect(known).toEqual(
      parameters.map(({ name, type, note }) => ({
        name: camelCase(name),
        // A number is sent as text, which fits both types. A bigint would come back as text.
        type: type === "bigint" ? "integer" : type,
        nullable: /^null\b/.test(note),
      })),
    );
  });

  test.each(NAMED)("$name gives the columns of its file", ({ name, statement }) => {
    const path = fileOf(statement);
    const { columns, gives } = readHeader(path);

    const known = Object.entries(columnsOf(statement)).map(([column, schema]) => ({
      name: column,
      ...readSchema(schema),
    }));

    expect(statement.gives).toBe(gives);
    expect(known.map((column) => ({ name: column.name, type: column.type }))).toEqual(
      columns.map((column) => ({ name: camelCase(column.name), type: column.type })),
    );
    const strict = known.filter(({ nullable }) => !nullable).map((column) => column.name);
    const mayBeNull = (described.get(path)?.columns ?? [])
      .filter(({ nullable }) => nullable)
      .map((column) => camelCase(column.name))
      .filter((column) => NEVER_NULL[name]?.includes(column) !== true);
    expect(strict.filter((column) => mayBeNull.includes(column))).toEqual([]);
  });

  test.each(NAMED)("$name gives back what it was asked by", ({ statement }) => {
    const { parameters } = statement;
    const row = columnsOf(statement);
    const echoes = "echoes" in statement ? statement.echoes : undefined;
    const isOfOneMember =
      "discordUserId" in row &&
      ["discordUserId", "flowIdHash", "sessionIdHash"].some((key) => key in parameters);

    if (isOfOneMember) expect(echoes).toBeString();
    if (echoes !== undefined) {
      const { column, list } = typeof echoes === "string" ? { column: echoes, list: echoes } : echoes;
      expect(Object.keys(parameters)).toContain(list);
      expect(Object.keys(row)).toContain(column);
    }
  });
});
