/**
 * Keeps the metrics, and renders them for Prometheus. It is imported only where metrics are on. `prom-client` does the
 * counting; OpenTelemetry's exporter was slower, and larger. docs/decisions/0052
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { COUNTED_FROM_START, EVENT_METRICS, findCounted } from "./counted_events.ts";
import type { Metrics, Reading } from "./metrics.ts";
import { nameMethod } from "./metrics.ts";

/** From a page that needs no database to a request that waits for several calls. */
const REQUEST_BUCKETS_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** From a call within a cluster to the longest deadline. */
const CALL_BUCKETS_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const MS = 1_000;

/** What `prom-client` measures by itself and Bun tells truly. The rest is about Node.js. */
const OF_PROCESS =
  /^(process_(cpu_(user_|system_)?seconds_total|start_time_seconds|resident_memory_bytes|(open|max)_fds)|nodejs_eventloop_lag_((mean|p50|p90|p99|max)_)?seconds)$/;

/** Makes the metrics of this process. */
export function createMetrics(version: string): Metrics {
  const registry = new Registry();
  const registers = [registry];
  measureProcess(registry);
  new Gauge({ name: "janus_build_info", help: "The release.", labelNames: ["version"], registers }).set(
    { version },
    1,
  );
  const requests = new Counter({
    name: "janus_http_requests_total",
    help: "Requests that were answered.",
    labelNames: ["route", "method", "status"],
    registers,
  });
  const requestSeconds = new Histogram({
    name: "janus_http_request_duration_seconds",
    help: "How long requests took.",
    labelNames: ["route"],
    buckets: REQUEST_BUCKETS_SECONDS,
    registers,
  });
  const calls = new Counter({
    name: "janus_upstream_requests_total",
    help: "Calls to other servers that have ended.",
    labelNames: ["upstream", "operation", "outcome"],
    registers,
  });
  const callSeconds = new Histogram({
    name: "janus_upstream_request_duration_seconds",
    help: "How long calls to other servers took.",
    labelNames: ["upstream", "operation"],
    buckets: CALL_BUCKETS_SECONDS,
    registers,
  });
  const counters = createEventCounters(registry);
  const gauges = createGauges(registry);
  return {
    contentType: registry.contentType,
    countRequest: (route, method, status, seconds) => {
      requests.inc({ route, method: nameMethod(method), status });
      requestSeconds.observe({ route }, seconds);
    },
    countCall: (upstream, operation, outcome, seconds) => {
      calls.inc({ upstream, operation, outcome });
      callSeconds.observe({ upstream, operation }, seconds);
    },
    countEvent: (event, fields) => {
      for (const { metric, labels } of findCounted(event, fields)) counters.get(metric)?.inc({ ...labels });
    },
    render: (reading) => {
      gauges.set(reading);
      return registry.metrics();
    },
  };
}

/** The metrics of the process and of the event loop. */
function measureProcess(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  for (const { name } of registry.getMetricsAsArray())
    if (!OF_PROCESS.test(name)) registry.removeSingleMetric(name);
}

function createEventCounters(registry: Registry): ReadonlyMap<string, Counter> {
  const counters = new Map<string, Counter>();
  for (const [name, { help, labels }] of Object.entries(EVENT_METRICS))
    counters.set(name, new Counter({ name, help, labelNames: [...labels], registers: [registry] }));
  for (const { metric, labels } of COUNTED_FROM_START) counters.get(metric)?.inc({ ...labels }, 0);
  return counters;
}

/** What is known only when somebody asks. A gauge without a value is absent: unknown is not nought. */
function createGauges(registry: Registry) {
  const gauge = (name: string, help: string, labelNames: readonly string[] = []): Gauge =>
    new Gauge({ name, help, labelNames: [...labelNames], registers: [registry] });
  const links = gauge("janus_links", "Links by their state.", ["state"]);
  const pushesDue = gauge("janus_pushes_due", "Links whose role connection is due to be told.");
  const oldestPush = gauge("janus_oldest_push_due_seconds", "For how long the oldest of these is due.");
  const checksDue = gauge("janus_checks_due", "Links whose claims are due to be read again.");
  const oldestCheck = gauge("janus_oldest_check_due_seconds", "For how long the oldest of these is due.");
  const lossesHeld = gauge("janus_losses_held", "Losses that the brake holds.");
  const brake = gauge("janus_brake_engaged", "1 while the brake holds losses, otherwise 0.");
  const connections = gauge("janus_database_connections", "Connections to the database, and who waits.", [
    "state",
  ]);
  const certificate = gauge(
    "janus_database_certificate_expires_timestamp_seconds",
    "When the certificate of the database expires.",
  );
  const plain = [pushesDue, oldestPush, checksDue, oldestCheck, lossesHeld, brake, certificate];

  return {
    set: ({ figures, connections: counted, certificateExpiresAt }: Reading): void => {
      // A reset would leave nought in those without labels.
      for (const each of plain) each.remove();
      for (const each of [links, connections]) each.reset();
      for (const [state, count] of Object.entries(counted ?? {})) connections.set({ state }, count);
      if (certificateExpiresAt !== undefined) certificate.set(certificateExpiresAt.getTime() / MS);
      if (figures === undefined) return;
      for (const [state, count] of Object.entries(figures.links)) links.set({ state }, count);
      pushesDue.set(figures.pushesDue);
      oldestPush.set(figures.oldestPushDueSeconds);
      checksDue.set(figures.checksDue);
      oldestCheck.set(figures.oldestCheckDueSeconds);
      lossesHeld.set(figures.lossesHeld);
      brake.set(figures.lossesHeld > 0 ? 1 : 0);
    },
  };
}
