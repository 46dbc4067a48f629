/**
 * What every command ends with: its result on standard output, or its error on standard error, and the exit code.
 * Called by the commands of this folder. Faults of use and of configuration end with 2, a command that failed with 1.
 */
import { asJanusError, JanusError } from "../errors.ts";

/**
 * Prints what a command returns, or the error it ended with: ours whole, any other by name, for it may quote input.
 * False where it ended with one.
 */
export async function exitWithStatus(command: () => Promise<string | undefined>): Promise<boolean> {
  try {
    const text = await command();
    if (text !== undefined) process.stdout.write(`${text}\n`);
    return true;
  } catch (error) {
    const { message, exitStatus, cause } = asJanusError(error);
    const name = error instanceof JanusError ? "" : ` (${cause instanceof Error ? cause.name : "unknown"})`;
    process.stderr.write(`janus: ${message}${name}\n`);
    process.exitCode = exitStatus;
    return false;
  }
}

/** Tells on standard error what goes on while a command waits; the same thing once, not at every try. */
export function sayOnce(beginning: string): (what: string) => void {
  let said = "";
  return (what) => {
    if (what !== said) process.stderr.write(`janus: ${beginning}${what}\n`);
    said = what;
  };
}
