/**
 * UserInfo: what the provider says of a member beside the ID Token, as JSON or as a signed JWT. It owns the request and
 * the checks of the answer; which claims are needed, `oidc.ts` knows. OpenID Connect Core 1.0, 5.3
 */
import * as v from "valibot";
import type { JanusError } from "../errors.ts";
import { idTokenRefused, providerMisconfigured, providerUnavailable, userinfoRefused } from "../errors.ts";
import type { Answer, Upstream } from "../oauth/upstream.ts";
import { parseJson, send, unavailable, waitWithin } from "../oauth/upstream.ts";
import type { HeaderFault, KeySet } from "./keys.ts";
import { CLOCK_SKEW_SECONDS, describeRefusal, findHeaderFault, isOwnError, verifyWithKeys } from "./keys.ts";

/** What an answer is checked against. */
export type UserInfoExpectation = {
  readonly issuer: string;
  readonly clientId: string;
  /** The ID Token's. */
  readonly subject: string;
  readonly now: Date;
};

type Claims = Readonly<Record<string, unknown>>;

const claimsSchema = v.looseObject({ sub: v.string() });

/** Answers that say "not now": whatever is at fault, it may pass. RFC 9110 15.5.9, RFC 8470 5.2, RFC 6585 4 */
const PASSING_STATUSES = [408, 425, 429];

const USERINFO_REMEDY =
  "at the provider choose an RSA or EC algorithm for UserInfo, or none for plain JSON, and no encryption " +
  "(userinfo_signed_response_alg, userinfo_encrypted_response_alg)";

/**
 * Asks UserInfo with the access token of a sign-in. Throws provider_unavailable where it does not answer;
 * provider_misconfigured where it answers, and not with claims; id_token_refused where a signed answer fails a check;
 * userinfo_refused where it is about somebody else.
 */
export async function fetchUserInfo(
  upstream: Upstream,
  endpoint: string,
  accessToken: string,
  keys: KeySet,
  expected: UserInfoExpectation,
): Promise<Claims> {
  const headers = { authorization: `Bearer ${accessToken}`, accept: "application/json, application/jwt" };
  const answer = await send(upstream, "userinfo", endpoint, { headers });
  if (answer.status >= 500 || PASSING_STATUSES.includes(answer.status)) {
    throw unavailable(upstream, `userinfo: answered ${answer.status}`, answer);
  }
  // Also a 401: the access token is a moment old, and a new one would not fare better.
  if (answer.status !== 200) {
    throw providerMisconfigured(
      `userinfo: answered ${answer.status}; does it take the access tokens of this client?`,
    );
  }
  const claims = isJwt(answer)
    ? await waitWithin(upstream, "jwks", verifyUserInfo(answer.text.trim(), keys, expected))
    : readJson(answer);
  const parsed = v.safeParse(claimsSchema, claims);
  if (!parsed.success) throw providerMisconfigured("userinfo: an answer of another shape");
  // 5.3.4: or the claims are somebody else's.
  if (parsed.output.sub !== expected.subject) throw userinfoRefused("sub is not the ID Token's");
  return parsed.output;
}

function isJwt({ headers }: Answer): boolean {
  const [type = ""] = (headers.get("content-type") ?? "").split(";");
  return type.trim().toLowerCase() === "application/jwt";
}

function readJson({ text }: Answer): unknown {
  const json = parseJson(text);
  // A proxy's page or an answer cut short says nothing of the provider.
  if (json === undefined) throw providerUnavailable("userinfo: the answer is not JSON");
  return json;
}

/** 5.3.2: signed by the provider; `iss` and `aud` may be missing, and must be right where they are there. */
async function verifyUserInfo(token: string, keys: KeySet, expected: UserInfoExpectation): Promise<Claims> {
  const fault = findHeaderFault(token);
  if (fault !== undefined) throw headerError(fault);
  const payload = await verifySignature(token, keys, expected.now);
  if ("iss" in payload && payload.iss !== expected.issuer) {
    throw idTokenRefused("userinfo: iss is another issuer");
  }
  const audiences: readonly unknown[] = Array.isArray(payload.aud) ? payload.aud : [payload.aud];
  if ("aud" in payload && !audiences.includes(expected.clientId)) {
    throw idTokenRefused("userinfo: aud is another client");
  }
  return payload;
}

async function verifySignature(token: string, keys: KeySet, now: Date): Promise<Claims> {
  try {
    const options = { clockTolerance: CLOCK_SKEW_SECONDS, currentDate: now };
    return (await verifyWithKeys(token, keys, options)).payload;
  } catch (error) {
    if (isOwnError(error)) throw error;
    throw idTokenRefused(`userinfo: verification failed: ${describeRefusal(error)}`, error);
  }
}

function headerError(header: HeaderFault): JanusError {
  switch (header.fault) {
    case "encrypted":
      return providerMisconfigured(`userinfo: the answer is encrypted: ${USERINFO_REMEDY}`);
    case "unsigned":
      return providerMisconfigured(
        `userinfo: the answer is not signed with a key of the provider's: ${USERINFO_REMEDY}`,
      );
    case "unsupported":
      return providerMisconfigured(
        `userinfo: the answer is signed by ${header.alg}, which Janus cannot verify: ${USERINFO_REMEDY}`,
      );
    case "malformed":
      return providerMisconfigured("userinfo: the answer is called a JWT and is not one");
    case "other_type":
      return idTokenRefused("userinfo: typ is not JWT");
  }
}
