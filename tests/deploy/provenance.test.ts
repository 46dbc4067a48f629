/** The papers of a release, provenance and checksums, and the faults at which a release stops. */
import { describe, expect, test } from "bun:test";
import { mkdir, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashFile, PROVENANCE, SUMS, writePapers } from "../../.ci/papers.ts";
import { describeProvenance, findCommit } from "../../.ci/provenance.ts";
import { BUN_VERSION } from "../../.ci/runtimes.ts";
import packageJson from "../../package.json" with { type: "json" };
import { ROOT } from "../fixtures/source.ts";
import { useFolder } from "../harness/hooks.ts";

const folder = useFolder("provenance");

/** A folder that no other test uses. */
async function newFolder(): Promise<string> {
  const path = join(folder, crypto.randomUUID());
  await mkdir(path);
  return path;
}

async function run(command: readonly string[], cwd: string = ROOT) {
  const child = Bun.spawn([...command], { cwd, stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { exitCode: await child.exited, stdout, stderr };
}

const MATERIALS = {
  commit: "0123456789abcdef0123456789abcdef01234567",
  lockSha256: "b".repeat(64),
  runtimes: [
    { target: "bun-linux-x64", purl: "pkg:npm/%40oven/bun-linux-x64@1.4.5", sha512: "c".repeat(128) },
  ],
};

describe("describeProvenance()", () => {
  const subjects = [{ name: "janus-linux-x64", sha256: "a".repeat(64) }];

  test("gives an in-toto Statement of the files and sources", () => {
    const { predicate, ...statement } = JSON.parse(describeProvenance(subjects, MATERIALS));

    expect(statement).toEqual({
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ name: "janus-linux-x64", digest: { sha256: "a".repeat(64) } }],
      predicateType: "https://slsa.dev/provenance/v1",
    });
    expect(predicate.buildDefinition.externalParameters.targets).toEqual(["bun-linux-x64"]);
    expect(predicate.buildDefinition.resolvedDependencies).toEqual([
      {
        name: "source",
        uri: `pkg:generic/janus@${packageJson.version}`,
        digest: { gitCommit: MATERIALS.commit },
      },
      {
        name: "bun.lock",
        uri: `pkg:generic/janus@${packageJson.version}#bun.lock`,
        digest: { sha256: MATERIALS.lockSha256 },
      },
      {
        name: "bun-linux-x64",
        uri: "pkg:npm/%40oven/bun-linux-x64@1.4.5",
        digest: { sha512: "c".repeat(128) },
      },
    ]);
    for (const uri of [predicate.buildDefinition.buildType, predicate.runDetails.builder.id])
      expect(uri).toStartWith("urn:janus:");
  });

  test("gives the same text at any time, machine and folder", () => {
    const text = describeProvenance(subjects, MATERIALS);

    expect(describeProvenance(subjects, MATERIALS)).toBe(text);
    expect(text).not.toMatch(/\d{4}-\d{2}-\d{2}|\d\d:\d\d/);
    expect(text).not.toContain(ROOT);
    expect(text).not.toContain(tmpdir());
    expect([...text.matchAll(/https?:\/\/([^/"]+)/g)].map(([, host]) => host)).toEqual([
      "in-toto.io",
      "slsa.dev",
    ]);
  });
});

describe("writePapers()", () => {
  const FILES = ["janus-linux-x64", "janus-linux-arm64", "janus.cdx.json"];
  const publish = async (materials: typeof MATERIALS | undefined) => {
    const out = await newFolder();
    for (const name of FILES) await Bun.write(join(out, name), `content of ${name}`);
    await writePapers(out, FILES, materials);
    return out;
  };
  const check = (out: string) => run(["sha256sum", "--check", "--strict", SUMS], out);

  test("lists every file in both papers, and sha256sum confirms the sums", async () => {
    const out = await publish(MATERIALS);

    const listed = (await Bun.file(join(out, SUMS)).text()).trimEnd().split("\n");
    const sums = new Map(listed.map((line) => [line.slice(66), line.slice(0, 64)]));
    const { subject } = await Bun.file(join(out, PROVENANCE)).json();

    expect([...sums.keys()].sort()).toEqual([...FILES, PROVENANCE].sort());
    expect(subject).toEqual(
      FILES.toSorted().map((name) => ({ name, digest: { sha256: sums.get(name) ?? "" } })),
    );
    expect((await check(out)).exitCode).toBe(0);
  });

  test.each([...FILES, PROVENANCE])("writes sums by which sha256sum notices a changed %s", async (name) => {
    const out = await publish(MATERIALS);

    await Bun.write(join(out, name), `${await Bun.file(join(out, name)).text()} `);

    const { exitCode, stdout } = await check(out);
    expect(exitCode).not.toBe(0);
    expect(stdout).toContain(`${name}: FAILED`);
  });

  test("writes the same bytes, and no provenance without materials", async () => {
    const outs = [await publish(MATERIALS), await publish(MATERIALS)];

    for (const name of [PROVENANCE, SUMS]) {
      const [first, again] = await Promise.all(outs.map((out) => hashFile(join(out, name))));
      expect(again).toBe(first ?? "");
    }
    expect(await readdir(await publish(undefined))).not.toContain(PROVENANCE);
  });
});

/** Without git the tests are skipped, but in CI they fail. */
const noGit = Bun.which("git") === null && !process.env.CI;
if (noGit) console.warn("The tests of a release's commit are skipped. No git is found.");

describe.skipIf(noGit)("findCommit()", () => {
  const IDENTITY = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.com"];
  const makeCheckout = async () => {
    const root = await newFolder();
    await Bun.write(join(root, "file"), "committed");
    for (const command of [
      ["init", "--quiet"],
      ["add", "file"],
      [...IDENTITY, "commit", "--quiet", "-m", "one"],
    ])
      expect((await run(["git", ...command], root)).exitCode).toBe(0);
    return root;
  };

  test("gives the commit that is checked out", async () => {
    const root = await makeCheckout();
    const { stdout } = await run(["git", "rev-parse", "HEAD"], root);

    expect(await findCommit(root)).toBe(stdout.trim());
  });

  test.each([["file"], ["another"]])(
    "refuses a checkout where %s is not committed, by its name",
    async (name) => {
      const root = await makeCheckout();
      await Bun.write(join(root, name), "not committed");

      await expect(findCommit(root)).rejects.toThrow(name);
    },
  );

  test("refuses a folder without a commit", async () => {
    const root = await newFolder();
    await run(["git", "init", "--quiet"], root);

    await expect(findCommit(root)).rejects.toThrow("a release is of a commit");
  });
});

describe("bun run release", () => {
  const release = (args: readonly string[]) => run([process.execPath, "run", ".ci/release.ts", ...args]);

  test("prints its options, and refuses others with exit code 2", async () => {
    const [help, wrong] = await Promise.all([release(["--help"]), release(["--sign"])]);

    expect([help.exitCode, wrong.exitCode]).toEqual([0, 2]);
    for (const option of ["--out", "--runtimes", "--uncommitted"]) expect(help.stdout).toContain(option);
    expect(wrong.stderr).toContain("See bun run release --help.");
  });

  test("stops before it builds anything when a runtime was tampered with", async () => {
    const [out, kept] = [join(await newFolder(), "dist"), await newFolder()];
    await Bun.write(join(kept, `bun-linux-x64-${BUN_VERSION}.tgz`), "not what was published");

    const { exitCode, stderr } = await release(["--uncommitted", "--out", out, "--runtimes", kept]);

    expect(exitCode).toBe(1);
    expect(stderr).toContain("the runtime is not the one that is pinned: @oven/bun-linux-x64");
    expect(stderr).not.toContain("the binary for");
    expect(await Bun.file(join(out, SUMS)).exists()).toBe(false);
  });
});
