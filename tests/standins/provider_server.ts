/**
 * The certified `oidc-provider` behind the stand-in: its configuration, its keys, and the inner server that
 * runs it. Faults and counting happen in front of it, in `provider.ts`.
 */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { html } from "./html.ts";
import type { ProviderOptions } from "./provider.ts";
import type { ProviderUser } from "./provider_accounts.ts";
import { createArtifactStore } from "./provider_accounts.ts";
import { INTERACTION_PATH, interact, show } from "./provider_interactions.ts";
import { takeRsaPair } from "./rsa_keys.ts";

/** The running provider. `origin` is for the front alone: the issuer is another address. */
export type InnerProvider = {
  readonly origin: string;
  readonly endAccount: (sub: string) => void;
  readonly logOut: (sub: string) => Promise<void>;
  readonly expire: (sub: string, model: "AccessToken" | "RefreshToken") => void;
  readonly liveRefreshTokens: (sub: string) => readonly string[];
  readonly isLive: (token: string) => boolean;
  readonly rotateKeys: () => void;
  readonly stop: () => void;
};

/** Starts oidc-provider under this issuer on a port of its own. `users` is read at each request. */
export async function startInnerProvider(
  issuer: string,
  options: ProviderOptions,
  users: ReadonlyMap<string, ProviderUser>,
): Promise<InnerProvider> {
  const ProviderClass = await providerClass;
  const store = createArtifactStore();
  const build = (keys: readonly object[]) => {
    const configuration = { ...configure(options, users), adapter: store.adapter, jwks: { keys } };
    const provider = new ProviderClass(issuer, configuration);
    provider.on("server_error", (_, error) => console.error("The stand-in provider failed:", error));
    return { provider, answer: provider.callback() };
  };
  firstKeys ??= generateKeys();
  let built = build(firstKeys);

  const server = createServer((request, response) => {
    const isInteraction = request.url?.startsWith(INTERACTION_PATH) ?? false;
    const answering = isInteraction
      ? interact(built.provider, store, users, request, response)
      : built.answer(request, response);
    answering.catch((error: unknown) => fail(request, response, error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the inner provider has no port");

  return {
    origin: `http://127.0.0.1:${address.port}`,
    endAccount: store.endAccount,
    async logOut(sub) {
      const client = await built.provider.Client.find(options.clientId);
      const sids = store.sessionIds(sub, options.clientId);
      await withoutRuntimeWarnings(async () => {
        for (const sid of sids) await client?.backchannelLogout(sub, sid);
      });
      store.endSessions(sub);
    },
    expire: store.expire,
    liveRefreshTokens: store.liveRefreshTokens,
    isLive: store.isLive,
    rotateKeys() {
      built = build(generateKeys());
    },
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

const HOUR_SECONDS = 3600;
const DAY_SECONDS = 86_400;

/** Keys take a while to make, and the first ones may be the same for every stand-in of a process. */
let firstKeys: readonly object[] | undefined;

const providerClass = withoutRuntimeWarnings(async () => (await import("oidc-provider")).Provider);

/**
 * oidc-provider warns of every runtime but Node.js when it is loaded, and before its first request that it cannot keep
 * requests from addresses such as loopback, since Bun has no undici. The stand-in sends them nowhere else. Both sentences
 * are left out; every other word is passed on.
 */
async function withoutRuntimeWarnings<Result>(work: () => Promise<Result>): Promise<Result> {
  const { warn } = console;
  console.warn = (...words: unknown[]) => {
    if (!/Unsupported runtime|failed to setup SSRF protection/.test(String(words[0]))) warn(...words);
  };
  try {
    return await work();
  } finally {
    console.warn = warn;
  }
}

function configure(options: ProviderOptions, users: ReadonlyMap<string, ProviderUser>): object {
  return {
    clients: [
      {
        client_id: options.clientId,
        client_secret: options.clientSecret,
        redirect_uris: options.redirectUris,
        backchannel_logout_uri: new URL("/oidc/backchannel-logout", options.redirectUris[0]).href,
        backchannel_logout_session_required: true,
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
        token_endpoint_auth_method: options.clientAuthMethod ?? "client_secret_basic",
        id_token_signed_response_alg: options.idTokenSignedResponseAlg ?? "RS256",
      },
    ],
    scopes: ["openid", "offline_access", "profile", "email", "groups"],
    claims: {
      openid: ["sub"],
      profile: ["name", "preferred_username", "groups"],
      email: ["email", "email_verified"],
      groups: ["groups"],
    },
    conformIdTokenClaims: (options.groupsIn ?? "userinfo") === "userinfo",
    pkce: { required: () => options.pkceRequired ?? true },
    rotateRefreshToken: () => options.rotateRefreshTokens ?? true,
    features: {
      devInteractions: { enabled: false },
      revocation: {
        enabled: true,
        allowedPolicy: (_: unknown, client: { clientId: string }, token: { clientId: string }) =>
          client.clientId === token.clientId,
      },
      rpInitiatedLogout: { enabled: false },
      backchannelLogout: { enabled: true },
    },
    interactions: {
      url: (_: unknown, interaction: { uid: string }) => `${INTERACTION_PATH}${interaction.uid}`,
    },
    findAccount(_: unknown, sub: string) {
      const user = [...users.values()].find((candidate) => candidate.sub === sub);
      return user && { accountId: sub, claims: () => claimsOf(user) };
    },
    async renderError(
      context: { res: ServerResponse; respond?: boolean },
      out: { error: string; error_description?: string },
    ) {
      context.respond = false;
      const reason = out.error_description ?? "";
      await show(context.res, html`<p class="error"><code>${out.error}</code> ${reason}</p>`, 400);
    },
    clientBasedCORS: () => false,
    // Its own would refuse the addresses of a loopback.
    fetch: (url: string, init: RequestInit) => fetch(url, init),
    // Unsigned cookies: the signing package calls a function that Bun warns of, and there is nothing to guard.
    cookies: { keys: [] },
    ttl: {
      AccessToken: options.accessTokenSeconds ?? HOUR_SECONDS,
      AuthorizationCode: 60,
      Grant: 30 * DAY_SECONDS,
      IdToken: HOUR_SECONDS,
      Interaction: HOUR_SECONDS,
      RefreshToken: 30 * DAY_SECONDS,
      Session: DAY_SECONDS,
    },
  };
}

function claimsOf(user: ProviderUser) {
  if (user.claims !== undefined) return { sub: user.sub, ...user.claims };
  return {
    sub: user.sub,
    name: user.name,
    preferred_username: user.login,
    email: user.email,
    email_verified: true,
    groups: user.groups,
  };
}

/** One key a family: the RSA key serves RS256 and PS256. */
function generateKeys(): readonly object[] {
  const pairs = [
    takeRsaPair(),
    generateKeyPairSync("ec", { namedCurve: "P-256" }),
    generateKeyPairSync("ed25519"),
  ];
  return pairs.map(({ privateKey }) => ({
    ...privateKey.export({ format: "jwk" }),
    use: "sig",
    kid: randomBytes(6).toString("base64url"),
  }));
}

async function fail(request: IncomingMessage, response: ServerResponse, error: unknown): Promise<void> {
  if (response.headersSent) return void response.destroy();
  const isStale = error instanceof Error && error.name === "SessionNotFound";
  if (!isStale) console.error(`The stand-in provider failed at ${request.url}:`, error);
  const reason = isStale ? "This sign-in has ended. Begin again." : "The stand-in failed.";
  await show(response, html`<p class="error">${reason}</p>`, isStale ? 400 : 500);
}
