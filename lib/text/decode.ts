/** Text from bytes that somebody else wrote: the files that the configuration names. What they say does not matter here. */

/** The text without a byte order mark; undefined for bytes that are not UTF-8, which would become another text. */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // Not UTF-8, which is the answer.
    return undefined;
  }
}
