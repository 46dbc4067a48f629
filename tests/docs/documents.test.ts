/** The documents together: their length, their links, and the commands and files that they name. */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { engines } from "../../package.json" with { type: "json" };
import { anchorsOf, linksOf, withoutFences } from "../fixtures/markdown.ts";
import { listFiles, ROOT, readText } from "../fixtures/source.ts";

const MAX_README_LINES = 160;

const DOCUMENTS = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", ...listFiles("docs/*.md")];
const DECISIONS = listFiles("docs/decisions/*.md");

const texts = new Map(
  await Promise.all([...DOCUMENTS, ...DECISIONS].map(async (path) => [path, await readText(path)] as const)),
);
const textOf = (path: string): string => texts.get(path) ?? "";

describe("README.md", () => {
  test("has at most 160 lines", () => {
    expect(textOf("README.md").trimEnd().split("\n").length).toBeLessThanOrEqual(MAX_README_LINES);
  });

  test("lists every document once in its index", () => {
    const index = textOf("README.md").split("\n## Documents\n")[1]?.split("\n## ")[0] ?? "";
    const rows = [...index.matchAll(/^\| \[[^\]]+\]\(([^)]+)\) \|/gm)].map(([, path = ""]) => path);

    const expected = [...DOCUMENTS.filter((path) => path !== "README.md"), "docs/decisions"];
    expect(rows.toSorted()).toEqual(expected.toSorted());
  });

  test("has the test command of .ci/run, with and without a Bun from npm", async () => {
    const script = await readText(".ci/run");
    const [, withBun = ""] = /^with_bun='([^']+)'$/m.exec(script) ?? [];
    const [, command = ""] = /^test_command='([^']+)'$/m.exec(script) ?? [];

    expect(command).toContain("bun test");
    expect(textOf("README.md")).toContain(`| \`${command}\` |`);
    expect(textOf("README.md")).toContain(`| \`${withBun} "${command}"\` |`);
  });

  test("has each line for Bun also for a machine with only Node.js", async () => {
    const [, withBun = "none"] = /^with_bun='([^']+)'$/m.exec(await readText(".ci/run")) ?? [];
    const rows = [...textOf("README.md").matchAll(/^\| ([^|]+) \| `([^`]+)` \|$/gm)];
    const linesOf = (machine: string) =>
      rows.filter(([, who = ""]) => who.includes(machine)).map(([, , line = ""]) => line);

    expect(linesOf("Bun")).toHaveLength(2);
    expect(linesOf("Node.js")).toEqual(linesOf("Bun").map((line) => `${withBun} "${line}"`));
    // The Bun that npm gives is one that Janus runs on.
    const [, version = "0.0"] = /bun@(\d+\.\d+) /.exec(withBun) ?? [];
    expect(Bun.semver.satisfies(`${version}.0`, engines.bun)).toBe(true);
  });
});

describe("the links", () => {
  test.each([...texts.keys()].map((path) => [basename(path), path] as const))("in %s work", (_, path) => {
    const broken = linksOf(textOf(path)).filter((link) => !leadsSomewhere(path, link));

    expect(broken).toEqual([]);
  });

  test("are found broken when they lead nowhere", () => {
    const [toFile, toHeading, within] = linksOf("[a](none.md) [b](install.md#none) [c](#none)");

    for (const link of [toFile, toHeading, within])
      expect(link !== undefined && leadsSomewhere("docs/api.md", link)).toBe(false);
  });
});

function leadsSomewhere(from: string, { path, anchor }: { readonly path: string; readonly anchor: string }) {
  const target = path === "" ? from : normalize(join(dirname(from), path));
  if (target.startsWith("..") || !existsSync(join(ROOT, target))) return false;
  return anchor === "" || anchorsOf(textOf(target)).includes(anchor);
}

describe("the commands in the documents", () => {
  const commands = DOCUMENTS.flatMap((path) => [...textOf(path).matchAll(/\bbun (run|test) ([^`"\n]*)/g)]);

  test("name only scripts and files that exist", async () => {
    const { scripts } = await Bun.file(join(ROOT, "package.json")).json();
    const named = commands.map(([, , rest = ""]) => rest.split(/[\s,;)]/)[0] ?? "");
    const missing = named.filter(
      (name) => !(/^-|^$/.test(name) || scripts[name] !== undefined || existsSync(join(ROOT, name))),
    );

    expect(named.length).toBeGreaterThan(20);
    expect(missing).toEqual([]);
  });

  test("find a test when they choose one by its name", async () => {
    const chosen = commands.flatMap(
      ([whole]) => /bun test (\S+) --test-name-pattern (?:'([^']+)'|(\S+))/.exec(whole) ?? [],
    );
    const pairs = Array.from({ length: chosen.length / 4 }, (_, at) => chosen.slice(at * 4, at * 4 + 4));

    expect(pairs.length).toBeGreaterThan(3);
    for (const [whole, path = "", quoted, bare] of pairs)
      expect({ whole, isThere: (await readText(path)).includes(quoted ?? bare ?? "") }).toEqual({
        whole,
        isThere: true,
      });
  });
});

describe("the English of the documents", () => {
  // Each of these needs a second reading: the subject is missing, or a native writer would choose another word.
  const AVOIDED =
    /\b(is none|whoever|all the same|besides|afresh|anew|is had|nobody asks any more|bears? (?:an?|the) id)\b/i;

  test.each(DOCUMENTS)("avoids phrases of style.md in %s", (path) => {
    // The tables of errors.md repeat the program's own texts.
    const prose = withoutFences(textOf(path))
      .split("\n")
      .filter((line) => path !== "docs/errors.md" || !/^\|/.test(line));
    const quoted = path === "docs/style.md" ? prose.filter((line) => !line.startsWith("| ")) : prose;

    expect(quoted.filter((line) => AVOIDED.test(line))).toEqual([]);
  });
});
