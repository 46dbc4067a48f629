/**
 * The socket: Bun's own server, and how it is told to stop. Bun answers some requests by itself, without a page: headers
 * over 16 KiB (431), a body over the cap (413; that of a GET it skips), and heads that do not arrive within some ten
 * seconds.
 */
import { setImmediate } from "node:timers/promises";
import * as v from "valibot";
import { inBrackets } from "../config/listen_host.ts";
import type { Config } from "../config/load.ts";
import type { Shared } from "../deps.ts";
import { addressInUse } from "../errors.ts";
import type { Answer, Listener } from "../http/edge.ts";
import { describeCause } from "../telemetry/log.ts";

/** The application: one function from request to response. */
export type App = { readonly fetch: Answer };

/** Makes the application. */
export type CreateApp = (shared: Shared, listener: Listener) => App;

/** A listener at work. */
export type Listening = {
  /** Such as http://127.0.0.1:3000: by number, where HOST is a name too. */
  readonly address: string;
  /** The address of a request's connection; undefined once it is gone. */
  readonly peerAddress: (request: Request) => string | undefined;
  /**
   * Closes the request's connection unless it is used again within seconds. Not at once: a client that is still sending
   * a body would not get to see its answer. RFC 9112 9.6
   */
  readonly hurry: (request: Request) => void;
  readonly requestsUnderWay: () => number;
  /** Reads what has come, takes no new connection, closes those that are quiet, and waits for the others. */
  readonly stop: () => Promise<void>;
  /** Closes what is left. */
  readonly forceClose: () => Promise<void>;
};

/** Bodies over this Bun refuses by itself, without a page; below, the edge refuses with one. Nothing is read of either. */
const MAX_BODY_BYTES = 2 * 1_024 * 1_024;
/** Longer than the slowest flow step that ends at all: every upstream call at its deadline, with its repeats. */
const IDLE_TIMEOUT_SECONDS = 180;
/** How long the rest of a body that nobody reads may take: its bytes do not count as use of the connection. */
const LINGER_SECONDS = 5;
/** One accepts what waits, the next one reads it; the others meet what came meanwhile. */
const PASSES_BEFORE_STOP = 10;

/** Listens on HOST and PORT. Throws address_in_use. */
export function listen({ host, port }: Config, app: App): Listening {
  const server = serve(host, port, app);
  return {
    address: addressOf(server),
    peerAddress: (request) => server.requestIP(request)?.address,
    hurry: (request) => server.timeout(request, LINGER_SECONDS),
    requestsUnderWay: () => server.pendingRequests,
    stop: async () => {
      await readWhatHasCome();
      await server.stop();
    },
    forceClose: () => server.stop(true),
  };
}

/** The socket's own address: Bun's `url` repeats a name, and not which of its addresses was taken. */
export function addressOf(server: Bun.Server<undefined>): string {
  const { address, port } = v.parse(socketSchema, Reflect.get(server, "address"));
  return `http://${inBrackets(address)}:${port}`;
}

/**
 * Bun closes a connection as quiet while a request waits in it unread, or while it was not accepted yet: a proxy cannot
 * know whether such a request was answered, and repeats no POST. In a pass of the loop Bun looks at every socket.
 */
async function readWhatHasCome(): Promise<void> {
  for (let pass = 0; pass < PASSES_BEFORE_STOP; pass += 1) await setImmediate();
}

/** Bun documents it for its sockets; its types of a server lack it. */
const socketSchema = v.object({ address: v.string(), port: v.number() });

function serve(hostname: string, port: number, { fetch }: App): Bun.Server<undefined> {
  try {
    return Bun.serve({
      hostname,
      port,
      fetch,
      maxRequestBodySize: MAX_BODY_BYTES,
      idleTimeout: IDLE_TIMEOUT_SECONDS,
      development: false,
      // Bun's default in production lets a second process share the port: two databases behind one address.
      reusePort: false,
    });
  } catch (error) {
    // Not always in use: no such address here (EADDRNOTAVAIL), or a port for root alone (EACCES).
    const { causeCode = "no code" } = describeCause(error);
    throw addressInUse(
      `Cannot listen on ${inBrackets(hostname)}:${port} (${causeCode}): set HOST and PORT to an address of this machine that is free.`,
      error,
    );
  }
}
