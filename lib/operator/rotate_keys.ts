/**
 * Rotation of TOKEN_KEYS: every token is sealed again with the ring's first key, while servers that have both keys go on. A
 * run that ended early is resumed by another: what is under the first key already is left alone. docs/decisions/0049
 */
import type { RingKey } from "../crypto.ts";
import { createSealer } from "../crypto.ts";
import type { ResealDeps } from "./sealed_rows.ts";
import { BEGINNING, SEALED_TABLES } from "./sealed_rows.ts";

/** What a rotation works with. */
type Needs = Pick<ResealDeps, "queries" | "now"> & {
  readonly sleep: (ms: number) => Promise<void>;
  /** The first key seals. */
  readonly tokenKeys: readonly RingKey[];
};

/** Who waits for it: when it is to stop, and who hears how many rows are done. */
type Waiting = { readonly stop: AbortSignal; readonly onProgress: (done: number) => Promise<void> };

/** The result of a rotation. */
export type Rotation = {
  /** Rows that this run has sealed again. */
  readonly resealed: number;
  /** Rows that servers were working on to the last. */
  readonly left: number;
  /** How many rows have a token that no key opens, and the first of them. */
  readonly unreadable: number;
  readonly unreadableRows: readonly string[];
};

/** Most leases end within seconds. Whoever has died leaves one for minutes, for which nobody waits at a terminal. */
const PASSES = 12;
const PAUSE_MS = 5_000;
const MOST_LISTED = 1_000;

/** Goes through all tables until every row is under the first key, or in use for long. Throws what a query throws. */
export async function rotateKeys(needs: Needs, { stop, onProgress }: Waiting): Promise<Rotation> {
  const { sleep, tokenKeys } = needs;
  const deps = { ...needs, tokenSealer: createSealer(tokenKeys, "link tokens"), keyId: firstIdOf(tokenKeys) };
  let resealed = 0;
  const onResealed = (count: number): Promise<void> => {
    resealed += count;
    return onProgress(resealed);
  };
  for (let passes = 1; ; passes += 1) {
    const pass = await passThrough(deps, stop, onResealed);
    if (pass.left === 0 || passes === PASSES || stop.aborted) return { ...pass, resealed };
    await sleep(PAUSE_MS);
  }
}

/** The id of the key that seals. Throws on an empty ring, which no configuration has. */
export function firstIdOf([first]: readonly RingKey[]): string {
  if (first === undefined) throw new TypeError("A key ring needs at least one key");
  return first.id;
}

async function passThrough(
  deps: ResealDeps,
  stop: AbortSignal,
  onResealed: (count: number) => Promise<void>,
): Promise<Omit<Rotation, "resealed">> {
  let [left, unreadable] = [0, 0];
  const unreadableRows: string[] = [];
  for (const { reseal } of SEALED_TABLES) {
    for (let after: typeof BEGINNING | undefined = BEGINNING; after !== undefined && !stop.aborted; ) {
      const page: Awaited<ReturnType<typeof reseal>> = await reseal(deps, after);
      left += page.left;
      unreadable += page.unreadable.length;
      unreadableRows.push(...page.unreadable.slice(0, MOST_LISTED - unreadableRows.length));
      if (page.resealed > 0) await onResealed(page.resealed);
      after = page.next;
    }
  }
  return { left, unreadable, unreadableRows };
}
