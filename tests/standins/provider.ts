/**
 * The organisation's OpenID Provider of the tests and the demo: the certified `oidc-provider`, in memory, with
 * a sign-in page of our own. This file is its front: it counts calls, and misbehaves on order.
 */
import type { FaultControl, Faults } from "./faults.ts";
import { createFaults } from "./faults.ts";
import type { ProviderUser } from "./provider_accounts.ts";
import { DEMO_USERS } from "./provider_accounts.ts";
import { INTERACTION_PATH } from "./provider_interactions.ts";
import type { InnerProvider } from "./provider_server.ts";
import { startInnerProvider } from "./provider_server.ts";

export { DEMO_USERS, type ProviderUser } from "./provider_accounts.ts";

/** The operations by name; `token` exchanges a code. */
export type ProviderOperation =
  | "discovery"
  | "jwks"
  | "authorize"
  | "token"
  | "token_refresh"
  | "userinfo"
  | "revoke";

/** What the provider is told at its start. */
export type ProviderOptions = {
  readonly port?: number;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUris: readonly string[];
  /** `DEMO_USERS` unless given. */
  readonly users?: readonly ProviderUser[];
  /** Where claims of the `profile` scope are found. As oidc-provider has it unless given: at UserInfo alone. */
  readonly groupsIn?: "userinfo" | "id_token";
  readonly clientAuthMethod?: "client_secret_basic" | "client_secret_post";
  readonly idTokenSignedResponseAlg?: "RS256" | "PS256" | "ES256" | "EdDSA";
  readonly pkceRequired?: boolean;
  /** Whether each use of a refresh token brings a new one, and a second use ends the grant; true unless given. */
  readonly rotateRefreshTokens?: boolean;
  readonly accessTokenSeconds?: number;
};

/** The provider in the hands of a test. */
export type ProviderStandin = FaultControl<ProviderOperation> & {
  readonly issuer: string;
  readonly url: string;
  /** Calls in the order of their arrival, those that met a fault included. */
  readonly calls: ProviderOperation[];
  /** Method and path of calls to routes that do not exist. Tests assert that it is empty. */
  readonly unexpected: string[];
  /** New signing keys; the old ones are gone from the JWKS. Issuer, client, sessions and tokens stay. */
  readonly rotateKeys: () => void;
  /** Changes an account, or makes one: groups that end, another name. */
  readonly setUser: (login: string, change: Partial<Omit<ProviderUser, "login">>) => void;
  /** Takes an account away: UserInfo and refreshes fail from now on. */
  readonly removeUser: (login: string) => void;
  /** Ends the sessions, grants and tokens of an account that stays. */
  readonly endGrant: (login: string) => void;
  /** Ends the sessions of an account, and tells the client of each. Rejects if the client does not answer 200. */
  readonly logOut: (login: string) => Promise<void>;
  /** Lets the refresh tokens, or the access tokens, of an account run out. */
  readonly expireRefreshTokens: (login: string) => void;
  readonly expireAccessTokens: (login: string) => void;
  /** How many refresh tokens of the account could be used. */
  readonly refreshTokens: (login: string) => number;
  /** Those refresh tokens. */
  readonly liveRefreshTokens: (login: string) => readonly string[];
  /** Whether this refresh token or access token could be used. */
  readonly isLive: (token: string) => boolean;
  readonly stop: () => Promise<void>;
};

/** Starts the provider on 127.0.0.1. */
export async function startProvider(options: ProviderOptions): Promise<ProviderStandin> {
  const users = new Map((options.users ?? DEMO_USERS).map((user) => [user.login, user]));
  const faults = createFaults<ProviderOperation>();
  const calls: ProviderOperation[] = [];
  const unexpected: string[] = [];
  const started = Promise.withResolvers<InnerProvider>();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: options.port ?? 0,
    idleTimeout: 0,
    fetch: async (request) => await answer(await started.promise, faults, calls, unexpected, request),
  });
  const issuer = server.url.origin;
  const inner = await startInnerProvider(issuer, options, users);
  started.resolve(inner);

  const subOf = (login: string) => users.get(login)?.sub ?? `sub-of-${login}`;
  return {
    issuer,
    url: issuer,
    calls,
    unexpected,
    rotateKeys: inner.rotateKeys,
    setUser(login, change) {
      const blank = { login, sub: subOf(login), name: login, email: `${login}@example.org`, groups: [] };
      users.set(login, { ...(users.get(login) ?? blank), ...change });
    },
    removeUser: (login) => void users.delete(login),
    endGrant: (login) => inner.endAccount(subOf(login)),
    logOut: (login) => inner.logOut(subOf(login)),
    expireRefreshTokens: (login) => inner.expire(subOf(login), "RefreshToken"),
    expireAccessTokens: (login) => inner.expire(subOf(login), "AccessToken"),
    refreshTokens: (login) => inner.liveRefreshTokens(subOf(login)).length,
    liveRefreshTokens: (login) => inner.liveRefreshTokens(subOf(login)),
    isLive: inner.isLive,
    failNext: faults.failNext,
    gate: faults.gate,
    direct: faults.direct,
    async stop() {
      faults.stop();
      inner.stop();
      await server.stop(true);
    },
  };
}

const OPERATIONS: ReadonlyMap<string, ProviderOperation> = new Map([
  ["GET /.well-known/openid-configuration", "discovery"],
  ["GET /jwks", "jwks"],
  ["GET /auth", "authorize"],
  ["POST /auth", "authorize"],
  ["POST /token", "token"],
  ["GET /me", "userinfo"],
  ["POST /me", "userinfo"],
  ["POST /token/revocation", "revoke"],
]);

async function answer(
  inner: InnerProvider,
  faults: Faults<ProviderOperation>,
  calls: ProviderOperation[],
  unexpected: string[],
  request: Request,
): Promise<Response> {
  const url = new URL(request.url);
  const route = OPERATIONS.get(`${request.method} ${url.pathname}`);
  const operation = route === "token" && (await isRefresh(request)) ? "token_refresh" : route;
  if (operation) {
    calls.push(operation);
    return await faults.meet(operation, url, () => forward(inner, request, url), {
      headers: request.headers,
    });
  }
  if (url.pathname === "/favicon.ico") return new Response(null, { status: 204 });
  if (url.pathname.startsWith(INTERACTION_PATH) || url.pathname.startsWith("/auth/")) {
    return await forward(inner, request, url);
  }
  unexpected.push(`${request.method} ${url.pathname}`);
  return new Response("Not found", { status: 404 });
}

async function isRefresh(request: Request): Promise<boolean> {
  return new URLSearchParams(await request.clone().text()).get("grant_type") === "refresh_token";
}

/** Hands a request to oidc-provider, redirects and cookies untouched. */
async function forward(inner: InnerProvider, request: Request, url: URL): Promise<Response> {
  const response = await fetch(`${inner.origin}${url.pathname}${url.search}`, {
    method: request.method,
    headers: request.headers,
    redirect: "manual",
    ...(request.method === "GET" ? {} : { body: await request.arrayBuffer() }),
  });
  const headers = new Headers(response.headers);
  for (const name of ["connection", "keep-alive", "transfer-encoding", "content-length"])
    headers.delete(name);
  const body = await response.arrayBuffer();
  return new Response(body.byteLength === 0 ? null : body, { status: response.status, headers });
}
