/**
 * The Bun inside a binary for a given target: a package of the npm registry, pinned by its hash. `bun build` alone would use
 * the copy that it has fetched once, even if somebody has changed it. How to renew a pin is in `docs/releasing.md`.
 */
import { mkdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ROOT } from "./binary.ts";

/** The version of Bun that is pinned. The Bun that builds must have it too, since it makes the bytecode. */
export const BUN_VERSION = "1.4.5";

/** A package that holds the runtime of a target. */
export type Pin = {
  readonly name: string;
  /** SHA-512 of the package, as the registry and lockfiles write it. */
  readonly integrity: string;
};

/** The packages of that release, by target. */
export const RUNTIMES: Readonly<Record<string, Pin>> = {
  "bun-linux-x64": {
    name: "@oven/bun-linux-x64",
    integrity:
      "sha512-IWX9BELoGHAUtMonkeSaNaZwXzRk+oDw6Mk+HBFXd3KHYIBNBsIGRupMZPcgNoDbJpLu6gAJjIoIVPZtt1aJ1g==",
  },
  "bun-linux-arm64": {
    name: "@oven/bun-linux-aarch64",
    integrity:
      "sha512-4BXmsSKnjOrlGWqZV4x/oWa7AVoR+B6lCXddMzOAXBIm3t50eslg9wb66gmtW1AamEQ1l1CDvmmruysEhqOWMg==",
  },
  "bun-linux-x64-musl": {
    name: "@oven/bun-linux-x64-musl",
    integrity:
      "sha512-10QoW/YfTgnURaGEaHpJCiXjLI2e5iTtfVDaA5JKcyUzaa1cq6cVUY9/Uq5XkYzvtRjHLRe9Oj/lTDIQcxy8HQ==",
  },
  "bun-linux-arm64-musl": {
    name: "@oven/bun-linux-aarch64-musl",
    integrity:
      "sha512-XCNc+WvvMAdNNb+OWTogpy+N9wm62fkVeEVLb6how0RZhW5LPi6c7BlkeVCuWps7XjEl2saFpHFa20/1E+PAHg==",
  },
};

/** A runtime whose hash was checked. */
export type Runtime = {
  readonly target: string;
  /** Where its executable is. */
  readonly path: string;
  readonly purl: string;
  /** SHA-512 of the package, in hexadecimal digits. */
  readonly sha512: string;
};

/** What fetches an address: `fetch`, but in tests. */
type Download = (url: string) => Promise<Response>;

/** Where fetched packages are kept, each as the registry sent it. */
export const KEPT_PACKAGES = join(ROOT, "node_modules/.cache/janus-runtimes");

const EXECUTABLE = "package/bin/bun";
const DOWNLOAD_DEADLINE_MS = 600_000;
const download: Download = (url) => fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_DEADLINE_MS) });

/**
 * Puts the executable of a target into `folder`. It takes the package from `kept`, or fetches it and keeps it there, and
 * checks its hash before it opens it. Throws if the hash is another, or no package is pinned.
 */
export async function provideRuntime(
  target: string,
  options: {
    readonly folder: string;
    readonly kept?: string;
    readonly pins?: Readonly<Record<string, Pin>>;
    readonly download?: Download;
    /** Where packages are fetched from; the one that npm is configured with, unless given. */
    readonly registry?: string;
  },
): Promise<Runtime> {
  const pin = (options.pins ?? RUNTIMES)[target];
  if (pin === undefined) throw new Error(`no runtime is pinned for ${target}: see .ci/runtimes.ts`);
  if (Bun.version !== BUN_VERSION)
    throw new Error(
      `the pinned runtimes are of Bun ${BUN_VERSION}, and this is ${Bun.version}: ` +
        `build with Bun ${BUN_VERSION}, or pin those of ${Bun.version} as docs/releasing.md says`,
    );
  const registry = (): Promise<string> => Promise.resolve(options.registry ?? findRegistry());
  const bytes = await provide(pin, options.kept ?? KEPT_PACKAGES, options.download ?? download, registry);
  const executable = (await new Bun.Archive(bytes).files()).get(EXECUTABLE);
  if (executable === undefined) throw new Error(`${pin.name}@${BUN_VERSION} has no ${EXECUTABLE}`);
  const path = join(options.folder, target);
  await Bun.write(path, executable);
  const purl = `pkg:npm/${pin.name.replace("@", "%40")}@${BUN_VERSION}`;
  const sha512 = Buffer.from(pin.integrity.slice("sha512-".length), "base64").toString("hex");
  return { target, path, purl, sha512 };
}

async function provide(
  pin: Pin,
  kept: string,
  ask: Download,
  registry: () => Promise<string>,
): Promise<Uint8Array<ArrayBuffer>> {
  const base = pin.name.split("/").at(-1) ?? pin.name;
  const path = join(kept, `${base}-${BUN_VERSION}.tgz`);
  const file = Bun.file(path);
  if (await file.exists()) {
    const bytes = await file.bytes();
    check(pin, bytes, `${path} (delete it to have it fetched again)`);
    return bytes;
  }
  const url = `${(await registry()).replace(/\/$/, "")}/${pin.name}/-/${base}-${BUN_VERSION}.tgz`;
  const response = await ask(url);
  if (!response.ok) throw new Error(`${url}: answered ${response.status}`);
  const bytes = await response.bytes();
  check(pin, bytes, url);
  // Renamed into its place: another build may read it at the same time.
  const unfinished = `${path}.${crypto.randomUUID()}`;
  await mkdir(dirname(path), { recursive: true });
  await Bun.write(unfinished, bytes);
  await rename(unfinished, path);
  return bytes;
}

/** As npm has it: by its environment variable, its files, or its default. */
async function findRegistry(): Promise<string> {
  const configured = process.env.npm_config_registry;
  if (configured) return configured;
  const npm = Bun.which("npm");
  if (npm === null)
    throw new Error(
      "npm is not installed: set npm_config_registry to the registry to fetch the runtime from",
    );
  return (await new Response(Bun.spawn([npm, "config", "get", "registry"]).stdout).text()).trim();
}

function check({ name, integrity }: Pin, bytes: Uint8Array, from: string): void {
  const found = `sha512-${new Bun.CryptoHasher("sha512").update(bytes).digest("base64")}`;
  if (found === integrity) return;
  throw new Error(
    [
      `the runtime is not the one that is pinned: ${name}@${BUN_VERSION}`,
      `  from      ${from}`,
      `  expected  ${integrity}`,
      `  found     ${found}`,
      "Nothing was built with it. If it stays so, somebody has changed the package: do not release.",
    ].join("\n"),
  );
}
