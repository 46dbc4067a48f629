/** Answers that mean harm, byte for byte from a server below HTTP: compressed ones, and those that lie or never end. */
import { afterAll, afterEach, describe, expect, test } from "bun:test";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { checkHealth } from "../../lib/cli/commands/healthcheck.ts";
import { providerClientRejected, providerUnavailable } from "../../lib/errors.ts";
import { retryAfterSeconds } from "../../lib/oauth/outage.ts";
import type { Upstream } from "../../lib/oauth/upstream.ts";
import { send } from "../../lib/oauth/upstream.ts";
import { NO_LOG } from "../../lib/telemetry/log.ts";
import { rejection } from "../harness/rejection.ts";
import type { RawAnswer } from "../standins/raw.ts";
import { makeBomb, rawAnswer, startRaw } from "../standins/raw.ts";

const SHORT_DEADLINE_MS = 500;
/** What Janus reads of a body is 256 KiB; the rest is buffers of the runtime. */
const MAX_GROWTH_BYTES = 96 * 1024 * 1024;
const BOMB_MEBIBYTES = 512;
const COMPRESSED = "call: the answer is compressed, although Janus asked for an uncompressed one";

const upstreamWith = (deadlineMs: number): Upstream => ({
  name: "provider",
  fetch: (url, init) => fetch(url, init),
  log: NO_LOG,
  deadlineMs,
  userAgent: "Janus/test",
  unavailable: providerUnavailable,
  clientRejected: providerClientRejected,
});
const patient = upstreamWith(300_000);
const hasty = upstreamWith(SHORT_DEADLINE_MS);

const started: { readonly stop: () => void }[] = [];
afterEach(() => {
  for (const server of started.splice(0)) server.stop();
});
const wellBehaved = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("right") });
afterAll(() => wellBehaved.stop(true));

function start(answer: RawAnswer) {
  const server = startRaw(answer);
  started.push(server);
  return server;
}
const call = (answer: RawAnswer, by = patient) => send(by, "call", start(answer).url, { headers: {} });

/** Runs work, and says by how much the memory of this process was above what it was before. */
async function measureGrowth<Result>(work: Promise<Result>): Promise<readonly [Result, number]> {
  Bun.gc(true);
  const before = process.memoryUsage.rss();
  let most = before;
  const look = () => {
    most = Math.max(most, process.memoryUsage.rss());
  };
  const timer = setInterval(look, 5);
  const result = await work.finally(() => clearInterval(timer));
  look();
  return [result, most - before];
}

describe("a compressed answer", () => {
  test.each(["gzip", "deflate", "br", "zstd"])(
    "takes no memory when it inflates to 512 MiB by %s",
    async (encoding) => {
      const bomb = await makeBomb(encoding, BOMB_MEBIBYTES);
      expect(bomb.byteLength).toBeLessThan(BOMB_MEBIBYTES * 1_100);

      const work = async () => {
        const refused = rejection(call(rawAnswer(bomb, { "content-encoding": encoding })));
        const meanwhile = await send(patient, "call", wellBehaved.url.href, { headers: {} });
        return { refused: await refused, meanwhile };
      };
      const [{ refused, meanwhile }, growth] = await measureGrowth(work());

      expect([refused.code, refused.message]).toEqual(["provider_unavailable", COMPRESSED]);
      expect(meanwhile.text).toBe("right");
      expect(growth).toBeLessThan(MAX_GROWTH_BYTES);
    },
  );

  const text = Buffer.from('{"a":1}');
  test.each([
    ["gzip", gzipSync(text)],
    ["GZip", gzipSync(text)],
    ["x-gzip", gzipSync(text)],
    ["deflate", deflateSync(text)],
    ["br", brotliCompressSync(text)],
    ["zstd", zstdCompressSync(text)],
    ["gzip, br", brotliCompressSync(gzipSync(text))],
    ["identity, gzip", gzipSync(text)],
    ["compress", text],
    ["aws-chunked", text],
  ])("is refused as content-encoding %s, even if small", async (encoding, body) => {
    const error = await rejection(call(rawAnswer(body, { "content-encoding": encoding })));

    expect([error.code, error.message]).toEqual(["provider_unavailable", COMPRESSED]);
  });

  test.each(["gzip", "gzip, chunked", "deflate"])(
    "is refused with transfer-encoding %s",
    async (encoding) => {
      const body = gzipSync(text);
      const chunked = Buffer.concat([
        Buffer.from(
          `HTTP/1.1 200 OK\r\ntransfer-encoding: ${encoding}\r\n\r\n${body.length.toString(16)}\r\n`,
        ),
        body,
        Buffer.from("\r\n0\r\n\r\n"),
      ]);

      const error = await rejection(call(chunked));

      expect([error.code, error.message]).toEqual(["provider_unavailable", COMPRESSED]);
    },
  );

  test("is refused with a second header after identity", async () => {
    const body = gzipSync(text);
    const head = `HTTP/1.1 200 OK\r\ncontent-encoding: identity\r\ncontent-encoding: gzip\r\ncontent-length: ${body.length}`;

    const error = await rejection(call(Buffer.concat([Buffer.from(`${head}\r\n\r\n`), body])));

    expect(error.message).toBe(COMPRESSED);
  });

  test.each([429, 500, 503])("with status %d is returned without its body", async (status) => {
    const headers = { "content-encoding": "gzip", "retry-after": "17" };

    const answer = await call(rawAnswer(gzipSync(text), headers, `${status} Slow Down`));

    expect([answer.status, answer.text, retryAfterSeconds(answer)]).toEqual([status, "", 17]);
  });

  test("does not satisfy healthcheck", async () => {
    const body = gzipSync(Buffer.from('{"status":"alive"}'));
    const { url } = start(rawAnswer(body, { "content-encoding": "gzip" }));

    const error = await rejection(
      checkHealth({ json: false, ready: false }, { PORT: new URL(url).port, HOST: "127.0.0.1" }),
    );

    expect([error.code, error.message]).toEqual([
      "unhealthy",
      expect.stringContaining("the answer is compressed"),
    ]);
  });
});

describe("send()", () => {
  test("asks for an uncompressed answer, whatever headers it is given", async () => {
    const server = start(rawAnswer("{}"));

    await send(patient, "call", server.url, { headers: { "accept-encoding": "gzip" } });

    const [request = ""] = server.asked;
    expect(request.toLowerCase().match(/^accept-encoding: .*$/gm)).toEqual(["accept-encoding: identity"]);
  });

  test.each(["", "identity", "Identity", "IDENTITY", "identity, identity"])(
    "reads an answer with content-encoding %j",
    async (encoding) => {
      expect((await call(rawAnswer("{}", { "content-encoding": encoding }))).text).toBe("{}");
    },
  );

  test.each([
    ["a chunk at a time", `2\r\n{}\r\n0\r\n\r\n`],
    ["with a trailer that says gzip", "2\r\n{}\r\n0\r\ncontent-encoding: gzip\r\n\r\n"],
  ])("reads an answer %s", async (_, chunks) => {
    expect((await call(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunks}`)).text).toBe("{}");
  });

  const filler = "b".repeat(16_384);
  const chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
  test.each([
    ["headers without end", { first: "HTTP/1.1 200 OK\r\n", thenForEver: `x-a: ${filler}\r\n` }],
    ["one header without end", { first: "HTTP/1.1 200 OK\r\nx-a: ", thenForEver: filler }],
    ["many small headers without end", { first: "HTTP/1.1 200 OK\r\n", thenForEver: "x: y\r\n" }],
    ["1xx without end", { first: "", thenForEver: "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" }],
    ["100 Continue without end", { first: "", thenForEver: "HTTP/1.1 100 Continue\r\n\r\n" }],
    ["chunks of a byte without end", { first: chunked, thenForEver: "1\r\n \r\n".repeat(1_000) }],
    ["an extension of a chunk without end", { first: `${chunked}1;`, thenForEver: filler }],
    ["one chunk without end", { first: `${chunked}7fffffff\r\n`, thenForEver: filler }],
    ["trailers without end", { first: `${chunked}2\r\n{}\r\n0\r\n`, thenForEver: `x-a: ${filler}\r\n` }],
    ["a body without a length, without end", { first: "HTTP/1.1 200 OK\r\n\r\n", thenForEver: filler }],
    [
      "chunks without end that say a length of 2",
      {
        first: "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n",
        thenForEver: `4000\r\n${filler}\r\n`,
      },
    ],
    [
      "a length that is a lie",
      { first: "HTTP/1.1 200 OK\r\ncontent-length: 9000000000\r\n\r\n", thenForEver: filler },
    ],
    ["no byte of the body that was promised", "HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n"],
    ["less than it promises", rawAnswer("{}", { "content-length": "20" })],
    ["a length below nothing", rawAnswer("{}", { "content-length": "-5" })],
    ["two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 300\r\n\r\n{}"],
    ["another protocol", "SSH-2.0-OpenSSH_9.2\r\n"],
    ["a switch of protocols that nobody asked for", "HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n{}"],
  ] satisfies readonly (readonly [string, RawAnswer])[])("bounds its memory at %s", async (_, answer) => {
    const work = async () => {
      const refused = rejection(call(answer, hasty));
      const meanwhile = await send(patient, "call", wellBehaved.url.href, { headers: {} });
      return { refused: await refused, meanwhile };
    };

    const [{ refused, meanwhile }, growth] = await measureGrowth(work());

    expect([refused.code, meanwhile.text]).toEqual(["provider_unavailable", "right"]);
    expect(growth).toBeLessThan(MAX_GROWTH_BYTES);
  });

  test("holds chunks to the cap, whatever length is announced", async () => {
    const error = await rejection(
      call({
        first: "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n",
        thenForEver: `4000\r\n${filler}\r\n`,
      }),
    );

    expect(error.message).toBe("call: the answer is over 262144 bytes");
  });

  test("reads no more than the announced length", async () => {
    expect((await call(rawAnswer('{}{"more":1}', { "content-length": "2" }))).text).toBe("{}");
  });
});
