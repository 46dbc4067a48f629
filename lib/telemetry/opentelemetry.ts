/**
 * Makes spans, and sends them to the collector by OTLP over HTTP. It is imported only where there are traces. The span under
 * way follows the work by `AsyncLocalStorage`, so nothing is registered for the whole process, and no package is
 * instrumented behind our back. docs/traces.md, docs/decisions/0052
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Context } from "@opentelemetry/api";
import {
  SpanKind as Kinds,
  ROOT_CONTEXT,
  SpanStatusCode,
  TraceFlags,
  trace as traceOf,
} from "@opentelemetry/api";
import type { ExportResult } from "@opentelemetry/core";
import { ExportResultCode, parseTraceParent } from "@opentelemetry/core";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { Sampler, SpanExporter } from "@opentelemetry/sdk-trace";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { TracingSettings } from "../config/telemetry_settings.ts";
import { asJanusError } from "../errors.ts";
import { settlesWithin, startStopwatch } from "../time.ts";
import type { Attributes, Span, TraceFault, Tracer } from "./spans.ts";

const KINDS = {
  server: Kinds.SERVER,
  client: Kinds.CLIENT,
  internal: Kinds.INTERNAL,
  duty: Kinds.INTERNAL,
} as const;
/** Version 00 has 55 characters. A later one may have more, which nobody needs. W3C Trace Context 3.2 */
const MOST_TRACEPARENT_LENGTH = 256;
/** The stop of the process waits no longer for the collector. */
const END_MS = 2_000;
const TELL_EVERY_MS = 60_000;

/** Makes the tracer of this process. Nothing is sent before the first span ends. */
export async function createTracer(
  settings: TracingSettings,
  version: string,
  onFault: (fault: TraceFault) => void,
): Promise<Tracer> {
  const { resource, serviceName, propagates } = settings;
  const provider = new TracerProvider({
    sampler: samplerOf(settings),
    // What the operator names by OTEL_SERVICE_NAME wins, as the specification says.
    resource: resourceFromAttributes({
      "service.version": version,
      ...resource,
      "service.name": serviceName,
    }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: tellFaults(await createExporter(settings), onFault),
        exportTimeoutMillis: settings.timeoutMs,
      }),
    ],
  });
  const tracer = provider.getTracer("janus", version);
  const contexts = new AsyncLocalStorage<Context>();
  const current = () => {
    const context = contexts.getStore();
    return context === undefined ? undefined : traceOf.getSpanContext(context);
  };

  return {
    trace: async (kind, name, attributes, work, traceparent = null) => {
      const within = kind === "duty" ? undefined : contexts.getStore();
      const around = within ?? remoteContext(propagates ? traceparent : null);
      const own = tracer.startSpan(name, { kind: KINDS[kind], attributes: { ...attributes } }, around);
      const span = watch(own);
      try {
        return await contexts.run(traceOf.setSpan(around, own), () => work(span));
      } catch (error) {
        span.fail(asJanusError(error).code);
        throw error;
      } finally {
        own.end();
      }
    },
    traceId: () => current()?.traceId,
    traceparent: () => {
      const context = current();
      if (context === undefined || !propagates) return undefined;
      const isSampled = (context.traceFlags & TraceFlags.SAMPLED) !== 0;
      return `00-${context.traceId}-${context.spanId}-${isSampled ? "01" : "00"}`;
    },
    end: async () => void (await settlesWithin(provider.shutdown(), END_MS)),
  };
}

type OwnSpan = ReturnType<ReturnType<TracerProvider["getTracer"]>["startSpan"]>;

const watch = (own: OwnSpan): Span => ({
  add: (attributes: Attributes) => void own.setAttributes({ ...attributes }),
  fail: (code) => {
    own.setAttribute("error.type", code);
    own.setStatus({ code: SpanStatusCode.ERROR });
  },
});

/** The span that a caller outside names. Anything malformed counts as absent. W3C Trace Context 3.2.2.3 */
function remoteContext(traceparent: string | null): Context {
  if (traceparent === null || traceparent.length > MOST_TRACEPARENT_LENGTH) return ROOT_CONTEXT;
  const parent = parseTraceParent(traceparent);
  if (parent === null) return ROOT_CONTEXT;
  return traceOf.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true });
}

function samplerOf({ sampler, ratio }: TracingSettings): Sampler {
  const [, isParentBased, name] = /^(parentbased_)?(.*)$/.exec(sampler) ?? [];
  const root = rootSamplerOf(name ?? "", ratio);
  return isParentBased === undefined ? root : new ParentBasedSampler({ root });
}

function rootSamplerOf(name: string, ratio: number): Sampler {
  if (name === "always_off") return new AlwaysOffSampler();
  return name === "traceidratio" ? new TraceIdRatioBasedSampler(ratio) : new AlwaysOnSampler();
}

async function createExporter(settings: TracingSettings): Promise<SpanExporter> {
  const { protocol, url, timeoutMs: timeoutMillis } = settings;
  const options = { url, timeoutMillis, headers: { ...settings.headers } };
  // Only the one that is used is loaded.
  if (protocol === "http/json")
    return new (await import("@opentelemetry/exporter-trace-otlp-http")).OTLPTraceExporter(options);
  return new (await import("@opentelemetry/exporter-trace-otlp-proto")).OTLPTraceExporter(options);
}

/**
 * The same exporter. It tells of what the collector did not take, once a minute at most, and without the answer's text: that
 * may be anything.
 */
function tellFaults(exporter: SpanExporter, onFault: (fault: TraceFault) => void): SpanExporter {
  let lost = 0;
  let sinceTold = (): number => Number.POSITIVE_INFINITY;
  const lose = (count: number, error: ExportResult["error"]): void => {
    lost += count;
    if (sinceTold() < TELL_EVERY_MS) return;
    onFault({ count: lost, causeCode: codeOf(error) });
    lost = 0;
    sinceTold = startStopwatch();
  };
  return {
    export: (spans, onResult) =>
      exporter.export(spans, (result) => {
        if (result.code !== ExportResultCode.SUCCESS) lose(spans.length, result.error);
        onResult(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}

/** The status of an answer, or the system's code. */
function codeOf(error: ExportResult["error"]): string | undefined {
  const code: unknown = error === undefined ? undefined : Reflect.get(error, "code");
  return typeof code === "string" || typeof code === "number" ? String(code) : undefined;
}
