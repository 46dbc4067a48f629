/**
 * What every command ends with: its result on standard output, or its error on standard error, and the exit code.
 * Called by the commands of this folder. Faults of use and of configuration end with 2, a command that failed with 1.
 */

import { asJanusError, internal, JanusError } from "../errors.ts";
import { describeCause } from "../telemetry/log.ts";
import { printable } from "../text/printable.ts";

/**
 * Prints what a command returns, or the error it ended with: ours whole, any other by name and code, since its text may
 * quote input. False where it ended with one.
 */
export async function exitWithStatus(command: () => Promise<string | undefined>): Promise<boolean> {
  try {
    const text = await command();
    if (text !== undefined) await print(text);
    return true;
  } catch (error) {
    const { message, exitStatus, cause } = asJanusError(error);
    const { causeName = "unknown", causeCode } = describeCause(cause);
    const name = [causeName, causeCode].filter((part) => part !== undefined).join(" ");
    await warn(error instanceof JanusError ? message : `${message} (${name})`);
    process.exitCode = exitStatus;
    return false;
  }
}

/** Makes the program end with 1 although it prints a result, for an audit that found something. */
export function endWithFindings(): void {
  process.exitCode = 1;
}

/** Tells on standard error what goes on while a command waits; the same thing once, not at every try. */
export function sayOnce(beginning: string): (what: string) => void {
  let said = "";
  return (what) => {
    if (what !== said) void warn(beginning + what);
    said = what;
  };
}

/** Prints a result on standard output. Throws where it cannot be written, as on a full disk. */
export function print(text: string): Promise<void> {
  return write(process.stdout, `${text}\n`);
}

/** Says something on standard error, which is neither a result nor in its way. */
export async function warn(message: string): Promise<void> {
  try {
    await write(
      process.stderr,
      `janus: ${message
        .split("\n")
        .map((line) => printable(line))
        .join("\n")}\n`,
    );
  } catch {
    // There is nowhere left to say that nothing can be said; the exit code still tells.
  }
}

/** Resolves when the text is written, or when nobody reads any more, as behind `head -1`: that is no failure. */
async function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // An error that nobody listens for ends the process with a stack.
  stream.once("error", reject);
  stream.write(text, (error) => (error ? reject(error) : resolve()));
  try {
    await promise;
    stream.off("error", reject);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EPIPE")) {
      throw internal("the output cannot be written", error);
    }
  }
}
