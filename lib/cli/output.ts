/**
 * How every command ends: with its result on standard output, or with its error on standard error, and with an exit code.
 * That is 2 for wrong use and configuration, and 1 for a command that failed. With --json each line on standard error is a
 * JSON object, `{"error":{"code","message"}}` or `{"warning"}`.
 */
import { asJanusError, backupFailed, internal, JanusError } from "../errors.ts";
import { describeCause } from "../telemetry/log.ts";
import { toJson } from "../text/json_text.ts";
import { printable, printableLines } from "../text/printable.ts";

/**
 * Runs a command. If it fails, prints the error, sets the exit code and returns false. Of an error that is not ours only the
 * name and the code are printed, because its text may quote input.
 */
export async function exitWithStatus(command: () => Promise<void>, json = false): Promise<boolean> {
  try {
    await command();
    return true;
  } catch (error) {
    const { code, exitStatus } = asJanusError(error);
    const message = explain(error);
    await tell(json ? toJson({ error: { code, message } }) : named(message));
    process.exitCode = exitStatus;
    return false;
  }
}

function explain(error: unknown): string {
  const { message, cause } = asJanusError(error);
  if (error instanceof JanusError) return message;
  const { causeName = "unknown", causeCode } = describeCause(cause);
  return `${message} (${[causeName, causeCode].filter((part) => part !== undefined).join(" ")})`;
}

/** Makes the program end with 1 although it prints a result: an audit has findings. */
export function endWithFindings(): void {
  process.exitCode = 1;
}

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/** Makes the program end as one that Ctrl+C, or SIGTERM, has ended. A shell then does not go on with the next command. */
export function endAsInterrupted(signal: keyof typeof EXIT_CODES = "SIGINT"): void {
  process.exitCode = EXIT_CODES[signal];
}

/** Makes the program end with 2 although it prints a result: what it examined does not work. */
export function endWithFaults(): void {
  process.exitCode = 2;
}

/** Says on standard error why a command waits. The same reason is said once, and not at every try. */
export function sayOnce(beginning: string, json: boolean): (what: string) => void {
  let said = "";
  return (what) => {
    if (what !== said) void warn(beginning + what, json);
    said = what;
  };
}

/** Prints a result on standard output. Throws where it cannot be written, as on a full disk. */
export async function print(text: string): Promise<void> {
  await write(process.stdout, `${text}\n`);
}

/** Prints a part of a long result, as it is. False if nobody reads any more. Throws where it cannot be written. */
export const printPart = (text: string): Promise<boolean> => write(process.stdout, text);

/** Writes bytes of a result to standard output. Throws backup_failed where they cannot be written, or nobody reads them. */
export function writeBytes(bytes: Uint8Array): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const refuse = (error: Error): void =>
    reject(backupFailed("standard output takes no more: what has come out is not whole", error));
  process.stdout.once("error", refuse);
  process.stdout.write(bytes, (error) => {
    // After a failure the stream says it once more, as an event. Without a listener that would print a stack.
    if (error) return refuse(error);
    process.stdout.off("error", refuse);
    resolve();
  });
  return promise;
}

/** Says something on standard error, apart from the result. */
export function warn(message: string, json: boolean): Promise<void> {
  return tell(json ? toJson({ warning: message }) : named(message));
}

/** Shows one line on the terminal in place of the one before, to say what a command is doing; an empty text removes it. */
export const showProgress = (text: string): Promise<void> => show(`\r\u001b[K${printable(text)}`);

/** Warns of something that may be a mistake. */
export const warnOfRisk = (message: string, json: boolean): Promise<void> =>
  warn(json ? message : `warning: ${message}`, json);

/** The lines of a message, under the name of the program. */
const named = (message: string): string => `janus: ${printableLines(message)}`;

const tell = (text: string): Promise<void> => show(`${text}\n`);

/** Writes to standard error as it is, without an end of line: a question, or how far a command is. */
export async function show(text: string): Promise<void> {
  try {
    await write(process.stderr, text);
  } catch {
    // Nowhere is left to say it. The exit code still tells.
  }
}

/** Resolves when the text is written, or with false when nobody reads any more, as with `| head -1`. That is not a failure. */
async function write(stream: NodeJS.WriteStream, text: string): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // Without a listener an error would end the process with a stack.
  stream.once("error", reject);
  stream.write(text, (error) => (error ? reject(error) : resolve()));
  try {
    await promise;
    stream.off("error", reject);
    return true;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EPIPE")) {
      throw internal("the output cannot be written", error);
    }
    return false;
  }
}
