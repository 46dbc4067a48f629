/**
 * Which of several servers a new connection goes to. Each connection goes to one server; a statement that is refused
 * there tries the next. A server is known by its place in DATABASE_URL. Nothing is sent here. docs/decisions/0023
 */
import { createDeadlines, startStopwatch } from "../time.ts";

/** The servers of DATABASE_URL, and what is known of them. */
export type Servers = {
  readonly count: number;
  /** The server for the next connection of a statement that has tried some. */
  readonly choose: (tried: ReadonlySet<number>) => number;
  /** Whether a server is left that may do. */
  readonly hasUntried: (tried: ReadonlySet<number>) => boolean;
  /** Learns that a server has failed: new connections begin at the next. However many report it, that happens once. */
  readonly avoid: (server: number) => void;
  /** Learns that a server has said something, over whichever connection. */
  readonly noteWord: (server: number) => void;
  /** For how many milliseconds a server has said nothing. */
  readonly quietFor: (server: number) => number;
  /** Learns that a new connection to a server only reads. */
  readonly noteReadOnly: (server: number) => void;
};

/** How long a server counts as read-only once a new connection to it was. Otherwise each statement would reconnect. */
const READ_ONLY_MS = 1_000;

/** Remembers what is known of so many servers. */
export function createServers(count: number): Servers {
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
    choose: (tried) => findUntried(tried) ?? first,
    hasUntried: (tried) => findUntried(tried) !== undefined,
    avoid: (server) => {
      if (server === first) first = (server + 1) % count;
    },
    noteWord: (server) => void sinceWord.set(server, startStopwatch()),
    quietFor: (server) => sinceWord.get(server)?.() ?? Number.POSITIVE_INFINITY,
    noteReadOnly: (server) => {
      if (readOnly.has(server)) return;
      readOnly.add(server);
      deadlines.add(() => void readOnly.delete(server));
    },
  };
}
