/** Traces: a whole flow under one trace, with nothing of a person in it, and nothing at all where there are none. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { readConfig } from "../../lib/config/load.ts";
import type { TracingSettings } from "../../lib/config/telemetry_settings.ts";
import { STATEMENTS } from "../../lib/database/queries.ts";
import { flowExpired } from "../../lib/errors.ts";
import { createTracer } from "../../lib/telemetry/opentelemetry.ts";
import type { TraceFault } from "../../lib/telemetry/spans.ts";
import type { ReceivedSpan } from "../fixtures/collector.ts";
import { startCollector } from "../fixtures/collector.ts";
import { useForEach } from "../harness/hooks.ts";
import { CANARY, environmentFor, startJanusWithForger } from "../harness/janus.ts";
import { rejection } from "../harness/rejection.ts";
import { keepUp } from "../harness/upkeep.ts";
import { newUser } from "../harness/walk.ts";
import { createJar, visit } from "../standins/member.ts";

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const TRACEPARENT = `00-${TRACE_ID}-b7ad6b7169203331-01`;
const SERVER = 2;

const collector = useForEach(
  async () => startCollector(),
  ({ stop }) => stop(),
);

/** What Janus sent to other servers. */
type Sent = { readonly url: string; readonly headers: Headers };

/** A Janus with traces; what it sent, and its spans once it has stopped. */
async function startTraced(environment: Readonly<Record<string, string>> = {}) {
  const sent: Sent[] = [];
  const janus = await startJanusWithForger({
    forger: { freshSubjects: true },
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      ...environment,
    },
    fetch: (address, init) => {
      sent.push({ url: address, headers: new Headers(init.headers) });
      return fetch(address, init);
    },
  });
  return { janus, sent };
}

type Traced = Awaited<ReturnType<typeof startTraced>>["janus"];

/** The flow of a member whose browser, or whose proxy, sends a `traceparent`. */
async function walkTraced({ url }: Traced, discordUserId: string, traceparent?: string): Promise<Response> {
  const jar = createJar();
  const headers = traceparent === undefined ? {} : { traceparent };
  const get = async (address: string): Promise<Response> => {
    const cookie = jar.header(new URL(address));
    const response = await fetch(address, { redirect: "manual", headers: { ...headers, cookie } });
    jar.keep(new URL(address), response);
    return response;
  };
  const atDiscord = (await get(`${url}/linked-role`)).headers.get("location") ?? "";
  const callback = (await visit(atDiscord, createJar(), { user_id: discordUserId })).headers.get("location");
  const atProvider = (await get(callback ?? "")).headers.get("location") ?? "";
  const back = await fetch(atProvider, { redirect: "manual" });
  return get(back.headers.get("location") ?? "");
}

const named = (spans: readonly ReceivedSpan[], name: string): ReceivedSpan | undefined =>
  spans.find((span) => span.name === name);

describe("a flow with traces", () => {
  test("is one trace of requests, steps, statements and the calls to four endpoints", async () => {
    const { janus, sent } = await startTraced();
    await walkTraced(janus, newUser(), TRACEPARENT);
    await janus.stop();

    const spans = collector.spans().filter(({ traceId }) => traceId === TRACE_ID);
    const names = spans.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        "GET /linked-role",
        "GET /discord-oauth-callback",
        "step discord",
        "discord token_code",
        "discord get_current_authorization",
        "finishDiscordLeg",
        "GET /dsek-oauth-callback",
        "step provider",
        "provider token_code",
        "finishProviderLeg",
        "discord put_role_connection",
      ]),
    );
    for (const { name, parentSpanId } of spans)
      expect({ name, isKnown: isIn(spans, parentSpanId) }).toEqual({ name, isKnown: true });
    const step = named(spans, "step provider");
    expect(step?.attributes).toEqual({ "janus.step": "provider", "janus.outcome": "linked" });
    expect(named(spans, "finishProviderLeg")?.parentSpanId).toBe(step?.spanId ?? "none");
    expect(step?.parentSpanId).toBe(named(spans, "GET /dsek-oauth-callback")?.spanId ?? "none");
    // Each call tells the other server which span it is.
    const push = named(spans, "discord put_role_connection");
    const header = sent.find(({ url }) => url.includes("role-connection"))?.headers.get("traceparent");
    expect(header).toBe(`00-${TRACE_ID}-${push?.spanId}-01`);
    expect(collector.resource()).toMatchObject({ "service.name": "janus", "service.version": "0.0.0-test" });
  });

  test("has the id of its trace in each of its log lines", async () => {
    const { janus } = await startTraced();
    const before = janus.logLines.length;
    await walkTraced(janus, newUser(), TRACEPARENT);
    await janus.stop();

    const lines = janus.logLines.slice(before).map((line) => JSON.parse(line) as Record<string, unknown>);
    const ofFlow = lines.filter(({ event }) => /^(request|flow_step|upstream_call)$/.test(String(event)));
    expect(ofFlow.length).toBeGreaterThan(7);
    for (const line of ofFlow) expect(line).toMatchObject({ traceId: TRACE_ID });
  });

  test("has no secret, no name and no id of a person in any attribute", async () => {
    const { janus, sent } = await startTraced();
    const user = newUser();
    await walkTraced(janus, user, TRACEPARENT);
    await walkTraced(janus, user);
    janus.provider.failNext("token", {
      status: 400,
      body: { error: "invalid_grant", error_description: "canary" },
    });
    await walkTraced(janus, user);
    await keepUp(janus, 2);
    await janus.stop();

    const text = collector.bytes().toString();
    const tokens = sent.flatMap(({ headers }) => headers.get("authorization")?.split(" ")[1] ?? []);
    expect(tokens.length).toBeGreaterThan(3);
    for (const secret of [user, ...tokens, ...Object.values(CANARY)]) expect(text).not.toContain(secret);
    expect(text).not.toMatch(/canary|Anna|\?/i);
    const values = collector.spans().flatMap(({ attributes, name }) => [name, ...Object.values(attributes)]);
    expect(values.filter((value) => /[0-9]{6,}|@/.test(String(value)))).toEqual([]);
    expect(new Set(collector.spans().flatMap(({ attributes }) => Object.keys(attributes)))).toEqual(KNOWN);
  });

  test("fails where its step fails, with the code alone", async () => {
    const { janus } = await startTraced();
    janus.provider.failNext("token", { status: 500, body: "canary" });
    await walkTraced(janus, newUser(), TRACEPARENT);
    await janus.stop();

    const failed = collector.spans().filter(({ status }) => status === 2);
    expect(named(failed, "step provider")?.attributes["error.type"]).toBe("provider_unavailable");
    expect(named(failed, "GET /dsek-oauth-callback")?.attributes).toMatchObject({
      "http.response.status_code": 503,
    });
    expect(collector.bytes().toString()).not.toContain("canary");
  });

  test("is several traces without a traceparent, each with a request at its root", async () => {
    const { janus } = await startTraced();
    await walkTraced(janus, newUser());
    await janus.stop();

    const roots = collector.spans().filter(({ parentSpanId }) => !parentSpanId);
    expect(roots.filter(({ kind }) => kind === SERVER).length).toBeGreaterThan(2);
  });

  test("tells other servers nothing with OTEL_PROPAGATORS=none, and takes no traceparent", async () => {
    const { janus, sent } = await startTraced({ OTEL_PROPAGATORS: "none" });
    await walkTraced(janus, newUser(), TRACEPARENT);
    await janus.stop();

    expect(sent.filter(({ headers }) => headers.has("traceparent"))).toEqual([]);
    expect(collector.spans().filter(({ traceId }) => traceId === TRACE_ID)).toEqual([]);
    expect(collector.spans().length).toBeGreaterThan(8);
  });

  test("is not sent where its caller has not sampled it", async () => {
    const { janus, sent } = await startTraced();
    await walkTraced(janus, newUser(), TRACEPARENT.replace(/01$/, "00"));
    await janus.stop();

    expect(collector.spans().filter(({ traceId }) => traceId === TRACE_ID)).toEqual([]);
    expect(sent.some(({ headers }) => headers.get("traceparent")?.endsWith("-00") === true)).toBe(true);
  });

  test("has a span for each duty of upkeep, around its statements", async () => {
    const { janus } = await startTraced();
    await keepUp(janus, 1);
    await janus.stop();

    const spans = collector.spans();
    const duty = named(spans, "upkeep push_due_links");
    expect(duty?.attributes).toEqual({ "janus.duty": "push_due_links" });
    expect(spans.find(({ parentSpanId }) => parentSpanId === duty?.spanId)?.name).toBe("claimPushDue");
  });

  test("has no span for probes", async () => {
    const { janus } = await startTraced();
    await fetch(`${janus.url}/healthz`, { headers: { traceparent: TRACEPARENT } });
    await janus.stop();

    expect(collector.spans()).toEqual([]);
  });
});

/** Whether a span has its parent among these, or in the browser. */
const isIn = (spans: readonly ReceivedSpan[], parentSpanId: string | undefined): boolean =>
  parentSpanId === "b7ad6b7169203331" || spans.some(({ spanId }) => spanId === parentSpanId);

/** Every attribute that a span may have. */
const KNOWN = new Set([
  ...["http.request.method", "http.route", "http.response.status_code", "server.address"],
  ...["db.system.name", "db.query.summary", "error.type"],
  ...["janus.step", "janus.outcome", "janus.upstream", "janus.operation", "janus.retries", "janus.duty"],
]);

test("a Janus without traces sends no traceparent, and writes no id of a trace", async () => {
  const sent: Headers[] = [];
  const janus = await startJanusWithForger({
    fetch: (address, init) => {
      sent.push(new Headers(init.headers));
      return fetch(address, init);
    },
  });
  await walkTraced(janus, newUser(), TRACEPARENT);
  await janus.stop();

  expect(sent.length).toBeGreaterThan(3);
  expect(sent.filter((headers) => headers.has("traceparent"))).toEqual([]);
  expect(janus.logLines.filter((line) => line.includes("traceId") || line.includes(TRACE_ID))).toEqual([]);
});

/** As the variables say. */
function settingsOf(variables: Readonly<Record<string, string>> = {}): TracingSettings {
  const none = {
    apiUrl: "http://127.0.0.1:1",
    authorizeUrl: "http://127.0.0.1:1",
    cdnUrl: "http://127.0.0.1:1",
  };
  const { tracing } = readConfig({
    ...environmentFor("http://127.0.0.1:1", none, "http://127.0.0.1:1"),
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    ...variables,
  });
  if (tracing === undefined) throw new Error("no traces");
  return tracing;
}

const ignore = (): void => undefined;

describe("createTracer()", () => {
  test("takes nothing but a valid traceparent, however long or odd it is", async () => {
    const tracer = await createTracer(settingsOf(), "1", ignore);
    const valid = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
    const odd = fc.oneof(
      fc.string({ maxLength: 100 }),
      fc.string({ minLength: 300, maxLength: 5_000 }),
      fc.stringMatching(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.{0,50})?$/),
      fc.constantFrom(
        TRACEPARENT.toUpperCase(),
        `${TRACEPARENT}-x`,
        `00-${"0".repeat(32)}-b7ad6b7169203331-01`,
      ),
    );

    await fc.assert(
      fc.asyncProperty(odd, async (traceparent) => {
        const id = await tracer.trace("server", "x", {}, () => tracer.traceId(), traceparent);

        expect(id).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
        if (id !== undefined && traceparent.includes(id)) expect(traceparent.slice(0, 2)).not.toBe("ff");
        if (traceparent.startsWith("00-") && !valid.test(traceparent))
          expect(traceparent).not.toContain(id ?? "-");
      }),
    );
    await tracer.end();
  });

  test("keeps the spans of concurrent work apart", async () => {
    const tracer = await createTracer(settingsOf(), "1", ignore);
    const work = async (): Promise<readonly (string | undefined)[]> => {
      const ids: (string | undefined)[] = [tracer.traceId()];
      for (let turn = 0; turn < 3; turn += 1) {
        await Promise.resolve();
        await tracer.trace("internal", "inner", {}, async () => void ids.push(tracer.traceId()));
      }
      return ids;
    };

    const all = await Promise.all(
      Array.from({ length: 50 }, () => tracer.trace("server", "outer", {}, work)),
    );

    expect(new Set(all.map(([id]) => id)).size).toBe(50);
    for (const ids of all) expect(new Set(ids).size).toBe(1);
    expect(tracer.traceId()).toBeUndefined();
    await tracer.end();
  });

  test("begins a trace for each duty, also within a request that has woken upkeep", async () => {
    const tracer = await createTracer(settingsOf(), "1", ignore);
    const ids = await tracer.trace("server", "request", {}, async () => [
      tracer.traceId(),
      await tracer.trace("duty", "upkeep", {}, () => tracer.traceId()),
      tracer.traceId(),
    ]);
    await tracer.end();

    expect(ids[0]).toBe(ids[2] ?? "none");
    expect(ids[0]).not.toBe(ids[1] ?? "none");
    expect(named(collector.spans(), "upkeep")?.parentSpanId).toBeFalsy();
  });

  test("sends protobuf by default, with the operator's headers, name and attributes", async () => {
    const tracer = await createTracer(
      settingsOf({
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
        OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20for-the-collector",
        OTEL_SERVICE_NAME: "roles",
        OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=blue",
      }),
      "1",
      ignore,
    );
    await tracer.trace("internal", "something", { "janus.step": "link" }, ignore);
    await tracer.end();

    const [request] = collector.requests;
    expect(request?.path).toBe("/v1/traces");
    expect(request?.headers.get("content-type")).toBe("application/x-protobuf");
    expect(request?.headers.get("authorization")).toBe("Bearer for-the-collector");
    for (const text of ["something", "roles", "deployment.environment.name", "blue"])
      expect(collector.bytes().toString("latin1")).toContain(text);
  });

  test.each([
    ["always_off", "1", 0],
    ["traceidratio", "0", 0],
    ["parentbased_traceidratio", "1", 20],
    ["always_on", "0", 20],
    ["parentbased_always_off", "1", 0],
  ] as const)("samples by %s with %s", async (sampler, ratio, expected) => {
    const tracer = await createTracer(
      settingsOf({ OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: ratio }),
      "1",
      ignore,
    );
    for (let count = 0; count < 20; count += 1) await tracer.trace("server", "x", {}, ignore);
    await tracer.end();

    expect(collector.spans()).toHaveLength(expected);
  });

  test("gives on what its work throws, and marks the span", async () => {
    const tracer = await createTracer(settingsOf(), "1", ignore);
    const failing = tracer.trace("internal", "x", {}, () => Promise.reject(flowExpired("canary")));

    expect(await rejection(failing)).toMatchObject({ code: "flow_expired" });
    await tracer.end();

    const [span] = collector.spans();
    expect([span?.status, span?.attributes["error.type"]]).toEqual([2, "flow_expired"]);
    expect(collector.bytes().toString()).not.toContain("canary");
  });

  test("tells of spans that the collector refuses, and not what it says", async () => {
    const refusing = startCollector({ status: 401 });
    const faults: TraceFault[] = [];
    const settings = settingsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: refusing.url });
    const tracer = await createTracer(settings, "1", (fault) => void faults.push(fault));
    await tracer.trace("internal", "x", {}, ignore);
    await tracer.end();
    await refusing.stop();

    expect(faults).toEqual([{ count: 1, causeCode: "401" }]);
  });
});

test("every statement has a name that says nothing of a person", () => {
  for (const name of Object.keys(STATEMENTS)) expect(name).toMatch(/^[a-z][A-Za-z]{2,50}$/);
});
