/**
 * When the end of a grant that failed is tried again, at Discord or at the provider: after two minutes, then after
 * twice as long each time, up to an hour. It knows no grant.
 */
import { asJanusError } from "../errors.ts";
import { secondsAfter } from "../time.ts";

/** Not long after an outage of minutes: until then the member waits to sign in again. */
const BASE_SECONDS = 120;
/** Not long after an outage of days either, and seldom enough for what is refused for ever. */
const MAX_SECONDS = 3_600;

/** When to try next, after so many failures before this one; later where the answer asks for it. */
export function endRetryAt(now: Date, failuresBefore: number, error: unknown): Date {
  const backoff = Math.min(BASE_SECONDS * 2 ** failuresBefore, MAX_SECONDS);
  const asked = asJanusError(error).retryAfterSeconds ?? 0;
  return secondsAfter(now, Math.max(backoff, asked));
}
