/**
 * Whether Discord has sent an event: it signs the timestamp and the body with the application's key. Discord sends wrong
 * signatures on purpose, and stops sending events to an application that takes one.
 * https://discord.com/developers/docs/interactions/overview#setting-up-an-endpoint-validating-security-request-headers
 */
import { isSignedWith } from "../crypto.ts";

/** An event as it came, before anything of it is believed. */
export type SignedEvent = {
  /** X-Signature-Ed25519: 64 bytes in hexadecimal; null if the header is missing. */
  readonly signature: string | null;
  /** X-Signature-Timestamp: seconds since 1970; null if the header is missing. */
  readonly timestamp: string | null;
  readonly body: Uint8Array;
};

/** How old a signature may be, and how far Discord's clock may be ahead. */
const TOLERANCE_SECONDS = 300;
const SIGNATURE = /^[0-9a-f]{128}$/i;
const TIMESTAMP = /^[0-9]{1,12}$/;

/** Why an event is not Discord's, or too old to be believed, in our own words; undefined if it is neither. */
export function findSignatureFault(
  publicKey: Uint8Array,
  { signature, timestamp, body }: SignedEvent,
  now: Date,
): string | undefined {
  if (signature === null || !SIGNATURE.test(signature))
    return "X-Signature-Ed25519 is no signature: 128 hexadecimal digits";
  if (timestamp === null || !TIMESTAMP.test(timestamp))
    return "X-Signature-Timestamp is no time: seconds since 1970";
  const signed = Buffer.concat([Buffer.from(timestamp), body]);
  if (!isSignedWith(publicKey, signed, Buffer.from(signature, "hex")))
    return "the signature does not fit DISCORD_PUBLIC_KEY";
  const seconds = Math.abs(now.getTime() / 1_000 - Number(timestamp));
  return seconds <= TOLERANCE_SECONDS
    ? undefined
    : `it was signed more than ${TOLERANCE_SECONDS} seconds from now, by this clock`;
}
