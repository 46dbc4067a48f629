/** Ports of loopback. */

/** Nothing listens here. */
export const NOBODY = "127.0.0.1:1";

/** Below the ports that Linux and macOS give to whoever asks for any, and to each connection: none of them comes by one of these. */
const LOWEST = 20_000;
const COUNT = 12_000;
const given = new Set<number>();

/** A port that nothing listens on, and that nobody comes by but who asks for it by number. */
export function freePort(): number {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * COUNT);
    if (given.has(port) || !isFree(port)) continue;
    given.add(port);
    return port;
  }
}

function isFree(port: number): boolean {
  try {
    Bun.serve({ hostname: "127.0.0.1", port, fetch: () => new Response() }).stop(true);
    return true;
  } catch {
    return false;
  }
}
