/** What listens, by itself: what it does with connections when it is told to stop. */
import { expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { readConfig } from "../../lib/config/load.ts";
import { type Listening, listen } from "../../lib/server/listener.ts";
import { environmentFor } from "../harness/janus.ts";

const POST = "POST / HTTP/1.1\r\nHost: janus\r\nContent-Length: 0\r\n\r\n";
const CONNECTIONS = 20;

/** What a proxy in front must not let a stranger send to somebody else's connection. */
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

/** What comes back before the connection ends, in words. */
function outcomeOf(socket: Socket): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.on("data", (chunk) => resolve(chunk.toString().slice(0, 12)));
  socket.on("close", () => resolve("closed"));
  return promise;
}

test.each([
  ["on new connections", false],
  ["on connections that were used before", true],
])("stop() answers requests that have arrived but were not read yet, %s", async (_, used) => {
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

test("stop() closes connections on which nothing is asked, and takes no new one", async () => {
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
  ["a body of a GET", 200, "GET", inBody, SMUGGLED],
  ["a body in chunks of a GET", 200, "GET", "Transfer-Encoding: chunked", inChunk],
  ["a body", 200, "POST", inBody, SMUGGLED],
  ["a body in chunks", 200, "POST", "Transfer-Encoding: chunked", inChunk],
  ["two ways to tell the length", 400, "POST", afterChunks, `0\r\n\r\n${SMUGGLED}`],
  ["two ways, of a GET", 400, "GET", afterChunks, `0\r\n\r\n${SMUGGLED}`],
  ["two lengths", 400, "POST", `Content-Length: 0\r\n${inBody}`, SMUGGLED],
  ["a list of lengths", 400, "POST", `Content-Length: 0, ${SMUGGLED.length}`, SMUGGLED],
  ["a length with a sign", 400, "POST", `Content-Length: +${SMUGGLED.length}`, SMUGGLED],
  ["a blank before the colon", 400, "POST", "Transfer-Encoding : chunked\r\nContent-Length: 0", SMUGGLED],
  ["a coding that nobody knows", 400, "POST", `Transfer-Encoding: xchunked\r\n${inBody}`, SMUGGLED],
  ["a header on two lines", 400, "POST", "Transfer-Encoding:\r\n chunked\r\nContent-Length: 0", SMUGGLED],
])("%s is one request, or none: answered with %d", async (_, status, method, headers, body) => {
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
