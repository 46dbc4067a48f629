/** What a promise was rejected with. */
import { JanusError } from "../../lib/errors.ts";

/** The JanusError. Throws where there is none. */
export async function rejection(promise: Promise<unknown>): Promise<JanusError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof JanusError)) throw new Error(`no JanusError: ${String(error)}`);
  return error;
}

/** The code of the JanusError; "no error", or another error as text. */
export const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "no error",
    (reason: unknown) => (reason instanceof JanusError ? reason.code : String(reason)),
  );
