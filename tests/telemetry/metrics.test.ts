/** Metrics: what is counted, what is read from the database, and that labels come from closed sets. */
import { beforeEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createApp, ROUTES } from "../../index.ts";
import { databaseUnavailable } from "../../lib/errors.ts";
import { createFigures } from "../../lib/operator/figures.ts";
import { listenForMetrics } from "../../lib/server/metrics.ts";
import { createLog } from "../../lib/telemetry/log.ts";
import { createMetrics } from "../../lib/telemetry/prometheus.ts";
import { parseMetrics, readMetrics } from "../fixtures/metrics.ts";
import { createClock } from "../harness/clock.ts";
import { emptyDatabase, onPostgres } from "../harness/database.ts";
import { useJanus } from "../harness/hooks.ts";
import { createBrowser, startJanusWithForger, UNHEARD } from "../harness/janus.ts";
import { rejection } from "../harness/rejection.ts";
import { keepUp } from "../harness/upkeep.ts";
import { linkMember, newUser, reachForgerCallback } from "../harness/walk.ts";

const janus = useJanus(() => startJanusWithForger({ environment: { METRICS_PORT: "0" } }));
beforeEach(() => emptyDatabase(janus.database));

const EMPTY = { figures: undefined, connections: undefined, certificateExpiresAt: undefined };

describe("GET /metrics", () => {
  test("counts the requests, steps and calls of a link", async () => {
    const before = await readMetrics(janus);
    await linkMember(janus, newUser());
    const after = await readMetrics(janus);

    const rise = (name: string, labels = {}): number =>
      (after.valueOf(name, labels) ?? 0) - (before.valueOf(name, labels) ?? 0);
    expect(rise("janus_http_requests_total", { route: "/linked-role", method: "GET", status: "302" })).toBe(
      1,
    );
    expect(rise("janus_http_request_duration_seconds_count", { route: "/dsek-oauth-callback" })).toBe(1);
    expect(rise("janus_flow_steps_total", { step: "provider", outcome: "linked" })).toBe(1);
    const call = { upstream: "discord", operation: "put_role_connection" };
    expect(rise("janus_upstream_requests_total", { ...call, outcome: "ok" })).toBe(1);
    expect(rise("janus_upstream_request_duration_seconds_count", call)).toBe(1);
    expect(after.valueOf("janus_build_info", { version: "0.0.0-test" })).toBe(1);
  });

  test("counts what goes wrong, by the code and by how the server answered", async () => {
    const before = await readMetrics(janus);
    const browser = createBrowser(janus.url);
    const callback = await reachForgerCallback(browser, newUser());
    janus.provider.failNext("token", { status: 500, body: "no" });
    await browser.get(callback);
    const after = await readMetrics(janus);

    const rise = (name: string, labels: Readonly<Record<string, string>>): number =>
      (after.valueOf(name, labels) ?? 0) - (before.valueOf(name, labels) ?? 0);
    expect(rise("janus_flow_steps_total", { step: "provider", outcome: "failed" })).toBe(1);
    expect(rise("janus_errors_total", { code: "provider_unavailable" })).toBe(1);
    const call = { upstream: "provider", operation: "token_code", outcome: "server_error" };
    expect(rise("janus_upstream_requests_total", call)).toBe(1);
  });

  test("has the links of the whole database, read once a minute", async () => {
    janus.clock.advance(61);
    const first = await readMetrics(janus);
    await linkMember(janus, newUser());
    const soon = await readMetrics(janus);
    janus.clock.advance(61);
    const later = await readMetrics(janus);

    const all = (metrics: typeof first): number => metrics.valueOf("janus_links") ?? 0;
    expect([first, soon, later].map(all)).toEqual([0, 0, 1]);
    expect(later.valueOf("janus_brake_engaged")).toBe(0);
    expect((later.valueOf("janus_database_connections", { state: "idle" }) ?? 0) > 0).toBe(onPostgres);
  });

  test("answers while the database does not, without its figures", async () => {
    const { shared } = janus;
    await fetch(new URL("/healthz", janus.url));
    const countLinkStates = () => Promise.reject(databaseUnavailable("for a test"));
    const listener = listenForMetrics(
      { host: "127.0.0.1", port: 0 },
      { ...shared, queries: { ...shared.queries, countLinkStates } },
    );

    const metrics = await readMetrics({ metricsUrl: listener?.address ?? "" });
    await listener?.stop();

    expect(metrics.valueOf("process_resident_memory_bytes")).toBeGreaterThan(0);
    expect(metrics.valueOf("janus_http_requests_total")).toBeGreaterThan(0);
    for (const name of ["janus_links", "janus_checks_due", "janus_brake_engaged", "janus_losses_held"])
      expect({ name, value: metrics.valueOf(name) }).toEqual({ name, value: undefined });
  });

  test("has no other page, and takes no other method", async () => {
    const root = await fetch(new URL("/", janus.metricsUrl));
    const post = await fetch(janus.metricsUrl, { method: "POST" });
    const member = await fetch(new URL("/metrics", janus.url));

    expect([root.status, post.status, post.headers.get("allow"), member.status]).toEqual([
      ...[404, 405, "GET, HEAD", 404],
    ]);
  });

  test("tells nothing of a person", async () => {
    const user = newUser();
    await linkMember(janus, user);
    janus.clock.advance(61);

    const { text, samples } = await readMetrics(janus);

    expect(text).not.toContain(user);
    const labels = samples.flatMap((sample) => Object.values(sample.labels));
    expect(labels.filter((label) => /canary|anna|@|[0-9]{6,}/i.test(label))).toEqual([]);
  });

  test("counts what upkeep does about links", async () => {
    await linkMember(janus, newUser());
    const before = await readMetrics(janus);
    janus.clock.advance(2 * 86_400);
    await keepUp(janus, 1);
    const after = await readMetrics(janus);

    const all = (metrics: typeof before) => metrics.valueOf("janus_sync_links_total") ?? 0;
    expect(all(after)).toBeGreaterThan(all(before));
  });

  test.each([
    ["evil.example", 421],
    ["evil.example:9464", 421],
    ["127.0.0.1.evil.example", 421],
    ["localhost.evil.example:80", 421],
    ["10.0.0.7:9464", 421],
    ["a b", 421],
    ["localhost", 200],
    ["LOCALHOST:9464", 200],
    ["127.0.0.1:1", 200],
    ["127.1.2.3", 200],
    ["[::1]:9464", 200],
  ])("on loopback answers a request for %s with %i", async (host, status) => {
    for (const path of ["/metrics", "/"]) {
      const answer = await fetch(new URL(path, janus.metricsUrl), { headers: { host } });

      expect(answer.status).toBe(path === "/metrics" || status === 421 ? status : 404);
      if (status === 421) expect(await answer.text()).not.toContain("janus_");
    }
  });

  test("answers on other addresses whatever name the request has", async () => {
    const listener = listenForMetrics({ host: "0.0.0.0", port: 0 }, janus.shared);
    const { port } = new URL(listener?.address ?? "");
    const statuses = await Promise.all(
      ["janus", "janus.apps.svc.cluster.local:9464", "10.0.0.7:9464", "localhost"].map(async (host) => {
        const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { host } });
        return answer.status;
      }),
    );
    await listener?.stop();

    expect(statuses).toEqual([200, 200, 200, 200]);
  });

  test("is refused at the start on a port that is in use", async () => {
    const port = Number(new URL(janus.metricsUrl).port);

    const listening = Promise.resolve().then(() =>
      listenForMetrics({ host: "127.0.0.1", port }, janus.shared),
    );

    const { code, message } = await rejection(listening);
    expect(code).toBe("address_in_use");
    expect(message).toContain("METRICS_PORT");
  });
});

describe("the labels", () => {
  /** What every route, outcome and status could make together is more; this is what requests can reach. */
  const MOST_SERIES = 2_000;

  test("stay few after two thousand requests with odd paths, methods and queries", async () => {
    const app = createApp(janus.shared, UNHEARD);
    const paths = ROUTES.map(([, path]) => path);
    const odd = fc.record({
      method: fc.constantFrom("GET", "POST", "PUT", "DELETE", "PATCH", "BREW", "PROPFIND", "OPTIONS"),
      path: fc.oneof(fc.constantFrom(...paths), fc.webPath()),
      query: fc.oneof(
        fc.webQueryParameters(),
        fc.string().map((text) => `code=${encodeURIComponent(text)}&state=x`),
      ),
      requestId: fc.uuid(),
    });

    for (const { method, path, query, requestId } of fc.sample(odd, 2_000)) {
      const segment = path.replaceAll(/:\w+/g, requestId);
      const headers = {
        "x-request-id": requestId,
        "user-agent": query.slice(0, 20).replaceAll(/[^a-z]/g, ""),
      };
      await app.fetch(new Request(`http://localhost${segment}?${query}`, { method, headers }));
    }
    const { samples, find } = await readMetrics(janus);

    const routes = new Set(find("janus_http_requests_total").map(({ labels }) => labels.route));
    const methods = new Set(find("janus_http_requests_total").map(({ labels }) => labels.method));
    expect([...routes].filter((route) => route !== "unknown" && !paths.includes(route ?? ""))).toEqual([]);
    expect(methods.has("other")).toBe(true);
    expect(samples.length).toBeLessThan(MOST_SERIES);
  }, 120_000);

  test("of methods are those of routes, and one for all others", async () => {
    const metrics = createMetrics("1");

    await fc.assert(
      fc.asyncProperty(fc.string(), async (method) => {
        metrics.countRequest("/", method, 200, 0.1);
      }),
    );

    const { find } = parseMetrics(await metrics.render(EMPTY));
    expect(find("janus_http_requests_total").length).toBeLessThanOrEqual(8);
  });
});

describe("createFigures()", () => {
  const COUNTS = {
    ...{ told: 1, waiting: 0, losing: 0, disconnected: 0, cleared: 0, checksDue: 0, checksOverdue: 0 },
    ...{ oldestCheckDueAt: null, pushesDue: 0, pushesOverdue: 0, oldestPushDueAt: null, lossesOverdue: 0 },
    ...{ heldAt: null, lossesHeld: 0, discordGrantsEnded: 0, providerGrantsEnded: 0 },
  };

  test("runs one statement for all who ask within a minute", async () => {
    const clock = createClock();
    let asked = 0;
    const countLinkStates = async () => {
      asked += 1;
      return { ...COUNTS, told: asked };
    };
    const read = createFigures({ queries: { countLinkStates }, now: clock.now });

    const together = await Promise.all([read(), read(), read()]);
    clock.advance(59);
    await read();
    clock.advance(2);
    const next = await read();

    expect(together.map((figures) => figures?.links.told)).toEqual([1, 1, 1]);
    expect([asked, next?.links.told]).toEqual([2, 2]);
  });

  test("knows nothing after a failure, and asks again at once", async () => {
    const clock = createClock();
    let fails = true;
    const countLinkStates = async () => {
      if (fails) throw databaseUnavailable("for a test");
      return COUNTS;
    };
    const read = createFigures({ queries: { countLinkStates }, now: clock.now });

    const without = await read();
    fails = false;
    const again = await read();

    expect([without, again?.links.told]).toEqual([undefined, 1]);
  });
});

test("createLog() tells its watch of every event, also of lines that are not written", () => {
  const lines: string[] = [];
  const seen: string[] = [];
  const watch = {
    onEvent: (event: string) => void seen.push(event),
    traceId: () => "0af7651916cd43dd8448eb211c80319c",
  };
  const log = createLog("warn", (line) => void lines.push(line), createClock().now, watch);

  log.debug("link_checked", { outcome: "read" });
  log.warn("upkeep_failed");
  log.prepare("warn", "request", { route: "/" })({ status: 200 });

  expect(seen).toEqual(["link_checked", "upkeep_failed"]);
  expect(lines).toHaveLength(2);
  for (const line of lines) expect(JSON.parse(line)).toMatchObject({ traceId: watch.traceId() });
});
