/**
 * Owns which of several servers a new connection goes to. Each connection goes to one server; a statement that is refused
 * there tries the next. It knows a server by its place in DATABASE_URL, and sends nothing. docs/decisions/0023
 */
import { createDeadlines, startStopwatch } from "../time.ts";

/** The servers of DATABASE_URL, and what is known of them. */
export type Servers = ReturnType<typeof createServers>;

/** How long a server counts as read-only once a new connection to it was. Otherwise each statement would reconnect. */
const READ_ONLY_MS = 1_000;

/** Remembers what is known of so many servers. */
export function createServers(count: number) {
  const deadlines = createDeadlines(READ_ONLY_MS);
  const readOnly = new Set<number>();
  const sinceWord = new Map<number, () => number>();
  let first = 0;

  const around = (): readonly number[] =>
    Array.from({ length: count }, (_, index) => (first + index) % count);
  const findUntried = (tried: ReadonlySet<number>): number | undefined =>
    around().find((server) => !tried.has(server) && !readOnly.has(server));

  return {
    count,
    /** The server for the next connection of a statement that has tried some. */
    choose: (tried: ReadonlySet<number>): number => findUntried(tried) ?? first,
    /** Whether a server is left that may do. */
    hasUntried: (tried: ReadonlySet<number>): boolean => findUntried(tried) !== undefined,
    /** Learns that one has failed: new connections begin at the next. However many report it, that happens once. */
    avoid: (server: number): void => {
      if (server === first) first = (server + 1) % count;
    },
    /** Learns that one has said something, over whichever connection. */
    noteWord: (server: number): void => void sinceWord.set(server, startStopwatch()),
    /** For how many milliseconds it has said nothing. */
    quietFor: (server: number): number => sinceWord.get(server)?.() ?? Number.POSITIVE_INFINITY,
    /** Learns that a new connection to one only reads. */
    noteReadOnly: (server: number): void => {
      if (readOnly.has(server)) return;
      readOnly.add(server);
      deadlines.add(() => void readOnly.delete(server));
    },
  };
}
