/** Where an issuer may send Janus: which addresses of a discovery document are used, and which get no secret. */
import { describe, expect, test } from "bun:test";
import { readConfig } from "../../lib/config/load.ts";
import { createOidc } from "../../lib/oidc/client.ts";
import { createLog } from "../../lib/telemetry/log.ts";
import { CANARY, environmentFor } from "../harness/janus.ts";
import { rejection } from "../harness/rejection.ts";

const ISSUER = "https://idp.example";
const PUBLIC_URL = "http://127.0.0.1:9";
const STANDIN = { apiUrl: PUBLIC_URL, authorizeUrl: PUBLIC_URL, cdnUrl: PUBLIC_URL };
const VERIFIER = "verifier-of-43-characters-or-more-0123456789";
const OPTIONAL = ["userinfo_endpoint", "revocation_endpoint"] as const;
/** What Janus itself asks, and needs. */
const ASKED = ["token_endpoint", "jwks_uri"] as const;
const REQUIRED = ["authorization_endpoint", ...ASKED] as const;

const right = (issuer: string) => ({
  issuer,
  authorization_endpoint: "https://idp.example/authorize",
  token_endpoint: "https://idp.example/token",
  jwks_uri: "https://idp.example/jwks",
  userinfo_endpoint: "https://idp.example/userinfo",
  revocation_endpoint: "https://idp.example/revoke",
});

/** The client alone, whose provider answers discovery with a document, and everything else with 503. */
function startOidc(
  change: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string>> = {},
  issuer = ISSUER,
) {
  const sent: { readonly url: string; readonly body: string; readonly authorization: string | null }[] = [];
  const lines: string[] = [];
  const config = readConfig({ ...environmentFor(PUBLIC_URL, STANDIN, issuer), ...environment });
  const bindOidc = createOidc({
    config: config.oidc,
    publicUrl: PUBLIC_URL,
    version: "0.0.0-test",
    rules: { neededClaims: [], sources: [] },
    fetch: async (url, init) => {
      if (url.endsWith("/.well-known/openid-configuration"))
        return Response.json({ ...right(issuer), ...change });
      const headers = new Headers(init.headers);
      sent.push({ url, body: String(init.body ?? ""), authorization: headers.get("authorization") });
      return new Response(null, { status: 503 });
    },
    log: createLog(
      "debug",
      (line) => void lines.push(line),
      () => new Date(),
    ),
    now: () => new Date(),
  });
  const oidc = bindOidc({});
  const reasons = (): readonly string[] =>
    lines
      .map((line) => JSON.parse(line))
      .flatMap(({ event, reason }) => (event === "discovery_partly_ignored" ? [reason] : []));
  return { oidc, sent, reasons };
}
const exchange = ({ oidc }: ReturnType<typeof startOidc>) => oidc.exchangeCode("code", VERIFIER, "nonce");
const revoke = ({ oidc }: ReturnType<typeof startOidc>) => oidc.revokeToken("refresh_token", "r");
const ALLOWED = { OIDC_ALLOW_HTTP_ENDPOINTS: "true" };

const HTTP_ADDRESSES = [
  "http://127.0.0.1:8080/x",
  "http://localhost/x",
  "http://[::1]:1/x",
  "http://2130706433/x",
  "http://169.254.169.254/latest/meta-data",
  "http://10.0.0.1/x",
  "http://idp.example/x",
  "HTTP://idp.example:443/x",
];
/** What no setting makes right. */
const BAD_ADDRESSES = [
  "https://user:secret@idp.example/x",
  "https://user@idp.example/x",
  "https://idp.example/x#part",
  "https://idp.example/x#",
  "https://idp.example/a\tb",
  "https://idp.example/a b",
  " https://idp.example/x",
  "https://",
  "ftp://127.0.0.1/x",
  "file:///etc/passwd",
  "unix:/run/idp.sock",
  "data:application/json,{}",
  "//idp.example/x",
];

describe("an https issuer", () => {
  test.each(REQUIRED)("is refused if its %s is http", async (field) => {
    for (const address of HTTP_ADDRESSES) {
      const own = startOidc({ [field]: address });

      const error = await rejection(exchange(own));

      expect([address, error.code, error.message]).toEqual([
        address,
        "provider_misconfigured",
        expect.stringMatching(
          field === "authorization_endpoint"
            ? /^discovery: authorization_endpoint is not https: members' browsers are sent there/
            : new RegExp(`^discovery: ${field} is not https: .* or set OIDC_ALLOW_HTTP_ENDPOINTS=true`),
        ),
      ]);
      expect(own.sent).toEqual([]);
    }
  });

  test.each(OPTIONAL)("goes without a %s that is http, and warns", async (field) => {
    for (const address of HTTP_ADDRESSES) {
      const own = startOidc({ [field]: address });

      await rejection(exchange(own));

      expect(own.reasons()).toEqual([`discovery: ignored, because malformed or not https: ${field}`]);
      expect(own.sent.map(({ url }) => url)).toEqual(["https://idp.example/token"]);
    }
    expect(await revoke(startOidc({ revocation_endpoint: "http://127.0.0.1/x" }))).toBe("unsupported");
  });

  test.each([...REQUIRED, ...OPTIONAL])("may not have a %s that is no plain address", async (field) => {
    for (const environment of [{}, ALLOWED])
      for (const address of BAD_ADDRESSES) {
        const own = startOidc({ [field]: address }, environment);

        const error = await rejection(exchange(own));

        if (REQUIRED.some((name) => name === field)) {
          expect([address, error.message]).toEqual([address, `discovery: missing or malformed: ${field}`]);
          expect(own.sent).toEqual([]);
        } else expect([address, ...own.reasons()]).toEqual([address, expect.stringContaining(field)]);
        expect(error.message).not.toContain("secret");
      }
  });

  test("may have other hosts, and has all its faults named", async () => {
    const wrong = startOidc({ token_endpoint: "http://a.example/x", jwks_uri: "http://b.example/x" });
    const elsewhere = startOidc({ token_endpoint: "https://login.example:8443/token" });

    expect((await rejection(exchange(wrong))).message).toStartWith(
      "discovery: token_endpoint, jwks_uri is not https",
    );
    await rejection(exchange(elsewhere));
    expect(elsewhere.sent.map(({ url }) => url)).toEqual(["https://login.example:8443/token"]);
  });
});

describe("allowing http endpoints", () => {
  test.each(HTTP_ADDRESSES)("permits %s", async (address) => {
    const own = startOidc({ token_endpoint: address, revocation_endpoint: address }, ALLOWED);

    await rejection(exchange(own));
    await rejection(revoke(own));

    expect(own.sent.map(({ url }) => url)).toEqual([address, address]);
    expect(own.sent.every(({ authorization }) => authorization?.startsWith("Basic ") === true)).toBe(true);
    expect(own.reasons()).toEqual([]);
  });

  test.each(HTTP_ADDRESSES)("sends nobody to %s", async (address) => {
    const own = startOidc({ authorization_endpoint: address }, ALLOWED);

    const error = await rejection(own.oidc.authorizationUrl("state", "nonce", VERIFIER));

    expect([error.code, error.message]).toEqual([
      "provider_misconfigured",
      expect.stringMatching(/^discovery: authorization_endpoint is not https/),
    ]);
  });
});

describe("an issuer on loopback by http", () => {
  test.each([
    ["http://127.0.0.1:8080/x", true, {}],
    ["http://localhost/x", true, {}],
    ["http://10.0.0.1/x", false, {}],
    ["http://169.254.169.254/x", false, {}],
    ["http://10.0.0.1/x", true, ALLOWED],
  ])("may name %s: %p", async (address, isUsed, environment) => {
    const own = startOidc({ token_endpoint: address }, environment, "http://127.0.0.1:9");

    const error = await rejection(exchange(own));

    expect(own.sent.map(({ url }) => url)).toEqual(isUsed ? [address] : []);
    expect(error.code).toBe(isUsed ? "provider_unavailable" : "provider_misconfigured");
    expect(JSON.stringify([error.message, error.cause ?? null])).not.toContain(CANARY.oidcClientSecret);
  });

  test("may send browsers by http to loopback only", async () => {
    const urlOf = (authorization_endpoint: string) =>
      startOidc({ authorization_endpoint }, ALLOWED, "http://127.0.0.1:9").oidc.authorizationUrl(
        "s",
        "n",
        VERIFIER,
      );

    expect(await urlOf("http://localhost:1/x")).toStartWith("http://localhost:1/x?");
    expect((await rejection(urlOf("http://10.0.0.1/x"))).code).toBe("provider_misconfigured");
  });
});
