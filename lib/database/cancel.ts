/**
 * The request that ends a statement: a connection of its own, sixteen bytes, and the server hangs up. That also says
 * that somebody is there. PostgreSQL's manual, "Canceling Requests in Progress"
 */
import type { Socket } from "node:net";
import { connect, isIP } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { connect as connectSecurely } from "node:tls";
import { createDeadlines } from "../time.ts";

/** What a server gave a connection to cancel its statements with. */
export type CancelKey = { readonly pid: number; readonly secret: number };

/** Where to, and how it is encrypted. With `prefer`, it goes on without TLS if the server has none. */
type CancelTarget = {
  readonly host: string;
  readonly port: number;
  readonly tls: false | "prefer" | ConnectionOptions;
};

const CANCEL_MS = 1_000;
const deadlines = createDeadlines(CANCEL_MS);
const CANCEL_CODE = 80_877_102;
const TLS_CODE = 80_877_103;
const WITH_TLS = "S";

/**
 * Asks a server to end a statement. True once the server has hung up or the connection has failed: a reset and a refusal
 * are answers too, of a proxy that restarts for one. False if nothing comes back within a second.
 */
export function requestCancel(
  { host, port, tls }: CancelTarget,
  { pid, secret }: CancelKey,
): Promise<boolean> {
  const message = writeInts(16, CANCEL_CODE, pid, secret);
  const socket = connect({ host, port });
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const pending = deadlines.add(() => {
    resolve(false);
    socket.destroy();
  });
  const finish = (): void => {
    deadlines.delete(pending);
    resolve(true);
    socket.destroy();
  };
  const listen = (to: Socket): void => {
    to.on("error", finish);
    to.on("close", finish);
  };
  listen(socket);
  socket.on("connect", () => void socket.write(tls === false ? message : writeInts(8, TLS_CODE)));
  if (tls !== false)
    socket.once("data", (answer: string | Buffer) => {
      const hasTls = answer.toString("latin1").startsWith(WITH_TLS);
      if (!hasTls && tls === "prefer") return socket.write(message);
      if (!hasTls) return finish();
      const secured = connectSecurely({
        ...(tls === "prefer" ? { rejectUnauthorized: false } : tls),
        ...(isIP(host) === 0 ? { servername: host } : {}),
        socket,
      });
      listen(secured);
      secured.on("secureConnect", () => void secured.write(message));
    });
  return promise;
}

function writeInts(...values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) buffer.writeInt32BE(value | 0, index * 4);
  return buffer;
}
