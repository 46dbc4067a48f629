/** CI runs the tests that reach a database on both databases: what its pattern leaves out must reach none. */
import { expect, test } from "bun:test";
import { dirname, join } from "node:path";
import { listFiles, readText } from "../fixtures/source.ts";

const DATABASE = "tests/harness/database.ts";
const PROCESSES = "tests/cli/processes.test.ts";

/** What a file imports of the tests, at any depth, itself included. */
async function reachFrom(path: string, reached = new Set<string>()): Promise<ReadonlySet<string>> {
  if (reached.has(path)) return reached;
  reached.add(path);
  const text = await readText(path);
  for (const [, given = ""] of text.matchAll(/^(?:import|export|\} from)\b[^;"]*"(\.[^"]+\.tsx?)"/gm)) {
    const imported = join(dirname(path), given);
    if (imported.startsWith("tests/")) await reachFrom(imported, reached);
  }
  return reached;
}

test(".ci/run leaves out no test on PostgreSQL that reaches a database", async () => {
  const script = await readText(".ci/run");
  const pattern = new RegExp(/^reaches_database='(.+)'$/m.exec(script)?.[1] ?? "no pattern");
  const files = listFiles("tests/**/*.test.ts");
  const texts = await Promise.all(files.map(readText));
  // These are left out by their names: what they test is the same on either database.
  const once = new RegExp(/^runs_once='(.+)'$/m.exec(script)?.[1] ?? "no pattern");
  const leftOut = files.filter((path, index) => !once.test(path) && !pattern.test(texts[index] ?? ""));

  const wrong: string[] = [];
  for (const file of leftOut) if ((await reachFrom(file)).has(DATABASE)) wrong.push(file);

  expect(leftOut.length).toBeGreaterThan(0);
  expect(wrong).toEqual([]);
  expect((await reachFrom("tests/link/flow.test.ts")).has(DATABASE)).toBe(true);
});

test(".ci/run leaves out no test on PostgreSQL that runs there alone", async () => {
  const script = await readText(".ci/run");
  const once = new RegExp(/^runs_once='(.+)'$/m.exec(script)?.[1] ?? "no pattern");
  const leftOut = listFiles("tests/**/*.test.ts").filter((path) => once.test(path));
  const texts = await Promise.all(leftOut.map(readText));

  const there = leftOut.filter((_, index) =>
    /\b(?:onPostgres|usePostgres|TEST_DATABASE_URL)\b/.test(texts[index] ?? ""),
  );

  expect(leftOut.length).toBeGreaterThan(10);
  // The last one runs in part, by the names of its tests.
  expect(there.filter((path) => path !== "tests/laws/ci.test.ts")).toEqual([PROCESSES]);
});

test(".ci/run repeats each command on PostgreSQL whose test runs there alone", async () => {
  const pattern = new RegExp(
    /^processes_on_postgres='(.+)'$/m.exec(await readText(".ci/run"))?.[1] ?? "no pattern",
  );
  const names = [...(await readText(PROCESSES)).matchAll(/\.if\(onPostgres\)\(\s*"([^"]+)"/g)].map(
    ([, name = ""]) => name,
  );

  expect(names.length).toBeGreaterThan(3);
  expect(names.filter((name) => !pattern.test(name))).toEqual([]);
});
