/** Imports in any order, with links that are undone in between, against a model of what may become of each row. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { csvOf, importFrom } from "../fixtures/imports.ts";
import { emptyDatabase } from "../harness/database.ts";
import { useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { newUser } from "../harness/walk.ts";

const folder = useFolder("import_model");
const database = useDatabase();
const janus = useJanus(() => startJanusWithForger({ database }));

type Row = readonly [user: number, subject: number];
type Step =
  | { readonly kind: "import"; readonly rows: readonly Row[] }
  | { readonly kind: "undo"; readonly user: number };
/** What has become of each user so far. */
type Model = { readonly links: Map<number, number>; readonly undone: Set<number> };

const small = fc.integer({ min: 0, max: 4 });
const row = fc.tuple(small, small);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("import" as const), rows: fc.array(row, { maxLength: 6 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("undo" as const), user: small }) },
);

/** The rows that do not contradict each other, each once. */
function findSingle(rows: readonly Row[]): readonly Row[] {
  const single = rows.filter(
    ([user, subject], index) => rows.findIndex(([u, s]) => u === user && s === subject) === index,
  );
  return single.filter(
    ([user, subject]) => single.filter(([u, s]) => u === user || s === subject).length === 1,
  );
}

/** What the model expects of an import; it remembers the links that are made. */
function expectImport({ links, undone }: Model, rows: readonly Row[]) {
  const taken = new Set(links.values());
  const outcomes = findSingle(rows).map(([user, subject]) => {
    if (links.get(user) === subject) return "already";
    if (links.has(user)) return "discord_linked";
    if (taken.has(subject)) return "account_linked";
    if (undone.has(user)) return "undone";
    links.set(user, subject);
    return "imported";
  });
  return outcomes.toSorted();
}

async function undo(user: string): Promise<void> {
  await database.rows(`delete from link where discord_user_id = '${user}'`);
  await database.rows(`delete from discord_token where discord_user_id = '${user}'`);
}

test("importing does what the model expects, whatever was imported and undone before", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 6 }), async (steps) => {
      await emptyDatabase(database);
      const users = Array.from({ length: 5 }, newUser);
      const model: Model = { links: new Map(), undone: new Set() };
      for (const next of steps) {
        if (next.kind === "undo") {
          if (model.links.delete(next.user)) model.undone.add(next.user);
          await undo(users[next.user] ?? "");
          continue;
        }
        const lines = next.rows.map(([user, subject]) => `${users[user]},sub-${subject}`);
        const source = () => csvOf(folder, ["discord_user_id,subject", ...lines, ""].join("\n"));
        const dry = await importFrom(janus, source(), { isDryRun: true });

        const { stored } = await importFrom(janus, source());

        const outcomes = [
          ...Array<string>(stored.imported).fill("imported"),
          ...Array<string>(stored.already).fill("already"),
          ...stored.hindered.map(({ reason }) => reason),
        ];
        expect(dry.stored).toEqual(stored);
        expect(outcomes.toSorted()).toEqual(expectImport(model, next.rows));
      }
      const links = await database.rows("select discord_user_id as user_id, subject from link");
      expect(new Map(links.map(({ userId, subject }) => [userId, subject]))).toEqual(
        new Map([...model.links].map(([user, subject]) => [users[user], `sub-${subject}`])),
      );
    }),
    { numRuns: 60 },
  );
}, 120_000);
