/**
 * Owns the connections to the database, and who uses which: a connection has one user at a time, whatever happens to
 * it. That is what keeps one member's rows from another. It leaves what a connection is, and what is sent over it, to
 * `db.ts`; how long somebody waits is for the one who waits to say. docs/decisions/0018
 */

/** Connections of one kind. */
export type Pool<Connection> = {
  /** Hands a connection to a user: at once if one is free, else when one is, in the order of the calls. */
  readonly take: (user: User<Connection>) => void;
  /** Ends the wait of a user whose turn has not come. */
  readonly leave: (user: User<Connection>) => void;
  /** Takes a connection back that is fit for the next user. */
  readonly give: (connection: Connection) => void;
  /** Ends a connection that is not, or may not be. Its place is free for a new one. */
  readonly discard: (connection: Connection) => void;
  /** Ends all of them. Nobody is handed a connection from here on. */
  readonly close: () => Promise<void>;
};

/** Somebody who needs a connection. `use` or `refuse` is called, once, unless its time is up. */
export type User<Connection> = {
  readonly use: (connection: Connection) => void;
  /** The pool was closed first. */
  readonly refuse: () => void;
  /** Whether a connection is still of use. One whose time is nearly up is passed over: a new one would be for nothing. */
  readonly isInTime: () => boolean;
};

/** What a pool is made of. */
export type PoolOptions<Connection> = {
  /** How many connections there may be. */
  readonly size: number;
  /** Makes a connection. Nothing is sent before it is used. */
  readonly open: () => Connection;
  /** Ends a connection: at once, or within a moment when all of them are closed. */
  readonly end: (connection: Connection, isClosing: boolean) => Promise<void>;
};

/** Makes a pool. It opens a connection when somebody needs one. */
export function createPool<Connection>({ size, open, end }: PoolOptions<Connection>): Pool<Connection> {
  // The one used last is used first: its statements are prepared.
  const free: Connection[] = [];
  const used = new Set<Connection>();
  const waiting = new Set<User<Connection>>();
  let isClosed = false;

  const hand = (user: User<Connection>): void => {
    const connection = free.pop() ?? open();
    used.add(connection);
    user.use(connection);
  };
  const next = (): void => {
    if (isClosed) return;
    for (const user of waiting) {
      waiting.delete(user);
      if (!user.isInTime()) continue;
      hand(user);
      return;
    }
  };

  return {
    take: (user) => {
      if (isClosed) user.refuse();
      else if (used.size < size) hand(user);
      else waiting.add(user);
    },
    leave: (user) => void waiting.delete(user),
    give: (connection) => {
      // One that was discarded meanwhile does not come back.
      if (!used.delete(connection)) return;
      free.push(connection);
      next();
    },
    discard: (connection) => {
      if (!used.delete(connection)) return;
      // If ending fails, carry on: nobody uses this connection any more.
      end(connection, false).catch(() => undefined);
      next();
    },
    close: async () => {
      isClosed = true;
      for (const user of waiting) user.refuse();
      waiting.clear();
      await Promise.all([...free, ...used].map((connection) => end(connection, true)));
    },
  };
}
