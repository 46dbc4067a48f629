/**
 * The provider's keys, and the signatures that they verify. `id_token.ts` and `userinfo.ts` check what a token claims.
 * `jku`, `x5u` and `jwk` in a token's header are ignored: only keys of the provider's own set count. RFC 7515, RFC 7517
 */
import type { JWK, JWTVerifyGetKey, JWTVerifyOptions, JWTVerifyResult } from "jose";
import { decodeProtectedHeader } from "jose/decode/protected_header";
import * as errors from "jose/errors";
import { createLocalJWKSet } from "jose/jwks/local";
import { createRemoteJWKSet, customFetch } from "jose/jwks/remote";
import { jwtVerify } from "jose/jwt/verify";
import { JanusError, providerMisconfigured, providerUnavailable } from "../errors.ts";
import { isOutage, unavailable } from "../oauth/outage.ts";
import type { Upstream } from "../oauth/upstream.ts";
import { parseJson, send } from "../oauth/upstream.ts";
import { isOtherAlgorithm, SIGNING_ALGORITHMS } from "./algorithms.ts";

/** How far the clocks of Janus and the provider may differ. */
export const CLOCK_SKEW_SECONDS = 60;

/** No provider has a larger set. The cap also bounds how many keys are tried on one token. */
const MAX_KEYS = 100;
const MAX_RSA_MODULUS_LENGTH = 1_366; // 8192 bits as base64url

/** A JWK from outside: any of its fields may have any type, whatever jose's types promise. */
type Key = JWK;

/** The provider's keys: the look-up that jose uses, and a way to fetch them again. */
export type KeySet = { readonly find: JWTVerifyGetKey; readonly reload: () => Promise<void> };

/** Gives the key set at an address, one for all requests. */
export function createKeySets(upstream: Upstream): (jwksUri: string) => KeySet {
  const keySets = new Map<string, KeySet>();
  return (jwksUri) => {
    const keys = keySets.get(jwksUri) ?? createKeySet(upstream, jwksUri);
    keySets.set(jwksUri, keys);
    return keys;
  };
}

/**
 * The provider's keys. `upstream` is bound to no request, since jose does not know for which one it fetches. A token
 * that fits no held key makes Janus fetch them again at once, so that the flow that meets a rotation succeeds: the
 * token comes from the token endpoint, so nobody else can cause a fetch.
 */
function createKeySet(upstream: Upstream, jwksUri: string): KeySet {
  let findHeld = findAmong([]);
  // jose makes one fetch at a time, and says when the keys are too old.
  const keys = createRemoteJWKSet(new URL(jwksUri), {
    [customFetch]: async (url) => {
      const held = await fetchKeys(upstream, url);
      findHeld = findAmong(held);
      return Response.json({ keys: held });
    },
  });
  const find: JWTVerifyGetKey = async (header, token) => {
    if (!keys.fresh) {
      await keys.reload();
      return findHeld(header, token);
    }
    try {
      return await findHeld(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
    }
    await keys.reload();
    return findHeld(header, token);
  };
  return { find, reload: keys.reload };
}

/** Finds the key of a token: the one with its `kid`, else those without one, which keys may be. RFC 7517 4.5 */
function findAmong(keys: readonly Key[]): JWTVerifyGetKey {
  const all = createLocalJWKSet({ keys: [...keys] });
  const unnamed = createLocalJWKSet({
    keys: keys.filter(({ kid }) => typeof kid !== "string" || kid === ""),
  });
  return async (header, token) => {
    try {
      return await all(header, token);
    } catch (error) {
      const { kid, ...others } = header;
      if (!(error instanceof errors.JWKSNoMatchingKey) || kid === undefined) throw error;
      return unnamed(others);
    }
  };
}

/** Asks for the usable keys of a JWK Set. Throws provider_unavailable, provider_misconfigured. */
export async function fetchKeys(upstream: Upstream, url: string): Promise<readonly Key[]> {
  const headers = { accept: "application/json" };
  const answer = await send(upstream, "jwks", url, { headers, onRedirect: providerMisconfigured });
  if (isOutage(answer.status)) throw unavailable(upstream, `jwks: answered ${answer.status}`, answer);
  // Discovery names the address. If it has no keys, discovery is wrong, for every member and until it is changed.
  if (answer.status !== 200) {
    throw providerMisconfigured(`jwks: answered ${answer.status}: check jwks_uri in the discovery document`);
  }
  const json = parseJson(answer.text);
  // A proxy's page or an answer cut short says nothing of the provider.
  if (json === undefined) throw providerUnavailable("jwks: the answer is not JSON");
  return readKeys(json);
}

/** Why a token cannot be verified, known from its header before any key is looked up. */
export type HeaderFault =
  | { readonly fault: "encrypted" | "unsigned" | "other_type" }
  | { readonly fault: "malformed"; readonly cause: unknown }
  | { readonly fault: "unsupported"; readonly alg: string };

/** Whether a text has the form of a JWT: three parts, or five if encrypted; the first a JSON object. RFC 7519 7.2 */
export function hasJwtForm(text: string): boolean {
  if (!/^[\w-]+(?:\.[\w-]*){2}(?:(?:\.[\w-]*){2})?$/.test(text)) return false;
  try {
    decodeProtectedHeader(text);
    return true;
  } catch {
    // A host name, or a version: not a token at all.
    return false;
  }
}

/** Looks at the header of a token, which is not verified yet; undefined where the token can be verified. */
export function findHeaderFault(token: string): HeaderFault | undefined {
  if (token.split(".").length === 5) return { fault: "encrypted" };
  let header: Readonly<Record<string, unknown>>;
  try {
    header = decodeProtectedHeader(token);
  } catch (error) {
    return { fault: "malformed", cause: error };
  }
  // Decoded, not checked: any type may come here, whatever jose's types promise.
  const { alg, typ } = header;
  if (alg === undefined || (typeof alg === "string" && /^(none|HS\d+)$/.test(alg)))
    return { fault: "unsigned" };
  if (isOtherAlgorithm(alg)) return { fault: "unsupported", alg };
  // RFC 8725 3.11: a token of another kind (at+jwt, logout+jwt) is not an ID Token.
  const isJwt = typ === undefined || (typeof typ === "string" && typ.toLowerCase() === "jwt");
  return isJwt ? undefined : { fault: "other_type" };
}

/**
 * Verifies the signature and what `options` says of the claims. Where no key fits, the keys are fetched once more: the
 * signature may be by a new key under an old `kid`, or under none. Throws jose's errors, and provider_unavailable where
 * the keys cannot be fetched.
 */
export async function verifyWithKeys(
  token: string,
  keys: KeySet,
  options: Omit<JWTVerifyOptions, "algorithms">,
): Promise<JWTVerifyResult> {
  const all = { ...options, algorithms: [...SIGNING_ALGORITHMS] };
  try {
    return await verifyWithAny(token, keys, all);
  } catch (error) {
    if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
  }
  await keys.reload();
  return verifyWithAny(token, keys, all);
}

/** The part of an error of `verifyWithKeys` that may be logged: jose's own code, and the name of the claim. */
export function describeRefusal(error: unknown): string {
  // Such as a key that cannot be imported. In any case the token was not verified.
  if (!(error instanceof errors.JOSEError)) return "the key cannot be used";
  return "claim" in error ? `${error.code} (${String(error.claim)})` : error.code;
}

/** True for an error of ours: the keys could not be fetched, which says nothing about the token. */
export const isOwnError = (error: unknown): error is JanusError => error instanceof JanusError;

async function verifyWithAny(
  token: string,
  keys: KeySet,
  options: JWTVerifyOptions,
): Promise<JWTVerifyResult> {
  try {
    return await jwtVerify(token, keys.find, options);
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    return verifyWithEach(token, error, options);
  }
}

/** Several keys fit the header: the right one is the one that has signed. */
async function verifyWithEach(
  token: string,
  candidates: errors.JWKSMultipleMatchingKeys,
  options: JWTVerifyOptions,
): Promise<JWTVerifyResult> {
  for await (const key of candidates) {
    try {
      return await jwtVerify(token, key, options);
    } catch (error) {
      // The key has not signed, or cannot be used. Any other error is about the token itself.
      const isOfKey = error instanceof errors.JWSSignatureVerificationFailed || error instanceof TypeError;
      if (!isOfKey) throw error;
    }
  }
  throw new errors.JWSSignatureVerificationFailed();
}

/** The usable keys of a JWK Set. RFC 7517 5 */
function readKeys(json: unknown): readonly Key[] {
  const keys: unknown = typeof json === "object" && json !== null && "keys" in json ? json.keys : undefined;
  if (!Array.isArray(keys)) throw providerMisconfigured("jwks: the answer is not a JWK Set");
  if (keys.length > MAX_KEYS) throw providerMisconfigured(`jwks: the JWK Set has more than ${MAX_KEYS} keys`);
  return keys.filter(isUsableKey);
}

function isUsableKey(key: unknown): key is Key {
  if (typeof key !== "object" || key === null || Array.isArray(key)) return false;
  return !("n" in key) || (typeof key.n === "string" && key.n.length <= MAX_RSA_MODULUS_LENGTH);
}
