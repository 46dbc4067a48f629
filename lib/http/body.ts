/**
 * The bodies of requests: forms of members, and events of other servers. A body is read once nothing in the head refuses
 * the request. While it is read it does not count as a request under way: bodies have limits of their own, for each
 * subscriber and in all. Every other request is answered without its body.
 */
import { requestTimeout, requestTooLarge } from "../errors.ts";

/** The largest form. How large a body the server accepts at all is in `listener.ts`. */
export const MAX_FORM_BYTES = 4_096;
/** Long enough for a slow line. */
const BODY_DEADLINE_MS = 10_000;
/** How many requests may wait for their body at once. */
export const MAX_WAITING = 200;
/** How many of them may come from one subscriber, by default. */
const MAX_WAITING_OF_ONE = 20;

/** Reads a whole body, for a subscriber. Throws request_too_large, request_timeout. */
export type ReadBody = (
  request: Request,
  subscriber: string,
  maxBytes: number,
) => Promise<Buffer<ArrayBuffer>>;

type Waiting = { readonly subscriber: string; readonly giveUp: () => void };

/** Makes what reads bodies of one kind, with limits of its own. */
export function createBodyReader(
  deadlineMs = BODY_DEADLINE_MS,
  maxWaitingOfOne = MAX_WAITING_OF_ONE,
): ReadBody {
  const waiting = new Set<Waiting>();
  return async (request, subscriber, maxBytes) => {
    const reader = request.body?.getReader();
    if (reader === undefined) return Buffer.alloc(0);
    makeRoom(waiting, subscriber, maxWaitingOfOne);
    const { promise, reject } = Promise.withResolvers<never>();
    const self = {
      subscriber,
      giveUp: () => reject(requestTimeout("a body that was given up, since too many were waiting")),
    };
    const timer = setTimeout(() => reject(requestTimeout("a body that does not arrive")), deadlineMs);
    waiting.add(self);
    try {
      const bytes = await Promise.race([readBytes(reader, maxBytes), promise]);
      whole.add(request);
      return bytes;
    } finally {
      clearTimeout(timer);
      waiting.delete(self);
      void reader.cancel().catch(() => undefined);
    }
  };
}

/**
 * If too many wait, the one that has waited longest is given up, the subscriber's own first. An honest body arrives at
 * once, so slow ones do not keep it out.
 */
function makeRoom(waiting: Set<Waiting>, subscriber: string, maxWaitingOfOne: number): void {
  const own = [...waiting].filter((one) => one.subscriber === subscriber);
  const [longest] = own.length >= maxWaitingOfOne ? own : waiting.size >= MAX_WAITING ? waiting : [];
  if (longest === undefined) return;
  waiting.delete(longest);
  longest.giveUp();
}

async function readBytes(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  maxBytes: number,
): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let part = await readPart(reader); !part.done; part = await readPart(reader)) {
    size += part.value.byteLength;
    if (size > maxBytes) throw requestTooLarge("a body over the cap");
    chunks.push(part.value);
  }
  return Buffer.concat(chunks);
}

/** A client that goes away in the middle is not a fault of Janus. */
async function readPart(reader: ReadableStreamDefaultReader<Uint8Array>) {
  try {
    return await reader.read();
  } catch {
    throw requestTimeout("a body that broke off");
  }
}

/** Whether the head announces a body. RFC 9112 6.3 */
function announcesBody({ headers }: Request): boolean {
  return headers.has("transfer-encoding") || Number(headers.get("content-length") ?? 0) !== 0;
}

/** Whether the head announces more than a route takes. The body of a GET has no meaning, and Bun skips it. RFC 9110 9.3.1 */
export function hasTooLargeBody({ method, headers }: Request, maxBytes = MAX_FORM_BYTES): boolean {
  return method !== "GET" && Number(headers.get("content-length") ?? 0) > maxBytes;
}

/** Requests whose body has arrived completely. */
const whole = new WeakSet<Request>();

/** Discards a body as it arrives. Bun would otherwise keep it, whatever its size, until the request is answered. */
export function dropBody(request: Request): void {
  // A body that is being read is dropped there.
  if (request.body === null || request.body.locked) return;
  const reader = request.body.getReader();
  readBytes(reader, MAX_FORM_BYTES).then(
    () => whole.add(request),
    () => reader.cancel().catch(() => undefined),
  );
}

/** Whether a part of the body may still arrive that nobody will read. */
export const hasUnreadBody = (request: Request): boolean => announcesBody(request) && !whole.has(request);
