/**
 * All checks of a logout token, in one place. Anybody may send one, so nothing of it counts before its signature is
 * verified, and a forged one cannot make Janus ask the provider for keys again and again. How keys are fetched and
 * signatures verified is left to `keys.ts`. OpenID Connect Back-Channel Logout 1.0, 2.4 to 2.6
 */
import type { HeaderFault, KeySet } from "./keys.ts";
import { CLOCK_SKEW_SECONDS, describeRefusal, findHeaderFault, isOwnError, verifyWithKeys } from "./keys.ts";

const REQUIRED_CLAIMS = ["iss", "aud", "iat", "jti", "events"];
/** How old a logout token may be: a provider sends it at once, and repeats it for some minutes at most. */
export const MAX_LOGOUT_AGE_SECONDS = 600;
/** More than any project at a provider has clients. */
const MAX_AUDIENCES = 200;
const MAX_JTI_LENGTH = 1_000;
const EVENT = "http://schemas.openid.net/event/backchannel-logout";
/** 2.4: explicit typing is recommended, and older providers send JWT or nothing. RFC 8725 3.11 */
const TYPES: readonly string[] = ["jwt", "logout+jwt", "application/logout+jwt"];

/** The values that a token is checked against. */
type Expectation = { readonly issuer: string; readonly clientId: string; readonly now: Date };

/** A verified logout token. At least one of `subject` and `sessionId` is there. */
export type LogoutToken = {
  readonly tokenId: string;
  /** By the provider's clock. */
  readonly issuedAt: Date;
  readonly subject: string | undefined;
  /** The provider's session (`sid`). */
  readonly sessionId: string | undefined;
};

/** Why a logout token is refused, in our own words. */
export type LogoutRefusal = { readonly fault: string };

/** Verifies a logout token. Throws provider_unavailable or provider_misconfigured if the keys cannot be fetched. */
export async function verifyLogoutToken(
  logoutToken: string,
  keys: KeySet,
  expected: Expectation,
): Promise<LogoutToken | LogoutRefusal> {
  const fault = findHeaderFault(logoutToken, TYPES);
  if (fault !== undefined) return { fault: HEADER_FAULTS[fault.fault] };
  try {
    const { payload } = await verifyWithKeys(logoutToken, keys, {
      issuer: expected.issuer,
      audience: expected.clientId,
      clockTolerance: CLOCK_SKEW_SECONDS,
      maxTokenAge: MAX_LOGOUT_AGE_SECONDS,
      currentDate: expected.now,
      requiredClaims: REQUIRED_CLAIMS,
    });
    return readClaims(payload);
  } catch (error) {
    if (isOwnError(error)) throw error;
    return { fault: `verification failed: ${describeRefusal(error)}` };
  }
}

const HEADER_FAULTS: Readonly<Record<HeaderFault["fault"], string>> = {
  encrypted: "the logout token is encrypted",
  unsigned: "the logout token is not signed with one of the provider's keys",
  unsupported: "the logout token is signed with an algorithm that Janus does not verify",
  malformed: "the logout token is not a JWT",
  other_type: "typ is neither logout+jwt nor JWT",
};

/** What jose leaves: it checks that claims are present, not their types, whatever its own types promise. */
function readClaims(payload: Readonly<Record<string, unknown>>): LogoutToken | LogoutRefusal {
  const { aud, iat, jti, events, sub, sid } = payload;
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (audiences.length > MAX_AUDIENCES || !audiences.every((audience) => typeof audience === "string"))
    return { fault: "aud is not a list of a few texts" };
  if (typeof iat !== "number") return { fault: "iat is not a number" };
  if (typeof jti !== "string" || jti === "" || jti.length > MAX_JTI_LENGTH)
    return { fault: "jti is not a short text" };
  if (!isLogoutEvent(events)) return { fault: `events has no ${EVENT}` };
  // 2.4: so that an ID Token cannot be taken for a logout token.
  if ("nonce" in payload) return { fault: "a logout token must not have a nonce" };
  const subject = readName(sub);
  const sessionId = readName(sid);
  if (subject === INVALID || sessionId === INVALID)
    return { fault: "sub or sid is not 1 to 255 ASCII characters" };
  if (subject === undefined && sessionId === undefined) return { fault: "neither sub nor sid is there" };
  return { tokenId: jti, issuedAt: new Date(iat * 1_000), subject, sessionId };
}

function isLogoutEvent(events: unknown): boolean {
  if (!isObject(events) || !Object.hasOwn(events, EVENT)) return false;
  return isObject(Reflect.get(events, EVENT));
}

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const INVALID = Symbol("invalid");

/** Undefined where the claim is left out, or null, which some servers write instead. */
function readName(claim: unknown): string | undefined | typeof INVALID {
  if (claim === undefined || claim === null) return undefined;
  return isSessionOrSubject(claim) ? claim : INVALID;
}

/** Whether a claim can name a subject or a session. OpenID Connect Core 2 */
export const isSessionOrSubject = (claim: unknown): claim is string =>
  typeof claim === "string" && /^[\x20-\x7e]{1,255}$/.test(claim);
