/**
 * `bun run release`: leaves in dist/ a binary for each target, the bill of materials, the provenance, and SHA256SUMS over
 * all of them. Says what it does on standard error; ends with 1 when it fails, with 2 when it is not understood. It needs
 * git, and the development dependencies for the bill.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildBinary, ROOT, TARGETS } from "./binary.ts";
import { findCarriedParts } from "./carried.ts";
import { findPackages } from "./packages.ts";
import { hashFile, PROVENANCE, SUMS, writePapers } from "./papers.ts";
import { findCommit } from "./provenance.ts";
import type { Runtime } from "./runtimes.ts";
import { KEPT_PACKAGES, provideRuntime } from "./runtimes.ts";
import { describeMaterials } from "./sbom.ts";
import { makeTemplate } from "./template.ts";

const HELP = `Usage: bun run release [options]

Leaves in dist/ all that a release consists of, made of the commit that is checked out.

      --out <folder>       where it goes; dist without it
      --runtimes <folder>  where the packages of Bun's runtimes are kept, so that a machine without
                           a network can use them
      --uncommitted        goes on where files differ from the commit, and leaves no provenance
  -h, --help               print this`;

const OPTIONS = {
  out: { type: "string", default: join(ROOT, "dist") },
  runtimes: { type: "string", default: KEPT_PACKAGES },
  uncommitted: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

type Options = { readonly out: string; readonly runtimes: string; readonly uncommitted: boolean };

const BILL = "janus.cdx.json";

process.exitCode = await main();

async function main(): Promise<number> {
  const options = parse();
  if (typeof options === "string") {
    say(`${options}\nSee bun run release --help.`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  const work = await mkdtemp(join(tmpdir(), "janus-release-"));
  try {
    await release(work, options);
    return 0;
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return 1;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function parse() {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (error) {
    return error instanceof Error ? error.message : "The options cannot be read";
  }
}

async function release(work: string, { out, runtimes: kept, uncommitted }: Options): Promise<void> {
  const commit = uncommitted ? undefined : await findCommit();
  say("the runtimes");
  const runtimes: Runtime[] = [];
  for (const target of Object.keys(TARGETS))
    runtimes.push(await provideRuntime(target, { folder: work, kept }));
  await clear(out);
  const inputs = await buildBinaries(work, out, runtimes);
  say("the bill of materials");
  const bill = describeMaterials(await findPackages([...inputs]), await findCarriedParts());
  await Bun.write(join(out, BILL), bill);
  say("the provenance and the checksums");
  const lockSha256 = await hashFile(join(ROOT, "bun.lock"));
  if (commit !== undefined && (await findCommit()) !== commit)
    throw new Error("another commit was checked out meanwhile");
  const materials = commit === undefined ? undefined : { commit, lockSha256, runtimes };
  await writePapers(out, [...Object.values(TARGETS), BILL], materials);
  say(`done: see ${out}; nothing is signed yet, docs/releasing.md says how`);
}

/** What an earlier release has left there must not be taken for a part of this one. */
async function clear(out: string): Promise<void> {
  await mkdir(out, { recursive: true });
  for (const name of [...Object.values(TARGETS), BILL, PROVENANCE, SUMS])
    await rm(join(out, name), { force: true });
}

/** Builds for every target. Returns the paths of the files that were bundled. */
async function buildBinaries(
  work: string,
  out: string,
  runtimes: readonly Runtime[],
): Promise<ReadonlySet<string>> {
  say("a database to begin with");
  const template = await makeTemplate(work);
  const inputs = new Set<string>();
  for (const [target, name] of Object.entries(TARGETS)) {
    say(`the binary for ${target}`);
    const runtime = runtimes.find((one) => one.target === target);
    const bundled = await buildBinary({ outfile: join(out, name), runtime, template });
    for (const path of bundled) inputs.add(path);
  }
  return inputs;
}

function say(text: string): void {
  process.stderr.write(`release: ${text}\n`);
}
