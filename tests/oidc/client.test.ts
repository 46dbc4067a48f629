/** The provider's side but for the ID Token itself: discovery, the requests that Janus makes, and every answer to them. */
import { afterEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { readConfig } from "../../lib/config/load.ts";
import type { ErrorCode } from "../../lib/error_codes.ts";
import { createOidc } from "../../lib/oidc/client.ts";
import type { ClaimSource } from "../../lib/rules/rule_set.ts";
import { createLog } from "../../lib/telemetry/log.ts";
import { GROUP_RULES, writeRules } from "../fixtures/rules_file.ts";
import { createClock } from "../harness/clock.ts";
import { WITHOUT_STRAYS } from "../harness/database.ts";
import { useDatabase, useFolder, useJanus } from "../harness/hooks.ts";
import {
  CANARY,
  createBrowser,
  environmentFor,
  locationOf,
  OIDC_CLIENT_ID,
  startJanusWithForger,
} from "../harness/janus.ts";
import { rejection } from "../harness/rejection.ts";
import { useStillTime } from "../harness/still_time.ts";
import { newUser, reachDiscordCallback, reachForgerCallback } from "../harness/walk.ts";
import type { Behaviour } from "../standins/faults.ts";
import type { ForgerOptions, ForgerOverrides, Sign } from "../standins/forger.ts";
import { createKey, encryptToken, startForger } from "../standins/forger.ts";

type Claims = Readonly<Record<string, unknown>>;

const PUBLIC_URL = "http://127.0.0.1:9";
const REDIRECT_URI = `${PUBLIC_URL}/dsek-oauth-callback`;
const VERIFIER = "verifier-of-43-characters-or-more-0123456789";
const NONCE = "the-nonce";
const KEY = createKey("ES256");
const DISCOVERY_PATH = "/.well-known/openid-configuration";

/** What a call may take. */
const DEADLINE_MS = 10_000;
const hangs = (behaviour: Behaviour) => behaviour === "hang" || behaviour === "trickle";

const started: { readonly stop: () => Promise<void> }[] = [];
const folder = useFolder("oidc");
const database = useDatabase();
const time = useStillTime();
afterEach(async () => {
  await Promise.all(started.splice(0).map((standin) => standin.stop()));
});

/** The client alone with a forger, and every request that it sends. */
function startOidc(
  options: {
    readonly forger?: Partial<ForgerOptions>;
    readonly environment?: Readonly<Record<string, string>>;
    /** The configured issuer, made of the forger's. */
    readonly issuer?: (issuer: string) => string;
    readonly overrides?: ForgerOverrides;
    readonly sources?: readonly ClaimSource[];
  } = {},
) {
  const clock = createClock();
  const forger = startForger({
    clientId: OIDC_CLIENT_ID,
    clientSecret: CANARY.oidcClientSecret,
    redirectUris: [REDIRECT_URI],
    now: clock.now,
    key: KEY,
    ...options.forger,
  });
  started.push(forger);
  forger.override(options.overrides ?? {});
  const issuer = options.issuer?.(forger.issuer) ?? forger.issuer;
  const discord = {
    apiUrl: "http://127.0.0.1:9",
    authorizeUrl: "http://127.0.0.1:9",
    cdnUrl: "http://127.0.0.1:9",
  };
  const config = readConfig({ ...environmentFor(PUBLIC_URL, discord, issuer), ...options.environment });
  const sent: { readonly url: string; readonly headers: Headers; readonly body: string }[] = [];
  const lines: string[] = [];
  const bindOidc = createOidc({
    config: config.oidc,
    publicUrl: PUBLIC_URL,
    version: "0.0.0-test",
    rules: { neededClaims: ["preferred_username", "groups"], sources: options.sources ?? [] },
    fetch: (url, init) => {
      sent.push({ url, headers: new Headers(init.headers), body: String(init.body ?? "") });
      return fetch(url, init);
    },
    log: createLog("debug", (line) => void lines.push(line), clock.now),
    now: clock.now,
  });
  const oidc = bindOidc({});
  /** The lines of the log with this event. */
  const linesOf = (event: string): readonly Readonly<Record<string, string>>[] =>
    lines.map((line) => JSON.parse(line)).filter((line) => line.event === event);
  /** Signs in at the forger, which asks nobody; the code. */
  const signIn = async () => {
    const url = await oidc.authorizationUrl("the-state", NONCE, VERIFIER);
    const callback = new URL((await fetch(url, { redirect: "manual" })).headers.get("location") ?? "");
    return callback.searchParams.get("code") ?? "";
  };
  return { forger, oidc, clock, sent, linesOf, signIn };
}

/** Lets the program have its turns until it is so. */
async function turnsUntil(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await setImmediate();
}

/** Answers that are neither yes nor no. */
const NO_ANSWERS: readonly (readonly [what: string, behaviour: Behaviour])[] = [
  ["500", { status: 500, body: {} }],
  ["503 in HTML", { status: 503, body: "<h1>Down for maintenance</h1>" }],
  ["429", { status: 429, headers: { "retry-after": "7" }, body: {} }],
  ["HTML", { status: 200, body: "<h1>Please log in</h1>" }],
  ["nothing", { status: 200 }],
  ["JSON cut short", { status: 200, body: '{"issuer": "https://' }],
  ["a redirect", "redirect"],
  ["a hang", "hang"],
  ["a trickle", "trickle"],
  ["a body without end", "huge"],
];

describe("createDiscovery()", () => {
  test.each(NO_ANSWERS)("takes %s for unavailable and asks again", async (_, behaviour) => {
    const { forger, oidc } = startOidc();
    forger.failNext("discovery", behaviour);

    const error = await rejection(oidc.prepare());

    expect([error.code, error.status]).toEqual(["provider_unavailable", 503]);
    expect(time.passedMs()).toBe(hangs(behaviour) ? DEADLINE_MS : 0);
    expect(error.retryAfterSeconds).toBeGreaterThan(0);
    expect(oidc.isReady()).toBe(false);
    expect(forger.unexpected).toEqual([]);
    await oidc.prepare();
    expect(oidc.isReady()).toBe(true);
  });

  test("takes a broken connection for provider_unavailable", async () => {
    const { forger, oidc } = startOidc();
    forger.failNext("discovery", "drop", 2);

    const dropped = await rejection(oidc.prepare());
    await forger.stop();
    const closed = await rejection(oidc.prepare());

    expect([dropped.code, closed.code]).toEqual(["provider_unavailable", "provider_unavailable"]);
  });

  test.each([408, 425])("takes %d for provider_unavailable", async (status) => {
    const { forger, oidc } = startOidc();
    forger.failNext("discovery", { status, body: {} });

    expect((await rejection(oidc.prepare())).code).toBe("provider_unavailable");
  });

  test.each([400, 401, 403, 404, 410])("takes %d for a wrong OIDC_ISSUER", async (status) => {
    const { forger, oidc } = startOidc();
    forger.failNext("discovery", { status, body: "<h1>Not here</h1>" });

    const error = await rejection(oidc.prepare());

    expect([error.code, error.status]).toEqual(["provider_misconfigured", 502]);
    expect(error.message).toContain("OIDC_ISSUER");
  });

  test.each([
    ["another", () => "https://idp.example"],
    ["with a slash more", (issuer: string) => `${issuer}/`],
    ["in capitals", (issuer: string) => issuer.toUpperCase()],
    ["with a space", (issuer: string) => `${issuer} `],
    ["https instead of http", (issuer: string) => issuer.replace("http:", "https:")],
    ["with a path", (issuer: string) => `${issuer}/tenant`],
    ["empty", () => ""],
    ["missing", () => undefined],
    ["null", () => null],
    ["a number", () => 1],
    ["an array", (issuer: string) => [issuer]],
  ])("refuses a document whose issuer is %s", async (_, change) => {
    const { oidc } = startOidc({
      overrides: { discovery: (right) => ({ ...right, issuer: change(String(right.issuer)) }) },
    });

    expect((await rejection(oidc.prepare())).code).toBe("provider_misconfigured");
    expect(oidc.isReady()).toBe(false);
  });

  test.each([
    ["a slash that the issuer lacks", "/tenant", (issuer: string) => `${issuer}/`],
    ["no slash where the issuer has one", "/tenant/", (issuer: string) => issuer.replace(/\/$/, "")],
  ])("refuses an OIDC_ISSUER with %s", async (_, issuerPath, issuer) => {
    const { forger, oidc } = startOidc({ forger: { issuerPath }, issuer });

    const error = await rejection(oidc.prepare());

    expect(error.code).toBe("provider_misconfigured");
    expect(error.message).toBe(
      `discovery: "issuer" is "${forger.issuer}" and OIDC_ISSUER is "${issuer(forger.issuer)}": they must be the same, character by character`,
    );
    expect(forger.calls).toEqual(["discovery"]);
  });

  test.each([
    ["a trailing space", "https://id.example ", '"https://id.example "'],
    ["a template", "https://id.example/{tenantid}/v2.0", '"https://id.example/{tenantid}/v2.0"'],
    ["a hidden character", "https://id.example/\u200b", '"https://id.example/\\u{200b}"'],
    ["a line break", "https://id.example/\nx", '"https://id.example/\\u{a}x"'],
    ["credentials", "https://canary:canary@id.example", "not a plain URL"],
    ["a query", "https://id.example/?key=canary", "not a plain URL"],
    ["a fragment", "https://id.example/#canary", "not a plain URL"],
    ["no URL", "canary", "not a plain URL"],
    ["a long path", `https://id.example/${"x".repeat(5_000)}`, `"https://id.example/${"x".repeat(281)}…"`],
  ])("shows an issuer with %s as far as it is one", async (_, issuer, shown) => {
    const { oidc } = startOidc({ overrides: { discovery: (right) => ({ ...right, issuer }) } });

    const { message } = await rejection(oidc.prepare());

    expect(message).toStartWith(`discovery: "issuer" is ${shown} and OIDC_ISSUER is "http://127.0.0.1:`);
  });

  test.each(["", "/", "/realms/one", "/application/o/janus/"])(
    "finds the document of an issuer at %p",
    async (issuerPath) => {
      const { forger, oidc, sent, signIn } = startOidc({ forger: { issuerPath } });

      const found = await oidc.exchangeCode(await signIn(), VERIFIER, NONCE);

      expect(found.issuer).toBe(`${forger.url}${issuerPath}`);
      expect(sent[0]?.url).toBe(`${forger.url}${issuerPath.replace(/\/$/, "")}${DISCOVERY_PATH}`);
    },
  );

  const ENDPOINTS = ["authorization_endpoint", "token_endpoint", "jwks_uri"] as const;
  const BAD_ADDRESSES = [
    "http://idp.example/x",
    "http://127.0.0.1.idp.example/x",
    "http://127.0.0.2/x",
    "http://0.0.0.0/x",
    "http://localhost.example/x",
    "ftp://127.0.0.1/x",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "//127.0.0.1/x",
    "/x",
    "",
    "https://user:secret@idp.example/x",
    `https://idp.example/${"x".repeat(2_048)}`,
    null,
    1,
    ["https://idp.example/x"],
  ];
  test.each(ENDPOINTS)("refuses a %s that is not an https URL", async (endpoint) => {
    let address: unknown;
    const { oidc } = startOidc({ overrides: { discovery: (right) => ({ ...right, [endpoint]: address }) } });
    for (address of BAD_ADDRESSES) {
      const error = await rejection(oidc.prepare());

      expect([address, error.code]).toEqual([address, "provider_misconfigured"]);
      expect(error.message).toContain(endpoint);
    }
  });

  test.each(["userinfo_endpoint", "revocation_endpoint"])(
    "warns once of a %s that is not an https URL",
    async (endpoint) => {
      for (const address of BAD_ADDRESSES) {
        const { oidc, forger, linesOf, signIn } = startOidc({
          overrides: {
            discovery: (right) => ({ ...right, [endpoint]: address }),
            idToken: (claims, sign) => sign({ ...claims, groups: undefined }),
          },
        });

        const signedIn = await oidc.exchangeCode(await signIn(), VERIFIER, NONCE);
        const ended = await oidc.revokeToken("access_token", "a");

        expect(signedIn.subject).toBe("sub-of-anna");
        const [notAsked, asked] =
          endpoint === "revocation_endpoint"
            ? (["revoke", "userinfo"] as const)
            : (["userinfo", "revoke"] as const);
        expect(forger.calls).not.toContain(notAsked);
        expect(forger.calls).toContain(asked);
        expect(ended).toBe(endpoint === "userinfo_endpoint" ? "revoked" : "unsupported");
        // Left out, as some servers write it.
        const isAbsent = address === null || address === "";
        const warned = linesOf("discovery_partly_ignored");
        expect({ address, warned: warned.length }).toEqual({ address, warned: isAbsent ? 0 : 1 });
        for (const { level, reason } of warned) {
          expect(level).toBe("warn");
          expect(reason).toContain(endpoint);
          expect(reason).not.toContain("idp.example");
        }
      }
    },
  );

  test.each([
    ["a text", "openid profile"],
    ["a number", 1],
    ["an object", { openid: true }],
    ["true", true],
    ["a list without end", Array(1_001).fill("openid")],
    ["a list of numbers", [1, 2]],
    ["a list of null", [null]],
  ])("ignores optional fields that are %s, and warns", async (_, value) => {
    const lists = [
      "scopes_supported",
      "response_types_supported",
      "code_challenge_methods_supported",
      "id_token_signing_alg_values_supported",
      "token_endpoint_auth_methods_supported",
      "prompt_values_supported",
    ];
    const { oidc, linesOf, signIn } = startOidc({
      overrides: {
        discovery: (right) => ({ ...right, ...Object.fromEntries(lists.map((name) => [name, value])) }),
      },
    });

    await oidc.exchangeCode(await signIn(), VERIFIER, NONCE);

    expect(linesOf("discovery_partly_ignored")).toHaveLength(1);
    for (const name of lists) expect(linesOf("discovery_partly_ignored")[0]?.reason).toContain(name);
  });

  test("takes only the texts of a mixed list", async () => {
    const { oidc } = startOidc({
      overrides: {
        discovery: (right) => ({
          ...right,
          scopes_supported: [null, "openid", 1, "offline_access"],
          code_challenge_methods_supported: [{}, "S256"],
        }),
      },
    });

    expect(await oidc.authorizationUrl("s", NONCE, VERIFIER)).toContain("offline_access");
  });

  test.each(["true", 1, "yes", {}])(
    "ignores an announcement of iss by %j, with a warning",
    async (announcement) => {
      const { oidc, linesOf } = startOidc({
        overrides: {
          discovery: (right) => ({ ...right, authorization_response_iss_parameter_supported: announcement }),
        },
      });

      await oidc.checkIssuer(undefined);

      expect(linesOf("discovery_partly_ignored")).toHaveLength(1);
    },
  );

  test("warns once for each document, not for each sign-in", async () => {
    const { oidc, forger, clock, linesOf } = startOidc({
      overrides: { discovery: (right) => ({ ...right, revocation_endpoint: "/revoke" }) },
    });
    const warned = () => linesOf("discovery_partly_ignored").length;

    await oidc.prepare();
    await oidc.prepare();
    await oidc.authorizationUrl("s", NONCE, VERIFIER);
    expect(warned()).toBe(1);
    clock.advance(3_601);
    await oidc.prepare();
    await turnsUntil(async () => warned() === 2);

    expect(forger.calls).toEqual(["discovery", "discovery"]);
  });

  test.each(["authorization_endpoint", "token_endpoint", "jwks_uri"])(
    "refuses a document without %s",
    async (endpoint) => {
      const { oidc } = startOidc({
        overrides: { discovery: (right) => ({ ...right, [endpoint]: undefined }) },
      });

      expect((await rejection(oidc.prepare())).code).toBe("provider_misconfigured");
    },
  );

  test.each([
    ["null", "null"],
    ["an array", []],
    ["a text", '"text"'],
    ["no code flow", { response_types_supported: ["id_token", "token"] }],
    ["no S256", { code_challenge_methods_supported: ["plain"] }],
    ["no text that is code", { response_types_supported: ["", "token"] }],
  ])("refuses a document that is or says %s", async (_, change) => {
    const { oidc } = startOidc({
      overrides: {
        discovery: (right) =>
          typeof change === "string" || Array.isArray(change)
            ? new Response(typeof change === "string" ? change : "[]")
            : { ...right, ...change },
      },
    });

    expect((await rejection(oidc.prepare())).code).toBe("provider_misconfigured");
  });

  test.each([
    ["HS256", ["HS256"]],
    ["none", ["none"]],
    ["HS512, none", ["HS512", "none"]],
    ["ES256K", ["ES256K"]],
    ["ML-DSA-65, HS256", ["ML-DSA-65", "HS256", "HS256"]],
    ["an unlisted algorithm", ["<script>", "x".repeat(5_000)]],
    ["ES256K, an unlisted algorithm", ["es384", "ES256K"]],
  ] as const)("names the remedy for %s alone", async (named, algorithms) => {
    const { oidc } = startOidc({
      overrides: {
        discovery: (right) => ({ ...right, id_token_signing_alg_values_supported: algorithms }),
      },
    });

    const error = await rejection(oidc.prepare());

    expect(error.code).toBe("provider_misconfigured");
    expect(error.message).toStartWith(`discovery: ID Tokens are signed with ${named}, which`);
    expect(error.message).toContain("choose a signing key of type RSA, EC or Ed25519");
  });

  test.each([[[]], [[""]]])("takes %j for an absent list, without a warning", async (empty) => {
    const { oidc, sent, linesOf, signIn } = startOidc({
      overrides: {
        discovery: (right) => ({
          ...right,
          scopes_supported: empty,
          response_types_supported: empty,
          code_challenge_methods_supported: empty,
          id_token_signing_alg_values_supported: empty,
          token_endpoint_auth_methods_supported: empty,
          prompt_values_supported: empty,
        }),
      },
    });

    const { subject } = await oidc.exchangeCode(await signIn(), VERIFIER, NONCE);

    expect(subject).toBe("sub-of-anna");
    expect(sent.find(({ url }) => url.endsWith("/token"))?.headers.get("authorization")).toStartWith(
      "Basic ",
    );
    expect(await oidc.authorizationUrl("s", NONCE, VERIFIER, { otherAccount: true })).toContain(
      "prompt=login",
    );
    expect(linesOf("discovery_partly_ignored")).toEqual([]);
  });

  test("accepts a minimal document, and one with unknown fields", async () => {
    const required = new Set(["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"]);
    const { oidc } = startOidc({
      overrides: {
        discovery: (right) => ({
          ...Object.fromEntries(Object.entries(right).filter(([name]) => required.has(name))),
          "x-unknown": [null, { deep: 1 }],
        }),
      },
    });

    await oidc.prepare();

    expect(oidc.isReady()).toBe(true);
  });

  test("fetches the document once an hour, for all requests", async () => {
    const { forger, oidc, clock } = startOidc();

    await Promise.all([oidc.prepare(), oidc.prepare(), oidc.authorizationUrl("s", NONCE, VERIFIER)]);
    clock.advance(3_599);
    await oidc.prepare();

    expect(forger.calls).toEqual(["discovery"]);
  });

  test("renews the document after an hour, in the background", async () => {
    const { forger, oidc, clock } = startOidc();
    const place = async () => new URL(await oidc.authorizationUrl("s", NONCE, VERIFIER)).pathname;
    const before = await place();
    forger.override({
      discovery: (right) => ({ ...right, authorization_endpoint: `${forger.url}/authorize-anew` }),
    });

    clock.advance(3_601);
    const meanwhile = await place();
    await turnsUntil(async () => (await place()) === "/authorize-anew");

    expect([before, meanwhile]).toEqual(["/authorize", "/authorize"]);
    expect(forger.calls).toEqual(["discovery", "discovery"]);
  });

  test.each([
    ["an outage", { status: 503 }],
    ["a hang", "hang"],
    ["a document of another issuer", { status: 200, body: { issuer: "https://idp.example" } }],
  ] as const)("keeps the old document through %s", async (_, behaviour) => {
    const { forger, oidc, clock, signIn } = startOidc();
    await oidc.prepare();
    clock.advance(3_601);
    forger.failNext("discovery", behaviour);

    const url = await oidc.authorizationUrl("s", NONCE, VERIFIER);

    expect(url).toStartWith(`${forger.url}/authorize?`);
    expect(oidc.isReady()).toBe(true);
    expect((await oidc.exchangeCode(await signIn(), VERIFIER, NONCE)).subject).toBe("sub-of-anna");
    forger.override({ discovery: (right) => ({ ...right, scopes_supported: ["openid"] }) });
    // Not before a minute has passed: a provider that is down is not asked by every flow.
    const asked = () => forger.calls.filter((call) => call === "discovery").length;
    await turnsUntil(async () => asked() === 2);
    await oidc.authorizationUrl("s", NONCE, VERIFIER);
    expect(asked()).toBe(2);
    await turnsUntil(async () => {
      clock.advance(61);
      return !(await oidc.authorizationUrl("s", NONCE, VERIFIER)).includes("offline_access");
    });
  });
});

describe("authorizationUrl()", () => {
  type Kind = Parameters<ReturnType<typeof startOidc>["oidc"]["authorizationUrl"]>[3];
  const parametersOf = async ({ oidc }: Pick<ReturnType<typeof startOidc>, "oidc">, kind?: Kind) => {
    const url = new URL(await oidc.authorizationUrl("the-state", NONCE, VERIFIER, kind));
    const pairs = [...url.searchParams];
    expect(new Set(pairs.map(([name]) => name)).size).toBe(pairs.length);
    return Object.fromEntries(pairs);
  };
  const ALWAYS = {
    response_type: "code",
    client_id: OIDC_CLIENT_ID,
    redirect_uri: REDIRECT_URI,
    state: "the-state",
    nonce: NONCE,
    code_challenge_method: "S256",
    code_challenge: createHash("sha256").update(VERIFIER).digest("base64url"),
  };

  test("has PKCE S256, a nonce and an announced offline_access", async () => {
    expect(await parametersOf(startOidc())).toEqual({ ...ALWAYS, scope: "openid profile offline_access" });
  });

  /** The prompts of an ordinary request, and of one for another account; undefined for none. */
  const promptsOf = async (environment: Readonly<Record<string, string>>, announced?: readonly string[]) => {
    const oidc = startOidc({
      environment,
      overrides: { discovery: (right) => ({ ...right, prompt_values_supported: announced }) },
    });
    const { prompt } = await parametersOf(oidc);
    const { prompt: forOther } = await parametersOf(oidc, { otherAccount: true });
    const { prompt: reduced } = await parametersOf(oidc, { reduced: true });
    const { prompt: reducedForOther } = await parametersOf(oidc, { otherAccount: true, reduced: true });
    expect(reduced).toBe(prompt);
    expect(reducedForOther).toBe(forOther);
    return [prompt, forOther];
  };
  const OFFLINE = { OIDC_SCOPES: "openid profile offline_access" };
  const params = (text: string) => ({ OIDC_AUTHORIZE_PARAMS: text });

  test.each([
    ["announces nothing", undefined, "login"],
    ["announces an empty list", [], "login"],
    ["announces login (Keycloak)", ["none", "login", "consent"], "login"],
    ["announces select_account (Google)", ["none", "consent", "select_account"], "select_account"],
    ["announces both", ["login", "select_account", "consent"], "select_account"],
    // Every provider must know login, so it is the one to try. Core 3.1.2.1
    ["announces neither", ["none", "consent"], "login"],
    ["announces create alone", ["create"], "login"],
    ["announces what nobody knows", ["LOGIN", "x"], "login"],
  ])("asks another account if it %s", async (_, announced, forOther) => {
    expect(await promptsOf({}, announced)).toEqual([undefined, forOther]);
    // With its own scopes, but without offline_access, nothing changes.
    expect(await promptsOf({ OIDC_SCOPES: "openid email" }, announced)).toEqual([undefined, forOther]);
  });

  test.each([
    ["is not announced at all", undefined, "consent", "login"],
    ["is announced", ["login", "consent"], "consent", "login"],
    ["is not among what is announced", ["login", "select_account"], undefined, "select_account"],
  ])("has one prompt where consent %s", async (_, announced, prompt, forOther) => {
    expect(await promptsOf(OFFLINE, announced)).toEqual([prompt, forOther]);
  });

  test.each([
    ["prompt=login", undefined, "login", "login"],
    ["prompt=select_account", undefined, "select_account", "select_account"],
    ["prompt=select_account", ["login", "select_account"], "select_account", "select_account"],
    ["prompt=login", ["login", "select_account"], "login", "login"],
    ["prompt=login", ["none", "consent", "select_account"], "login", "select_account"],
    ["access_type=offline&prompt=consent", undefined, "consent", "login"],
    ["prompt=consent", ["consent", "select_account"], "consent", "select_account"],
    ["prompt=none", undefined, "none", "login"],
    ["prompt=create", ["create", "login"], "create", "login"],
    ["prompt=create", ["create"], "create", "login"],
    ["prompt=select_account", ["create"], "select_account", "login"],
    // The operator's own two are left as they are, but for another account.
    ["prompt=consent%20select_account", undefined, "consent select_account", "select_account"],
    ["prompt=login%20consent", undefined, "login consent", "login"],
  ])("obeys %s beside %j", async (text, announced, prompt, forOther) => {
    expect(await promptsOf(params(text), announced)).toEqual([prompt, forOther]);
    expect(await promptsOf({ ...OFFLINE, ...params(text) }, announced)).toEqual([prompt, forOther]);
  });

  test.each([[undefined], [["openid", "profile"]], [[]]])(
    "lacks offline_access if %p is announced",
    async (scopes) => {
      const oidc = startOidc({
        overrides: { discovery: (right) => ({ ...right, scopes_supported: scopes }) },
      });

      expect(await parametersOf(oidc)).toEqual({ ...ALWAYS, scope: "openid profile" });
    },
  );

  test("has S256 even if the provider does not announce PKCE", async () => {
    const discovery = (right: Claims) => ({ ...right, code_challenge_methods_supported: undefined });

    expect(await parametersOf(startOidc({ overrides: { discovery } }))).toMatchObject(ALWAYS);
  });

  test("asks for the scopes of OIDC_SCOPES and no others", async () => {
    const oidc = startOidc({ environment: { OIDC_SCOPES: "openid email groups" } });

    expect(await parametersOf(oidc)).toEqual({ ...ALWAYS, scope: "openid email groups" });
  });

  test("asks for offline_access of OIDC_SCOPES, announced or not", async () => {
    const oidc = startOidc({
      environment: { OIDC_SCOPES: "openid offline_access" },
      overrides: { discovery: (right) => ({ ...right, scopes_supported: ["openid"] }) },
    });

    expect(await parametersOf(oidc)).toEqual({
      ...ALWAYS,
      scope: "openid offline_access",
      prompt: "consent",
    });
  });

  test("adds OIDC_AUTHORIZE_PARAMS, which may replace the prompt", async () => {
    const oidc = startOidc({
      environment: { OIDC_AUTHORIZE_PARAMS: "access_type=offline&prompt=login%20consent&acr_values=a%26b" },
    });

    expect(await parametersOf(oidc)).toEqual({
      ...ALWAYS,
      scope: "openid profile offline_access",
      prompt: "login consent",
      access_type: "offline",
      acr_values: "a&b",
    });
  });

  test("keeps the endpoint's query, except for its own parameters", async () => {
    const oidc = startOidc({
      overrides: {
        discovery: (right) => ({
          ...right,
          authorization_endpoint: `${right.authorization_endpoint}?tenant=one&state=fixed&client_id=other`,
        }),
      },
    });

    expect(await parametersOf(oidc)).toMatchObject({ ...ALWAYS, tenant: "one" });
  });

  test("has a new state, nonce and challenge in each flow", async () => {
    const janus = await startJanus({});
    const seen: string[] = [];
    for (let flow = 0; flow < 3; flow++) {
      const browser = createBrowser(janus.url);
      const departure = await browser.get(await reachDiscordCallback(browser, newUser()));
      const { searchParams } = new URL(locationOf(departure));
      for (const name of ["state", "nonce", "code_challenge"]) {
        expect(searchParams.get(name)).toMatch(/^[\w-]{43}$/);
        seen.push(String(searchParams.get(name)));
      }
    }

    expect(new Set(seen).size).toBe(9);
  });
});

describe("oidc.exchangeCode()", () => {
  const tokenCalls = (forger: ReturnType<typeof startForger>) =>
    forger.calls.filter((operation) => operation === "token").length;

  test("sends the code once", async () => {
    const { forger, oidc, sent, signIn } = startOidc();
    const code = await signIn();

    const signedIn = await oidc.exchangeCode(code, VERIFIER, NONCE);

    const request = sent.find(({ url }) => url === `${forger.url}/token`);
    expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
      grant_type: "authorization_code",
      code,
      redirect_uri: REDIRECT_URI,
      code_verifier: VERIFIER,
    });
    expect(request?.headers.get("accept")).toBe("application/json");
    expect(request?.headers.get("user-agent")).toBe("Janus/0.0.0-test");
    expect(signedIn).toMatchObject({ issuer: forger.issuer, subject: "sub-of-anna" });
    expect((await rejection(oidc.exchangeCode(code, VERIFIER, NONCE))).code).toBe("code_rejected");
  });

  test("refuses a wrong verifier, nonce or code", async () => {
    const { oidc, signIn } = startOidc();

    const verifier = await rejection(oidc.exchangeCode(await signIn(), `${VERIFIER}x`, NONCE));
    const nonce = await rejection(oidc.exchangeCode(await signIn(), VERIFIER, "another-nonce"));
    const code = await rejection(oidc.exchangeCode("no-code", VERIFIER, NONCE));

    expect([verifier.code, nonce.code, code.code]).toEqual([
      "code_rejected",
      "id_token_refused",
      "code_rejected",
    ]);
  });

  test("gives an expiry by Janus's clock, if any", async () => {
    const { forger, oidc, clock, signIn } = startOidc();
    clock.advance(86_400);
    const code = await signIn();
    const before = clock.now().getTime();

    const said = await oidc.exchangeCode(code, VERIFIER, NONCE);
    forger.override({ tokenAnswer: (answer) => ({ ...answer, expires_in: undefined }) });
    const unsaid = await oidc.exchangeCode(await signIn(), VERIFIER, NONCE);

    expect(Number(said.expiresAt) - before - 3_600_000).toBeWithin(0, 5_000);
    expect(unsaid.expiresAt).toBeUndefined();
  });

  describe("authenticates", () => {
    const credentials = (request: { readonly headers: Headers; readonly body: string } | undefined) => {
      const form = new URLSearchParams(request?.body);
      const basic = /^Basic (.+)$/.exec(request?.headers.get("authorization") ?? "")?.[1];
      return {
        basic: basic === undefined ? null : Buffer.from(basic, "base64").toString(),
        id: form.get("client_id"),
        secret: form.get("client_secret"),
      };
    };
    // RFC 6749 2.3.1: both are form-encoded first, or a colon or a space in them would be lost.
    const BASIC = {
      basic: "janus+client:canary-oidc-client-secret%3A%2F%2B+%25~-_.",
      id: null,
      secret: null,
    };
    const POST = { basic: null, id: OIDC_CLIENT_ID, secret: CANARY.oidcClientSecret };

    test.each([
      ["by Basic where both are announced", "both", undefined, {}, BASIC],
      ["by Basic where it alone is", "basic", undefined, {}, BASIC],
      ["by post where it alone is", "post", undefined, {}, POST],
      ["by Basic where nothing is announced", "both", null, {}, BASIC],
      [
        "by Basic among methods that nobody knows",
        "both",
        ["tls_client_auth", "client_secret_basic"],
        {},
        BASIC,
      ],
      ["by post as configured", "both", undefined, { OIDC_TOKEN_AUTH_METHOD: "client_secret_post" }, POST],
      [
        "by Basic as configured",
        "basic",
        ["client_secret_post"],
        { OIDC_TOKEN_AUTH_METHOD: "client_secret_basic" },
        BASIC,
      ],
      [
        "by post as configured, whatever is announced",
        "post",
        [],
        { OIDC_TOKEN_AUTH_METHOD: "client_secret_post" },
        POST,
      ],
    ] as const)("%s", async (_, clientAuth, announced, environment, expected) => {
      const { forger, oidc, sent, signIn } = startOidc({
        forger: { clientAuth },
        environment,
        overrides: {
          discovery: (right) =>
            announced === undefined
              ? right
              : { ...right, token_endpoint_auth_methods_supported: announced ?? undefined },
        },
      });

      await oidc.exchangeCode(await signIn(), VERIFIER, NONCE);

      expect(credentials(sent.find(({ url }) => url === `${forger.url}/token`))).toEqual(expected);
    });

    test("by no other method", async () => {
      const { forger, oidc, signIn } = startOidc({
        overrides: {
          discovery: (right) => ({
            ...right,
            token_endpoint_auth_methods_supported: ["private_key_jwt", "none"],
          }),
        },
      });

      const errors = [await rejection(signIn()), await rejection(oidc.exchangeCode("code", VERIFIER, NONCE))];

      expect(errors.map(({ code }) => code)).toEqual(["provider_misconfigured", "provider_misconfigured"]);
      expect(tokenCalls(forger)).toBe(0);
    });

    test("and rejects a wrong secret", async () => {
      const { oidc, signIn } = startOidc({ environment: { OIDC_CLIENT_SECRET: "another" } });

      expect((await rejection(oidc.exchangeCode(await signIn(), VERIFIER, NONCE))).code).toBe(
        "provider_client_rejected",
      );
    });
  });

  const oauth = (status: number, error: unknown, headers = {}): Behaviour => ({
    status,
    headers,
    body: { error, error_description: "described" },
  });
  const UNAVAILABLE = "provider_unavailable" satisfies ErrorCode;
  test.each([
    ["invalid_grant", oauth(400, "invalid_grant"), "code_rejected"],
    ["invalid_request", oauth(400, "invalid_request"), "provider_client_rejected"],
    ["unsupported_grant_type", oauth(400, "unsupported_grant_type"), "provider_client_rejected"],
    ["invalid_scope", oauth(400, "invalid_scope"), "provider_client_rejected"],
    ["invalid_client, 401", oauth(401, "invalid_client"), "provider_client_rejected"],
    ["invalid_client, 400", oauth(400, "invalid_client"), "provider_client_rejected"],
    ["unauthorized_client", oauth(400, "unauthorized_client"), "provider_client_rejected"],
    ["500 that says invalid_grant", oauth(500, "invalid_grant"), UNAVAILABLE],
    ["503 that says invalid_client", oauth(503, "invalid_client"), UNAVAILABLE],
    ["429 that says invalid_grant", oauth(429, "invalid_grant"), UNAVAILABLE],
    ["400 with an error that is not text", oauth(400, { a: 1 }), UNAVAILABLE],
    ["400 with an error that is not a word", oauth(400, "<script>"), UNAVAILABLE],
    ["400 with an endless error", oauth(400, "e".repeat(41)), UNAVAILABLE],
    ["400 without error", { status: 400, body: {} }, UNAVAILABLE],
    ["400 in HTML", { status: 400, body: "<h1>Bad Request</h1>" }, UNAVAILABLE],
    ["401 in HTML", { status: 401, body: "<h1>Unauthorized</h1>" }, UNAVAILABLE],
    ["403 in HTML", { status: 403, body: "<h1>Blocked</h1>" }, UNAVAILABLE],
    ["404", { status: 404, body: "" }, UNAVAILABLE],
    ["201", { status: 201, body: {} }, UNAVAILABLE],
    ["204", { status: 204 }, UNAVAILABLE],
    ["200 that says invalid_grant", oauth(200, "invalid_grant"), UNAVAILABLE],
    ...NO_ANSWERS.map(([what, behaviour]) => [what, behaviour, UNAVAILABLE] as const),
    ["a dropped connection", "drop", UNAVAILABLE],
    ["an answer that is lost", "lost", UNAVAILABLE],
  ] as const)("sends the code once at %s", async (_, behaviour, code) => {
    const { forger, oidc, signIn } = startOidc();
    const authorizationCode = await signIn();
    forger.failNext("token", behaviour);

    const error = await rejection(oidc.exchangeCode(authorizationCode, VERIFIER, NONCE));

    expect(error.code).toBe(code);
    expect(time.passedMs()).toBe(hangs(behaviour) ? DEADLINE_MS : 0);
    expect(error.message).not.toContain("described");
    expect(tokenCalls(forger)).toBe(1);
    expect(forger.unexpected).toEqual([]);
  });

  test("gives the provider's Retry-After, up to an hour", async () => {
    const { forger, oidc } = startOidc();
    const after = async (wait: string) => {
      forger.failNext("token", { status: 429, headers: { "retry-after": wait } });
      return (await rejection(oidc.exchangeCode("c", VERIFIER, NONCE))).retryAfterSeconds;
    };

    expect([await after("7"), await after("999999999"), await after("soon")]).toEqual([7, 3_600, 30]);
  });

  test.each([
    ["no access_token", { access_token: undefined }],
    ["an empty access_token", { access_token: "" }],
    ["an access_token that is no text", { access_token: 1 }],
    ["no token_type", { token_type: undefined }],
    ["a token_type that Janus cannot use", { token_type: "DPoP" }],
    ["a refresh_token that is no text", { refresh_token: 1 }],
  ])("fails for an answer with %s", async (_, change) => {
    const { oidc, signIn } = startOidc({
      overrides: { tokenAnswer: (answer) => ({ ...answer, ...change }) },
    });

    expect((await rejection(oidc.exchangeCode(await signIn(), VERIFIER, NONCE))).code).toBe(UNAVAILABLE);
  });

  test.each(["", null, undefined])("takes a refresh_token of %p for absent", async (refresh_token) => {
    const { oidc, signIn } = startOidc({
      overrides: { tokenAnswer: (answer) => ({ ...answer, refresh_token }) },
    });

    const signedIn = await oidc.exchangeCode(await signIn(), VERIFIER, NONCE);

    expect(signedIn).toMatchObject({ subject: "sub-of-anna", refreshToken: undefined });
  });

  test.each([
    [["openid", "profile"]],
    ["openid pröfile"],
    ["openid\nprofile"],
    [1],
    [true],
    [{ openid: true }],
    [[]],
  ])("accepts a scope of %j", async (scope) => {
    const { oidc, signIn } = startOidc({ overrides: { tokenAnswer: (answer) => ({ ...answer, scope }) } });

    expect((await oidc.exchangeCode(await signIn(), VERIFIER, NONCE)).subject).toBe("sub-of-anna");
  });

  test.each(["", null, undefined])("takes an id_token of %p for absent, and says so", async (id_token) => {
    const { oidc, signIn } = startOidc({
      overrides: { tokenAnswer: (answer) => ({ ...answer, id_token }) },
    });

    const error = await rejection(oidc.exchangeCode(await signIn(), VERIFIER, NONCE));

    expect(error.code).toBe("provider_misconfigured");
    expect(error.message).toContain(`"id_token" is missing`);
  });

  test("accepts an answer whose optional members are empty", async () => {
    const { oidc, signIn } = startOidc({
      overrides: { tokenAnswer: (answer) => ({ ...answer, refresh_token: "", scope: "", expires_in: "" }) },
    });

    const signedIn = await oidc.exchangeCode(await signIn(), VERIFIER, NONCE);

    expect(signedIn).toMatchObject({ refreshToken: undefined, expiresAt: undefined });
  });

  const TEN_YEARS = 10 * 365 * 86_400;
  test.each([
    [3_600, 3_600],
    ["3600", 3_600],
    [" 3600 ", 3_600],
    [3_600.5, 3_600],
    ["3600.5", 3_600],
    [0, 0],
    [1e12, TEN_YEARS],
    ["1000000000000", TEN_YEARS],
    [1e300, TEN_YEARS],
    ["9".repeat(30), TEN_YEARS],
    [-1, undefined],
    ["-3600", undefined],
    [-1e300, undefined],
    ["NaN", undefined],
    ["Infinity", undefined],
    ["0x10", undefined],
    ["1e3", undefined],
    ["one hour", undefined],
    ["", undefined],
    [null, undefined],
    [true, undefined],
    [[3_600], undefined],
    [{ seconds: 3_600 }, undefined],
  ])("reads %j as %p seconds", async (expires_in, seconds) => {
    const { oidc, clock, signIn } = startOidc({
      overrides: { tokenAnswer: (answer) => ({ ...answer, expires_in }) },
    });
    const code = await signIn();
    const before = clock.now().getTime();

    const { subject, expiresAt } = await oidc.exchangeCode(code, VERIFIER, NONCE);

    expect(subject).toBe("sub-of-anna");
    if (seconds === undefined) return expect(expiresAt).toBeUndefined();
    expect(Number(expiresAt) - before - seconds * 1_000).toBeWithin(0, 5_000);
  });

  test("accepts an expires_in that JSON makes infinite", async () => {
    const { oidc, signIn } = startOidc({
      overrides: {
        tokenAnswer: (answer) =>
          new Response(
            JSON.stringify({ ...answer, expires_in: 1 }).replace('"expires_in":1', '"expires_in":1e999'),
          ),
      },
    });

    expect((await oidc.exchangeCode(await signIn(), VERIFIER, NONCE)).expiresAt).toBeDate();
  });

  test("accepts a minimal answer, with any case in token_type", async () => {
    const { oidc, signIn } = startOidc({
      overrides: {
        tokenAnswer: ({ access_token, id_token }) => ({ access_token, id_token, token_type: "bEaReR" }),
      },
    });

    const signedIn = await oidc.exchangeCode(await signIn(), VERIFIER, NONCE);

    expect(signedIn).toMatchObject({ refreshToken: undefined, expiresAt: undefined });
  });
});

async function startJanus(options: Parameters<typeof startJanusWithForger>[0]) {
  const janus = await startJanusWithForger({
    database,
    ...options,
    environment: { ...(await writeRules(folder, GROUP_RULES)), ...options?.environment },
    forger: { key: KEY, ...options?.forger },
  });
  started.push(janus);
  return janus;
}
type Janus = Awaited<ReturnType<typeof startJanus>>;

/** The error line that a request left behind. */
const codeOf = (lines: readonly string[]) =>
  lines.map((line) => JSON.parse(line)).find(({ event }) => event === "request_failed")?.code;

const reasonOf = (lines: readonly string[]) =>
  lines.map((line) => JSON.parse(line)).find(({ event }) => event === "request_failed")?.reason;

/** Walks to the provider's callback as somebody new. */
async function reach(janus: Janus, claims: Claims = { groups: ["members"] }) {
  const discordUserId = newUser();
  const subject = `sub-of-${discordUserId}`;
  janus.provider.signInAs({ preferred_username: `name-${discordUserId}`, ...claims, sub: subject });
  const browser = createBrowser(janus.url);
  const callback = await reachForgerCallback(browser, discordUserId);
  const storedClaims = async () => {
    const [row] = await database.rows(`select claims from organisation_account where subject = '${subject}'`);
    return row?.claims;
  };
  return { browser, callback, discordUserId, subject, storedClaims };
}

test.each([
  ["relative", { revocation_endpoint: "/revoke" }],
  ["of http and a number", { revocation_endpoint: "http://idp.example/revoke", userinfo_endpoint: 5 }],
  ["not lists", { scopes_supported: "openid offline_access", prompt_values_supported: 1 }],
])("finishProviderLeg() links despite optional fields that are %s", async (_, change) => {
  const janus = await startJanus({});
  janus.provider.override({ discovery: (right) => ({ ...right, ...change }) });
  const { browser, callback } = await reach(janus);

  expect((await browser.get(callback)).status).toBe(200);
});

describe("finishDiscordLeg() without discovery", () => {
  test.each([
    ["down", { status: 503 }],
    ["hanging", "hang"],
    ["another issuer's", { status: 200, body: { issuer: "https://idp.example" } }],
  ] as const)("spends no code while it is %s", async (_, behaviour) => {
    const janus = await startJanus({});
    const browser = createBrowser(janus.url);
    const callback = await reachDiscordCallback(browser, newUser());
    const before = await database.dump(WITHOUT_STRAYS);
    janus.provider.failNext("discovery", behaviour);

    const refused = await browser.get(callback);

    const code =
      typeof behaviour === "object" && behaviour.status === 200
        ? "provider_misconfigured"
        : "provider_unavailable";
    expect(codeOf(janus.logLines)).toBe(code);
    expect(refused.status).toBe(code === "provider_unavailable" ? 503 : 502);
    expect(janus.discord.calls).toEqual([]);
    expect(await database.dump(WITHOUT_STRAYS)).toBe(before);

    const departure = locationOf(await browser.get(callback));
    const finished = await browser.get(locationOf(await fetch(departure, { redirect: "manual" })));
    expect(finished.status).toBe(200);
  });

  test("loads it once for two flows", async () => {
    const janus = await startJanus({});
    for (const flow of [await reach(janus), await reach(janus)]) {
      expect((await flow.browser.get(flow.callback)).status).toBe(200);
    }

    expect(janus.provider.calls.filter((operation) => operation === "discovery")).toHaveLength(1);
  });
});

describe("finishProviderLeg() checks iss", () => {
  const change = (callback: string, iss: string | undefined) => {
    const url = new URL(callback);
    url.searchParams.delete("iss");
    if (iss !== undefined) url.searchParams.set("iss", iss);
    return url.href;
  };

  describe.each([true, false])("if announced is %p", (announcesIss) => {
    test.each([
      ["right", (issuer: string) => issuer, undefined],
      ["another", () => "https://attacker.example", "issuer_mismatch"],
      ["with a slash more", (issuer: string) => `${issuer}/`, "issuer_mismatch"],
      ["in capitals", (issuer: string) => issuer.toUpperCase(), "issuer_mismatch"],
      ["empty", () => "", "callback_malformed"],
      ["absent", () => undefined, announcesIss ? "issuer_mismatch" : undefined],
    ] as const)("if it is %s", async (_, iss, code) => {
      const janus = await startJanus({});
      janus.provider.override({ announcesIss });
      const { browser, callback } = await reach(janus);
      const before = await database.dump(WITHOUT_STRAYS);

      const response = await browser.get(change(callback, iss(janus.provider.issuer)));

      expect(codeOf(janus.logLines)).toBe(code);
      if (code === undefined) return expect(response.status).toBe(200);
      expect(response.status).toBe(code === "issuer_mismatch" ? 403 : 400);
      expect(janus.provider.calls).not.toContain("token");
      expect(await database.dump(WITHOUT_STRAYS)).toBe(before);
    });
  });

  test("in an error, too", async () => {
    const janus = await startJanus({});
    const { browser, callback } = await reach(janus);
    const url = new URL(change(callback, "https://attacker.example"));
    url.searchParams.delete("code");
    url.searchParams.set("error", "access_denied");

    expect((await browser.get(url.href)).status).toBe(403);
    expect(codeOf(janus.logLines)).toBe("issuer_mismatch");
  });

  test("and refuses it twice", async () => {
    const janus = await startJanus({});
    const { browser, callback } = await reach(janus);

    const response = await browser.get(`${callback}&iss=${encodeURIComponent(janus.provider.issuer)}`);

    expect([response.status, codeOf(janus.logLines)]).toEqual([400, "callback_malformed"]);
  });
});

describe("a sign-in with UserInfo", () => {
  const JWT = { "content-type": "application/jwt" };
  const bearer401 = (challenge: string) => ({
    status: 401,
    headers: { "www-authenticate": challenge },
    body: { error: "invalid_token" },
  });
  const without =
    (...names: readonly string[]): NonNullable<ForgerOverrides["idToken"]> =>
    (claims, sign) =>
      sign(Object.fromEntries(Object.entries(claims).filter(([name]) => !names.includes(name))));
  const janus = useJanus(async () =>
    startJanusWithForger({
      database,
      environment: await writeRules(folder, GROUP_RULES),
      forger: { key: KEY },
    }),
  );
  const userinfoCalls = () => janus.provider.calls.filter((operation) => operation === "userinfo").length;
  afterEach(() => janus.provider.reset());

  test("does not ask it for claims that are there", async () => {
    const before = userinfoCalls();
    const { browser, callback, discordUserId, storedClaims } = await reach(janus, { groups: [] });

    expect((await browser.get(callback)).status).toBe(200);

    expect(userinfoCalls()).toBe(before);
    expect(await storedClaims()).toEqual({ preferred_username: `name-${discordUserId}`, groups: [] });
  });

  test.each([[["groups"]], [["preferred_username"]], [["groups", "preferred_username"]]])(
    "takes missing %j from it",
    async (lacks) => {
      const before = userinfoCalls();
      const { browser, callback, discordUserId, storedClaims } = await reach(janus, { groups: ["a", "b"] });
      janus.provider.override({ idToken: without(...lacks) });

      expect((await browser.get(callback)).status).toBe(200);

      expect(userinfoCalls() - before).toBe(1);
      const name = `name-${discordUserId}`;
      expect(await storedClaims()).toEqual({ preferred_username: name, groups: ["a", "b"] });
      expect(janus.discord.roleConnection(discordUserId)?.platform_username).toBe(name);
    },
  );

  test.each(["groups", "preferred_username"])("takes %s from it for a null", async (name) => {
    const { browser, callback, discordUserId, storedClaims } = await reach(janus);
    janus.provider.override({ idToken: (claims, sign) => sign({ ...claims, [name]: null }) });

    expect((await browser.get(callback)).status).toBe(200);

    expect(await storedClaims()).toEqual({
      preferred_username: `name-${discordUserId}`,
      groups: ["members"],
    });
  });

  test("prefers the claims of the ID Token", async () => {
    const { browser, callback, discordUserId, storedClaims } = await reach(janus);
    janus.provider.override({
      idToken: without("groups"),
      userInfo: (claims) => ({
        ...claims,
        preferred_username: "somebody else",
        iss: "https://attacker.example",
      }),
    });

    expect((await browser.get(callback)).status).toBe(200);

    expect(await storedClaims()).toEqual({
      preferred_username: `name-${discordUserId}`,
      groups: ["members"],
    });
  });

  test.each([
    ["says nothing of groups", (claims: Claims) => ({ sub: claims.sub })],
    ["says that groups are null", (claims: Claims) => ({ sub: claims.sub, groups: null })],
  ])("takes groups for unknown if it %s", async (_, userInfo) => {
    const { browser, callback, discordUserId, storedClaims } = await reach(janus);
    janus.provider.override({ idToken: without("groups"), userInfo });

    expect((await browser.get(callback)).status).toBe(200);

    // Null: it was asked for, and nobody had it.
    expect(await storedClaims()).toEqual({ groups: null, preferred_username: `name-${discordUserId}` });
  });

  const expectNothing = async (
    code: ErrorCode,
    prepare: (walk: Awaited<ReturnType<typeof reach>>) => void,
  ) => {
    const statuses: Partial<Record<ErrorCode, number>> = { provider_unavailable: 503, code_rejected: 400 };
    const walk = await reach(janus);
    janus.provider.override({ idToken: without("groups") });
    prepare(walk);
    const [before, logged, calls] = [
      await database.dump(WITHOUT_STRAYS),
      janus.logLines.length,
      janus.discord.calls.length,
    ];

    const response = await walk.browser.get(walk.callback);

    expect(codeOf(janus.logLines.slice(logged))).toBe(code);
    expect(response.status).toBe(statuses[code] ?? 502);
    expect(await database.dump(WITHOUT_STRAYS)).toBe(before);
    expect(janus.discord.calls).toHaveLength(calls);
  };

  test.each<(typeof NO_ANSWERS)[number]>([
    ...NO_ANSWERS.filter(([what]) => what !== "a redirect"),
    ["408", { status: 408 }],
    ["a text", { status: 200, body: "www.example.org is closed" }],
    ["a name of three parts", { status: 200, body: "www.example.org" }],
    ["a version of five parts", { status: 200, body: "1.2.3.4.5" }],
    ["500 with claims", { status: 500, body: { sub: "x", groups: [] } }],
    ["503 as a JWT", { status: 503, headers: JWT, body: "e30.e30.AAAA" }],
  ])("stores nothing if it answers %s", (_, behaviour) =>
    expectNothing("provider_unavailable", () => janus.provider.failNext("userinfo", behaviour)),
  );

  // By its own words, or by its shape: asking again does not change it.
  test.each<(typeof NO_ANSWERS)[number]>([
    ["400", { status: 400, body: { error: "invalid_request" } }],
    ["401", { status: 401, body: { error: "invalid_token" } }],
    ["403", { status: 403, body: { error: "insufficient_scope" } }],
    ["403 in HTML", { status: 403, body: "<h1>Forbidden</h1>" }],
    ["404", { status: 404, body: {} }],
    ["405", { status: 405 }],
    ["406", { status: 406 }],
    ["204", { status: 204 }],
    ["201", { status: 201, body: { sub: "x" } }],
    ["null", { status: 200, body: "null" }],
    ["an array", { status: 200, body: [] }],
    ["a text", { status: 200, body: '"text"' }],
    ["no sub", { status: 200, body: { groups: ["members"] } }],
    ["an error", { status: 200, body: { error: "invalid_token" } }],
    ["a sub that is a number", { status: 200, body: { sub: 1, groups: [] } }],
    ["a JWT that is not one", { status: 200, headers: JWT, body: "<h1>no</h1>" }],
    ["a JWT without algorithm", { status: 200, headers: JWT, body: "e30.e30.AAAA" }],
    ["a redirect", "redirect"],
    ["303", { status: 303, headers: { location: "/login" } }],
    ["304", { status: 304 }],
    ["an unsigned JWT, called a text", { status: 200, body: "e30.e30.AAAA" }],
    ["a JWT in quotation marks", { status: 200, headers: JWT, body: '"e30.e30.AAAA"' }],
    ["401 with an unknown challenge", bearer401('Bearer realm="x"')],
    [
      "401 that only describes it",
      bearer401('Bearer error_description="error=\\"invalid_token\\", error=invalid_token"'),
    ],
    ["401 of another error", bearer401('Bearer error="insufficient_scope"')],
    ["401 of an error like it", bearer401('Bearer error="invalid_token_type", xerror="invalid_token"')],
    ["403 that says invalid_token", { ...bearer401('Bearer error="invalid_token"'), status: 403 }],
    ["nothing, called a JWT", { status: 200, headers: JWT }],
    ["JSON, called a JWT", { status: 200, headers: JWT, body: '{"sub":"x"}' }],
  ])("blames the setup for %s", async (_, behaviour) => {
    const logged = janus.logLines.length;

    await expectNothing("provider_misconfigured", () => janus.provider.failNext("userinfo", behaviour));

    expect(reasonOf(janus.logLines.slice(logged))).toStartWith("userinfo: ");
  });

  // Core 3.1.3.2, RFC 6749 4.1.2: the same callback sent twice makes the provider revoke the first one's tokens.
  test.each([
    ["Bearer", 'Bearer error="invalid_token"'],
    [
      "Bearer with a realm",
      'Bearer realm="example", error="invalid_token", error_description="The access token expired, or was revoked"',
    ],
    ["bearer without quotes", "bearer error=invalid_token"],
    ["Bearer after Basic", 'Basic realm="a, b", Bearer ERROR = "invalid_token"'],
    ["DPoP", 'DPoP algs="ES256", error="invalid_token"'],
  ])("ends one sign-in after %s", async (_, challenge) => {
    const logged = janus.logLines.length;

    await expectNothing("code_rejected", () => janus.provider.failNext("userinfo", bearer401(challenge)));

    expect(reasonOf(janus.logLines.slice(logged))).toStartWith("userinfo: answered 401 invalid_token");
    const { browser, callback } = await reach(janus);
    expect((await browser.get(callback)).status).toBe(200);
  });

  test("ends one sign-in if tokens are revoked", () =>
    expectNothing("code_rejected", ({ subject }) =>
      janus.provider.override({
        jwks: (right) => {
          janus.provider.endGrant(subject);
          return right;
        },
        idToken: (claims, sign) => {
          janus.provider.rotateKey(createKey("ES256"));
          return sign({ ...claims, at_hash: undefined, groups: undefined }, {}, janus.provider.key());
        },
      }),
    ));

  describe("that is signed", () => {
    const signed = (
      change: (claims: Claims, sign: Sign) => string,
      type = "application/jwt",
    ): NonNullable<ForgerOverrides["userInfo"]> => {
      const { sign } = janus.provider;
      return (claims) => {
        const body = Buffer.from(change(claims, sign));
        return new Response(body, type === "" ? {} : { headers: { "content-type": type } });
      };
    };
    const about = (claims: Claims): Claims => ({
      ...claims,
      iss: janus.provider.issuer,
      aud: OIDC_CLIENT_ID,
    });

    test.each([
      ["with iss and aud", (claims: Claims, sign: Sign) => sign(about(claims)), undefined],
      ["without iss and aud", (claims: Claims, sign: Sign) => sign(claims), undefined],
      [
        "for several audiences",
        (claims: Claims, sign: Sign) => sign({ ...about(claims), aud: ["project", OIDC_CLIENT_ID] }),
        undefined,
      ],
      [
        "without typ, with times",
        (claims: Claims, sign: Sign) => {
          const now = Math.floor(janus.clock.now().getTime() / 1_000);
          return sign({ ...about(claims), iat: now, exp: now + 60 }, { typ: undefined });
        },
        undefined,
      ],
      ["in another spelling", (claims, sign) => sign(about(claims)), "Application/JWT; charset=utf-8"],
      ["with white space around it", (claims, sign) => `${sign(about(claims))}\n`, undefined],
      ["called a text", (claims, sign) => sign(about(claims)), "text/plain; charset=utf-8"],
      ["called JSON", (claims, sign) => `${sign(about(claims))}\n`, "application/json"],
      ["called HTML", (claims, sign) => sign(about(claims)), "text/html"],
      ["called application/jose", (claims, sign) => sign(about(claims)), "application/jose"],
      ["called nothing", (claims, sign) => sign(about(claims)), ""],
    ] as const satisfies readonly (readonly [
      string,
      (claims: Claims, sign: Sign) => string,
      string | undefined,
    ])[])("is accepted %s", async (_, change, type) => {
      const { browser, callback, discordUserId, storedClaims } = await reach(janus, { groups: ["a"] });
      janus.provider.override({ idToken: without("groups"), userInfo: signed(change, type) });

      expect((await browser.get(callback)).status).toBe(200);

      expect(await storedClaims()).toEqual({ preferred_username: `name-${discordUserId}`, groups: ["a"] });
    });

    test("is accepted by a new key", async () => {
      const key = createKey("ES384");
      const { browser, callback, storedClaims } = await reach(janus, { groups: ["a"] });
      janus.provider.override({
        idToken: without("groups"),
        jwks: ({ keys }) => ({ keys: [...keys, key.publicJwk] }),
        userInfo: signed((claims, sign) => sign(about(claims), {}, key)),
      });

      expect((await browser.get(callback)).status).toBe(200);

      expect(await storedClaims()).toMatchObject({ groups: ["a"] });
    });

    const stranger = createKey("ES256", KEY.kid);
    test.each([
      [
        "signed by a stranger",
        (claims: Claims, sign: Sign) => sign(about(claims), {}, stranger),
        "id_token_refused",
      ],
      [
        "altered",
        (claims: Claims, sign: Sign) => sign(about(claims)).replace(/\.[^.]{9}/, ".AAAAAAAAA"),
        "id_token_refused",
      ],
      ["cut short", (claims, sign) => sign(about(claims)).slice(0, -9), "id_token_refused"],
      [
        "from another issuer",
        (claims, sign) => sign({ ...about(claims), iss: "https://idp.example" }),
        "id_token_refused",
      ],
      ["from a null issuer", (claims, sign) => sign({ ...about(claims), iss: null }), "id_token_refused"],
      [
        "for another client",
        (claims, sign) => sign({ ...about(claims), aud: "another" }),
        "id_token_refused",
      ],
      [
        "for other clients alone",
        (claims, sign) => sign({ ...about(claims), aud: ["a", "b"] }),
        "id_token_refused",
      ],
      ["for no client", (claims, sign) => sign({ ...about(claims), aud: [] }), "id_token_refused"],
      ["expired", (claims, sign) => sign({ ...about(claims), exp: 1 }), "id_token_refused"],
      [
        "a token of another kind",
        (claims, sign) => sign(about(claims), { typ: "logout+jwt" }),
        "id_token_refused",
      ],
      ["about somebody else", (claims, sign) => sign({ ...about(claims), sub: "x" }), "userinfo_refused"],
      [
        "about no one",
        (claims, sign) => sign({ ...about(claims), sub: undefined }),
        "provider_misconfigured",
      ],
      ["about a number", (claims, sign) => sign({ ...about(claims), sub: 1 }), "provider_misconfigured"],
      [
        "signed by client secret",
        (claims, sign) => sign(about(claims), {}, CANARY.oidcClientSecret),
        "provider_misconfigured",
      ],
      ["unsigned", (claims, sign) => sign(about(claims), { alg: "none" }), "provider_misconfigured"],
      [
        "signed with ES256K",
        (claims, sign) => sign(about(claims), { alg: "ES256K" }),
        "provider_misconfigured",
      ],
      ["encrypted", (claims) => encryptToken(about(claims), "secret"), "provider_misconfigured"],
    ] as const satisfies readonly (readonly [string, (claims: Claims, sign: Sign) => string, ErrorCode])[])(
      "is refused if %s",
      async (_, change, code) => {
        for (const type of ["application/jwt", "text/plain", "application/json", ""])
          await expectNothing(code, () => janus.provider.override({ userInfo: signed(change, type) }));
      },
    );

    test("is not judged without the keys", async () => {
      await expectNothing("provider_unavailable", () => {
        janus.provider.failNext("jwks", { status: 503 });
        janus.provider.override({
          userInfo: signed((claims, sign) => sign(about(claims), { kid: "unknown" })),
        });
      });
    });

    test.each([
      ["signed by client secret", (claims: Claims, sign: Sign) => sign(claims, {}, "secret")],
      ["encrypted", (claims: Claims) => encryptToken(claims, "secret")],
      ["signed with Ed448", (claims: Claims, sign: Sign) => sign(claims, { alg: "Ed448" })],
    ])("has a remedy if %s", async (_, change) => {
      const logged = janus.logLines.length;

      await expectNothing("provider_misconfigured", () =>
        janus.provider.override({ userInfo: signed(change) }),
      );

      expect(reasonOf(janus.logLines.slice(logged))).toContain("userinfo_signed_response_alg");
    });
  });

  test("stores nothing if the connection breaks", async () => {
    // Twice: on a connection that was used before, fetch tries a GET again by itself.
    await expectNothing("provider_unavailable", () => janus.provider.failNext("userinfo", "drop", 2));

    const answers = () =>
      fetch(`${janus.provider.url}/userinfo`).then(
        () => true,
        () => false,
      );
    while (!(await answers()));
  });

  test.each([
    ["somebody else's", () => "sub-of-somebody-else"],
    ["in capitals", (sub: string) => sub.toUpperCase()],
    ["empty", () => ""],
    ["with a space more", (sub: string) => `${sub} `],
  ])("stores nothing if its sub is %s", (_, change) =>
    expectNothing("userinfo_refused", ({ subject }) =>
      janus.provider.override({ userInfo: (claims) => ({ ...claims, sub: change(subject) }) }),
    ),
  );

  test("does without it if the provider has none", async () => {
    const bare = await startJanus({});
    bare.provider.override({
      discovery: (right) => ({ ...right, userinfo_endpoint: undefined }),
      idToken: without("groups"),
    });
    const { browser, callback, discordUserId, storedClaims } = await reach(bare);

    expect((await browser.get(callback)).status).toBe(200);

    expect(bare.provider.calls).not.toContain("userinfo");
    // Null: it was asked for, and nobody had it.
    expect(await storedClaims()).toEqual({ groups: null, preferred_username: `name-${discordUserId}` });
  });
});

describe("finishProviderLeg()", () => {
  test.each([
    { expires_in: 1e12 },
    { expires_in: "-1" },
    { refresh_token: "" },
    { refresh_token: "", expires_in: 3_600.5, scope: "" },
  ])("accepts %j", async (change) => {
    const janus = await startJanus({});
    janus.provider.override({ tokenAnswer: (answer) => ({ ...answer, ...change }) });
    const { browser, callback, subject } = await reach(janus);

    expect((await browser.get(callback)).status).toBe(200);

    const held = await database.rows(
      `select refresh_token_sealed from organisation_token where subject = '${subject}'`,
    );
    expect(held.map(({ refreshTokenSealed }) => refreshTokenSealed === null)).toEqual([
      "refresh_token" in change,
    ]);
  });

  test("keeps a refresh token if a later sign-in has none", async () => {
    const janus = await startJanus({});
    const tokens: string[] = [];
    const { browser, callback, discordUserId, subject } = await reach(janus);
    janus.provider.override({
      tokenAnswer: (answer) => {
        tokens.push(String(answer.refresh_token), String(answer.access_token));
        return tokens.length > 2 ? { ...answer, refresh_token: undefined } : answer;
      },
    });
    await browser.get(callback);
    await browser.get(await reachForgerCallback(browser, discordUserId));

    const [row] = await database.rows(`select * from organisation_token where subject = '${subject}'`);
    const open = (column: string, sealed: unknown) =>
      janus.deps.tokenSealer.open(
        String(sealed),
        `organisation_token.${column}:${JSON.stringify([janus.provider.issuer, subject])}`,
      );
    expect(open("refresh_token", row?.refreshTokenSealed)).toBe(tokens[0]);
    expect(open("access_token", row?.accessTokenSealed)).toBe(tokens[3]);
  });

  test("stores nothing for an unknown code", async () => {
    const janus = await startJanus({});
    const { browser, callback } = await reach(janus);
    const url = new URL(callback);
    url.searchParams.set("code", "somebody's");
    const before = await database.dump(WITHOUT_STRAYS);

    const response = await browser.get(url.href);

    expect([response.status, codeOf(janus.logLines)]).toEqual([400, "code_rejected"]);
    expect(await database.dump(WITHOUT_STRAYS)).toBe(before);
  });

  test("stores nothing for another browser's code", async () => {
    const janus = await startJanus({});
    const [victim, attacker] = [await reach(janus), await reach(janus)];
    const url = new URL(attacker.callback);
    url.searchParams.set("code", new URL(victim.callback).searchParams.get("code") ?? "");
    const before = await database.dump(WITHOUT_STRAYS);

    const response = await attacker.browser.get(url.href);

    expect([response.status, codeOf(janus.logLines)]).toEqual([400, "code_rejected"]);
    expect(await database.dump(WITHOUT_STRAYS)).toBe(before);
  });
});
