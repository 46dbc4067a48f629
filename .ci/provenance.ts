/**
 * The provenance of a release, in the format of SLSA: an in-toto Statement that lists the files, the commit and the Bun
 * runtimes that they were built with. It names no time, no machine and no person, so the same commit always has the same
 * statement. It is not signed: the publisher signs the release, as `docs/releasing.md` says.
 * https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md, https://slsa.dev/spec/v1.0/provenance
 */
import janus from "../package.json" with { type: "json" };
import { ROOT } from "./binary.ts";
import type { Runtime } from "./runtimes.ts";

/** Names the format of the statement's parameters. */
const BUILD_TYPE = "urn:janus:build-type:release:v1";
/** The person who runs `bun run release` on their own machine. Nobody else vouches for the result. */
const BUILDER = "urn:janus:builder:publisher";

/** What a release was made of. */
export type Materials = {
  /** The hash of the commit. */
  readonly commit: string;
  /** SHA-256 of bun.lock, which has the hashes of all packages. */
  readonly lockSha256: string;
  readonly runtimes: readonly Pick<Runtime, "target" | "purl" | "sha512">[];
};

/** A released file. */
export type Subject = { readonly name: string; readonly sha256: string };

/** The statement as JSON. */
export function describeProvenance(
  subjects: readonly Subject[],
  { commit, lockSha256, runtimes }: Materials,
): string {
  const program = `pkg:generic/${janus.name}@${janus.version}`;
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: subjects.map(({ name, sha256 }) => ({ name, digest: { sha256 } })),
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: {
          command: "bun run release",
          targets: runtimes.map(({ target }) => target),
        },
        internalParameters: { bunRevision: Bun.revision },
        resolvedDependencies: [
          { name: "source", uri: program, digest: { gitCommit: commit } },
          { name: "bun.lock", uri: `${program}#bun.lock`, digest: { sha256: lockSha256 } },
          ...runtimes.map(({ target, purl, sha512 }) => ({ name: target, uri: purl, digest: { sha512 } })),
        ],
      },
      runDetails: { builder: { id: BUILDER, version: { bun: Bun.version } } },
    },
  };
  return `${JSON.stringify(statement, undefined, 2)}\n`;
}

/** The hash of the commit that is checked out. Throws where files differ from it: the statement would not be true. */
export async function findCommit(root: string = ROOT): Promise<string> {
  const changes = await git(root, "status", "--porcelain");
  if (changes !== "")
    throw new Error(`a release is of a commit, and these files are not in one:\n${changes}`);
  return git(root, "rev-parse", "--verify", "HEAD");
}

async function git(root: string, ...args: readonly string[]): Promise<string> {
  const child = Bun.spawn(["git", ...args], { cwd: root, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [said, faults] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0)
    throw new Error(`a release is of a commit, and git says: ${faults.trim() || said.trim()}`);
  return said.trimEnd();
}
