/**
 * The one binary: `bun build --compile`, with all inside that the program would read from a disk. It needs Bun and the
 * production dependencies, and nothing else.
 */
import { chmod, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import * as v from "valibot";
import { ASSETS } from "../lib/database/embedded/assets.ts";

/** The top of the checkout. */
export const ROOT = join(import.meta.dir, "..");

/** What a release is built for, as Bun names it, and what the binary is then called. */
export const TARGETS = {
  "bun-linux-x64": "janus-linux-x64",
  "bun-linux-arm64": "janus-linux-arm64",
  "bun-linux-x64-musl": "janus-linux-x64-musl",
  "bun-linux-arm64-musl": "janus-linux-arm64-musl",
} as const;

/** Where the binary goes, and the Bun inside it; without a runtime, the Bun that builds. */
type Build = {
  readonly outfile: string;
  readonly runtime?: { readonly target: string; readonly path: string } | undefined;
  /** What `makeTemplate` made. */
  readonly template: string;
};

const FLAGS = [
  "--compile",
  "--production",
  "--sourcemap",
  "--bytecode",
  "--format=esm",
  // What lies around where the binary is run is none of its business.
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  // Packages that ask for their folder would otherwise be told the one they were built in, which is nowhere.
  '--define=__dirname="/"',
];

const METAFILE = "bundle.json";
const metafile = v.object({ inputs: v.record(v.string(), v.unknown()) });

/**
 * Builds the binary beside its place and moves it there. Returns the paths of the files that were bundled, below the
 * top of the checkout. Throws what Bun says.
 */
export async function buildBinary({ outfile, runtime, template }: Build): Promise<readonly string[]> {
  const place = resolve(outfile);
  await mkdir(dirname(place), { recursive: true });
  const work = await mkdtemp(`${place}.`);
  try {
    const pglite = dirname(Bun.resolveSync("@electric-sql/pglite", ROOT));
    const assets = [join(pglite, ASSETS.program), join(pglite, ASSETS.files), template];
    const name = "janus";
    await run([
      process.execPath,
      "build",
      ...FLAGS,
      // Without the path, Bun would use the copy that it has fetched once, even if somebody has changed it.
      ...(runtime === undefined
        ? []
        : [`--target=${runtime.target}`, `--compile-executable-path=${runtime.path}`]),
      ...assets.map((asset) => `--asset=${asset}`),
      "index.ts",
      `--outfile=${join(work, name)}`,
      `--metafile=${join(work, METAFILE)}`,
    ]);
    // The source map is in the binary, too: the file beside it is not needed.
    await rename(join(work, name), place);
    await chmod(place, 0o755);
    const { inputs } = v.parse(metafile, await Bun.file(join(work, METAFILE)).json());
    return Object.keys(inputs);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function run(command: string[]): Promise<void> {
  const child = Bun.spawn(command, { cwd: ROOT, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [said, faults] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0) throw new Error(`bun build failed:\n${said}${faults}`.trimEnd());
}
