/** The pool of connections, whatever its users do: one user a connection, and never more connections than agreed. */
import { expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { createPool, type User } from "../lib/database/pool.ts";

// What takes milliseconds may take seconds on a machine that is busy.
setDefaultTimeout(30_000);

type Connection = { readonly id: number };

/** A pool of what can be counted. */
function createCountedPool(size: number) {
  let opened = 0;
  const ended: number[] = [];
  const pool = createPool<Connection>({
    size,
    open: () => ({ id: ++opened }),
    end: ({ id }) => {
      ended.push(id);
      return Promise.resolve();
    },
  });
  return { pool, ended, opened: () => opened };
}

type Holder = User<Connection> & { held: Connection | undefined; times: number; isRefused: boolean };

/** A user who keeps what it is handed. */
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
function createCrowd({ pool }: ReturnType<typeof createCountedPool>) {
  const holders: Holder[] = [];
  const waiting: Holder[] = [];
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
      pool.discard(held);
      // One whose statement ends after all does not come back.
      pool.give(held);
    },
  };
  return { holders, waiting, settle, steps };
}

test("createPool() gives a connection to one user at a time, in the order of the calls", () => {
  const SIZE = 3;
  const step = fc.constantFrom("take", "take", "leave", "give", "discard");

  fc.assert(
    fc.property(fc.array(fc.tuple(step, fc.nat(20)), { maxLength: 80 }), (plan) => {
      const counted = createCountedPool(SIZE);
      const { holders, waiting, settle, steps } = createCrowd(counted);
      for (const [name, index] of plan) {
        steps[name](index);
        settle();

        const inHand = holders.map(({ held }) => held?.id ?? 0);
        expect(new Set(inHand).size).toBe(inHand.length);
        expect(inHand.filter((id) => counted.ended.includes(id))).toEqual([]);
        expect(holders.every(({ times }) => times === 1)).toBe(true);
        expect(counted.opened() - counted.ended.length).toBeLessThanOrEqual(SIZE);
        expect(waiting.filter(({ held }) => held !== undefined)).toEqual([]);
        // Nobody waits while a connection could be had.
        expect(waiting.length === 0 || holders.length === SIZE).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});

test("createPool() serves nobody once it is closed, and ends what is in use as well", async () => {
  const { pool, ended } = createCountedPool(2);
  const [first, second, third] = [createUser(), createUser(), createUser()];
  pool.take(first);
  pool.take(second);
  pool.take(third);

  await pool.close();
  if (first.held !== undefined) pool.give(first.held);

  expect(ended.sort()).toEqual([1, 2]);
  expect(third).toMatchObject({ held: undefined, isRefused: true });
  const late = createUser();
  pool.take(late);
  expect(late).toMatchObject({ held: undefined, isRefused: true });
});

test("createPool() opens no connection for those whose time is up", () => {
  const { pool, opened } = createCountedPool(2);
  const holders = [createUser(), createUser()];
  const late = Array.from({ length: 100 }, () => ({ ...createUser(), isInTime: () => false }));
  const early = createUser();
  for (const user of [...holders, ...late, early]) pool.take(user);

  for (const { held } of holders) if (held !== undefined) pool.discard(held);

  expect(opened()).toBe(3);
  expect(early.held).toEqual({ id: 3 });
});

test("createPool() goes on where a connection cannot be ended", () => {
  const pool = createPool<Connection>({
    size: 1,
    open: () => ({ id: 1 }),
    end: () => Promise.reject(new Error("silent")),
  });
  const [first, second] = [createUser(), createUser()];
  pool.take(first);
  pool.take(second);

  if (first.held !== undefined) pool.discard(first.held);

  expect(second.held).toBeDefined();
});
