/** Events of other servers: how their bodies are read, and that a source that floods holds up nobody else. */
import { describe, expect, test } from "bun:test";
import type { Deps } from "../../lib/deps.ts";
import { databaseUnavailable } from "../../lib/errors.ts";
import type { Route } from "../../lib/http/edge.ts";
import { createEdge } from "../../lib/http/edge.ts";
import type { EventHandler, Exchange } from "../../lib/http/response.ts";
import { jsonResponse } from "../../lib/http/response.ts";
import { useJanus } from "../harness/hooks.ts";
import { startJanusWithForger, UNHEARD } from "../harness/janus.ts";

const janus = useJanus(() => startJanusWithForger());

const ADDRESS = "https://janus.example.org/hooks/test";
const sizeOf = (deps: Deps, exchange: Exchange, body: Uint8Array) =>
  jsonResponse(deps, exchange, 200, { size: body.byteLength });

/** The edge of a process with one route for events, and one for people. */
function startEdge(handler: Partial<EventHandler> = {}, peer = "192.0.2.1") {
  const event: EventHandler = {
    source: "hook",
    maxBytes: 10_000,
    admit: () => undefined,
    receive: sizeOf,
    ...handler,
  };
  const ok = (deps: Deps, exchange: Exchange) => jsonResponse(deps, exchange, 200, {});
  const routes: readonly Route[] = [
    ["POST", "/hooks/test", event],
    ["GET", "/page", ok],
  ];
  const edge = createEdge(janus.shared, { ...UNHEARD, peerAddress: () => peer }, routes);
  const answerEvent = edge.on("/hooks/test", event);
  const answerPage = edge.on("/page", ok);
  return {
    send: async (body: string | ReadableStream<Uint8Array>, headers: Readonly<Record<string, string>> = {}) =>
      answerEvent(new Request(ADDRESS, { method: "POST", body, headers })),
    page: async () => answerPage(new Request("https://janus.example.org/page")),
  };
}

const endless = () =>
  new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(Buffer.from("x")) });

describe("an event", () => {
  test("reaches its handler with its bytes as they came", async () => {
    const { send } = startEdge();

    const answer = await send("å".repeat(5_000));

    expect([answer.status, await answer.json()]).toEqual([200, { size: 10_000 }]);
  });

  test.each([
    ["in one piece", () => "x".repeat(10_001)],
    ["without a length", () => new Response("x".repeat(10_001)).body ?? ""],
  ])("over its cap is refused with 413, %s", async (_, bodyOf) => {
    const { send } = startEdge();

    const answer = await send(bodyOf());

    expect([answer.status, await answer.json()]).toMatchObject([413, { code: "request_too_large" }]);
  });

  test("that the head alone refuses is not read", async () => {
    const { send } = startEdge({ admit: (deps, exchange) => jsonResponse(deps, exchange, 401, {}) });

    const answer = await send(endless());

    expect(answer.status).toBe(401);
  });

  test("is answered in the protocol's own form where something fails", async () => {
    const { send } = startEdge({
      receive: () => {
        throw databaseUnavailable("no connection");
      },
      refuse: (deps, exchange, { status, retryAfterSeconds }) =>
        jsonResponse(deps, exchange, status, { own: retryAfterSeconds ?? null }),
    });

    const answer = await send("x");

    expect([answer.status, Object.keys(await answer.json())]).toEqual([503, ["own"]]);
  });
});

describe("a source that floods", () => {
  test("is answered 429 beyond fifty events at once, and members are served meanwhile", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { send, page } = startEdge({
      receive: async (deps, exchange, body) => {
        await promise;
        return sizeOf(deps, exchange, body);
      },
    });

    const answers = Array.from({ length: 60 }, () => send("x"));
    const shown = await page();
    const refused = await Promise.all(answers.slice(50));
    resolve();
    const taken = await Promise.all(answers.slice(0, 50));

    expect(shown.status).toBe(200);
    expect(refused.map(({ status, headers }) => [status, headers.get("retry-after")])).toEqual(
      Array.from({ length: 10 }, () => [429, "1"]),
    );
    expect(taken.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200));
    expect((await send("x")).status).toBe(200);
  });

  test("with bodies that do not come gives its oldest ones up", async () => {
    const { send } = startEdge();

    const slow = Array.from({ length: 200 }, () => send(endless()));
    const next = await send("x");
    const first = await slow[0];

    expect([next.status, first?.status]).toEqual([200, 408]);
  });

  test("is not limited by its address", async () => {
    const { send } = startEdge();

    const statuses = new Set<number>();
    for (let sent = 0; sent < 1_000; sent += 1) statuses.add((await send("x")).status);

    expect([...statuses]).toEqual([200]);
  });
});
