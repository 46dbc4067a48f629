/**
 * What a command learns from who started it: whether somebody sits at a terminal, their answer to a question, what arrives
 * on standard input, and Ctrl+C. What it says to them is in `output.ts`.
 */
import { isatty } from "node:tty";
import type { Environment } from "../config/sources.ts";
import { show } from "./output.ts";

const STANDARD_INPUT = 0;
const STANDARD_OUTPUT = 1;
const STANDARD_ERROR = 2;
const END_OF_LINE = 10;
/** An answer is a word. Whatever is longer is not one. */
const MOST_ANSWERED = 64;

/** Whether a question would be seen and could be answered. */
export const canAsk = (): boolean => isatty(STANDARD_INPUT) && isatty(STANDARD_ERROR);

/** Whether somebody sees on standard error how far a command is. */
export const canShowProgress = (): boolean => isatty(STANDARD_ERROR);

/** Whether standard output is a terminal, which is no place for a file. */
export const writesToTerminal = (): boolean => isatty(STANDARD_OUTPUT);

/** Whether standard output shows colours, and nobody has switched them off. https://no-color.org */
export const canShowColours = ({ NO_COLOR, TERM }: Environment): boolean =>
  isatty(STANDARD_OUTPUT) && !NO_COLOR && TERM !== "dumb";

/** Asks on the terminal. Everything but a yes is a no, also the end of the input. */
export async function confirm(question: string): Promise<boolean> {
  await show(`${question} [y/N] `);
  const isAnswered = (bytes: Uint8Array): boolean =>
    bytes.includes(END_OF_LINE) || bytes.length > MOST_ANSWERED;
  const answer = Buffer.from(await readInput(isAnswered)).toString("utf8");
  if (!answer.includes("\n")) await show("\n");
  const [line = ""] = answer.split("\n", 1);
  return /^y(es)?$/i.test(line.trim());
}

/** Standard input to its end, or until it is longer than so many bytes. */
export const readStandardInput = (mostBytes: number): Promise<Uint8Array> =>
  readInput(({ length }) => length > mostBytes);

/**
 * Does work that Ctrl+C stops at once; then the result is undefined. What the work has open is closed by its owner. A second
 * Ctrl+C ends the process, as it does for every other command.
 */
export async function untilInterrupted<Result>(
  work: (stop: AbortSignal) => Promise<Result>,
): Promise<Result | undefined> {
  const stopping = new AbortController();
  const interrupted = Promise.withResolvers<undefined>();
  const onInterrupt = (): void => {
    process.off("SIGINT", onInterrupt);
    stopping.abort();
    interrupted.resolve(undefined);
  };
  process.on("SIGINT", onInterrupt);
  try {
    const working = work(stopping.signal);
    // What becomes of work that nobody waits for any more is of no interest.
    working.catch(() => undefined);
    return await Promise.race([working, interrupted.promise]);
  } finally {
    process.off("SIGINT", onInterrupt);
  }
}

/** What asks a command to stop: Ctrl+C, and who has started it, such as a timer of systemd. */
type StopSignal = "SIGINT" | "SIGTERM";
const STOP_SIGNALS: readonly StopSignal[] = ["SIGINT", "SIGTERM"];

/**
 * Does work that a signal asks to stop, and waits for what it has begun: it may hold tokens that nobody else has. Gives its
 * result, and the signal if there was one. A second signal ends the process at once.
 */
export async function untilToldToStop<Result>(
  work: (stop: AbortSignal) => Promise<Result>,
  onStop: () => void,
): Promise<{ readonly result: Result; readonly signal: StopSignal | undefined }> {
  const stopping = new AbortController();
  let told: StopSignal | undefined;
  const onSignal = (signal: StopSignal): void => {
    for (const each of STOP_SIGNALS) process.off(each, onSignal);
    told = signal;
    stopping.abort();
    onStop();
  };
  for (const each of STOP_SIGNALS) process.on(each, onSignal);
  try {
    return { result: await work(stopping.signal), signal: told };
  } finally {
    for (const each of STOP_SIGNALS) process.off(each, onSignal);
  }
}

async function readInput(isEnough: (bytes: Uint8Array) => boolean): Promise<Uint8Array> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of process.stdin) {
    bytes = Buffer.concat([bytes, Buffer.from(chunk)]);
    if (isEnough(bytes)) break;
  }
  return bytes;
}
