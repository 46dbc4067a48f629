/**
 * The organisation's side: a relying party of one OpenID Provider. The authorization request, the code exchange and
 * what comes of it: a verified subject with the claims that Janus keeps. Called by the use cases; stores nothing.
 * OpenID Connect Core 1.0, 3.1
 */
import type { Config } from "../config/load.ts";
import { encodeBase64url, sha256 } from "../crypto.ts";
import {
  issuerMismatch,
  providerClientRejected,
  providerMisconfigured,
  providerUnavailable,
} from "../errors.ts";
import type { Revocation } from "../oauth/revocation.ts";
import { revokeToken } from "../oauth/revocation.ts";
import type { TokenEndpoint, TokenResponse } from "../oauth/token_endpoint.ts";
import { requestTokens } from "../oauth/token_endpoint.ts";
import type { Fetch, Upstream, Work } from "../oauth/upstream.ts";
import { waitWithin } from "../oauth/upstream.ts";
import type { Log } from "../telemetry/log.ts";
import { secondsAfter } from "../time.ts";
import type { RequestKind } from "./authorization_request.ts";
import { addsOfflineAccess, prepareRequests } from "./authorization_request.ts";
import type { ProviderMetadata } from "./discovery.ts";
import { createDiscovery } from "./discovery.ts";
import type { IdTokenClaims } from "./id_token.ts";
import { verifyIdToken } from "./id_token.ts";
import type { KeySet } from "./keys.ts";
import { createKeySet } from "./keys.ts";
import { fetchUserInfo } from "./userinfo.ts";

/** The provider, as the use cases see it. */
export type Oidc = ReturnType<ReturnType<typeof createOidc>>;

/** What the relying party is made of. */
export type OidcOptions = {
  readonly config: Config["oidc"];
  readonly publicUrl: string;
  readonly version: string;
  /** Claims that UserInfo is asked for where the ID Token lacks them. */
  readonly neededClaims: readonly string[];
  readonly fetch: Fetch;
  readonly log: Log;
  readonly now: () => Date;
  readonly deadlineMs?: number;
};

/** A sign-in that was verified: who, what the provider says of them, and the tokens of the grant. */
export type SignIn = {
  readonly issuer: string;
  readonly subject: string;
  /** The ID Token's claims with UserInfo's, unfiltered. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  /** Absolute UTC; undefined where the provider does not say. */
  readonly expiresAt: Date | undefined;
};

/** Tokens of a sign-in that failed. */
export type UnusedTokens = Omit<SignIn, "subject" | "claims"> & {
  /** Undefined if no ID Token could be verified. */
  readonly subject: string | undefined;
};

const DEADLINE_MS = 10_000;
const LEFT_OUT_MS = 3_600_000;

type RequestOf = ReturnType<typeof prepareRequests>;

/** Makes the client. Nothing is sent before the first call. */
export function createOidc(options: OidcOptions) {
  const { config, now } = options;
  const own = createUpstream(options);
  const discovery = createDiscovery(own, config, now);
  const redirectUri = `${options.publicUrl}/dsek-oauth-callback`;
  const keySets = new Map<string, KeySet>();
  let leftOutUntil = Number.NEGATIVE_INFINITY;
  let prepared: { readonly metadata: ProviderMetadata; readonly requestOf: RequestOf } | undefined;

  return (work: Work) => {
    const upstream = { ...own, ...work };
    return {
      /** What a callback's errors are named after. */
      upstream,

      /** Loads discovery, so that the first member does not wait for it. Throws like every call here. */
      prepare: async (): Promise<void> => void (await discovery.load(upstream)),

      /** Whether discovery was loaded at least once. */
      isReady: discovery.isLoaded,

      /** The authorization request of a kind: code, PKCE S256, nonce. Core 3.1.2.1, RFC 7636 4.3 */
      authorizationUrl: async (
        state: string,
        nonce: string,
        codeVerifier: string,
        kind: RequestKind = {},
      ): Promise<string> => {
        const metadata = await discovery.load(upstream);
        if (prepared?.metadata !== metadata) {
          // Asked here too: a provider that Janus cannot be a client of is told before the member signs in for nothing.
          chooseEndpoint(config, metadata);
          prepared = { metadata, requestOf: prepareRequests(config, metadata, redirectUri) };
        }
        const codeChallenge = encodeBase64url(sha256(codeVerifier));
        return prepared.requestOf(kind)({ state, nonce, code_challenge: codeChallenge });
      },

      /** Whether offline_access is to be left out for now, since the provider has refused it: `reduced` requests do. */
      leavesOutOfflineAccess: (): boolean => now().getTime() < leftOutUntil,

      /** Whether Janus adds offline_access by itself. */
      addsOfflineAccess: async (): Promise<boolean> =>
        addsOfflineAccess(config, await discovery.load(upstream)),

      /**
       * Leaves out offline_access for an hour, once a member has come through without it whom the provider had refused with
       * it: the refusal alone comes through a browser, so it may be anybody's word. `startedAt` is when the member's leg
       * began, in milliseconds; one that began while the scope was left out proves nothing.
       */
      leaveOutOfflineAccess: (startedAt: number): void => {
        if (startedAt < leftOutUntil) return;
        leftOutUntil = now().getTime() + LEFT_OUT_MS;
        const reason =
          "the provider announces offline_access, refuses it, and takes the rest: allow it to this client, or set " +
          "OIDC_SCOPES without it";
        upstream.log.warn("offline_access_left_out", { requestId: upstream.requestId, reason });
      },

      /** Checks who sent an authorization response. Throws issuer_mismatch. RFC 9207 2.4 */
      checkIssuer: async (iss: string | undefined): Promise<void> => {
        if (iss === config.issuer) return;
        if (iss !== undefined) throw issuerMismatch("the callback's iss is another issuer");
        if ((await discovery.load(upstream)).sendsIss)
          throw issuerMismatch("the callback lacks the iss that is announced");
      },

      /**
       * Exchanges an authorization code and verifies what comes. Throws code_rejected, authorization_rejected,
       * id_token_refused, id_token_unsupported, userinfo_refused, provider_misconfigured, provider_client_rejected,
       * provider_unavailable. If it throws after the exchange, `onUnused` gets the tokens. Core 3.1.3
       */
      exchangeCode: async (
        code: string,
        codeVerifier: string,
        nonce: string,
        onUnused: (unused: UnusedTokens) => void = () => undefined,
      ): Promise<SignIn> => {
        const metadata = await discovery.load(upstream);
        const answer = await requestTokens(upstream, "token_code", chooseEndpoint(config, metadata), {
          grant_type: "authorization_code",
          code,
          redirect_uri: redirectUri,
          code_verifier: codeVerifier,
        });
        const { issuer } = metadata;
        const { accessToken, refreshToken, expiresIn } = answer;
        const expiresAt = expiresIn === undefined ? undefined : secondsAfter(now(), expiresIn);
        const tokens = { issuer, accessToken, refreshToken, expiresAt };
        let subject: string | undefined;
        try {
          const keys = keysOf(metadata);
          const idToken = await verifyTokens(upstream, answer, metadata, keys, nonce);
          subject = idToken.sub;
          const claims = await completeClaims(upstream, idToken, accessToken, metadata, keys);
          return { ...tokens, subject, claims };
        } catch (error) {
          onUnused({ ...tokens, subject });
          throw error;
        }
      },

      /**
       * Revokes a token where the provider has a revocation endpoint, and says what became of it.
       * Throws provider_unavailable, provider_client_rejected. RFC 7009 2
       */
      revokeToken: async (kind: "access_token" | "refresh_token", token: string): Promise<Revocation> => {
        const metadata = await discovery.load(upstream);
        if (metadata.revocationEndpoint === undefined) return "unsupported";
        const form = { token, token_type_hint: kind };
        return revokeToken(upstream, chooseEndpoint(config, metadata), metadata.revocationEndpoint, form);
      },
    };
  };

  /** One key set for all requests. It has an upstream of its own, since jose does not know for which request it fetches. */
  function keysOf({ jwksUri }: ProviderMetadata): KeySet {
    const keys = keySets.get(jwksUri) ?? createKeySet(own, jwksUri);
    keySets.set(jwksUri, keys);
    return keys;
  }

  function verifyTokens(
    upstream: Upstream,
    { idToken, accessToken }: TokenResponse,
    { issuer }: ProviderMetadata,
    keys: KeySet,
    nonce: string,
  ): Promise<IdTokenClaims> {
    if (idToken === undefined)
      throw providerMisconfigured("token_code: no id_token in the answer; is openid among the scopes?");
    const expected = { issuer, clientId: config.clientId, nonce, accessToken, now: now() };
    return waitWithin(upstream, "jwks", verifyIdToken(idToken, keys, expected));
  }

  /** Asks UserInfo where the ID Token lacks a needed claim. Its failure is never "no groups". */
  async function completeClaims(
    upstream: Upstream,
    idToken: IdTokenClaims,
    accessToken: string,
    { issuer, userinfoEndpoint }: ProviderMetadata,
    keys: KeySet,
  ): Promise<Readonly<Record<string, unknown>>> {
    const said = withoutNulls(idToken);
    const complete = options.neededClaims.every((name) => name in said);
    if (complete || userinfoEndpoint === undefined) return said;
    const expected = { issuer, clientId: config.clientId, subject: idToken.sub, now: now() };
    const more = await fetchUserInfo(upstream, userinfoEndpoint, accessToken, keys, expected);
    return { ...withoutNulls(more), ...said };
  }
}

function createUpstream({ fetch, log, deadlineMs, version }: OidcOptions): Upstream {
  return {
    name: "provider",
    fetch,
    log,
    deadlineMs: deadlineMs ?? DEADLINE_MS,
    ownConnections: true,
    userAgent: `Janus/${version}`,
    unavailable: providerUnavailable,
    clientRejected: providerClientRejected,
  };
}

/** Core 5.3.2: a claim without a value is left out. One that is null all the same says nothing. */
function withoutNulls(claims: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== null));
}

/** Basic where the provider takes it, since RFC 6749 2.3.1 wants it so; else post; or as configured. */
function chooseEndpoint(config: Config["oidc"], metadata: ProviderMetadata): TokenEndpoint {
  const methods = ["client_secret_basic", "client_secret_post"] as const;
  const authMethod =
    config.tokenAuthMethod ?? methods.find((method) => metadata.tokenAuthMethods.includes(method));
  if (authMethod === undefined) {
    throw providerMisconfigured(`discovery: the token endpoint takes neither ${methods.join(" nor ")}`);
  }
  const { clientId, clientSecret } = config;
  return { url: metadata.tokenEndpoint, clientId, clientSecret, authMethod };
}
