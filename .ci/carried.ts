/**
 * What the binary has in it that no lockfile names: the libraries that Bun is linked with, and the PostgreSQL inside
 * PGlite. The bill of materials lists them, with the versions that the parts tell.
 */
import { dirname, join } from "node:path";
import { ASSETS } from "../lib/database/embedded/assets.ts";
import { ROOT } from "./binary.ts";

/** A part inside of another one. */
export type CarriedPart = {
  /** `bun`, or the key of a package in the lockfile. */
  readonly carrier: string;
  readonly kind: "application" | "library";
  readonly name: string;
  /** A release or, where the part has none, a commit. */
  readonly version: string;
  readonly description: string;
  readonly purl: string;
  /** What the list of known vulnerabilities calls it, where it does. */
  readonly cpe?: string;
  readonly licence: string;
};

const PGLITE = "@electric-sql/pglite";

type Linked = {
  /** What `process.versions` calls it. */
  readonly key: string;
  readonly name: string;
  readonly description: string;
  readonly purl: (version: string) => string;
  readonly cpe?: (version: string) => string;
  readonly licence: string;
};

const atGitHub = (repository: string, tag = "") => {
  return (version: string): string => `pkg:github/${repository}@${tag}${version}`;
};
const cpeOf = (vendor: string, product: string) => {
  return (version: string): string => `cpe:2.3:a:${vendor}:${product}:${version}:*:*:*:*:*:*:*`;
};

/** As Bun's LICENSE.md and the scripts that build it have them; those in its own tree are Bun. */
const LINKED: readonly Linked[] = [
  {
    key: "webkit",
    name: "javascriptcore",
    description: "The JavaScript engine, of Bun's WebKit",
    purl: atGitHub("oven-sh/webkit"),
    licence: "LGPL-2.0-or-later",
  },
  {
    key: "boringssl",
    name: "boringssl",
    description: "TLS and cryptography",
    purl: atGitHub("oven-sh/boringssl"),
    licence: "Several, in BoringSSL's LICENSE",
  },
  {
    key: "sqlite",
    name: "sqlite",
    description: "The lock on the folder of the embedded database",
    purl: (version) => `pkg:generic/sqlite@${version}`,
    cpe: cpeOf("sqlite", "sqlite"),
    licence: "blessing",
  },
  {
    key: "icu",
    name: "icu",
    description: "Unicode, for the JavaScript engine",
    purl: atGitHub("unicode-org/icu", "release-"),
    cpe: cpeOf("icu-project", "international_components_for_unicode"),
    licence: "Unicode-3.0",
  },
  {
    key: "llhttp",
    name: "llhttp",
    description: "The HTTP parser of node:http",
    purl: atGitHub("nodejs/llhttp", "v"),
    cpe: cpeOf("llhttp", "llhttp"),
    licence: "MIT",
  },
  {
    key: "picohttpparser",
    name: "picohttpparser",
    description: "The HTTP parser of fetch",
    purl: atGitHub("h2o/picohttpparser"),
    licence: "MIT",
  },
  {
    key: "lshpack",
    name: "ls-hpack",
    description: "Headers of HTTP/2",
    purl: atGitHub("litespeedtech/ls-hpack"),
    licence: "MIT",
  },
  {
    key: "ares",
    name: "c-ares",
    description: "Names of hosts",
    purl: atGitHub("c-ares/c-ares"),
    licence: "MIT",
  },
  {
    key: "zlib",
    name: "zlib-ng",
    description: "Compression",
    purl: atGitHub("zlib-ng/zlib-ng"),
    licence: "Zlib",
  },
  {
    key: "libdeflate",
    name: "libdeflate",
    description: "Compression",
    purl: atGitHub("ebiggers/libdeflate"),
    licence: "MIT",
  },
  {
    key: "zstd",
    name: "zstd",
    description: "Compression",
    purl: atGitHub("facebook/zstd"),
    licence: "BSD-3-Clause OR GPL-2.0-only",
  },
  {
    key: "libarchive",
    name: "libarchive",
    description: "Archives",
    purl: atGitHub("libarchive/libarchive"),
    licence: "Several, in libarchive's COPYING",
  },
  {
    key: "lolhtml",
    name: "lol-html",
    description: "The HTML parser",
    // Of Cloudflare, or of Bun's copy, as the version has it.
    purl: (version) => `pkg:generic/lol-html@${version}`,
    licence: "BSD-3-Clause",
  },
  {
    key: "mimalloc",
    name: "mimalloc",
    description: "The allocator",
    purl: atGitHub("oven-sh/mimalloc"),
    licence: "MIT",
  },
  {
    key: "tinycc",
    name: "tinycc",
    description: "The C compiler of bun:ffi",
    purl: atGitHub("oven-sh/tinycc"),
    licence: "LGPL-2.1-or-later",
  },
];

/** Finds them by the Bun that builds, which is the one of every target, and by the files of PGlite. */
export async function findCarriedParts(): Promise<readonly CarriedPart[]> {
  const folder = dirname(Bun.resolveSync(PGLITE, ROOT));
  const program = await Bun.file(join(folder, ASSETS.program)).bytes();
  return [...LINKED.flatMap(readLinked), findCarriedPostgres(program)];
}

/** What this Bun tells no version of, it has not, or no more. */
function readLinked({ key, purl, cpe, ...part }: Linked): readonly CarriedPart[] {
  const version = process.versions[key];
  if (version === undefined) return [];
  const found = { ...part, carrier: "bun", kind: "library", version, purl: purl(version) } as const;
  return [cpe === undefined ? found : { ...found, cpe: cpe(version) }];
}

/** The PostgreSQL that a program says it is, as `select version()` does. Throws when it names none, or several. */
export function findCarriedPostgres(program: Uint8Array): CarriedPart {
  const text = Buffer.from(program.buffer, program.byteOffset, program.byteLength).toString("latin1");
  const versions = new Set(
    [...text.matchAll(/PostgreSQL (\d+\.\d+) \(PGlite /g)].map(([, version]) => version),
  );
  const [version, ...others] = versions;
  if (version === undefined || others.length > 0)
    throw new Error(`${ASSETS.program} does not say which PostgreSQL it is`);
  return {
    carrier: PGLITE,
    kind: "application",
    name: "postgresql",
    version,
    description: "The embedded database, as WebAssembly, with ICU, libxml2, libxslt and zlib in it",
    purl: `pkg:generic/postgresql@${version}`,
    cpe: cpeOf("postgresql", "postgresql")(version),
    licence: "PostgreSQL",
  };
}
