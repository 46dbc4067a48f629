/** Ports of loopback. */

/** Nothing listens here. */
export const NOBODY = "127.0.0.1:1";

/** Below the ports that Linux and macOS give to whoever asks for any, and to each connection: none of them comes by one of these. */
const LOWEST = 20_000;
const COUNT = 12_000;
const given = new Set<number>();

/** A port that nothing listens on, and that nobody comes by but who asks for it by number. */
export function freePort(): number {
  const { port, release } = holdPort();
  void release();
  return port;
}

/** The same, kept from everybody else until it is released: for whom it is meant takes it next. */
export function holdPort(): { readonly port: number; readonly release: () => Promise<void> } {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * COUNT);
    if (given.has(port)) continue;
    const server = hold(port);
    if (server === undefined) continue;
    given.add(port);
    return { port, release: () => server.stop(true) };
  }
}

function hold(port: number): Bun.Server<undefined> | undefined {
  try {
    return Bun.serve({ hostname: "127.0.0.1", port, fetch: () => new Response(null, { status: 503 }) });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") return undefined;
    throw error;
  }
}
