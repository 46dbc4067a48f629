/**
 * "Did you mean …?": the one word among those that exist which a misspelt one is near to. For the commands; options have
 * commander's own.
 */
import leven from "leven";

const MOST_EDITS = 3;

/** The nearest candidate, or undefined where none is near. Two letters that changed places count as two edits. */
function suggest(word: string, candidates: readonly string[]): string | undefined {
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

/** The shorter a word, the more other words are near to it. */
function editsAllowed({ length }: string): number {
  if (length <= 4) return 1;
  return length < 12 ? 2 : MOST_EDITS;
}
