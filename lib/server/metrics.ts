/**
 * The listener that Prometheus reads. It has an address of its own, since what it tells is not for members. It answers
 * also while the database does not, without the figures of the database. docs/metrics.md
 *
 *   GET /metrics
 */
import { inBrackets } from "../config/listen_host.ts";
import type { MetricsSettings } from "../config/telemetry_settings.ts";
import type { Shared } from "../deps.ts";
import { addressInUse } from "../errors.ts";
import { createFigures } from "../operator/figures.ts";
import { describeCause } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { addressOf } from "./listener.ts";

/** At work. */
export type MetricsListener = {
  /** Such as http://127.0.0.1:9464/metrics. */
  readonly address: string;
  readonly stop: () => Promise<void>;
};

/** Prometheus gives up after ten seconds, unless it is told otherwise. */
const IDLE_TIMEOUT_SECONDS = 20;
/** Nobody sends a body here. */
const MAX_BODY_BYTES = 1_024;

/** Listens on METRICS_HOST and METRICS_PORT; undefined where metrics are off. Throws address_in_use. */
export function listenForMetrics(
  settings: MetricsSettings | undefined,
  shared: Shared,
): MetricsListener | undefined {
  const { metrics } = shared.instruments;
  if (settings === undefined || metrics === undefined) return undefined;
  const server = serve(settings, createAnswer(shared, metrics));
  const address = `${addressOf(server)}/metrics`;
  shared.log.info("metrics_listening", { address });
  return { address, stop: () => server.stop(true) };
}

type AnswerMetrics = (request: Request) => Promise<Response>;

function createAnswer(shared: Shared, metrics: Metrics): AnswerMetrics {
  const { db } = shared;
  const readFigures = createFigures(shared);
  return async ({ method, url }) => {
    if (URL.parse(url)?.pathname !== "/metrics") return say(404, "The metrics are at /metrics.\n");
    if (method !== "GET" && method !== "HEAD") return say(405, "Only GET.\n", { allow: "GET, HEAD" });
    const figures = await readFigures();
    const { counts: connections, certificateExpiresAt } = db.inspectConnections?.() ?? {};
    const text = await metrics.render({ figures, connections, certificateExpiresAt });
    return say(200, text, { "content-type": metrics.contentType, "cache-control": "no-store" });
  };
}

const say = (status: number, text: string, headers: Readonly<Record<string, string>> = {}): Response =>
  new Response(text, { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers } });

function serve({ host, port }: MetricsSettings, fetch: AnswerMetrics): Bun.Server<undefined> {
  try {
    return Bun.serve({
      hostname: host,
      port,
      fetch,
      maxRequestBodySize: MAX_BODY_BYTES,
      idleTimeout: IDLE_TIMEOUT_SECONDS,
      development: false,
      reusePort: false,
    });
  } catch (error) {
    const { causeCode = "no code" } = describeCause(error);
    throw addressInUse(
      `Cannot listen on ${inBrackets(host)}:${port} (${causeCode}): set METRICS_HOST and METRICS_PORT to an address of this machine that is free.`,
      error,
    );
  }
}
