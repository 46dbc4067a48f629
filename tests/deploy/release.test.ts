/** How a release is made: its bill of materials, its binary, and the messages of the commands that build it. */

import { Database } from "bun:sqlite";
import { beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import Ajv from "ajv";
import addFormats from "ajv-formats";
import { buildBinary } from "../../.ci/binary.ts";
import type { CarriedPart } from "../../.ci/carried.ts";
import { findCarriedParts, findCarriedPostgres } from "../../.ci/carried.ts";
import type { BundledPackage } from "../../.ci/packages.ts";
import { findPackages } from "../../.ci/packages.ts";
import { describeMaterials } from "../../.ci/sbom.ts";
import { makeTemplate } from "../../.ci/template.ts";
import packageJson from "../../package.json" with { type: "json" };
import { provideBinary } from "../fixtures/binary.ts";
import { ROOT } from "../fixtures/source.ts";

const SCHEMAS = join(ROOT, "node_modules/@cyclonedx/cyclonedx-library/res/schema");
const readSchema = (name: string) => Bun.file(join(SCHEMAS, `${name}.SNAPSHOT.schema.json`)).json();

let packages: readonly BundledPackage[];
let carried: readonly CarriedPart[];

beforeAll(async () => {
  packages = await findPackages((await provideBinary()).inputs);
  carried = await findCarriedParts();
});

describe("describeMaterials()", () => {
  /** Checks the text against CycloneDX's own schema, and gives its faults. */
  async function validate(text: string): Promise<{ readonly valid: boolean; readonly faults: unknown }> {
    const ajv = new Ajv({ strict: false, allErrors: true });
    addFormats(ajv);
    // Formats of a later draft that ajv-formats does not know.
    for (const format of ["idn-email", "iri-reference"]) ajv.addFormat(format, true);
    for (const name of ["spdx", "jsf-0.82"]) {
      ajv.addSchema(await readSchema(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
    }
    const check = ajv.compile(await readSchema("bom-1.6"));
    return { valid: check(JSON.parse(text)) === true, faults: check.errors };
  }

  test("gives CycloneDX that is valid by a strict schema", async () => {
    const text = describeMaterials(packages, carried);

    expect(await validate(text)).toEqual({ valid: true, faults: null });
    expect(await validate(text.replace('"type": "library"', '"type": "book"'))).toMatchObject({
      valid: false,
    });
  });

  test("lists Bun and the binary's packages with hashes, no others", () => {
    const { components, metadata } = JSON.parse(describeMaterials(packages, carried));
    const names: string[] = components.map(({ purl }: { purl: string }) => purl);

    expect(metadata.component).toMatchObject({ name: packageJson.name, version: packageJson.version });
    expect(names).toContain(`pkg:github/oven-sh/bun@bun-v${Bun.version}`);
    for (const name of ["elysia", "jose", "postgres", "%40electric-sql/pglite"]) {
      expect(names.filter((purl) => purl.startsWith(`pkg:npm/${name}@`))).toHaveLength(1);
    }
    for (const name of Object.keys(packageJson.devDependencies)) {
      expect(names.filter((purl) => purl.startsWith(`pkg:npm/${name.replace("@", "%40")}@`))).toEqual([]);
    }
    for (const { purl, hashes, licenses } of components) {
      expect(licenses.length).toBeGreaterThan(0);
      if (purl.startsWith("pkg:npm/")) expect(hashes[0].content).toMatch(/^[0-9a-f]{128}$/);
    }
  });

  test("gives each component's dependencies by valid references", () => {
    const { components, metadata, dependencies } = JSON.parse(describeMaterials(packages, carried));
    const known = [metadata.component, ...components].map((component) => component["bom-ref"]);
    const needs = new Map<string, string[]>(
      dependencies.map(({ ref, dependsOn = [] }: { ref: string; dependsOn?: string[] }) => [ref, dependsOn]),
    );

    expect([...needs.keys()].sort()).toEqual(known.sort());
    expect([...needs.values()].flat().filter((ref) => !known.includes(ref))).toEqual([]);
    expect(needs.get(`janus@${packageJson.version}`)).toContain(`bun@${Bun.version}`);
    const { key = "", version } = packages.find(({ name }) => name === "elysia") ?? {};
    expect(needs.get(`${key}@${version}`)?.length).toBeGreaterThan(0);
  });

  test("lists parts of Bun and PGlite by names that scanners know", async () => {
    const { components, dependencies } = JSON.parse(describeMaterials(packages, carried));
    const needsOf = (start: string): readonly string[] =>
      dependencies.find(({ ref }: { ref: string }) => ref.startsWith(start))?.dependsOn ?? [];
    const find = (name: string) => components.find((component: { name: string }) => component.name === name);
    const [postgresql, sqlite] = [await askPostgres(), askSqlite()];

    expect(find("postgresql")).toMatchObject({
      type: "application",
      version: postgresql,
      cpe: `cpe:2.3:a:postgresql:postgresql:${postgresql}:*:*:*:*:*:*:*`,
      purl: `pkg:generic/postgresql@${postgresql}`,
      licenses: [{ license: { id: "PostgreSQL" } }],
    });
    expect(needsOf("@electric-sql/pglite@")).toContain(find("postgresql")["bom-ref"]);
    expect(find("sqlite")).toMatchObject({
      version: sqlite,
      cpe: `cpe:2.3:a:sqlite:sqlite:${sqlite}:*:*:*:*:*:*:*`,
    });
    expect(find("javascriptcore").purl).toBe(`pkg:github/oven-sh/webkit@${process.versions.webkit}`);
    expect(find("boringssl").purl).toBe(`pkg:github/oven-sh/boringssl@${process.versions.boringssl}`);
    for (const name of ["javascriptcore", "sqlite", "boringssl", "zlib-ng"]) {
      expect(needsOf("bun@")).toContain(find(name)["bom-ref"]);
    }
  });

  test("gives the same text, without parts of an absent package", async () => {
    const without = packages.filter(({ key }) => key !== "@electric-sql/pglite");

    expect(describeMaterials(packages, await findCarriedParts())).toBe(describeMaterials(packages, carried));
    expect(describeMaterials(without, carried)).not.toContain("postgresql");
  });

  async function askPostgres(): Promise<string> {
    await using database = await PGlite.create();
    const { rows } = await database.query<{ version: string }>(
      "select current_setting('server_version') as version",
    );
    return rows[0]?.version.split(" ")[0] ?? "none";
  }

  function askSqlite(): string {
    using database = new Database(":memory:");
    return (database.query("select sqlite_version() as version").get() as { version: string }).version;
  }
});

describe("findCarriedPostgres()", () => {
  test.each([
    ["no PostgreSQL", "no version at all"],
    [
      "two versions of PostgreSQL",
      "PostgreSQL 18.6 (PGlite 0.5.16) on wasm32 PostgreSQL 18.7 (PGlite 0.5.16) on wasm32",
    ],
  ])("refuses a program that names %s", (_, text) => {
    expect(() => findCarriedPostgres(Buffer.from(text))).toThrow("which PostgreSQL");
  });
});

describe("buildBinary()", () => {
  test("builds an identical binary from a newly made database template", async () => {
    const { path } = await provideBinary();
    const folder = await mkdtemp(join(tmpdir(), "janus-again-"));

    const again = join(folder, "another-name");
    // A release gives the runtime, which must be the same as the Bun that builds; elsewhere than on x64 it is not at hand.
    const runtime = process.arch === "x64" ? { target: "bun-linux-x64", path: process.execPath } : undefined;
    await buildBinary({ outfile: again, runtime, template: await makeTemplate(folder) });
    const hashes = await Promise.all([path, again].map(hash));
    await rm(folder, { recursive: true, force: true });

    expect(hashes[1]).toBe(hashes[0] ?? "");
  });

  const hash = async (path: string) =>
    new Bun.CryptoHasher("sha256").update(await Bun.file(path).bytes()).digest("hex");
});

describe("findPackages()", () => {
  test("refuses a package that is not in the lockfile", async () => {
    const found = findPackages(["node_modules/no-such-package/index.js"]);

    await expect(found).rejects.toThrow("no-such-package");
  });
});

describe("bun run build", () => {
  const build = async (args: readonly string[]) => {
    const child = Bun.spawn([process.execPath, "run", ".ci/build.ts", ...args], {
      cwd: ROOT,
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    return { exitCode: await child.exited, stdout, stderr };
  };

  test("prints its options", async () => {
    const { exitCode, stdout, stderr } = await build(["--help"]);

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toContain("--target");
    expect(stdout).toContain("bun-linux-arm64-musl");
  });

  test.each([["--traget"], ["somewhere"], ["--target="], ["--target=linux"], ["--target=bun-darwin-arm64"]])(
    "refuses %s with exit code 2",
    async (argument) => {
      const { exitCode, stdout, stderr } = await build([argument]);

      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
      expect(stderr).toContain("See bun run build --help.");
    },
  );
});
