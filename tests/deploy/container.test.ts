/** How the image is made, held to the program. That an engine makes it, and that it runs, image.test.ts shows. */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { VARIABLES } from "../../lib/config/load.ts";
import packageJson from "../../package.json" with { type: "json" };
import {
  defaultOf,
  isInContext,
  isPinned,
  readAssignments,
  readCommands,
  readStages,
} from "../fixtures/deployment.ts";
import { ROOT, readText } from "../fixtures/source.ts";

const { args, stages } = readStages(await readText("Containerfile"));
const [dependencies, build, final] = stages;
if (dependencies === undefined || build === undefined || final === undefined)
  throw new Error("No three stages");
const rules = await readText(".dockerignore");

const textOf = (name: string, stage = final): string => {
  const last = stage.instructions.findLast((instruction) => instruction.name === name)?.rest;
  if (last === undefined) throw new Error(`The stage has no ${name}`);
  return last;
};
const listOf = (name: string): readonly string[] => {
  const list = final.instructions.findLast((instruction) => instruction.name === name)?.list;
  if (list === undefined) throw new Error(`${name} is for a shell, of which there is none`);
  return list;
};
const copies = (stage: typeof final) =>
  stage.instructions
    .filter(({ name }) => name === "COPY")
    .map(({ flags, rest }) => ({
      flags,
      sources: rest.split(/\s+/).slice(0, -1),
      to: rest.split(/\s+/).at(-1),
    }));
const copied = stages
  .flatMap(copies)
  .filter(({ flags }) => flags.from === undefined)
  .flatMap(({ sources }) => sources);

const isCommand = readCommands();

/** Images that are known to have none. */
const SHELLESS = /^gcr\.io\/distroless\/[\w-]+:(latest|nonroot)(-(amd64|arm64))?(@sha256:[0-9a-f]{64})?$/;

describe("Containerfile", () => {
  test("copies what exists, and what the build may see", () => {
    expect(copied.length).toBeGreaterThan(5);
    expect(copied.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect(copied.filter((path) => !isInContext(rules, path))).toEqual([]);
  });

  test("copies all that the build imports", async () => {
    const imported = await findImported(["index.ts", ".ci/build.ts"]);

    const isCopied = (path: string) =>
      copied.some((source) => path === source || path.startsWith(`${source}/`));
    expect(imported.length).toBeGreaterThan(60);
    expect(imported.filter((path) => !isCopied(path))).toEqual([]);
    // Not imported, and yet the build is another one without them.
    for (const path of ["tsconfig.json", "bunfig.toml", "sql/migrations"]) expect(isCopied(path)).toBe(true);
  });

  test("installs before any source is copied: a change in lib/ leaves the dependencies' layer alone", () => {
    const names = dependencies.instructions.map(({ name }) => name);

    expect(copies(dependencies).flatMap(({ sources }) => sources)).toEqual([
      "package.json",
      "bun.lock",
      "bunfig.toml",
    ]);
    expect(names.indexOf("RUN")).toBeGreaterThan(names.indexOf("COPY"));
    expect(textOf("RUN", dependencies)).toBe('["bun", "install", "--frozen-lockfile", "--production"]');
    expect(build.from).toBe(dependencies.name ?? "");
    expect(build.instructions.filter(({ rest }) => /\binstall\b/.test(rest))).toEqual([]);
  });

  test("builds by the script that package.json has", () => {
    expect(textOf("RUN", build)).toBe('["bun", "run", "build"]');
    expect(packageJson.scripts.build).toBeString();
  });

  test("ends with the binary and the folder for data, and nothing that was not built", () => {
    const [binary, data, ...others] = copies(final);

    expect(others).toEqual([]);
    expect(binary).toEqual({
      flags: { from: "build" },
      sources: ["/janus/dist/janus"],
      to: "/usr/local/bin/janus",
    });
    expect(data?.to).toBe(readAssignments(textOf("ENV")).DATA_DIR);
    expect(final.instructions.filter(({ name }) => name === "RUN" || name === "ADD")).toEqual([]);
  });

  test("ends on a base without a shell: distroless, and not one of its images for debugging, which have busybox", () => {
    expect(final.from).toBe(args.BASE_IMAGE ?? "");
    expect(final.from).toMatch(SHELLESS);
  });

  test.each([
    ["gcr.io/distroless/base-nossl-debian13:debug-nonroot"],
    ["gcr.io/distroless/base-nossl-debian13:debug"],
    ["gcr.io/distroless/base-nossl-debian13"],
    ["docker.io/debian:13-slim"],
    ["example.org/gcr.io/distroless/base-nossl-debian13:nonroot"],
  ])("would not be taken to have no shell on %s", (image) => {
    expect(image).not.toMatch(SHELLESS);
  });

  test("runs as nobody in particular, by number, who owns the folder for data", () => {
    const user = textOf("USER");

    expect(user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(copies(final).find(({ to }) => to === "/data")?.flags.chown).toBe(user);
    expect(listOf("VOLUME")).toEqual(["/data"]);
  });

  test("starts the binary without a shell, so that SIGTERM arrives, and is asked by it how it is", () => {
    const binary = copies(final)[0]?.to ?? "";

    expect(listOf("ENTRYPOINT")).toEqual([binary]);
    expect(listOf("CMD").map(isCommand)).toEqual([true]);
    expect(listOf("HEALTHCHECK")).toEqual([binary, "healthcheck"]);
    expect(textOf("STOPSIGNAL")).toBe("SIGTERM");
  });

  test("is asked by a command that exists", () => {
    expect(isCommand("healthcheck")).toBe(true);
  });

  test("sets variables that exist, no secret, and the port that it exposes", () => {
    const variables = readAssignments(textOf("ENV"));
    const open = VARIABLES.filter(({ secret }) => !secret).map(({ name }) => name);

    expect(final.instructions.filter(({ name }) => name === "ENV")).toHaveLength(1);
    expect(Object.keys(variables).filter((name) => !open.includes(name))).toEqual([]);
    expect(variables).toMatchObject({ HOST: "0.0.0.0", PORT: defaultOf("PORT") });
    expect(textOf("EXPOSE")).toBe(defaultOf("PORT"));
    expect(Object.keys(args)).toEqual(["BUN_IMAGE", "BASE_IMAGE"]);
    expect(stages.flatMap(({ instructions }) => instructions).filter(({ name }) => name === "ARG")).toEqual(
      [],
    );
  });

  test("begins with images that say which, and with the Bun that the project is tested with", async () => {
    const bun = /:(\d+\.\d+)\.\d+-/.exec(args.BUN_IMAGE ?? "");

    expect(Object.values(args).filter((image) => !isPinned(image))).toEqual([]);
    expect(Bun.semver.satisfies(`${bun?.[1]}.0`, packageJson.engines.bun)).toBe(true);
    expect(await readText(".ci/run")).toContain(`bun@${bun?.[1]}'`);
  });

  test("is labelled as package.json has it", () => {
    expect(readAssignments(textOf("LABEL"))).toMatchObject({
      "org.opencontainers.image.description": packageJson.description,
      "org.opencontainers.image.licenses": packageJson.license,
    });
  });
});

describe(".ci/run", () => {
  /** What it would install on a machine that has no engine. */
  async function install(environment: Readonly<Record<string, string>>): Promise<string> {
    const [found] = /^install_engines\(\) \{\n[\s\S]*?\n\}\n/m.exec(await readText(".ci/run")) ?? ["exit 1"];
    const script = `set -u\napt_install() { echo "$@"; }\ncommand() { return 1; }\n${found}\ninstall_engines`;
    const child = Bun.spawn(["/bin/bash", "-c", script], { env: environment, stdout: "pipe" });
    const said = await new Response(child.stdout).text();
    expect(await child.exited).toBe(0);
    return said;
  }

  test("installs the engines that image.test.ts needs where that is to run, and nowhere else", async () => {
    const engines = await install({ CONTAINER_TESTS: "1" });
    const [run, image] = await Promise.all([".ci/run", "tests/deploy/image.test.ts"].map(readText));
    const needed = ["buildah", "podman"].filter((name) => image?.includes(`"${name}"`));

    expect(engines.split("\n").filter((line) => line !== "")).toEqual(needed);
    expect(await install({ CONTAINER_TESTS: "" })).toBe("");
    expect(await install({})).toBe("");
    expect(run).toMatch(/^install_tools\(\) \{\n(?: .*\n)*? {2}install_engines \|\| return\n/m);
  });
});

/** Every file of the project that these lead to. */
async function findImported(entries: readonly string[]): Promise<readonly string[]> {
  const found = new Set(entries);
  for (const path of found) {
    if (!/\.tsx?$/.test(path)) continue;
    // Types alone are no imports to the scanner, nor to the build.
    const loader = path.endsWith("x") ? "tsx" : "ts";
    const imports = new Bun.Transpiler({ loader }).scanImports(await readText(path));
    for (const { path: to } of imports) {
      if (to.startsWith(".")) found.add(normalize(join(dirname(path), to)));
    }
  }
  return [...found];
}

describe(".dockerignore", () => {
  test.each([
    ".env",
    ".git/config",
    "data/janus.lock",
    "node_modules/elysia/package.json",
    "tests/demo.ts",
    ".ci/run",
  ])("keeps %s out", (path) => {
    expect(isInContext(rules, path)).toBe(false);
  });
});
