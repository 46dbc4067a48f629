/**
 * The checks of an ID Token, all of them, in one place. Called by `oidc.ts` with a token from the token endpoint.
 * It trusts nothing that the token says of itself but what the provider's own keys have signed.
 * OpenID Connect Core 1.0, 3.1.3.7; RFC 7519; RFC 8725
 */
import type { JWK, JWTPayload, JWTVerifyGetKey, ProtectedHeaderParameters } from "jose";
import { decodeProtectedHeader } from "jose/decode/protected_header";
import * as errors from "jose/errors";
import { createLocalJWKSet } from "jose/jwks/local";
import { jwtVerify } from "jose/jwt/verify";
import { encodeBase64url, equalInConstantTime, sha256, sha512 } from "../crypto.ts";
import { idTokenRefused, idTokenUnsupported, JanusError } from "../errors.ts";
import type { Upstream } from "../oauth/upstream.ts";
import { parseJson, send, unavailable } from "../oauth/upstream.ts";
import { SIGNING_ALGORITHMS, SIGNING_REMEDY } from "./discovery.ts";

const CLOCK_SKEW_SECONDS = 60;
const MAX_AGE_SECONDS = 600;
const KEYS_MAX_AGE_MS = 600_000;
/** Keys beyond these are not a provider's: each costs time to verify with. */
const MAX_KEYS = 100;
const MAX_RSA_MODULUS_LENGTH = 1_366; // 8192 bits as base64url

/** What a token is checked against. */
export type Expectation = {
  readonly issuer: string;
  readonly clientId: string;
  readonly nonce: string;
  readonly accessToken: string;
  readonly now: Date;
};

/** A verified ID Token's claims; `sub` is there and well-formed. */
export type IdTokenClaims = JWTPayload & { readonly sub: string };

/** The provider's keys, as jose looks them up, and the way to fetch them again. */
export type KeySet = { readonly find: JWTVerifyGetKey; readonly reload: () => Promise<JWTVerifyGetKey> };

/** The same keys for all who ask, each by the upstream that they would be fetched by. */
export type ProviderKeys = (upstream: Upstream) => KeySet;

/**
 * Makes the provider's keys: fetched at most once at a time, for whoever needed them first, and kept for ten minutes. A
 * token with an unknown `kid` has them fetched again at once, so that a rotation is picked up by the flow that meets it:
 * the token comes from the token endpoint, so nobody else can make Janus fetch.
 */
export function createProviderKeys(jwksUri: string, now: () => Date): ProviderKeys {
  let held: { readonly find: JWTVerifyGetKey; readonly freshUntil: number } | undefined;
  let pending: Promise<JWTVerifyGetKey> | undefined;

  const load = async (upstream: Upstream): Promise<JWTVerifyGetKey> => {
    const find = createLocalJWKSet({ keys: await fetchKeys(upstream, jwksUri) });
    held = { find, freshUntil: now().getTime() + KEYS_MAX_AGE_MS };
    return find;
  };
  const reload = (upstream: Upstream): Promise<JWTVerifyGetKey> => {
    pending ??= load(upstream).finally(() => {
      pending = undefined;
    });
    return pending;
  };
  const fresh = (): JWTVerifyGetKey | undefined =>
    held !== undefined && now().getTime() < held.freshUntil ? held.find : undefined;

  return (upstream) => ({
    reload: () => reload(upstream),
    find: async (header, token) => {
      const known = fresh() ?? (await reload(upstream));
      try {
        return await known(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        return (await reload(upstream))(header, token);
      }
    },
  });
}

async function fetchKeys(upstream: Upstream, jwksUri: string): Promise<JWK[]> {
  const answer = await send(upstream, "jwks", jwksUri, { headers: { accept: "application/json" } });
  if (answer.status !== 200) throw unavailable(upstream, `jwks: answered ${answer.status}`, answer);
  return readKeys(upstream, parseJson(answer.text));
}

/**
 * Verifies an ID Token: signature (never none, never a shared secret), iss, aud, azp, exp, iat, nonce, sub, at_hash,
 * typ, and that it is no logout or event token. `jku`, `x5u` and `jwk` in the header are ignored: only `keys` counts.
 * Throws id_token_refused, id_token_unsupported, or provider_unavailable when the keys cannot be had.
 */
export async function verifyIdToken(
  idToken: string,
  keys: KeySet,
  expected: Expectation,
): Promise<IdTokenClaims> {
  const header = readHeader(idToken);
  const { payload } = await verifySignature(idToken, keys, expected);
  checkAudience(payload, expected.clientId);
  checkNonce(payload, expected.nonce);
  checkAccessTokenHash(payload, header.alg, expected.accessToken);
  if (payload.events !== undefined) throw idTokenRefused("it is a logout or event token (events)");
  // jose checks that these are there, not what they are: its types tell what a right token holds.
  const sub: unknown = payload.sub;
  if (typeof sub !== "string" || !/^[\x20-\x7e]{1,255}$/.test(sub)) {
    throw idTokenRefused("sub is not 1 to 255 ASCII characters");
  }
  return { ...payload, sub };
}

/** The header, before any key is looked up: what cannot be verified is refused with the remedy. */
function readHeader(idToken: string): ProtectedHeaderParameters {
  if (idToken.split(".").length === 5) {
    throw idTokenUnsupported(`the ID Token is encrypted: ${SIGNING_REMEDY}`);
  }
  let header: ProtectedHeaderParameters;
  try {
    header = decodeProtectedHeader(idToken);
  } catch (error) {
    throw idTokenRefused("it is not a JWT", error);
  }
  // Decoded, not checked: outside data may have any type here, whatever jose's types promise.
  const { alg, typ }: Readonly<Record<string, unknown>> = header;
  if (alg === undefined || (typeof alg === "string" && /^(none|HS\d+)$/.test(alg))) {
    throw idTokenUnsupported(`the ID Token is not signed with a key of the provider's: ${SIGNING_REMEDY}`);
  }
  // RFC 8725 3.11: a token of another kind (at+jwt, logout+jwt) is not an ID Token.
  if (typ !== undefined && (typeof typ !== "string" || typ.toLowerCase() !== "jwt")) {
    throw idTokenRefused("typ is not JWT");
  }
  return header;
}

/** A signature that does not fit may be by a new key under an old `kid`, or under none: the keys are fetched once more. */
async function verifySignature(idToken: string, keys: KeySet, expected: Expectation) {
  try {
    return await verify(idToken, keys.find, expected);
  } catch (error) {
    if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw refusal(error);
  }
  try {
    return await verify(idToken, await keys.reload(), expected);
  } catch (error) {
    throw refusal(error);
  }
}

function verify(idToken: string, find: JWTVerifyGetKey, expected: Expectation) {
  return jwtVerify(idToken, find, {
    algorithms: [...SIGNING_ALGORITHMS],
    issuer: expected.issuer,
    audience: expected.clientId,
    clockTolerance: CLOCK_SKEW_SECONDS,
    maxTokenAge: MAX_AGE_SECONDS,
    currentDate: expected.now,
    requiredClaims: ["iss", "sub", "aud", "exp", "iat", "nonce"],
  });
}

function refusal(error: unknown): JanusError {
  if (error instanceof JanusError) return error;
  if (error instanceof errors.JOSEError) {
    const claim = "claim" in error ? ` (${String(error.claim)})` : "";
    return idTokenRefused(`verification failed: ${error.code}${claim}`, error);
  }
  // A key that cannot be imported, for one: whatever it is, the token was not verified.
  return idTokenRefused("verification failed: the key cannot be used", error);
}

/** 3.1.3.7 points 3 to 5: for Janus, and for nobody else besides. */
function checkAudience(payload: JWTPayload, clientId: string): void {
  const audiences = Array.isArray(payload.aud) ? payload.aud : [payload.aud];
  if (!audiences.every((audience) => audience === clientId))
    throw idTokenRefused("aud names another audience");
  if (payload.azp !== undefined && payload.azp !== clientId) throw idTokenRefused("azp is another client");
}

/** 3.1.3.7 point 11: the token answers the authorization request of this very flow. */
function checkNonce(payload: JWTPayload, nonce: string): void {
  if (typeof payload.nonce !== "string" || !equalInConstantTime(payload.nonce, nonce)) {
    throw idTokenRefused("nonce is not this flow's");
  }
}

/** 3.1.3.8: where the provider says which access token came along, it must be this one. */
function checkAccessTokenHash(payload: JWTPayload, alg: string | undefined, accessToken: string): void {
  const claimed = payload.at_hash;
  if (claimed === undefined) return;
  const digest = alg === "EdDSA" ? sha512(accessToken) : sha256(accessToken);
  const hash = encodeBase64url(digest.subarray(0, digest.length / 2));
  if (typeof claimed !== "string" || !equalInConstantTime(claimed, hash)) {
    throw idTokenRefused("at_hash is of another access token");
  }
}

/** The keys that Janus is ready to verify with, out of a JWK Set. RFC 7517 5 */
function readKeys(upstream: Upstream, json: unknown): JWK[] {
  const keys: unknown = typeof json === "object" && json !== null && "keys" in json ? json.keys : undefined;
  if (!Array.isArray(keys) || keys.length > MAX_KEYS) throw upstream.unavailable("jwks: not a JWK Set");
  return keys.filter(isUsableKey);
}

function isUsableKey(key: unknown): key is JWK {
  if (typeof key !== "object" || key === null || Array.isArray(key)) return false;
  return !("n" in key) || (typeof key.n === "string" && key.n.length <= MAX_RSA_MODULUS_LENGTH);
}
