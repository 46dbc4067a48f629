/**
 * A linked member's claims, read again without the member: from the ID Token of a refresh, or from UserInfo. Nothing
 * here is a "no" that the provider has not said of this very subject. OpenID Connect Core 1.0, 5.3, 12.2
 */
import { idTokenRefused, providerMisconfigured } from "../errors.ts";
import type { Upstream } from "../oauth/upstream.ts";
import type { RelyingParty } from "./claims.ts";
import { fetchClaims, verifyTokens } from "./claims.ts";
import type { ProviderTokens, ReadClaims } from "./client.ts";
import type { ProviderMetadata } from "./discovery.ts";
import type { IdTokenClaims } from "./id_token.ts";

/** What a refresh has brought; without an ID Token also an access token that still lives. */
export type ReadingTokens = Pick<ProviderTokens, "accessToken"> & {
  readonly idToken?: string | undefined;
};

/** Reads the claims and the sources of a link's subject. Throws as `Oidc` says. */
export async function readClaims(
  party: RelyingParty,
  upstream: Upstream,
  metadata: ProviderMetadata,
  tokens: ReadingTokens,
  subject: string,
): Promise<ReadClaims> {
  const { accessToken } = tokens;
  const idToken = await verifyOwn(party, upstream, metadata, tokens, subject);
  if (idToken === undefined && metadata.userinfoEndpoint === undefined)
    throw providerMisconfigured(
      "claims: without an ID Token at a refresh and without UserInfo the provider gives no claims again",
    );
  const reading = { subject, accessToken, idToken, wantsAll: false, isOfSignIn: false };
  const read = await fetchClaims(party, upstream, metadata, reading);
  return { ...read, isWhole: idToken !== undefined };
}

/** Core 12.2: the `sub` is the same as at the sign-in, and a nonce is not to be expected. */
async function verifyOwn(
  party: RelyingParty,
  upstream: Upstream,
  metadata: ProviderMetadata,
  { idToken, accessToken }: ReadingTokens,
  subject: string,
): Promise<IdTokenClaims | undefined> {
  if (idToken === undefined) return undefined;
  const claims = await verifyTokens(party, upstream, metadata, { idToken, accessToken }, undefined);
  if (claims.sub !== subject) throw idTokenRefused("sub is of another account than the link's");
  return claims;
}
