/**
 * What watches the program at work beside the log: metrics and traces. Both are off by default, and then nothing of them is
 * loaded: each is imported when it is switched on. docs/metrics.md, docs/traces.md, docs/decisions/0052
 */
import type { MetricsSettings, TracingSettings } from "../config/telemetry_settings.ts";
import type { Metrics } from "./metrics.ts";
import type { TraceFault, Tracer } from "./spans.ts";

/** Each is undefined where it is off, so that the work it would watch costs nothing more. */
export type Instruments = {
  readonly metrics: Metrics | undefined;
  readonly tracer: Tracer | undefined;
};

/** Watches nothing. */
export const NO_INSTRUMENTS: Instruments = { metrics: undefined, tracer: undefined };

/** Loads what is switched on. `onFault` learns of spans that the collector did not take. */
export async function openInstruments(
  config: {
    readonly metrics: MetricsSettings | undefined;
    readonly tracing: TracingSettings | undefined;
  },
  version: string,
  onFault: (fault: TraceFault) => void,
): Promise<Instruments> {
  const { metrics, tracing } = config;
  return {
    metrics: metrics === undefined ? undefined : (await import("./prometheus.ts")).createMetrics(version),
    tracer:
      tracing === undefined
        ? undefined
        : await (await import("./opentelemetry.ts")).createTracer(tracing, version, onFault),
  };
}
