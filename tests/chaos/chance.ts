/** Chance that a seed decides: the same seed and name give the same row of numbers, whatever others draw. */

/** A row of numbers. */
export type Chance = {
  /** At least 0 and less than 1. */
  readonly next: () => number;
  /** A whole number, at least 0 and less than `end`. */
  readonly below: (end: number) => number;
  readonly between: (least: number, most: number) => number;
  /** True once in a while: `share` of 1. */
  readonly falls: (share: number) => boolean;
  /** One of those, each as often as its weight says. */
  readonly weigh: <Choice extends string>(weights: Readonly<Record<Choice, number>>) => Choice;
};

/** Begins a row. mulberry32 */
export function createChance(seed: number, name: string): Chance {
  let state = Number(BigInt.asUintN(32, BigInt(Bun.hash(`${seed} ${name}`))));
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    below: (end) => Math.floor(next() * end),
    between: (least, most) => least + next() * (most - least),
    falls: (share) => next() < share,
    weigh: (weights) => {
      const entries = Object.entries(weights) as [keyof typeof weights, number][];
      let left = next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [choice, weight] of entries) {
        left -= weight;
        if (left < 0) return choice;
      }
      return (entries.at(-1) as (typeof entries)[number])[0];
    },
  };
}
