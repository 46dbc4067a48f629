/**
 * The files that the binary carries for the embedded database, since it has no package folder to read from. The
 * build puts them in, by the names here.
 */
import type { EmbeddedOptions } from "./open.ts";

/** The files, by the names that they have in the binary. */
export const ASSETS = {
  /** PostgreSQL itself. */
  program: "pglite.wasm",
  /** What PostgreSQL finds installed: time zones, collations, configuration to begin with. */
  files: "pglite.data",
  /** A database without a table, shut down in good order. */
  template: "database.tar.gz",
} as const;

/** The binary's own; nothing in a process that is not the binary. Throws when the binary was built without them. */
export async function readAssets(): Promise<Pick<EmbeddedOptions, "assets" | "template">> {
  if (!Bun.isStandaloneExecutable) return {};
  const program = await WebAssembly.compile(await find(ASSETS.program).bytes());
  const assets = { pgliteWasmModule: program, fsBundle: find(ASSETS.files) };
  return { assets, template: find(ASSETS.template) };
}

function find(name: string): Blob {
  const file = Bun.embeddedFiles.find((blob) => "name" in blob && blob.name === name);
  if (file === undefined)
    throw new Error(`This binary was built without ${name}: build it by "bun run build"`);
  return file;
}
