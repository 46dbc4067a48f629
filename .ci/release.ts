/**
 * `bun run release`: leaves in dist/ a binary for each target, the bill of materials, and SHA256SUMS over all of them.
 * Says what it does on standard error; ends with 1 when it fails. It needs the development dependencies, for the bill.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildBinary, ROOT, TARGETS } from "./binary.ts";
import { findCarriedParts } from "./carried.ts";
import { findPackages } from "./packages.ts";
import { describeMaterials } from "./sbom.ts";
import { makeTemplate } from "./template.ts";

const DIST = join(ROOT, "dist");
const BILL = "janus.cdx.json";

process.exitCode = await main();

async function main(): Promise<number> {
  const work = await mkdtemp(join(tmpdir(), "janus-release-"));
  try {
    await release(work);
    return 0;
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return 1;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function release(work: string): Promise<void> {
  await mkdir(DIST, { recursive: true });
  say("a database to begin with");
  const template = await makeTemplate(work);
  const inputs = new Set<string>();
  for (const [target, name] of Object.entries(TARGETS)) {
    say(`the binary for ${target}`);
    const bundled = await buildBinary({ outfile: join(DIST, name), target, template });
    for (const path of bundled) inputs.add(path);
  }
  say("the bill of materials");
  const bill = describeMaterials(await findPackages([...inputs]), await findCarriedParts());
  await Bun.write(join(DIST, BILL), bill);
  say("the checksums");
  const sums = await Promise.all([...Object.values(TARGETS), BILL].sort().map(sum));
  await Bun.write(join(DIST, "SHA256SUMS"), sums.join(""));
  say("done: see dist/");
}

/** A line as `sha256sum -c` reads it. */
async function sum(name: string): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  for await (const chunk of Bun.file(join(DIST, name)).stream()) hasher.update(chunk);
  return `${hasher.digest("hex")}  ${name}\n`;
}

function say(text: string): void {
  process.stderr.write(`release: ${text}\n`);
}
