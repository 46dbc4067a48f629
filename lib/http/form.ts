/**
 * What a request brings after its head. A form is waited for only where nothing refuses it before, and a form that waits
 * is no request under way: it has a bound of its own, for each subscriber and in all. Whatever else brings a body is
 * answered without it.
 */
import { callbackMalformed, requestTimeout, requestTooLarge } from "../errors.ts";

/** The largest body that Janus reads, a form of a few fields; what the server accepts at all is in `listener.ts`. */
export const MAX_FORM_BYTES = 4_096;
/** Longer than any line needs for so little. */
const FORM_DEADLINE_MS = 10_000;
/** Forms that wait for their body in this process, each of MAX_FORM_BYTES at most. */
export const MAX_WAITING = 200;
/** Of them, those of one subscriber. */
export const MAX_WAITING_OF_ONE = 20;

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
 * The form that has waited longest gives way, of the same subscriber first: a member's form arrives at once, so that a
 * form which does not arrive keeps nobody else's out.
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

/** A client that goes away in the middle is no fault of ours. */
async function readPart(reader: ReadableStreamDefaultReader<Uint8Array>) {
  try {
    return await reader.read();
  } catch {
    throw requestTimeout("a form that broke off");
  }
}

const FORM_TYPE = /^application\/x-www-form-urlencoded\s*(;|$)/i;

/** Refuses, by the head alone, what is no form. Throws callback_malformed. */
export function requireForm({ headers, body }: Request): void {
  if (body === null || !FORM_TYPE.test(headers.get("content-type") ?? ""))
    throw callbackMalformed("the body is not a form");
}

/** Whether the head announces a body. RFC 9112 6.3 */
function announcesBody({ headers }: Request): boolean {
  return headers.has("transfer-encoding") || Number(headers.get("content-length") ?? 0) !== 0;
}

/** Whether the head announces more than any form has. The body of a GET has no meaning: Bun skips it. RFC 9110 9.3.1 */
export function hasTooLargeBody({ method, headers }: Request): boolean {
  return method !== "GET" && Number(headers.get("content-length") ?? 0) > MAX_FORM_BYTES;
}

/** Requests whose body has come to its end. */
const whole = new WeakSet<Request>();

/** Throws a body away as it comes: Bun would keep it, whatever its size, until the request is answered. */
export function dropBody(request: Request): void {
  // One that is read elsewhere is dropped there.
  if (request.body === null || request.body.locked) return;
  const reader = request.body.getReader();
  readText(reader).then(
    () => whole.add(request),
    () => reader.cancel().catch(() => undefined),
  );
}

/** Whether more of the request may come, which nobody will read. */
export const hasUnreadBody = (request: Request): boolean => announcesBody(request) && !whole.has(request);
