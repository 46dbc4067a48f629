/**
 * The connections to the database, and who uses which: a connection has one user at a time, whatever happens to
 * it. So one member never gets another's rows. `connection.ts` opens and ends connections; `run.ts` sends
 * statements and limits how long they wait for a connection. docs/decisions/0018, 0023
 */

/** Connections of one kind. */
export type Pool<Connection, Holder extends User<Connection>> = {
  /** Hands a connection to a user: at once if one is free, else when one is, in the order of the calls. */
  readonly take: (user: Holder) => void;
  /** Ends the wait of a user whose turn has not come. */
  readonly leave: (user: Holder) => void;
  /** Takes a connection back that is fit for the next user. */
  readonly give: (connection: Connection) => void;
  /** Ends a connection that may not be fit. Its place is free when it has ended. */
  readonly discard: (connection: Connection) => void;
  /** Learns that a connection has ended by itself, so that nobody is handed it. Its user learns it from the driver. */
  readonly forget: (connection: Connection) => void;
  /** Ends the free connections that are meant, and those in use when they come back. */
  readonly renew: (isMeant: (connection: Connection) => boolean) => void;
  /** Ends all connections that are meant, those in use as well. */
  readonly abandon: (isMeant: (connection: Connection) => boolean) => void;
  /** How many there are of each state, and how many users wait. */
  readonly count: () => PoolCounts;
  /** Ends all of them. Nobody is handed a connection from here on. */
  readonly close: () => Promise<void>;
};

/** Connections by their state, and users without one. */
export type PoolCounts = Readonly<Record<"idle" | "used" | "ending" | "waiting", number>>;

/** Somebody who needs a connection. `use` or `refuse` is called, once, unless its time is up. */
export type User<Connection> = {
  readonly use: (connection: Connection) => void;
  /** The pool was closed first. */
  readonly refuse: () => void;
  /** Whether a connection is still of use. A user whose time is nearly up gets none, since it would be for nothing. */
  readonly isInTime: () => boolean;
};

/** Why a connection is ended: it may be unfit, its server is silent, or the pool is closing. */
export type Ending = "unfit" | "lost" | "closing";

/** What a pool is made of. */
type PoolOptions<Connection, Holder> = {
  /** How many connections there may be, those that are about to end among them. */
  readonly size: number;
  /** Makes a connection for somebody. Nothing is sent before it is used. */
  readonly open: (user: Holder) => Connection;
  /** Ends a connection; settles when the server has ended it, or can no longer hold it. */
  readonly end: (connection: Connection, why: Ending) => Promise<void>;
};

/** Makes a pool. It opens a connection when somebody needs one. */
export function createPool<Connection, Holder extends User<Connection>>({
  size,
  open,
  end,
}: PoolOptions<Connection, Holder>): Pool<Connection, Holder> {
  // The one used last is used first: its statements are prepared.
  const free: Connection[] = [];
  const used = new Set<Connection>();
  /** In use, and not to be used again. */
  const worn = new Set<Connection>();
  const waiting = new Set<Holder>();
  let ending = 0;
  let isClosed = false;

  const canHand = (): boolean => free.length > 0 || used.size + ending < size;
  const hand = (user: Holder): void => {
    const connection = free.pop() ?? open(user);
    used.add(connection);
    user.use(connection);
  };
  const next = (): void => {
    for (const user of waiting) {
      if (isClosed || !canHand()) return;
      waiting.delete(user);
      if (user.isInTime()) hand(user);
    }
  };
  const finish = (connection: Connection, why: Ending): void => {
    ending += 1;
    const leave = (): void => {
      ending -= 1;
      next();
    };
    // If ending fails, carry on: nobody uses this connection any more.
    end(connection, why).then(leave, leave);
  };
  const remove = (connection: Connection, why: Ending): void => {
    worn.delete(connection);
    // One that was discarded before does not end twice.
    if (used.delete(connection)) finish(connection, why);
  };
  const endFree = (isMeant: (connection: Connection) => boolean, why: Ending): void => {
    const meant = free.filter(isMeant);
    free.splice(0, free.length, ...free.filter((connection) => !meant.includes(connection)));
    for (const connection of meant) finish(connection, why);
  };

  return {
    take: (user) => {
      if (isClosed) user.refuse();
      else if (canHand()) hand(user);
      else waiting.add(user);
    },
    leave: (user) => void waiting.delete(user),
    give: (connection) => {
      // One that was discarded meanwhile does not come back.
      if (!used.has(connection)) return;
      if (worn.has(connection)) return remove(connection, "unfit");
      used.delete(connection);
      free.push(connection);
      next();
    },
    discard: (connection) => remove(connection, "unfit"),
    forget: (connection) => endFree((other) => other === connection, "unfit"),
    renew: (isMeant) => {
      endFree(isMeant, "unfit");
      for (const connection of used) if (isMeant(connection)) worn.add(connection);
    },
    abandon: (isMeant) => {
      endFree(isMeant, "lost");
      for (const connection of [...used].filter(isMeant)) remove(connection, "lost");
    },
    count: () => ({ idle: free.length, used: used.size, ending, waiting: waiting.size }),
    close: async () => {
      isClosed = true;
      for (const user of waiting) user.refuse();
      waiting.clear();
      await Promise.all([...free, ...used].map((connection) => end(connection, "closing")));
    },
  };
}
