/** Every wrong ID Token is refused in the flow that meets it, with nothing stored and nothing pushed. Core 3.1.3.7 */
import { afterAll, afterEach, beforeAll, describe, expect, setSystemTime, test } from "bun:test";
import { createHash, createHmac, createPublicKey, generateKeyPairSync, sign as signBytes } from "node:crypto";
import { WITHOUT_STRAYS } from "../harness/database.ts";
import { useJanus } from "../harness/hooks.ts";
import { CANARY, createBrowser, OIDC_CLIENT_ID, startJanusWithForger } from "../harness/janus.ts";
import { useStillTime } from "../harness/still_time.ts";
import { newUser, reachForgerCallback } from "../harness/walk.ts";
import type { ForgerOverrides, KeyAlgorithm, Sign, SigningKey } from "../standins/forger.ts";
import { createKey, encryptToken } from "../standins/forger.ts";

type Janus = Awaited<ReturnType<typeof startJanusWithForger>>;
type Claims = Readonly<Record<string, unknown>>;
type Forge = (right: Claims, sign: Sign) => string;
type Code = "id_token_refused" | "id_token_unsupported" | "provider_unavailable" | "provider_misconfigured";
type Case = readonly [what: string, forge: Forge, code?: Code];

const KEYS = {
  RS256: createKey("RS256", "rs-1"),
  PS256: createKey("PS256", "ps-1"),
  ES256: createKey("ES256", "es-1"),
  EdDSA: createKey("EdDSA", "ed-1"),
};
/** Further keys that Janus accepts. The RSA keys are one, since making one takes a while. */
const FURTHER_KEYS: readonly SigningKey[] = [
  createKey("ES384", "es-2"),
  createKey("ES512", "es-3"),
  createKey("Ed25519", "ed-2"),
  ...(["RS384", "RS512", "PS384", "PS512"] as const).map((alg) => ofRsa(alg)),
];
const ATTACKER = createKey("RS256", "attacker-1");
const P384 = generateKeyPairSync("ec", { namedCurve: "P-384" });
const PUBLIC_PEM = createPublicKey(KEYS.RS256.privateKey).export({ type: "spki", format: "pem" }).toString();

/** The RSA key for another algorithm. */
function ofRsa(alg: KeyAlgorithm): SigningKey {
  const kid = `rs-1-${alg}`;
  return { ...KEYS.RS256, alg, kid, publicJwk: { ...KEYS.RS256.publicJwk, alg, kid } };
}

let attackerCalls = 0;
const attackerServer = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: () => {
    attackerCalls += 1;
    return Response.json({ keys: [ATTACKER.publicJwk] });
  },
});
const attackerUrl = attackerServer.url.href;

const janus = useJanus(() => {
  // The clock stands still, so that a boundary of one second is a boundary.
  setSystemTime(new Date("2031-05-06T07:08:09.500Z"));
  return startJanusWithForger({ forger: { key: KEYS.RS256 } });
});
beforeAll(() => {
  // Apart from the machine's, so that a check by the wrong one is seen.
  janus.clock.advance(86_400);
});
afterEach(() => {
  janus.provider.reset();
  janus.provider.rotateKey(KEYS.RS256);
});
afterAll(async () => {
  setSystemTime();
  expect(attackerCalls).toBe(0);
  await attackerServer.stop(true);
});

/** The claims of the right token, changed; undefined leaves one out. */
const claims =
  (change: Claims): Forge =>
  (right, sign) =>
    sign({ ...right, ...change });
/** A time claim so many seconds from now; the right token's `iat` is now. */
const seconds =
  (claim: string, offset: number): Forge =>
  (right, sign) =>
    sign({ ...right, [claim]: Number(right.iat) + offset });
const header =
  (change: Claims, key?: SigningKey | string): Forge =>
  (right, sign) =>
    sign(right, change, key);
const signed =
  (change: (token: string) => string): Forge =>
  (right, sign) =>
    change(sign(right));

const encode = (part: string | Uint8Array) => Buffer.from(part).toString("base64url");

/** A token by hand: any header, any payload, any signature. */
function assemble(
  head: unknown,
  payload: string | Uint8Array,
  signer: (input: Buffer) => Uint8Array,
): string {
  const input = `${encode(JSON.stringify(head))}.${encode(payload)}`;
  return `${input}.${encode(signer(Buffer.from(input)))}`;
}
const rs256 = (input: Buffer) => signBytes("sha256", input, KEYS.RS256.privateKey);
const payload =
  (text: (right: Claims) => string | Uint8Array): Forge =>
  (right) =>
    assemble({ alg: "RS256", kid: "rs-1", typ: "JWT" }, text(right), rs256);
const hmac =
  (alg: "HS256" | "HS384" | "HS512", secret: string): Forge =>
  (right) =>
    assemble({ alg, kid: "rs-1", typ: "JWT" }, JSON.stringify(right), (input) =>
      createHmac(alg.replace("HS", "sha"), secret).update(input).digest(),
    );

/** Walks to the provider's callback, with what the provider is to answer from there on. */
async function reach(at: Janus, overrides: ForgerOverrides, discordUserId = newUser()) {
  const subject = `sub-of-${discordUserId}`;
  at.provider.signInAs({ sub: subject, preferred_username: `name-${discordUserId}`, groups: ["members"] });
  const browser = createBrowser(at.url);
  const callback = await reachForgerCallback(browser, discordUserId);
  at.provider.override(overrides);
  return { browser, callback, discordUserId, subject };
}

/** The error line that a request left behind, and only one. */
function errorOf(lines: readonly string[]): { readonly code: string; readonly reason: string } {
  const failed = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === "request_failed");
  expect(failed).toHaveLength(1);
  return failed[0];
}

const pushes = (at: Janus) =>
  at.discord.calls.filter(({ operation }) => operation === "put_role_connection").length;
const keyFetches = (at: Janus) => at.provider.calls.filter((operation) => operation === "jwks").length;

/** The member of every refused sign-in: one, so that the tables stay small and quick to compare. */
const REFUSED_USER = newUser();

async function expectRefused(at: Janus, overrides: ForgerOverrides, code: Code) {
  const { browser, callback } = await reach(at, overrides, REFUSED_USER);
  const [tables, pushed, logged] = [await at.database.dump(WITHOUT_STRAYS), pushes(at), at.logLines.length];

  const response = await browser.get(callback);

  const { code: logCode, reason } = errorOf(at.logLines.slice(logged));
  expect({ code: logCode, status: response.status }).toEqual({
    code,
    status: code === "provider_unavailable" ? 503 : 502,
  });
  expect(await at.database.dump(WITHOUT_STRAYS)).toBe(tables);
  expect(pushes(at)).toBe(pushed);
  if (code === "id_token_unsupported")
    expect(reason).toContain("choose a signing key of type RSA, EC or Ed25519");
}

async function expectAccepted(at: Janus, overrides: ForgerOverrides, subject?: string) {
  const walk = await reach(at, overrides);

  const response = await walk.browser.get(walk.callback);

  expect(response.status).toBe(200);
  const links = await at.database.rows(
    `select issuer, subject from link where discord_user_id = '${walk.discordUserId}'`,
  );
  expect(links).toEqual([{ issuer: at.provider.issuer, subject: subject ?? walk.subject }]);
  expect(at.discord.roleConnection(walk.discordUserId)?.metadata).toEqual({ dsek_member: "1" });
}

/** The values that no claim of a text, a time or an audience may have. */
const OTHER_TYPES = [undefined, null, true, {}, []] as const;
const typeName = (value: unknown) => (value === undefined ? "missing" : JSON.stringify(value));
const REQUIRED = ["iss", "aud", "exp", "iat", "nonce", "sub"] as const;

const WRONG_CLAIMS: readonly Case[] = [
  ...REQUIRED.flatMap((claim) =>
    OTHER_TYPES.map((value): Case => [`${claim} is ${typeName(value)}`, claims({ [claim]: value })]),
  ),
  ["iss is another issuer", claims({ iss: "https://idp.example" })],
  ["iss has a slash more", (right, sign) => sign({ ...right, iss: `${right.iss}/` })],
  ["iss is in capitals", (right, sign) => sign({ ...right, iss: String(right.iss).toUpperCase() })],
  ["iss is an array", (right, sign) => sign({ ...right, iss: [right.iss] })],
  ["iss is empty", claims({ iss: "" })],
  ["iss is a number", claims({ iss: 1 })],
  ["aud is another client", claims({ aud: "another client" })],
  ["aud is the client id in capitals", claims({ aud: OIDC_CLIENT_ID.toUpperCase() })],
  ["aud has a space more", claims({ aud: `${OIDC_CLIENT_ID} ` })],
  ["aud is empty", claims({ aud: "" })],
  ["aud is a number", claims({ aud: 1 })],
  ["aud names another client too, without azp", claims({ aud: [OIDC_CLIENT_ID, "another client"] })],
  ["aud names another client first, without azp", claims({ aud: ["another client", OIDC_CLIENT_ID] })],
  [
    "aud names another client too, and azp is that one",
    claims({ aud: [OIDC_CLIENT_ID, "another client"], azp: "another client" }),
  ],
  ["aud names others alone, and azp is Janus", claims({ aud: ["a", "b"], azp: OIDC_CLIENT_ID })],
  ["aud holds a number too", claims({ aud: [OIDC_CLIENT_ID, 1], azp: OIDC_CLIENT_ID })],
  ["aud holds null too", claims({ aud: [OIDC_CLIENT_ID, null], azp: OIDC_CLIENT_ID })],
  [
    "aud names more audiences than anybody has",
    claims({ aud: [OIDC_CLIENT_ID, ...Array.from({ length: 1_000 }, String)], azp: OIDC_CLIENT_ID }),
  ],
  ["aud is nested", claims({ aud: [[OIDC_CLIENT_ID]] })],
  ["azp is another client", claims({ azp: "another client" })],
  ["azp is another client, and short", claims({ azp: " " })],
  ["azp is false", claims({ azp: false })],
  ["azp is 0", claims({ azp: 0 })],
  ["aud names another client too, and azp is empty", claims({ aud: [OIDC_CLIENT_ID, "another"], azp: "" })],
  ["aud names another client too, and azp is null", claims({ aud: ["another", OIDC_CLIENT_ID], azp: null })],
  ["azp is an array", claims({ azp: [OIDC_CLIENT_ID] })],
  ["exp is 60 s past", seconds("exp", -60)],
  ["exp is 61 s past", seconds("exp", -61)],
  ["exp is a text", (right, sign) => sign({ ...right, exp: String(right.exp) })],
  ["exp is 0", claims({ exp: 0 })],
  ["exp is negative", claims({ exp: -1 })],
  ["iat is 10 min and 61 s past", seconds("iat", -661)],
  ["iat is 61 s ahead", seconds("iat", 61)],
  ["iat is in milliseconds", (right, sign) => sign({ ...right, iat: Number(right.iat) * 1_000 })],
  ["iat is a text", (right, sign) => sign({ ...right, iat: String(right.iat) })],
  ["iat is 0", claims({ iat: 0 })],
  ["nbf is 61 s ahead", seconds("nbf", 61)],
  ["nbf is a text", claims({ nbf: "0" })],
  ["nonce is empty", claims({ nonce: "" })],
  ["nonce is another flow's", claims({ nonce: "A".repeat(43) })],
  ["nonce is longer", (right, sign) => sign({ ...right, nonce: `${right.nonce}A` })],
  ["nonce is shorter", (right, sign) => sign({ ...right, nonce: String(right.nonce).slice(0, -1) })],
  ["nonce is an array", (right, sign) => sign({ ...right, nonce: [right.nonce] })],
  ["nonce is a number", claims({ nonce: 1 })],
  ["sub is empty", claims({ sub: "" })],
  ["sub is 256 characters long", claims({ sub: "s".repeat(256) })],
  ["sub is not ASCII", claims({ sub: "åsa" })],
  ["sub holds a NUL", claims({ sub: "anna\0" })],
  ["sub ends in a line feed", claims({ sub: "anna\n" })],
  ["sub is a number", claims({ sub: 1_234 })],
  ["sub is an array", (right, sign) => sign({ ...right, sub: [right.sub] })],
  ["at_hash is another token's", claims({ at_hash: "A".repeat(22) })],
  ["at_hash is cut short", (right, sign) => sign({ ...right, at_hash: String(right.at_hash).slice(0, 21) })],
  ["at_hash is longer", (right, sign) => sign({ ...right, at_hash: `${right.at_hash}A` })],
  ["at_hash has padding", (right, sign) => sign({ ...right, at_hash: `${right.at_hash}==` })],
  ["at_hash is a space", claims({ at_hash: " " })],
  ["at_hash is false", claims({ at_hash: false })],
  ["at_hash is a number", claims({ at_hash: 1 })],
  ["at_hash is an array", (right, sign) => sign({ ...right, at_hash: [right.at_hash] })],
  [
    "events say that it is a logout token",
    claims({ events: { "http://schemas.openid.net/event/backchannel-logout": {} } }),
  ],
  ["events are empty", claims({ events: {} })],
  ["events are a list", claims({ events: [] })],
  ["events are false", claims({ events: false })],
];

const WRONG_HEADERS: readonly Case[] = [
  ["typ is at+jwt", header({ typ: "at+jwt" })],
  ["typ is logout+jwt", header({ typ: "logout+jwt" })],
  ["typ is secevent+jwt", header({ typ: "secevent+jwt" })],
  ["typ is empty", header({ typ: "" })],
  ["typ is a number", header({ typ: 1 })],
  ["typ is null", header({ typ: null })],
  ["typ is an array", header({ typ: ["JWT"] })],
  ["alg is none", header({ alg: "none", kid: undefined }), "id_token_unsupported"],
  [
    "alg is none, with the right signature",
    (right) => assemble({ alg: "none" }, JSON.stringify(right), rs256),
    "id_token_unsupported",
  ],
  ...["None", "NONE", "nOnE", " none"].map(
    (alg): Case => [
      `alg is ${alg}`,
      (right) => assemble({ alg, kid: "rs-1" }, JSON.stringify(right), () => Buffer.of()),
    ],
  ),
  ["alg is missing", header({ alg: undefined }), "id_token_unsupported"],
  ["alg is empty", header({ alg: "" })],
  ["alg is null", header({ alg: null })],
  ["alg is a number", header({ alg: 256 })],
  ["alg is an array", header({ alg: ["RS256"] })],
  ["alg is an object's own method", header({ alg: "constructor" })],
  [
    "crit names what nobody knows",
    header({ crit: ["https://example.org/ext"], "https://example.org/ext": 1 }),
  ],
  ["crit names exp", header({ crit: ["exp"], exp: 1 })],
  ["crit names what the header lacks", header({ crit: ["b64"] })],
  ["crit is empty", header({ crit: [] })],
  ["crit is no array", header({ crit: "b64" })],
  ["crit is null", header({ crit: null })],
  [
    "payload is unencoded (b64)",
    (right) => {
      const head = encode(JSON.stringify({ alg: "RS256", kid: "rs-1", b64: false, crit: ["b64"] }));
      const text = JSON.stringify(right).replaceAll(".", "");
      return `${head}.${text}.${encode(rs256(Buffer.from(`${head}.${text}`)))}`;
    },
  ],
  [
    "payload is encoded under b64 false",
    (right) =>
      assemble({ alg: "RS256", kid: "rs-1", b64: false, crit: ["b64"] }, JSON.stringify(right), rs256),
  ],
];

const WRONG_SIGNATURES: readonly Case[] = [
  ["HS256 signature is by the client secret", hmac("HS256", CANARY.oidcClientSecret), "id_token_unsupported"],
  ["HS384 signature is by the client secret", hmac("HS384", CANARY.oidcClientSecret), "id_token_unsupported"],
  ["HS512 signature is by the client secret", hmac("HS512", CANARY.oidcClientSecret), "id_token_unsupported"],
  ["HS256 signature is by the public key's PEM", hmac("HS256", PUBLIC_PEM), "id_token_unsupported"],
  ["HS512 signature is by the public key's PEM", hmac("HS512", PUBLIC_PEM), "id_token_unsupported"],
  [
    "HS256 signature is by the public modulus",
    hmac("HS256", String(KEYS.RS256.publicJwk.n)),
    "id_token_unsupported",
  ],
  ["HS256 signature is by an empty secret", hmac("HS256", ""), "id_token_unsupported"],
  ["signature is by another key under the right kid", header({ kid: "rs-1" }, ATTACKER)],
  ["signature is by another key under its own kid", header({}, ATTACKER)],
  ["signature is by another key without kid", header({ kid: undefined }, ATTACKER)],
  ["kid is unknown", header({ kid: "nobody's" })],
  ["kid is a number", header({ kid: 1 })],
  ["kid is a path", header({ kid: "../../../../dev/null" })],
  ["key comes along as jwk", header({ jwk: ATTACKER.publicJwk }, ATTACKER)],
  ["key comes along as jwk under the right kid", header({ jwk: ATTACKER.publicJwk, kid: "rs-1" }, ATTACKER)],
  ["key comes along as jwk without kid", header({ jwk: ATTACKER.publicJwk, kid: undefined }, ATTACKER)],
  ["key is at jku", header({ jku: attackerUrl }, ATTACKER)],
  ["key is at jku under the right kid", header({ jku: attackerUrl, kid: "rs-1" }, ATTACKER)],
  ["key is at x5u", header({ x5u: attackerUrl, kid: "rs-1" }, ATTACKER)],
  ["key comes along as x5c", header({ x5c: ["MAA="], kid: "rs-1" }, ATTACKER)],
  [
    "PS256 signature is called RS256",
    header({ alg: "RS256", kid: "rs-1" }, { ...KEYS.PS256, privateKey: KEYS.RS256.privateKey }),
  ],
  ["RS256 signature is called PS256", header({ alg: "PS256" })],
  ["RS256 signature is called ES256", header({ alg: "ES256" })],
  ["RS256 signature is called EdDSA", header({ alg: "EdDSA" })],
  ["signature is empty", signed((token) => token.slice(0, token.lastIndexOf(".") + 1))],
  ["signature is cut short", signed((token) => token.slice(0, -8))],
  [
    "signature is of zeros",
    (right) => assemble({ alg: "RS256", kid: "rs-1" }, JSON.stringify(right), () => Buffer.alloc(256)),
  ],
  [
    "signature has a bit flipped",
    (right) =>
      assemble({ alg: "RS256", kid: "rs-1" }, JSON.stringify(right), (input) => {
        const bytes = rs256(input);
        bytes[100] = (bytes[100] ?? 0) ^ 1;
        return bytes;
      }),
  ],
  [
    "signature is another token's",
    (right, sign) => {
      const [head, , signature] = sign(right).split(".");
      return `${head}.${encode(JSON.stringify({ ...right, groups: ["board"] }))}.${signature}`;
    },
  ],
  [
    "header is another token's",
    (right, sign) => {
      const [, body, signature] = sign(right).split(".");
      return `${encode(JSON.stringify({ alg: "RS256", kid: "rs-1", x: 1 }))}.${body}.${signature}`;
    },
  ],
];

const NO_TOKENS: readonly Case[] = [
  ["text is garbage", () => "garbage"],
  ["text is three dots", () => "..."],
  ["parts are empty", () => ".."],
  ["parts are no base64url", () => "%%%.%%%.%%%"],
  ["header is no JSON", () => `${encode("header")}.${encode("{}")}.AAAA`],
  ["header is an array", () => `${encode("[]")}.${encode("{}")}.AAAA`],
  ["header is null", () => `${encode("null")}.${encode("{}")}.AAAA`],
  ["payload is no JSON", payload(() => "payload")],
  ["payload is null", payload(() => "null")],
  ["payload is an array", payload((right) => JSON.stringify([right]))],
  ["payload is a text", payload((right) => JSON.stringify(JSON.stringify(right)))],
  ["payload is empty", payload(() => "")],
  [
    "payload is no UTF-8",
    payload((right) => Buffer.concat([Buffer.from(JSON.stringify(right)), Buffer.of(0xff)])),
  ],
  ["payload is two objects", payload((right) => JSON.stringify(right).repeat(2))],
  ["signature part is missing", signed((token) => token.slice(0, token.lastIndexOf(".")))],
  ["header part is missing", signed((token) => token.slice(token.indexOf(".")))],
  ["parts are four", signed((token) => `${token}.AAAA`)],
  ["parts are six, two tokens by a dot", signed((token) => `${token}.${token}`)],
  ["parts are two tokens in one", signed((token) => token + token), "id_token_unsupported"],
  ["spelling has a space before it", signed((token) => ` ${token}`)],
  ["spelling has a line feed after it", signed((token) => `${token}\n.`)],
  [
    "form is JSON",
    (right, sign) => {
      const [head, body, signature] = sign(right).split(".");
      return JSON.stringify({ protected: head, payload: body, signature });
    },
  ],
  [
    "parts are five: it is encrypted",
    (right) => encryptToken(right, CANARY.oidcClientSecret),
    "id_token_unsupported",
  ],
  [
    "size is 300 KB",
    (right, sign) => sign({ ...right, filler: "f".repeat(300_000) }),
    "provider_unavailable",
  ],
];

describe("an ID Token is refused whose", () => {
  test.each([...WRONG_CLAIMS, ...WRONG_HEADERS, ...WRONG_SIGNATURES, ...NO_TOKENS])(
    "%s",
    (_, idToken, code = "id_token_refused") => expectRefused(janus, { idToken }, code),
  );

  // Of an algorithm that exists and that Janus cannot verify, the operator is told which it is.
  test.each(["ES256K", "ML-DSA-44", "ML-DSA-87", "Ed448"])("alg is %s", async (alg) => {
    const logged = janus.logLines.length;

    await expectRefused(janus, { idToken: header({ alg }) }, "id_token_unsupported");

    expect(errorOf(janus.logLines.slice(logged)).reason).toContain(alg);
  });

  test("curve does not fit its algorithm", async () => {
    const kid = "p-384";
    const idToken: Forge = (right) =>
      assemble({ alg: "ES256", kid }, JSON.stringify(right), (input) =>
        signBytes("sha256", input, { key: P384.privateKey, dsaEncoding: "ieee-p1363" }),
      );
    const jwks = () => ({ keys: [{ ...P384.publicKey.export({ format: "jwk" }), kid }] });

    await expectRefused(janus, { idToken, jwks }, "id_token_refused");
  });

  test("ES256 signature is of zeros", async () => {
    janus.provider.rotateKey(KEYS.ES256);
    const idToken: Forge = (right) =>
      assemble({ alg: "ES256", kid: "es-1" }, JSON.stringify(right), () => Buffer.alloc(64));

    await expectRefused(janus, { idToken }, "id_token_refused");
  });

  test("HS256 secret is in the JWK Set", async () => {
    const jwks = () => ({ keys: [{ kty: "oct", k: encode("secret"), kid: "rs-1", alg: "HS256" }] });

    await expectRefused(janus, { idToken: hmac("HS256", "secret"), jwks }, "id_token_unsupported");
  });

  test("RSA key is too short", async () => {
    const short = generateKeyPairSync("rsa", { modulusLength: 1_024 });
    const kid = "short";
    const jwks = () => ({ keys: [{ ...short.publicKey.export({ format: "jwk" }), kid }] });
    const idToken: Forge = (right) =>
      assemble({ alg: "RS256", kid }, JSON.stringify(right), (input) =>
        signBytes("sha256", input, short.privateKey),
      );

    await expectRefused(janus, { idToken, jwks }, "id_token_refused");
  });

  test.each([
    ["EdDSA at_hash is of SHA-256", KEYS.EdDSA, "sha256", 16],
    ["EdDSA at_hash is the whole SHA-512", KEYS.EdDSA, "sha512", 64],
    ["RS256 at_hash is of SHA-512", KEYS.RS256, "sha512", 32],
    ["RS256 at_hash is the whole SHA-256", KEYS.RS256, "sha256", 32],
    ["ES256 at_hash is the right half", KEYS.ES256, "sha256", -16],
  ] as const)("%s", async (_, key, hash, bytes) => {
    janus.provider.rotateKey(key);

    await expectRefused(janus, withAccessTokenHash(hash, bytes), "id_token_refused");
  });

  test.each([
    ["absence leaves nothing to verify", undefined, "provider_misconfigured"],
    ["text is empty", "", "provider_misconfigured"],
    ["form is a number", 1, "provider_unavailable"],
    ["form is an array", ["a.b.c"], "provider_unavailable"],
  ] as const)("%s", (_, idToken, code) =>
    expectRefused(janus, { tokenAnswer: (answer) => ({ ...answer, id_token: idToken }) }, code),
  );
});

describe("an ID Token is accepted", () => {
  test.each(Object.entries(KEYS))("signed with %s, at_hash included", async (alg, key) => {
    janus.provider.rotateKey(key);
    const [hash, bytes] = alg === "EdDSA" ? (["sha512", 32] as const) : (["sha256", 16] as const);

    await expectAccepted(janus, withAccessTokenHash(hash, bytes));
  });

  test.each(FURTHER_KEYS.map((key) => [key.alg, key] as const))(
    "signed with %s, announced alone or not",
    async (alg, key) => {
      const fresh = await startJanusWithForger({ database: janus.database, forger: { key } });
      const bits = alg === "Ed25519" ? 512 : Number(alg.slice(-3));
      try {
        await expectAccepted(fresh, withAccessTokenHash(`sha${bits}`, bits / 16, fresh));
        fresh.provider.override({
          discovery: (right) => ({ ...right, id_token_signing_alg_values_supported: ["RS256", alg] }),
        });
        await expectAccepted(fresh, withAccessTokenHash(`sha${bits}`, bits / 16, fresh));
      } finally {
        await fresh.stop();
      }
    },
  );

  test.each([
    [
      "whose aud names the provider's project too",
      claims({ aud: [OIDC_CLIENT_ID, "383168317235462148"], azp: OIDC_CLIENT_ID }),
    ],
    ["whose aud names others before Janus", claims({ aud: ["a", "b", OIDC_CLIENT_ID], azp: OIDC_CLIENT_ID })],
    [
      "whose aud names the fifty clients of a project",
      claims({ aud: [...Array.from({ length: 50 }, String), OIDC_CLIENT_ID], azp: OIDC_CLIENT_ID }),
    ],
    ["whose aud names Janus twice", claims({ aud: [OIDC_CLIENT_ID, OIDC_CLIENT_ID] })],
    ["without at_hash", claims({ at_hash: undefined })],
    // Some servers write null or an empty text for a claim that they leave out.
    ...["azp", "at_hash", "events"].flatMap((name): Case[] => [
      [`whose ${name} is null`, claims({ [name]: null })],
      [`whose ${name} is empty`, claims({ [name]: "" })],
    ]),
    ["whose optional claims are all null", claims({ azp: null, at_hash: null, events: null })],
    ["whose aud is an array of one", claims({ aud: [OIDC_CLIENT_ID] })],
    ["whose azp is Janus", claims({ azp: OIDC_CLIENT_ID })],
    ["without typ", header({ typ: undefined })],
    ["whose typ is jwt in small letters", header({ typ: "jwt" })],
    ["without kid, while there is one key", header({ kid: undefined })],
    ["that expired 59 s ago", seconds("exp", -59)],
    ["issued 10 min and 60 s ago", seconds("iat", -660)],
    ["issued 60 s in the future", seconds("iat", 60)],
    ["not to be used for 60 s yet", seconds("nbf", 60)],
    [
      "with times in fractions of a second",
      (right, sign) => sign({ ...right, exp: Number(right.exp) + 0.5 }),
    ],
    ["with a jwk that it is not signed by", header({ jwk: ATTACKER.publicJwk })],
    ["with jku and x5u, which nobody asks", header({ jku: attackerUrl, x5u: attackerUrl, x5c: ["MAA="] })],
    ["with claims that nobody knows", claims({ "https://example.org/x": { deep: [[[null]]] }, amr: 5 })],
  ] satisfies readonly Case[])("%s", (_, idToken) => expectAccepted(janus, { idToken }));

  test.each([
    ["of one character", "x"],
    ["of 255 characters", "s".repeat(255)],
    [
      "with every sign that ASCII has",
      Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at)).join(""),
    ],
  ])("with a sub %s", (_, sub) => expectAccepted(janus, { idToken: claims({ sub }) }, sub));
});

test.each([[undefined], [null], [""]])(
  "verifyIdToken() names the remedy if aud names others and azp is %p",
  async (azp) => {
    const logged = janus.logLines.length;

    await expectRefused(
      janus,
      { idToken: claims({ aud: [OIDC_CLIENT_ID, "383168317235462148"], azp }) },
      "id_token_refused",
    );

    const { reason } = errorOf(janus.logLines.slice(logged));
    expect(reason).toContain("azp");
    expect(reason).toContain("a client of its own");
    expect(reason).not.toContain("383168317235462148");
  },
);

describe("verifyIdToken() tries all that fit", () => {
  const first = createKey("ES256", "same");
  const second = createKey("ES256", "same");
  const short = generateKeyPairSync("rsa", { modulusLength: 1_024 }).publicKey.export({ format: "jwk" });
  /** The keys as a set shows them, with what is changed in each; undefined takes a field away. */
  const shown = (keys: readonly SigningKey[], change: Claims = {}) => ({
    keys: keys.map(({ publicJwk }) => ({ ...publicJwk, ...change })),
  });
  const many = Array.from({ length: 30 }, () => createKey("ES256"));

  test.each([
    ["one key twice", shown([first, first]), header({}, first)],
    ["two keys under one kid, the first signs", shown([first, second]), header({}, first)],
    ["two keys under one kid, the second signs", shown([first, second]), header({}, second)],
    ["two keys, neither a kid in the token", shown([first, second]), header({ kid: undefined }, second)],
    ["keys without kid", shown([first, second], { kid: undefined }), header({ kid: undefined }, second)],
    ["keys without kid, the token has one", shown([first, second], { kid: undefined }), header({}, second)],
    [
      "keys without kid beside one with another",
      { keys: [createKey("ES256", "other").publicJwk, { ...second.publicJwk, kid: undefined }] },
      header({}, second),
    ],
    [
      "keys without kid and alg",
      shown([first, second], { kid: undefined, alg: undefined }),
      header({}, second),
    ],
    ["thirty keys without kid, the last signs", shown(many, { kid: undefined }), header({}, many.at(-1))],
    [
      "a key beside that cannot be used",
      {
        keys: [
          { ...short, kid: "odd" },
          { kty: "RSA", n: "?", e: "AQAB", kid: "odd" },
          { ...KEYS.RS256.publicJwk, kid: "odd" },
        ],
      },
      header({ kid: "odd" }),
    ],
  ] as const)("with %s", async (_, jwks, idToken) => {
    await forgetKeys();

    await expectAccepted(janus, { jwks: () => jwks, idToken });
  });

  test.each([
    [
      "of none of them",
      shown([first, second]),
      header({ kid: "same" }, createKey("ES256")),
      "id_token_refused",
    ],
    [
      "of none of them, without kid",
      shown([first, second], { kid: undefined }),
      header({}, createKey("ES256")),
      "id_token_refused",
    ],
    [
      "of another client",
      shown([first, first]),
      (right, sign) => sign({ ...right, aud: "x" }, {}, first),
      "id_token_refused",
    ],
  ] as const satisfies readonly (readonly [string, unknown, Forge, Code])[])(
    "and refuses one %s",
    async (_, jwks, idToken, code) => {
      await forgetKeys();

      await expectRefused(janus, { jwks: () => jwks, idToken }, code);
    },
  );

  /** Makes Janus fetch the keys again at the next token. */
  const forgetKeys = () =>
    expectRefused(janus, { idToken: header({ kid: "makes Janus fetch" }) }, "id_token_refused");
});

describe("verifyIdToken()", () => {
  test("fetches a new key once, in the flow that meets it", async () => {
    await expectAccepted(janus, {});
    janus.provider.rotateKey(createKey("ES256"));
    const before = keyFetches(janus);

    await expectAccepted(janus, {});
    await expectAccepted(janus, {});

    expect(keyFetches(janus) - before).toBe(1);
  });

  test("accepts two tokens that meet a new key at once", async () => {
    const flows = [await reach(janus, {}), await reach(janus, {})];
    janus.provider.rotateKey(createKey("ES256"));

    const answers = await Promise.all(flows.map(({ browser, callback }) => browser.get(callback)));

    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  });

  test("accepts an old and a new key side by side", async () => {
    const [older, newer] = [createKey("ES256"), createKey("ES256")];
    const jwks = () => ({ keys: [newer.publicJwk, older.publicJwk] });

    await expectAccepted(janus, { jwks, idToken: header({}, older) });
    await expectAccepted(janus, { jwks, idToken: header({}, newer) });
  });

  test("refuses a retired key after its successor", async () => {
    const retired = createKey("ES256");
    janus.provider.rotateKey(retired);
    await expectAccepted(janus, {});
    janus.provider.rotateKey(createKey("ES256"));
    await expectAccepted(janus, {});

    await expectRefused(janus, { idToken: header({}, retired) }, "id_token_refused");
  });

  // OpenID Connect Core 10.1: a JWK Set of one key needs no kid.
  test.each([
    ["without kid", undefined],
    ["under the kid of the old one", "the-only-one"],
  ])("finds a new key %s at once", async (_, kid) => {
    const [older, newer] = [createKey("ES256"), createKey("ES256")];
    const answers = (key: SigningKey): ForgerOverrides => ({
      jwks: () => ({ keys: [{ ...key.publicJwk, kid }] }),
      idToken: header({ kid }, key),
    });
    await expectRefused(
      janus,
      { ...answers(older), idToken: header({ kid: "makes Janus fetch" }) },
      "id_token_refused",
    );
    await expectAccepted(janus, answers(older));

    await expectAccepted(janus, answers(newer));
  });

  test("fetches them once for an unknown kid", async () => {
    await expectAccepted(janus, {});
    const before = keyFetches(janus);

    await expectRefused(janus, { idToken: header({ kid: "nobody's" }) }, "id_token_refused");

    expect(keyFetches(janus) - before).toBe(1);
  });

  test("fetches them once for a wrong signature", async () => {
    await expectAccepted(janus, {});
    const before = keyFetches(janus);

    await expectRefused(janus, { idToken: header({ kid: "rs-1" }, ATTACKER) }, "id_token_refused");

    expect(keyFetches(janus) - before).toBe(1);
  });

  describe("with a key without kid", () => {
    const down = () => new Response(null, { status: 503 });
    const shownAs = (kid: unknown, ...keys: readonly SigningKey[]) => ({
      jwks: () => ({ keys: keys.map(({ publicJwk }) => ({ ...publicJwk, kid })) }),
    });
    /** Has Janus hold this set. */
    const hold = (overrides: ForgerOverrides) =>
      expectRefused(
        janus,
        { ...overrides, idToken: header({ kid: "makes Janus fetch" }, ATTACKER) },
        "id_token_refused",
      );

    test.each([[undefined], [null], [""], [5]])("keeps it for the next: kid %p", async (kid) => {
      const key = createKey("ES256");
      await hold(shownAs(kid, createKey("ES256"), key));
      const before = keyFetches(janus);

      await expectAccepted(janus, { jwks: down, idToken: header({}, key) });
      await expectAccepted(janus, { jwks: down, idToken: header({ kid: "another" }, key) });

      expect(keyFetches(janus)).toBe(before);
    });

    test("keeps it beside one that the kid names", async () => {
      const key = createKey("ES256", "rs-1");
      const jwks = () => ({ keys: [KEYS.RS256.publicJwk, { ...key.publicJwk, kid: undefined }] });
      await hold({ jwks });
      const before = keyFetches(janus);

      await expectAccepted(janus, { jwks: down, idToken: header({}, key) });

      expect(keyFetches(janus)).toBe(before);
    });

    test("fetches the keys if it has not signed", async () => {
      const [older, newer] = [createKey("ES256"), createKey("ES256")];
      await hold(shownAs(undefined, older));
      const before = keyFetches(janus);

      await expectAccepted(janus, {
        jwks: () => ({ keys: [{ ...older.publicJwk, kid: undefined }, newer.publicJwk] }),
        idToken: header({}, newer),
      });

      expect(keyFetches(janus) - before).toBe(1);
    });

    test("judges no signature without a fetch", async () => {
      await hold(shownAs(undefined, createKey("ES256")));
      const before = keyFetches(janus);

      await expectRefused(
        janus,
        { jwks: down, idToken: header({}, createKey("ES256")) },
        "provider_unavailable",
      );

      expect(keyFetches(janus) - before).toBe(1);
    });
  });

  test("does not judge a signature without a fetch", async () => {
    await expectAccepted(janus, {});
    const wrong = { idToken: header({ kid: "rs-1" }, ATTACKER) };

    await expectRefused(
      janus,
      { ...wrong, jwks: () => new Response(null, { status: 503 }) },
      "provider_unavailable",
    );
    janus.provider.reset();
    await expectRefused(janus, wrong, "id_token_refused");
  });

  // RFC 7517 5: what is not understood in a JWK Set is passed over.
  test.each([
    ["null", null],
    ["a number", 5],
    ["a text", "key"],
    ["an array", []],
    ["an empty object", {}],
    ["a kty that nobody knows", { kty: "unheard-of", kid: "beside" }],
    ["an RSA key of monstrous size", { kty: "RSA", n: "A".repeat(2_000), e: "AQAB", kid: "beside" }],
    ["an RSA key whose n is no text", { kty: "RSA", n: 1, e: "AQAB" }],
    ["an RSA key under the same kid", { ...KEYS.PS256.publicJwk, kid: "beside" }],
    ["an encryption key under the same kid", { ...KEYS.ES256.publicJwk, use: "enc", kid: "beside" }],
    ["a key for signing alone", { ...KEYS.ES256.publicJwk, key_ops: ["sign"], kid: "beside" }],
    ["a key of another curve", { ...P384.publicKey.export({ format: "jwk" }), kid: "beside" }],
  ])("uses the right key beside %s", async (_, junk) => {
    const key = createKey("ES256", "beside");
    await expectRefused(janus, { idToken: header({ kid: "makes Janus fetch" }) }, "id_token_refused");

    await expectAccepted(janus, {
      jwks: () => ({ keys: [junk, key.publicJwk] as Claims[] }),
      idToken: header({}, key),
    });
  });
});

test("verifyIdToken() ignores a monstrous RSA key under the right kid", async () => {
  const key = { ...KEYS.RS256, kid: "beside a monster" };
  const right = { ...key.publicJwk, kid: key.kid };
  const jwks = () => ({ keys: [{ ...right, n: "A".repeat(2_000) }, right] });

  await expectAccepted(janus, { jwks, idToken: header({}, key) });
});

describe("nothing is stored if the JWK Set is", () => {
  const own = useJanus(() =>
    startJanusWithForger({ database: janus.database, forger: { key: createKey("ES256") } }),
  );
  useStillTime();
  afterEach(() => own.provider.reset());

  test.each([
    ["500", { status: 500 }],
    ["503", { status: 503, body: "<h1>Down</h1>" }],
    ["429", { status: 429, headers: { "retry-after": "1" } }],
    ["408", { status: 408, body: {} }],
    ["425", { status: 425 }],
    ["HTML", { status: 200, body: "<h1>Log in</h1>" }],
    ["nothing", { status: 200 }],
    ["JSON cut short", { status: 200, body: '{"keys": [' }],
    ["a body without end", "huge"],
    ["a hang", "hang"],
    ["a trickle", "trickle"],
  ] as const)("%s", async (_, behaviour) => {
    own.provider.rotateKey(createKey("ES256"));
    own.provider.failNext("jwks", behaviour);

    await expectRefused(own, {}, "provider_unavailable");
    await expectAccepted(own, {});
  });

  // Asking again does not change these: waiting is no help, and the operator is told.
  test.each([
    ["400", { status: 400 }],
    ["401", { status: 401, body: {} }],
    ["403", { status: 403, body: "<h1>Forbidden</h1>" }],
    ["404", { status: 404, body: {} }],
    ["410", { status: 410 }],
    ["204", { status: 204 }],
    ["no set", { status: 200, body: {} }],
    ["keys as a text", { status: 200, body: { keys: "none" } }],
    ["keys as an object", { status: 200, body: { keys: {} } }],
    ["keys that are null", { status: 200, body: { keys: null } }],
    ["an array", { status: 200, body: [1] }],
    ["an empty array", { status: 200, body: [] }],
    ["a text", { status: 200, body: '"keys"' }],
    ["null", { status: 200, body: "null" }],
    ["101 keys", { status: 200, body: { keys: Array(101).fill(KEYS.ES256.publicJwk) } }],
    ["a redirect", "redirect"],
    ["303", { status: 303, headers: { location: "/login" } }],
    ["304", { status: 304 }],
  ] as const)("%s, a fault of the setup", async (_, behaviour) => {
    own.provider.rotateKey(createKey("ES256"));
    own.provider.failNext("jwks", behaviour);
    const logged = own.logLines.length;

    await expectRefused(own, {}, "provider_misconfigured");
    expect(errorOf(own.logLines.slice(logged)).reason).toStartWith("jwks: ");
    await expectAccepted(own, {});
  });

  test.each([
    [201, "provider_misconfigured"],
    [203, "provider_misconfigured"],
    [404, "provider_misconfigured"],
    [429, "provider_unavailable"],
    [500, "provider_unavailable"],
  ] as const)("the right keys with status %d", async (status, code) => {
    own.provider.rotateKey(createKey("ES256"));
    const jwks: ForgerOverrides["jwks"] = (right) => Response.json(right, { status });

    await expectRefused(own, { jwks }, code);
  });

  test("a dropped connection", async () => {
    own.provider.rotateKey(createKey("ES256"));
    // Twice: on a connection that was used before, fetch tries a GET again by itself.
    own.provider.failNext("jwks", "drop", 2);

    await expectRefused(own, {}, "provider_unavailable");
    await useUpFaults(`${own.provider.url}/jwks`);
  });
});

/** Calls until an answer comes, so that no order is left for another test. */
async function useUpFaults(url: string): Promise<void> {
  const answers = () =>
    fetch(url).then(
      () => true,
      () => false,
    );
  while (!(await answers()));
}

/** An answer whose ID Token has the at_hash of its access token by this hash, cut to so many bytes. */
function withAccessTokenHash(hash: string, bytes: number, at: Janus = janus): ForgerOverrides {
  return {
    tokenAnswer: (answer) => {
      const digest = createHash(hash).update(String(answer.access_token)).digest();
      const cut = bytes < 0 ? digest.subarray(bytes) : digest.subarray(0, bytes);
      const right = JSON.parse(
        Buffer.from(String(answer.id_token).split(".")[1] ?? "", "base64url").toString(),
      );
      return { ...answer, id_token: at.provider.sign({ ...right, at_hash: encode(cut) }) };
    },
  };
}
