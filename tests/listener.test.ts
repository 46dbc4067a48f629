/** What listens, by itself: what it does with connections when it is told to stop. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { readConfig } from "../lib/config.ts";
import { type Listening, listen } from "../lib/listener.ts";
import { environmentFor } from "./harness/janus.ts";

// What takes milliseconds may take seconds on a machine that is busy.
setDefaultTimeout(30_000);

const POST = "POST / HTTP/1.1\r\nHost: janus\r\nContent-Length: 0\r\n\r\n";
const CONNECTIONS = 20;

function startListener(): Listening {
  const standin = {
    apiUrl: "https://discord.test",
    authorizeUrl: "https://discord.test/a",
    cdnUrl: "https://cdn.test",
  };
  const config = readConfig(environmentFor("https://janus.test", standin, "https://auth.test"));
  return listen({ ...config, port: 0 }, { fetch: () => new Response("ok"), routes: [] });
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
