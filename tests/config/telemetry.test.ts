/** The variables of metrics and traces: both are off by default, and the names of the latter mean what OpenTelemetry says. */
import { describe, expect, test } from "bun:test";
import type { Config } from "../../lib/config/load.ts";
import { readConfig } from "../../lib/config/load.ts";
import { findAtStart } from "../../lib/config/warnings.ts";
import { environmentFor } from "../harness/janus.ts";

const DISCORD = {
  apiUrl: "https://discord.test/api",
  authorizeUrl: "https://discord.test/oauth2/authorize",
  cdnUrl: "https://cdn.discord.test",
};
const VALID = environmentFor("https://janus.test", DISCORD, "https://provider.test");
const read = (variables: Readonly<Record<string, string>>): Config => readConfig({ ...VALID, ...variables });
const warningsOf = (variables: Readonly<Record<string, string>>): readonly string[] =>
  findAtStart([{ file: undefined, variables: { ...VALID, ...variables } }]);

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };

describe("readConfig()", () => {
  test("has neither metrics nor traces by default", () => {
    const { metrics, tracing } = read({ METRICS_HOST: "0.0.0.0", OTEL_SERVICE_NAME: "janus" });

    expect([metrics, tracing]).toEqual([undefined, undefined]);
  });

  test("has metrics on loopback once METRICS_PORT is set", () => {
    expect(read({ METRICS_PORT: "9464" }).metrics).toEqual({ host: "127.0.0.1", port: 9464 });
    expect(read({ METRICS_PORT: "0", METRICS_HOST: "[::1]" }).metrics).toEqual({ host: "::1", port: 0 });
  });

  test("has traces with OpenTelemetry's defaults once there is an endpoint", () => {
    expect(read(ENDPOINT).tracing).toEqual({
      url: "http://collector:4318/v1/traces",
      protocol: "http/protobuf",
      headers: {},
      timeoutMs: 10_000,
      serviceName: "janus",
      resource: {},
      sampler: "parentbased_always_on",
      ratio: 1,
      propagates: true,
    });
  });

  test.each([
    ["http://collector:4318/", "http://collector:4318/v1/traces"],
    ["https://collector/otlp", "https://collector/otlp/v1/traces"],
  ])("adds the path of traces to %s", (endpoint, url) => {
    expect(read({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }).tracing?.url).toBe(url);
  });

  test("takes the endpoint of traces as it is, before the other", () => {
    const own = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://traces.test/in" };

    expect(read({ ...ENDPOINT, ...own }).tracing?.url).toBe("https://traces.test/in");
    expect(read(own).tracing?.url).toBe("https://traces.test/in");
  });

  test("decodes headers and attributes", () => {
    const { tracing } = read({
      ...ENDPOINT,
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20abc%3D, x-tenant = blue",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=production,service.namespace=d%2Csek",
    });

    expect(tracing?.headers).toEqual({ authorization: "Bearer abc=", "x-tenant": "blue" });
    expect(tracing?.resource).toEqual({
      "deployment.environment.name": "production",
      "service.namespace": "d,sek",
    });
  });

  test("has no traces with OTEL_SDK_DISABLED, in any case of letters", () => {
    expect(read({ ...ENDPOINT, OTEL_SDK_DISABLED: "True" }).tracing).toBeUndefined();
    expect(read({ ...ENDPOINT, OTEL_SDK_DISABLED: "FALSE" }).tracing).toBeDefined();
  });

  test("has no traces with OTEL_TRACES_EXPORTER=none", () => {
    expect(read({ ...ENDPOINT, OTEL_TRACES_EXPORTER: "none" }).tracing).toBeUndefined();
  });

  test("propagates nothing without tracecontext", () => {
    const propagates = (OTEL_PROPAGATORS: string) =>
      read({ ...ENDPOINT, OTEL_PROPAGATORS }).tracing?.propagates;

    expect(["none", "b3", "tracecontext,baggage"].map(propagates)).toEqual([false, false, true]);
  });

  test.each(["0", "0.25", ".5", "1", "1.0"])("takes %s as a share of traces", (ratio) => {
    const tracing = read({ ...ENDPOINT, OTEL_TRACES_SAMPLER_ARG: ratio }).tracing;

    expect(tracing?.ratio).toBe(Number(ratio));
  });
});

describe("the warnings", () => {
  test("name a mistyped variable of OpenTelemetry, and none that Janus leaves to others", () => {
    const warnings = warningsOf({
      OTEL_SERVICE_NAM: "x",
      OTEL_LOG_LEVEL: "debug",
      OTEL_METRICS_EXPORTER: "otlp",
    });

    expect(warnings.filter((warning) => warning.includes("OTEL_"))).toEqual([
      "OTEL_SERVICE_NAM is not read: did you mean OTEL_SERVICE_NAME?",
    ]);
  });

  test("say that METRICS_HOST alone switches nothing on", () => {
    expect(warningsOf({ METRICS_HOST: "10.0.0.1" }).join("\n")).toContain("METRICS_PORT");
    expect(warningsOf({ METRICS_HOST: "10.0.0.1", METRICS_PORT: "9464" }).join("\n")).not.toContain(
      "METRICS_",
    );
  });

  test("say that everybody can read metrics on all addresses", () => {
    const warnings = warningsOf({ METRICS_HOST: "0.0.0.0", METRICS_PORT: "9464" });

    expect(warnings.join("\n")).toContain("METRICS_HOST");
  });

  test("say that the collector's secret goes unencrypted, without the secret", () => {
    const secret = { OTEL_EXPORTER_OTLP_HEADERS: "authorization=canary-of-the-collector" };

    const warnings = warningsOf({ ...ENDPOINT, ...secret }).join("\n");

    expect(warnings).toContain("OTEL_EXPORTER_OTLP_HEADERS");
    expect(warnings).not.toContain("canary");
    expect(
      warningsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318", ...secret }).join("\n"),
    ).not.toContain("OTEL_");
  });
});
