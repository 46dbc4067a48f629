/**
 * What a command learns from who started it: whether somebody sits at a terminal, their answer to a question, and what
 * arrives on standard input. What it says to them is in `output.ts`.
 */
import { isatty } from "node:tty";
import { show } from "./output.ts";

const STANDARD_INPUT = 0;
const STANDARD_ERROR = 2;
/** An answer is a word. Whatever is longer is not one. */
const MOST_ANSWERED = 64;

/** Whether a question would be seen and could be answered. */
export const canAsk = (): boolean => isatty(STANDARD_INPUT) && isatty(STANDARD_ERROR);

/** Whether somebody sees on standard error how far a command is. */
export const canShowProgress = (): boolean => isatty(STANDARD_ERROR);

/** Asks on the terminal. Everything but a yes is a no, also the end of the input. */
export async function confirm(question: string): Promise<boolean> {
  await show(`${question} [y/N] `);
  const answer = await readInput((text) => text.includes("\n") || text.length > MOST_ANSWERED);
  const [line = ""] = answer.split("\n", 1);
  if (!answer.includes("\n")) await show("\n");
  return /^y(es)?$/i.test(line.trim());
}

/** Standard input to its end; undefined if it is longer than so many bytes, of which no more are read. */
export async function readStandardInput(mostBytes: number): Promise<string | undefined> {
  const text = await readInput((read) => Buffer.byteLength(read) > mostBytes);
  return Buffer.byteLength(text) > mostBytes ? undefined : text;
}

async function readInput(isEnough: (text: string) => boolean): Promise<string> {
  let text = "";
  for await (const chunk of process.stdin.setEncoding("utf8")) {
    text += String(chunk);
    if (isEnough(text)) break;
  }
  return text;
}
