/**
 * What the tests of a file stand on, made by a hook and ended by another. It is used by its name as if it were there from
 * the start. Where it cannot be made, that is the one failure, and its cause is told.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "bun:test";
import { createTestDatabase, emptyDatabase, type TestDatabase } from "./database.ts";

type StandIn = { readonly unexpected: readonly unknown[] };
type Startable = {
  readonly discord: StandIn;
  readonly provider: StandIn;
  readonly stop: () => Promise<void>;
};
type Hook = (work: () => Promise<void>) => void;

/** A Janus for all tests of the file, or of the `describe` that it stands in. */
export function useJanus<J extends Startable>(start: () => Promise<J>): J {
  return useForAll(start, stopJanus);
}

/** A Janus of its own for each test. */
export function useJanusForEach<J extends Startable>(start: () => Promise<J>): J {
  return useForEach(start, stopJanus);
}

/** Stops a Janus of which no stand-in was asked what nobody expects. */
export async function stopJanus({ discord, provider, stop }: Startable): Promise<void> {
  await stop();
  expect([...discord.unexpected, ...provider.unexpected]).toEqual([]);
}

/** A database for all tests of the file, empty before each but for the trail. `change` may put something before it. */
export function useDatabase(change = (database: TestDatabase): TestDatabase => database): TestDatabase {
  const make = async () => change(await createTestDatabase());
  const database = useForAll(make, ({ drop }) => drop());
  beforeEach(() => emptyDatabase(database));
  return database;
}

/** Anything that is made before all tests and ended after them; what was made first ends first. */
export function useForAll<T extends object>(make: () => Promise<T>, end: (made: T) => Promise<void>): T {
  return use(beforeAll, afterAll, make, end);
}

/** Anything that is made before each test and ended after it. */
export function useForEach<T extends object>(make: () => Promise<T>, end: (made: T) => Promise<void>): T {
  return use(beforeEach, afterEach, make, end);
}

function use<T extends object>(
  before: Hook,
  after: Hook,
  make: () => Promise<T>,
  end: (made: T) => Promise<void>,
): T {
  let made: T | undefined;
  before(async () => {
    made = await make();
  });
  after(async () => {
    const last = made;
    made = undefined;
    if (last !== undefined) await end(last);
  });
  return new Proxy({} as T, {
    get: (_, name) => {
      if (made === undefined) throw new Error(`${String(name)} is asked for outside of the tests`);
      return Reflect.get(made, name);
    },
  });
}
