/** What the forger is told, what a test may replace, and what it remembers of codes and tokens. */
import type { SentLog, SentRefreshToken, TokenStore } from "./forger_store.ts";
import type { Claims, Sign, SigningKey } from "./forger_tokens.ts";
import type { RegisteredClient } from "./oauth_rules.ts";

/** The operations by name; `token` exchanges a code. */
export type ForgerOperation =
  | "discovery"
  | "jwks"
  | "authorize"
  | "token"
  | "token_refresh"
  | "userinfo"
  | "revoke";

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
  /** How long access tokens live, by `now`; an hour unless given. */
  readonly accessTokenSeconds?: number;
  /** How long a refresh token lives, by `now`, from when it was given; for ever unless given. */
  readonly refreshTokenSeconds?: number;
  /** Whether the second use of a refresh token ends its whole grant; false unless given. RFC 9700 4.14.2 */
  readonly reuseEndsGrant?: boolean;
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
  /** Of whom the tokens are is told last. */
  readonly tokenAnswer?: (answer: Claims, grantType: string, sub: string) => unknown;
  readonly userInfo?: (claims: Identity) => unknown;
  /** The `iss` of the authorization response; right unless given. RFC 9207 */
  readonly iss?: "right" | "wrong" | "absent";
  /** Scopes that this client may not have, though discovery announces them: a request for one is invalid_scope. */
  readonly refusedScopes?: readonly string[];
  /** Whether discovery promises that `iss`; true unless given. */
  readonly announcesIss?: boolean;
  /** Whether a refresh uses its token up and brings a new one; true unless given. */
  readonly rotatesRefreshTokens?: boolean;
  /** Whether a refresh brings an ID Token; true unless given. */
  readonly refreshBringsIdToken?: boolean;
  /**
   * Whether the refresh token that was spent last brings new tokens once more, as long as the one that took its place was
   * not used: a provider's remedy for lost answers; false unless given.
   */
  readonly forgivesLostAnswers?: boolean;
  /** Whether a refresh token that was answered with invalid_grant is later answered with invalid_request; false unless given. */
  readonly forgetsDeadTokens?: boolean;
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

/** A call to one of the operations. */
export type ForgerCall = {
  readonly request: Request;
  readonly url: URL;
  /** Empty but for a POST. */
  readonly body: string;
  /** Told what came of the refresh token, where the call has one. */
  readonly onRefresh: (outcome: SentRefreshToken["outcome"]) => void;
};

/** All that the forger knows. */
export type ForgerState = {
  readonly options: ForgerOptions;
  readonly issuer: string;
  readonly origin: string;
  readonly now: () => Date;
  readonly codes: Map<string, ForgerGrant>;
  readonly tokens: TokenStore;
  readonly log: SentLog;
  readonly identities: Map<string, Identity>;
  /** Subjects whose account is disabled. */
  readonly disabled: Set<string>;
  /** Refresh tokens that were answered with invalid_grant. */
  readonly refused: Set<string>;
  identity: Identity;
  subjectCount: number;
  key: SigningKey;
  overrides: ForgerOverrides;
};
