/**
 * The papers of a release, made from its finished files: the provenance, and SHA256SUMS over all. Neither is signed here.
 */
import { join } from "node:path";
import type { Materials, Subject } from "./provenance.ts";
import { describeProvenance } from "./provenance.ts";

/** What the provenance is called. */
export const PROVENANCE = "janus.intoto.json";
/** What the checksums are called. */
export const SUMS = "SHA256SUMS";

/**
 * Writes both into the folder of these files. Without materials it writes no provenance, since the provenance would not be
 * true.
 */
export async function writePapers(
  folder: string,
  files: readonly string[],
  materials: Materials | undefined,
): Promise<void> {
  const subjects = await Promise.all(files.toSorted().map((name) => describe(folder, name)));
  if (materials !== undefined)
    await Bun.write(join(folder, PROVENANCE), describeProvenance(subjects, materials));
  const own = materials === undefined ? [] : [await describe(folder, PROVENANCE)];
  // As `sha256sum --check` reads it.
  const lines = [...subjects, ...own].map(({ name, sha256 }) => `${sha256}  ${name}\n`);
  await Bun.write(join(folder, SUMS), lines.join(""));
}

/** SHA-256 of a file, in hexadecimal digits. */
export async function hashFile(path: string): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  for await (const chunk of Bun.file(path).stream()) hasher.update(chunk);
  return hasher.digest("hex");
}

const describe = async (folder: string, name: string): Promise<Subject> => ({
  name,
  sha256: await hashFile(join(folder, name)),
});
