/**
 * Random values, hashes, authentication codes and sealing. Nothing here knows what is sealed.
 *
 * A sealed value is AES-256-GCM under a key derived by HKDF for one purpose, written as
 * `<key id>.<base64url of nonce (12) | ciphertext | tag (16)>`. Its context (which row and column, which cookie)
 * is additional data: moved elsewhere, it does not open. NIST SP 800-38D, RFC 5869
 *
 * oslo has no cipher; the runtime's synchronous one costs less CPU than WebCrypto for values of this size, and its
 * base64url a fifth of oslo's, which counts in a redirect that anybody may ask for.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPublicKey,
  hkdfSync,
  verify,
} from "node:crypto";
import { constantTimeEqual } from "oslo/crypto";

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID_LENGTH = 8;

const utf8 = new TextEncoder();

/** A key of a ring. What it seals begins with its id. */
export type RingKey = { readonly id: string; readonly key: Uint8Array };

/** Seals and opens texts for one purpose. */
export type Sealer = {
  /** Seals with the ring's first key. */
  readonly seal: (plaintext: string, context: string) => string;
  /** The plaintext, or `undefined` where key, context or a single bit is wrong. */
  readonly open: (sealed: string, context: string) => string | undefined;
};

/** Makes the sealer of a purpose from a ring: the first key seals, every key opens. Throws on an empty ring. */
export function createSealer(ring: readonly RingKey[], purpose: string): Sealer {
  const derived = ring.map(({ id, key }) => ({ id, key: deriveKey(key, purpose) }));
  const active = derived[0];
  if (active === undefined) throw new TypeError("A key ring needs at least one key");
  const keys = new Map(derived.map(({ id, key }) => [id, key]));
  return {
    seal: (plaintext, context) => `${active.id}.${encrypt(active.key, plaintext, context)}`,
    open: (sealed, context) => {
      const dot = sealed.indexOf(".");
      const key = keys.get(sealed.slice(0, Math.max(dot, 0)));
      return key === undefined ? undefined : decrypt(key, sealed.slice(dot + 1), context);
    },
  };
}

/**
 * A ring of keys that have no ids. Each gets an id that follows from it, so that it keeps its id when another key is put
 * before it.
 */
export function nameKeys(keys: readonly Uint8Array[]): readonly RingKey[] {
  return keys.map((key) => ({ id: encodeBase64url(deriveKey(key, "key ids")).slice(0, KEY_ID_LENGTH), key }));
}

/** HMAC-SHA-256 of a text under a key of one purpose, as base64url: 43 characters. RFC 2104 */
export type Mac = (text: string) => string;

/** One function a key, in the keys' order. */
export function createMacs(keys: readonly Uint8Array[], purpose: string): readonly Mac[] {
  return keys.map((key) => {
    // Copied for each text: half of what HMAC does depends on the key alone. RFC 2104 4
    const keyed = new Bun.CryptoHasher("sha256", deriveKey(key, purpose));
    return (text) => keyed.copy().update(text).digest("base64url");
  });
}

/** HMAC-SHA-256 of bytes under a key that another program has too, as base64 with padding: 44 characters. RFC 2104 */
export function macBytes(key: Uint8Array, bytes: Uint8Array): string {
  return createHmac("sha256", key).update(bytes).digest("base64");
}

/** Whether an Ed25519 key has signed bytes. A public key has 32 bytes, a signature 64; of another length it is wrong. RFC 8032 5.1.7 */
export function isSignedWith(publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean {
  const jwk = { kty: "OKP", crv: "Ed25519", x: encodeBase64url(publicKey) };
  return verify(null, bytes, createPublicKey({ key: jwk, format: "jwk" }), signature);
}

/** `bytes` random bytes as base64url without padding. */
export function randomToken(bytes: number): string {
  return encodeBase64url(crypto.getRandomValues(new Uint8Array(bytes)));
}

/** A new id, in the order of the time at which it was made. RFC 9562 5.7 */
export const timeOrderedId = (now: Date): string => Bun.randomUUIDv7("hex", now.getTime());

/** SHA-256 of a text's UTF-8 bytes. */
export function sha256(text: string): Uint8Array {
  return new Uint8Array(createHash("sha256").update(text).digest());
}

/** SHA-256 as lower-case hexadecimal. */
export function sha256Hex(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** SHA-384 of a text's UTF-8 bytes. */
export function sha384(text: string): Uint8Array {
  return new Uint8Array(createHash("sha384").update(text).digest());
}

/** SHA-512 of a text's UTF-8 bytes. */
export function sha512(text: string): Uint8Array {
  return new Uint8Array(createHash("sha512").update(text).digest());
}

/** Compares two texts in a time that depends on their length only. */
export function equalInConstantTime(a: string, b: string): boolean {
  return constantTimeEqual(utf8.encode(a), utf8.encode(b));
}

/** Base64url without padding. RFC 4648 5 */
export function encodeBase64url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/**
 * The bytes of a base64url text without padding, or `undefined` if it is none. Only the one canonical spelling
 * counts: else the unused bits of the last character could be altered and nobody would notice. RFC 4648 3.5
 */
export function decodeBase64url(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, "base64url");
  return text !== "" && bytes.toString("base64url") === text ? bytes : undefined;
}

function deriveKey(key: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", key, "", `janus ${purpose} v1`, KEY_BYTES));
}

function encrypt(key: Uint8Array, plaintext: string, context: string): string {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(utf8.encode(context));
  const body = cipher.update(utf8.encode(plaintext));
  // GCM is a stream: what `final` returns is empty, what it does is to make the tag.
  cipher.final();
  const sealed = new Uint8Array(NONCE_BYTES + body.length + TAG_BYTES);
  sealed.set(nonce);
  sealed.set(body, NONCE_BYTES);
  sealed.set(cipher.getAuthTag(), NONCE_BYTES + body.length);
  return encodeBase64url(sealed);
}

function decrypt(key: Uint8Array, encoded: string, context: string): string | undefined {
  const bytes = decodeBase64url(encoded);
  if (bytes === undefined || bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(utf8.encode(context));
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
  try {
    const body = decipher.update(bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES));
    // As above: what `final` returns is empty, what it does is to check the tag.
    decipher.final();
    return body.toString("utf8");
  } catch {
    // The tag does not match: another key, another context, or an altered value. All are "does not open".
    return undefined;
  }
}
