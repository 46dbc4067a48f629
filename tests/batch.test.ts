/** Batches: what comes within a moment goes together, and nothing is lost or sent twice. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { createBatch } from "../lib/batch.ts";

test("createBatch() hands on together what came while a batch was open, and opens a new one after it", async () => {
  const sent: (readonly number[])[] = [];
  let close = (): void => undefined;
  const wait = () =>
    new Promise<void>((resolve) => {
      close = resolve;
    });
  const batch = createBatch<number>(wait, async (items) => void sent.push(items));

  batch.add(1);
  batch.add(2);
  const before = sent.length;
  close();
  await batch.settle();
  batch.add(3);
  await batch.settle();

  expect(before).toBe(0);
  expect(sent).toEqual([[1, 2], [3]]);
});

test("settle() waits for what is under way as well, and returns at once where there is nothing", async () => {
  const gate = Promise.withResolvers<void>();
  const batch = createBatch<number>(
    () => Promise.resolve(),
    () => gate.promise,
  );
  await batch.settle();
  batch.add(1);
  let settled = false;

  const settling = batch.settle().then(() => {
    settled = true;
  });
  await Promise.resolve();
  expect(settled).toBe(false);
  gate.resolve();
  await settling;

  expect(settled).toBe(true);
});

test("every item is handed on once, in order, whenever batches close", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.constantFrom("add", "settle"), { maxLength: 30 }),
      async (s, acts) => {
        const sent: number[] = [];
        const batch = createBatch<number>(
          () => s.schedule(Promise.resolve()).then(() => undefined),
          async (items) => {
            await Promise.resolve();
            sent.push(...items);
          },
        );
        let count = 0;

        for (const act of acts) {
          if (act === "add") batch.add(count++);
          else await batch.settle();
        }
        await Promise.all([s.waitAll(), batch.settle()]);

        expect(sent).toEqual(Array.from({ length: count }, (_, index) => index));
      },
    ),
  );
});
