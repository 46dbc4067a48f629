/** `docs/architecture.md` agrees with the code in its answers, its rooms and every path that it names. */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { readTable, withoutFences } from "../fixtures/markdown.ts";
import { listFiles, ROOT, readText } from "../fixtures/source.ts";

const QUESTIONS = 30;

const text = await readText("docs/architecture.md");
const questions = readTable(text, ["question", "file"]);

test("docs/architecture.md answers at least thirty questions, each once", () => {
  const asked = questions.map(([question]) => question);

  expect(asked.length).toBeGreaterThanOrEqual(QUESTIONS);
  expect(new Set(asked).size).toBe(asked.length);
  expect(asked.filter((question) => question?.endsWith("?") !== true)).toEqual([]);
});

test.each(questions)("one file answers: %s", (_, answer = "") => {
  const [, path = ""] = /^`([^`]+)`$/.exec(answer) ?? [];

  expect(path).toMatch(/\.(ts|tsx|sql)$/);
  expect(existsSync(join(ROOT, path))).toBe(true);
});

test("docs/architecture.md names only routes that exist", async () => {
  const routes = await readText("index.ts");
  const named = [...text.matchAll(/\b(?:GET|POST|DELETE) (\/[\w/-]*)/g)].map(([, path = ""]) => path);

  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((path) => !routes.includes(`"${path}"`))).toEqual([]);
});

test("docs/architecture.md names only paths that exist", () => {
  const named = [
    ...withoutFences(text).matchAll(/`((?:lib|sql|tests|deploy|docs|\.ci)\/[^`\s]*|index\.ts)`/g),
  ];
  const paths = named.map(([, path = ""]) => path);

  expect(paths.length).toBeGreaterThan(QUESTIONS);
  expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test("docs/architecture.md lists every room, and every file beside the rooms", () => {
  const rooms = readTable(text, ["level", "room", "open first", "what it owns"]).map(([, room = ""]) =>
    room.replaceAll("`", ""),
  );
  const found = listFiles("lib/**/*.{ts,tsx}")
    .filter((path) => !path.endsWith(".d.ts"))
    .map((path) => (dirname(path) === "lib" ? path : `lib/${path.split("/")[1]}/`));

  expect(rooms.toSorted()).toEqual([...new Set(found)].sort());
});
