/** The runtimes of other targets: a package other than the pinned one is refused, and nothing is built with it. */
import { describe, expect, test } from "bun:test";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { buildBinary, TARGETS } from "../../.ci/binary.ts";
import type { Pin } from "../../.ci/runtimes.ts";
import { BUN_VERSION, provideRuntime, RUNTIMES } from "../../.ci/runtimes.ts";
import { ROOT, readText } from "../fixtures/source.ts";
import { useFolder } from "../harness/hooks.ts";

const root = useFolder("runtimes");

/** A folder that no other test uses. */
async function newFolder(): Promise<string> {
  const path = join(root, crypto.randomUUID());
  await mkdir(path);
  return path;
}

describe("provideRuntime()", () => {
  const TARGET = "bun-linux-x64";
  const REGISTRY = "https://packages.example/";
  const KEPT = `bun-test-${BUN_VERSION}.tgz`;
  const pack = (entries: Record<string, string>) => new Bun.Archive(entries, { compress: "gzip" }).bytes();
  const pinOf = (bytes: Uint8Array): Pin => ({
    name: "@oven/bun-test",
    integrity: `sha512-${new Bun.CryptoHasher("sha512").update(bytes).digest("base64")}`,
  });
  const serve = (bytes: Uint8Array<ArrayBuffer>) => {
    const asked: string[] = [];
    const download = (url: string) => {
      asked.push(url);
      return Promise.resolve(new Response(bytes));
    };
    return { asked, download };
  };
  /** A valid package, and two folders. */
  const prepare = async () => {
    const bytes = await pack({ "package/bin/bun": "the executable", "package/package.json": "{}" });
    return { bytes, pins: { [TARGET]: pinOf(bytes) }, folder: await newFolder(), kept: await newFolder() };
  };

  test("downloads a pinned package once, gives its executable and hash", async () => {
    const { bytes, pins, folder, kept } = await prepare();
    const { asked, download } = serve(bytes);

    const first = await provideRuntime(TARGET, { folder, kept, pins, download, registry: REGISTRY });
    const again = await provideRuntime(TARGET, { folder, kept, pins, download, registry: REGISTRY });

    expect(await Bun.file(first.path).text()).toBe("the executable");
    expect(again).toEqual(first);
    expect(first).toMatchObject({
      purl: `pkg:npm/%40oven/bun-test@${BUN_VERSION}`,
      sha512: new Bun.CryptoHasher("sha512").update(bytes).digest("hex"),
    });
    expect(asked).toEqual([`https://packages.example/@oven/bun-test/-/${KEPT}`]);
  });

  const flip = (bytes: Uint8Array, at: number) => bytes.with(at, (bytes[at] ?? 0) ^ 1);
  const TAMPERED: readonly (readonly [string, (bytes: Uint8Array) => Uint8Array])[] = [
    ["whose first bit was flipped", (bytes) => flip(bytes, 0)],
    ["with one bit flipped inside", (bytes) => flip(bytes, bytes.length >> 1)],
    ["that was cut off", (bytes) => bytes.slice(0, -1)],
    ["that is empty", () => new Uint8Array()],
    ["with a byte after its end", (bytes) => Uint8Array.from([...bytes, 0])],
  ];
  test.each(TAMPERED)("refuses a download %s, keeping nothing", async (_, tamper) => {
    const { bytes, pins, folder, kept } = await prepare();
    const { download } = serve(Uint8Array.from(tamper(bytes)));

    const provided = provideRuntime(TARGET, { folder, kept, pins, download, registry: REGISTRY });

    await expect(provided).rejects.toThrow(/not the one that is pinned[\s\S]*expected {2}sha512-/);
    expect([await readdir(folder), await readdir(kept)]).toEqual([[], []]);
  });

  test.each(TAMPERED)("refuses a kept package %s, by its path", async (_, tamper) => {
    const { bytes, pins, folder, kept } = await prepare();
    await Bun.write(join(kept, KEPT), tamper(bytes));
    const { asked, download } = serve(bytes);

    const provided = provideRuntime(TARGET, { folder, kept, pins, download, registry: REGISTRY });

    await expect(provided).rejects.toThrow(join(kept, KEPT));
    expect([await readdir(folder), asked]).toEqual([[], []]);
  });

  test("refuses a well-formed package other than the pinned one", async () => {
    const { bytes, folder, kept } = await prepare();
    const other = await pack({ "package/bin/bun": "another executable" });

    const provided = provideRuntime(TARGET, {
      folder,
      kept,
      pins: { [TARGET]: pinOf(bytes) },
      registry: REGISTRY,
      ...serve(other),
    });

    await expect(provided).rejects.toThrow("not the one that is pinned");
  });

  test("refuses a target without pin, and a package without executable", async () => {
    const { folder, kept } = await prepare();
    const bare = await pack({ "package/README.md": "bun" });

    const unpinned = provideRuntime("bun-darwin-arm64", { folder, kept });
    const empty = provideRuntime(TARGET, {
      folder,
      kept,
      pins: { [TARGET]: pinOf(bare) },
      registry: REGISTRY,
      ...serve(bare),
    });

    await expect(unpinned).rejects.toThrow("no runtime is pinned for bun-darwin-arm64");
    await expect(empty).rejects.toThrow("has no package/bin/bun");
  });

  test("downloads from the registry that npm is configured with", async () => {
    const { bytes, pins, folder, kept } = await prepare();
    const { asked, download } = serve(bytes);
    const before = process.env.npm_config_registry;
    process.env.npm_config_registry = "https://mirror.example/npm/";

    await provideRuntime(TARGET, { folder, kept, pins, download });
    if (before === undefined) delete process.env.npm_config_registry;
    else process.env.npm_config_registry = before;

    expect(asked).toEqual([`https://mirror.example/npm/@oven/bun-test/-/${KEPT}`]);
  });

  test("reports the status when the registry does not have the package", async () => {
    const { pins, folder, kept } = await prepare();
    const download = () => Promise.resolve(new Response("gone", { status: 404 }));

    const provided = provideRuntime(TARGET, { folder, kept, pins, download, registry: REGISTRY });

    await expect(provided).rejects.toThrow("answered 404");
    expect(await readdir(kept)).toEqual([]);
  });
});

describe("RUNTIMES", () => {
  test("pins every target of a release by a whole hash of its own", () => {
    const hashes = Object.values(RUNTIMES).map(({ integrity }) => integrity);

    expect(Object.keys(RUNTIMES).sort()).toEqual(Object.keys(TARGETS).sort());
    expect(hashes.filter((hash) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(hash))).toEqual([]);
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  test("has the version of Bun that the image is built with", async () => {
    expect(await readText("Containerfile")).toContain(`oven/bun:${BUN_VERSION}-`);
  });
});

describe("buildBinary()", () => {
  test("uses the runtime that it is given, and not one that Bun finds", async () => {
    const work = await newFolder();
    const path = join(work, "no-runtime");
    await Bun.write(path, "no executable at all");

    const built = buildBinary({
      outfile: join(work, "janus"),
      runtime: { target: "bun-linux-arm64", path },
      template: join(ROOT, "LICENSE"),
    });

    await expect(built).rejects.toThrow("bun build failed");
  });
});
