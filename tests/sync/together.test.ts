/** What is stored together: which writes share a statement, and what becomes of each when one fails. */
import { expect, test } from "bun:test";
import { databaseUnavailable } from "../../lib/errors.ts";
import { createTogether } from "../../lib/sync/together.ts";

type Item = { readonly row: string; readonly value: number };

const item = (row: string, value = 0): Item => ({ row, value });

/** A statement whose answers wait until the test lets them go, and what was given to it. */
function createStatement(failureOf: (items: readonly Item[]) => unknown = () => undefined) {
  const given: (readonly Item[])[] = [];
  const waiting: (() => void)[] = [];
  const store = createTogether<{ queries: object }, Item>({
    keyOf: ({ row }) => row,
    store: async (_, items) => {
      given.push(items);
      const gate = Promise.withResolvers<void>();
      waiting.push(gate.resolve);
      await gate.promise;
      const failure = failureOf(items);
      if (failure !== undefined) throw failure;
      return items.map(({ row }) => row).filter((row) => row !== "gone");
    },
  });
  /** Answers every statement until none comes any more. */
  const answerAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      for (const next of waiting.splice(0)) next();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { given, store, answerAll };
}

const NEEDS = { queries: {} };

test("stores the first at once, and by the next statement all that came meanwhile", async () => {
  const { given, store, answerAll } = createStatement();

  const stored = ["a", "b", "c"].map((row) => store(NEEDS, item(row)));
  const atOnce = given.map((items) => items.map(({ row }) => row));
  await answerAll();

  expect(atOnce).toEqual([["a"]]);
  expect(given.map((items) => items.map(({ row }) => row))).toEqual([["a"], ["b", "c"]]);
  expect(await Promise.all(stored)).toEqual([true, true, true]);
});

test("tells each whether its own row was as it should be", async () => {
  const { store, answerAll } = createStatement();

  const stored = ["a", "gone", "b"].map((row) => store(NEEDS, item(row)));
  await answerAll();

  expect(await Promise.all(stored)).toEqual([true, false, true]);
});

test("stores two items for one row one after the other, in their order", async () => {
  const { given, store, answerAll } = createStatement();

  const stored = [item("a"), item("b", 1), item("b", 2), item("c")].map((one) => store(NEEDS, one));
  await answerAll();

  expect(given).toEqual([[item("a")], [item("b", 1), item("c")], [item("b", 2)]]);
  expect(await Promise.all(stored)).toEqual([true, true, true, true]);
});

test("fails with the item that the database refuses, and stores the others", async () => {
  const refused = new Error("the database cannot store this");
  const { store, answerAll } = createStatement((items) =>
    items.some(({ row }) => row === "bad") ? refused : undefined,
  );

  const stored = Promise.allSettled(["a", "b", "bad", "c"].map((row) => store(NEEDS, item(row))));
  await answerAll();

  expect(await stored).toEqual([
    { status: "fulfilled", value: true },
    { status: "fulfilled", value: true },
    { status: "rejected", reason: refused },
    { status: "fulfilled", value: true },
  ]);
});

test("fails all while the database does not answer, and stores what comes later", async () => {
  const away = databaseUnavailable("the test's database is away");
  let isAway = true;
  const { given, store, answerAll } = createStatement(() => (isAway ? away : undefined));

  const lost = Promise.allSettled(["a", "b", "c"].map((row) => store(NEEDS, item(row))));
  await answerAll();
  isAway = false;
  const later = store(NEEDS, item("d"));
  await answerAll();

  expect(await lost).toEqual(Array(3).fill({ status: "rejected", reason: away }));
  expect(given.map((items) => items.length)).toEqual([1, 2, 1, 1, 1]);
  expect(await later).toBe(true);
});

test("stores the others while the row of one is locked", async () => {
  const unlocked = Promise.withResolvers<readonly string[]>();
  const late = databaseUnavailable("the test's row is locked");
  const store = createTogether<{ queries: object }, Item>({
    keyOf: ({ row }) => row,
    store: async (_, items) => {
      if (items.every(({ row }) => row !== "locked")) return items.map(({ row }) => row);
      if (items.length > 1) throw late;
      return unlocked.promise;
    },
  });

  const [first, locked, other] = ["a", "locked", "b"].map((row) => store(NEEDS, item(row)));
  const before = await Promise.all([first, other]);
  unlocked.resolve([]);

  expect(before).toEqual([true, true]);
  expect(await locked).toBe(false);
});

test("keeps what goes over other statements apart", async () => {
  const { given, store, answerAll } = createStatement();

  const stored = [store({ queries: {} }, item("a")), store({ queries: {} }, item("b"))];
  await answerAll();

  expect(given).toEqual([[item("a")], [item("b")]]);
  expect(await Promise.all(stored)).toEqual([true, true]);
});
