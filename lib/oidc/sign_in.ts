/**
 * A member's sign-in at the provider: the code is exchanged, the ID Token is verified, and UserInfo is asked for claims
 * that the ID Token lacks, and the sources that the rules read. OpenID Connect Core 1.0, 3.1.3
 */
import { providerMisconfigured } from "../errors.ts";
import type { TokenResponse } from "../oauth/token_endpoint.ts";
import { requestTokens } from "../oauth/token_endpoint.ts";
import type { Upstream } from "../oauth/upstream.ts";
import { waitWithin } from "../oauth/upstream.ts";
import { secondsAfter } from "../time.ts";
import type { OidcOptions, SignIn, UnusedTokens } from "./client.ts";
import type { ProviderMetadata } from "./discovery.ts";
import type { IdTokenClaims } from "./id_token.ts";
import { verifyIdToken } from "./id_token.ts";
import type { KeySet } from "./keys.ts";
import { fetchSources } from "./sources.ts";
import { chooseTokenEndpoint } from "./token_endpoint.ts";
import { fetchUserInfo } from "./userinfo.ts";

/** The relying party, as far as a sign-in needs it. */
type RelyingParty = Pick<OidcOptions, "config" | "rules" | "now"> & {
  readonly redirectUri: string;
  readonly keysAt: (jwksUri: string) => KeySet;
};

/** What the callback brought, with what the flow knows. */
type Code = {
  readonly code: string;
  readonly codeVerifier: string;
  readonly nonce: string;
  /** Whether UserInfo is asked even if the ID Token has every claim that is needed. */
  readonly wantsAll: boolean;
};

type Claims = Readonly<Record<string, unknown>>;

/** Exchanges a code and verifies what comes. If it throws after the exchange, `onUnused` gets the tokens first. */
export async function exchangeCode(
  party: RelyingParty,
  upstream: Upstream,
  metadata: ProviderMetadata,
  code: Code,
  onUnused: (unused: UnusedTokens) => void,
): Promise<SignIn> {
  const response = await requestTokens(upstream, "token_code", chooseTokenEndpoint(party.config, metadata), {
    grant_type: "authorization_code",
    code: code.code,
    redirect_uri: party.redirectUri,
    code_verifier: code.codeVerifier,
  });
  const { accessToken, refreshToken, expiresIn, scope } = response;
  const expiresAt = expiresIn === undefined ? undefined : secondsAfter(party.now(), expiresIn);
  const tokens = { issuer: metadata.issuer, accessToken, refreshToken, expiresAt };
  let subject: string | undefined;
  try {
    const idToken = await verifyTokens(party, upstream, metadata, response, code.nonce);
    subject = idToken.sub;
    const [claims, sources] = await Promise.all([
      completeClaims(party, upstream, metadata, idToken, accessToken, code.wantsAll),
      fetchSources(upstream, party.rules.sources, accessToken),
    ]);
    return { ...tokens, subject, claims, sources, scope, idTokenClaims: Object.keys(idToken) };
  } catch (error) {
    onUnused({ ...tokens, subject });
    throw error;
  }
}

function verifyTokens(
  { config, keysAt, now }: RelyingParty,
  upstream: Upstream,
  { issuer, jwksUri }: ProviderMetadata,
  { idToken, accessToken }: TokenResponse,
  nonce: string,
): Promise<IdTokenClaims> {
  if (idToken === undefined)
    throw providerMisconfigured(
      'token_code: token response: "id_token" is missing: put openid into OIDC_SCOPES',
    );
  const expected = { issuer, clientId: config.clientId, nonce, accessToken, now: now() };
  return waitWithin(upstream, "jwks", verifyIdToken(idToken, keysAt(jwksUri), expected));
}

/** Asks UserInfo where the ID Token lacks a needed claim. If that fails the sign-in does: it is never "no groups". */
async function completeClaims(
  { config, rules, keysAt, now }: RelyingParty,
  upstream: Upstream,
  { issuer, jwksUri, userinfoEndpoint }: ProviderMetadata,
  idToken: IdTokenClaims,
  accessToken: string,
  wantsAll: boolean,
): Promise<Claims> {
  const claims = withoutNulls(idToken);
  const isComplete = !wantsAll && rules.neededClaims.every((name) => Object.hasOwn(claims, name));
  if (isComplete || userinfoEndpoint === undefined) return claims;
  const expected = { issuer, clientId: config.clientId, subject: idToken.sub, now: now() };
  const more = await fetchUserInfo(upstream, userinfoEndpoint, accessToken, keysAt(jwksUri), expected);
  return { ...withoutNulls(more), ...claims };
}

/** Core 5.3.2: a claim without a value is left out. One that is null nevertheless says nothing. */
function withoutNulls(claims: Claims): Claims {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== null));
}
