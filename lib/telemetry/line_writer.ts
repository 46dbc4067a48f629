/**
 * How the log's lines leave the process: on standard output, as JSON or as people read them. Called by `serve`. What may
 * stand in a line is `log.ts`'s to say.
 */
import { write as writeFile } from "node:fs";
import type { LogFormat } from "./log.ts";

const STDOUT = 1;

/** What takes lines of JSON. `end` resolves once they are written, or when nobody takes them: then the process may end. */
export type LineWriter = { readonly write: (line: string) => void; readonly end: () => Promise<void> };

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
  return { write: (line) => queue.add(render(line)), end: queue.end };
}

/**
 * Lines on their way to a file. `sonic-boom`, which pino brings, does nearly this; but with a full queue it tries no more
 * after an error, so that a disk with room again would stay without a log.
 */
function createQueue(fd: number, onDropped: (count: number) => void) {
  let waiting = "";
  let dropped = 0;
  let isWriting = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let onEmpty: (() => void) | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (isWriting || waiting === "") return;
    isWriting = true;
    const lines = Buffer.from(waiting);
    waiting = "";
    push(lines);
  };
  const push = (lines: Uint8Array): void =>
    writeFile(fd, lines, (error, written) => {
      if (error !== null) setTimeout(push, RETRY_MS, lines);
      else if (written < lines.length) push(lines.subarray(written));
      else finish();
    });
  const finish = (): void => {
    isWriting = false;
    if (waiting === "" && dropped > 0) {
      const count = dropped;
      dropped = 0;
      onDropped(count);
    }
    if (waiting === "") onEmpty?.();
    else if (onEmpty === undefined) soon();
    else flush();
  };
  const soon = (): void => {
    timer ??= setTimeout(flush, WRITE_EVERY_MS);
  };

  return {
    add: (line: string): void => {
      if (waiting.length + line.length > MAX_WAITING_CHARS) {
        dropped += 1;
        return;
      }
      waiting += line;
      if (waiting.length > MOST_TOGETHER_CHARS) flush();
      else soon();
    },
    end: async (): Promise<void> => {
      const ended = Promise.withResolvers<void>();
      onEmpty = ended.resolve;
      const deadline = setTimeout(ended.resolve, END_DEADLINE_MS);
      flush();
      if (!isWriting) ended.resolve();
      await ended.promise;
      clearTimeout(deadline);
    },
  };
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
