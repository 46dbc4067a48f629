/** Metrics and traces of a server that runs as a process: from its variables to what it sends before it ends. */
import { beforeAll, describe, expect, test } from "bun:test";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { provideBinary } from "../fixtures/binary.ts";
import { startCollector } from "../fixtures/collector.ts";
import type { Entry } from "../fixtures/command.ts";
import { run, serve } from "../fixtures/command.ts";
import { readMetrics } from "../fixtures/metrics.ts";
import { ROOT } from "../fixtures/source.ts";
import { useFolder } from "../harness/hooks.ts";
import { environmentFor } from "../harness/janus.ts";
import { NOBODY } from "../harness/ports.ts";

const folder = useFolder("telemetry");
const NOWHERE = `http://${NOBODY}`;
const SECRET = "canary-of-the-collector";

let binary: Entry;
beforeAll(async () => {
  binary = [(await provideBinary()).path];
});

/** Of a server on a free port, whose other servers are not there. */
const environmentIn = (name: string): Record<string, string> => ({
  ...environmentFor(
    NOWHERE,
    { apiUrl: NOWHERE, authorizeUrl: `${NOWHERE}/authorize`, cdnUrl: NOWHERE },
    NOWHERE,
  ),
  PORT: "0",
  DATA_DIR: join(folder, name),
  LOG_FORMAT: "json",
});

const addressOf = (lines: readonly string[]): string =>
  /"address":"([^"]+)","event":"metrics_listening"/.exec(lines.join("\n"))?.[1] ?? "";

describe("janus serve", () => {
  test.each(["the checkout", "the binary"] as const)("of %s tells metrics and sends traces", async (what) => {
    const collector = startCollector();
    const headers = join(folder, `headers of ${what}`);
    await Bun.write(headers, `authorization=Bearer%20${SECRET}\n`);
    await chmod(headers, 0o600);
    const janus = await serve(
      folder,
      {
        ...environmentIn(what),
        METRICS_PORT: "0",
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
        OTEL_EXPORTER_OTLP_HEADERS_FILE: headers,
        OTEL_SERVICE_NAME: "janus of a test",
      },
      what === "the binary" ? { entry: binary } : {},
    );

    await janus.get("/about");
    const metrics = await readMetrics({ metricsUrl: addressOf(janus.lines) });
    const { exitCode, stdout } = await janus.stop();

    expect(exitCode).toBe(0);
    expect(metrics.valueOf("janus_http_requests_total", { route: "/about", status: "200" })).toBe(1);
    // What was not sent yet is sent at the stop.
    expect(collector.spans().map(({ name }) => name)).toContain("GET /about");
    expect(collector.resource()).toMatchObject({ "service.name": "janus of a test" });
    expect(collector.requests[0]?.headers.get("authorization")).toBe(`Bearer ${SECRET}`);
    expect(stdout).not.toContain(SECRET);
    await collector.stop();
  });

  test("ends in good order when the collector is gone", async () => {
    const janus = await serve(folder, { ...environmentIn("gone"), OTEL_EXPORTER_OTLP_ENDPOINT: NOWHERE });

    await janus.get("/about");
    const { exitCode } = await janus.stop();

    expect(exitCode).toBe(0);
  });

  test("takes the variables of traces from an env file", async () => {
    const collector = startCollector();
    const file = join(folder, "traces.env");
    await Bun.write(file, `OTEL_EXPORTER_OTLP_ENDPOINT=${collector.url}\nOTEL_SERVICE_NAME=from-a-file\n`);

    const { exitCode, stdout } = await run(
      folder,
      "index.ts",
      ["config", "check", "--env-file", file],
      environmentIn("file"),
    );

    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/OTEL_SERVICE_NAME\s+from-a-file/);
    await collector.stop();
  });
});

test("nothing of metrics and traces is loaded where both are off", async () => {
  const script = `
    await import(${JSON.stringify(join(ROOT, "index.ts"))});
    const { openInstruments } = await import(${JSON.stringify(join(ROOT, "lib/telemetry/instruments.ts"))});
    const loaded = () => Object.keys(require.cache).filter((path) => /opentelemetry|prom-client|prometheus/.test(path));
    await openInstruments({ metrics: undefined, tracing: undefined }, "1", () => undefined);
    const off = loaded().length;
    await openInstruments({ metrics: { host: "127.0.0.1", port: 0 }, tracing: undefined }, "1", () => undefined);
    console.log(JSON.stringify({ all: Object.keys(require.cache).length > 100, off, on: loaded().length > 0 }));
    process.exit();`;

  const child = Bun.spawn([process.execPath, "-e", script], { cwd: folder, stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);

  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual({ all: true, off: 0, on: true });
});
