/**
 * The tokens that the forger has given out, and each refresh token that was sent to it. All is kept by subject, too, and
 * what has run out is forgotten, so that a year of a thousand members stays small and fast.
 */
import type { ForgerGrant } from "./forger_state.ts";
import { randomToken } from "./oauth_rules.ts";

type TokenKind = "access" | "refresh";

/** A token that was given out. `expiresAt` is in milliseconds since 1970. */
type IssuedToken = { readonly kind: TokenKind; readonly grant: ForgerGrant; readonly expiresAt: number };

/** A refresh token, as it came to the token endpoint. */
export type SentRefreshToken = {
  readonly token: string;
  /** Undefined for a token that the forger has never given out. */
  readonly sub: string | undefined;
  /** In milliseconds since 1970, by the forger's clock. */
  readonly at: number;
  /**
   * - `unread` if a fault answered in place of the token endpoint: the token is as it was
   * - `spent` if another took its place, though the answer may be lost; `kept` if it stays in use
   * - `refused` if the answer was an error
   */
  outcome: "unread" | "spent" | "kept" | "refused";
};

export type TokenStore = ReturnType<typeof createTokenStore>;

/** Makes an empty store. */
export function createTokenStore(now: () => Date) {
  const tokens = new Map<string, IssuedToken>();
  const bySubject = new Map<string, Set<string>>();
  const spent = new Map<string, ForgerGrant>();
  /** Of each grant the refresh token that was spent last. */
  const lastSpent = new Map<string, string>();
  const isLive = ({ expiresAt }: IssuedToken): boolean => expiresAt > now().getTime();

  function end(token: string): void {
    const issued = tokens.get(token);
    if (issued === undefined) return;
    tokens.delete(token);
    const { sub } = issued.grant;
    const own = bySubject.get(sub);
    own?.delete(token);
    if (own?.size === 0) bySubject.delete(sub);
  }

  function endAll(sub: string, isEnded: (issued: IssuedToken) => boolean): void {
    for (const token of [...(bySubject.get(sub) ?? [])]) {
      const issued = tokens.get(token);
      if (issued !== undefined && isEnded(issued)) end(token);
    }
  }

  function find(kind: TokenKind, token: string): ForgerGrant | undefined {
    const issued = tokens.get(token);
    return issued?.kind === kind && isLive(issued) ? issued.grant : undefined;
  }

  return {
    /** Gives out a token that lives so long, and forgets those of the subject that have run out. */
    give(kind: TokenKind, grant: ForgerGrant, seconds: number): string {
      endAll(grant.sub, (issued) => !isLive(issued));
      const token = randomToken();
      tokens.set(token, { kind, grant, expiresAt: now().getTime() + seconds * 1_000 });
      const own = bySubject.get(grant.sub) ?? new Set();
      bySubject.set(grant.sub, own.add(token));
      return token;
    },

    /** What a live token stands for. */
    find,

    /** Takes a refresh token out of use. What it stood for stays known, and whoever shows it again is known, too. */
    spend(token: string, grant: ForgerGrant): void {
      end(token);
      spent.set(token, grant);
      lastSpent.set(grant.id, token);
    },

    /** What a refresh token stood for that was spent, if the one that took its place was not used. */
    findUnfollowed(token: string): ForgerGrant | undefined {
      const grant = spent.get(token);
      return grant !== undefined && lastSpent.get(grant.id) === token ? grant : undefined;
    },

    /** What a refresh token stood for that was spent. */
    findSpent: (token: string): ForgerGrant | undefined => spent.get(token),

    /** Whose refresh token this is or was. */
    findOwner: (token: string): string | undefined => (tokens.get(token)?.grant ?? spent.get(token))?.sub,

    /** Ends a token; with a refresh token its whole grant. */
    revoke(token: string): void {
      const issued = tokens.get(token);
      if (issued?.kind === "refresh") endAll(issued.grant.sub, ({ grant }) => grant.id === issued.grant.id);
      else end(token);
    },

    /** Ends every token that came from the same code. */
    endFamily: ({ id, sub }: ForgerGrant): void => endAll(sub, ({ grant }) => grant.id === id),

    /** Ends every token of a subject. */
    endSubject: (sub: string): void => endAll(sub, () => true),

    /** Whether an access token or a refresh token could be used. */
    isLive(token: string): boolean {
      const issued = tokens.get(token);
      return issued !== undefined && isLive(issued);
    },

    /** The refresh tokens that could be used, of one subject or of all, the oldest first. */
    listRefreshTokens(sub?: string): readonly string[] {
      const candidates = sub === undefined ? tokens.keys() : (bySubject.get(sub) ?? []);
      return [...candidates].filter((token) => find("refresh", token) !== undefined);
    },
  };
}

export type SentLog = ReturnType<typeof createSentLog>;

/** Makes an empty log of refresh tokens that were sent. */
export function createSentLog() {
  const sent: SentRefreshToken[] = [];
  const sentAgain: string[] = [];
  return {
    sent,
    /** Each token that was sent once more after it was spent. */
    sentAgain,
    /** Writes down that a token has come. What came of it is told to the function that is returned. */
    add(entry: Omit<SentRefreshToken, "outcome">, wasSpent: boolean) {
      const written: SentRefreshToken = { ...entry, outcome: "unread" };
      sent.push(written);
      if (wasSpent) sentAgain.push(entry.token);
      return (outcome: SentRefreshToken["outcome"]): void => {
        written.outcome = outcome;
      };
    },
  };
}
