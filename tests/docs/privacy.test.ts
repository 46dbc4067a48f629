/** docs/privacy.md names every table and every column, says what each is, and holds to the program's own times. */
import { describe, expect, test } from "bun:test";
import { VARIABLES } from "../../lib/config/load.ts";
import { SESSION_IDLE_SECONDS, SESSION_TTL_SECONDS } from "../../lib/session/secrets.ts";
import { readText } from "../fixtures/source.ts";
import { useDatabase } from "../harness/hooks.ts";

const database = useDatabase();
const text = await readText("docs/privacy.md");

/** The tables of the document: for each the columns with what they are, in the order of its rows. */
const described = [...text.matchAll(/^### `(\w+)`\n([\s\S]*?)(?=^##)/gm)].map(
  ([, table = "", section = ""]) => {
    const rows = [...section.matchAll(/^\| (`[^|]+) \| ([^|]*) \|/gm)];
    return {
      table,
      sentence: section.trim().split("\n")[0] ?? "",
      columns: rows.flatMap(([, cell = ""]) =>
        [...cell.matchAll(/`(\w+)`/g)].map(([, column = ""]) => column),
      ),
      meanings: rows.map(([, , meaning = ""]) => meaning.trim()),
    };
  },
);

const storedColumns = async (): Promise<readonly string[]> => {
  const rows = await database.rows(
    `select relname::text as relation, attname::text as name
       from pg_attribute
       inner join pg_class on pg_class.oid = attrelid
       where relkind in ('r', 'p', 'm') and relnamespace = current_schema()::regnamespace
         and attnum > 0 and not attisdropped`,
  );
  return rows.map(({ relation, name }) => `${relation}.${name}`).sort();
};

describe("docs/privacy.md", () => {
  test("describes every column of the database once, and no other", async () => {
    const named = described.flatMap(({ table, columns }) => columns.map((column) => `${table}.${column}`));

    const stored = await storedColumns();

    expect(stored.length).toBeGreaterThan(100);
    expect(named.toSorted()).toEqual([...stored]);
  });

  test("would miss a new column", async () => {
    await database.rows("alter table backup add column unheard_of text");

    const stored = await storedColumns();
    await database.rows("alter table backup drop column unheard_of");

    expect(stored).toContain("backup.unheard_of");
    expect(await storedColumns()).not.toContain("backup.unheard_of");
  });

  test("says what each table and each column is", () => {
    expect(described.filter(({ sentence }) => !sentence.endsWith("."))).toEqual([]);
    expect(described.filter(({ meanings }) => meanings.includes(""))).toEqual([]);
  });

  test("says the times that the program keeps", () => {
    const days = VARIABLES.find(({ name }) => name === "RETENTION_DAYS")?.default;

    expect(text).toContain(`\`RETENTION_DAYS\` after each event, ${days} unless you set it`);
    expect(text).toContain(
      `${SESSION_IDLE_SECONDS / 86_400} days without use, or ${SESSION_TTL_SECONDS / 86_400} days`,
    );
  });

  test("has the text for members in English and in Swedish, with the same paragraphs", () => {
    const [english = "", swedish = ""] = ["English", "Swedish"].map(
      (language) =>
        new RegExp(`^### In ${language}\\n([\\s\\S]*?)(?=^###|$(?![\\s\\S]))`, "m").exec(text)?.[1],
    );
    const paragraphs = (section: string): number => section.split(/^>$/m).length;

    expect(paragraphs(english)).toBe(6);
    expect(paragraphs(swedish)).toBe(6);
    expect((english.match(/\[/g) ?? []).length).toBe((swedish.match(/\[/g) ?? []).length);
  });
});
