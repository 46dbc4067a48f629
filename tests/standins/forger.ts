/**
 * A small OpenID Provider, written by hand, that can be wrong in every way that a test needs: ID Token, JWKS,
 * discovery, UserInfo and `iss` can be anything. Left alone it is right, and light enough for the benchmark.
 * It asks nobody: an authorization request is answered at once. Its tokens run out by the clock that it is given.
 */
import type { FaultControl } from "./faults.ts";
import { createFaults } from "./faults.ts";
import { authorize } from "./forger_authorize.ts";
import { answerToken, giveTokens, revokeToken } from "./forger_grants.ts";
import type {
  ForgerCall,
  ForgerOperation,
  ForgerOptions,
  ForgerOverrides,
  ForgerState,
  Identity,
} from "./forger_state.ts";
import type { SentRefreshToken } from "./forger_store.ts";
import { createSentLog, createTokenStore } from "./forger_store.ts";
import type { Claims, Sign, SigningKey } from "./forger_tokens.ts";
import { createKey, signToken } from "./forger_tokens.ts";
import { randomToken, schemeToken } from "./oauth_rules.ts";

export type { ForgerOperation, ForgerOptions, ForgerOverrides, Identity } from "./forger_state.ts";
export {
  accessTokenHash,
  createKey,
  encryptToken,
  type KeyAlgorithm,
  type Sign,
  type SigningKey,
  signToken,
} from "./forger_tokens.ts";

/** The forger in the hands of a test. */
export type ForgerStandin = FaultControl<ForgerOperation> & {
  readonly issuer: string;
  readonly url: string;
  /** Calls in the order of their arrival, those that met a fault included. */
  readonly calls: ForgerOperation[];
  /** Method and path of calls to routes that do not exist. Tests assert that it is empty. */
  readonly unexpected: string[];
  /** Asks the forger without a socket, as `fetch` would: for tests with many calls. The address counts for its path alone. */
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
  /** Who signs in from now on. Refreshes and UserInfo of the same subject tell the new claims too. */
  readonly signInAs: (identity: Identity) => void;
  /** What is said of a subject from now on, whoever signs in. */
  readonly setIdentity: (identity: Identity) => void;
  /** Disables an account, or enables it again: its tokens are refused meanwhile, and live on. */
  readonly setDisabled: (sub: string, isDisabled: boolean) => void;
  /** Gives tokens for a subject as a sign-in would, of these scopes or of openid, profile and offline_access. */
  readonly giveTokens: (sub: string, scope?: string) => GivenTokens;
  /** Replaces answers, beside what was replaced before. */
  readonly override: (overrides: ForgerOverrides) => void;
  /** Puts everything right again. */
  readonly reset: () => void;
  /** Signs like the forger itself unless told otherwise. */
  readonly sign: Sign;
  /** The key that signs and stands in the JWKS. */
  readonly key: () => SigningKey;
  /** Signs with this key from now on, and shows this one alone in the JWKS. */
  readonly rotateKey: (key?: SigningKey) => void;
  /** Ends every refresh and access token of a subject. */
  readonly endGrant: (sub: string) => void;
  /** Whether this refresh token or access token could be used. */
  readonly isLive: (token: string) => boolean;
  /** Every refresh token that could be used, of this subject or of all. */
  readonly liveRefreshTokens: (sub?: string) => readonly string[];
  /** Every refresh token that was sent, as often as it was sent, with what came of it. */
  readonly sentRefreshTokens: readonly SentRefreshToken[];
  /** Those that were sent once more after they had been spent. Tests assert that it is empty. */
  readonly sentAgain: readonly string[];
  readonly stop: () => Promise<void>;
};

type GivenTokens = { readonly accessToken: string; readonly refreshToken: string };

/** Starts the forger on 127.0.0.1. */
export function startForger(options: ForgerOptions): ForgerStandin {
  const faults = createFaults<ForgerOperation>();
  const calls: ForgerOperation[] = [];
  const unexpected: string[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: options.port ?? 0,
    idleTimeout: 0,
    fetch: (request) => answer(request),
  });
  const state = createState(options, server.url.origin);

  async function answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const body = request.method === "POST" ? await request.text() : "";
    const refreshToken = url.pathname === "/token" ? refreshTokenOf(body) : undefined;
    const operation = match(state, request.method, url.pathname, refreshToken !== undefined);
    if (operation) {
      calls.push(operation);
      const shown = refreshToken ?? schemeToken(request.headers.get("authorization"), "Bearer");
      const userId = shown === undefined ? undefined : state.tokens.findOwner(shown);
      const onRefresh = refreshToken === undefined ? () => undefined : logSent(state, refreshToken);
      const call = { request, url, body, onRefresh };
      const about = { headers: request.headers, userId };
      return await faults.meet(operation, url, () => ANSWERS[operation](state, call), about);
    }
    if (url.pathname === "/favicon.ico") return new Response(null, { status: 204 });
    unexpected.push(`${request.method} ${url.pathname}`);
    return new Response("Not found", { status: 404 });
  }

  return {
    issuer: state.issuer,
    url: state.origin,
    calls,
    unexpected,
    signInAs(identity) {
      state.identity = identity;
      state.identities.set(identity.sub, identity);
    },
    fetch: async (url, init = {}) => {
      const answering = answer(new Request(url, init));
      return await (init.signal ? Promise.race([answering, aborted(init.signal)]) : answering);
    },
    setIdentity: (identity) => void state.identities.set(identity.sub, identity),
    setDisabled(sub, isDisabled) {
      if (isDisabled) state.disabled.add(sub);
      else state.disabled.delete(sub);
    },
    giveTokens: (sub, scope = "openid profile offline_access") =>
      giveTokens(state, {
        id: randomToken(),
        sub,
        scope,
        nonce: undefined,
        redirectUri: "",
        codeChallenge: undefined,
      }),
    override(overrides) {
      state.overrides = { ...state.overrides, ...overrides };
    },
    reset() {
      state.overrides = {};
    },
    sign: (claims, header = {}, key = state.key) => signToken(claims, header, key),
    key: () => state.key,
    rotateKey(key = createKey(state.key.alg)) {
      state.key = key;
    },
    endGrant: state.tokens.endSubject,
    liveRefreshTokens: state.tokens.listRefreshTokens,
    isLive: state.tokens.isLive,
    sentRefreshTokens: state.log.sent,
    sentAgain: state.log.sentAgain,
    failNext: faults.failNext,
    gate: faults.gate,
    direct: faults.direct,
    async stop() {
      faults.stop();
      await server.stop(true);
    },
  };
}

const DISCOVERY_PATH = "/.well-known/openid-configuration";

/** The person who signs in where a test names nobody. */
const ANNA: Identity = { sub: "sub-of-anna", preferred_username: "anna", groups: ["members"] };

const ANSWERS = {
  discovery: (state) => overridden(state.overrides.discovery, discoveryDocument(state)),
  jwks: (state) => overridden(state.overrides.jwks, { keys: [state.key.publicJwk] }),
  authorize: (state, { url }) => authorize(state, url.searchParams),
  token: answerToken,
  token_refresh: answerToken,
  userinfo: userInfo,
  revoke: revokeToken,
} satisfies Record<ForgerOperation, (state: ForgerState, call: ForgerCall) => Response | Promise<Response>>;

/** The refresh token of a refresh. */
function refreshTokenOf(body: string): string | undefined {
  const form = new URLSearchParams(body);
  return form.get("grant_type") === "refresh_token" ? (form.get("refresh_token") ?? "") : undefined;
}

function logSent({ log, tokens, now }: ForgerState, token: string) {
  const entry = { token, sub: tokens.findOwner(token), at: now().getTime() };
  return log.add(entry, tokens.findSpent(token) !== undefined);
}

/** Rejects once the client has lost its patience, as `fetch` does. */
function aborted(signal: AbortSignal): Promise<never> {
  const late = Promise.withResolvers<never>();
  if (signal.aborted) late.reject(signal.reason);
  signal.addEventListener("abort", () => late.reject(signal.reason), { once: true });
  return late.promise;
}

function match(
  state: ForgerState,
  method: string,
  path: string,
  isRefresh: boolean,
): ForgerOperation | undefined {
  switch (`${method} ${path}`) {
    case `GET ${(state.options.issuerPath ?? "").replace(/\/$/, "")}${DISCOVERY_PATH}`:
      return "discovery";
    case "GET /jwks":
      return "jwks";
    case "GET /authorize":
      return "authorize";
    case "POST /token":
      return isRefresh ? "token_refresh" : "token";
    case "GET /userinfo":
      return "userinfo";
    case "POST /revoke":
      return hasRevocation(state) ? "revoke" : undefined;
    default:
      return undefined;
  }
}

function hasRevocation({ options }: ForgerState): boolean {
  return options.revocationEndpoint ?? true;
}

/** The first one may be the same for every forger of a process. */
let firstKey: SigningKey | undefined;

function createState(options: ForgerOptions, origin: string): ForgerState {
  const now = options.now ?? (() => new Date());
  firstKey ??= createKey("RS256");
  return {
    options,
    origin,
    issuer: `${origin}${options.issuerPath ?? ""}`,
    now,
    codes: new Map(),
    tokens: createTokenStore(now),
    log: createSentLog(),
    identities: new Map([[ANNA.sub, ANNA]]),
    disabled: new Set(),
    refused: new Set(),
    identity: ANNA,
    subjectCount: 0,
    key: options.key ?? firstKey,
    overrides: {},
  };
}

function discoveryDocument(state: ForgerState): Claims {
  const methods = { basic: ["client_secret_basic"], post: ["client_secret_post"] };
  const both = [...methods.basic, ...methods.post];
  const clientAuth = state.options.clientAuth ?? "both";
  return {
    issuer: state.issuer,
    authorization_endpoint: `${state.origin}/authorize`,
    token_endpoint: `${state.origin}/token`,
    userinfo_endpoint: `${state.origin}/userinfo`,
    jwks_uri: `${state.origin}/jwks`,
    ...(hasRevocation(state) ? { revocation_endpoint: `${state.origin}/revoke` } : {}),
    response_types_supported: ["code"],
    response_modes_supported: ["query"],
    grant_types_supported: ["authorization_code", "refresh_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: [state.key.alg],
    token_endpoint_auth_methods_supported: clientAuth === "both" ? both : methods[clientAuth],
    code_challenge_methods_supported: ["S256"],
    scopes_supported: ["openid", "profile", "offline_access"],
    claims_supported: ["sub", "preferred_username", "groups"],
    authorization_response_iss_parameter_supported: state.overrides.announcesIss ?? true,
  };
}

function userInfo(state: ForgerState, { request }: ForgerCall): Response {
  const token = schemeToken(request.headers.get("authorization"), "Bearer");
  const sub = token === undefined ? undefined : state.tokens.find("access", token)?.sub;
  const identity = sub === undefined || state.disabled.has(sub) ? undefined : state.identities.get(sub);
  if (!identity) {
    const headers = { "www-authenticate": 'Bearer error="invalid_token"' };
    return Response.json({ error: "invalid_token" }, { status: 401, headers });
  }
  return overridden(state.overrides.userInfo, identity);
}

function overridden<Right>(override: ((right: Right) => unknown) | undefined, right: Right): Response {
  const answer = override ? override(right) : right;
  return answer instanceof Response ? answer : Response.json(answer);
}
