/** The pool of connections has one user a connection and never too many connections, in any order of steps. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import type { User } from "../../lib/database/pool.ts";
import { createPool } from "../../lib/database/pool.ts";

type Connection = { readonly id: number };

/** A pool whose connections are counted. They end when `letGo` is called, the oldest first. */
function createCountedPool(size: number) {
  let opened = 0;
  const ended: number[] = [];
  const ending: (() => void)[] = [];
  const pool = createPool<Connection, User<Connection>>({
    size,
    open: () => ({ id: ++opened }),
    end: ({ id }) => {
      ended.push(id);
      const { promise, resolve } = Promise.withResolvers<void>();
      ending.push(resolve);
      return promise;
    },
  });
  const letGo = async (): Promise<void> => {
    ending.shift()?.();
    // The pool learns of it after this turn.
    await Promise.resolve();
    await Promise.resolve();
  };
  return { pool, ended, letGo, opened: () => opened, ending: () => ending.length };
}

type Holder = User<Connection> & { held: Connection | undefined; times: number; isRefused: boolean };

/** A user that keeps the connection that it is handed. */
function createUser(): Holder {
  const user: Holder = {
    held: undefined,
    times: 0,
    isRefused: false,
    isInTime: () => true,
    refuse: () => {
      user.isRefused = true;
    },
    use: (connection) => {
      user.held = connection;
      user.times += 1;
    },
  };
  return user;
}

/** Users of a pool, and what each may do next; `index` chooses among them. */
function createCrowd({ pool, letGo, opened }: ReturnType<typeof createCountedPool>) {
  const holders: Holder[] = [];
  const waiting: Holder[] = [];
  /** Connections that must not be handed out any more. */
  const spent = new Set<number>();
  const remove = (users: Holder[], index: number) => users.splice(index % Math.max(users.length, 1), 1)[0];
  const settle = () => {
    while (waiting[0]?.held !== undefined) holders.push(...waiting.splice(0, 1));
  };
  const steps = {
    take: () => {
      const user = createUser();
      pool.take(user);
      waiting.push(user);
    },
    leave: (index: number) => {
      const leaver = remove(waiting, index);
      if (leaver !== undefined) pool.leave(leaver);
    },
    give: (index: number) => {
      const { held } = remove(holders, index) ?? {};
      if (held !== undefined) pool.give(held);
    },
    discard: (index: number) => {
      const { held } = remove(holders, index) ?? {};
      if (held === undefined) return;
      spent.add(held.id);
      pool.discard(held);
      // One whose statement ends after all does not come back.
      pool.give(held);
    },
    /** All that were opened so far, whether in use or not. */
    renew: () => {
      const last = opened();
      for (let id = 1; id <= last; id += 1) spent.add(id);
      pool.renew(({ id }) => id <= last);
    },
    abandon: (index: number) => {
      const lost = holders[index % Math.max(holders.length, 1)]?.held;
      if (lost === undefined) return;
      spent.add(lost.id);
      pool.abandon(({ id }) => id === lost.id);
      holders.splice(index % holders.length, 1);
    },
    letGo,
  };
  return { holders, waiting, spent, settle, steps };
}

const STEPS = [
  "take",
  "take",
  "take",
  "leave",
  "give",
  "give",
  "discard",
  "renew",
  "abandon",
  "letGo",
] as const;

test("createPool() hands a connection to one user at a time, in the order of calls", async () => {
  const SIZE = 3;

  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(...STEPS), fc.nat(20)), { maxLength: 80 }),
      async (plan) => {
        const counted = createCountedPool(SIZE);
        const { holders, waiting, spent, settle, steps } = createCrowd(counted);
        for (const [name, index] of plan) {
          const before = new Set(spent);
          const known = new Set(holders);
          await steps[name](index);
          settle();

          const inHand = holders.map(({ held }) => held?.id ?? 0);
          expect(new Set(inHand).size).toBe(inHand.length);
          expect(inHand.filter((id) => counted.ended.includes(id))).toEqual([]);
          expect(new Set(counted.ended).size).toBe(counted.ended.length);
          expect(holders.every(({ times }) => times === 1)).toBe(true);
          // Nobody new is handed one that is not to be used any more.
          expect(holders.filter((user) => !known.has(user) && before.has(user.held?.id ?? 0))).toEqual([]);
          // A place is free only when the server has let go.
          expect(counted.opened() - counted.ended.length + counted.ending()).toBeLessThanOrEqual(SIZE);
          expect(waiting.filter(({ held }) => held !== undefined)).toEqual([]);
          // Nobody waits while a connection could be had.
          expect(waiting.length === 0 || holders.length + counted.ending() === SIZE).toBe(true);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test("createPool() does not hand out a connection that has ended by itself", () => {
  const { pool, ended } = createCountedPool(2);
  const [first, second] = [createUser(), createUser()];
  pool.take(first);
  if (first.held === undefined) throw new Error("not handed");
  pool.give(first.held);

  pool.forget(first.held);
  pool.take(second);

  expect(ended).toEqual([1]);
  expect(second.held).toEqual({ id: 2 });
});

test("createPool() serves nobody after close(), which also ends connections in use", async () => {
  const { pool, ended, letGo } = createCountedPool(2);
  const [first, second, third] = [createUser(), createUser(), createUser()];
  pool.take(first);
  pool.take(second);
  pool.take(third);

  const closing = pool.close();
  await letGo();
  await letGo();
  await closing;
  if (first.held !== undefined) pool.give(first.held);

  expect(ended.sort()).toEqual([1, 2]);
  expect(third).toMatchObject({ held: undefined, isRefused: true });
  const late = createUser();
  pool.take(late);
  expect(late).toMatchObject({ held: undefined, isRefused: true });
});

test("createPool() opens no connection for users whose time is up", async () => {
  const { pool, opened, letGo } = createCountedPool(2);
  const holders = [createUser(), createUser()];
  const late = Array.from({ length: 100 }, () => ({ ...createUser(), isInTime: () => false }));
  const early = createUser();
  for (const user of [...holders, ...late, early]) pool.take(user);

  for (const { held } of holders) if (held !== undefined) pool.discard(held);
  await letGo();
  await letGo();

  expect(opened()).toBe(3);
  expect(early.held).toEqual({ id: 3 });
});

test("createPool() goes on when a connection cannot be ended", async () => {
  const pool = createPool<Connection, User<Connection>>({
    size: 1,
    open: () => ({ id: 1 }),
    end: () => Promise.reject(new Error("silent")),
  });
  const [first, second] = [createUser(), createUser()];
  pool.take(first);
  pool.take(second);

  if (first.held !== undefined) pool.discard(first.held);
  await Promise.resolve();
  await Promise.resolve();

  expect(second.held).toBeDefined();
});
