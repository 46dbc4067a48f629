/**
 * What the stand-in for Discord remembers of authorizations: codes, access tokens, refresh tokens.
 * A member's authorization of the application is one thing at Discord: ending it by any token ends all.
 */
import { randomToken } from "./oauth_rules.ts";

/** An authorization code and what it is bound to. */
type IssuedCode = {
  readonly userId: string;
  readonly scopes: readonly string[];
  readonly redirectUri: string;
  readonly codeChallenge: string | undefined;
};

/** A live token: whose it is, for what, until when (milliseconds since 1970). */
export type LiveToken = {
  readonly userId: string;
  readonly scopes: readonly string[];
  readonly expiresAt: number;
};

/** A live token as a test sees it. */
export type IssuedToken = {
  readonly kind: "access" | "refresh";
  readonly token: string;
  readonly scopes: readonly string[];
};

/** A token endpoint's answer. RFC 6749 5.1 */
type TokenAnswer = {
  readonly token_type: "Bearer";
  readonly access_token: string;
  readonly refresh_token: string;
  readonly expires_in: number;
  readonly scope: string;
};

export type Grants = ReturnType<typeof createGrants>;

const CODE_TTL_MS = 600_000;

/** Makes an empty store of authorizations. */
export function createGrants(now: () => Date, accessTokenSeconds: number, leewaySeconds = 0) {
  const lifeMs = (accessTokenSeconds + leewaySeconds) * 1000;
  const codes = new Map<string, IssuedCode & { readonly expiresAt: number }>();
  const accessTokens = new Map<string, LiveToken>();
  const refreshTokens = new Map<string, LiveToken>();
  const isLive = (entry: { readonly expiresAt: number }) => entry.expiresAt > now().getTime();

  function take<Entry extends { readonly expiresAt: number }>(store: Map<string, Entry>, key: string) {
    const entry = store.get(key);
    store.delete(key);
    return entry && isLive(entry) ? entry : undefined;
  }

  function listLive(userId: string): readonly IssuedToken[] {
    const list = (kind: IssuedToken["kind"], store: ReadonlyMap<string, LiveToken>) =>
      [...store]
        .filter(([, entry]) => entry.userId === userId && isLive(entry))
        .map(([token, { scopes }]) => ({ kind, token, scopes }));
    return [...list("access", accessTokens), ...list("refresh", refreshTokens)];
  }

  function expire(token: string): void {
    const entry = accessTokens.get(token);
    if (entry) accessTokens.set(token, { ...entry, expiresAt: now().getTime() });
  }

  return {
    /** Issues a code, good once and for ten minutes. */
    issueCode(issued: IssuedCode): string {
      const code = randomToken();
      codes.set(code, { ...issued, expiresAt: now().getTime() + CODE_TTL_MS });
      return code;
    },

    /** Takes a code out: the second time it is gone. */
    takeCode: (code: string) => take(codes, code),

    /** Takes a refresh token out: the second time it is gone. */
    takeRefreshToken: (token: string) => take(refreshTokens, token),

    /** Issues a new pair of tokens. */
    issueTokens(userId: string, scopes: readonly string[]): TokenAnswer {
      const [access, refresh] = [randomToken(), randomToken()];
      accessTokens.set(access, { userId, scopes, expiresAt: now().getTime() + lifeMs });
      refreshTokens.set(refresh, { userId, scopes, expiresAt: Number.POSITIVE_INFINITY });
      return {
        token_type: "Bearer",
        access_token: access,
        refresh_token: refresh,
        expires_in: accessTokenSeconds,
        scope: scopes.join(" "),
      };
    },

    /** The access token, if it is live. */
    findAccessToken(token: string): LiveToken | undefined {
      const found = accessTokens.get(token);
      return found && isLive(found) ? found : undefined;
    },

    /** Whose code or token this is, dead or alive but still known. */
    findOwner: (secret: string): string | undefined =>
      (accessTokens.get(secret) ?? refreshTokens.get(secret) ?? codes.get(secret))?.userId,

    /** Ends the member's authorization: every code and token. */
    endGrant(userId: string): void {
      for (const store of [codes, accessTokens, refreshTokens]) {
        for (const [key, entry] of store) if (entry.userId === userId) store.delete(key);
      }
    },

    /** Lets every access token of the member run out; refresh tokens live on. */
    expireAccessTokens(userId: string): void {
      for (const [token, entry] of accessTokens) if (entry.userId === userId) expire(token);
    },

    /** Lets one access token run out. */
    expireAccessToken: expire,

    /** The member's live tokens: access tokens, then refresh tokens, the oldest first. */
    listLive,

    /** How many access and refresh tokens of the member are live. */
    countLive: (userId: string): number => listLive(userId).length,
  };
}
