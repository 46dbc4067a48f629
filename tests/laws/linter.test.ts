/** The linter holds most laws of the code. Each breach that is planted here must be reported, by the rule that is meant. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listFiles, ROOT, readText } from "../fixtures/source.ts";
import { BREACHES } from "./breaches.ts";

const PLUGINS = listFiles("tests/laws/*.grit");
const EXCEPTION = /\$filename <: r"([^"]+)"/g;

const PLANTED = Object.entries(BREACHES)
  .flatMap(([rule, files]) =>
    files.flatMap(([path, ...breaches]) => breaches.map((breach) => ({ rule, path, breach }))),
  )
  // The first keeps its path; the others get a folder of their own above it.
  .map((planted, index, all) => ({
    ...planted,
    place:
      all.findIndex(({ path }) => path === planted.path) === index
        ? planted.path
        : `lib/${index}/${planted.path}`,
  }));

let planted = "";
let stripped = "";
let reports: readonly Report[] = [];

beforeAll(async () => {
  planted = await makeFolder((plugin) => plugin);
  for (const { place, breach } of PLANTED) await Bun.write(join(planted, place), `${breach}\n`);
  reports = await lint(planted);
});

afterAll(async () => {
  for (const folder of [planted, stripped]) if (folder !== "") await rm(folder, { recursive: true });
});

type Report = { readonly rule: string; readonly path: string };

/** A folder with the linter's own configuration. */
async function makeFolder(change: (plugin: string) => string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "janus-laws-"));
  for (const path of ["biome.jsonc", ".gitignore"]) await cp(join(ROOT, path), join(folder, path));
  for (const path of PLUGINS) await Bun.write(join(folder, path), change(await readText(path)));
  return folder;
}

/** What the linter reports: the rule, or the file of tests/laws/ that its message names. */
async function lint(folder: string): Promise<readonly Report[]> {
  const biome = join(ROOT, "node_modules", ".bin", "biome");
  const command = [biome, "lint", "--max-diagnostics=none", "--reporter=github", "."];
  const run = Bun.spawn(command, { cwd: folder, stdout: "pipe", stderr: "pipe" });
  const printed = await new Response(run.stdout).text();
  return [...printed.matchAll(/title=([^,]+),file=([^,]+),.*?::(.*)/g)].map(
    ([, title = "", path = "", message = ""]) => ({
      rule: /tests\/laws\/(\w+\.grit)/.exec(message)?.[1] ?? title,
      path: path.replace(/^.*\/janus-laws-\w+\//, ""),
    }),
  );
}

test.each(PLANTED)("$rule reports, in $path: $breach", ({ rule, place }) => {
  const found = reports.filter(({ path }) => path === place).map((report) => report.rule);

  expect(found).toContain(rule);
});

test("each exception of a plugin is needed", async () => {
  stripped = await makeFolder((plugin) => plugin.replaceAll(EXCEPTION, '$filename <: r"none"'));
  for (const path of ["index.ts", "lib", "sql"])
    await cp(join(ROOT, path), join(stripped, path), { recursive: true });

  const needed = await lint(stripped);

  for (const plugin of PLUGINS) {
    const reported = needed.filter(({ rule }) => plugin.endsWith(`/${rule}`)).map(({ path }) => `/${path}`);
    for (const [, exception = ""] of (await readText(plugin)).matchAll(EXCEPTION)) {
      expect(reported).toContainEqual(expect.stringMatching(new RegExp(`^${exception}$`)));
    }
  }
});
