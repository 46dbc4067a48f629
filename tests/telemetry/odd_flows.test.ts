/** That the labels of the metrics stay within their closed sets, and few, whatever browsers and servers send in a flow. */
import { expect, test } from "bun:test";
import { createApp } from "../../index.ts";
import { ERROR_CODES } from "../../lib/error_codes.ts";
import { createLog } from "../../lib/telemetry/log.ts";
import { createShared } from "../../lib/wiring.ts";
import type { Sample } from "../fixtures/metrics.ts";
import { readMetrics } from "../fixtures/metrics.ts";
import { createOddWalk, sampleFlows } from "../fixtures/odd_flows.ts";
import { onPostgres } from "../harness/database.ts";
import { useJanus } from "../harness/hooks.ts";
import { DISCORD_CLIENT_ID, startJanusWithForger, UNHEARD } from "../harness/janus.ts";

const FLOWS = 10_000;
const janus = useJanus(() =>
  startJanusWithForger({ forger: { freshSubjects: true }, environment: { METRICS_PORT: "0" } }),
);

const ROUTE = ["/linked-role", "/discord-oauth-callback", "/dsek-oauth-callback"];
const UPSTREAM = ["discord", "provider"];
const OPERATION = [
  ...["token_code", "get_current_authorization", "put_role_connection"],
  ...["discovery", "jwks", "userinfo"],
];
/** Every value that a flow may give a label, by the metric. */
const CLOSED: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  janus_http_requests_total: {
    route: ROUTE,
    method: ["GET"],
    status: ["302", "303", "400", "403", "409", "429", "500", "502", "503"],
  },
  janus_http_request_duration_seconds: { route: ROUTE },
  janus_errors_total: { code: ERROR_CODES },
  janus_flow_steps_total: {
    step: ["discord", "provider"],
    outcome: ["departed", "cancelled", "failed", "linked", "sent_back"],
  },
  janus_upstream_requests_total: {
    upstream: UPSTREAM,
    operation: OPERATION,
    outcome: ["ok", "refused", "rate_limited", "server_error", "failed"],
  },
  janus_upstream_request_duration_seconds: { upstream: UPSTREAM, operation: OPERATION },
};
/** A tenth of what the closed sets could make together: each series is one of a metric, a bucket of a histogram included. */
const MOST_NEW_SERIES = 250;

// The labels are the same on either database, and the embedded one needs minutes.
test.skipIf(!onPostgres)(
  "10,000 flows with odd codes, errors, states, headers and answers add few series",
  async () => {
    const { config, rules, instruments, issuer } = { ...janus.shared, issuer: janus.provider.issuer };
    const odd = createOddWalk({
      url: janus.url,
      discordApiUrl: config.discord.apiUrl,
      discordClientId: DISCORD_CLIENT_ID,
      issuer,
    });
    const { now } = janus.clock;
    const shared = createShared({ config, rules }, janus.database.db, {
      fetch: odd.fetch,
      now,
      sleep: () => Promise.resolve(),
      log: createLog("error", () => undefined, now, {
        onEvent: instruments.metrics?.countEvent,
        traceId: undefined,
      }),
      instruments,
      version: "0.0.0-test",
    });
    const app = createApp(shared, UNHEARD);
    const before = await readMetrics(janus);

    let requests = 0;
    for (const flow of sampleFlows(FLOWS))
      requests += (await odd.walk(async (request) => app.fetch(request), flow)).length;
    await shared.unstored.retry();
    const after = await readMetrics(janus);

    expect(unknownIn(after.samples)).toEqual([]);
    expect(after.samples.length - before.samples.length).toBeLessThan(MOST_NEW_SERIES);
    // The flows were real ones, and met what they should.
    const count = (name: string, labels = {}) => after.valueOf(name, labels) ?? 0;
    const [begun, back, through] = ROUTE.map((route) => count("janus_http_requests_total", { route }));
    expect([begun, back, (through ?? 0) > FLOWS / 20]).toEqual([FLOWS, FLOWS, true]);
    expect(count("janus_http_requests_total")).toBe(requests);
    expect(count("janus_flow_steps_total", { step: "provider", outcome: "linked" })).toBeGreaterThan(0);
    expect(valuesOf(after.samples, "janus_errors_total", "code").length).toBeGreaterThan(5);
    expect(valuesOf(after.samples, "janus_upstream_requests_total", "outcome").toSorted()).toEqual(
      CLOSED.janus_upstream_requests_total?.outcome?.toSorted() ?? [],
    );
  },
  600_000,
);

const valuesOf = (samples: readonly Sample[], metric: string, label: string): readonly string[] => [
  ...new Set(samples.flatMap(({ name, labels }) => (name === metric ? (labels[label] ?? []) : []))),
];

/** Values of labels that are in no closed set. */
function unknownIn(samples: readonly Sample[]): readonly string[] {
  return samples.flatMap(({ name, labels }) => {
    const closed = CLOSED[name.replace(/_(bucket|sum|count)$/, "")];
    if (closed === undefined) return [];
    return Object.entries(labels)
      .filter(([label, value]) => label !== "le" && !(closed[label] ?? []).includes(value))
      .map(([label, value]) => `${name} ${label}=${value}`);
  });
}
