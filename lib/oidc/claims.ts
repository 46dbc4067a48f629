/**
 * What the provider says of a member, read with tokens that it has just given or given before: a verified ID Token,
 * UserInfo for the claims that the ID Token lacks, and the sources that the rules read. A sign-in and every later reading
 * take these steps. OpenID Connect Core 1.0, 3.1.3.7, 5.3
 */
import { waitWithin } from "../oauth/budget.ts";
import type { Upstream } from "../oauth/upstream.ts";
import type { OidcOptions } from "./client.ts";
import type { ProviderMetadata } from "./discovery.ts";
import type { IdTokenClaims } from "./id_token.ts";
import { verifyIdToken } from "./id_token.ts";
import type { KeySet } from "./keys.ts";
import { fetchSources } from "./sources.ts";
import { fetchUserInfo } from "./userinfo.ts";

/** The relying party, as far as reading claims needs it. */
export type RelyingParty = Pick<OidcOptions, "config" | "rules" | "now"> & {
  readonly keysAt: (jwksUri: string) => KeySet;
};

type Claims = Readonly<Record<string, unknown>>;

/** Of whom claims are read, and with what. */
type Reading = {
  readonly subject: string;
  readonly accessToken: string;
  /** Undefined where the provider gave none: then UserInfo is asked. */
  readonly idToken: IdTokenClaims | undefined;
  /** Whether UserInfo is asked even if the ID Token has every claim that is needed. */
  readonly wantsAll: boolean;
  /** Whether a sign-in has just brought the access token. */
  readonly isOfSignIn: boolean;
};

/** Verifies an ID Token. `nonce` is undefined where no authorization request came before it. */
export function verifyTokens(
  { config, keysAt, now }: RelyingParty,
  upstream: Upstream,
  { issuer, jwksUri }: ProviderMetadata,
  tokens: { readonly idToken: string; readonly accessToken: string },
  nonce: string | undefined,
): Promise<IdTokenClaims> {
  const { idToken, accessToken } = tokens;
  const expected = { issuer, clientId: config.clientId, nonce, accessToken, now: now() };
  return waitWithin(upstream, "jwks", verifyIdToken(idToken, keysAt(jwksUri), expected));
}

/** The claims and the answers of the sources, asked for at the same time. Throws what `fetchUserInfo` throws. */
export async function fetchClaims(
  party: RelyingParty,
  upstream: Upstream,
  metadata: ProviderMetadata,
  reading: Reading,
): Promise<{ readonly claims: Claims; readonly sources: Claims }> {
  const [claims, sources] = await Promise.all([
    completeClaims(party, upstream, metadata, reading),
    fetchSources(upstream, party.rules.sources, reading.accessToken),
  ]);
  return { claims, sources };
}

/** Asks UserInfo where the ID Token lacks a needed claim. If that fails the reading does: it is never "no groups". */
async function completeClaims(
  { config, rules, keysAt, now }: RelyingParty,
  upstream: Upstream,
  { issuer, jwksUri, userinfoEndpoint }: ProviderMetadata,
  { subject, accessToken, idToken, wantsAll, isOfSignIn }: Reading,
): Promise<Claims> {
  const claims = withoutNulls(idToken ?? {});
  const hasAll = idToken !== undefined && rules.neededClaims.every((name) => Object.hasOwn(claims, name));
  if ((hasAll && !wantsAll) || userinfoEndpoint === undefined) return claims;
  const expected = { issuer, clientId: config.clientId, subject, isOfSignIn, now: now() };
  const more = await fetchUserInfo(upstream, userinfoEndpoint, accessToken, keysAt(jwksUri), expected);
  return { ...withoutNulls(more), ...claims };
}

/** Core 5.3.2: a claim without a value is left out. One that is null nevertheless says nothing. */
function withoutNulls(claims: Claims): Claims {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== null));
}
