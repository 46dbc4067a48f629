/** Refreshes at the provider, and claims that are read again: what each answer means, and that no odd one means "no". */
import { afterEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decodeJwt } from "jose";
import { readConfig } from "../../lib/config/load.ts";
import type { ErrorCode } from "../../lib/error_codes.ts";
import { createBudget } from "../../lib/oauth/budget.ts";
import type { Fetch } from "../../lib/oauth/upstream.ts";
import { createOidc } from "../../lib/oidc/client.ts";
import type { ClaimSource } from "../../lib/rules/rule_set.ts";
import { createLog } from "../../lib/telemetry/log.ts";
import { createClock } from "../harness/clock.ts";
import { CANARY, environmentFor, OIDC_CLIENT_ID } from "../harness/janus.ts";
import { rejection } from "../harness/rejection.ts";
import { useStillTime } from "../harness/still_time.ts";
import type { Behaviour } from "../standins/faults.ts";
import type { ForgerOptions, ForgerOverrides } from "../standins/forger.ts";
import { createKey, startForger } from "../standins/forger.ts";
import { signInAtProvider } from "../standins/member.ts";
import type { ProviderOptions } from "../standins/provider.ts";
import { startProvider } from "../standins/provider.ts";

const PUBLIC_URL = "http://127.0.0.1:9";
const REDIRECT_URI = `${PUBLIC_URL}/dsek-oauth-callback`;
const CLIENT = {
  clientId: OIDC_CLIENT_ID,
  clientSecret: CANARY.oidcClientSecret,
  redirectUris: [REDIRECT_URI],
};
const VERIFIER = "verifier-of-43-characters-or-more-0123456789";
const NONCE = "the-nonce";
const KEY = createKey("EdDSA");
const SUB = "sub-of-anna";
const NEEDED = ["preferred_username", "groups"];

const started: { readonly stop: () => Promise<void> }[] = [];
const time = useStillTime();
afterEach(async () => {
  await Promise.all(started.splice(0).map((standin) => standin.stop()));
});

/** The client, of a provider at this issuer. */
function createClient(
  issuer: string,
  options: {
    readonly fetch?: Fetch;
    readonly now?: () => Date;
    readonly sources?: readonly ClaimSource[];
    readonly environment?: Readonly<Record<string, string>>;
  } = {},
) {
  const nowhere = {
    apiUrl: "http://127.0.0.1:9",
    authorizeUrl: "http://127.0.0.1:9",
    cdnUrl: "http://127.0.0.1:9",
  };
  const lines: string[] = [];
  const now = options.now ?? (() => new Date());
  const bind = createOidc({
    config: readConfig({ ...environmentFor(PUBLIC_URL, nowhere, issuer), ...options.environment }).oidc,
    publicUrl: PUBLIC_URL,
    version: "0.0.0-test",
    rules: { neededClaims: NEEDED, sources: options.sources ?? [] },
    fetch: options.fetch ?? fetch,
    log: createLog("debug", (line) => void lines.push(line), now),
    now,
  });
  return { bind, oidc: bind({}), lines };
}

/** The client and a forger, at which Anna has a grant. */
function startWithForger(
  options: { readonly forger?: Partial<ForgerOptions>; readonly overrides?: ForgerOverrides } = {},
) {
  const clock = createClock();
  const forger = startForger({ ...CLIENT, key: KEY, now: clock.now, ...options.forger });
  started.push(forger);
  forger.override(options.overrides ?? {});
  const client = createClient(forger.issuer, { now: clock.now });
  return { ...client, forger, clock, given: forger.giveTokens(SUB) };
}

/** What a failed refresh is to its caller. */
async function failureOf(promise: Promise<unknown>) {
  const { code, isUntaken } = await rejection(promise);
  return { code, isUntaken };
}

const oauthError = (status: number, error: unknown): Behaviour => ({ status, body: { error } });

/** Each answer of a token endpoint, and what it means for the grant. */
const ANSWERS: readonly (readonly [
  what: string,
  behaviour: Behaviour,
  code: ErrorCode,
  isUntaken?: boolean,
])[] = [
  ["400 invalid_grant", oauthError(400, "invalid_grant"), "grant_ended"],
  ["401 invalid_grant", oauthError(401, "invalid_grant"), "grant_ended"],
  // As Auth0 says it.
  ["403 invalid_grant", oauthError(403, "invalid_grant"), "grant_ended"],
  ["400 invalid_request", oauthError(400, "invalid_request"), "refresh_refused"],
  ["401 invalid_request", oauthError(401, "invalid_request"), "provider_client_rejected"],
  ["401 invalid_client", oauthError(401, "invalid_client"), "provider_client_rejected"],
  ["400 invalid_client", oauthError(400, "invalid_client"), "provider_client_rejected"],
  ["400 unauthorized_client", oauthError(400, "unauthorized_client"), "provider_client_rejected"],
  ["400 unsupported_grant_type", oauthError(400, "unsupported_grant_type"), "provider_client_rejected"],
  ["400 invalid_scope", oauthError(400, "invalid_scope"), "provider_client_rejected"],
  ["401 access_denied", oauthError(401, "access_denied"), "provider_client_rejected"],
  ["403 access_denied", oauthError(403, "access_denied"), "provider_unavailable", true],
  ["400 not_allowed", oauthError(400, "not_allowed"), "provider_unavailable", true],
  ["400 interaction_required", oauthError(400, "interaction_required"), "provider_unavailable", true],
  ["400 consent_required", oauthError(400, "consent_required"), "provider_unavailable", true],
  ["400 temporarily_unavailable", oauthError(400, "temporarily_unavailable"), "provider_unavailable", true],
  ["400 server_error", oauthError(400, "server_error"), "provider_unavailable"],
  ["403 Forbidden", oauthError(403, "Forbidden"), "provider_unavailable", true],
  ["200 invalid_grant", oauthError(200, "invalid_grant"), "provider_unavailable"],
  ["202 invalid_grant", oauthError(202, "invalid_grant"), "provider_unavailable"],
  ["408 invalid_grant", oauthError(408, "invalid_grant"), "provider_unavailable"],
  ["500 invalid_grant", oauthError(500, "invalid_grant"), "provider_unavailable"],
  ["503 invalid_grant", oauthError(503, "invalid_grant"), "provider_unavailable"],
  ["429 invalid_grant", oauthError(429, "invalid_grant"), "provider_unavailable", true],
  ["400 Invalid_Grant", oauthError(400, "Invalid_Grant"), "provider_unavailable", true],
  ["400 with a blank", oauthError(400, "invalid_grant "), "provider_unavailable", true],
  ["400 with a list", oauthError(400, ["invalid_grant"]), "provider_unavailable", true],
  ["400 with an object", oauthError(400, { code: "invalid_grant" }), "provider_unavailable", true],
  ["400 with a sentence", oauthError(400, "invalid_grant: no session"), "provider_unavailable", true],
  ["400 without an error", { status: 400, body: {} }, "provider_unavailable", true],
  ["400 in HTML", { status: 400, body: "<h1>invalid_grant</h1>" }, "provider_unavailable", true],
  ["404 in HTML", { status: 404, body: "<h1>Not found</h1>" }, "provider_unavailable", true],
  ["400 cut short", { status: 400, body: '{"error":"invalid_grant"' }, "provider_unavailable", true],
  ["200 in HTML", { status: 200, body: "<h1>Please sign in</h1>" }, "provider_unavailable"],
  ["200 without tokens", { status: 200, body: {} }, "provider_unavailable"],
  ["503 in HTML", { status: 503, body: "<h1>Down</h1>" }, "provider_unavailable"],
  ["503 temporarily_unavailable", oauthError(503, "temporarily_unavailable"), "provider_unavailable", true],
  ["503 server_error", oauthError(503, "server_error"), "provider_unavailable"],
  [
    "503 that names a time",
    { status: 503, headers: { "retry-after": "60" }, body: "<h1>Maintenance</h1>" },
    "provider_unavailable",
    true,
  ],
  [
    "500 that names a time",
    { status: 500, headers: { "retry-after": "60" }, body: "" },
    "provider_unavailable",
  ],
  ["502 in HTML", { status: 502, body: "<h1>Bad gateway</h1>" }, "provider_unavailable"],
  ["504 in HTML", { status: 504, body: "<h1>Late</h1>" }, "provider_unavailable"],
  ["a redirect", "redirect", "provider_unavailable", true],
  ["a hang", "hang", "provider_unavailable"],
  ["a trickle", "trickle", "provider_unavailable"],
  ["a body without end", "huge", "provider_unavailable"],
  ["a connection that is closed", "drop", "provider_unavailable"],
  ["an answer that is lost", "lost", "provider_unavailable"],
  ["an answer that never comes", "silent", "provider_unavailable"],
];

describe("refreshTokens()", () => {
  test("spends the token once, and returns what comes", async () => {
    const { forger, oidc, clock, given, lines } = startWithForger();

    const tokens = await oidc.refreshTokens(given.refreshToken);

    expect(forger.isLive(given.refreshToken)).toBe(false);
    expect(forger.isLive(tokens.accessToken)).toBe(true);
    expect(forger.liveRefreshTokens(SUB)).toEqual([tokens.refreshToken ?? ""]);
    expect(decodeJwt(tokens.idToken ?? "").sub).toBe(SUB);
    expect(tokens.scope).toBe("openid profile offline_access");
    const seconds = ((tokens.expiresAt?.getTime() ?? 0) - clock.now().getTime()) / 1_000;
    expect(Math.round(seconds / 60)).toBe(60);
    expect(forger.calls).toEqual(["discovery", "token_refresh"]);
    const secrets = [given.refreshToken, tokens.accessToken, tokens.refreshToken ?? "", tokens.idToken ?? ""];
    for (const secret of secrets) expect(lines.join("\n")).not.toContain(secret);
  });

  test.each(ANSWERS)("takes %s for what it is", async (_, behaviour, code, isUntaken = false) => {
    const { forger, oidc, given } = startWithForger();
    await oidc.prepare();
    forger.failNext("token_refresh", behaviour);

    expect(await failureOf(oidc.refreshTokens(given.refreshToken))).toEqual({ code, isUntaken });

    expect(forger.sentRefreshTokens).toHaveLength(1);
    expect(forger.unexpected).toEqual([]);
  });

  test.each([
    ["no refresh token", { refresh_token: undefined }, { refreshToken: undefined }],
    ["an empty refresh token", { refresh_token: "" }, { refreshToken: undefined }],
    ["null for a refresh token", { refresh_token: null }, { refreshToken: undefined }],
    ["no ID Token", { id_token: undefined }, { idToken: undefined }],
    ["an empty ID Token", { id_token: "" }, { idToken: undefined }],
    ["no lifetime", { expires_in: undefined }, { expiresAt: undefined }],
    ["no scope", { scope: undefined }, { scope: undefined }],
    ["the same refresh token", { refresh_token: "the-same" }, { refreshToken: "the-same" }],
  ])("takes %s as it is meant", async (_, change, expected) => {
    const { oidc, given } = startWithForger({
      overrides: { tokenAnswer: (answer) => ({ ...answer, ...change }) },
    });

    expect(await oidc.refreshTokens(given.refreshToken)).toMatchObject(expected);
  });

  test("lets the old token be kept where the provider gives no new one", async () => {
    const { forger, oidc, given } = startWithForger({ overrides: { rotatesRefreshTokens: false } });

    const tokens = [
      await oidc.refreshTokens(given.refreshToken),
      await oidc.refreshTokens(given.refreshToken),
    ];

    expect(tokens.map(({ refreshToken }) => refreshToken)).toEqual([undefined, undefined]);
    expect(forger.sentRefreshTokens.map(({ outcome }) => outcome)).toEqual(["kept", "kept"]);
  });

  test("tells a dead token from one that the provider has forgotten", async () => {
    const { oidc, given } = startWithForger({ overrides: { forgetsDeadTokens: true } });
    await oidc.refreshTokens(given.refreshToken);

    const codes = [
      (await rejection(oidc.refreshTokens(given.refreshToken))).code,
      (await rejection(oidc.refreshTokens(given.refreshToken))).code,
    ];

    expect(codes).toEqual(["grant_ended", "refresh_refused"]);
  });

  test("says that nothing was sent where no connection was made", async () => {
    const { forger, oidc, given } = startWithForger();
    await oidc.prepare();
    await forger.stop();

    expect(await failureOf(oidc.refreshTokens(given.refreshToken))).toEqual({
      code: "provider_unavailable",
      isUntaken: true,
    });
  });

  test.each([
    ["is down", { status: 503 }, "provider_unavailable"],
    ["hangs", "hang", "provider_unavailable"],
    ["does not exist", { status: 404 }, "provider_misconfigured"],
  ] as const)("sends nothing if discovery %s", async (_, behaviour, code) => {
    const { forger, oidc, given } = startWithForger();
    forger.failNext("discovery", behaviour);

    expect(await failureOf(oidc.refreshTokens(given.refreshToken))).toEqual({ code, isUntaken: true });
    expect(forger.sentRefreshTokens).toEqual([]);
  });

  test("waits half a minute where nobody waits, and five seconds in a request", async () => {
    const { forger, bind, given } = startWithForger();
    await bind({}).prepare();
    forger.failNext("token_refresh", "hang", 2);

    const { code } = await rejection(bind({}).refreshTokens(given.refreshToken));
    const alone = time.passedMs();
    const hurried = await rejection(bind({ budget: createBudget(9_000) }).refreshTokens(given.refreshToken));

    expect([code, hurried.code]).toEqual(["provider_unavailable", "provider_unavailable"]);
    expect([alone, time.passedMs() - alone]).toEqual([30_000, 5_000]);
  });

  test("sends nothing in a request that has too little time left", async () => {
    const { forger, bind, given } = startWithForger();
    await bind({}).prepare();
    const budget = createBudget(9_000);
    time.pass(4_001);

    expect(await failureOf(bind({ budget }).refreshTokens(given.refreshToken))).toEqual({
      code: "provider_unavailable",
      isUntaken: true,
    });
    expect(forger.sentRefreshTokens).toEqual([]);
  });

  test("takes nothing but a definite invalid_grant for the end of a grant", async () => {
    const forger = startForger({ ...CLIENT, key: KEY });
    started.push(forger);
    let answer = (): Response => new Response();
    const { oidc } = createClient(forger.issuer, {
      fetch: async (url, init) => (url.endsWith("/token") ? answer() : forger.fetch(url, init)),
    });
    await oidc.prepare();
    const words = fc.constantFrom(
      "invalid_grant",
      "Invalid_grant",
      "invalid_grants",
      " invalid_grant",
      "invalid_request",
      "invalid_client",
      "access_denied",
      "server_error",
      "expired_token",
      "gone",
    );
    const json = fc.oneof(
      { weight: 4, arbitrary: fc.record({ error: words, error_description: fc.string() }) },
      { weight: 1, arbitrary: fc.record({ error: fc.oneof(fc.jsonValue(), fc.array(words)) }) },
      { weight: 1, arbitrary: fc.record({ errors: fc.array(fc.record({ error: words })) }) },
      { weight: 1, arbitrary: fc.array(fc.record({ error: words })) },
      { weight: 1, arbitrary: fc.jsonValue() },
    );
    const text = fc.oneof(
      { weight: 4, arbitrary: json.map((value) => JSON.stringify(value)) },
      { weight: 1, arbitrary: json.map((value) => `${JSON.stringify(value)}.`) },
      { weight: 1, arbitrary: json.map((value) => `<pre>${JSON.stringify(value)}</pre>`) },
      { weight: 1, arbitrary: fc.string() },
    );
    const status = fc.oneof(
      fc.constantFrom(200, 302, 400, 401, 403, 404, 408, 410, 421, 425, 429, 500, 502, 503),
      fc.integer({ min: 206, max: 599 }).filter((number) => number !== 304),
    );
    const type = fc.constantFrom("application/json", "text/html", "text/plain");
    const seen = new Set<boolean>();

    await fc.assert(
      fc.asyncProperty(status, text, type, async (status, body, contentType) => {
        answer = () => new Response(body, { status, headers: { "content-type": contentType } });

        const { code } = await rejection(oidc.refreshTokens("the-refresh-token"));

        const isDefinite =
          status >= 400 &&
          status < 500 &&
          ![407, 408, 421, 425, 429].includes(status) &&
          errorIn(body) === "invalid_grant";
        seen.add(isDefinite);
        expect(code === "grant_ended").toBe(isDefinite);
      }),
      {
        numRuns: 500,
        examples: [
          [400, '{"error":"invalid_grant"}', "application/json"],
          [503, '{"error":"invalid_grant"}', "application/json"],
        ],
      },
    );
    expect(seen.size).toBe(2);
  });
});

/** The `error` of a JSON object. */
function errorIn(body: string): unknown {
  try {
    const json: unknown = JSON.parse(body);
    return typeof json === "object" && json !== null && !Array.isArray(json) && "error" in json
      ? json.error
      : undefined;
  } catch {
    return undefined;
  }
}

/** A change to the ID Token of a refresh. */
type Change = Readonly<Record<string, unknown>>;
const idTokenWith = (change: Change): ForgerOverrides => ({
  idToken: (claims, sign) => sign({ ...claims, ...change }),
});
const secondsAgo = (seconds: number): number => Math.floor(Date.now() / 1_000) - seconds;

/** RFC 6750 3.1 */
const INVALID_TOKEN: Behaviour = {
  status: 401,
  headers: { "www-authenticate": 'Bearer error="invalid_token"' },
  body: {},
};

describe("readClaims()", () => {
  /** Refreshes, then reads with what came. */
  async function refreshAndRead({ oidc, given }: ReturnType<typeof startWithForger>, subject = SUB) {
    return await oidc.readClaims(await oidc.refreshTokens(given.refreshToken), subject);
  }

  test("takes the claims of the ID Token, and asks no further if it has them all", async () => {
    const both = startWithForger();
    both.forger.setIdentity({ sub: SUB, preferred_username: "anna", groups: [] });

    const read = await refreshAndRead(both);

    expect(read).toMatchObject({ claims: { sub: SUB, groups: [] }, sources: {}, isWhole: true });
    expect(both.forger.calls).toEqual(["discovery", "token_refresh", "jwks"]);
  });

  test("asks UserInfo for what the ID Token lacks, and lets the ID Token win", async () => {
    const both = startWithForger({
      overrides: {
        ...idTokenWith({ groups: undefined, preferred_username: "of-the-token" }),
        userInfo: (claims) => ({ ...claims, preferred_username: "of-userinfo", groups: ["board"] }),
      },
    });

    const read = await refreshAndRead(both);

    expect(read).toMatchObject({
      claims: { preferred_username: "of-the-token", groups: ["board"] },
      isWhole: true,
    });
  });

  test("is whole, though nobody has a claim, if an ID Token came", async () => {
    const both = startWithForger({
      overrides: {
        ...idTokenWith({ groups: null }),
        userInfo: ({ sub, preferred_username }) => ({ sub, preferred_username }),
      },
    });

    const read = await refreshAndRead(both);

    expect(read.isWhole).toBe(true);
    expect(read.claims).not.toHaveProperty("groups");
  });

  test("asks UserInfo where a refresh brings no ID Token, and is not whole then", async () => {
    const both = startWithForger({ overrides: { refreshBringsIdToken: false } });

    const read = await refreshAndRead(both);

    expect(read).toMatchObject({ claims: { sub: SUB, groups: ["members"] }, isWhole: false });
    expect(both.forger.calls).toEqual(["discovery", "token_refresh", "userinfo"]);
  });

  test("reads with an access token that still lives", async () => {
    const { forger, oidc, given } = startWithForger();

    const read = await oidc.readClaims({ accessToken: given.accessToken }, SUB);

    expect(read).toMatchObject({ claims: { groups: ["members"] }, isWhole: false });
    expect(forger.sentRefreshTokens).toEqual([]);
  });

  test("says that there are no claims again without an ID Token and UserInfo", async () => {
    const discovery = (right: Change) => ({ ...right, userinfo_endpoint: undefined });
    const both = startWithForger({ overrides: { discovery, refreshBringsIdToken: false } });

    const error = await rejection(refreshAndRead(both));

    expect(error.code).toBe("provider_misconfigured");
    expect(error.message).toContain("gives no claims again");
  });

  test("needs no UserInfo where an ID Token comes", async () => {
    const discovery = (right: Change) => ({ ...right, userinfo_endpoint: undefined });
    const both = startWithForger({ overrides: { discovery, ...idTokenWith({ groups: undefined }) } });

    expect(await refreshAndRead(both)).toMatchObject({
      claims: { preferred_username: "anna" },
      isWhole: true,
    });
  });

  test("asks the sources with the access token, and leaves out one that fails", async () => {
    const both = startWithForger();
    const asked: (string | null)[] = [];
    const { oidc } = createClient(both.forger.issuer, {
      now: both.clock.now,
      sources: [
        { name: "right", url: "http://127.0.0.1:9/right" },
        { name: "wrong", url: "http://127.0.0.1:9/wrong" },
      ],
      fetch: async (url, init) => {
        if (!url.startsWith("http://127.0.0.1:9/")) return await fetch(url, init);
        asked.push(new Headers(init.headers).get("authorization"));
        return url.endsWith("right") ? Response.json({ value: [] }) : new Response(null, { status: 401 });
      },
    });
    const tokens = await oidc.refreshTokens(both.given.refreshToken);

    const read = await oidc.readClaims(tokens, SUB);

    expect(read.sources).toEqual({ right: { value: [] } });
    expect(asked).toEqual([`Bearer ${tokens.accessToken}`, `Bearer ${tokens.accessToken}`]);
  });

  test.each([
    ["no nonce", {}],
    ["a nonce", { nonce: "of-the-sign-in" }],
    ["a nonce that is no text", { nonce: 1 }],
    ["no at_hash", { at_hash: undefined }],
    ["another auth_time", { auth_time: 1 }],
  ])("takes an ID Token with %s", async (_, change) => {
    const both = startWithForger({ overrides: idTokenWith(change) });

    expect(await refreshAndRead(both)).toMatchObject({ isWhole: true });
  });

  test.each([
    ["another sub", { sub: "sub-of-bo" }],
    ["no sub", { sub: undefined }],
    ["another issuer", { iss: "https://attacker.example" }],
    ["another audience", { aud: "another-client" }],
    ["an old iat", { iat: secondsAgo(3_600) }],
    ["an exp that has passed", { exp: secondsAgo(3_600) }],
    ["another at_hash", { at_hash: "AAAAAAAAAAAAAAAAAAAAAA" }],
    ["events", { events: {} }],
  ])("refuses an ID Token with %s", async (_, change) => {
    const both = startWithForger({ overrides: idTokenWith(change) });

    expect((await rejection(refreshAndRead(both))).code).toBe("id_token_refused");
    expect(both.forger.calls).not.toContain("userinfo");
  });

  test("refuses an ID Token that is not signed, or with another key", async () => {
    const both = startWithForger();
    both.forger.override({ idToken: (claims, sign) => sign(claims, { alg: "none" }) });
    const first = await both.oidc.refreshTokens(both.given.refreshToken);
    both.forger.override({ idToken: (claims, sign) => sign(claims, {}, createKey("EdDSA")) });
    const second = await both.oidc.refreshTokens(first.refreshToken ?? "");

    const codes = [
      (await rejection(both.oidc.readClaims(first, SUB))).code,
      (await rejection(both.oidc.readClaims(second, SUB))).code,
    ];

    expect(codes).toEqual(["id_token_unsupported", "id_token_refused"]);
  });

  test("refuses claims of another subject than the link's", async () => {
    const { oidc, given, forger } = startWithForger();
    const tokens = await oidc.refreshTokens(given.refreshToken);

    const ofToken = await rejection(oidc.readClaims(tokens, "sub-of-bo"));
    const ofUserInfo = await rejection(
      oidc.readClaims({ accessToken: forger.giveTokens(SUB).accessToken }, "sub-of-bo"),
    );

    expect([ofToken.code, ofUserInfo.code]).toEqual(["id_token_refused", "userinfo_refused"]);
  });

  test.each([
    ["401", { status: 401 }, "access_token_refused"],
    ["401 invalid_token", INVALID_TOKEN, "access_token_refused"],
    ["403", { status: 403, body: { error: "insufficient_scope" } }, "access_token_refused"],
    ["404", { status: 404 }, "provider_misconfigured"],
    ["a redirect", "redirect", "provider_misconfigured"],
    ["no sub", { status: 200, body: { groups: [] } }, "provider_misconfigured"],
    ["another sub", { status: 200, body: { sub: "sub-of-bo" } }, "userinfo_refused"],
    ["HTML", { status: 200, body: "<h1>Please sign in</h1>" }, "provider_unavailable"],
    ["429", { status: 429 }, "provider_unavailable"],
    ["500", { status: 500 }, "provider_unavailable"],
    ["a hang", "hang", "provider_unavailable"],
    ["a closed connection", "drop", "provider_unavailable"],
  ] satisfies readonly (readonly [string, Behaviour, ErrorCode])[])(
    "takes %s of UserInfo for what it is",
    async (_, behaviour, code) => {
      const { oidc, given, forger } = startWithForger();
      await oidc.prepare();
      forger.failNext("userinfo", behaviour, 2);

      expect((await rejection(oidc.readClaims({ accessToken: given.accessToken }, SUB))).code).toBe(code);
    },
  );

  test("has access_token_refused once the access token has run out", async () => {
    const { oidc, given, clock } = startWithForger({ forger: { accessTokenSeconds: 60 } });
    clock.advance(61);

    expect((await rejection(oidc.readClaims({ accessToken: given.accessToken }, SUB))).code).toBe(
      "access_token_refused",
    );
  });
});

describe("with oidc-provider", () => {
  /** The client and the certified provider, at which Anna has signed in. */
  async function startWithProvider(options: Partial<ProviderOptions> = {}) {
    const provider = await startProvider({ ...CLIENT, ...options });
    started.push(provider);
    const { oidc } = createClient(provider.issuer, {
      environment: { OIDC_SCOPES: "openid profile offline_access" },
    });
    const url = await oidc.authorizationUrl("the-state", NONCE, VERIFIER);
    const callback = new URL(await signInAtProvider(url, "anna"));
    const signIn = await oidc.exchangeCode(callback.searchParams.get("code") ?? "", VERIFIER, NONCE);
    return { provider, oidc, signIn, first: signIn.refreshToken ?? "" };
  }

  test("a refresh rotates the token and brings new tokens, time and again", async () => {
    const { provider, oidc, first } = await startWithProvider();

    const second = await oidc.refreshTokens(first);
    const third = await oidc.refreshTokens(second.refreshToken ?? "");

    expect(new Set([first, second.refreshToken, third.refreshToken]).size).toBe(3);
    expect(provider.liveRefreshTokens("anna")).toEqual([third.refreshToken ?? ""]);
    for (const token of [second.accessToken, third.accessToken]) expect(provider.isLive(token)).toBe(true);
    expect(third.expiresAt?.getTime()).toBeGreaterThan(Date.now());
  });

  test("the second use of a refresh token ends the grant", async () => {
    const { provider, oidc, first } = await startWithProvider();
    const second = await oidc.refreshTokens(first);

    const reused = await rejection(oidc.refreshTokens(first));
    const after = await rejection(oidc.refreshTokens(second.refreshToken ?? ""));

    expect([reused.code, after.code]).toEqual(["grant_ended", "grant_ended"]);
    expect(provider.refreshTokens("anna")).toBe(0);
  });

  test("a refresh token that is not rotated comes again", async () => {
    const { oidc, first } = await startWithProvider({ rotateRefreshTokens: false });

    expect((await oidc.refreshTokens(first)).refreshToken).toBe(first);
    expect((await oidc.refreshTokens(first)).refreshToken).toBe(first);
  });

  test.each([
    ["has run out", "expireRefreshTokens"],
    ["is of a grant that was ended", "endGrant"],
    ["is of an account that is gone", "removeUser"],
  ] as const)("a refresh token ends the grant if it %s", async (_, end) => {
    const { provider, oidc, first } = await startWithProvider();

    provider[end]("anna");

    expect((await rejection(oidc.refreshTokens(first))).code).toBe("grant_ended");
  });

  test("a wrong client secret ends no grant", async () => {
    const { provider, oidc, first } = await startWithProvider();
    const wrong = createClient(provider.issuer, { environment: { OIDC_CLIENT_SECRET: "wrong-secret" } });

    expect((await rejection(wrong.oidc.refreshTokens(first))).code).toBe("provider_client_rejected");
    expect((await oidc.refreshTokens(first)).refreshToken).toBeString();
  });

  test.each(["userinfo", "id_token"] as const)(
    "new groups in the %s are read after a refresh",
    async (groupsIn) => {
      const { provider, oidc, signIn, first } = await startWithProvider({ groupsIn });
      provider.setUser("anna", { groups: ["alumni"] });
      const before = provider.calls.filter((call) => call === "userinfo").length;

      const read = await oidc.readClaims(await oidc.refreshTokens(first), signIn.subject);

      expect(signIn.claims.groups).toEqual(["members", "board"]);
      expect(read).toMatchObject({ claims: { groups: ["alumni"] }, isWhole: true });
      const asked = provider.calls.filter((call) => call === "userinfo").length - before;
      expect(asked).toBe(groupsIn === "userinfo" ? 1 : 0);
    },
  );

  test("an access token that lives is enough for UserInfo, and refused once it has run out", async () => {
    const { provider, oidc, signIn } = await startWithProvider();
    const tokens = { accessToken: signIn.accessToken };

    const read = await oidc.readClaims(tokens, signIn.subject);
    provider.expireAccessTokens("anna");
    const refused = await rejection(oidc.readClaims(tokens, signIn.subject));

    expect(read).toMatchObject({ claims: { groups: ["members", "board"] }, isWhole: false });
    expect(refused.code).toBe("access_token_refused");
  });

  test("a refresh without openid brings no ID Token, and no claims", async () => {
    const { provider, oidc, signIn, first } = await startWithProvider();
    const { oidc: narrowed } = createClient(provider.issuer, {
      fetch: (url, init) => {
        if (init.body instanceof URLSearchParams) init.body.set("scope", "profile offline_access");
        return fetch(url, init);
      },
    });

    const tokens = await narrowed.refreshTokens(first);

    expect(tokens.idToken).toBeUndefined();
    expect((await rejection(oidc.readClaims(tokens, signIn.subject))).code).toBe("access_token_refused");
  });
});
