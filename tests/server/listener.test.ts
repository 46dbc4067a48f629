/** The listener by itself: how it stops, and how it reads requests whose length is ambiguous. */
import { expect, test } from "bun:test";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { readConfig } from "../../lib/config/load.ts";
import type { Listening } from "../../lib/server/listener.ts";
import { listen } from "../../lib/server/listener.ts";
import { environmentFor } from "../harness/janus.ts";

const POST = "POST / HTTP/1.1\r\nHost: janus\r\nContent-Length: 0\r\n\r\n";
const CONNECTIONS = 20;

/** A request hidden in the body of another one. Behind a proxy it would pass for a request of another client. */
const SMUGGLED = "POST /smuggled HTTP/1.1\r\nHost: janus\r\nContent-Length: 0\r\n\r\n";

function startListener(answer = (_: Request) => new Response("ok")): Listening {
  const standin = {
    apiUrl: "https://discord.test",
    authorizeUrl: "https://discord.test/a",
    cdnUrl: "https://cdn.test",
  };
  const config = readConfig(environmentFor("https://janus.test", standin, "https://auth.test"));
  return listen({ ...config, port: 0 }, { fetch: answer });
}

function open(listening: Listening): Promise<Socket> {
  const { hostname, port } = new URL(listening.address);
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect(Number(port), hostname, () => resolve(socket));
  socket.on("error", reject);
  return promise;
}

/** The status line that comes back, or "closed" when the connection ends without one. */
function outcomeOf(socket: Socket): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.on("data", (chunk) => resolve(chunk.toString().slice(0, 12)));
  socket.on("close", () => resolve("closed"));
  return promise;
}

test.each([
  ["on new connections", false],
  ["on connections that were used before", true],
])("stop() answers requests not read yet, %s", async (_, used) => {
  const listening = startListener();
  const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, () => open(listening)));
  if (used) {
    for (const socket of sockets) socket.write(POST);
    await Promise.all(sockets.map(outcomeOf));
  }

  const outcomes = sockets.map(outcomeOf);
  for (const socket of sockets) socket.write(POST);
  await listening.stop();

  expect(new Set(await Promise.all(outcomes))).toEqual(new Set(["HTTP/1.1 200"]));
});

test("stop() closes idle connections and accepts no new one", async () => {
  const listening = startListener();
  const socket = await open(listening);
  socket.write(POST);
  const answer = await outcomeOf(socket);
  const outcome = outcomeOf(socket);

  await listening.stop();

  expect([answer, await outcome]).toEqual(["HTTP/1.1 200", "closed"]);
  expect(await open(listening).catch(() => "refused")).toBe("refused");
});

const inBody = `Content-Length: ${SMUGGLED.length}`;
const inChunk = `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`;
const afterChunks = `Content-Length: ${SMUGGLED.length + 5}\r\nTransfer-Encoding: chunked`;

test.each([
  ["the body of a GET", 200, "GET", inBody, SMUGGLED],
  ["the chunked body of a GET", 200, "GET", "Transfer-Encoding: chunked", inChunk],
  ["the body of a POST", 200, "POST", inBody, SMUGGLED],
  ["the chunked body of a POST", 200, "POST", "Transfer-Encoding: chunked", inChunk],
  ["a POST with a length and chunks", 400, "POST", afterChunks, `0\r\n\r\n${SMUGGLED}`],
  ["a GET with a length and chunks", 400, "GET", afterChunks, `0\r\n\r\n${SMUGGLED}`],
  ["a request with two lengths", 400, "POST", `Content-Length: 0\r\n${inBody}`, SMUGGLED],
  ["a request with a list of lengths", 400, "POST", `Content-Length: 0, ${SMUGGLED.length}`, SMUGGLED],
  ["a request whose length has a sign", 400, "POST", `Content-Length: +${SMUGGLED.length}`, SMUGGLED],
  [
    "a header with a blank before its colon",
    400,
    "POST",
    "Transfer-Encoding : chunked\r\nContent-Length: 0",
    SMUGGLED,
  ],
  ["a request with an unknown coding", 400, "POST", `Transfer-Encoding: xchunked\r\n${inBody}`, SMUGGLED],
  [
    "a header folded over two lines",
    400,
    "POST",
    "Transfer-Encoding:\r\n chunked\r\nContent-Length: 0",
    SMUGGLED,
  ],
])("listen() finds no second request in %s: %d", async (_, status, method, headers, body) => {
  const paths: string[] = [];
  const listening = startListener(({ url }) => {
    paths.push(new URL(url).pathname);
    return new Response("ok");
  });
  const socket = await open(listening);

  socket.write(`${method} /asked HTTP/1.1\r\nHost: janus\r\n${headers}\r\n\r\n${body}`);
  const outcome = await outcomeOf(socket);
  await listening.stop();

  expect(outcome).toBe(`HTTP/1.1 ${status}`);
  expect(paths).toEqual(status === 200 ? ["/asked"] : []);
});
