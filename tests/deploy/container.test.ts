/** The Containerfile agrees with the program. image.test.ts builds the image and runs it. */
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
  if (list === undefined) throw new Error(`${name} is for a shell, and the image has no shell`);
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

/** Images that are known to have no shell. */
const SHELLESS = /^gcr\.io\/distroless\/[\w-]+:(latest|nonroot)(-(amd64|arm64))?(@sha256:[0-9a-f]{64})?$/;

describe("Containerfile", () => {
  test("copies only paths that exist and that .dockerignore lets through", () => {
    expect(copied.length).toBeGreaterThan(5);
    expect(copied.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect(copied.filter((path) => !isInContext(rules, path))).toEqual([]);
  });

  test("copies every file that the build imports", async () => {
    const imported = await findImported(["index.ts", ".ci/build.ts"]);

    const isCopied = (path: string) =>
      copied.some((source) => path === source || path.startsWith(`${source}/`));
    expect(imported.length).toBeGreaterThan(60);
    expect(imported.filter((path) => !isCopied(path))).toEqual([]);
    // The build does not import these, but it would differ without them.
    for (const path of ["tsconfig.json", "bunfig.toml", ".ci/require_bun.ts", "sql/migrations"])
      expect(isCopied(path)).toBe(true);
  });

  test("installs packages before it copies source, to keep their layer", () => {
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

  test("builds with the build script of package.json", () => {
    expect(textOf("RUN", build)).toBe('["bun", "run", "build"]');
    expect(packageJson.scripts.build).toBeString();
  });

  test("ends with only the binary and the data folder", () => {
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

  test("ends on a distroless base without a shell, not on a debug image", () => {
    expect(final.from).toBe(args.BASE_IMAGE ?? "");
    expect(final.from).toMatch(SHELLESS);
  });

  test.each([
    ["gcr.io/distroless/base-nossl-debian13:debug-nonroot"],
    ["gcr.io/distroless/base-nossl-debian13:debug"],
    ["gcr.io/distroless/base-nossl-debian13"],
    ["docker.io/debian:13-slim"],
    ["example.org/gcr.io/distroless/base-nossl-debian13:nonroot"],
  ])("rejects %s", (image) => {
    expect(image).not.toMatch(SHELLESS);
  });

  test("runs as a numeric user other than root, who owns the data folder", () => {
    const user = textOf("USER");

    expect(user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(copies(final).find(({ to }) => to === "/data")?.flags.chown).toBe(user);
    expect(listOf("VOLUME")).toEqual(["/data"]);
  });

  test("starts and checks the binary without a shell", () => {
    const binary = copies(final)[0]?.to ?? "";

    expect(listOf("ENTRYPOINT")).toEqual([binary]);
    expect(listOf("CMD").map(isCommand)).toEqual([true]);
    expect(listOf("HEALTHCHECK")).toEqual([binary, "healthcheck"]);
    expect(textOf("STOPSIGNAL")).toBe("SIGTERM");
  });

  test("checks its health with a command that exists", () => {
    expect(isCommand("healthcheck")).toBe(true);
  });

  test("sets only known variables, no secret, and the exposed port", () => {
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

  test("pins its base images, and builds with the Bun of the tests", async () => {
    const bun = /:(\d+\.\d+)\.\d+-/.exec(args.BUN_IMAGE ?? "");

    expect(Object.values(args).filter((image) => !isPinned(image))).toEqual([]);
    expect(Bun.semver.satisfies(`${bun?.[1]}.0`, packageJson.engines.bun)).toBe(true);
    expect(await readText(".ci/run")).toContain(`bun@${bun?.[1]} `);
  });

  test("has the description and licence of package.json as labels", () => {
    expect(readAssignments(textOf("LABEL"))).toMatchObject({
      "org.opencontainers.image.description": packageJson.description,
      "org.opencontainers.image.licenses": packageJson.license,
    });
  });
});

describe(".ci/run", () => {
  /** The packages that it would install on a machine without an engine. */
  async function install(environment: Readonly<Record<string, string>>): Promise<string> {
    const [found] = /^install_engines\(\) \{\n[\s\S]*?\n\}\n/m.exec(await readText(".ci/run")) ?? ["exit 1"];
    const script = `set -u\napt_install() { echo "$@"; }\ncommand() { return 1; }\n${found}\ninstall_engines`;
    const child = Bun.spawn(["/bin/bash", "-c", script], { env: environment, stdout: "pipe" });
    const said = await new Response(child.stdout).text();
    expect(await child.exited).toBe(0);
    return said;
  }

  test("installs the engines of image.test.ts only where CONTAINER_TESTS is set", async () => {
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
    // Neither the scanner nor the build counts imports of types.
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
  ])("keeps %s out of the build", (path) => {
    expect(isInContext(rules, path)).toBe(false);
  });
});
