/**
 * The name of who runs a command, for the trail: a person may say who they are, and otherwise the system knows an account.
 */
import { userInfo } from "node:os";
import type { Environment } from "../config/sources.ts";
import { printable } from "../text/printable.ts";

const MOST_NAMED = 100;

/** JANUS_OPERATOR, or else the account of the operating system. */
export function readOperatorName({ JANUS_OPERATOR }: Environment): string {
  return printable(JANUS_OPERATOR?.trim() || accountName(), MOST_NAMED);
}

function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as an account that has no name.
    return "unknown";
  }
}
