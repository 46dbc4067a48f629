/**
 * "Did you mean …?": the one word among those that exist which a misspelt one is near to. Called for commands and for
 * the names of variables; options have commander's own.
 */
import leven from "leven";

const MOST_EDITS = 3;

/** The nearest candidate, or undefined where none is near. Two letters that changed places count as two edits. */
export function suggest(word: string, candidates: readonly string[]): string | undefined {
  const [nearest] = candidates
    .map((candidate) => ({ candidate, edits: leven(word, candidate, { maxDistance: MOST_EDITS + 1 }) }))
    .filter(({ candidate, edits }) => edits <= editsAllowed(candidate))
    .sort((a, b) => a.edits - b.edits);
  return nearest?.candidate;
}

/** The same as a sentence to put behind another, or nothing. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const suggestion = suggest(word, candidates);
  return suggestion === undefined ? "" : ` Did you mean ${suggestion}?`;
}

/**
 * The candidate that a word becomes, or is, by one slip of the fingers: a letter too many, too few or another, or two
 * that changed places. For words that are most likely somebody else's, where to be near is not enough.
 */
export function findTypo(word: string, candidates: readonly string[]): string | undefined {
  return candidates.find((candidate) => isOneSlip(word, candidate));
}

function isOneSlip(word: string, meant: string): boolean {
  // Most words of an environment differ by more: a server that starts looks at all of them.
  if (Math.abs(word.length - meant.length) > 1) return false;
  const swapped = (at: number): string =>
    word.slice(0, at) + word.charAt(at + 1) + word.charAt(at) + word.slice(at + 2);
  return leven(word, meant) <= 1 || [...word].some((_, at) => swapped(at) === meant);
}

/** The shorter a word, the more other words are near to it. */
function editsAllowed({ length }: string): number {
  if (length <= 4) return 1;
  return length < 12 ? 2 : MOST_EDITS;
}
