/**
 * The name of who runs a command, for the trail: a person may say who they are, and otherwise the system knows an account.
 */
import { userInfo } from "node:os";
import type { Environment } from "../config/sources.ts";
import { printable } from "../text/printable.ts";

const MOST_NAMED = 100;

/** JANUS_OPERATOR, or else the account of the operating system, by its name or its number. */
export function readOperatorName({ JANUS_OPERATOR }: Environment): string {
  return printable(JANUS_OPERATOR?.trim() || accountName(), MOST_NAMED);
}

/** What the runtime says where the environment has no name of the account, as under systemd and in a container. */
const NO_NAME = "unknown";

function accountName(): string {
  try {
    const { username, uid } = userInfo();
    return username === NO_NAME ? `uid ${uid}` : username;
  } catch {
    // A container may run as an account that has no name.
    return NO_NAME;
  }
}
