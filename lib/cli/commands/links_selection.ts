/** The options that select links, for a list and for an export. */
import type { Command } from "commander";
import { LINK_STATES } from "../../database/statements/link_view.ts";
import { ERROR_CODES } from "../../error_codes.ts";
import { usage } from "../../errors.ts";
import type { Pair, Selection } from "../../operator/select_links.ts";
import { printable } from "../../text/printable.ts";
import { readAgo, readPair } from "../option_values.ts";

const MOST_ECHOED = 120;

/** The options as they were given. */
export type SelectionOptions = {
  readonly state?: (typeof LINK_STATES)[number];
  readonly record?: Pair;
  readonly claim?: Pair;
  readonly olderThan?: Date;
  readonly error?: string;
  readonly failing?: boolean;
};

/** Adds the options to a command. */
export function addSelection(command: Command): Command {
  const state = command
    .createOption("--state <state>", "in this state, as janus status counts them")
    .choices(LINK_STATES);
  return command
    .addOption(state)
    .option("--record <key[=value]>", "to which Discord was told this metadata record", readPair)
    .option("--claim <name[=value]>", "with this claim, which is the value or has it in a list", readPair)
    .option("--older-than <age>", "whose claims were last read longer ago, such as 36h or 30d", readAgo)
    .option("--error <code>", "whose last check or push failed with this code", readCode)
    .option("--failing", "whose last check or push failed");
}

/** What the options select. */
export const selectionOf = (options: SelectionOptions): Selection => ({
  state: options.state,
  record: options.record,
  claim: options.claim,
  seenBefore: options.olderThan,
  failedCode: options.error,
  isFailing: options.failing,
});

/** The names of what is selected by, without the values: these are of members. */
export const namesOf = (options: SelectionOptions): readonly string[] =>
  ["state", "record", "claim", "olderThan", "error", "failing"].filter((name) =>
    Object.hasOwn(options, name),
  );

function readCode(word: string): string {
  if (ERROR_CODES.includes(word)) return word;
  throw usage(
    `No error has the code ${printable(word, MOST_ECHOED)}.\nThe codes are in docs/errors.md, such as provider_unavailable.`,
  );
}
