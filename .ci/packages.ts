/**
 * The packages that a bundle is made of, as the bundler, the lockfile and the packages themselves tell it. It reads
 * folders of `node_modules`, and asks no registry.
 */
import { join } from "node:path";
import * as v from "valibot";
import lock from "../bun.lock";
import { ROOT } from "./binary.ts";

/** A package in the bundle. */
export type BundledPackage = {
  /** Its key in the lockfile: `elysia`, or `elysia/cookie` for the one that elysia alone sees. */
  readonly key: string;
  readonly name: string;
  readonly version: string;
  /** As the package says it: an SPDX identifier or expression, most often. */
  readonly licence: string;
  readonly description: string | undefined;
  /** SHA-512 of what the registry gave, in hexadecimal digits. */
  readonly sha512: string;
  /** The keys of packages that it needs and that are in the bundle. */
  readonly needs: readonly string[];
};

const paper = v.object({
  name: v.string(),
  version: v.string(),
  license: v.string(),
  description: v.optional(v.string()),
});

/** Finds them by the paths of the bundle's files. Throws when a package is not the one of the lockfile. */
export async function findPackages(inputs: readonly string[]): Promise<readonly BundledPackage[]> {
  const keys = [...new Set(inputs.flatMap(keyOf))].sort();
  return Promise.all(keys.map((key) => readPackage(key, keys)));
}

/** The key of the package that a file belongs to; none for our own. */
function keyOf(path: string): readonly string[] {
  const folders = path.split(/(?:^|\/)node_modules\//).slice(1);
  return folders.length === 0 ? [] : [folders.map((folder) => namesIn(folder)[0] ?? folder).join("/")];
}

/** The names of packages that a path is made of: the slash after a scope is part of one. */
const namesIn = (path: string): readonly string[] => path.match(/(@[^/]+\/)?[^/]+/g) ?? [];

async function readPackage(key: string, keys: readonly string[]): Promise<BundledPackage> {
  const locked = lock.packages[key];
  const [id, , info, integrity] = locked?.length === 4 ? locked : [];
  const folder = join(ROOT, ...namesIn(key).flatMap((name) => ["node_modules", name]));
  const { name, version, license, description } = v.parse(
    paper,
    await Bun.file(join(folder, "package.json")).json(),
  );
  const [, digest] = /^sha512-(.+)$/.exec(integrity ?? "") ?? [];
  if (id !== `${name}@${version}` || digest === undefined) {
    throw new Error(`${key} in node_modules is not what bun.lock says: run "bun install --frozen-lockfile"`);
  }
  const wanted = Object.keys({
    ...info?.dependencies,
    ...info?.optionalDependencies,
    ...info?.peerDependencies,
  });
  const needs = wanted.flatMap((need) => resolveKey(key, need, keys) ?? []);
  return {
    key,
    name,
    version,
    licence: license,
    description,
    sha512: Buffer.from(digest, "base64").toString("hex"),
    needs,
  };
}

/** The nearest of that name, going outwards, as Node resolves it. */
function resolveKey(from: string, name: string, keys: readonly string[]): string | undefined {
  const names = namesIn(from);
  const places = names.map((_, depth) => [...names.slice(0, names.length - depth), name].join("/"));
  return [...places, name].find((place) => keys.includes(place));
}
