/**
 * Where metrics are read, and where traces go. Both are off by default. The names of the traces' variables, their forms and
 * their defaults are OpenTelemetry's. https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
import * as v from "valibot";
import { listenHost } from "./listen_host.ts";

/** Where metrics are read. */
export type MetricsSettings = {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
};

/** Where traces go, and which. */
export type TracingSettings = {
  /** The whole URL, such as http://127.0.0.1:4318/v1/traces. */
  readonly url: string;
  readonly protocol: "http/protobuf" | "http/json";
  /** Sent with every batch. They may be secret. */
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly serviceName: string;
  /** What else is said of this process. */
  readonly resource: Readonly<Record<string, string>>;
  readonly sampler: (typeof SAMPLERS)[number];
  /** The share of traces that a sampler by ratio takes. */
  readonly ratio: number;
  /** Whether `traceparent` is taken from requests, and sent to other servers. */
  readonly propagates: boolean;
};

/** The samplers of the specification. */
export const SAMPLERS = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
] as const;

const PROPAGATORS = ["tracecontext", "baggage", "b3", "b3multi", "jaeger", "xray", "ottrace", "none"];
const MOST_PAIRS = 64;
const MOST_LENGTH = 8_192;
const PORT_FORM = "must be a whole number from 0 to 65535";
const TIMEOUT_FORM = "must be a whole number of milliseconds from 1 to 600000";
const RATIO_FORM = "must be a number from 0 to 1";
/** A field name of RFC 9110 5.1, and a value without control characters. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HEADER_VALUE = /^[\x20-\x7e]*$/;

/** The URL of a collector. Collectors within a cluster have no certificate, so http will do. */
const collectorUrl = v.pipe(
  v.string(),
  v.check((text) => {
    const url = URL.parse(text);
    return url !== null && /^https?:$/.test(url.protocol);
  }, "must be a URL by http or https"),
  v.check((text) => {
    const url = URL.parse(text);
    return url !== null && url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  }, "must have no user, query or fragment"),
);

const pairs = v.pipe(
  v.string(),
  v.maxLength(MOST_LENGTH, `must have at most ${MOST_LENGTH} characters`),
  v.transform(readPairs),
  v.check((read) => read !== undefined, "must be name=value[,…], each value percent-encoded"),
  v.transform((read) => read ?? {}),
);

const headers = v.pipe(
  pairs,
  v.check(
    (read) =>
      Object.entries(read).every(([name, value]) => HEADER_NAME.test(name) && HEADER_VALUE.test(value)),
    "contains an invalid header",
  ),
);

const number = (form: RegExp, least: number, most: number, message: string) =>
  v.pipe(
    v.string(),
    v.regex(form, message),
    v.transform(Number),
    v.check((n) => n >= least && n <= most, message),
  );

const boolean = v.pipe(
  v.string(),
  v.regex(/^(true|false)$/i, "must be true or false"),
  v.transform((text) => text.toLowerCase() === "true"),
);

const propagators = v.pipe(
  v.string(),
  v.transform((text) => text.split(",").map((part) => part.trim())),
  v.check((list) => list.every((name) => PROPAGATORS.includes(name)), `must be of ${PROPAGATORS.join(", ")}`),
);

/** The schemas of the variables. */
export const TELEMETRY_SCHEMAS = {
  METRICS_PORT: v.optional(number(/^[0-9]{1,5}$/, 0, 65_535, PORT_FORM)),
  METRICS_HOST: v.optional(listenHost, "127.0.0.1"),
  OTEL_SDK_DISABLED: v.optional(boolean, "false"),
  OTEL_TRACES_EXPORTER: v.optional(v.picklist(["otlp", "none"], "must be otlp or none"), "otlp"),
  OTEL_EXPORTER_OTLP_ENDPOINT: v.optional(collectorUrl),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: v.optional(collectorUrl),
  OTEL_EXPORTER_OTLP_PROTOCOL: v.optional(
    v.picklist(["http/protobuf", "http/json"], "must be http/protobuf or http/json"),
    "http/protobuf",
  ),
  OTEL_EXPORTER_OTLP_HEADERS: v.optional(headers),
  OTEL_EXPORTER_OTLP_TIMEOUT: v.optional(number(/^[0-9]{1,6}$/, 1, 600_000, TIMEOUT_FORM), "10000"),
  OTEL_SERVICE_NAME: v.optional(
    v.pipe(v.string(), v.regex(/^[^\p{Cc}]{1,255}$/u, "must have 1 to 255 characters")),
    "janus",
  ),
  OTEL_RESOURCE_ATTRIBUTES: v.optional(pairs),
  OTEL_TRACES_SAMPLER: v.optional(
    v.picklist(SAMPLERS, `must be one of ${SAMPLERS.join(", ")}`),
    "parentbased_always_on",
  ),
  OTEL_TRACES_SAMPLER_ARG: v.optional(number(/^(0|1|[01]?\.[0-9]{1,20}|1\.0*)$/, 0, 1, RATIO_FORM), "1"),
  OTEL_PROPAGATORS: v.optional(propagators, "tracecontext"),
};

/** What to do about a fault. */
export const TELEMETRY_FIXES = {
  METRICS_PORT: "the port on which Prometheus reads the metrics, such as 9464; leave it out for no metrics",
  METRICS_HOST: "127.0.0.1, or an address that only your Prometheus can reach",
  OTEL_SDK_DISABLED: "true for no traces, otherwise leave it out",
  OTEL_TRACES_EXPORTER: "none for no traces, otherwise leave it out: Janus has no other exporter than otlp",
  OTEL_EXPORTER_OTLP_ENDPOINT: "the collector's URL for OTLP over HTTP, such as http://127.0.0.1:4318",
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "the whole URL for traces, such as http://127.0.0.1:4318/v1/traces",
  OTEL_EXPORTER_OTLP_PROTOCOL:
    "Janus sends OTLP over HTTP, which collectors take at port 4318; it has no grpc",
  OTEL_EXPORTER_OTLP_HEADERS: "name=value pairs with commas between, such as authorization=Bearer%20token",
  OTEL_EXPORTER_OTLP_TIMEOUT: "milliseconds, such as 10000",
  OTEL_SERVICE_NAME: "the name under which your traces show this Janus, such as janus",
  OTEL_RESOURCE_ATTRIBUTES:
    "name=value pairs with commas between, such as deployment.environment.name=production",
  OTEL_TRACES_SAMPLER: "such as parentbased_traceidratio, or leave it out for all traces",
  OTEL_TRACES_SAMPLER_ARG: "the share of traces that a sampler by ratio takes, such as 0.1",
  OTEL_PROPAGATORS: "tracecontext, or none to take and send no traceparent",
} as const;

type Values = v.InferOutput<v.ObjectSchema<typeof TELEMETRY_SCHEMAS, undefined>>;

/** Where metrics are read; undefined where they are off. */
export const metricsOf = ({ METRICS_PORT: port, METRICS_HOST: host }: Values): MetricsSettings | undefined =>
  port === undefined ? undefined : { host, port };

/** Where traces go; undefined where there are none. */
export function tracingOf(values: Values): TracingSettings | undefined {
  const base = values.OTEL_EXPORTER_OTLP_ENDPOINT;
  const url =
    values.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ??
    (base === undefined ? undefined : `${base.replace(/\/*$/, "")}/v1/traces`);
  const isOff = values.OTEL_SDK_DISABLED || values.OTEL_TRACES_EXPORTER === "none";
  if (url === undefined || isOff) return undefined;
  return {
    url,
    protocol: values.OTEL_EXPORTER_OTLP_PROTOCOL,
    headers: values.OTEL_EXPORTER_OTLP_HEADERS ?? {},
    timeoutMs: values.OTEL_EXPORTER_OTLP_TIMEOUT,
    serviceName: values.OTEL_SERVICE_NAME,
    resource: values.OTEL_RESOURCE_ATTRIBUTES ?? {},
    sampler: values.OTEL_TRACES_SAMPLER,
    ratio: values.OTEL_TRACES_SAMPLER_ARG,
    propagates: values.OTEL_PROPAGATORS.includes("tracecontext"),
  };
}

/** `name=value` pairs with commas between, as W3C Baggage has them: undefined if they are malformed. */
function readPairs(text: string): Readonly<Record<string, string>> | undefined {
  const parts = text.split(",").filter((part) => part.trim() !== "");
  if (parts.length > MOST_PAIRS) return undefined;
  const read = new Map<string, string>();
  for (const part of parts) {
    const [, name = "", value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(part) ?? [];
    const decoded = value === undefined ? undefined : decode(value);
    if (name === "" || decoded === undefined) return undefined;
    read.set(name, decoded);
  }
  return Object.fromEntries(read);
}

function decode(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    // Not percent-encoded, which is the answer.
    return undefined;
  }
}
