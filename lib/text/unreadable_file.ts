/**
 * What a command says of a file that it was to read and cannot. An operator need not know the system's codes for the two most
 * common mistakes.
 */

/** A sentence. `name` is printable; `code` is the system's, such as ENOENT. */
export function describeUnreadable(name: string, code: string | undefined): string {
  switch (code) {
    case "ENOENT":
      return `There is no file ${name}: is its name right?`;
    case "EISDIR":
      return `${name} is a folder: name a file in it.`;
    default:
      return `${name} cannot be read: ${code ?? "it failed"}.`;
  }
}
