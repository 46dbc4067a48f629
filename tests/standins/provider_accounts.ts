/** The people at the organisation's OpenID Provider, and all that the provider keeps in memory about them. */

/** An account. `login` is also the `preferred_username`. */
export type ProviderUser = {
  readonly login: string;
  readonly sub: string;
  readonly name: string;
  readonly email: string;
  readonly groups: readonly string[];
  /** All that the provider says of the account, if it is not the usual. */
  readonly claims?: Readonly<Record<string, unknown>>;
};

/** The accounts of the tests: two members, one of them on the board, and one who left. */
export const DEMO_USERS: readonly ProviderUser[] = [
  user("anna", "Anna Andersson", ["members", "board"]),
  user("bo", "Bo Bengtsson", ["members"]),
  user("cleo", "Cleo Carlsson", ["alumni"]),
];

/** What oidc-provider stores of a token, a grant, a session or an interaction. */
type StoredArtifact = {
  readonly accountId?: string;
  readonly grantId?: string;
  readonly uid?: string;
  /** Of a session: what each client calls it. */
  readonly authorizations?: Readonly<Record<string, { readonly sid?: string }>>;
  /** In seconds since 1970. */
  exp?: number;
  consumed?: number;
};

/** How the storage's keys of refresh tokens begin. */
const REFRESH_TOKEN = "RefreshToken:";

/** More than oidc-provider allows for clocks that differ. */
const EXPIRED_FOR_SECONDS = 60;

export type ArtifactStore = ReturnType<typeof createArtifactStore>;

/** The storage that oidc-provider asks for, one adapter a model; it outlives a rebuilt provider. */
export function createArtifactStore() {
  const artifacts = new Map<string, StoredArtifact>();
  const remove = (isGone: (key: string, artifact: StoredArtifact) => boolean) => {
    for (const [key, artifact] of artifacts) if (isGone(key, artifact)) artifacts.delete(key);
  };

  return {
    adapter: (model: string) => ({
      async upsert(id: string, artifact: StoredArtifact) {
        artifacts.set(`${model}:${id}`, artifact);
      },
      find: async (id: string) => artifacts.get(`${model}:${id}`),
      findByUid: async (uid: string) =>
        [...artifacts].find(([key, { uid: found }]) => key.startsWith(`${model}:`) && found === uid)?.[1],
      findByUserCode: async () => undefined,
      async destroy(id: string) {
        artifacts.delete(`${model}:${id}`);
      },
      async consume(id: string) {
        const artifact = artifacts.get(`${model}:${id}`);
        if (artifact) artifact.consumed = Math.floor(Date.now() / 1000);
      },
      async revokeByGrantId(grantId: string) {
        remove((_, artifact) => artifact.grantId === grantId);
      },
    }),

    /** Ends all that an account has: sessions, grants and tokens. */
    endAccount: (accountId: string) => remove((_, artifact) => artifact.accountId === accountId),

    /** Lets the account's tokens of this kind run out. */
    expire(accountId: string, model: "AccessToken" | "RefreshToken") {
      for (const [key, artifact] of artifacts)
        if (key.startsWith(`${model}:`) && artifact.accountId === accountId)
          artifact.exp = Math.floor(Date.now() / 1000) - EXPIRED_FOR_SECONDS;
    },

    /** What a client calls the sessions of an account. */
    sessionIds: (accountId: string, clientId: string): readonly string[] =>
      [...artifacts].flatMap(([key, artifact]) => {
        const isOwn = key.startsWith("Session:") && artifact.accountId === accountId;
        return isOwn ? (artifact.authorizations?.[clientId]?.sid ?? []) : [];
      }),

    /** Ends the sessions of an account. Grants and tokens stay. */
    endSessions: (accountId: string) =>
      remove((key, artifact) => key.startsWith("Session:") && artifact.accountId === accountId),

    /** Ends one browser's session. */
    endSession: (cookie: string) => remove((key) => key === `Session:${cookie}`),

    /** Ends one browser's session if it is another account's; the new one takes its place. */
    endOtherSession: (cookie: string, accountId: string) =>
      remove((key, artifact) => key === `Session:${cookie}` && artifact.accountId !== accountId),

    /** The account's refresh tokens that are unused and have not run out. */
    liveRefreshTokens: (accountId: string) =>
      [...artifacts]
        .filter(
          ([key, artifact]) =>
            key.startsWith(REFRESH_TOKEN) &&
            artifact.accountId === accountId &&
            artifact.consumed === undefined &&
            !isExpired(artifact),
        )
        .map(([key]) => key.slice(REFRESH_TOKEN.length)),

    /** Whether a refresh token or access token, which is opaque, is there, unused and not run out. */
    isLive(token: string): boolean {
      const artifact = artifacts.get(`RefreshToken:${token}`) ?? artifacts.get(`AccessToken:${token}`);
      if (artifact === undefined || artifact.consumed !== undefined) return false;
      return !isExpired(artifact);
    },
  };
}

const isExpired = ({ exp }: StoredArtifact): boolean => exp !== undefined && exp <= Date.now() / 1000;

function user(login: string, name: string, groups: readonly string[]): ProviderUser {
  return { login, sub: `sub-of-${login}`, name, email: `${login}@example.org`, groups };
}
