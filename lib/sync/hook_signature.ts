/**
 * Whether somebody who knows HOOK_SECRET has sent a request to the hook: HMAC-SHA-256 over an id, a timestamp and the body,
 * as Standard Webhooks has it. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import { equalInConstantTime, macBytes } from "../crypto.ts";

/** A request as it came, before anything of it is believed. A header that is missing is null. */
export type SignedRequest = {
  /** webhook-id: names the event, also where it is sent again. */
  readonly id: string | null;
  /** webhook-timestamp: when it was sent, in seconds since 1970. */
  readonly timestamp: string | null;
  /** webhook-signature: `v1,<base64>`, several with spaces between them. */
  readonly signature: string | null;
  readonly body: Uint8Array;
};

/** How old a request may be, and how far its sender's clock may be ahead. */
const TOLERANCE_SECONDS = 300;
/** Without a dot, which ends the id in what is signed. */
const ID = /^[A-Za-z0-9_:-]{1,200}$/;
const TIMESTAMP = /^[0-9]{1,12}$/;
/** More than a sender has keys. */
const MAX_SIGNATURES = 10;

/** Why a request is not believed, in our own words; `id` if it is. */
export type HookVerdict = { readonly id: string } | { readonly fault: string };

/** Verifies a request with any of the keys. */
export function verifyHook(keys: readonly Uint8Array[], request: SignedRequest, now: Date): HookVerdict {
  const { id, timestamp, signature, body } = request;
  if (id === null || !ID.test(id)) return fault("webhook-id is missing or malformed");
  if (timestamp === null || !TIMESTAMP.test(timestamp))
    return fault("webhook-timestamp is missing or malformed: seconds since 1970");
  if (signature === null) return fault("webhook-signature is missing");
  const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
  const right = keys.map((key) => `v1,${macBytes(key, signed)}`);
  const given = signature.split(" ", MAX_SIGNATURES);
  if (!given.some((one) => right.some((other) => equalInConstantTime(one, other))))
    return fault("webhook-signature fits no key of HOOK_SECRET");
  const seconds = Math.abs(now.getTime() / 1_000 - Number(timestamp));
  if (seconds > TOLERANCE_SECONDS)
    return fault(
      `webhook-timestamp is more than ${TOLERANCE_SECONDS} seconds from now, by the clock of Janus`,
    );
  return { id };
}

const fault = (reason: string): HookVerdict => ({ fault: reason });
