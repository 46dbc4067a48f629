/**
 * The body of an answer: read to its end, up to a cap. Janus asks for an uncompressed body and accepts no other, since
 * a few bytes can expand to gigabytes, and the runtime decompresses them past any deadline. `upstream.ts` has the
 * requests and their deadlines.
 */

/** Janus reads no more of a body than this. */
const MAX_BODY_BYTES = 256 * 1024;

/** Asks for an uncompressed body. RFC 9110 12.5.3 */
export const UNCOMPRESSED = { "accept-encoding": "identity" } as const;

/** Whether either header says that a body is compressed. RFC 9110 8.4, RFC 9112 6.1 */
export function isCompressed(headers: Headers): boolean {
  const contentCodings = codings(headers, "content-encoding");
  const transferCodings = codings(headers, "transfer-encoding");
  return (
    contentCodings.some((coding) => coding !== "identity") ||
    transferCodings.some((coding) => coding !== "identity" && coding !== "chunked")
  );
}

function codings(headers: Headers, name: string): readonly string[] {
  const list = headers.get(name) ?? "";
  return list.split(",").flatMap((coding) => coding.trim().toLowerCase() || []);
}

/** A body, or why it was not read, in words for an error's reason. */
export type Body = { readonly text: string } | { readonly refusal: string };

/** Reads the whole body as text. Refuses a compressed one, and one over the cap. Throws when the signal fires. */
export async function readBody(response: Response, signal: AbortSignal): Promise<Body> {
  if (isCompressed(response.headers)) {
    await dropBody(response);
    return { refusal: "the answer is compressed, although Janus asked for an uncompressed one" };
  }
  const text = await readText(response, signal);
  return text === undefined ? { refusal: `the answer is over ${MAX_BODY_BYTES} bytes` } : { text };
}

async function readText(response: Response, signal: AbortSignal): Promise<string | undefined> {
  // The common and cheap case. With chunks the length does not count. RFC 9112 6.3
  const length = response.headers.get("content-length");
  if (length !== null && !response.headers.has("transfer-encoding")) {
    if (Number(length) <= MAX_BODY_BYTES) return response.text();
    await dropBody(response);
    return undefined;
  }
  return response.body === null ? "" : readInParts(response.body, signal);
}

/** Discards a body that nobody reads. */
export async function dropBody(response: Response): Promise<void> {
  await response.body?.cancel();
}

async function readInParts(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const reader = body.getReader();
  const abort = () => void reader.cancel().catch(() => undefined);
  signal.addEventListener("abort", abort, { once: true });
  try {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      size += part.value.byteLength;
      if (size > MAX_BODY_BYTES) {
        await reader.cancel();
        return undefined;
      }
      chunks.push(part.value);
    }
    signal.throwIfAborted();
    return Buffer.concat(chunks).toString("utf8");
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
