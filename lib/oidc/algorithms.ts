/** Signature algorithms: those that Janus verifies, and the remedy for the others. RFC 7518 3.1 */

/** Janus accepts signatures by the provider's own keys, never by a shared secret. RFC 7518 3.1, RFC 8037, RFC 9864 */
export const SIGNING_ALGORITHMS: readonly string[] = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];

/** Registered names that Janus does not accept. Only these and the accepted ones are repeated in a message. */
const OTHER_ALGORITHMS: readonly string[] = [
  "none",
  "HS256",
  "HS384",
  "HS512",
  "ES256K",
  "Ed448",
  "ML-DSA-44",
  "ML-DSA-65",
  "ML-DSA-87",
];

/** The remedy for a provider that signs with the client secret or not at all, or that encrypts. */
export const SIGNING_REMEDY =
  "choose a signing key of type RSA, EC or Ed25519 (in Authentik: the provider's Signing Key) and no encryption key";

/** True for the name of a registered algorithm that Janus does not accept. */
export function isOtherAlgorithm(alg: unknown): alg is string {
  return typeof alg === "string" && OTHER_ALGORITHMS.includes(alg);
}

/** A provider's list for a message. Only registered names are repeated. */
export function nameAlgorithms(announced: readonly string[]): string {
  const known = [...new Set(announced)].filter(
    (alg) => SIGNING_ALGORITHMS.includes(alg) || isOtherAlgorithm(alg),
  );
  const names = known.length < new Set(announced).size ? [...known, "an unlisted algorithm"] : known;
  return names.length === 0 ? "nothing" : names.join(", ");
}

/** True for the name of an algorithm that Janus verifies. */
export function isSigningAlgorithm(alg: unknown): boolean {
  return typeof alg === "string" && SIGNING_ALGORITHMS.includes(alg);
}
