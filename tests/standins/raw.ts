/**
 * A server below HTTP: it sends what a test gives it, byte for byte, however wrong that is. It stands in for an upstream
 * that means harm, or for what a broken gateway puts in its place.
 */
import { once } from "node:events";
import type { BrotliCompress, Deflate, Gzip, ZstdCompress } from "node:zlib";
import { constants, createBrotliCompress, createDeflate, createGzip, createZstdCompress } from "node:zlib";

/** What comes: bytes, or pieces that are asked for one after the other as long as the connection takes them. */
export type RawAnswer = string | Uint8Array | { readonly first: string; readonly thenForEver: string };

const WAIT_MS = 2;
/** Sent in one go at most, so that an answer without end leaves the test its turn. */
const MAX_ROUND_BYTES = 4 * 1024 * 1024;

type Connection = { begun: boolean; open: boolean };
type Timers = Set<ReturnType<typeof setTimeout>>;

/** Starts one. Each connection gets the same answer as soon as it says anything. */
export function startRaw(answer: RawAnswer) {
  const timers: Timers = new Set();
  const asked: string[] = [];
  const server = Bun.listen<Connection>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: (socket) => {
        socket.data = { begun: false, open: true };
      },
      close: ({ data }) => {
        data.open = false;
      },
      error: () => undefined,
      data: (socket, bytes) => {
        asked.push(bytes.toString("latin1"));
        if (socket.data.begun) return;
        socket.data.begun = true;
        keepSending(socket, answer, timers);
      },
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}/`,
    /** The requests, as they came. */
    asked,
    stop: (): void => {
      for (const timer of timers) clearTimeout(timer);
      server.stop(true);
    },
  };
}

/** Sends in rounds, so that the connection may close and the test has its turn. */
function keepSending(socket: Bun.Socket<Connection>, answer: RawAnswer, timers: Timers): void {
  const isEndless = typeof answer === "object" && "first" in answer;
  let left: Uint8Array = Buffer.from(isEndless ? answer.first : answer);
  const more = isEndless ? Buffer.from(answer.thenForEver) : Buffer.alloc(0);
  const sendRound = (): boolean => {
    for (let sent = 0; socket.data.open && sent < MAX_ROUND_BYTES; ) {
      if (left.length === 0) left = more;
      const taken = socket.write(left);
      if (taken <= 0) break;
      left = left.subarray(taken);
      sent += taken;
    }
    return socket.data.open && (isEndless || left.length > 0);
  };
  const send = (): void => {
    if (!sendRound()) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      send();
    }, WAIT_MS);
    timers.add(timer);
  };
  send();
}

/** An answer of status line, headers and body, with the body's length unless another is given. */
export function rawAnswer(
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
  status = "200 OK",
): Uint8Array {
  const bytes = Buffer.from(body);
  const all = { "content-type": "application/json", "content-length": String(bytes.length), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status}\r\n${lines.join("")}\r\n`), bytes]);
}

const COMPRESSORS: Readonly<Record<string, () => BrotliCompress | Deflate | Gzip | ZstdCompress>> = {
  gzip: createGzip,
  deflate: createDeflate,
  // Less than its best, which takes half a minute over so many blanks.
  br: () => createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
  zstd: createZstdCompress,
};

/** Blanks of so many mebibytes, compressed: a small answer that is a huge one where somebody decompresses it. */
export async function makeBomb(encoding: string, mebibytes: number): Promise<Uint8Array> {
  const compressor = COMPRESSORS[encoding]?.();
  if (compressor === undefined) throw new Error(`no compressor for ${encoding}`);
  const parts: Buffer[] = [];
  compressor.on("data", (part: Buffer) => void parts.push(part));
  const blanks = Buffer.alloc(1024 * 1024, 0x20);
  for (let n = 0; n < mebibytes; n++) if (!compressor.write(blanks)) await once(compressor, "drain");
  compressor.end();
  await once(compressor, "end");
  return Buffer.concat(parts);
}
