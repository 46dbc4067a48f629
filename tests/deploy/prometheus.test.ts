/** A real Prometheus reads a running Janus, with the alerts of `deploy/`; and the dashboard asks for what there is. */
import { describe, expect, test } from "bun:test";
import { readTable } from "../fixtures/markdown.ts";
import { parseMetrics } from "../fixtures/metrics.ts";
import { hasPrometheus, NO_PROMETHEUS, promtool, startPrometheus } from "../fixtures/prometheus.ts";
import { readText } from "../fixtures/source.ts";
import { useFolder, useJanus } from "../harness/hooks.ts";
import { startJanusWithForger } from "../harness/janus.ts";
import { linkMember, newUser } from "../harness/walk.ts";

const isSkipped = !hasPrometheus() && !process.env.CI;
if (isSkipped) console.warn(`The tests with Prometheus are skipped. ${NO_PROMETHEUS}`);

const folder = useFolder("prometheus");
const janus = useJanus(() =>
  startJanusWithForger({ forger: { freshSubjects: true }, environment: { METRICS_PORT: "0" } }),
);
const readNow = async (): Promise<string> => (await fetch(janus.metricsUrl)).text();

describe.skipIf(isSkipped)("Prometheus", () => {
  test("reads a running Janus, and its rules", async () => {
    await linkMember(janus, newUser());
    const prometheus = await startPrometheus(folder, janus.metricsUrl);
    try {
      const [up] = await prometheus.query('up{job="janus"} == 1');
      const [links] = await prometheus.query("sum(janus_links) > 0");
      const [steps] = await prometheus.query('janus_flow_steps_total{step="provider",outcome="linked"} > 0');
      const [median] = await prometheus.query(
        "histogram_quantile(0.5, sum by (le) (janus_http_request_duration_seconds_bucket))",
      );
      const { groups } = (await prometheus.ask("rules")) as {
        readonly groups: readonly { readonly rules: readonly { readonly health: string }[] }[];
      };

      expect(up?.value[1]).toBe("1");
      expect(Number(links?.value[1])).toBeGreaterThan(0);
      expect(Number(steps?.value[1])).toBeGreaterThan(0);
      expect(Number(median?.value[1])).toBeGreaterThan(0);
      expect(groups.flatMap(({ rules }) => rules).length).toBeGreaterThan(5);
    } finally {
      await prometheus.stop();
    }
  }, 120_000);

  test("finds nothing to lint in the metrics", async () => {
    await linkMember(janus, newUser());

    const { exitCode, stdout, stderr } = await promtool(["check", "metrics"], await readNow());

    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  });

  test("accepts the rules, and each alert rings as its test says", async () => {
    const [check, tried] = await Promise.all([
      promtool(["check", "rules", "rules.yaml"]),
      promtool(["test", "rules", "rules_test.yaml"]),
    ]);

    expect({ check: check.exitCode, tried: tried.exitCode, said: `${check.stderr}${tried.stderr}` }).toEqual({
      ...{ check: 0, tried: 0, said: "" },
    });
  }, 120_000);

  test("understands every question of the dashboard", async () => {
    const rules = (await expressions()).map((expr, index) => ({ record: `question:${index}`, expr }));
    const path = `${folder}/dashboard.yaml`;
    await Bun.write(path, JSON.stringify({ groups: [{ name: "dashboard", rules }] }));

    const { exitCode, stderr } = await promtool(["check", "rules", path]);

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  });
});

/** What the dashboard asks, with its variables as Grafana would replace them. */
async function expressions(): Promise<readonly string[]> {
  const { panels } = JSON.parse(await readText("deploy/grafana/janus.json")) as {
    readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[];
  };
  return panels
    .flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
    .map((expr) => expr.replaceAll("$__rate_interval", "5m").replaceAll("$job", "janus"));
}

test("the alerts and the dashboard ask only for metrics that there are", async () => {
  const { types } = parseMetrics(await readNow());
  const texts = [await readText("deploy/prometheus/rules.yaml"), ...(await expressions())];
  const asked = texts.flatMap((text) => text.match(/\b(?:janus|process|nodejs)_[a-z0-9_]+(?=[{)])/g) ?? []);

  const missing = asked.filter((name) => !types.has(name.replace(/_(bucket|sum|count)$/, "")));
  expect(new Set(asked).size).toBeGreaterThan(15);
  expect(missing).toEqual([]);
});

/** The labels that a question names: in its filters, in what it groups by, and in the legend of its answer. */
function labelsAsked(expr: string, legend: string): readonly string[] {
  const filters = [...expr.matchAll(/\{([^}]*)\}/g)].flatMap(
    ([, inner = ""]) => inner.match(/\w+(?=\s*[=!])/g) ?? [],
  );
  const groups = [...expr.matchAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g)].flatMap(
    ([, inner = ""]) => inner.match(/\w+/g) ?? [],
  );
  return [...filters, ...groups, ...(legend.match(/(?<=\{\{\s*)\w+(?=\s*\}\})/g) ?? [])];
}
/** Those that Prometheus itself adds to what it reads, and that of a histogram. */
const ADDED_LABELS = ["job", "instance", "le"];

describe("the labels that the dashboard and the alerts ask for", async () => {
  const documented = new Map(
    readTable(await readText("docs/metrics.md"), ["metric", "type", "labels", "meaning"]).map(
      ([name = "", , labels = ""]) => [/`(\w+)`/.exec(name)?.[1] ?? "", labels.match(/\w+/g) ?? []] as const,
    ),
  );
  const metricsIn = (expr: string) =>
    (expr.match(/\b(?:janus|process|nodejs)_[a-z0-9_]+/g) ?? []).map((name) =>
      documented.has(name) ? name : name.replace(/_(bucket|sum|count)$/, ""),
    );
  const dashboard = JSON.parse(await readText("deploy/grafana/janus.json")) as {
    readonly panels: readonly {
      readonly title: string;
      readonly targets?: readonly { readonly expr: string; readonly legendFormat?: string }[];
    }[];
    readonly templating: { readonly list: readonly { readonly name: string; readonly query: unknown }[] };
  };
  const panels = dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat = "" }) => [title, expr, legendFormat] as const),
  );
  const { groups } = Bun.YAML.parse(await readText("deploy/prometheus/rules.yaml")) as {
    readonly groups: readonly {
      readonly rules: readonly { readonly alert: string; readonly expr: string }[];
    }[];
  };
  const rules = groups.flatMap((group) => group.rules.map(({ alert, expr }) => [alert, expr, ""] as const));

  test("are found in what they ask", () => {
    expect(
      labelsAsked('sum by (step, le) (rate(a{job=~"x", outcome!="y"}[5m]))', "{{step}} {{ code }}"),
    ).toEqual(["job", "outcome", "step", "le", "step", "code"]);
    expect([panels.length, rules.length].every((count) => count > 5)).toBe(true);
    expect(
      panels.filter(([, expr, legend]) =>
        labelsAsked(expr, legend).some((label) => !ADDED_LABELS.includes(label)),
      ).length,
    ).toBeGreaterThan(8);
  });

  test.each([...panels, ...rules])("%s: %s", (_, expr, legend) => {
    const metrics = metricsIn(expr);
    const known = [...ADDED_LABELS, ...metrics.flatMap((name) => documented.get(name) ?? [])];

    expect(metrics.filter((name) => !documented.has(name))).toEqual([]);
    expect(labelsAsked(expr, legend).filter((label) => !known.includes(label))).toEqual([]);
  });

  test("of the dashboard's variables are those of metrics that there are", () => {
    const queries = dashboard.templating.list.map(({ query }) => JSON.stringify(query));
    const asked = queries.flatMap((query) => [
      ...query.matchAll(/label_values\((\w+)(?:\{[^}]*\})?, ?(\w+)\)/g),
    ]);

    for (const [, metric = "", label = ""] of asked)
      expect([
        documented.has(metric),
        [...ADDED_LABELS, ...(documented.get(metric) ?? [])].includes(label),
      ]).toEqual([true, true]);
    expect(asked.length).toBe(queries.filter((query) => query.includes("label_values")).length);
  });
});

test("every alert is in docs/metrics.md and has a test", async () => {
  const [rules, tests, document] = await Promise.all(
    ["deploy/prometheus/rules.yaml", "deploy/prometheus/rules_test.yaml", "docs/metrics.md"].map(readText),
  );
  const alerts = [...(rules ?? "").matchAll(/- alert: (\w+)/g)].map(([, name = ""]) => name);

  expect(alerts.length).toBeGreaterThan(5);
  for (const alert of alerts) {
    expect(document).toContain(`| \`${alert}\` |`);
    expect(tests).toMatch(new RegExp(`alertname: ${alert}\\n\\s+exp_alerts`));
  }
});
