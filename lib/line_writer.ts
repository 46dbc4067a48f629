/**
 * How the log's lines leave the process: on standard output, as JSON or as people read them. Called by `serve`. What may
 * stand in a line is `log.ts`'s to say.
 */
import { destination } from "pino";
import type { LogFormat } from "./log.ts";

const STDOUT = 1;

/** What takes lines of JSON. `end` resolves once they are written, or when nobody takes them: then the process may end. */
export type LineWriter = { readonly write: (line: string) => void; readonly end: () => Promise<void> };

/** What may wait for a reader that is slow, or for a disk that is full; what comes then is dropped. */
const MAX_WAITING_BYTES = 1_048_576;
const END_DEADLINE_MS = 1_000;
/** A write costs more than a line: one takes what comes in so long, which nobody who reads a log notices. */
const WRITE_EVERY_MS = 10;
const MOST_TOGETHER_CHARS = 65_536;

/**
 * Writes to standard output, in the order of the lines and each whole. Lines that come soon after one another are
 * written together, and nobody waits for whoever reads them: members are served, and a stop stops, all the same.
 * `onDropped` is told how many lines nobody took, once somebody takes them again.
 */
export async function createLineWriter(
  format: LogFormat,
  isTerminal: boolean,
  onDropped: (count: number) => void,
): Promise<LineWriter> {
  const readable = format === "readable" || (format === "auto" && isTerminal);
  const render = readable ? await createPretty(isTerminal) : undefined;
  const output = destination({ fd: STDOUT, sync: false, maxLength: MAX_WAITING_BYTES });
  // Whoever read them has gone, or the disk is full.
  output.on("error", () => undefined);
  let dropped = 0;
  output.on("drop", (lines: string) => {
    dropped += lines.split("\n").length - 1;
  });
  output.on("drain", () => {
    const count = dropped;
    dropped = 0;
    if (count > 0) onDropped(count);
  });
  let waiting = "";
  const flush = (): void => {
    const lines = waiting;
    waiting = "";
    if (lines !== "") output.write(lines);
  };
  return {
    write: (line) => {
      if (waiting === "") setTimeout(flush, WRITE_EVERY_MS);
      waiting += render === undefined ? line : render(line);
      if (waiting.length > MOST_TOGETHER_CHARS) flush();
    },
    end: async () => {
      flush();
      const written = Promise.withResolvers<void>();
      output.once("close", written.resolve);
      output.end();
      const timer = setTimeout(written.resolve, END_DEADLINE_MS);
      await written.promise;
      clearTimeout(timer);
      // Or it would try once more as the process exits, for as long as nobody takes it.
      output.destroy();
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
