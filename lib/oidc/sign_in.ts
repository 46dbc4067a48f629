/**
 * A member's sign-in at the provider: the code is exchanged, the ID Token is verified, and the claims and the sources are
 * read. OpenID Connect Core 1.0, 3.1.3
 */
import { providerMisconfigured } from "../errors.ts";
import type { TokenResponse } from "../oauth/token_endpoint.ts";
import { requestTokens } from "../oauth/token_endpoint.ts";
import type { Upstream } from "../oauth/upstream.ts";
import { secondsAfter } from "../time.ts";
import type { RelyingParty } from "./claims.ts";
import { fetchClaims, verifyTokens } from "./claims.ts";
import type { SignIn, UnusedTokens } from "./client.ts";
import type { ProviderMetadata } from "./discovery.ts";
import { isSessionOrSubject } from "./logout_token.ts";
import { chooseTokenEndpoint } from "./token_endpoint.ts";

/** What the callback brought, with what the flow knows. */
type Code = {
  readonly code: string;
  readonly codeVerifier: string;
  readonly nonce: string;
  /** Whether UserInfo is asked even if the ID Token has every claim that is needed. */
  readonly wantsAll: boolean;
};

/** Exchanges a code and verifies what comes. If it throws after the exchange, `onUnused` gets the tokens first. */
export async function exchangeCode(
  party: RelyingParty & { readonly redirectUri: string },
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
    const idToken = await verifyTokens(party, upstream, metadata, requireIdToken(response), code.nonce);
    subject = idToken.sub;
    const reading = { subject, accessToken, idToken, wantsAll: code.wantsAll, isOfSignIn: true };
    const { claims, sources } = await fetchClaims(party, upstream, metadata, reading);
    const sessionId = isSessionOrSubject(idToken.sid) ? idToken.sid : undefined;
    return { ...tokens, subject, sessionId, claims, sources, scope, idTokenClaims: Object.keys(idToken) };
  } catch (error) {
    onUnused({ ...tokens, subject });
    throw error;
  }
}

function requireIdToken({ idToken, accessToken }: TokenResponse) {
  if (idToken === undefined)
    throw providerMisconfigured(
      'token_code: token response: "id_token" is missing: put openid into OIDC_SCOPES',
    );
  return { idToken, accessToken };
}
