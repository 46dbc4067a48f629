/**
 * How the log's lines leave the process: on standard output, as JSON or as people read them. What may stand in a line is
 * in `log.ts`.
 */
import { write as writeFile } from "node:fs";
import type { LogFormat } from "./log.ts";

const STDOUT = 1;

/** What takes lines of JSON. `end` resolves once they are written, or when nobody takes them: then the process may end. */
type LineWriter = { readonly write: (line: string) => void; readonly end: () => Promise<void> };

/** What may wait for a reader that is slow, or for a disk that is full; what comes then is dropped. */
const MAX_WAITING_CHARS = 1_048_576;
const END_DEADLINE_MS = 1_000;
/** A write costs more than a line, so one write takes all lines of this time. A reader does not notice the delay. */
const WRITE_EVERY_MS = 10;
const MOST_TOGETHER_CHARS = 65_536;
/** The time until the next attempt after a write that failed. The disk may have room by then, or a reader may be back. */
const RETRY_MS = 100;

/**
 * Writes whole lines to standard output, in their order. Lines that come soon after one another are written together. No
 * request and no stop waits for the reader. When the reader takes lines again, `onDropped` gets the number of lines that
 * were dropped.
 */
export async function createLineWriter(
  format: LogFormat,
  isTerminal: boolean,
  onDropped: (count: number) => void,
): Promise<LineWriter> {
  const readable = format === "readable" || (format === "auto" && isTerminal);
  const render = readable ? await createPretty(isTerminal) : (line: string) => line;
  const queue = createQueue(STDOUT, onDropped);
  return { write: (line) => add(queue, render(line)), end: () => endQueue(queue) };
}

/**
 * Lines on their way to a file. `sonic-boom`, which pino brings, does nearly this; but with a full queue it tries no more
 * after an error, so that a disk with room again would stay without a log.
 */
type Queue = {
  readonly fd: number;
  readonly onDropped: (count: number) => void;
  waiting: string;
  dropped: number;
  isWriting: boolean;
  timer: ReturnType<typeof setTimeout> | undefined;
  /** Set once the queue is to end. */
  onEmpty: (() => void) | undefined;
};

function createQueue(fd: number, onDropped: (count: number) => void): Queue {
  const empty = { waiting: "", dropped: 0, isWriting: false, timer: undefined, onEmpty: undefined };
  return { fd, onDropped, ...empty };
}

function add(queue: Queue, line: string): void {
  if (queue.waiting.length + line.length > MAX_WAITING_CHARS) {
    queue.dropped += 1;
    return;
  }
  queue.waiting += line;
  if (queue.waiting.length > MOST_TOGETHER_CHARS) flush(queue);
  else flushSoon(queue);
}

function flushSoon(queue: Queue): void {
  queue.timer ??= setTimeout(flush, WRITE_EVERY_MS, queue);
}

/** Writes what waits, unless a write is under way: its end begins the next. */
function flush(queue: Queue): void {
  clearTimeout(queue.timer);
  queue.timer = undefined;
  if (queue.isWriting || queue.waiting === "") return;
  queue.isWriting = true;
  const lines = Buffer.from(queue.waiting);
  queue.waiting = "";
  writeAll(queue.fd, lines, () => finishWrite(queue));
}

/** Tries until the file has taken every byte. */
function writeAll(fd: number, lines: Uint8Array, onWritten: () => void): void {
  writeFile(fd, lines, (error, written) => {
    if (error !== null) setTimeout(writeAll, RETRY_MS, fd, lines, onWritten);
    else if (written < lines.length) writeAll(fd, lines.subarray(written), onWritten);
    else onWritten();
  });
}

function finishWrite(queue: Queue): void {
  queue.isWriting = false;
  if (queue.waiting === "" && queue.dropped > 0) {
    const count = queue.dropped;
    queue.dropped = 0;
    queue.onDropped(count);
  }
  if (queue.waiting === "") queue.onEmpty?.();
  else if (queue.onEmpty === undefined) flushSoon(queue);
  else flush(queue);
}

async function endQueue(queue: Queue): Promise<void> {
  const ended = Promise.withResolvers<void>();
  queue.onEmpty = ended.resolve;
  const deadline = setTimeout(ended.resolve, END_DEADLINE_MS);
  flush(queue);
  if (!queue.isWriting) ended.resolve();
  await ended.promise;
  clearTimeout(deadline);
}

/** Lines for people. Imported here: who reads JSON does not wait for it. */
async function createPretty(colorize: boolean): Promise<(line: string) => string> {
  const { prettyFactory } = await import("pino-pretty");
  const translateTime = "SYS:HH:MM:ss.l";
  return prettyFactory({
    colorize,
    messageKey: "event",
    timestampKey: "time",
    translateTime,
    singleLine: true,
  });
}
