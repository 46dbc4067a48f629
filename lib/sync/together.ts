/**
 * Writes for many links by few statements. The first is stored at once, since nobody waits for company; those that come while
 * a statement is under way are stored together by the next. docs/decisions/0043
 */

/** A write that nobody has begun yet. */
type Waiting<Item> = {
  readonly key: string;
  readonly item: Item;
  readonly stored: PromiseWithResolvers<boolean>;
};

type Queue<Item> = { waiting: Waiting<Item>[]; isStoring: boolean };

/** What is stored together goes over the same statements. */
type Needs = { readonly queries: object };

/** How items are stored. */
type Together<N extends Needs, Item> = {
  /** Which row an item is for. One statement stores at most one item for a row. */
  readonly keyOf: (item: Item) => string;
  /** Stores items by one statement. Gives the keys of those that it has stored, and throws as the database does. */
  readonly store: (needs: N, items: readonly Item[]) => Promise<readonly string[]>;
};

/**
 * Makes the function that stores an item. It resolves to whether the item is stored: false if its row is no longer as it
 * was. It throws what the database throws.
 */
export function createTogether<N extends Needs, Item>(
  together: Together<N, Item>,
): (needs: N, item: Item) => Promise<boolean> {
  const queues = new WeakMap<object, Queue<Item>>();
  return (needs, item) => {
    const queue = queues.get(needs.queries) ?? { waiting: [], isStoring: false };
    queues.set(needs.queries, queue);
    const stored = Promise.withResolvers<boolean>();
    queue.waiting.push({ key: together.keyOf(item), item, stored });
    if (!queue.isStoring) void storeAll(together, needs, queue);
    return stored.promise;
  };
}

async function storeAll<N extends Needs, Item>(
  together: Together<N, Item>,
  needs: N,
  queue: Queue<Item>,
): Promise<void> {
  queue.isStoring = true;
  while (queue.waiting.length > 0) await storeBatch(together, needs, takeBatch(queue));
  queue.isStoring = false;
}

/** Takes the first item for each row. A second one waits for the next statement. */
function takeBatch<Item>(queue: Queue<Item>): readonly Waiting<Item>[] {
  const batch = new Map<string, Waiting<Item>>();
  const left: Waiting<Item>[] = [];
  for (const one of queue.waiting) {
    if (batch.has(one.key)) left.push(one);
    else batch.set(one.key, one);
  }
  queue.waiting = left;
  return [...batch.values()];
}

/** Never rejects: each of those who wait learns what became of its own item. */
async function storeBatch<N extends Needs, Item>(
  together: Together<N, Item>,
  needs: N,
  batch: readonly Waiting<Item>[],
): Promise<void> {
  try {
    const stored = new Set(
      await together.store(
        needs,
        batch.map(({ item }) => item),
      ),
    );
    for (const one of batch) one.stored.resolve(stored.has(one.key));
  } catch (error) {
    // One item may be at fault, or its row may be locked: the others have nothing to do with it.
    if (batch.length > 1) await Promise.all(batch.map((one) => storeBatch(together, needs, [one])));
    else for (const one of batch) one.stored.reject(error);
  }
}
