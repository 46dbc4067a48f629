/**
 * Recognises a name that was mistyped. It takes one slip of the fingers and no more, because most other names belong to
 * other programs.
 */

/** The shorter a word, the more names are near it. */
const LEAST_LENGTH = 5;

/**
 * The name that a word is, or becomes by one slip: a letter too many, too few or another one, or two letters that changed
 * places. Undefined for a short word.
 */
export function findTypo(word: string, names: readonly string[]): string | undefined {
  return word.length < LEAST_LENGTH ? undefined : names.find((name) => isOneSlipFrom(name, word));
}

function isOneSlipFrom(name: string, word: string): boolean {
  let same = 0;
  while (same < word.length && word[same] === name[same]) same += 1;
  const [meant, typed] = [name.slice(same), word.slice(same)];
  return (
    typed.slice(1) === meant ||
    typed === meant.slice(1) ||
    typed.slice(1) === meant.slice(1) ||
    typed.charAt(1) + typed.charAt(0) + typed.slice(2) === meant
  );
}
