/**
 * What `janus explain --claims` is told beside the claims: whose they are, and the Discord account. What it is not told is
 * unknown, and so is each rule that needs it.
 */
import { usage } from "../errors.ts";
import { findTime } from "../text/moments.ts";
import { printable } from "../text/printable.ts";

/** The options as they were given. */
export type GivenFacts = {
  readonly issuer?: string;
  readonly subject?: string;
  readonly discordId?: string;
  readonly discordUsername?: string;
  readonly linkedAt?: Date;
};

const MOST_ECHOED = 120;

/** The options that were given, as they are written. */
export function findGiven(given: GivenFacts): readonly string[] {
  const options = [
    ["--issuer", given.issuer],
    ["--subject", given.subject],
    ["--discord-id", given.discordId],
    ["--discord-username", given.discordUsername],
    ["--linked-at", given.linkedAt],
  ] as const;
  return options.filter(([, value]) => value !== undefined).map(([name]) => name);
}

/** Reads `--discord-id`. Throws usage. */
export function readUserId(word: string): string {
  if (/^[0-9]{1,20}$/.test(word)) return word;
  throw usage(`Not a Discord user id: ${printable(word, MOST_ECHOED)}.\nIt is a number of up to 20 digits.`);
}

/** Reads `--linked-at`. Throws usage. */
export function readTime(word: string): Date {
  const time = findTime(word);
  if (time !== undefined) return time;
  throw usage(
    `Not a time: ${printable(word, MOST_ECHOED)}.\nWrite it as 2026-01-31 or 2026-01-31T12:00:00Z.`,
  );
}
