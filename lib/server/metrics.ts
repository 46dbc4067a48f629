/**
 * The listener that Prometheus reads. It has an address of its own, since what it tells is not for members. It answers
 * also while the database does not, without the figures of the database. docs/metrics.md
 *
 *   GET /metrics
 */

import { isLoopbackAddress } from "../config/secure_address.ts";
import type { MetricsSettings } from "../config/telemetry_settings.ts";
import type { Shared } from "../deps.ts";
import { createFigures } from "../operator/figures.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { addressOf, listenOn } from "./listener.ts";

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
  const server = listenOn(
    {
      hostname: settings.host,
      port: settings.port,
      maxRequestBodySize: MAX_BODY_BYTES,
      idleTimeout: IDLE_TIMEOUT_SECONDS,
      variables: "METRICS_HOST and METRICS_PORT",
    },
    createAnswer(shared, metrics, settings.host),
  );
  const address = `${addressOf(server)}/metrics`;
  shared.log.info("metrics_listening", { address });
  return { address, stop: () => server.stop(true) };
}

type AnswerMetrics = (request: Request) => Promise<Response>;

function createAnswer(shared: Shared, metrics: Metrics, listenHost: string): AnswerMetrics {
  const { db } = shared;
  const readFigures = createFigures(shared);
  const isOnLoopback = isLoopbackAddress(listenHost);
  return async ({ method, url, headers }) => {
    if (isOnLoopback && !isForLoopback(headers.get("host")))
      return say(421, "The metrics are at localhost only.\n");
    if (URL.parse(url)?.pathname !== "/metrics") return say(404, "The metrics are at /metrics.\n");
    if (method !== "GET" && method !== "HEAD") return say(405, "Only GET.\n", { allow: "GET, HEAD" });
    const figures = await readFigures();
    const { counts: connections, certificateExpiresAt } = db.inspectConnections?.() ?? {};
    const text = await metrics.render({ figures, connections, certificateExpiresAt });
    return say(200, text, { "content-type": metrics.contentType, "cache-control": "no-store" });
  };
}

/**
 * A page in a browser of this machine can ask whatever this machine reaches, and its own name can lead here: DNS rebinding.
 * Its browser sends that name. A request without Host is of no browser. On other addresses Prometheus may use any name.
 */
function isForLoopback(host: string | null): boolean {
  if (host === null) return true;
  const name = URL.parse(`http://${host}`)?.hostname.replace(/^\[(.*)\]$/, "$1");
  return name === "localhost" || isLoopbackAddress(name ?? "");
}

const say = (status: number, text: string, headers: Readonly<Record<string, string>> = {}): Response =>
  new Response(text, { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers } });
