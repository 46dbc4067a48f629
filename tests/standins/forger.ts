/**
 * A small OpenID Provider, written by hand, that can be wrong in every way that a test needs: ID Token, JWKS,
 * discovery, UserInfo and `iss` can be anything. Left alone it is right, and light enough for the benchmark.
 * It asks nobody: an authorization request is answered at once.
 */
import type { FaultControl } from "./faults.ts";
import { createFaults } from "./faults.ts";
import { answerToken, revokeToken } from "./forger_grants.ts";
import type {
  ForgerOperation,
  ForgerOptions,
  ForgerOverrides,
  ForgerState,
  Identity,
} from "./forger_state.ts";
import type { Claims, Sign, SigningKey } from "./forger_tokens.ts";
import { createKey, signToken } from "./forger_tokens.ts";
import { randomToken, redirectBack, schemeToken } from "./oauth_rules.ts";

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
  /** Who signs in from now on. Refreshes and UserInfo of the same subject tell the new claims too. */
  readonly signInAs: (identity: Identity) => void;
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
  /** Every refresh token that could be used, of all subjects. */
  readonly liveRefreshTokens: () => readonly string[];
  readonly stop: () => Promise<void>;
};

/** Starts the forger on 127.0.0.1. */
export function startForger(options: ForgerOptions): ForgerStandin {
  const faults = createFaults<ForgerOperation>();
  const calls: ForgerOperation[] = [];
  const unexpected: string[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: options.port ?? 0,
    idleTimeout: 0,
    async fetch(request) {
      const url = new URL(request.url);
      const operation = match(state, request.method, url.pathname);
      if (operation) {
        calls.push(operation);
        return await faults.meet(operation, url, () => ANSWERS[operation](state, request, url));
      }
      if (url.pathname === "/favicon.ico") return new Response(null, { status: 204 });
      unexpected.push(`${request.method} ${url.pathname}`);
      return new Response("Not found", { status: 404 });
    },
  });
  const state = createState(options, server.url.origin);

  return {
    issuer: state.issuer,
    url: state.origin,
    calls,
    unexpected,
    signInAs(identity) {
      state.identity = identity;
      state.identities.set(identity.sub, identity);
    },
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
    endGrant(sub) {
      for (const tokens of [state.accessTokens, state.refreshTokens]) {
        for (const [token, grant] of tokens) if (grant.sub === sub) tokens.delete(token);
      }
    },
    liveRefreshTokens: () => [...state.refreshTokens.keys()],
    isLive: (token) => state.refreshTokens.has(token) || state.accessTokens.has(token),
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
  authorize: (state, _, url) => authorize(state, url.searchParams),
  token: answerToken,
  userinfo: userInfo,
  revoke: revokeToken,
} satisfies Record<
  ForgerOperation,
  (state: ForgerState, request: Request, url: URL) => Response | Promise<Response>
>;

function match(state: ForgerState, method: string, path: string): ForgerOperation | undefined {
  switch (`${method} ${path}`) {
    case `GET ${(state.options.issuerPath ?? "").replace(/\/$/, "")}${DISCOVERY_PATH}`:
      return "discovery";
    case "GET /jwks":
      return "jwks";
    case "GET /authorize":
      return "authorize";
    case "POST /token":
      return "token";
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

/** A key of RSA takes a while to make, and the first one may be the same for every forger of a process. */
let firstKey: SigningKey | undefined;

function createState(options: ForgerOptions, origin: string): ForgerState {
  firstKey ??= createKey("RS256");
  return {
    options,
    origin,
    issuer: `${origin}${options.issuerPath ?? ""}`,
    now: options.now ?? (() => new Date()),
    codes: new Map(),
    accessTokens: new Map(),
    refreshTokens: new Map(),
    identities: new Map([[ANNA.sub, ANNA]]),
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

function authorize(state: ForgerState, query: URLSearchParams): Response {
  const params = new Map(query);
  const redirectUri = params.get("redirect_uri");
  const isKnown = params.get("client_id") === state.options.clientId && params.size === query.size;
  if (!isKnown || !redirectUri || !state.options.redirectUris.includes(redirectUri)) {
    return new Response("Unknown client_id or redirect_uri, or a repeated parameter", { status: 400 });
  }

  const iss = { right: state.issuer, wrong: "https://attacker.example", absent: undefined }[
    state.overrides.iss ?? "right"
  ];
  const back = (answer: Readonly<Record<string, string>>) =>
    redirectBack(redirectUri, { ...answer, state: params.get("state"), iss });
  const error = refuse(state, params);
  if (error) return back(error);

  const code = randomToken();
  state.codes.set(code, {
    id: code,
    sub: nextSubject(state),
    scope: params.get("scope") ?? "",
    nonce: params.get("nonce"),
    redirectUri,
    codeChallenge: params.get("code_challenge"),
  });
  return back({ code });
}

function refuse(
  { overrides }: ForgerState,
  params: ReadonlyMap<string, string>,
): Readonly<Record<string, string>> | undefined {
  if (params.get("response_type") !== "code") return { error: "unsupported_response_type" };
  const scopes = params.get("scope")?.split(" ") ?? [];
  if (!scopes.includes("openid") || scopes.some((scope) => overrides.refusedScopes?.includes(scope)))
    return { error: "invalid_scope" };
  const isSha256 =
    params.get("code_challenge_method") === "S256" && params.get("code_challenge")?.length === 43;
  return isSha256 ? undefined : { error: "invalid_request", error_description: "PKCE S256 is required" };
}

function nextSubject(state: ForgerState): string {
  if (!state.options.freshSubjects) return state.identity.sub;
  state.subjectCount += 1;
  const sub = `subject-${state.subjectCount}`;
  state.identities.set(sub, { ...state.identity, sub, preferred_username: `member-${state.subjectCount}` });
  return sub;
}

function userInfo(state: ForgerState, request: Request): Response {
  const token = schemeToken(request.headers.get("authorization"), "Bearer");
  const grant = token === undefined ? undefined : state.accessTokens.get(token);
  const identity = grant && state.identities.get(grant.sub);
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
