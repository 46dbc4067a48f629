/** Hooks that end what other hooks made: where one of those failed, they must not hide why. */
import { expect, test } from "bun:test";
import { listFiles, readText } from "../fixtures/source.ts";

const UNMADE = /^ *let (\w+): [^=\n]+;$/gm;
const ENDING = /^( *)after(?:All|Each)\((?:.*\);$|[\s\S]*?^\1\}\);$)/gm;

/** What hooks end without looking whether it was made. tests/harness/hooks.ts has fixtures that look. */
function findBlindEnds(text: string): readonly string[] {
  const names = [...text.matchAll(UNMADE)].map(([, name = ""]) => name);
  const hooks = [...text.matchAll(ENDING)].map(([hook]) => hook);
  return names.filter((name) => {
    const looks = new RegExp(`if \\(${name} !== undefined\\)`);
    const use = new RegExp(`(?<![\\w.])${name}\\b(?!\\?\\.| \\?\\?|: )`);
    return hooks.some((hook) => hook.split("\n").some((line) => use.test(line) && !looks.test(line)));
  });
}

test("hooks that end a fixture find that it was never made", async () => {
  const breaches: string[] = [];
  for (const path of listFiles("tests/**/*.ts"))
    for (const name of findBlindEnds(await readText(path))) breaches.push(`${path}: ${name}`);

  expect(breaches).toEqual([]);
});

test.each([
  ["let janus: Janus;\nafterAll(() => janus.stop());", ["janus"]],
  ["let folder: string;\nafterAll(() => rm(folder, { force: true }));", ["folder"]],
  [
    "  let a: A;\n  let b: B | undefined;\n  afterEach(async () => {\n    await a?.stop();\n    await b.stop();\n  });",
    ["b"],
  ],
  ["let janus: Janus;\nafterAll(async () => {\n  if (janus !== undefined) await stopJanus(janus);\n});", []],
  ["let all: All;\nafterAll(() => Promise.all(Object.values(all ?? {})));", []],
  ["let janus: Janus;\nafterAll(() => janus?.stop());\ntest('a', () => janus.stop());", []],
  ["let count = 0;\nafterAll(() => expect(count).toBe(1));", []],
])("the law finds in %j just %j", (text, found) => {
  expect(findBlindEnds(text)).toEqual(found);
});
