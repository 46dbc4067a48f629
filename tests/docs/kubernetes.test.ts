/** The walk through docs/kubernetes.md agrees with the manifests and with the program, and its commands make what they say. */
import { describe, expect, test } from "bun:test";
import { readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { readConfig } from "../../lib/config/load.ts";
import packageJson from "../../package.json" with { type: "json" };
import { readCommands } from "../fixtures/deployment.ts";
import { environmentOf, readManifests, readSettings, readWorkloads } from "../fixtures/kubernetes.ts";
import { readText } from "../fixtures/source.ts";
import { useFolder } from "../harness/hooks.ts";

const text = await readText("docs/kubernetes.md");
const isCommand = readCommands();
const manifests = await readManifests();
const { deployment } = await readWorkloads();
const pod = deployment.template.spec;
const folder = useFolder("kubernetes-walk");
const { PATH = "" } = process.env;

const all = (pattern: RegExp): readonly string[] =>
  [...text.matchAll(pattern)].map(([, found = ""]) => found);

describe("docs/kubernetes.md", () => {
  test("gives commands that make the files of the pods, which only the operator can read", async () => {
    const [, commands = ""] = /^(install -d [\s\S]*?)^```$/m.exec(text) ?? [];
    // In the place of an operator who pastes a secret.
    const pasted = commands.replaceAll("cat >", "echo pasted >");
    const make = () => Bun.spawnSync(["sh", "-c", pasted], { cwd: folder, env: { PATH } });
    const { exitCode, stderr } = make();
    const files = Object.entries(environmentOf(pod)).map(([name, path]) => {
      // The folder of the operator, by the folder of the pod.
      const at =
        { "/run/secrets/janus": "secrets", "/run/secrets/database": "database" }[dirname(path)] ?? "none";
      return { name, at, file: basename(path), path: join(folder, at, basename(path)) };
    });
    const ring = await Bun.file(join(folder, "secrets", "token_keys")).text();
    make();
    await Bun.write(
      join(folder, "database", "database_url"),
      "postgres://janus:pasted@db.example.org/janus\n",
    );

    expect({ exitCode, stderr: stderr.toString() }).toEqual({ exitCode: 0, stderr: "" });
    for (const at of ["secrets", "database"])
      expect(readdirSync(join(folder, at)).toSorted()).toEqual(
        files.flatMap((file) => (file.at === at ? [file.file] : [])).toSorted(),
      );
    for (const { path } of files) expect(statSync(path).mode & 0o077).toBe(0);
    const config = readConfig({
      ...(await readSettings()),
      DISCORD_CLIENT_ID: "1".repeat(19),
      OIDC_ISSUER: "https://auth.example.org/",
      OIDC_CLIENT_ID: "janus",
      ...Object.fromEntries(files.map(({ name, path }) => [name, path])),
    });
    // An operator who follows the page again does not lose the keys.
    expect(await Bun.file(join(folder, "secrets", "token_keys")).text()).toBe(ring);
    expect(config.tokenKeys.map(({ id }) => id)).toEqual(["k1"]);
    expect(config.oidc.clientSecret).toBe("pasted");
  });

  test("creates the Secrets that the pods mount, before it applies the rest", () => {
    const mounted = pod.volumes.flatMap(({ secret }) => (secret === undefined ? [] : [secret.secretName]));
    const created = all(/kubectl create secret generic ([\w-]+) --from-file=\w+$/gm);
    const steps = [
      "namespace.yaml\nkubectl",
      "kubectl create secret",
      "kubectl apply --kustomize",
      "janus register --yes",
    ];
    const places = steps.map((step) => text.indexOf(step));

    expect(created.toSorted()).toEqual(mounted.toSorted());
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });

  test("names only objects of the manifests, and commands of the program", () => {
    const objects = manifests.map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`);
    const named = all(/\b((?:deployment|job)\/[\w-]+)/g);
    const deleted = all(/kubectl delete job ([\w-]+)/g).map((name) => `job/${name}`);
    const commands = all(/deployment\/janus -- \/usr\/local\/bin\/janus (\w+)/g);

    expect(named.length).toBeGreaterThan(10);
    expect([...named, ...deleted].filter((name) => !objects.includes(name))).toEqual([]);
    expect(commands.length).toBeGreaterThan(4);
    expect(commands.filter((command) => !isCommand(command))).toEqual([]);
  });

  test("deletes the Job before each apply that is not the first", () => {
    const [first, ...later] = text.split(/^ *kubectl apply --kustomize deploy\/kubernetes$/m).slice(0, -1);

    expect(first).toContain("## 4. Start");
    expect(later).toHaveLength(2);
    for (const before of later)
      expect(before).toMatch(/kubectl delete job janus-migrate --ignore-not-found\n$/);
  });

  test("repeats the release and the figures of the manifests", async () => {
    const { DRAIN_SECONDS, SHUTDOWN_SECONDS } = await readSettings();
    const [{ resources }] = pod.containers;

    expect(new Set(all(/registry\.example\.org\/janus:([\d.]+)/g))).toEqual(new Set([packageJson.version]));
    expect(text).toContain(
      `| \`DRAIN_SECONDS=${DRAIN_SECONDS}\`, \`SHUTDOWN_SECONDS=${SHUTDOWN_SECONDS}\`, ` +
        `${pod.terminationGracePeriodSeconds} seconds of grace |`,
    );
    expect(text).toContain(
      `| ${resources.requests.memory?.replace("Mi", " MiB")} requested, at most ${resources.limits.memory?.replace("Mi", " MiB")} |`,
    );
    for (const { secret } of pod.volumes)
      if (secret !== undefined) expect(text).toContain(`| \`defaultMode: ${secret.defaultMode}\` | 0440`);
  });
});
