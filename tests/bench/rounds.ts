/**
 * Rounds of a measurement. They alternate between Janus and what it is measured against, so that a drift of the machine
 * meets both; a ratio is the median of the ratios of neighbouring rounds.
 */
import type { Program } from "./programs.ts";
import type { Figure } from "./report.ts";
import { median } from "./report.ts";

export type Round = { readonly cpuMs: number; readonly perSecond: number; readonly busy: number };

/** One round: CPU time each, how many a second, and which part of its core the program used. */
export async function measureRound(program: Program, work: () => Promise<number>): Promise<Round> {
  const cpuBefore = program.cpuMs();
  const started = performance.now();
  const count = await work();
  const elapsed = performance.now() - started;
  const cpu = program.cpuMs() - cpuBefore;
  return { cpuMs: cpu / count, perSecond: (count * 1_000) / elapsed, busy: cpu / elapsed };
}

export async function alternate(
  rounds: number,
  ours: () => Promise<Round>,
  theirs: () => Promise<Round>,
  warmUp: () => Promise<void>,
): Promise<[Round[], Round[]]> {
  await warmUp();
  const [own, bare]: [Round[], Round[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    bare.push(await theirs());
    own.push(await ours());
  }
  return [own, bare];
}

type Pick = (round: Round) => number;

export const perCpuSecond: Pick = ({ cpuMs }) => 1_000 / cpuMs;

export function ratio(own: readonly Round[], bare: readonly Round[], pick: Pick): number {
  return median(own.map((round, index) => pick(round) / pick(bare[index] ?? round)));
}

export function context(own: readonly Round[], bare: readonly Round[], unit: string, pick: Pick): Figure[] {
  return [
    { name: "  Janus", value: median(own.map(pick)), unit },
    { name: "  bare", value: median(bare.map(pick)), unit },
  ];
}
