/** The laws of the code that the linter cannot hold: who may import whom, and what a file looks like. */
import { describe, expect, test } from "bun:test";
import { basename, dirname, join, normalize } from "node:path";
import { findLines, listFiles, ROOT, readText } from "../fixtures/source.ts";

/** What may import what: a room imports from its own level or a lower one. `handlers.ts` of any room is at the top. */
const LEVELS: readonly (readonly string[])[] = [
  ["error_codes", "errors", "crypto", "time", "text", "config", "telemetry"],
  ["database", "oauth"],
  ["discord", "oidc", "rules"],
  [
    "deps",
    "wiring",
    "flow",
    "grants",
    "link",
    "session",
    "member",
    "result",
    "sync",
    "scim",
    "operator",
    "interactions",
  ],
  ["http", "pages", "api", "cli", "server"],
];
const TOP = LEVELS.length - 1;
const PARTS = 2;
const LEAVES = [
  "lib/crypto.ts",
  "lib/deps.ts",
  "lib/error_codes.ts",
  "lib/errors.ts",
  "lib/time.ts",
  "lib/wiring.ts",
];

type Import = { readonly from: string; readonly to: string; readonly typeOnly: boolean };

const STATEMENT =
  /(?:^|;|\*\/)[ \t]*(?:import|export)\s+(type\s+)?(?:([^"';]*?)\s+from\s+)?["']([^"']+)["']/gm;
const CALL = /\bimport\(\s*["']([^"']+)["']/g;

const PATHS = ["index.ts", ...listFiles("{lib,sql}/**/*.{ts,tsx}")];
const SOURCES = await Promise.all(PATHS.map(async (path) => ({ path, text: await readText(path) })));
const LIB = SOURCES.filter(({ path }) => path.startsWith("lib/") && !path.endsWith(".d.ts"));
const IMPORTS = SOURCES.flatMap(({ path, text }) => readImports(path, text));
const OWN_IMPORTS = IMPORTS.filter(({ to }) => isProgram(to));

/** What a file imports: files of the program by their path, packages by their name. */
function readImports(from: string, text: string): readonly Import[] {
  const statements = [...text.matchAll(STATEMENT)].map(([, type, names = "", to = ""]) => {
    const named = /^\{([^}]*)\}$/.exec(names.trim())?.[1]?.split(",") ?? [];
    const allTypes = named.length > 0 && named.every((name) => name.trim() === "" || /^\s*type\s/.test(name));
    return { to, typeOnly: type !== undefined || allTypes };
  });
  const calls = [...text.matchAll(CALL)].map(([, to = ""]) => ({ to, typeOnly: false }));
  return [...statements, ...calls].map(({ to, typeOnly }) => ({
    from,
    to: to.startsWith(".") ? normalize(join(dirname(from), to)) : to,
    typeOnly,
  }));
}

function isProgram(path: string): boolean {
  return PATHS.includes(path);
}

function roomOf(path: string): string {
  return /^lib\/([^/.]+)/.exec(path)?.[1] ?? "";
}

function levelOf(path: string): number {
  if (!path.startsWith("lib/")) return LEVELS.length;
  return /\/handlers\.tsx?$/.test(path) ? TOP : LEVELS.findIndex((rooms) => rooms.includes(roomOf(path)));
}

const arrow = ({ from, to }: Import): string => `${from} imports ${to}`;
const pathsOf = (files: readonly { readonly path: string }[]): string[] => files.map(({ path }) => path);

/** Where a pattern occurs, as `path:line: the line`. */
function occurrences(pattern: RegExp): string[] {
  return SOURCES.flatMap(({ path, text }) => findLines(text, pattern).map((line) => `${path}:${line}`));
}

describe("rooms", () => {
  test("have every file of lib/, but for the leaves", () => {
    expect(pathsOf(LIB.filter(({ path }) => levelOf(path) < 0))).toEqual([]);
    expect(pathsOf(LIB.filter(({ path }) => dirname(path) === "lib"))).toEqual(LEAVES);
  });

  test("import from their own level or a lower one", () => {
    expect(OWN_IMPORTS.filter(({ from, to }) => levelOf(to) > levelOf(from)).map(arrow)).toEqual([]);
    expect(OWN_IMPORTS.length).toBeGreaterThan(50);
  });

  test("discord/, oidc/ and rules/ know nothing of each other but types", () => {
    const between = OWN_IMPORTS.filter(({ from, to }) => levelOf(from) === PARTS && levelOf(to) === PARTS);

    expect(
      between.filter(({ from, to, typeOnly }) => !typeOnly && roomOf(from) !== roomOf(to)).map(arrow),
    ).toEqual([]);
  });

  test("have no file that is named after them", () => {
    const named = LIB.filter(({ path }) => basename(path).replace(/\.tsx?$/, "") === basename(dirname(path)));

    expect(pathsOf(named)).toEqual([]);
  });

  test("start no command line: only the entry points do", () => {
    const starters = IMPORTS.filter(({ to }) => to === "lib/cli/run.ts").map(({ from }) => from);

    expect(starters.sort()).toEqual(["index.ts", "sql/migrate.ts"]);
  });
});

test("dependencies are what is imported, and nothing else", async () => {
  const { dependencies } = await Bun.file(join(ROOT, "package.json")).json();
  const imported = IMPORTS.filter(
    ({ to, typeOnly }) => !typeOnly && !isProgram(to) && !/^(node:|bun:|lib\/|sql\/|package\.json)/.test(to),
  ).map(({ to }) => /^(@[^/]+\/)?[^/]+/.exec(to)?.[0] ?? to);

  // JSX becomes an import of preact.
  if (PATHS.some((path) => path.endsWith(".tsx"))) imported.push("preact");

  expect([...new Set(imported)].sort()).toEqual(Object.keys(dependencies).sort());
});

describe("files", () => {
  const BANNED = /^(utils?|helpers?|common|types?|misc|services?|managers?|shared|lib|main)$/;

  test("have a name that says what they do", () => {
    const tests = listFiles("tests/**/*.ts").filter((path) => !/(^|\/)helpers?\.ts$/.test(path));
    const all = [...PATHS, ...listFiles("sql/**/*.sql"), ...tests];

    expect(all.filter((path) => BANNED.test(basename(path).replace(/\..*$/, "")))).toEqual([]);
    // An exception of the linter for index.ts is meant for the one at the top.
    expect(
      pathsOf(LIB.filter(({ path }) => /(_|\/)(utils?|helpers?|service|manager|index)(_|\.)/.test(path))),
    ).toEqual([]);
  });

  test("stay under 300 lines, but for a language, which is one file of sentences", () => {
    const code = LIB.filter(({ path }) => !path.startsWith("lib/pages/texts/"));

    expect(pathsOf(code.filter(({ text }) => text.trimEnd().split("\n").length > 300))).toEqual([]);
  });

  test("of lib/ open with what they are for, in two lines or more", () => {
    const without = LIB.filter(({ text }) => !/^\/\*\*(?:(?!\*\/)[\s\S]){60,}?\*\/\n(?!export)/.test(text));

    expect(pathsOf(without)).toEqual([]);
  });

  test("explain every export", () => {
    const bare = SOURCES.flatMap(({ path, text }) =>
      (text.match(/(?<!\*\/ *\n)^export .*/gm) ?? []).map((line) => `${path}: ${line}`),
    );

    expect(bare).toEqual([]);
  });

  test("name no machine: no home, temporary or working folder", () => {
    expect(occurrences(/\/(home|Users|tmp|root|work|opt)\/\w/)).toEqual([]);
  });

  test("of lib/cli write JSON by toJson(), which acts on no terminal", () => {
    expect(occurrences(/JSON\.stringify/).filter((line) => line.startsWith("lib/cli/"))).toEqual([]);
    expect(occurrences(/\btoJson\(/).length).toBeGreaterThan(30);
  });

  // Not a rule of the linter, since such a comment switches rules off.
  test("ignore no error and switch no rule off", () => {
    expect(occurrences(/@ts-(ignore|nocheck|expect-error)|biome-ignore|eslint-disable/)).toEqual([]);
  });
});
