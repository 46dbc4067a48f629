/** How a command that changes something gets a yes: by `--yes`, or by a question on a terminal. */
import { usage } from "../errors.ts";
import { canAsk } from "./terminal.ts";

/** Throws usage without --yes where no terminal can ask. With --json a program reads the output, so nobody is asked. */
export function requireAgreement(command: string, isAgreed: boolean, json: boolean): void {
  if (isAgreed || (!json && canAsk())) return;
  throw usage(`${command} asks before it changes anything. To agree beforehand, add --yes.`);
}
