/** The manifests for Kubernetes agree with its schemas, with the program, and with each other. */
import { describe, expect, test } from "bun:test";
import { mkdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import * as v from "valibot";
import { readConfig, readDatabaseConfig, VARIABLES } from "../../lib/config/load.ts";
import { findAtStart } from "../../lib/config/warnings.ts";
import { configInvalid } from "../../lib/errors.ts";
import packageJson from "../../package.json" with { type: "json" };
import { defaultOf, isPinned, readAssignments, readCommands, readStages } from "../fixtures/deployment.ts";
import type { Pod } from "../fixtures/kubernetes.ts";
import {
  environmentOf,
  findFaults,
  MANIFESTS,
  readManifests,
  readSettings,
  readWorkloads,
} from "../fixtures/kubernetes.ts";
import { listFiles, readText } from "../fixtures/source.ts";
import { useFolder } from "../harness/hooks.ts";
import { randomKey } from "../harness/janus.ts";

const isCommand = readCommands();
const manifests = await readManifests();
const { deployment, job } = await readWorkloads();
const settings = await readSettings();
const { stages } = readStages(await readText("Containerfile"));
const image = stages.at(-1)?.instructions ?? [];
const ofImage = (name: string) => image.find((instruction) => instruction.name === name);
const pods = { server: deployment.template.spec, migrate: job.template.spec };
const SECRETS = VARIABLES.filter(({ secret }) => secret).map(({ name }) => name);
const NAMES = [...VARIABLES.map(({ name }) => name), ...SECRETS.map((name) => `${name}_FILE`)];
const folder = useFolder("kubernetes");

const kustomizationSchema = v.object({
  namespace: v.string(),
  resources: v.array(v.string()),
  images: v.tuple([v.object({ name: v.string(), newName: v.string(), newTag: v.string() })]),
  configMapGenerator: v.tuple([v.object({ name: v.string(), envs: v.array(v.string()) })]),
});
const kustomization = v.parse(
  kustomizationSchema,
  Bun.YAML.parse(await readText(`${MANIFESTS}/kustomization.yaml`)),
);

describe("the schemas of Kubernetes", () => {
  test.each(manifests.map((document) => [`${document.kind} ${document.metadata.name}`, document] as const))(
    "accept %s",
    (_, { path, ...document }) => {
      expect({ path, faults: findFaults(document) }).toEqual({ path, faults: [] });
    },
  );

  test.each([
    ["a text for a number", "/spec/replicas", "2"],
    ["a field with another name", "/spec/replica", 2],
    ["a field in the wrong place", "/spec/template/spec/readOnlyRootFilesystem", true],
    ["a field in other letters", "/spec/template/spec/containers/0/readinessProbe/httpget", {}],
    ["an amount that is none", "/spec/template/spec/containers/0/resources/limits/memory", "512Mo"],
    ["a missing field", "/spec/selector", undefined],
  ])("refuse %s", (_, path, value) => {
    const { path: file, ...document } = manifests.find(({ kind }) => kind === "Deployment") ?? { path: "" };
    const changed = structuredClone(document);
    setField(changed, path.split("/").slice(1), value);

    expect(file).toEndWith("deployment.yaml");
    expect(findFaults(changed).join()).toContain(path.split("/").at(-1) ?? "");
  });

  test("refuse a kind that they do not know", () => {
    expect(findFaults({ apiVersion: "v1", kind: "Deployment" })).toEqual(["v1 Deployment is not known"]);
  });
});

function setField(value: unknown, [key = "", ...rest]: readonly string[], to: unknown): void {
  if (typeof value !== "object" || value === null) throw new Error(`There is no ${key} to set`);
  if (rest.length > 0) setField(Reflect.get(value, key), rest, to);
  else if (to === undefined) Reflect.deleteProperty(value, key);
  else Reflect.set(value, key, to);
}

describe("the lines for rules, a logo, other secrets and metrics", () => {
  test.each(["deployment.yaml", "network_policy.yaml"])("fit where they stand in %s", async (file) => {
    const plain = await readManifests(file);
    const whole = await readManifests(file, uncomment);

    expect(whole.map(({ path, ...document }) => findFaults(document))).toEqual(plain.map(() => []));
    expect(JSON.stringify(whole).length).toBeGreaterThan(JSON.stringify(plain).length);
  });

  test("name variables, volumes and a ConfigMap that agree", async () => {
    const { deployment: whole } = await readWorkloads(uncomment);
    const pod = whole.template.spec;
    const files = uncomment(await readText(`${MANIFESTS}/kustomization.yaml`));
    const mounts = pod.containers[0].volumeMounts;

    expect(mounts.map(({ name }) => name)).toEqual(pod.volumes.map(({ name }) => name));
    expect(pod.volumes.at(-1)).toMatchObject({ configMap: { name: "janus-files" } });
    expect(files).toContain("  - name: janus-files\n    files: [rules.toml, logo.svg]\n");
    expect(Object.keys(environmentOf(pod)).filter((name) => !NAMES.includes(name))).toEqual([]);
    for (const name of ["RULES_FILE", "PLATFORM_LOGO"])
      expect(dirname(environmentOf(pod)[name] ?? "")).toBe(mounts.at(-1)?.mountPath ?? "none");
    expect(pod.containers[0].ports.map(({ name }) => name)).toEqual(["http", "metrics"]);
  });
});

/** As an operator who removes each `#` before a line. In a comment of prose a single blank follows it. */
function uncomment(text: string): string {
  return text.replaceAll(/^( *)#(?=(?: {2})+\S)/gm, "$1");
}

test("the PodMonitor gives the metrics the job that the alerts ask for", async () => {
  const [, commented = ""] = (await readText(`${MANIFESTS}/service.yaml`)).split("#---\n");
  const monitor = v.parse(monitorSchema, Bun.YAML.parse(commented.replaceAll(/^#/gm, "")));
  const { labels } = deployment.template.metadata;

  expect(labels).toMatchObject(monitor.spec.selector.matchLabels);
  expect(await readText("deploy/prometheus/rules.yaml")).toContain(
    `up{job="${labels[monitor.spec.jobLabel]}"}`,
  );
});

const monitorSchema = v.object({
  kind: v.literal("PodMonitor"),
  spec: v.object({
    jobLabel: v.string(),
    selector: v.object({ matchLabels: v.record(v.string(), v.string()) }),
  }),
});

describe("kustomization.yaml", () => {
  test("lists every file once, and the namespace of all", () => {
    const files = listFiles(`${MANIFESTS}/*.yaml`).map((path) => basename(path));

    expect(kustomization.resources.toSorted()).toEqual(
      files.filter((file) => file !== "kustomization.yaml").toSorted(),
    );
    expect(kustomization.namespace).toBe("janus");
    expect(manifests.find(({ kind }) => kind === "Namespace")?.metadata).toEqual({
      name: kustomization.namespace,
      labels: { "pod-security.kubernetes.io/enforce": "restricted" },
    });
    expect(manifests.filter(({ metadata }) => metadata.namespace !== undefined)).toEqual([]);
  });

  test("pins one image for both pods, at the release of package.json", () => {
    const [{ name, newName, newTag }] = kustomization.images;

    expect(newTag).toBe(packageJson.version);
    expect(isPinned(`${newName}:${newTag}`)).toBe(true);
    expect(Object.values(pods).map(({ containers: [{ image: used }] }) => used)).toEqual([name, name]);
  });

  test("makes the ConfigMap that the server reads of janus.env", () => {
    const [{ name, envs }] = kustomization.configMapGenerator;

    expect(envs).toEqual(["janus.env"]);
    expect(pods.server.containers[0].envFrom).toEqual([{ configMapRef: { name } }]);
  });
});

describe("the settings of the pods", () => {
  /** What a pod's variables are once the Secrets are mounted, below the folder of the test. */
  async function mount(pod: Pod, held: Readonly<Record<string, string>>) {
    const environment = Object.entries(environmentOf(pod)).map(async ([name, value]) => {
      if (!name.endsWith("_FILE")) return [name, value];
      const mounted = pod.containers[0].volumeMounts.some(({ mountPath }) => mountPath === dirname(value));
      expect({ name, mounted }).toEqual({ name, mounted: true });
      const path = join(folder, value);
      await mkdir(dirname(path), { recursive: true });
      await Bun.write(path, `${held[basename(value)]}\n`);
      return [name, path];
    });
    return Object.fromEntries(await Promise.all(environment));
  }

  test("have only names that exist, and secrets only as files", () => {
    for (const environment of [settings, ...Object.values(pods).map(environmentOf)]) {
      expect(Object.keys(environment).filter((name) => !NAMES.includes(name))).toEqual([]);
      expect(Object.keys(environment).filter((name) => SECRETS.some((secret) => secret === name))).toEqual(
        [],
      );
    }
    expect(Object.keys(settings).filter((name) => name in environmentOf(pods.server))).toEqual([]);
    // Other readers of the file keep what these mean to some.
    for (const value of Object.values(settings)) expect(value).not.toMatch(/["'#$\\]|^\s|\s$/);
  });

  test("name each file after its variable, in a Secret of the pod", () => {
    for (const pod of Object.values(pods))
      for (const [name, value] of Object.entries(environmentOf(pod)).filter(([key]) => key.endsWith("_FILE")))
        expect(basename(value)).toBe(name.replace(/_FILE$/, "").toLowerCase());
    // The migration gets no key and no secret of another server.
    expect(secretsOf(pods.migrate)).toEqual({ "/run/secrets/database": "janus-database" });
    expect(secretsOf(pods.server)).toEqual({
      "/run/secrets/janus": "janus",
      "/run/secrets/database": "janus-database",
    });
  });

  test("name every secret that the server requires", () => {
    const required = VARIABLES.filter(({ secret, required: isRequired }) => secret && isRequired)
      .map(({ name }) => name)
      .filter((name) => name !== "DISCORD_BOT_TOKEN");

    for (const name of [...required, "DATABASE_URL"])
      expect(Object.keys(environmentOf(pods.server))).toContain(`${name}_FILE`);
  });

  test("are a valid configuration once filled in, with no risky value", async () => {
    const held = {
      database_url: "postgres://janus:secret@db.example.org:5432/janus?sslmode=verify-full",
      discord_client_secret: "secret",
      oidc_client_secret: "secret",
      token_keys: `k1:${randomKey()}`,
      cookie_secret: randomKey(),
    };
    const filledIn = {
      DISCORD_CLIENT_ID: "1".repeat(19),
      OIDC_ISSUER: "https://auth.example.org/",
      OIDC_CLIENT_ID: "janus",
      PLATFORM_NAME: "Example",
    };
    const ownImage = readAssignments(ofImage("ENV")?.rest ?? "");
    const values = { ...ownImage, ...settings, ...filledIn, ...(await mount(pods.server, held)) };
    const empty = Object.keys(settings).filter((name) => settings[name] === "");

    expect(empty.toSorted()).toEqual(Object.keys(filledIn).toSorted());
    expect(readConfig(values)).toMatchObject({ host: "0.0.0.0", database: { url: held.database_url } });
    expect(findAtStart([{ file: undefined, variables: values }])).toEqual([]);
    const migrating = { ...ownImage, ...(await mount(pods.migrate, held)) };
    expect(readDatabaseConfig(migrating).database.url).toBe(held.database_url);
  });
});

/** Where a pod has its Secrets. */
function secretsOf({ containers: [{ volumeMounts }], volumes }: Pod): Readonly<Record<string, string>> {
  const mounts = volumeMounts.flatMap(({ name, mountPath, readOnly }) => {
    const secret = volumes.find((volume) => volume.name === name)?.secret;
    if (secret !== undefined) expect(readOnly).toBe(true);
    return secret === undefined ? [] : [[mountPath, secret.secretName] as const];
  });
  return Object.fromEntries(mounts);
}

describe("the pods", () => {
  test.each(Object.entries(pods))("run the image's own program by a command that exists: %s", (_, pod) => {
    const [{ command, args }] = pod.containers;

    expect(ofImage("ENTRYPOINT")?.list).toEqual(["/usr/local/bin/janus"]);
    expect(command).toBeUndefined();
    expect(args).toHaveLength(1);
    expect(args.map(isCommand)).toEqual([true]);
  });

  test.each(Object.entries(pods))("may do nothing but what Janus needs: %s", (_, pod) => {
    const [user] = (ofImage("USER")?.rest ?? "").split(":").map(Number);
    const [{ securityContext, volumeMounts, resources }] = pod.containers;

    expect(pod).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
    expect(pod.securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: user,
      fsGroup: user,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    for (const { secret } of pod.volumes) expect(secret?.defaultMode ?? 0o440).toBe(0o440);
    // In place of the image's volume, and the only folder to write to.
    const data = readAssignments(ofImage("ENV")?.rest ?? "").DATA_DIR;
    expect(volumeMounts.filter(({ readOnly }) => !readOnly).map(({ mountPath }) => mountPath)).toEqual([
      data ?? "",
    ]);
    expect(resources).toEqual({ requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "512Mi" } });
  });

  test("of the migration wait for the database, and give up at a wrong configuration", () => {
    expect(Number(environmentOf(pods.migrate).DATABASE_WAIT_SECONDS)).toBeGreaterThan(
      Number(defaultOf("DATABASE_WAIT_SECONDS")),
    );
    expect(pods.migrate.restartPolicy).toBe("Never");
    expect(job.podFailurePolicy.rules).toEqual([
      {
        action: "FailJob",
        onExitCodes: {
          containerName: pods.migrate.containers[0].name,
          operator: "In",
          values: [configInvalid("").exitStatus],
        },
      },
    ]);
  });
});
