/** What the forger is told, what a test may replace, and what it remembers of codes and tokens. */
import type { Claims, Sign, SigningKey } from "./forger_tokens.ts";
import type { RegisteredClient } from "./oauth_rules.ts";

/** The operations by name. */
export type ForgerOperation = "discovery" | "jwks" | "authorize" | "token" | "userinfo" | "revoke";

/** What the forger is told at its start. */
export type ForgerOptions = RegisteredClient & {
  readonly port?: number;
  readonly redirectUris: readonly string[];
  readonly now?: () => Date;
  /** A path that the issuer ends in, as it is compared: `/application/o/janus/`. Empty unless given. */
  readonly issuerPath?: string;
  /** Which client authentication is accepted; both unless given. */
  readonly clientAuth?: "basic" | "post" | "both";
  /** Whether there is a revocation endpoint, which discovery then announces; true unless given. */
  readonly revocationEndpoint?: boolean;
  /** For load: each authorization request gets a new subject. */
  readonly freshSubjects?: boolean;
  /** The signing key; a new RS256 key unless given. */
  readonly key?: SigningKey;
};

/** Who signs in next: every claim of the person. */
export type Identity = Claims & { readonly sub: string };

/**
 * What a test replaces, each by a function of the right thing. A `Response` goes out as it is, anything else
 * as JSON.
 */
export type ForgerOverrides = {
  readonly discovery?: (document: Claims) => unknown;
  readonly jwks?: (jwks: { readonly keys: readonly Claims[] }) => unknown;
  readonly idToken?: (claims: Claims, sign: Sign) => string | Promise<string>;
  readonly tokenAnswer?: (answer: Claims, grantType: string) => unknown;
  readonly userInfo?: (claims: Identity) => unknown;
  /** The `iss` of the authorization response; right unless given. RFC 9207 */
  readonly iss?: "right" | "wrong" | "absent";
  /** Scopes that this client may not have, though discovery announces them: a request for one is invalid_scope. */
  readonly refusedScopes?: readonly string[];
  /** Whether discovery promises that `iss`; true unless given. */
  readonly announcesIss?: boolean;
  /** Whether a refresh uses its token up and brings a new one; true unless given. */
  readonly rotatesRefreshTokens?: boolean;
};

/** What a code or a token stands for; `id` is the same for all that come from one code. */
export type ForgerGrant = {
  readonly id: string;
  readonly sub: string;
  readonly scope: string;
  readonly nonce: string | undefined;
  readonly redirectUri: string;
  readonly codeChallenge: string | undefined;
};

/** All that the forger knows. */
export type ForgerState = {
  readonly options: ForgerOptions;
  readonly issuer: string;
  readonly origin: string;
  readonly now: () => Date;
  readonly codes: Map<string, ForgerGrant>;
  readonly accessTokens: Map<string, ForgerGrant>;
  readonly refreshTokens: Map<string, ForgerGrant>;
  readonly identities: Map<string, Identity>;
  identity: Identity;
  subjectCount: number;
  key: SigningKey;
  overrides: ForgerOverrides;
};
