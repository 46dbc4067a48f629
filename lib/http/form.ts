/** Forms: the only bodies that members send, and small ones. How a body is read is in `body.ts`. */
import { callbackMalformed } from "../errors.ts";
import { createBodyReader, MAX_FORM_BYTES } from "./body.ts";

/** Reads a form's fields, for a subscriber. Throws request_too_large, request_timeout. */
export type ReadForm = (request: Request, subscriber: string) => Promise<URLSearchParams>;

/** Makes what reads the forms of one process. */
export function createFormReader(deadlineMs?: number): ReadForm {
  const readBody = createBodyReader(deadlineMs);
  return async (request, subscriber) =>
    new URLSearchParams((await readBody(request, subscriber, MAX_FORM_BYTES)).toString("utf8"));
}

const FORM_TYPE = /^application\/x-www-form-urlencoded\s*(;|$)/i;

/** Whether the head says that the body is a form. */
export const isForm = ({ headers }: Pick<Request, "headers">): boolean =>
  FORM_TYPE.test(headers.get("content-type") ?? "");

/** Refuses a body that is not a form, by the head alone. Throws callback_malformed. */
export function requireForm(request: Request): void {
  if (request.body === null || !isForm(request)) throw callbackMalformed("the body is not a form");
}
