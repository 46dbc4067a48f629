/**
 * Fixtures of a test file: one hook makes a fixture, another ends it, and the tests use it by its name. If a fixture
 * cannot be made, that is the only failure, with its cause.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "bun:test";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CommandHost } from "../fixtures/command.ts";
import { startCommandHost } from "../fixtures/command.ts";
import type { TestDatabase } from "./database.ts";
import { createTestDatabase, emptyDatabase, onPostgres } from "./database.ts";

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

/** Stops a Janus. Fails if a stand-in met a request that it did not expect. */
export async function stopJanus({ discord, provider, stop }: Startable): Promise<void> {
  await stop();
  expect([...discord.unexpected, ...provider.unexpected]).toEqual([]);
}

/** A database for all tests of the file. Each test finds it empty, except for the trail. `change` may wrap it. */
export function useDatabase(change = (database: TestDatabase): TestDatabase => database): TestDatabase {
  const make = async () => change(await createTestDatabase());
  const database = useForAll(make, ({ drop }) => drop());
  beforeEach(() => emptyDatabase(database));
  return database;
}

/** A database for all tests of a file whose tests are skipped without PostgreSQL. Nothing empties it. */
export function usePostgres(): TestDatabase {
  const never: Hook = () => undefined;
  const [before, after] = onPostgres ? [beforeAll, afterAll] : [never, never];
  return use(before, after, createTestDatabase, ({ drop }) => drop());
}

/** The path of a new folder for all tests of the file. It stands outside of any `describe`, which may be skipped. */
export function useFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `janus-${name}-`));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A fixture that is made before all tests and ended after them. The first that was made ends first. */
export function useForAll<T extends object>(make: () => Promise<T>, end: (made: T) => Promise<void>): T {
  return use(beforeAll, afterAll, make, end);
}

/** A fixture that is made before each test and ended after it. */
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
    try {
      made = await make();
    } catch (cause) {
      // Bun names no hook: the tests of the file are left out, and this is why.
      throw new Error("A hook failed: it could not make the fixture of these tests", { cause });
    }
  });
  after(async () => {
    const last = made;
    made = undefined;
    if (last !== undefined) await end(last);
  });
  return new Proxy({} as T, {
    get: (_, name) => {
      if (made === undefined) throw new Error(`the fixture of "${String(name)}" is used outside of a test`);
      return Reflect.get(made, name);
    },
  });
}

/** A process that runs commands in the folder, for all tests of a file or of a `describe`. */
export const useCommandHost = (folder: string): CommandHost =>
  useForAll(
    async () => startCommandHost(folder),
    ({ stop }) => stop(),
  );
