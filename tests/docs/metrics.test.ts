/** docs/metrics.md and docs/traces.md agree with the program. */
import { describe, expect, test } from "bun:test";
import { SAMPLERS } from "../../lib/config/telemetry_settings.ts";
import { COUNTED_FROM_START, EVENT_METRICS } from "../../lib/telemetry/counted_events.ts";
import { createMetrics } from "../../lib/telemetry/prometheus.ts";
import { readTable } from "../fixtures/markdown.ts";
import { parseMetrics } from "../fixtures/metrics.ts";
import { readText } from "../fixtures/source.ts";

/** All that is exported once everything has happened. */
async function exported() {
  const metrics = createMetrics("1");
  metrics.countRequest("/", "GET", 200, 0.1);
  metrics.countCall("discord", "token_code", "ok", 0.1);
  metrics.countEvent("event_received", { source: "hook", outcome: "rechecked" });
  metrics.countEvent("request_failed", { code: "not_found" });
  const text = await metrics.render({
    figures: {
      links: { told: 1, waiting: 1, losing: 1, disconnected: 1, cleared: 1 },
      ...{ pushesDue: 1, checksDue: 1, oldestCheckDueSeconds: 1, oldestPushDueSeconds: 1, lossesHeld: 1 },
    },
    connections: { idle: 1, used: 1, ending: 1, waiting: 1 },
    certificateExpiresAt: new Date(0),
  });
  return parseMetrics(text);
}

describe("docs/metrics.md", async () => {
  const rows = readTable(await readText("docs/metrics.md"), ["metric", "type", "labels", "meaning"]).map(
    ([name = "", type = "", labels = "", meaning = ""]) => ({
      name: /`(\w+)`/.exec(name)?.[1] ?? name,
      isOfDatabase: name.endsWith("†"),
      type,
      labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = ""]) => label).sort(),
      meaning,
    }),
  );

  test("lists exactly the metrics that are exported, with their types", async () => {
    const { types } = await exported();

    const listed = rows.map(({ name, type }) => [name, type] as const);
    expect(listed.toSorted()).toEqual([...types].toSorted());
  });

  test("lists the labels of each metric", async () => {
    const { samples } = await exported();
    const labelsOf = (name: string): string[] => {
      const own = samples.filter((sample) => sample.name.replace(/_(bucket|sum|count)$/, "") === name);
      const labels = own.flatMap((sample) => Object.keys(sample.labels));
      return [...new Set(labels)].filter((label) => label !== "le").sort();
    };

    for (const { name, labels } of rows) expect({ name, labels }).toEqual({ name, labels: labelsOf(name) });
    expect(rows.filter(({ labels }) => labels.length > 0).length).toBeGreaterThan(8);
  });

  test("marks the metrics that are absent while the database is silent", async () => {
    const metrics = createMetrics("1");
    const silent = parseMetrics(
      await metrics.render({ figures: undefined, connections: undefined, certificateExpiresAt: undefined }),
    );
    const { samples } = await exported();
    const named = (all: typeof samples) => new Set(all.map(({ name }) => name));

    const gone = [...named(samples)].filter((name) => !named(silent.samples).has(name));
    const ofDatabase = rows.filter(({ isOfDatabase }) => isOfDatabase).map(({ name }) => name);
    expect(gone).toEqual(expect.arrayContaining(ofDatabase));
    expect(ofDatabase.length).toBe(7);
  });

  test("has names by Prometheus' conventions, in base units", () => {
    for (const { name, type } of rows) {
      expect({ name, isCounter: name.endsWith("_total") }).toEqual({ name, isCounter: type === "counter" });
      expect(name).not.toMatch(/_(ms|milliseconds|minutes|hours|kib|mb)(_|$)/);
    }
  });
});

test("counts that begin at nought have the labels of their metrics", () => {
  for (const { metric, labels } of COUNTED_FROM_START)
    expect(Object.keys(labels)).toEqual([...EVENT_METRICS[metric].labels]);
});

test("docs/traces.md lists exactly the samplers that are accepted", async () => {
  const rows = readTable(await readText("docs/traces.md"), ["`OTEL_TRACES_SAMPLER`", "takes"]);

  expect(rows.map(([name = ""]) => name.replaceAll("`", ""))).toEqual([...SAMPLERS]);
});
