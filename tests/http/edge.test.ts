/** Where requests come in: their ids, who asks and how often, how many at once, and a line in the log for each. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createApp } from "../../index.ts";
import { readConfig } from "../../lib/config/load.ts";
import type { Shared } from "../../lib/deps.ts";
import { createClientAddress, subscriberOf } from "../../lib/http/client_address.ts";
import { createEdge } from "../../lib/http/edge.ts";
import { createFormReader } from "../../lib/http/form.ts";
import { createRateLimit, createReminder } from "../../lib/http/rate_limit.ts";
import type { Handler } from "../../lib/http/response.ts";
import { showReadiness } from "../../lib/server/handlers.ts";
import { NO_INSTRUMENTS } from "../../lib/telemetry/instruments.ts";
import { createLog } from "../../lib/telemetry/log.ts";
import { useJanus } from "../harness/hooks.ts";
import { createBrowser, environmentFor, startJanusWithForger, UNHEARD } from "../harness/janus.ts";
import { linkMember, newUser, reachForgerCallback } from "../harness/walk.ts";

type Line = Readonly<Record<string, unknown>>;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const linesOf = ({ logLines }: { readonly logLines: readonly string[] }): Line[] =>
  logLines.map((line) => JSON.parse(line) as Line);

const janus = useJanus(() => startJanusWithForger({ forger: { freshSubjects: true } }));

/** The lines with a request's id. */
const linesAbout = (id: string): Line[] => linesOf(janus).filter(({ requestId }) => requestId === id);

/** An edge by itself, with one route and only the dependencies that it needs. */
function edgeWith(handler: Handler, environment: Readonly<Record<string, string>> = {}, peer = "192.0.2.1") {
  const standin = {
    apiUrl: "https://discord.test",
    authorizeUrl: "https://discord.test/a",
    cdnUrl: "https://cdn.test",
  };
  const config = readConfig({
    ...environmentFor("https://janus.example.org", standin, "https://auth.example.org"),
    ...environment,
  });
  const logLines: string[] = [];
  const log = createLog(
    "debug",
    (line) => void logLines.push(line),
    () => new Date(0),
  );
  const state = { peer: peer as string | undefined };
  const shared = { config, log, instruments: NO_INSTRUMENTS } as unknown as Shared;
  const edge = createEdge(shared, { ...UNHEARD, peerAddress: () => state.peer }, []);
  const route = edge.on("/linked-role", handler);
  const ask = async (headers: Record<string, string> = {}): Promise<Response> =>
    route(new Request("https://janus.example.org/linked-role", { headers }));
  return { ask, state, logLines, edge, shared };
}

const answer: Handler = () => new Response("ok");

describe("a request's id", () => {
  test.each([
    "0123456789abcdef0123456789abcdef",
    "c0ffee00-1111-4222-8333-444444444444",
    "Root=1-67891233-abcdef012345678912345678",
    "req_1.2-3",
  ])("is the one it came with: %s", async (id) => {
    const response = await fetch(`${janus.url}/linked-role`, {
      redirect: "manual",
      headers: { "x-request-id": id },
    });

    expect(response.headers.get("x-request-id")).toBe(id);
    expect(linesAbout(id).map(({ event }) => event)).toEqual(["request"]);
  });

  test("is new for any other X-Request-Id, which the log does not repeat", async () => {
    const insane = fc.oneof(
      fc.constantFrom(
        "",
        "short",
        "a".repeat(65),
        "<script>alert(1)</script>",
        '"quoted-id"',
        "with blank in it",
        "%0d%0aset-cookie",
      ),
      fc
        .string({ unit: "grapheme-ascii", maxLength: 200 })
        .filter((text) => !/^[A-Za-z0-9._=-]*$/.test(text.trim())),
    );

    await fc.assert(
      fc.asyncProperty(insane, async (id) => {
        const response = await fetch(`${janus.url}/nowhere`, { headers: { "x-request-id": id } });

        const given = response.headers.get("x-request-id") ?? "";
        expect(given).toMatch(UUID);
        expect(linesAbout(given).length).toBeGreaterThan(0);
        if (id.trim().length > 5)
          expect(janus.logLines.join("")).not.toContain(JSON.stringify(id.trim()).slice(1, -1));
      }),
      { numRuns: 50 },
    );
  });

  test("is on the page of an error, in its header and in its log lines", async () => {
    const id = "id-of-a-broken-flow";
    const response = await fetch(`${janus.url}/dsek-oauth-callback?code=x&state=y`, {
      headers: { "x-request-id": id },
    });

    expect(response.headers.get("x-request-id")).toBe(id);
    expect(await response.text()).toContain(id);
    expect(linesAbout(id)).toMatchObject([
      { event: "flow_step", step: "provider", outcome: "failed", code: "state_mismatch" },
      { event: "request_failed", code: "state_mismatch", status: 403 },
      { event: "request", status: 403, route: "/dsek-oauth-callback" },
    ]);
  });
});

describe("the log", () => {
  test("has one line for each request, step and upstream call of a flow", async () => {
    // The first flow of all also fetches discovery and keys.
    await linkMember(janus, newUser());
    const before = janus.logLines.length;
    const browser = createBrowser(janus.url);
    const discordUserId = newUser();

    await browser.get(await reachForgerCallback(browser, discordUserId));

    const written = janus.logLines.slice(before).map((line) => JSON.parse(line) as Line);
    const lines = written.filter(({ level }) => level !== "debug");
    const short = lines.map(({ event, route, step, operation }) =>
      [event, route ?? step ?? operation].join(" "),
    );
    expect(short).toEqual([
      "request /linked-role",
      "upstream_call token_code",
      "upstream_call get_current_authorization",
      "flow_step discord",
      "request /discord-oauth-callback",
      "upstream_call token_code",
      "upstream_call put_role_connection",
      "flow_step provider",
      "request /dsek-oauth-callback",
      "request /result/:name",
    ]);
    const ids = lines.flatMap(({ requestId }) => requestId ?? []);
    const [start, discord, provider, page] = [...new Set(ids)];
    expect(ids).toEqual([start, ...Array(4).fill(discord), ...Array(4).fill(provider), page]);
    for (const line of lines) {
      expect(line).toMatchObject({ level: "info" });
      if (line.event === "request") {
        expect(line).toEqual(
          expect.objectContaining({
            method: "GET",
            status: expect.any(Number),
            durationMs: expect.any(Number),
          }),
        );
      }
      if (line.event === "upstream_call") {
        expect(line).toMatchObject({
          status: expect.any(Number),
          durationMs: expect.any(Number),
          retries: 0,
        });
        expect(line.host).toMatch(/^127\.0\.0\.1:\d+$/);
      }
      if (line.event === "flow_step") expect(line).toMatchObject({ discordUserId });
    }
  });

  test("has one line for each try of an upstream call, with its count", async () => {
    const browser = createBrowser(janus.url);
    const callback = await reachForgerCallback(browser, newUser());
    janus.discord.failNext("put_role_connection", { status: 500, body: "x" }, 2);
    const before = janus.logLines.length;

    await browser.get(callback);

    const pushes = janus.logLines
      .slice(before)
      .map((line) => JSON.parse(line) as Line)
      .filter(({ operation }) => operation === "put_role_connection");
    expect(pushes).toMatchObject([
      { status: 500, retries: 0 },
      { status: 500, retries: 1 },
      { retries: 2, outcome: "answered" },
    ]);
  });

  test("has the step that a member cancels", async () => {
    const browser = createBrowser(janus.url);
    const location = (await browser.get("/linked-role")).headers.get("location") ?? "";
    const state = new URL(location).searchParams.get("state");
    const before = janus.logLines.length;

    await browser.get(`/discord-oauth-callback?error=access_denied&state=${state}`);

    const steps = janus.logLines.slice(before).map((line) => JSON.parse(line) as Line);
    expect(steps.filter(({ event }) => event === "flow_step")).toMatchObject([
      { step: "discord", outcome: "cancelled" },
    ]);
  });

  test("has probes only at the level debug", async () => {
    const before = janus.logLines.length;

    await fetch(`${janus.url}/healthz`);
    await fetch(`${janus.url}/readyz`);

    const requests = janus.logLines
      .slice(before)
      .map((line) => JSON.parse(line) as Line)
      .filter(({ event }) => event === "request");
    expect(requests).toMatchObject([
      { level: "debug", route: "/healthz" },
      { level: "debug", route: "/readyz" },
    ]);
  });
});

describe("createApp() finds a route", () => {
  test.each(["a", "web", "auth", "janus.example.org", "[::1]", "127.0.0.1"])(
    "behind the host %s",
    async (host) => {
      const app = createApp(janus.shared, UNHEARD);

      const answers = ["/healthz", "/linked-role", "/linked-role/another?x=1"].map((path) =>
        app.fetch(new Request(`http://${host}${path}`)),
      );

      expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 302, 302]);
    },
  );
});

describe("the rate limit of an address", () => {
  test("answers 429 with Retry-After and warns once", async () => {
    const edge = edgeWith(answer, { RATE_LIMIT_PER_MINUTE: "10" });

    const statuses: number[] = [];
    for (let requests = 0; requests < 14; requests += 1) statuses.push((await edge.ask()).status);
    const last = await edge.ask({ accept: "application/json" });

    expect(statuses).toEqual([...Array(10).fill(200), ...Array(4).fill(429)]);
    expect(last.status).toBe(429);
    const wait = Number(last.headers.get("retry-after"));
    expect(wait).toBeGreaterThanOrEqual(1);
    expect(wait).toBeLessThanOrEqual(60);
    expect(await last.json()).toMatchObject({ status: 429, code: "too_many_requests" });
    const warnings = linesOf(edge).filter(({ level }) => level === "warn");
    expect(warnings).toMatchObject([{ event: "address_limited", peer: "192.0.2.1" }]);
    const loud = linesOf(edge).filter(({ level, status }) => status === 429 && level !== "debug");
    expect(loud).toEqual([]);
  });

  test("answers with a page in the member's language", async () => {
    const edge = edgeWith(answer, { RATE_LIMIT_PER_MINUTE: "1" });
    await edge.ask();

    const asked = ["id-of-one", "id-of-two", "id-of-three"].map(async (id, index) => {
      const language = index === 2 ? "sv" : "en";
      const headers = { accept: "text/html", "accept-language": language, "x-request-id": id };
      return { id, language, page: await (await edge.ask(headers)).text() };
    });

    for (const { id, language, page } of await Promise.all(asked)) {
      expect(page).toContain(`<html lang="${language}">`);
      expect(page.match(/<code>([^<]+)<\/code>/)?.[1]).toBe(id);
      expect(page.match(/[0-9a-f]{8}-[0-9a-f]{4}-/)).toBeNull();
    }
  });

  test("leaves half to another address during a flood", async () => {
    const edge = edgeWith(answer, { RATE_LIMIT_PER_MINUTE: "10" });
    for (let requests = 0; requests < 50; requests += 1) await edge.ask();

    edge.state.peer = "192.0.2.2";
    const statuses: number[] = [];
    for (let requests = 0; requests < 6; requests += 1) statuses.push((await edge.ask()).status);

    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
  });

  test("does not apply when it is 0, nor to probes", async () => {
    const edge = edgeWith(answer, { RATE_LIMIT_PER_MINUTE: "0" });
    const statuses = new Set<number>();
    for (let requests = 0; requests < 1_000; requests += 1) statuses.add((await edge.ask()).status);

    expect([...statuses]).toEqual([200]);
    const limited = await startJanusWithForger({ environment: { RATE_LIMIT_PER_MINUTE: "2" } });
    const probes: number[] = [];
    for (let requests = 0; requests < 5; requests += 1)
      probes.push((await fetch(`${limited.url}/healthz`)).status);
    const pages: number[] = [];
    for (let requests = 0; requests < 3; requests += 1) pages.push((await fetch(limited.url)).status);
    await limited.stop();
    expect(probes).toEqual([200, 200, 200, 200, 200]);
    expect(pages).toEqual([200, 200, 429]);
  });

  test.each([1, 2, 3, 4, 5, 11])("of %d lets exactly so many of its requests through", (perMinute) => {
    const limit = createRateLimit(perMinute);

    const refusals = Array.from({ length: perMinute + 3 }, () => limit(() => "a"));

    expect(refusals.map((refusal) => refusal === undefined)).toEqual([
      ...Array(perMinute).fill(true),
      ...Array(3).fill(false),
    ]);
  });

  test("refills evenly", () => {
    const limit = createRateLimit(120_000);
    const from = performance.now();
    let passed = 0;
    while (limit(() => "a") === undefined) passed += 1;
    const tookMs = performance.now() - from;

    // All at once, and 2 a millisecond since.
    expect(passed).toBeGreaterThanOrEqual(120_000);
    expect(passed).toBeLessThan(120_000 + 2 * tookMs + 100);
  });

  test("createReminder() forgets the oldest when it is full", () => {
    const mayMention = createReminder();
    for (let address = 0; address < 60_000; address += 1) mayMention(`a${address}`);

    expect(mayMention("a59999")).toBe(false);
    expect(mayMention("a0")).toBe(true);
  });
});

describe("createClientAddress()", () => {
  const find = (trusted: readonly string[], peer: string, forwarded: string | undefined) => {
    const untrusted: string[] = [];
    const headers: Record<string, string> = forwarded === undefined ? {} : { "x-forwarded-for": forwarded };
    const request = new Request("https://janus.example.org/", { headers });
    const client = createClientAddress(trusted, (address) => untrusted.push(address))(peer, request);
    return { client, untrusted };
  };

  test.each([
    ["nothing is forwarded", ["loopback"], "127.0.0.1", undefined, "127.0.0.1"],
    ["there is one proxy", ["loopback"], "127.0.0.1", "192.0.2.7", "192.0.2.7"],
    ["the client pretends to be another", ["loopback"], "127.0.0.1", "198.51.100.1, 192.0.2.7", "192.0.2.7"],
    [
      "there are two proxies",
      ["loopback", "10.0.0.0/8"],
      "127.0.0.1",
      "198.51.100.1, 192.0.2.7, 10.1.2.3",
      "192.0.2.7",
    ],
    ["an untrusted proxy stands before", ["loopback"], "127.0.0.1", "192.0.2.7, 10.1.2.3", "10.1.2.3"],
    ["all hops are ours", ["loopback", "10.0.0.0/8"], "127.0.0.1", "10.0.0.1, 10.0.0.2", "10.0.0.1"],
    ["the client writes nonsense", ["loopback"], "127.0.0.1", "<script>, 192.0.2.7", "192.0.2.7"],
    ["the proxy writes nonsense", ["loopback"], "127.0.0.1", "192.0.2.7, unknown", "127.0.0.1"],
    ["nonsense stands before our proxy", ["10.0.0.0/8"], "10.0.0.1", "192.0.2.7, _x, 10.0.0.2", "10.0.0.2"],
    ["the address has a port", ["loopback"], "127.0.0.1", "192.0.2.7:49152", "192.0.2.7"],
    ["the address is IPv6", ["loopback"], "::1", "2001:db8::7", "2001:db8::7"],
    ["the IPv6 address has a port", ["loopback"], "::1", "[2001:db8::7]:49152", "2001:db8::7"],
    ["the proxy is IPv4 written as IPv6", ["127.0.0.1"], "::ffff:127.0.0.1", "192.0.2.7", "192.0.2.7"],
  ] as const)("finds the client when %s", (_, trusted, peer, forwarded, expected) => {
    const { client, untrusted } = find(trusted, peer, forwarded);

    expect(client).toBe(expected);
    expect(untrusted).toEqual([]);
  });

  test.each([
    [[], "127.0.0.1"],
    [["10.0.0.0/8"], "192.0.2.99"],
  ])("believes only %j, and reports %s", (trusted, peer) => {
    expect(find(trusted, peer, "192.0.2.7")).toEqual({ client: peer, untrusted: [peer] });
  });

  test("gives the address that the last trusted hop saw", () => {
    const claim = fc.string({ unit: "grapheme-ascii", maxLength: 100 });
    fc.assert(
      fc.property(fc.array(claim, { maxLength: 5 }), fc.ipV4(), (claims, seen) => {
        fc.pre(!/^(127|10)\./.test(seen));
        const { client } = find(
          ["loopback", "10.0.0.0/8"],
          "127.0.0.1",
          [...claims, seen, "10.0.0.1"].join(","),
        );

        expect(client).toBe(seen);
      }),
    );
  });

  test.each([
    ["192.0.2.7", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:db8:1:2::9", "2001:db8:1:2"],
    ["2001:db8::9", "2001:db8:0:0"],
  ])("subscriberOf(%s) is %s", (address, subscriber) => {
    expect(subscriberOf(address)).toBe(subscriber);
  });
});

describe("under load", () => {
  test("the server answers 503 too_busy beyond a thousand requests", async () => {
    const gate = Promise.withResolvers<void>();
    const edge = edgeWith(async () => {
      await gate.promise;
      return new Response("ok");
    });

    const held = Array.from({ length: 1_000 }, () => edge.ask());
    const refused = await edge.ask({ accept: "application/json" });
    await edge.ask();
    gate.resolve();
    const answered = await Promise.all(held);
    const after = await edge.ask();

    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("5");
    expect(await refused.json()).toMatchObject({ code: "too_busy" });
    expect(new Set(answered.map(({ status }) => status))).toEqual(new Set([200]));
    expect(after.status).toBe(200);
    // Once a minute, for any number of refusals.
    expect(linesOf(edge).filter(({ event }) => event === "too_busy")).toMatchObject([
      { level: "warn", count: 1_000 },
    ]);
  });

  test("waiting probes do not keep other requests out", async () => {
    const gate = Promise.withResolvers<void>();
    const { edge, ask } = edgeWith(answer);
    const probe = edge.on("/readyz", async () => {
      await gate.promise;
      return new Response("ready");
    });

    const held = Array.from({ length: 1_500 }, async () =>
      probe(new Request("https://janus.example.org/readyz")),
    );
    const { status } = await ask();
    gate.resolve();
    const answered = await Promise.all(held);

    expect(status).toBe(200);
    expect(new Set(answered.map((response) => response.status))).toEqual(new Set([200]));
  });

  test("probes that come together ask the database once", async () => {
    let statements = 0;
    const counting = {
      ...janus.shared,
      db: {
        ...janus.deps.db,
        query: (...statement: Parameters<typeof janus.deps.db.query>) => {
          statements += 1;
          return janus.deps.db.query(...statement);
        },
      },
    };
    const probe = createEdge(counting, UNHEARD, []).on("/readyz", showReadiness);
    const ask = async () => probe(new Request(`${janus.url}/readyz`));

    await ask();
    const once = statements;
    await Promise.all(Array.from({ length: 50 }, ask));

    expect(once).toBeGreaterThan(0);
    expect(statements).toBe(2 * once);
  });

  test("createFormReader() gives a slow form up with request_timeout", async () => {
    const stalled = new ReadableStream<Uint8Array>({
      start: (stream) => stream.enqueue(Buffer.from("state=")),
    });
    const request = new Request("https://janus.example.org/link/move", {
      method: "POST",
      body: stalled,
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });

    const reading = createFormReader(50)(request, "192.0.2.1");

    await expect(reading).rejects.toMatchObject({ code: "request_timeout", status: 408 });
  });
});

describe("a server that was told to stop", () => {
  test("is stopping at /readyz, and alive at /healthz", async () => {
    const stopped = await startJanusWithForger();
    const before = await fetch(`${stopped.url}/linked-role`, { redirect: "manual" });
    stopped.stopping.abort();

    const [ready, health, redirect] = await Promise.all(
      ["/readyz", "/healthz", "/linked-role"].map((path) =>
        fetch(stopped.url + path, { redirect: "manual" }),
      ),
    );
    await stopped.stop();

    expect(before.headers.get("connection")).not.toBe("close");
    expect([ready?.status, health?.status, redirect?.status]).toEqual([503, 200, 302]);
    expect(await ready?.json()).toEqual({ status: "stopping" });
    for (const response of [ready, health, redirect])
      expect(response?.headers.get("connection")).toBe("close");
  });
});
