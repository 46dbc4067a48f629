/**
 * UserInfo: further claims about a member, as JSON or as a signed JWT. This file has the request and the checks of the
 * answer; `claims.ts` decides when it is asked. OpenID Connect Core 1.0, 5.3
 */
import type { JanusError } from "../errors.ts";
import {
  accessTokenRefused,
  codeRejected,
  idTokenRefused,
  providerMisconfigured,
  providerUnavailable,
  userinfoRefused,
} from "../errors.ts";
import { waitWithin } from "../oauth/budget.ts";
import { isOutage, unavailable } from "../oauth/outage.ts";
import type { Answer, Upstream } from "../oauth/upstream.ts";
import { parseJson, send } from "../oauth/upstream.ts";
import { isJsonObject } from "../text/json_object.ts";
import type { HeaderFault, KeySet } from "./keys.ts";
import {
  CLOCK_SKEW_SECONDS,
  describeRefusal,
  findHeaderFault,
  hasJwtForm,
  isOwnError,
  verifyWithKeys,
} from "./keys.ts";

/** The values that an answer is checked against. */
type UserInfoExpectation = {
  readonly issuer: string;
  readonly clientId: string;
  /** The ID Token's, of this sign-in or of the one that made the link. */
  readonly subject: string;
  /** Whether a sign-in has just brought the access token. */
  readonly isOfSignIn: boolean;
  readonly now: Date;
};

type Claims = Readonly<Record<string, unknown>>;

const USERINFO_REMEDY =
  "at the provider choose plain JSON for UserInfo, or an RSA, EC or Ed25519 signature, and no encryption " +
  "(userinfo_signed_response_alg, userinfo_encrypted_response_alg)";

/**
 * Asks UserInfo with an access token. Throws provider_unavailable if it does not answer; provider_misconfigured if it
 * answers without claims; code_rejected if it no longer knows the access token of a sign-in; access_token_refused if it
 * answers 401 or 403 to the access token of a link; id_token_refused if a signed answer fails a check; userinfo_refused if it is about somebody else.
 */
export async function fetchUserInfo(
  upstream: Upstream,
  endpoint: string,
  accessToken: string,
  keys: KeySet,
  expected: UserInfoExpectation,
): Promise<Claims> {
  const headers = { authorization: `Bearer ${accessToken}`, accept: "application/json, application/jwt" };
  const answer = await send(upstream, "userinfo", endpoint, { headers, onRedirect: providerMisconfigured });
  checkStatus(upstream, answer, expected.isOfSignIn);
  const claims = isJwt(answer)
    ? await waitWithin(upstream, "jwks", verifyUserInfo(answer.text.trim(), keys, expected))
    : readJson(answer);
  if (!isJsonObject(claims) || typeof claims.sub !== "string")
    throw providerMisconfigured('userinfo: the answer has no "sub"');
  // 5.3.4: otherwise the claims could be somebody else's.
  if (claims.sub !== expected.subject) throw userinfoRefused("userinfo: sub differs from the ID Token's");
  return claims;
}

function checkStatus(upstream: Upstream, answer: Answer, isOfSignIn: boolean): void {
  const { status } = answer;
  if (isOutage(status)) throw unavailable(upstream, `userinfo: answered ${status}`, answer);
  // It may have run out or been revoked since, and a refresh brings another.
  if (!isOfSignIn && (status === 401 || status === 403))
    throw accessTokenRefused(`userinfo: answered ${status}`);
  // The token is a moment old. If the same callback comes twice, the provider ends the tokens of the first
  // (RFC 6749 4.1.2). That is not a fault of the setup, and a new sign-in gets a new token.
  if (status === 401 && saysInvalidToken(answer)) {
    throw codeRejected(
      "userinfo: answered 401 invalid_token: the tokens of this sign-in may have been revoked",
    );
  }
  // Any other 401, too: one without an error code means that the credentials were not recognised. RFC 6750 3.1
  if (status !== 200) {
    throw providerMisconfigured(
      `userinfo: answered ${status}: check that it accepts this client's access tokens`,
    );
  }
}

/** More than a challenge needs. It bounds the work on text from outside. */
const MAX_CHALLENGE_LENGTH = 2_048;

/** Whether a challenge has the parameter `error` with this value, quoted or not. RFC 6750 3, RFC 9110 11.2 */
function saysInvalidToken({ headers }: Answer): boolean {
  const challenges = (headers.get("www-authenticate") ?? "").slice(0, MAX_CHALLENGE_LENGTH);
  const parameters = challenges.matchAll(/([\w-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]+)/g);
  return [...parameters].some(
    ([, name = "", value = ""]) => name.toLowerCase() === "error" && /^"?invalid_token"?$/.test(value),
  );
}

/** By its type or by its form: some servers send a JWT as plain text, as JSON, or without a type. */
function isJwt({ headers, text }: Answer): boolean {
  const [type = ""] = (headers.get("content-type") ?? "").split(";");
  return type.trim().toLowerCase() === "application/jwt" || hasJwtForm(text.trim());
}

function readJson({ text }: Answer): unknown {
  const json = parseJson(text);
  // A proxy's page or an answer cut short says nothing of the provider.
  if (json === undefined) throw providerUnavailable("userinfo: the answer is not JSON");
  return json;
}

/** 5.3.2: signed by the provider; `iss` and `aud` may be missing, and must be right if they are present. */
async function verifyUserInfo(token: string, keys: KeySet, expected: UserInfoExpectation): Promise<Claims> {
  const fault = findHeaderFault(token);
  if (fault !== undefined) throw headerError(fault);
  const payload = await verifySignature(token, keys, expected.now);
  if ("iss" in payload && payload.iss !== expected.issuer) {
    throw idTokenRefused("userinfo: iss names another issuer");
  }
  const audiences: readonly unknown[] = Array.isArray(payload.aud) ? payload.aud : [payload.aud];
  if ("aud" in payload && !audiences.includes(expected.clientId)) {
    throw idTokenRefused("userinfo: aud names another client");
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
        `userinfo: the answer is not signed with one of the provider's keys: ${USERINFO_REMEDY}`,
      );
    case "unsupported":
      return providerMisconfigured(
        `userinfo: the answer is signed with ${header.alg}, which Janus cannot verify: ${USERINFO_REMEDY}`,
      );
    case "malformed":
      return providerMisconfigured("userinfo: the answer has the type of a JWT but is not one");
    case "other_type":
      return idTokenRefused("userinfo: typ is not JWT");
  }
}
