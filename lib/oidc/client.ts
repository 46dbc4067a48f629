/**
 * The organisation's side: Janus is a relying party of one OpenID Provider. This room owns all that it asks there:
 *
 *     the discovery document        discovery.ts, endpoints.ts
 *     the authorization page        authorization_request.ts, offline_access.ts
 *     the token endpoint            token_endpoint.ts, sign_in.ts, refresh.ts, id_token.ts
 *     the JWK Set                   keys.ts, algorithms.ts
 *     what the provider sends       logout_token.ts
 *     UserInfo                      userinfo.ts
 *     a member's claims             claims.ts, read_claims.ts
 *     sources of further claims     sources.ts
 *
 * The room leaves to `oauth/` how a request is sent, to `rules/` which claims and sources are read, to `flow/` state, nonce and
 * verifier, and to `grants/` where tokens are stored. It stores nothing. OpenID Connect Core 1.0, 3.1
 */
import { addressesOf } from "../config/addresses.ts";
import type { Config } from "../config/load.ts";
import { issuerMismatch, providerClientRejected, providerUnavailable } from "../errors.ts";
import { waitWithin } from "../oauth/budget.ts";
import type { ClientCheck } from "../oauth/client_check.ts";
import { checkClient } from "../oauth/client_check.ts";
import type { Revocation } from "../oauth/revocation.ts";
import { revokeToken } from "../oauth/revocation.ts";
import type { Fetch, Meter, Upstream, Work } from "../oauth/upstream.ts";
import type { RuleSet } from "../rules/rule_set.ts";
import type { Instruments } from "../telemetry/instruments.ts";
import type { Log } from "../telemetry/log.ts";
import type { RequestKind } from "./authorization_request.ts";
import { buildAuthorizationUrl } from "./authorization_request.ts";
import type { ProviderMetadata } from "./discovery.ts";
import { createDiscovery } from "./discovery.ts";
import { createKeySets } from "./keys.ts";
import type { LogoutRefusal, LogoutToken } from "./logout_token.ts";
import { verifyLogoutToken } from "./logout_token.ts";
import { addsOfflineAccess, createOfflineAccess } from "./offline_access.ts";
import type { ReadingTokens } from "./read_claims.ts";
import { readClaims } from "./read_claims.ts";
import { refreshTokens } from "./refresh.ts";
import { exchangeCode } from "./sign_in.ts";
import { chooseTokenEndpoint } from "./token_endpoint.ts";

/** The provider, as the use cases see it. Every call may throw provider_unavailable and provider_misconfigured. */
export type Oidc = {
  /** The name and the errors of the server, for what a callback says. */
  readonly upstream: Upstream;

  /** Loads discovery, so that the first member does not wait for it. */
  readonly prepare: () => Promise<void>;
  /** Whether discovery was loaded at least once. */
  readonly isReady: () => boolean;
  /** Asks whether the provider accepts the client id and the secret; makes no token. Throws provider_client_rejected. */
  readonly checkClient: () => Promise<ClientCheck>;

  /** The authorization request of a kind: code flow, PKCE S256, nonce. Core 3.1.2.1, RFC 7636 4.3 */
  readonly authorizationUrl: (
    state: string,
    nonce: string,
    codeVerifier: string,
    kind?: RequestKind,
  ) => Promise<string>;

  /** Whether Janus asks for offline_access by itself: the provider announces it, and OIDC_SCOPES is unset. */
  readonly addsOfflineAccess: () => Promise<boolean>;
  /** Whether requests leave out offline_access for now, because the provider has refused it to this client. */
  readonly leavesOutOfflineAccess: () => boolean;
  /** Leaves it out for an hour, once a leg that began at `startedAt` (in milliseconds) has succeeded without it. */
  readonly leaveOutOfflineAccess: (startedAt: number) => void;

  /** Checks which server sent an authorization response. Throws issuer_mismatch. RFC 9207 2.4 */
  readonly checkIssuer: (iss: string | undefined) => Promise<void>;
  /**
   * Exchanges a code and verifies what comes. If it throws after the exchange, `onUnused` gets the tokens first. With
   * `wantsAll` it asks UserInfo even if no rule needs a claim of it. Throws
   * code_rejected, authorization_rejected, provider_client_rejected, id_token_refused, id_token_unsupported,
   * userinfo_refused. Core 3.1.3
   */
  readonly exchangeCode: (
    code: string,
    codeVerifier: string,
    nonce: string,
    onUnused?: (unused: UnusedTokens) => void,
    wantsAll?: boolean,
  ) => Promise<SignIn>;

  /**
   * Spends a refresh token. `beforeSend` runs when its turn has come; if that throws, nothing is sent. What comes has to
   * be stored before it is used. Throws grant_ended for invalid_grant alone;
   * refresh_refused for invalid_request, which may mean the same and may not; provider_client_rejected; and
   * provider_unavailable for every answer that is not definite. `isUntaken` says that nothing was sent, or that it
   * was turned away; after any other provider_unavailable the token may be spent. RFC 6749 6
   */
  readonly refreshTokens: (refreshToken: string, beforeSend?: () => Promise<void>) => Promise<ProviderTokens>;
  /**
   * Reads the claims and the sources again, with the tokens of a refresh or an access token that still lives. An ID Token
   * is verified as at a sign-in, but for its nonce. Its `sub` and UserInfo's must be `subject`. Throws access_token_refused
   * if UserInfo answers 401 or 403, id_token_refused, id_token_unsupported, userinfo_refused. Core 5.3, 12.2
   */
  readonly readClaims: (tokens: ReadingTokens, subject: string) => Promise<ReadClaims>;

  /** Verifies a token that anybody may have sent. Back-Channel Logout 1.0, 2.6 */
  readonly verifyLogoutToken: (logoutToken: string) => Promise<LogoutToken | LogoutRefusal>;

  /** Revokes a token; "unsupported" without a revocation endpoint. Throws provider_client_rejected. RFC 7009 2 */
  readonly revokeToken: (kind: TokenKind, token: string) => Promise<Revocation>;
};

/** As the revocation endpoint calls them. RFC 7009 2.1 */
type TokenKind = "access_token" | "refresh_token";

/** A verified sign-in: who signed in, what the provider says of them, and the tokens of the grant. */
export type SignIn = {
  readonly issuer: string;
  readonly subject: string;
  /** The provider's session of the ID Token (`sid`); undefined where it has none. Back-Channel Logout 1.0, 2.1 */
  readonly sessionId: string | undefined;
  /** The ID Token's claims with UserInfo's, unfiltered. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** The answers of the sources that answered, by name. */
  readonly sources: Readonly<Record<string, unknown>>;
  /** The names of the claims that the ID Token had. */
  readonly idTokenClaims: readonly string[];
  /** What was granted, a list with blanks; undefined where the provider does not say. RFC 6749 5.1 */
  readonly scope: string | undefined;
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  /** Absolute UTC; undefined where the provider does not say. */
  readonly expiresAt: Date | undefined;
};

/** What a refresh brings. */
export type ProviderTokens = {
  readonly accessToken: string;
  /** Undefined if the provider gave no new one: the old one stays in use. */
  readonly refreshToken: string | undefined;
  /** Not verified yet. Undefined where a refresh brings none. */
  readonly idToken: string | undefined;
  /** Absolute UTC; undefined where the provider does not say. */
  readonly expiresAt: Date | undefined;
  /** Undefined where the provider does not say: then it is as before. RFC 6749 6 */
  readonly scope: string | undefined;
};

/** What the provider says of a linked member now. */
export type ReadClaims = Pick<SignIn, "claims" | "sources"> & {
  /**
   * Whether an ID Token came: then a claim that is absent was left out by the provider. Without one it may be a claim that
   * only ID Tokens have, so it is unknown, and the caller keeps what it has.
   */
  readonly isWhole: boolean;
};

/** Tokens of a sign-in that failed. */
export type UnusedTokens = Pick<SignIn, "issuer" | "accessToken" | "refreshToken" | "expiresAt"> & {
  /** Undefined if no ID Token could be verified. */
  readonly subject: string | undefined;
};

/** What the relying party is made of. */
export type OidcOptions = {
  readonly config: Config["oidc"];
  readonly publicUrl: string;
  readonly version: string;
  /** The claims that UserInfo is asked for where the ID Token lacks them, and the sources that are asked. */
  readonly rules: Pick<RuleSet, "neededClaims" | "sources">;
  readonly fetch: Fetch;
  readonly log: Log;
  readonly instruments?: Instruments | undefined;
  readonly now: () => Date;
  readonly deadlineMs?: number;
  /** Follows every call. */
  readonly meter?: Meter;
};

const DEADLINE_MS = 10_000;
const CLIENT_REMEDY =
  "compare OIDC_CLIENT_ID with the client at the provider, and copy OIDC_CLIENT_SECRET again";

/** Makes the function that gives a client for each piece of work. They share discovery, keys and refused scopes. */
export function createOidc(options: OidcOptions): (work: Work) => Oidc {
  const { config, now, rules } = options;
  const provider = createUpstream(options);
  const discovery = createDiscovery(provider, config, now);
  const offlineAccess = createOfflineAccess(now);
  const redirectUri = addressesOf(options.publicUrl).providerCallback;
  const keySetsAt = createKeySets(provider);
  const party = { config, redirectUri, rules, now, keysAt: (jwksUri: string) => keySetsAt(jwksUri).own };
  return (work) => {
    const upstream: Upstream = { ...provider, ...work };
    const load = (): Promise<ProviderMetadata> => discovery.load(upstream);
    return {
      upstream,
      prepare: async () => void (await load()),
      isReady: discovery.isLoaded,
      checkClient: async () =>
        checkClient(
          upstream,
          chooseTokenEndpoint(config, await discovery.renew(upstream)),
          redirectUri,
          CLIENT_REMEDY,
        ),
      authorizationUrl: async (state, nonce, codeVerifier, kind = {}) =>
        buildAuthorizationUrl(config, await load(), redirectUri, kind, { state, nonce, codeVerifier }),
      addsOfflineAccess: async () => addsOfflineAccess(config, await load()),
      leavesOutOfflineAccess: offlineAccess.isLeftOut,
      leaveOutOfflineAccess: (startedAt) => offlineAccess.leaveOut(upstream, startedAt),
      checkIssuer: (iss) => checkIssuer(config.issuer, iss, load),
      exchangeCode: async (code, codeVerifier, nonce, onUnused = () => undefined, wantsAll = false) =>
        exchangeCode(party, upstream, await load(), { code, codeVerifier, nonce, wantsAll }, onUnused),
      refreshTokens: (refreshToken, beforeSend) =>
        refreshTokens(party, upstream, load, refreshToken, beforeSend),
      readClaims: async (tokens, subject) => readClaims(party, upstream, await load(), tokens, subject),
      verifyLogoutToken: async (logoutToken) => {
        const { issuer, jwksUri } = await load();
        const expected = { issuer, clientId: config.clientId, now: now() };
        const verified = verifyLogoutToken(logoutToken, keySetsAt(jwksUri).ofStrangers, expected);
        return waitWithin(upstream, "jwks", verified);
      },
      revokeToken: async (kind, token) => revoke(config, upstream, await load(), kind, token),
    };
  };
}

function createUpstream({ fetch, log, instruments, deadlineMs, version, meter }: OidcOptions): Upstream {
  return {
    name: "provider",
    fetch,
    log,
    instruments,
    deadlineMs: deadlineMs ?? DEADLINE_MS,
    ownConnections: true,
    userAgent: `Janus/${version}`,
    ...(meter === undefined ? {} : { meter }),
    unavailable: providerUnavailable,
    clientRejected: providerClientRejected,
  };
}

async function checkIssuer(
  issuer: string,
  iss: string | undefined,
  load: () => Promise<ProviderMetadata>,
): Promise<void> {
  if (iss === issuer) return;
  if (iss !== undefined) throw issuerMismatch('callback: "iss" names another issuer');
  if ((await load()).sendsIss)
    throw issuerMismatch('callback: "iss" is missing, although discovery announces it');
}

async function revoke(
  config: Config["oidc"],
  upstream: Upstream,
  metadata: ProviderMetadata,
  kind: TokenKind,
  token: string,
): Promise<Revocation> {
  const { revocationEndpoint } = metadata;
  if (revocationEndpoint === undefined) return "unsupported";
  const client = chooseTokenEndpoint(config, metadata);
  return revokeToken(upstream, client, revocationEndpoint, { token, token_type_hint: kind });
}
