/**
 * What the manifests for Kubernetes say of traffic: who is asked when, who may connect to whom, and how pods are replaced. The
 * order is the one of `tests/server/rolling_restart.test.ts`.
 */
import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { ROUTES } from "../../index.ts";
import { defaultOf, readStages } from "../fixtures/deployment.ts";
import { readManifests, readSettings, readWorkloads } from "../fixtures/kubernetes.ts";
import { readText } from "../fixtures/source.ts";

const SERVER = { "app.kubernetes.io/name": "janus", "app.kubernetes.io/component": "server" };
const MIGRATE = { ...SERVER, "app.kubernetes.io/component": "migrate" };

const { deployment, job } = await readWorkloads();
const settings = await readSettings();
const pod = deployment.template.spec;
const [container] = pod.containers;

const portsSchema = v.array(v.object({ protocol: v.string(), port: v.union([v.string(), v.number()]) }));
const labelsSchema = v.object({ matchLabels: v.record(v.string(), v.string()) });
const policySchema = v.object({
  podSelector: labelsSchema,
  policyTypes: v.array(v.string()),
  ingress: v.optional(
    v.array(v.object({ from: v.array(v.object({ namespaceSelector: labelsSchema })), ports: portsSchema })),
    [],
  ),
  egress: v.array(v.object({ to: v.optional(v.array(v.unknown())), ports: portsSchema })),
});
const ingressSchema = v.object({
  tls: v.tuple([v.object({ hosts: v.array(v.string()), secretName: v.string() })]),
  rules: v.tuple([
    v.object({
      host: v.string(),
      http: v.object({
        paths: v.tuple([
          v.object({
            path: v.string(),
            pathType: v.string(),
            backend: v.object({
              service: v.object({ name: v.string(), port: v.object({ name: v.string() }) }),
            }),
          }),
        ]),
      }),
    }),
  ]),
});

const specsOf = async (file: string) => (await readManifests(file)).map(({ spec }) => spec);

describe("the pods of the server", () => {
  test("have the labels that every selector asks for, and the migration has not", async () => {
    const [service] = await specsOf("service.yaml");
    const [budget] = await specsOf("pod_disruption_budget.yaml");

    expect(deployment.template.metadata.labels).toEqual(SERVER);
    expect(job.template.metadata.labels).toEqual(MIGRATE);
    expect(deployment.selector.matchLabels).toEqual(SERVER);
    expect(pod.topologySpreadConstraints?.map(({ labelSelector }) => labelSelector.matchLabels)).toEqual([
      SERVER,
    ]);
    expect(service).toMatchObject({ selector: SERVER });
    expect(budget).toMatchObject({ selector: { matchLabels: SERVER } });
  });

  test("listen at the port that the image exposes, on every address", async () => {
    const { stages } = readStages(await readText("Containerfile"));
    const exposed = stages.at(-1)?.instructions.find(({ name }) => name === "EXPOSE")?.rest;

    expect(container.ports).toEqual([{ name: "http", containerPort: Number(defaultOf("PORT")) }]);
    expect(exposed).toBe(defaultOf("PORT"));
    expect(settings).toMatchObject({ HOST: "0.0.0.0" });
    expect(settings).not.toHaveProperty("PORT");
  });
});

describe("the probes", () => {
  const { startupProbe, readinessProbe, livenessProbe } = container;

  test("ask routes that exist, at the port of the server", () => {
    const paths = [startupProbe, readinessProbe, livenessProbe].map((probe) => probe?.httpGet.path ?? "");

    expect(paths).toEqual(["/healthz", "/readyz", "/healthz"]);
    for (const path of paths)
      expect(ROUTES.map(([method, route]) => `${method} ${route}`)).toContain(`GET ${path}`);
    for (const probe of [startupProbe, readinessProbe, livenessProbe])
      expect(probe?.httpGet.port).toBe(container.ports[0]?.name ?? "none");
  });

  test("wait for longer than /readyz looks at the database", async () => {
    const [, look = "0"] = /^const LOOK_MS = ([\d_]+);/m.exec(await readText("lib/server/handlers.ts")) ?? [];
    const lookSeconds = Number(look.replaceAll("_", "")) / 1_000;

    expect(lookSeconds).toBeGreaterThan(0);
    expect(readinessProbe?.timeoutSeconds).toBeGreaterThan(lookSeconds);
  });

  test("find a new pod ready long before an old one counts as not ready", () => {
    const { periodSeconds = 0, failureThreshold = 0 } = readinessProbe ?? {};

    // After a migration /readyz of the previous release answers 503, although it serves.
    expect(periodSeconds).toBeLessThanOrEqual(2);
    expect(periodSeconds * failureThreshold).toBeGreaterThanOrEqual(60);
    // A server that waits for its database is alive.
    expect([startupProbe, livenessProbe].map((probe) => probe?.httpGet.path)).not.toContain("/readyz");
  });
});

describe("a rolling update", () => {
  test("adds a pod before it ends one, and keeps one of two when a node is emptied", async () => {
    const [budget] = await specsOf("pod_disruption_budget.yaml");

    expect(deployment.replicas).toBe(2);
    expect(deployment.strategy).toEqual({
      type: "RollingUpdate",
      rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
    });
    expect(budget).toMatchObject({ maxUnavailable: 1, unhealthyPodEvictionPolicy: "AlwaysAllow" });
  });

  test("stops a pod as the rolling restart of the tests does, and waits for its end", async () => {
    const [restart, fixture, containerfile] = await Promise.all(
      ["tests/server/rolling_restart.test.ts", "tests/fixtures/command.ts", "Containerfile"].map(readText),
    );
    const [drain, shutdown] = [settings.DRAIN_SECONDS, settings.SHUTDOWN_SECONDS].map(Number);
    const [, tested = "none"] = /^const DRAIN_SECONDS = (\d+);/m.exec(restart ?? "") ?? [];

    // The signal: Kubernetes sends that of the image, and no hook delays it.
    expect(fixture).toContain('stop: async (signal = "SIGTERM")');
    expect(containerfile).toContain("\nSTOPSIGNAL SIGTERM\n");
    expect(container.lifecycle).toBeUndefined();
    // A replica is ready by the same answer.
    expect(restart).toContain(`serving.get("${container.readinessProbe?.httpGet.path}")`);
    // The times: at least those that the test holds, and each within the next.
    expect(drain).toBeGreaterThanOrEqual(Number(tested));
    // A step of a sign-in has nine seconds.
    expect(shutdown).toBeGreaterThan((drain ?? 0) + 9);
    // Closing the database may take one second more.
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan((shutdown ?? 0) + 1);
  });

  test("has the times that docs/proxies.md gives for Kubernetes", async () => {
    const row = (await readText("docs/proxies.md"))
      .split("\n")
      .find((line) => line.startsWith("| Kubernetes |"));

    expect(row).toContain(
      `\`${settings.DRAIN_SECONDS}\`; \`SHUTDOWN_SECONDS\` \`${settings.SHUTDOWN_SECONDS}\``,
    );
  });
});

describe("the network policies", async () => {
  const [all, server] = (await specsOf("network_policy.yaml")).map((spec) => v.parse(policySchema, spec));

  test("let only the ingress controller in, and only at the port of the server", () => {
    expect(all?.podSelector.matchLabels).toEqual({ "app.kubernetes.io/name": "janus" });
    expect(all?.ingress).toEqual([]);
    expect(server?.podSelector.matchLabels).toEqual(SERVER);
    expect(server?.ingress).toEqual([
      {
        from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "ingress-nginx" } } }],
        ports: [{ protocol: "TCP", port: container.ports[0]?.name ?? "none" }],
      },
    ]);
    for (const policy of [all, server]) expect(policy?.policyTypes).toEqual(["Ingress", "Egress"]);
  });

  test("let all pods reach names and PostgreSQL, and only the servers https", () => {
    const portsOf = (policy: typeof all) =>
      policy?.egress.flatMap(({ ports }) => ports.map(({ protocol, port }) => `${protocol} ${port}`));

    expect(portsOf(all)).toEqual(["UDP 53", "TCP 53", "TCP 5432"]);
    expect(portsOf(server)).toEqual(["TCP 443"]);
    // The address at which a cloud tells every pod its credentials.
    expect(JSON.stringify(server?.egress[0]?.to)).toContain('"except":["169.254.0.0/16"]');
  });
});

describe("the ingress", async () => {
  const [document] = await readManifests("ingress.yaml");
  const { tls, rules } = v.parse(ingressSchema, document?.spec);
  const [{ host, http }] = rules;

  test("leads every path of PUBLIC_URL to the Service, with TLS", async () => {
    const [service] = await readManifests("service.yaml");
    const [path] = http.paths;

    expect(settings.PUBLIC_URL).toBe(`https://${host}`);
    expect(tls[0].hosts).toEqual([host]);
    expect(path).toMatchObject({ path: "/", pathType: "Prefix" });
    expect(path.backend.service).toEqual({ name: service?.metadata.name ?? "none", port: { name: "http" } });
    expect(service?.spec).toMatchObject({ ports: [{ name: "http", targetPort: container.ports[0]?.name }] });
  });

  test("has what Janus needs from a proxy", async () => {
    const own = Number(/IDLE_TIMEOUT_SECONDS = (\d+)/.exec(await readText("lib/server/listener.ts"))?.[1]);
    const of = (name: string) => v.parse(v.string(), Reflect.get(annotations, name));
    const annotations = v.parse(v.looseObject({}), document?.metadata.annotations);

    expect(Number(of("nginx.ingress.kubernetes.io/proxy-read-timeout"))).toBeGreaterThan(own);
    expect(of("nginx.ingress.kubernetes.io/proxy-buffer-size")).toBe("16k");
    expect(of("nginx.ingress.kubernetes.io/enable-access-log")).toBe("false");
  });
});
