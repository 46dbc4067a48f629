/** Bodies of requests: forms that do not arrive and bodies that nobody reads do not keep others out. */

import { beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { createApp } from "../../index.ts";
import { startFlow } from "../../lib/flow/record.ts";
import type { Listener } from "../../lib/http/edge.ts";
import { useJanus } from "../harness/hooks.ts";
import { createBrowser, lastCode, startJanusWithForger, UNHEARD } from "../harness/janus.ts";
import { cookieOf, secretsOf, signIn } from "../harness/sign_in.ts";
import { moveStateIn, newUser, reachForgerCallback } from "../harness/walk.ts";

const janus = useJanus(() => startJanusWithForger({ forger: { freshSubjects: true } }));
let cookie: string;
beforeAll(async () => {
  cookie = cookieOf(secretsOf(janus, await signIn(janus, newUser())));
});

const FORM = "application/x-www-form-urlencoded";
const PEER = "x-test-peer";

/** The cookie of a browser that was asked whether to move a link. */
function moveCookie(): string {
  const { name, value } = startFlow(janus.deps, "move").record;
  return `janus_flow_${name}=${value}`;
}

/** A body that stops after its first bytes. `cancelled` resolves when its reader gives it up. */
function endless(first = "s") {
  const cancelled = Promise.withResolvers<void>();
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(Buffer.from(first)),
    cancel: () => cancelled.resolve(),
  });
  return { stream, cancelled: cancelled.promise };
}

/** The application by itself. A header of the test's names the peer. */
function startEdge(seen: Partial<Listener> = {}, shared = janus.shared) {
  const app = createApp(shared, {
    ...UNHEARD,
    peerAddress: (request) => request.headers.get(PEER) ?? "192.0.2.1",
    ...seen,
  });
  const ask = async (
    path: string,
    method: string,
    headers: Readonly<Record<string, string>> = {},
    body: ReadableStream<Uint8Array> | string | null = null,
  ): Promise<Response> =>
    app.fetch(new Request(janus.url + path, { method, body, headers: { origin: janus.url, ...headers } }));
  /** Sends a form that is allowed, and whose body does not come. */
  const waitFrom = (peer: string): Promise<Response> =>
    ask("/link/move", "POST", { [PEER]: peer, cookie: moveCookie(), "content-type": FORM }, endless().stream);
  return { ask, waitFrom };
}

/** How many are answered by now. */
async function countAnswered(answers: readonly Promise<Response>[]): Promise<number> {
  const waits = Symbol();
  // Twice: the second round of the loop ends the work that the first one began.
  for (let round = 0; round < 2; round += 1) await new Promise((resolve) => setImmediate(resolve));
  const states = await Promise.all(answers.map((answer) => Promise.race([answer, Promise.resolve(waits)])));
  return states.filter((state) => state !== waits).length;
}

describe("forms on their way", () => {
  test("delay no requests and no forms, even 1,400 from six addresses", async () => {
    const { ask, waitFrom } = startEdge();
    const slow = Array.from({ length: 1_400 }, (_, index) => waitFrom(`192.0.2.${index % 6}`));

    const page = await ask("/api/sessions", "GET", { [PEER]: "198.51.100.1", cookie });
    const headers = { [PEER]: "198.51.100.1", cookie: moveCookie(), "content-type": FORM };
    const form = await ask("/link/move", "POST", headers, "state=another");
    const ofAttacker = await ask("/link/move", "POST", { ...headers, [PEER]: "192.0.2.1" }, "state=another");

    expect(page.status).toBe(200);
    // Read, and refused for what it says.
    expect([form.status, ofAttacker.status]).toEqual([403, 403]);
    // Twenty of each address wait; of the address that sent another form, one less.
    expect(slow.length - (await countAnswered(slow))).toBe(6 * 20 - 1);
  });

  test("are bounded together, and the longest wait makes room", async () => {
    const { ask, waitFrom } = startEdge();
    const slow = Array.from({ length: 500 }, (_, index) => waitFrom(`2001:db8:0:${index.toString(16)}::1`));

    const headers = { [PEER]: "198.51.100.1", cookie: moveCookie(), "content-type": FORM };
    const form = await ask("/link/move", "POST", headers, "state=another");

    expect(form.status).toBe(403);
    expect(await countAnswered(slow)).toBe(301);
    expect((await slow[0])?.status).toBe(408);
    expect(await countAnswered(slow.slice(301))).toBe(0);
  });

  test("count for the whole network of an IPv6 address", async () => {
    const { waitFrom } = startEdge();
    const slow = Array.from({ length: 60 }, (_, index) => waitFrom(`2001:db8::${index.toString(16)}`));

    expect(slow.length - (await countAnswered(slow))).toBe(20);
  });

  test("no longer count after they have arrived", async () => {
    const { ask } = startEdge();
    const headers = { cookie: moveCookie(), "content-type": FORM };

    const answers: number[] = [];
    for (let count = 0; count < 300; count += 1)
      answers.push((await ask("/link/move", "POST", headers, "state=another")).status);

    expect(new Set(answers)).toEqual(new Set([403]));
  });

  test("are answered 408 when they break off", async () => {
    const { ask } = startEdge();
    const broken = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(Buffer.from("st")),
      pull: (controller) => controller.error(new Error("gone")),
    });

    const answer = await ask("/link/move", "POST", { cookie: moveCookie(), "content-type": FORM }, broken);

    expect(answer.status).toBe(408);
    expect(lastCode(janus)).toBe("request_timeout");
  });
});

describe.each(["/link/move", "/link/keep"])("POST %s", (path) => {
  const old = (): string => {
    const then = new Date(janus.clock.now().getTime() - 601_000);
    const { name, value } = startFlow({ ...janus.deps, now: () => then }, "move").record;
    return `janus_flow_${name}=${value}`;
  };
  const atAnotherLeg = (): string => {
    const { name, value } = startFlow(janus.deps, "discord").record;
    return `janus_flow_${name}=${value}`;
  };

  test.each<[string, () => Readonly<Record<string, string>>, number, string]>([
    ["no flow", () => ({}), 403, "state_mismatch"],
    ["a flow at another leg", () => ({ cookie: atAnotherLeg() }), 403, "state_mismatch"],
    ["a flow that nobody began", () => ({ cookie: "janus_flow_a=move.0.x" }), 403, "state_mismatch"],
    ["another Origin", () => ({ cookie: moveCookie(), origin: "https://a.example" }), 403, "origin_refused"],
    ["no type", () => ({ cookie: moveCookie(), "content-type": "" }), 400, "callback_malformed"],
    [
      "another type",
      () => ({ cookie: moveCookie(), "content-type": "text/plain" }),
      400,
      "callback_malformed",
    ],
    [
      "a length over the cap",
      () => ({ cookie: moveCookie(), "content-length": "4097" }),
      413,
      "request_too_large",
    ],
  ])("refuses a form with %s before its body", async (_, headers, status, code) => {
    const { ask } = startEdge();

    const answer = await ask(path, "POST", { "content-type": FORM, ...headers() }, endless().stream);

    expect(answer.status).toBe(status);
    expect(lastCode(janus)).toBe(code);
  });

  test("refuses a flow that is too old, unless nothing is to change", async () => {
    const { ask } = startEdge();
    const headers = { "content-type": FORM, cookie: old() };

    const answer = await ask(path, "POST", headers, "state=another");

    expect(answer.status).toBe(403);
    expect(lastCode(janus)).toBe(path === "/link/move" ? "flow_expired" : "state_mismatch");
  });
});

describe("POST /account/sessions", () => {
  test.each<[string, () => Readonly<Record<string, string>>, number, string]>([
    ["no session", () => ({}), 401, "unauthenticated"],
    ["another Origin", () => ({ cookie, origin: "https://a.example" }), 403, "origin_refused"],
    ["no type", () => ({ cookie, "content-type": "" }), 400, "callback_malformed"],
    ["a length over the cap", () => ({ cookie, "content-length": "4097" }), 413, "request_too_large"],
  ])("refuses a form with %s before its body", async (_, headers, status, code) => {
    const { ask } = startEdge();
    const given = { "content-type": FORM, ...headers() };

    const answer = await ask("/account/sessions", "POST", given, endless().stream);

    expect(answer.status).toBe(status);
    expect(lastCode(janus)).toBe(code);
  });
});

const FORMLESS = [
  ["POST", "/account/unlink"],
  ["POST", "/api/auth/logout"],
  ["POST", "/api/link/sync"],
  ["DELETE", "/api/sessions/all"],
  ["DELETE", "/api/link"],
  ["POST", "/linked-role"],
  ["PUT", "/nowhere"],
] as const;

describe("a body that nobody needs", () => {
  test.each(FORMLESS)("is not waited for by %s %s", async (method, path) => {
    const { ask } = startEdge();

    const refused = await ask(path, method, { origin: "https://a.example" }, endless().stream);
    const answered = await ask(
      path,
      method,
      { cookie: cookieOf({ sessionId: "a", sessionKey: "b" }) },
      endless().stream,
    );

    expect(refused.status).toBeGreaterThanOrEqual(400);
    expect(answered.status).toBeLessThan(500);
  });

  test("is thrown away as it comes, while the request waits", async () => {
    const gate = Promise.withResolvers<undefined>();
    const findSession: typeof janus.deps.queries.findSession = () => gate.promise;
    const { ask } = startEdge({}, { ...janus.shared, queries: { ...janus.deps.queries, findSession } });
    const { stream, cancelled } = endless("x".repeat(10_000));

    const answer = ask("/account/unlink", "POST", { cookie, "transfer-encoding": "chunked" }, stream);
    await cancelled;
    gate.resolve(undefined);

    expect((await answer).status).toBe(401);
  });
});

/** One connection: all that comes back, and when the other side closes it. */
function open(bytes: string, trickle?: string) {
  const { hostname, port } = new URL(janus.url);
  const received: string[] = [];
  const first = Promise.withResolvers<string>();
  const closed = Promise.withResolvers<void>();
  const socket = connect(Number(port), hostname, () => socket.write(bytes));
  const timer = trickle === undefined ? undefined : setInterval(() => socket.write(trickle), 200);
  socket.on("data", (data) => {
    received.push(data.toString());
    first.resolve(received.join("").slice(9, 12));
  });
  socket.on("error", () => undefined);
  socket.on("close", () => {
    clearInterval(timer);
    closed.resolve();
  });
  return { socket, received, first: first.promise, closed: closed.promise };
}

describe("a connection", () => {
  const head = (path: string, more: string): string =>
    `POST ${path} HTTP/1.1\r\nHost: janus\r\nOrigin: ${janus.url}\r\n${more}\r\n\r\n`;
  const TYPE = `Content-Type: ${FORM}\r\n`;

  test("is closed soon if its body is not read, even if bytes trickle in", async () => {
    const connections = [
      open(head("/account/unlink", "Content-Length: 4000")),
      open(head("/account/unlink", "Content-Length: 4000"), "x"),
      open(head("/api/link/sync", "Transfer-Encoding: chunked"), "1\r\nx\r\n"),
      open(head("/link/move", `${TYPE}Content-Length: 4000`), "x"),
      open(head("/nowhere", "Content-Length: 4000"), "x"),
      open(head("/api/auth/logout", "Content-Length: 100000"), "x"),
    ];

    const statuses = await Promise.all(connections.map(({ first }) => first));
    await Promise.all(connections.map(({ closed }) => closed));

    expect(statuses).toEqual(["401", "401", "401", "403", "404", "413"]);
  });

  test("answers its requests in order, and no request inside a body", async () => {
    const smuggled = "GET /healthz HTTP/1.1\r\nHost: janus\r\n\r\n";
    const { socket, received, first } = open(
      `${head("/api/auth/logout", `Content-Length: ${smuggled.length}`)}${smuggled}`,
    );
    await first;
    socket.write("GET /nowhere HTTP/1.1\r\nHost: janus\r\nConnection: close\r\n\r\n");
    await new Promise((resolve) => socket.on("close", resolve));

    const statuses = [...received.join("").matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
    expect(statuses).toEqual(["200", "404"]);
  });

  test("answers a form that arrives in pieces, and stays open", async () => {
    const body = "state=another";
    const flow = `Cookie: ${moveCookie()}\r\n`;
    const { socket, first } = open(
      head("/link/move", `${flow}${TYPE}Content-Length: ${body.length}`),
      undefined,
    );
    socket.once("connect", () => {
      for (const byte of body) socket.write(byte);
    });

    expect(await first).toBe("403");
    expect(socket.destroyed).toBe(false);
    socket.destroy();
  });
});

test("POST /link/move refuses a doubled state, and then moves the link", async () => {
  const own = await startJanusWithForger();
  const [first, second] = [createBrowser(own.url), createBrowser(own.url)];
  await first.get(await reachForgerCallback(first, newUser()));
  const question = await second.get(await reachForgerCallback(second, newUser()));
  const state = moveStateIn(await question.text());

  const doubled = await fetch(`${own.url}/link/move`, {
    method: "POST",
    headers: { origin: own.url, cookie: second.jar.header(new URL(own.url)), "content-type": FORM },
    body: `state=${state}&state=${state}`,
  });
  const moved = await second.post("/link/move", { state });

  expect([doubled.status, moved.status]).toEqual([400, 200]);
  await own.stop();
});
