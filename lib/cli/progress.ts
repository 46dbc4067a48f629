/**
 * How far a long command is, as one line that is written again and again on a terminal. Nowhere else: a log of such lines
 * helps nobody, and with --json standard error is JSON.
 */
import { showProgress } from "./output.ts";
import { canShowProgress } from "./terminal.ts";

const BAR_WIDTH = 30;
const PERCENT = 100;

/** Shows how much is done, and takes the line away at the end. */
export type Progress = { readonly tell: (done: number) => Promise<void>; readonly end: () => Promise<void> };

/** Begins at nothing. Where nobody can see it, it says nothing. `what` names what is counted. */
export function createProgress(total: number, what: string, json: boolean): Progress {
  const isShown = !json && canShowProgress();
  let shown = "";
  const rewrite = async (line: string): Promise<void> => {
    if (line === shown) return;
    await showProgress(line);
    shown = line;
  };
  return {
    tell: async (done) => {
      if (isShown) await rewrite(describeProgress(done, total, what));
    },
    end: () => rewrite(""),
  };
}

/** Says what a command is doing that cannot tell how far it is, and takes the line away at the end. */
export async function sayMeanwhile<Result>(
  what: string,
  json: boolean,
  work: () => Promise<Result>,
): Promise<Result> {
  const isShown = !json && canShowProgress();
  if (isShown) await showProgress(what);
  try {
    return await work();
  } finally {
    if (isShown) await showProgress("");
  }
}

/** A progress of work that says itself how much there is. Before it does, nothing is shown. */
export function createLateProgress(
  what: string,
  json: boolean,
): Progress & { readonly begin: (total: number) => void } {
  let progress: Progress | undefined;
  return {
    begin: (total) => {
      progress ??= createProgress(total, what, json);
    },
    tell: async (done) => progress?.tell(done),
    end: async () => progress?.end(),
  };
}

/** The line. More may be done than was counted before. */
export function describeProgress(done: number, total: number, what: string): string {
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const bar = "#".repeat(Math.floor(share * BAR_WIDTH)).padEnd(BAR_WIDTH, ".");
  return `[${bar}] ${Math.floor(share * PERCENT)} %  ${done} of ${Math.max(done, total)} ${what}`;
}
