/**
 * Collects what comes within a moment and hands it on together, where one statement can do what many would. Called by
 * `deps.ts`. It knows nothing of what it collects.
 */

/** Items on their way. */
export type Batch<Item> = {
  /** Takes an item along with the next batch. */
  readonly add: (item: Item) => void;
  /** Hands on what waits, and returns when all that was handed on is dealt with. */
  readonly settle: () => Promise<void>;
};

/** `wait` is how long a batch stays open once it has an item; `send` deals with its own failures. */
export function createBatch<Item>(
  wait: () => Promise<void>,
  send: (items: readonly Item[]) => Promise<void>,
): Batch<Item> {
  let open: Item[] = [];
  const underWay = new Set<Promise<void>>();

  const flush = (items: Item[]): void => {
    // Handed on already, or nothing to hand on.
    if (items !== open || items.length === 0) return;
    open = [];
    const sending = send(items).finally(() => underWay.delete(sending));
    underWay.add(sending);
  };

  return {
    add: (item) => {
      open.push(item);
      if (open.length > 1) return;
      const items = open;
      void wait().then(() => flush(items));
    },
    settle: async () => {
      flush(open);
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}
