/**
 * The bodies of requests. The only bodies that we accept are small forms. A form is read once nothing in the head refuses
 * the request. While it is read it does not count as a request under way: forms have limits of their own, for each
 * subscriber and in all. Every other request is answered without its body.
 */
import { callbackMalformed, requestTimeout, requestTooLarge } from "../errors.ts";

/** The largest form. How large a body the server accepts at all is in `listener.ts`. */
const MAX_FORM_BYTES = 4_096;
/** Long enough for a slow line. */
const FORM_DEADLINE_MS = 10_000;
/** How many forms may wait for their body in this process, each of MAX_FORM_BYTES at most. */
const MAX_WAITING = 200;
/** How many of them may come from one subscriber. */
const MAX_WAITING_OF_ONE = 20;

/** Reads a form's fields, for a subscriber. Throws request_too_large, request_timeout. */
export type ReadForm = (request: Request, subscriber: string) => Promise<URLSearchParams>;

type Waiting = { readonly subscriber: string; readonly giveUp: () => void };

/** Makes what reads the forms of one process. */
export function createFormReader(deadlineMs = FORM_DEADLINE_MS): ReadForm {
  const waiting = new Set<Waiting>();
  return async (request, subscriber) => {
    const reader = request.body?.getReader();
    if (reader === undefined) return new URLSearchParams();
    makeRoom(waiting, subscriber);
    const { promise, reject } = Promise.withResolvers<never>();
    const self = {
      subscriber,
      giveUp: () => reject(requestTimeout("a form that was given up, since too many were waiting")),
    };
    const timer = setTimeout(() => reject(requestTimeout("a form that does not arrive")), deadlineMs);
    waiting.add(self);
    try {
      const text = await Promise.race([readText(reader), promise]);
      whole.add(request);
      return new URLSearchParams(text);
    } finally {
      clearTimeout(timer);
      waiting.delete(self);
      void reader.cancel().catch(() => undefined);
    }
  };
}

/**
 * If too many forms wait, the one that has waited longest is given up, the subscriber's own first. A member's form arrives
 * at once, so slow forms do not keep it out.
 */
function makeRoom(waiting: Set<Waiting>, subscriber: string): void {
  const own = [...waiting].filter((one) => one.subscriber === subscriber);
  const [longest] = own.length >= MAX_WAITING_OF_ONE ? own : waiting.size >= MAX_WAITING ? waiting : [];
  if (longest === undefined) return;
  waiting.delete(longest);
  longest.giveUp();
}

async function readText(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let part = await readPart(reader); !part.done; part = await readPart(reader)) {
    size += part.value.byteLength;
    if (size > MAX_FORM_BYTES) throw requestTooLarge("a form over the cap");
    chunks.push(part.value);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** A client that goes away in the middle is not a fault of Janus. */
async function readPart(reader: ReadableStreamDefaultReader<Uint8Array>) {
  try {
    return await reader.read();
  } catch {
    throw requestTimeout("a form that broke off");
  }
}

const FORM_TYPE = /^application\/x-www-form-urlencoded\s*(;|$)/i;

/** Refuses a body that is not a form, by the head alone. Throws callback_malformed. */
export function requireForm({ headers, body }: Request): void {
  if (body === null || !FORM_TYPE.test(headers.get("content-type") ?? ""))
    throw callbackMalformed("the body is not a form");
}

/** Whether the head announces a body. RFC 9112 6.3 */
function announcesBody({ headers }: Request): boolean {
  return headers.has("transfer-encoding") || Number(headers.get("content-length") ?? 0) !== 0;
}

/** Whether the head announces more than a form may have. The body of a GET has no meaning, and Bun skips it. RFC 9110 9.3.1 */
export function hasTooLargeBody({ method, headers }: Request): boolean {
  return method !== "GET" && Number(headers.get("content-length") ?? 0) > MAX_FORM_BYTES;
}

/** Requests whose body has arrived completely. */
const whole = new WeakSet<Request>();

/** Discards a body as it arrives. Bun would otherwise keep it, whatever its size, until the request is answered. */
export function dropBody(request: Request): void {
  // A body that the form reader reads is dropped there.
  if (request.body === null || request.body.locked) return;
  const reader = request.body.getReader();
  readText(reader).then(
    () => whole.add(request),
    () => reader.cancel().catch(() => undefined),
  );
}

/** Whether a part of the body may still arrive that nobody will read. */
export const hasUnreadBody = (request: Request): boolean => announcesBody(request) && !whole.has(request);
