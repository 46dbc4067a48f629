/**
 * A small file that a variable names. It is read whole, and once, when the server starts. No message repeats the path.
 */
import { readFileSync, statSync } from "node:fs";

/** What is in the file, or its fault: the end of a sentence that begins with the variable's name. */
type Read = { readonly bytes: Uint8Array<ArrayBuffer> } | { readonly fault: string };

const MAX_KIB = 256;
const BYTES_PER_KIB = 1_024;

/** Reads a file of at most 256 KiB. */
export function readSmallFile(path: string): Read {
  try {
    const status = statSync(path);
    // A pipe or a device might never end.
    if (!status.isFile()) return { fault: "names something that is not a file" };
    if (status.size > MAX_KIB * BYTES_PER_KIB) return { fault: `names a file of more than ${MAX_KIB} KiB` };
    return { bytes: new Uint8Array(readFileSync(path)) };
  } catch (error) {
    const why = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    return { fault: `names a file that cannot be read (${why})` };
  }
}
