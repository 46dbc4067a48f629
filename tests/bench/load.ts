/**
 * A load generator for one constant request: raw sockets that stay open, one request under way on each, answers
 * counted and not parsed, since a client that parses costs more than a server that redirects.
 */

const CONNECTIONS = 64;
/** "HTTP/1.1 302": where the status stands. */
const STATUS_AT = 9;
const CR = 13;
const LF = 10;

/** Counts the redirects that a server answers in the time. Throws if one is no redirect. */
export async function countRedirects(port: number, path: string, ms: number): Promise<number> {
  const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: janus.example.org\r\nAccept: text/html\r\n\r\n`);
  let count = 0;
  const failed = Promise.withResolvers<never>();
  const connect = () =>
    Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data(socket, chunk) {
          // An answer without a body ends as its head does; it fits in one segment, and a part of one does not end so.
          const { length } = chunk;
          if (chunk[length - 1] !== LF || chunk[length - 3] !== LF || chunk[length - 2] !== CR) return;
          if (chunk[STATUS_AT] !== 0x33) failed.reject(new Error("an answer is no redirect"));
          count += 1;
          socket.write(request);
        },
        close: () => failed.reject(new Error("a connection was closed")),
      },
    });
  const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, connect));
  for (const socket of sockets) socket.write(request);
  await Promise.race([Bun.sleep(ms), failed.promise]);
  const counted = count;
  failed.promise.catch(() => undefined);
  for (const socket of sockets) socket.terminate();
  return counted;
}
