/** Every wrong logout token is refused, with nothing changed. OpenID Connect Back-Channel Logout 1.0, 2.4 to 2.6 */
import { afterEach, beforeAll, describe, expect, spyOn, test } from "bun:test";
import fc from "fast-check";
import { LOGOUT_EVENT, logoutClaims, sendLogout } from "../fixtures/logout.ts";
import { useJanus } from "../harness/hooks.ts";
import { CANARY, OIDC_CLIENT_ID, startJanusWithForger } from "../harness/janus.ts";
import { linesOf } from "../harness/seen.ts";
import { linkMember, newUser } from "../harness/walk.ts";
import { createKey, encryptToken, signToken } from "../standins/forger_tokens.ts";

type Claims = Readonly<Record<string, unknown>>;
type Make = (right: Claims) => string;
type Case = readonly [what: string, make: Make];

const KEY = createKey("ES256", "es-1");
const ATTACKER = createKey("ES256", "attacker-1");
const HEADER = { typ: "logout+jwt" };

const janus = useJanus(() => startJanusWithForger({ forger: { key: KEY } }));
const subject = "subject-of-logout";
let issuer: string;

beforeAll(async () => {
  issuer = janus.provider.issuer;
  janus.provider.signInAs({ sub: subject, preferred_username: "anna" });
  await linkMember(janus, newUser());
});
afterEach(() => janus.provider.reset());

const right = (): Claims => logoutClaims(issuer, janus.clock.now(), subject);
const sign = (claims: Claims, header: Claims = HEADER, key: typeof KEY | string = KEY): string =>
  signToken(claims, header, key);
const claims =
  (change: Claims): Make =>
  (given) =>
    sign({ ...given, ...change });
const header =
  (change: Claims, key?: typeof KEY | string): Make =>
  (given) =>
    sign(given, { ...HEADER, ...change }, key);
const seconds =
  (claim: string, offset: number): Make =>
  (given) =>
    sign({ ...given, [claim]: Number(given.iat) + offset });

const WRONG: readonly Case[] = [
  ["no JWT", () => "anna"],
  ["empty", () => ""],
  ["two parts", (given) => sign(given).split(".").slice(0, 2).join(".")],
  ["encrypted", (given) => encryptToken(given, CANARY.oidcClientSecret)],
  ["unsigned", header({ alg: "none", kid: undefined })],
  ["without alg", header({ alg: undefined })],
  ["signed with the client secret", header({ alg: "HS256" }, CANARY.oidcClientSecret)],
  ["signed by another key under the right kid", header({ kid: KEY.kid }, ATTACKER)],
  ["signed by another key under its own kid", header({}, ATTACKER)],
  ["signed by a key that comes along", header({ jwk: ATTACKER.publicJwk, kid: KEY.kid }, ATTACKER)],
  ["an access token by its type", header({ typ: "at+jwt" })],
  ["a security event by its type", header({ typ: "secevent+jwt" })],
  ["with a type that is no text", header({ typ: ["logout+jwt"] })],
  ["with a critical header", header({ crit: ["x"], x: 1 })],
  ["of another issuer", claims({ iss: "https://idp.example" })],
  ["of an issuer with a slash more", (given) => sign({ ...given, iss: `${given.iss}/` })],
  ["without an issuer", claims({ iss: undefined })],
  ["for another client", claims({ aud: "another client" })],
  ["without an audience", claims({ aud: undefined })],
  ["with an audience that is no text", claims({ aud: [OIDC_CLIENT_ID, 1] })],
  ["with a thousand audiences", claims({ aud: [OIDC_CLIENT_ID, ...Array.from({ length: 1_000 }, String)] })],
  ["without iat", claims({ iat: undefined })],
  ["of an hour ago", (given) => sign({ ...given, iat: Number(given.iat) - 3_600, exp: undefined })],
  ["of the future", seconds("iat", 120)],
  ["with an iat that is a text", (given) => sign({ ...given, iat: String(given.iat) })],
  ["that has expired", seconds("exp", -61)],
  ["with an exp that is a text", claims({ exp: "never" })],
  ["without jti", claims({ jti: undefined })],
  ["with an empty jti", claims({ jti: "" })],
  ["with a jti that is a number", claims({ jti: 1 })],
  ["with a jti of two thousand characters", claims({ jti: "j".repeat(2_000) })],
  ["without events: an ID Token", claims({ events: undefined })],
  ["with events that are a list", claims({ events: [LOGOUT_EVENT] })],
  ["with events that are a text", claims({ events: LOGOUT_EVENT })],
  ["with another event", claims({ events: { "http://schemas.openid.net/event/other": {} } })],
  ["with an event that is no object", claims({ events: { [LOGOUT_EVENT]: true } })],
  ["with an event that is a list", claims({ events: { [LOGOUT_EVENT]: [] } })],
  ["with an inherited event", claims({ events: { constructor: {} } })],
  ["with a nonce", claims({ nonce: "n" })],
  ["with a nonce that is null", claims({ nonce: null })],
  ["with neither sub nor sid", claims({ sub: undefined })],
  ["with a sub that is empty", claims({ sub: "" })],
  ["with a sub that is a list", claims({ sub: [subject] })],
  ["with a sub that is not ASCII", claims({ sub: "åsa" })],
  ["with a sub of 256 characters", claims({ sub: "s".repeat(256) })],
  ["with a sid that is a number", claims({ sid: 1 })],
  ["with a sid that has a line feed", claims({ sid: "s\n" })],
];

const RIGHT: readonly Case[] = [
  ["with sub alone", claims({})],
  ["with sub and sid", claims({ sid: "session-1" })],
  ["with sid alone", claims({ sub: undefined, sid: "session-1" })],
  ["with null for what it leaves out", claims({ sid: null })],
  ["without exp", claims({ exp: undefined })],
  ["with a list as the audience", claims({ aud: [OIDC_CLIENT_ID] })],
  ["that names other clients too", claims({ aud: ["another client", OIDC_CLIENT_ID] })],
  ["with the type JWT", header({ typ: "JWT" })],
  ["without a type", header({ typ: undefined })],
  ["with the type in full", header({ typ: "application/logout+jwt" })],
  ["without kid", header({ kid: undefined })],
  [
    "with further events and claims",
    (given) => sign({ ...given, events: { ...Object(given.events), "https://example.org/e": {} }, x: 1 }),
  ],
];

async function send(make: Make) {
  const before = await janus.database.dump();
  const response = await sendLogout(janus.url, make(right()));
  return { response, isUnchanged: (await janus.database.dump()) === before };
}

describe("a logout token", () => {
  test.each(WRONG)("is refused if it is %s", async (_, make) => {
    const { response, isUnchanged } = await send(make);

    expect([response.status, response.headers.get("cache-control")]).toEqual([400, "no-store, no-transform"]);
    expect(await response.json()).toEqual({
      error: "invalid_request",
      error_description: expect.stringMatching(/^[\x20-\x7e]{10,200}$/),
    });
    expect(isUnchanged).toBe(true);
  });

  test.each(RIGHT)("is accepted %s", async (_, make) => {
    const { response } = await send(make);

    expect([response.status, await response.text()]).toEqual([200, ""]);
    expect(response.headers.get("cache-control")).toContain("no-store");
  });

  test("is refused with any character changed", async () => {
    const token = sign(right());
    const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    // The last character of a part has bits that mean nothing.
    const ends = [...token.matchAll(/\.|$/g)].map(({ index }) => index - 1);
    const places = Array.from({ length: token.length }, (_, index) => index).filter(
      (index) => !ends.includes(index),
    );

    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...places), fc.constantFrom(...LETTERS), async (at, letter) => {
        fc.pre(token[at] !== letter);
        const response = await sendLogout(janus.url, token.slice(0, at) + letter + token.slice(at + 1));
        expect(response.status).toBe(400);
      }),
      { numRuns: 100 },
    );
  });

  test.each([
    ["twice", "logout_token=a&logout_token=b", "application/x-www-form-urlencoded"],
    ["nowhere", "token=a", "application/x-www-form-urlencoded"],
    ["as JSON", '{"logout_token":"a"}', "application/json"],
    ["in no body at all", undefined, "application/x-www-form-urlencoded"],
  ])("is refused if the body has it %s", async (_, body, type) => {
    const before = linesOf(janus, "event_received").length;

    const response = await fetch(`${janus.url}/oidc/backchannel-logout`, {
      method: "POST",
      headers: { "content-type": type },
      ...(body === undefined ? {} : { body }),
    });

    expect(response.status).toBe(400);
    expect(response.headers.get("cache-control")).toStartWith("no-store");
    expect(await response.json()).toEqual({
      error: "invalid_request",
      error_description: "the body must be a form with one logout_token",
    });
    expect(linesOf(janus, "event_received").slice(before)).toMatchObject([
      { source: "logout", outcome: "refused" },
    ]);
  });

  test("that is too large is refused with 413", async () => {
    expect((await sendLogout(janus.url, "a".repeat(100_000))).status).toBe(413);
  });

  test("that is forged a hundred times has the keys fetched twice at most", async () => {
    const before = janus.provider.calls.filter((operation) => operation === "jwks").length;

    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        sendLogout(janus.url, sign(right(), { kid: `kid-${index}` }, ATTACKER)),
      ),
    );

    const fetched = janus.provider.calls.filter((operation) => operation === "jwks").length - before;
    const statuses = new Set(answers.map(({ status }) => status));
    expect(fetched).toBeLessThanOrEqual(2);
    expect([...statuses].every((status) => status === 400 || status === 429)).toBe(true);
  });
});

describe("a change of the provider's key", () => {
  const rotating = useJanus(() => startJanusWithForger({ forger: { key: KEY } }));

  test("is seen by the next logout token", async () => {
    const next = createKey("ES256", "es-2");
    rotating.provider.rotateKey(next);
    const token = sign(logoutClaims(rotating.provider.issuer, rotating.clock.now(), subject), HEADER, next);
    // Forged tokens may have had the keys fetched a moment ago.
    await sendLogout(rotating.url, sign({}, { kid: "nobody's" }, ATTACKER));
    const aMomentAgo = performance.now();
    const clock = spyOn(performance, "now").mockImplementation(() => aMomentAgo + 6_000);

    const response = await sendLogout(rotating.url, token);
    clock.mockRestore();

    expect(response.status).toBe(200);
  });
});
