/**
 * Tokens as nobody should make them: keys, and a signer that puts any claims under any header with any key.
 * Written by hand, since a proper JOSE library refuses most of what the tests need.
 */
import type { KeyObject } from "node:crypto";
import {
  createCipheriv,
  createHash,
  createHmac,
  generateKeyPairSync,
  randomBytes,
  sign as signBytes,
} from "node:crypto";
import { takeRsaPair } from "./rsa_keys.ts";

/** The claims of a token. */
export type Claims = Readonly<Record<string, unknown>>;

/** The header of a token; a field that is undefined is left out. */
type TokenHeader = Readonly<Record<string, unknown>>;

/** The algorithms that a key can be made for. */
export type KeyAlgorithm = `${"RS" | "PS" | "ES"}${"256" | "384" | "512"}` | "EdDSA" | "Ed25519";

/** A key pair: `publicJwk` is what a JWKS shows of it. */
export type SigningKey = {
  readonly alg: KeyAlgorithm;
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicJwk: Readonly<Record<string, unknown>>;
};

/** Signs claims. What the header says need not be true; a text as the key makes an HMAC with it. */
export type Sign = (claims: Claims, header?: TokenHeader, key?: SigningKey | string) => string;

/** Makes a key pair. */
export function createKey(alg: KeyAlgorithm, kid: string = randomBytes(6).toString("base64url")): SigningKey {
  const { privateKey, publicKey } = generatePair(alg);
  return {
    alg,
    kid,
    privateKey,
    publicJwk: { ...publicKey.export({ format: "jwk" }), use: "sig", alg, kid },
  };
}

/**
 * Makes a signed token. The key decides how it is signed and fills the header, whose fields can all be replaced:
 * `{ alg: "none" }` leaves the signature empty, `{ kid: undefined }` leaves the kid out.
 */
export function signToken(claims: Claims, header: TokenHeader, key: SigningKey | string): string {
  const own = typeof key === "string" ? { alg: "HS256" } : { alg: key.alg, kid: key.kid };
  const full: TokenHeader = { ...own, typ: "JWT", ...header };
  const input = `${encode(full)}.${encode(claims)}`;
  return `${input}.${full.alg === "none" ? "" : signature(input, key).toString("base64url")}`;
}

/** Makes an encrypted token of five parts, under a key that is the hash of this secret. RFC 7516 */
export function encryptToken(claims: Claims, secret: string): string {
  const header = encode({ alg: "dir", enc: "A256GCM", typ: "JWT" });
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", createHash("sha256").update(secret).digest(), iv);
  cipher.setAAD(Buffer.from(header));
  const ciphertext = Buffer.concat([cipher.update(JSON.stringify(claims)), cipher.final()]);
  const parts = [iv, ciphertext, cipher.getAuthTag()].map((part) => part.toString("base64url"));
  return `${header}..${parts.join(".")}`;
}

/** The `at_hash` of an access token: half of the hash that the algorithm signs with. OpenID Connect Core 3.1.3.6 */
export function accessTokenHash(accessToken: string, alg: KeyAlgorithm = "RS256"): string {
  const digest = createHash(alg.startsWith("Ed") ? "sha512" : `sha${bitsOf(alg)}`)
    .update(accessToken)
    .digest();
  return digest.subarray(0, digest.length / 2).toString("base64url");
}

function generatePair(alg: KeyAlgorithm) {
  if (alg.startsWith("Ed")) return generateKeyPairSync("ed25519");
  if (!alg.startsWith("ES")) return takeRsaPair();
  const curves = { 256: "P-256", 384: "P-384", 512: "P-521" } as const;
  return generateKeyPairSync("ec", { namedCurve: curves[bitsOf(alg)] });
}

function signature(input: string, key: SigningKey | string): Buffer {
  if (typeof key === "string") return createHmac("sha256", key).update(input).digest();
  const { alg, privateKey } = key;
  const bytes = Buffer.from(input);
  if (alg.startsWith("Ed")) return signBytes(null, bytes, privateKey);
  const bits = bitsOf(alg);
  const ways = {
    RS: privateKey,
    PS: { key: privateKey, padding: RSA_PSS_PADDING, saltLength: bits / 8 },
    ES: { key: privateKey, dsaEncoding: "ieee-p1363" as const },
  };
  return signBytes(`sha${bits}`, bytes, ways[alg.slice(0, 2) as keyof typeof ways]);
}

/** The bits of an algorithm's hash, which its name ends in. */
const bitsOf = (alg: KeyAlgorithm) => Number(alg.slice(-3)) as 256 | 384 | 512;

/** `crypto.constants.RSA_PKCS1_PSS_PADDING` */
const RSA_PSS_PADDING = 6;

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}
