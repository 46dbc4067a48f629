/**
 * All checks of an ID Token, in one place. They trust nothing that the token says of itself, only what the provider's
 * own keys have signed. How keys are fetched and signatures verified is left to `keys.ts`. OpenID Connect Core 1.0,
 * 3.1.3.7; RFC 7519; RFC 8725
 */
import type { JWTPayload } from "jose";
import { encodeBase64url, equalInConstantTime, sha256, sha384, sha512 } from "../crypto.ts";
import type { JanusError } from "../errors.ts";
import { idTokenRefused, idTokenUnsupported } from "../errors.ts";
import { SIGNING_REMEDY } from "./algorithms.ts";
import type { HeaderFault, KeySet } from "./keys.ts";
import { CLOCK_SKEW_SECONDS, describeRefusal, findHeaderFault, isOwnError, verifyWithKeys } from "./keys.ts";

const REQUIRED_CLAIMS = ["iss", "sub", "aud", "exp", "iat"];
const MAX_AGE_SECONDS = 600;
/** More than any project at a provider has clients. */
const MAX_AUDIENCES = 200;

/** The values that a token is checked against. */
type Expectation = {
  readonly issuer: string;
  readonly clientId: string;
  /** Undefined at a refresh, which no authorization request comes before: then any nonce is ignored. Core 12.2 */
  readonly nonce: string | undefined;
  readonly accessToken: string;
  readonly now: Date;
};

/** A verified ID Token's claims; `sub` is there and well-formed. */
export type IdTokenClaims = JWTPayload & { readonly sub: string };

/**
 * Verifies an ID Token: signature (never none, never a shared secret), iss, aud, azp, exp, iat, nonce, sub, at_hash,
 * typ, and that it is no logout or event token. `jku`, `x5u` and `jwk` in the header are ignored: only `keys` counts.
 * Throws id_token_refused, id_token_unsupported, or provider_unavailable when the keys cannot be fetched.
 */
export async function verifyIdToken(
  idToken: string,
  keys: KeySet,
  expected: Expectation,
): Promise<IdTokenClaims> {
  const fault = findHeaderFault(idToken);
  if (fault !== undefined) throw headerError(fault);
  const { payload, alg } = await verifySignature(idToken, keys, expected);
  checkAudience(payload, expected.clientId);
  if (expected.nonce !== undefined) checkNonce(payload, expected.nonce);
  checkAccessTokenHash(payload, alg, expected.accessToken);
  if (!isLeftOut(payload.events))
    throw idTokenRefused("the ID Token is a logout or event token: it has events");
  // jose checks that these claims are present, not their types, whatever its own types promise.
  const sub: unknown = payload.sub;
  if (typeof sub !== "string" || !/^[\x20-\x7e]{1,255}$/.test(sub)) {
    throw idTokenRefused("sub is not 1 to 255 ASCII characters");
  }
  return { ...payload, sub };
}

/**
 * Whether an optional claim is left out: some servers write null or an empty text instead. That is safe, since the
 * provider may leave the claim out altogether, and nobody else can: the claims are signed.
 */
const isLeftOut = (claim: unknown): boolean => claim === undefined || claim === null || claim === "";

/** A token that cannot be verified is refused with the remedy. */
function headerError(header: HeaderFault): JanusError {
  switch (header.fault) {
    case "encrypted":
      return idTokenUnsupported(`the ID Token is encrypted: ${SIGNING_REMEDY}`);
    case "unsigned":
      return idTokenUnsupported(
        `the ID Token is not signed with one of the provider's keys: ${SIGNING_REMEDY}`,
      );
    case "unsupported":
      return idTokenUnsupported(
        `the ID Token is signed with ${header.alg}, which Janus cannot verify: ${SIGNING_REMEDY}`,
      );
    case "malformed":
      return idTokenRefused("the ID Token is not a JWT", header.cause);
    case "other_type":
      return idTokenRefused("typ is not JWT");
  }
}

async function verifySignature(idToken: string, keys: KeySet, expected: Expectation) {
  try {
    const { payload, protectedHeader } = await verifyWithKeys(idToken, keys, {
      issuer: expected.issuer,
      audience: expected.clientId,
      clockTolerance: CLOCK_SKEW_SECONDS,
      maxTokenAge: MAX_AGE_SECONDS,
      currentDate: expected.now,
      requiredClaims: expected.nonce === undefined ? REQUIRED_CLAIMS : [...REQUIRED_CLAIMS, "nonce"],
    });
    return { payload, alg: protectedHeader.alg };
  } catch (error) {
    if (isOwnError(error)) throw error;
    throw idTokenRefused(`verification failed: ${describeRefusal(error)}`, error);
  }
}

/**
 * 3.1.3.7 points 3 to 5: the token is for Janus. Zitadel also names the project and all its clients: then `azp` must
 * say that the token was issued to Janus. jose has checked that Janus is among the audiences.
 */
function checkAudience(payload: JWTPayload, clientId: string): void {
  const audiences: readonly unknown[] = Array.isArray(payload.aud) ? payload.aud : [payload.aud];
  if (audiences.length > MAX_AUDIENCES)
    throw idTokenRefused(`aud names more than ${MAX_AUDIENCES} audiences`);
  if (!audiences.every((audience) => typeof audience === "string"))
    throw idTokenRefused("aud contains something other than text");
  if (isLeftOut(payload.azp)) {
    if (audiences.some((audience) => audience !== clientId)) throw idTokenRefused(AUDIENCE_REMEDY);
    return;
  }
  if (payload.azp !== clientId) throw idTokenRefused("azp names another client");
}

const AUDIENCE_REMEDY =
  "aud names other audiences and azp does not name Janus: have the provider send azp, or give " +
  "Janus a client of its own";

/** 3.1.3.7 point 11: the token answers the authorization request of this very flow. */
function checkNonce(payload: JWTPayload, nonce: string): void {
  if (typeof payload.nonce !== "string" || !equalInConstantTime(payload.nonce, nonce)) {
    throw idTokenRefused("nonce does not belong to this flow");
  }
}

/** 3.1.3.8: where the provider says which access token belongs to the ID Token, it must be this one. */
function checkAccessTokenHash(payload: JWTPayload, alg: string, accessToken: string): void {
  const claimed = payload.at_hash;
  if (isLeftOut(claimed)) return;
  const digest = digestOf(alg)(accessToken);
  const hash = encodeBase64url(digest.subarray(0, digest.length / 2));
  if (typeof claimed !== "string" || !equalInConstantTime(claimed, hash)) {
    throw idTokenRefused("at_hash belongs to another access token");
  }
}

/** The hash function of a signature algorithm; Ed25519 uses SHA-512. RFC 7518 3.1, RFC 8032 5.1 */
function digestOf(alg: string): (text: string) => Uint8Array {
  if (alg.endsWith("256")) return sha256;
  return alg.endsWith("384") ? sha384 : sha512;
}
